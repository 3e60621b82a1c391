"""Records landed as the graph lands them, and what checks say of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from gong_assets.dates import DateRange
from gong_assets.defs.resources import SnowflakeResource
from gong_assets.gong.records import read_call, read_user
from gong_assets.ingestion.spool import Row, Spool
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.warehouse.connection import Warehouse
from gong_assets.warehouse.landing import replace
from gong_assets.warehouse.tables import CALLS, RawTable


def land(warehouse: Warehouse, table: RawTable, records: list[tuple[date | None, Any]]) -> None:
    read = read_call if table is CALLS else read_user
    spool = Spool()
    ranges: list[DateRange] | None = [] if table.partition else None
    for number, (day, document) in enumerate(records):
        record = read(json.dumps(document).encode())
        spool.append(Row(record.id or f"unidentified-{number}", record.raw, day, str(number), record.error))
    spool.close()
    with warehouse.connect() as connection:
        replace(connection, table, spool, ranges=ranges, correlation_id="run")
    spool.discard()


def call(number: int, day: date, **more: Any) -> dict[str, Any]:
    started = datetime(day.year, day.month, day.day, 12, tzinfo=UTC).isoformat()
    return {
        "metaData": {"id": str(number), "started": started, "duration": 60, "title": "A call", **more},
        "parties": [{"id": "1"}],
    }


def evaluations(
    warehouse: Warehouse, definitions: Sequence[dg.AssetChecksDefinition], name: str, *assets: str
) -> dict[str, dg.AssetCheckResult]:
    """The results of the check of this name, by asset."""
    selected = {dg.AssetCheckKey(dg.AssetKey(asset), name) for asset in assets}
    with dg.DagsterInstance.ephemeral() as instance:
        job = dg.Definitions(
            asset_checks=definitions,
            assets=[dg.AssetSpec(table.asset_name) for table in RAW_TABLES],
            jobs=[dg.define_asset_job("check", selection=dg.AssetSelection.checks(*selected))],
            resources={"gong_snowflake": SnowflakeResource(arguments=warehouse.arguments)},
        ).resolve_job_def("check")
        result = job.execute_in_process(instance=instance)
    assert result.success
    return {each.asset_key.path[-1]: each for each in result.get_asset_check_evaluations()}
