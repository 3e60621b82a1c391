"""The source of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gong_assets.settings import Settings
from gong_assets.warehouse.errors import WarehouseError
from gong_assets.warehouse.sources.airbyte import RAW_SCHEMA, Airbyte
from gong_assets.warehouse.sources.data_cloud import DataCloud
from gong_assets.warehouse.sources.fivetran import Fivetran
from gong_assets.warehouse.sources.source import AdoptedSource, read_location
from gong_assets.warehouse.tables import CALLS

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection


class SourceTablesMissing(WarehouseError):
    """The tables of the source are not where the settings say."""


def open_source(connection: SnowflakeConnection, settings: Settings) -> AdoptedSource:
    """Return the source of the settings, with the tables that exist now.

    Raises:
        ValueError: the source is Gong's API.
        SourceTablesMissing: there is no table of calls.
    """
    database = settings.gong_source_database or settings.snowflake_database
    schema = settings.source_schema
    is_raw = settings.gong_source == "airbyte" and settings.gong_source_table_form == "raw"
    location = read_location(connection, database, RAW_SCHEMA if is_raw else schema)
    source: AdoptedSource
    match settings.gong_source:
        case "airbyte":
            source = Airbyte(
                location,
                form=settings.gong_source_table_form,
                prefix=settings.gong_source_table_prefix,
                namespace=schema,
            )
        case "fivetran":
            source = Fivetran(location)
        case "data_cloud":
            source = DataCloud(location)
        case "api":
            raise ValueError("GONG_SOURCE=api has no tables")
    if not source.is_available(CALLS):
        found = ", ".join(sorted(location.columns)[:20]) or "none"
        raise SourceTablesMissing(
            f"GONG_SOURCE={settings.gong_source}: {database}.{location.schema} has no table with calls "
            f"(tables there: {found}). Check GONG_SOURCE_DATABASE, GONG_SOURCE_SCHEMA and the role's grants. "
            "Nothing was changed."
        )
    return source
