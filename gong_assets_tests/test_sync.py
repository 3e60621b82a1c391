"""Which days `gong-assets sync` runs."""

from __future__ import annotations

from datetime import date

import pytest

from gong_assets.settings import Settings
from gong_assets.sync import DateRangeError, chunks, days_to_sync
from gong_assets.warehouse.landing import Days

TODAY = date(2026, 3, 10)


def settings(**values: object) -> Settings:
    return Settings(**values)


def test_incremental_reads_the_lookback_days_again_today_included() -> None:
    assert days_to_sync(settings(), "incremental", None, None, TODAY) == Days(
        date(2026, 3, 4), date(2026, 3, 11)
    )


def test_to_date_is_inclusive() -> None:
    days = days_to_sync(settings(), "backfill", date(2026, 1, 1), date(2026, 1, 30), TODAY)
    assert days == Days(date(2026, 1, 1), date(2026, 1, 31))


def test_full_starts_at_the_start_date_and_without_one_at_the_first_call() -> None:
    start = settings(gong_start_date="2025-01-01")
    assert days_to_sync(start, "full", None, None, TODAY) == Days(date(2025, 1, 1), date(2026, 3, 11))
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


def test_a_long_span_is_cut_into_runs_that_touch_and_do_not_overlap() -> None:
    spans = chunks(Days(date(2026, 1, 1), date(2026, 3, 11)), size=30)
    assert [(span.first, span.end) for span in spans] == [
        (date(2026, 1, 1), date(2026, 1, 31)),
        (date(2026, 1, 31), date(2026, 3, 2)),
        (date(2026, 3, 2), date(2026, 3, 11)),
    ]
