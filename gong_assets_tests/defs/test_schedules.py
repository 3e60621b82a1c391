"""The days that the ingestion schedule requests after runs that failed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.test_utils import freeze_time

from gong_assets.dates import DateRange
from gong_assets.defs import schedules
from gong_assets.defs.schedules import build_schedules
from gong_assets.settings import Settings
from gong_assets_tests.instances import local_instance

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = NOW.date()
SETTINGS = Settings(gong_start_date=date(2026, 1, 1))
LOOKBACK = DateRange.lookback(TODAY, SETTINGS.gong_lookback_days)
LAST_SUCCESS = TODAY - timedelta(days=30)
FAILURE = dg.DagsterRunStatus.FAILURE


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance whose last successful scheduled ingestion was 30 days ago."""
    with local_instance(tmp_path) as instance:
        scheduled_run(instance, LAST_SUCCESS, dg.DagsterRunStatus.SUCCESS)
        yield instance


def scheduled_run(instance: dg.DagsterInstance, last: date, status: dg.DagsterRunStatus) -> DateRange:
    """Add a run that the schedule requested on this day, and return its days."""
    days = DateRange.lookback(last, SETTINGS.gong_lookback_days)
    tags = {**days.as_run_tags(), "dagster/schedule_name": "gong_ingestion_schedule"}
    with freeze_time(datetime.combine(last, time(4), UTC)):
        instance.add_run(dg.DagsterRun("gong_ingestion", run_id=str(uuid.uuid4()), status=status, tags=tags))
    return days


def land(
    instance: dg.DagsterInstance,
    days: Iterable[date],
    assets: Iterable[str] = ("gong_calls_raw", "gong_call_transcripts_raw"),
    at: datetime = NOW,
) -> None:
    for asset in assets:
        for day in days:
            event = dg.AssetMaterialization(dg.AssetKey(asset), partition=day.isoformat())
            with freeze_time(at):
                instance.report_runless_asset_event(event)


def requested(instance: dg.DagsterInstance) -> DateRange | None:
    """Return the days that the schedule requests."""
    schedule = build_schedules(SETTINGS)[0]
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=NOW)
    (request,) = schedule.evaluate_tick(context).run_requests or []
    return DateRange.from_run_tags(request.tags)


def test_an_asset_that_lastingly_fails_does_not_widen_the_window(instance: dg.DagsterInstance) -> None:
    for ago in (2, 1, 0):
        land(instance, scheduled_run(instance, TODAY - timedelta(days=ago), FAILURE))
    assert requested(instance) == LOOKBACK


def test_a_run_that_another_one_resumed_is_no_outage(instance: dg.DagsterInstance) -> None:
    days = scheduled_run(instance, TODAY, FAILURE)
    land(instance, list(days)[:3])
    assert len(requested(instance) or ()) > 30
    land(instance, list(days)[3:])
    assert requested(instance) == LOOKBACK


@pytest.mark.parametrize("landed", ["gong_calls_raw", "gong_call_transcripts_raw"])
def test_the_days_that_calls_or_transcripts_missed_are_requested(
    instance: dg.DagsterInstance, landed: str
) -> None:
    land(instance, scheduled_run(instance, TODAY, FAILURE), [landed])
    first = LAST_SUCCESS - timedelta(days=SETTINGS.gong_lookback_days - 2)
    assert requested(instance) == DateRange.inclusive(first, TODAY)


def test_days_that_landed_before_the_run_do_not_count(instance: dg.DagsterInstance) -> None:
    land(instance, LOOKBACK, at=NOW - timedelta(days=1))
    scheduled_run(instance, TODAY, FAILURE)
    assert len(requested(instance) or ()) > 30


def test_the_last_success_counts_however_many_runs_failed_since(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedules, "MAX_SEARCHED_RUNS", 2)
    for _ in range(3):
        scheduled_run(instance, TODAY, FAILURE)
    first = LAST_SUCCESS - timedelta(days=SETTINGS.gong_lookback_days - 2)
    assert requested(instance) == DateRange.inclusive(first, TODAY)
