"""The IO manager of the raw assets: a spool in, Arrow tables out.

dagster-snowflake's own IO manager deletes a partition and then inserts, without a transaction, and drops the time zone of
the window; see `landing.py` for what is done here instead.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import dagster as dg
import pyarrow as pa

from gong_assets.failures import failure
from gong_assets.partitions import days_of
from gong_assets.resources import SnowflakeResource, query_tag
from gong_assets.warehouse.connection import Warehouse
from gong_assets.warehouse.errors import WarehouseError
from gong_assets.warehouse.landing import Days, create_table, replace
from gong_assets.warehouse.queries import arrow_tables
from gong_assets.warehouse.spool import Spool
from gong_assets.warehouse.tables import RAW_TABLES, RawTable

# How many ids metadata shows before it says only how many there are.
SHOWN_IDS = 100


class SnowflakeIOManager(dg.ConfigurableIOManager):
    """Lands a `Spool` in the raw table that is called as the asset is.

    An asset that takes a raw asset as its input gets its partitions as one `pyarrow.Table`, or, where the input is
    annotated `pyarrow.RecordBatchReader`, as batches of bounded size.
    """

    snowflake: dg.ResourceDependency[SnowflakeResource]

    def handle_output(self, context: dg.OutputContext, obj: Spool) -> None:
        table = raw_table(context.asset_key)
        warehouse = self.snowflake.warehouse(query_tag=query_tag(context.run_id, context.step_key))
        try:
            context.add_output_metadata(land(warehouse, table, obj, context.run_id))
        except WarehouseError as error:
            raise failure(error) from error

    def load_input(self, context: dg.InputContext) -> pa.Table | pa.RecordBatchReader:
        table = raw_table(context.asset_key)
        days = days_of(context.asset_partitions_time_window) if context.has_asset_partitions else None
        tables = self._tables(table, days)
        first = next(tables, _no_rows(table))
        batches = (batch for each in chain([first], tables) for batch in each.cast(first.schema).to_batches())
        reader = pa.RecordBatchReader.from_batches(first.schema, batches)
        return reader if context.dagster_type.typing_type is pa.RecordBatchReader else reader.read_all()

    def _tables(self, table: RawTable, days: Days | None) -> Iterator[pa.Table]:
        with self.snowflake.get_connection() as connection:
            yield from arrow_tables(connection, table, days)


def _no_rows(table: RawTable) -> pa.Table:
    types = {"DATE": pa.date32(), "TIMESTAMP_LTZ": pa.timestamp("ns", "UTC")}
    return pa.schema(
        [(column.name, types.get(column.type, pa.string())) for column in table.columns]
    ).empty_table()


def raw_table(asset_key: dg.AssetKey) -> RawTable:
    """The table that is called as the asset is."""
    name = asset_key.path[-1].upper()
    for table in RAW_TABLES:
        if table.name == name:
            return table
    raise dg.DagsterInvariantViolationError(
        f"no raw table is declared for the asset {asset_key.to_user_string()}"
    )


def land(warehouse: Warehouse, table: RawTable, spool: Spool, run_id: str) -> dict[str, Any]:
    """Make the table hold what the spool does, discard the spool, and return what was done as metadata.

    Raises:
        WarehouseError: nothing was changed.
    """
    try:
        with warehouse.connect() as connection:
            if spool.unread is not None:
                create_table(connection, table)
                return {"not_read": spool.unread}
            landed = replace(connection, table, spool, correlation_id=run_id)
    finally:
        spool.discard()
    vanished = landed.vanished
    return {
        "dagster/row_count": landed.total,
        "dagster/table_name": warehouse.qualified(table.name),
        "rows_inserted": landed.inserted,
        "rows_deleted": landed.deleted,
        "rows_unchanged": landed.unchanged,
        "records": spool.rows,
        "records_vanished": len(vanished),
        **({"records_vanished_ids": dg.MetadataValue.json(list(vanished[:SHOWN_IDS]))} if vanished else {}),
        "records_with_processing_error": spool.errors,
        "json_bytes": spool.bytes,
    }
