"""The IO manager of the raw assets: a spool in, Arrow tables out.

dagster-snowflake's own IO manager deletes a partition and then inserts, without a transaction, and drops the time zone of
the window; see `landing.py` for what is done here instead.
"""

from collections.abc import Iterator
from itertools import chain

import dagster as dg
import pyarrow as pa

from gong_assets.failures import failure
from gong_assets.partitions import days_of
from gong_assets.resources import SnowflakeResource, query_tag
from gong_assets.warehouse.errors import WarehouseError
from gong_assets.warehouse.landing import Days, replace
from gong_assets.warehouse.queries import arrow_tables
from gong_assets.warehouse.spool import Spool
from gong_assets.warehouse.tables import RAW_TABLES, RawTable


class SnowflakeIOManager(dg.ConfigurableIOManager):
    """Lands a `Spool` in the raw table that is called as the asset is.

    An asset that takes a raw asset as its input gets its partitions as one `pyarrow.Table`, or, where the input is
    annotated `pyarrow.RecordBatchReader`, as batches of bounded size.
    """

    snowflake: dg.ResourceDependency[SnowflakeResource]

    def handle_output(self, context: dg.OutputContext, obj: Spool) -> None:
        table = _table(context.asset_key)
        days = days_of(context.asset_partitions_time_window) if context.has_asset_partitions else None
        warehouse = self.snowflake.warehouse(query_tag=query_tag(context.run_id, context.step_key))
        try:
            with warehouse.connect() as connection:
                landed = replace(connection, table, obj, days=days, correlation_id=context.run_id)
        except WarehouseError as error:
            raise failure(error) from error
        finally:
            obj.discard()
        context.add_output_metadata(
            {
                "dagster/row_count": landed.total,
                "dagster/table_name": warehouse.qualified(table.name),
                "rows_inserted": landed.inserted,
                "rows_deleted": landed.deleted,
                "rows_unchanged": landed.unchanged,
                "records": obj.rows,
                "records_with_processing_error": obj.errors,
                "json_bytes": obj.bytes,
            }
        )

    def load_input(self, context: dg.InputContext) -> pa.Table | pa.RecordBatchReader:
        table = _table(context.asset_key)
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


def _table(asset_key: dg.AssetKey) -> RawTable:
    name = asset_key.path[-1].upper()
    for table in RAW_TABLES:
        if table.name == name:
            return table
    raise dg.DagsterInvariantViolationError(
        f"no raw table is declared for the asset {asset_key.to_user_string()}"
    )
