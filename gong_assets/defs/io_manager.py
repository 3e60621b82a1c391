"""IO manager of the raw assets: writes read results, and loads Arrow tables.

dagster-snowflake's own IO manager deletes a partition and then inserts, without a transaction, and drops the
time zone of the window; see `gong_assets/warehouse/landing.py` for what is done here instead.
"""

from collections.abc import Iterator
from datetime import date
from itertools import chain

import dagster as dg
import pyarrow as pa

from gong_assets.dates import DateRange
from gong_assets.defs.failures import fail_step
from gong_assets.defs.partitions import partition_date_range
from gong_assets.defs.resources import SNOWFLAKE, SnowflakeResource
from gong_assets.ingestion.read import ReadResult, land
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.warehouse.errors import WarehouseError
from gong_assets.warehouse.queries import arrow_tables
from gong_assets.warehouse.tables import RawTable


class SnowflakeIOManager(dg.IOManager):
    """Writes a `ReadResult` to the raw table with the asset's name.

    An asset that takes a raw asset as its input gets its partitions as one `pyarrow.Table`, or, if the input
    is annotated `pyarrow.RecordBatchReader`, as batches of bounded size.
    """

    def __init__(self, snowflake: SnowflakeResource) -> None:
        self._snowflake = snowflake

    def handle_output(self, context: dg.OutputContext, obj: ReadResult) -> None:
        table = raw_table(context.asset_key)
        warehouse = self._snowflake.warehouse()
        try:
            landing = land(warehouse, table, obj, context.run_id)
        except WarehouseError as error:
            fail_step(error)
        if not context.has_asset_partitions:
            context.add_output_metadata({**landing.run, **landing.of_day(None)})
            return
        context.add_output_metadata(landing.run)
        for partition in context.asset_partition_keys:
            context.step_context.add_asset_metadata(
                landing.of_day(date.fromisoformat(partition)), context.asset_key, partition
            )

    def load_input(self, context: dg.InputContext) -> pa.Table | pa.RecordBatchReader:
        table = raw_table(context.asset_key)
        window = context.asset_partitions_time_window if context.has_asset_partitions else None
        tables = self._tables(table, partition_date_range(window) if window else None)
        first = next(tables, _empty(table))
        batches = (batch for each in chain([first], tables) for batch in each.cast(first.schema).to_batches())
        reader = pa.RecordBatchReader.from_batches(first.schema, batches)
        return reader if context.dagster_type.typing_type is pa.RecordBatchReader else reader.read_all()

    def _tables(self, table: RawTable, days: DateRange | None) -> Iterator[pa.Table]:
        with self._snowflake.get_connection() as connection:
            yield from arrow_tables(connection, table, days)


@dg.io_manager(
    config_schema={}, required_resource_keys={SNOWFLAKE}, description="Writes raw assets to Snowflake."
)
def snowflake_io_manager(context: dg.InitResourceContext) -> SnowflakeIOManager:
    return SnowflakeIOManager(getattr(context.resources, SNOWFLAKE))


def _empty(table: RawTable) -> pa.Table:
    types = {"DATE": pa.date32(), "TIMESTAMP_LTZ": pa.timestamp("ns", "UTC")}
    return pa.schema(
        [(column.name, types.get(column.type, pa.string())) for column in table.columns]
    ).empty_table()


def raw_table(asset_key: dg.AssetKey) -> RawTable:
    """Return the raw table with the asset's name."""
    for table in RAW_TABLES:
        if table.asset_name == asset_key.path[-1]:
            return table
    raise dg.DagsterInvariantViolationError(
        f"No raw table is declared for the asset {asset_key.to_user_string()}."
    )
