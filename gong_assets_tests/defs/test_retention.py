"""Retention: after a run of `gong_retention` no layer has an older call, and no run brings one back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

import gong_assets.defs.build
from gong_assets.dates import DateRange
from gong_assets.defs.build import build_defs
from gong_assets.defs.checks.results import HEALTH_ASSET
from gong_assets.defs.partitions import daily_partitions as all_days
from gong_assets.defs.storage_cleanup import delete_superseded_runs
from gong_assets.settings import Settings
from gong_assets_tests.defs.ingestion_runs import why
from gong_assets_tests.defs.sources.graph import Deployment, metadata
from gong_assets_tests.instances import local_instance

pytestmark = [pytest.mark.extended, pytest.mark.slow]

KEPT_DAYS = 2
# Lists without days, of which an entry may refer to any call; and reviews, which expire by their own day.
UNDATED = {
    "GONG_LIBRARY_CALLS_RAW",
    "STG_GONG_LIBRARY_CALLS",
    "GONG_ANSWERED_SCORECARDS_RAW",
    "STG_GONG_ANSWERED_SCORECARDS",
}


def tables(deployment: Deployment) -> list[str]:
    rows = deployment.rows(
        "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = CURRENT_SCHEMA()"
    )
    return sorted(str(row["TABLE_NAME"]) for row in rows)


def tables_with(deployment: Deployment, values: set[str]) -> set[str]:
    """Return the tables and views in which any of these values appears in any column."""
    return {
        table
        for table in tables(deployment)
        if _mentions(str(deployment.rows(f"SELECT * FROM {table}")), values)
    }


def _mentions(text: str, values: set[str]) -> bool:
    return any(value in text for value in values)


@pytest.mark.usefixtures("one_day")
def test_expired_calls_leave_every_layer_and_do_not_come_back(
    stack_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = datetime.now(UTC).date()
    days = DateRange.lookback(today, KEPT_DAYS + 2)
    kept = today - timedelta(days=KEPT_DAYS - 1)
    deployment = Deployment(stack_home, days.start)
    assert deployment.run("gong_sync", days, gong_redact_transcripts=True).success
    before = {
        str(row["CALL_ID"])
        for row in deployment.rows(f"SELECT CALL_ID FROM GONG_CALLS_RAW WHERE CALL_DATE < '{kept}'")
    }
    assert before
    held = tables_with(deployment, before)
    assert {"GONG_CORTEX_ANSWERS", "CORTEX_GONG_REDACTED_TRANSCRIPTS", "INT_GONG_CALL_RISKS"} <= held

    # A process was killed while it sent texts.
    queue = "GONG_CORTEX_QUEUE_SEGMENTS_29990101_X"
    deployment.rows(f"CREATE TABLE {queue} AS SELECT '{min(before)}' AS CALL_ID")
    # Redaction is off by now, so its table is no longer one of the models.
    retention = {"gong_retention_days": KEPT_DAYS}
    result = deployment.run("gong_expiry", days, **retention)
    assert result.success
    shown = metadata(result, "gong_retention")
    by_table = {record.data["table"]: record.data["rows"] for record in shown["rows_by_table"].records}
    assert by_table["GONG_CALLS_RAW"] == len(before)
    assert by_table["GONG_CORTEX_ANSWERS"] > len(before)
    assert shown["rows_deleted"] == sum(by_table.values())
    assert tables_with(deployment, before) <= UNDATED
    assert deployment.count("GONG_CALLS_RAW") > 0
    assert deployment.count("VW_ENRICHED_GONG_CALLS") > 0

    # Runs that were requested when the expired days still had partitions.
    for job in ("gong_sync", "gong_reconciliation"):
        assert deployment.run(job, days, **retention).success
    assert tables_with(deployment, before) <= UNDATED
    expired = deployment.run("gong_ingestion", DateRange.single(days.start), **retention)
    assert "GONG_RETENTION_DAYS keeps the days since" in why(expired)
    assert tables_with(deployment, before) <= UNDATED

    # One that was loaded by then, too.
    monkeypatch.setattr(gong_assets.defs.build, "daily_partitions", lambda *_, **__: all_days(days.start))
    for job in ("gong_sync", "gong_reconciliation"):
        assert deployment.run(job, days, **retention).success
    assert not deployment.run("gong_ingestion", DateRange.single(days.start), **retention).success
    assert tables_with(deployment, before) <= UNDATED

    standing = deployment.run("gong_standing_checks", days, **retention)
    assert standing.success
    failed = {
        f"{each.asset_check_key.name}: {each.metadata}"
        for each in standing.get_asset_check_evaluations()
        if not each.passed and each.asset_key == dg.AssetKey(HEALTH_ASSET)
    }
    assert failed == set()


def test_partitions_schedules_and_the_reconciliation_begin_with_the_first_kept_day(stack_home: Path) -> None:
    now = datetime.now(UTC)
    settings = Settings(gong_assets_home=stack_home, gong_start_date=date(2020, 1, 1), gong_retention_days=30)
    first = now.date() - timedelta(days=29)
    defs = build_defs(settings)
    job = defs.resolve_job_def("gong_ingestion")
    assert job.partitions_def is not None
    assert job.partitions_def.get_first_partition_key() == str(first)
    with (
        dg.instance_for_test() as instance,
        # Evaluated ten days after it was loaded.
        dg.build_schedule_context(instance, scheduled_execution_time=now + timedelta(days=10)) as context,
    ):
        tick = defs.resolve_schedule_def("gong_reconciliation_schedule").evaluate_tick(context)
    (request,) = tick.run_requests or []
    assert request.tags["dagster/asset_partition_range_start"] == str(first + timedelta(days=10))
    assert defs.resolve_schedule_def("gong_expiry_schedule").cron_schedule == "10 4 1 * *"
    (retention,) = (
        spec for spec in defs.resolve_all_asset_specs() if spec.key == dg.AssetKey("gong_retention")
    )
    assert retention.freshness_policy is not None


def test_without_the_setting_nothing_expires() -> None:
    settings = Settings(gong_start_date=date(2020, 1, 1))
    assert settings.first_day(date(2026, 1, 1)) == date(2020, 1, 1)
    assert dg.AssetKey("gong_retention") not in build_defs(settings).resolve_all_asset_keys()


@dg.asset(partitions_def=dg.DailyPartitionsDefinition("2026-03-01"), name="gong_calls_raw")
def calls() -> None: ...


def test_runs_of_expired_days_are_deleted_from_the_storage(tmp_path: Path) -> None:
    instance = local_instance(tmp_path)
    job = dg.Definitions([calls]).resolve_implicit_global_asset_job_def()
    for day in ("2026-03-01", "2026-03-02"):
        job.execute_in_process(instance=instance, partition_key=day, asset_selection=[calls.key])
    before = datetime.now(UTC)
    assert delete_superseded_runs(instance, {calls.key}, before) == 0
    assert delete_superseded_runs(instance, {calls.key}, before, first_day=date(2026, 3, 2)) == 1
    assert instance.get_materialized_partitions(calls.key) == {"2026-03-02"}
