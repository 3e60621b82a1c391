"""Landing of a raw table from another product's tables, with the metadata of a landing from the API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gong_assets.dates import DateRange
from gong_assets.ingestion.landing_metadata import LandingMetadata
from gong_assets.ingestion.sources import window_text
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse
from gong_assets.warehouse.sources.adoption import Adopted, Selection, adopt
from gong_assets.warehouse.sources.registry import open_source
from gong_assets.warehouse.tables import RawTable, create_raw_table


def selection_of(settings: Settings) -> Selection:
    return Selection(settings.gong_include_private_calls, settings.gong_workspace_id)


def land_from_source(
    warehouse: Warehouse,
    settings: Settings,
    table: RawTable,
    ranges: Sequence[DateRange] | None,
    run_id: str,
    *,
    max_deleted_fraction: float = 1.0,
) -> LandingMetadata:
    """Land these days of the table from the source, and return metadata about the landing.

    A table that the source lacks is created and stays as it is; the metadata then has a `skip_reason`.

    Raises:
        WarehouseError: nothing was changed.
    """
    with warehouse.connect() as connection:
        source = open_source(connection, settings)
        place = {
            "source": source.name,
            "source_schema": f"{source.location.database}.{source.location.schema}",
        }
        if not source.is_available(table):
            create_raw_table(connection, table)
            return LandingMetadata({**place, "skip_reason": f"{source.name} has no table for {table.name}"})
        adopted = adopt(
            connection,
            source,
            table,
            ranges=ranges,
            selection=selection_of(settings),
            correlation_id=run_id,
            max_deleted_fraction=max_deleted_fraction,
        )
    landing = _metadata(adopted, warehouse.qualified(table.name))
    window = {} if ranges is None else {"run/window": window_text(ranges)}
    return replace(landing, run={**place, **landing.run, **window})


def _metadata(adopted: Adopted, table_name: str) -> LandingMetadata:
    return LandingMetadata.of_landed(
        adopted.landed,
        table_name,
        records=adopted.rows_by_day,
        records_with_processing_error=adopted.errors_by_day,
        private_calls_not_landed=adopted.private_by_day,
    )
