"""Landing of a raw table from another product's tables, with the metadata of a landing from the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gong_assets.dates import DateRange
from gong_assets.ingestion.sources import MAX_SHOWN_IDS, window_text
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse
from gong_assets.warehouse.sources.adoption import Adopted, Selection, adopt
from gong_assets.warehouse.sources.registry import open_source
from gong_assets.warehouse.tables import RawTable, create_raw_table

if TYPE_CHECKING:
    from datetime import date


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
) -> tuple[dict[str, Any], dict[date | None, int]]:
    """Land these days of the table from the source, and return metadata and the number of rows by day.

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
            return {**place, "skip_reason": f"{source.name} has no table for {table.name}"}, {}
        adopted = adopt(
            connection,
            source,
            table,
            ranges=ranges,
            selection=selection_of(settings),
            correlation_id=run_id,
            max_deleted_fraction=max_deleted_fraction,
        )
    metadata = {**place, **_metadata(adopted), "dagster/table_name": warehouse.qualified(table.name)}
    if ranges is not None:
        metadata["window"] = window_text(ranges)
    return metadata, dict(adopted.rows_by_day)


def _metadata(adopted: Adopted) -> dict[str, Any]:
    landed, deleted = adopted.landed, list(adopted.landed.deleted_keys)
    return {
        "dagster/row_count": landed.total,
        "rows_inserted": landed.inserted,
        "rows_deleted": landed.deleted,
        "rows_unchanged": landed.unchanged,
        "records": sum(adopted.rows_by_day.values()),
        "records_vanished": len(deleted),
        **({"records_vanished_ids": deleted[:MAX_SHOWN_IDS]} if deleted else {}),
        "records_with_processing_error": adopted.errors,
        "private_calls_not_landed": adopted.private,
    }
