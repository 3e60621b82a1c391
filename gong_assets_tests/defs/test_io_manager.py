"""Assets downstream of a raw one get its rows as Arrow."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from gong_assets.dates import DateRange
from gong_assets.defs.io_manager import SnowflakeIOManager
from gong_assets.defs.resources import SnowflakeResource
from gong_assets.gong import RequestStats
from gong_assets.ingestion.read import ReadResult
from gong_assets.ingestion.spool import Spool
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.warehouse.test_landing import row

DAILY = dg.DailyPartitionsDefinition("2026-03-01", end_date="2026-03-05")
found: dict[str, Any] = {}


@dg.asset(partitions_def=DAILY, io_manager_key="io")
def gong_calls_raw(context) -> ReadResult:  # type: ignore[no-untyped-def]
    day = date.fromisoformat(context.partition_key)
    spool = Spool()
    if context.partition_key != "2026-03-03":
        spool.append(row(context.partition_key, date.fromisoformat(context.partition_key), title="hello"))
    spool.close()
    return ReadResult(spool, RequestStats(), [DateRange.single(day)])


@dg.asset(partitions_def=DAILY)
def whole(gong_calls_raw: pa.Table) -> None:
    found["whole"] = gong_calls_raw


@dg.asset(partitions_def=DAILY)
def in_batches(gong_calls_raw: pa.RecordBatchReader) -> None:
    found["in_batches"] = [key for batch in gong_calls_raw for key in batch["CALL_ID"].to_pylist()]


def materialize(warehouse: Warehouse, partition: str) -> dg.ExecuteInProcessResult:
    snowflake = SnowflakeResource(arguments=warehouse.arguments)
    return dg.materialize(
        [gong_calls_raw, whole, in_batches],
        partition_key=partition,
        resources={"io": SnowflakeIOManager(snowflake=snowflake)},
    )


@pytest.mark.slow
def test_a_downstream_asset_gets_the_rows_of_its_partition(warehouse: Warehouse) -> None:
    materialize(warehouse, "2026-03-01")
    result = materialize(warehouse, "2026-03-02")
    assert found["whole"]["CALL_ID"].to_pylist() == ["2026-03-02"]
    assert found["in_batches"] == ["2026-03-02"]
    metadata = result.asset_materializations_for_node("gong_calls_raw")[0].metadata
    assert metadata["dagster/row_count"].value == 2
    assert metadata["rows_inserted"].value == 1
    assert metadata["dagster/table_name"].value == warehouse.qualified("GONG_CALLS_RAW")


def test_a_partition_without_rows_is_a_table_with_the_same_columns(warehouse: Warehouse) -> None:
    materialize(warehouse, "2026-03-02")
    columns = found["whole"].column_names
    materialize(warehouse, "2026-03-03")
    assert found["whole"].num_rows == 0
    assert found["whole"].column_names == columns
    assert found["in_batches"] == []


def test_the_statements_of_a_write_carry_the_run(warehouse: Warehouse, stack_home: Path) -> None:
    result = materialize(warehouse, "2026-03-04")
    stored = warehouse.query("SELECT CORRELATION_ID FROM GONG_CALLS_RAW")
    assert stored == [{"CORRELATION_ID": result.run_id}]
