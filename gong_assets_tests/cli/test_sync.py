"""Which days `gong-assets sync` runs."""

from __future__ import annotations

import uuid
from datetime import date

import dagster as dg
import pytest
from dagster import _check as check

from gong_assets.cli.sync import DateRangeError, days_to_sync, tags_to_continue
from gong_assets.dates import DateRange
from gong_assets.defs.resumption import RESUMES_TAG
from gong_assets.settings import Settings

TODAY = date(2026, 3, 10)


def settings(**values: object) -> Settings:
    return Settings(**values)


def test_incremental_reads_the_lookback_days_again_today_included() -> None:
    assert days_to_sync(settings(), "incremental", None, None, TODAY) == DateRange(
        date(2026, 3, 4), date(2026, 3, 11)
    )


def test_to_date_is_inclusive() -> None:
    days = days_to_sync(settings(), "backfill", date(2026, 1, 1), date(2026, 1, 30), TODAY)
    assert days == DateRange(date(2026, 1, 1), date(2026, 1, 31))


def test_full_starts_at_the_start_date_and_without_one_at_the_first_call() -> None:
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
def test_days_that_make_no_sense_are_refused(
    mode: str, first: date | None, last: date | None, words: str
) -> None:
    with pytest.raises(DateRangeError, match=words):
        days_to_sync(settings(), mode, first, last, TODAY)  # type: ignore[arg-type]


class Messages:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def run_started(self, days: DateRange) -> None: ...
    def reading(self, noun: str, done: int, total: int | None) -> None: ...
    def message(self, text: str) -> None:
        self.texts.append(text)


@pytest.mark.parametrize(
    ("status", "continued"),
    [
        (dg.DagsterRunStatus.FAILURE, True),
        (dg.DagsterRunStatus.CANCELED, True),
        (dg.DagsterRunStatus.SUCCESS, False),
    ],
)
def test_the_same_command_again_continues_the_latest_run_if_that_did_not_succeed(
    status: dg.DagsterRunStatus, continued: bool
) -> None:
    @dg.op
    def nothing() -> None: ...

    @dg.job
    def gong_sync() -> None:
        nothing()

    days, others = (
        DateRange(date(2026, 1, 1), date(2026, 2, 1)),
        DateRange(date(2026, 2, 1), date(2026, 3, 1)),
    )
    watcher = Messages()
    with dg.DagsterInstance.ephemeral() as instance:
        runs = {
            span: gong_sync.execute_in_process(instance=instance, tags=span.as_run_tags()).run_id
            for span in (days, others)
        }
        for run_id in runs.values():
            instance.add_run(
                check.not_none(instance.get_run_by_id(run_id))._replace(
                    run_id=str(uuid.uuid4()), status=status
                )
            )
        latest = instance.get_runs(dg.RunsFilter(tags=days.as_run_tags()), limit=1)[0]
        tags = tags_to_continue(instance, gong_sync, days, watcher)
        assert tags == ({**days.as_run_tags(), RESUMES_TAG: latest.run_id} if continued else {})
        assert watcher.texts == ([f"continuing run {latest.run_id}"] if continued else [])
