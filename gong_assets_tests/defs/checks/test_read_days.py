"""Days count as read if a run has materialized them or compared them with Gong, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from gong_assets.dates import DateRange
from gong_assets.defs.checks.results import Finding
from gong_assets.defs.checks.standing import StandingChecks
from gong_assets.defs.options import DEFAULT_OPTIONS
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.defs.ingestion_runs import call, ids, transcript
from gong_assets_tests.end_to_end.deployment import Deployment, at
from gong_assets_tests.end_to_end.gong_server import Gong
from gong_assets_tests.instances import local_instance

TODAY = datetime.now(UTC).date()
YESTERDAY = TODAY - timedelta(days=1)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def materialize(instance: dg.DagsterInstance, days: DateRange, *assets: str) -> None:
    for asset in assets:
        for day in days:
            event = dg.AssetMaterialization(dg.AssetKey(asset), partition=day.isoformat())
            instance.report_runless_asset_event(event)


def every_day_is_read(instance: dg.DagsterInstance, connection: Any = None, **settings: Any) -> Finding:
    return StandingChecks(connection, instance, Settings(**settings), DEFAULT_OPTIONS).every_day_is_read()


RAW = ("gong_calls_raw", "gong_call_transcripts_raw")
LOOKBACK = DateRange.lookback(YESTERDAY, 6)


def test_a_day_that_a_reconciliation_compared_is_read(instance: dg.DagsterInstance) -> None:
    materialize(instance, LOOKBACK, *RAW)
    materialize(instance, DateRange.single(ago(20)), *RAW)  # A day that differed.
    assert every_day_is_read(instance).count == 2 * 13
    compared = DateRange(ago(30), LOOKBACK.start)
    materialize(instance, compared, "gong_call_reconciliation")
    assert every_day_is_read(instance).count == 0


def test_a_day_that_neither_a_reading_nor_a_reconciliation_covers_is_found(
    instance: dg.DagsterInstance,
) -> None:
    materialize(instance, LOOKBACK, *RAW)
    materialize(instance, DateRange(ago(30), ago(10)), "gong_call_reconciliation")
    unread = [str(day) for day in DateRange(ago(10), LOOKBACK.start)]
    assert unread
    assert every_day_is_read(instance).ids == [f"{asset} {day}" for asset in RAW for day in unread]


def test_a_comparison_of_calls_does_not_replace_their_transcripts(instance: dg.DagsterInstance) -> None:
    materialize(instance, LOOKBACK, *RAW)
    materialize(instance, DateRange.single(ago(20)), "gong_calls_raw")
    materialize(instance, DateRange(ago(30), LOOKBACK.start), "gong_call_reconciliation")
    assert every_day_is_read(instance).ids == [f"gong_call_transcripts_raw {ago(20)}"]


def test_the_weekends_that_a_reconciliation_finds_without_calls_are_read(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    working_days = [day for day in DateRange.lookback(TODAY, 30) if day.weekday() < 5]
    gong = Gong(calls=[call(number, at(day, 1)) for number, day in enumerate(working_days)])
    gong.transcripts = [transcript(call_id) for call_id in ids(gong.calls)]
    # A schedule opens the instance again, which it cannot with one in memory.
    with (
        local_instance(tmp_path) as instance,
        gong.served(),
    ):
        deployment = Deployment.of(gong, warehouse, tmp_path, instance)
        deployment.only = frozenset(RAW)
        for schedule in ("gong_ingestion_schedule", "gong_reconciliation_schedule"):
            assert all(run.success for run in deployment.schedule(schedule, at(TODAY, 2)))
        assert every_day_is_read(instance).count == 0
        days = instance.get_materialized_partitions(dg.AssetKey("gong_calls_raw"))
    assert {str(day) for day in working_days} <= days
    assert len(days) < 30  # The weekends before the lookback were compared only.


def test_from_another_product_only_lookback_days_with_records_are_due(
    warehouse: Warehouse, instance: dg.DagsterInstance
) -> None:
    materialize(instance, DateRange.single(ago(90)), *RAW)  # A late edit.
    materialize(instance, DateRange.single(ago(2)), *RAW)
    source = {
        "gong_source": "airbyte",
        "gong_source_table_form": "v1",
        "gong_source_database": warehouse.arguments["database"],
        "gong_source_schema": warehouse.arguments["schema"],
    }
    with warehouse.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE _AIRBYTE_RAW_EXTENSIVECALLS "
            "(_AIRBYTE_AB_ID VARCHAR, _AIRBYTE_DATA VARIANT, _AIRBYTE_EMITTED_AT TIMESTAMP_TZ)"
        )

        def deliver(day: date, hours_ago: int) -> None:
            cursor.execute(
                "INSERT INTO _AIRBYTE_RAW_EXTENSIVECALLS SELECT '1', PARSE_JSON("
                f'\'{{"metaData": {{"id": "{day:%d%m}", "started": "{at(day).isoformat()}"}}}}\'), '
                f"DATEADD('hour', -{hours_ago}, CURRENT_TIMESTAMP())"
            )

        deliver(ago(40), 48)
        deliver(ago(2), 48)
        deliver(ago(1), 1)
        # The history was not landed, other days have no calls, and yesterday's were delivered just now.
        assert every_day_is_read(instance, connection, **source).count == 0
        deliver(ago(4), 48)
        assert every_day_is_read(instance, connection, **source).ids == [f"gong_calls_raw {ago(4)}"]
