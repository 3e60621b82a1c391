"""The days that `gong-assets sync` materializes, and which runs it resumes."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest

from gong_assets.cli import sync
from gong_assets.cli.app import app
from gong_assets.cli.sync import InvalidDateRange, days_to_sync, tags_to_resume
from gong_assets.dates import DateRange
from gong_assets.defs.resumption import RESUMES_TAG
from gong_assets.settings import Settings

TODAY = date(2026, 3, 10)


def settings(**values: object) -> Settings:
    return Settings(**values)


def test_incremental_syncs_the_lookback_days_including_today() -> None:
    assert days_to_sync(settings(), "incremental", None, None, TODAY) == DateRange(
        date(2026, 3, 4), date(2026, 3, 11)
    )


def test_to_date_is_inclusive() -> None:
    days = days_to_sync(settings(), "backfill", date(2026, 1, 1), date(2026, 1, 30), TODAY)
    assert days == DateRange(date(2026, 1, 1), date(2026, 1, 31))


def test_full_starts_at_the_start_date_or_else_at_the_first_call() -> None:
    start = settings(gong_start_date="2025-01-01")
    assert days_to_sync(start, "full", None, None, TODAY) == DateRange(date(2025, 1, 1), date(2026, 3, 11))
    assert days_to_sync(settings(), "full", None, None, TODAY) is None


@pytest.mark.parametrize(
    ("mode", "first", "last", "words"),
    [
        ("backfill", None, None, "needs --from-date"),
        (
            "backfill",
            date(2026, 2, 2),
            date(2026, 2, 1),
            "--from-date 2026-02-02 is after --to-date 2026-02-01",
        ),
        ("incremental", None, date(2026, 3, 11), "--to-date 2026-03-11 is in the future"),
        ("backfill", date(2014, 12, 31), None, "before the first partition"),
    ],
)
def test_invalid_dates_are_rejected(mode: str, first: date | None, last: date | None, words: str) -> None:
    with pytest.raises(InvalidDateRange, match=words):
        days_to_sync(settings(), mode, first, last, TODAY)  # type: ignore[arg-type]


@pytest.mark.parametrize("last", [date(2024, 3, 9), None])
def test_full_from_the_first_call_ends_at_to_date(last: date | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "look_up_first_partition", lambda _: date(2024, 3, 5))
    days = sync._days_since_first_call(settings(), last, RecordingListener())
    assert days == DateRange.inclusive(date(2024, 3, 5), last or datetime.now(UTC).date())


def test_a_to_date_before_the_first_call_is_rejected(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sync, "look_up_first_partition", lambda _: date(2024, 3, 5))
    monkeypatch.setenv("GONG_ASSETS_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", "")  # The command sets it.
    command = ["sync", "--mode", "full", "--to-date", "2024-03-04"]
    with pytest.raises(InvalidDateRange, match="--to-date 2024-03-04 is before 2024-03-05"):
        app(command, standalone_mode=False)


class RecordingListener:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def run_started(self, days: DateRange) -> None: ...
    def records_read(self, noun: str, done: int, total: int | None) -> None: ...
    def message(self, text: str) -> None:
        self.texts.append(text)


@pytest.mark.parametrize(
    ("status", "is_resumed"),
    [
        (dg.DagsterRunStatus.FAILURE, True),
        (dg.DagsterRunStatus.CANCELED, True),
        (dg.DagsterRunStatus.SUCCESS, False),
    ],
)
def test_repeating_a_command_resumes_its_latest_run_unless_that_succeeded(
    status: dg.DagsterRunStatus, is_resumed: bool
) -> None:
    @dg.op
    def nothing() -> None: ...

    @dg.job
    def gong_sync() -> None:
        nothing()

    days = DateRange(date(2026, 1, 1), date(2026, 2, 1))
    other_days = DateRange(date(2026, 2, 1), date(2026, 3, 1))
    listener = RecordingListener()
    with dg.DagsterInstance.ephemeral() as instance:
        runs = [
            gong_sync.execute_in_process(instance=instance, tags=each.as_run_tags()).run_id
            for each in (days, other_days)
        ]
        for run_id in runs:
            run = instance.get_run_by_id(run_id)
            assert run is not None
            instance.add_run(run._replace(run_id=str(uuid.uuid4()), status=status))
        latest = instance.get_runs(dg.RunsFilter(tags=days.as_run_tags()), limit=1)[0]
        tags = tags_to_resume(instance, gong_sync, days, listener)
        assert tags == ({**days.as_run_tags(), RESUMES_TAG: latest.run_id} if is_resumed else {})
        assert listener.texts == ([f"resuming run {latest.run_id}"] if is_resumed else [])
