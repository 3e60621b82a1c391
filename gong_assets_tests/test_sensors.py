"""Which days' transcripts are asked for again, and what a failed run is told as."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import dagster as dg

from gong_assets.sensors import days_of_runs, days_to_request, failure_line

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY, YESTERDAY, LAST_WEEK = date(2026, 3, 10), date(2026, 3, 9), date(2026, 3, 3)


def test_days_that_lack_transcripts_are_asked_for_oldest_first() -> None:
    assert days_to_request({TODAY: 2, LAST_WEEK: 1, YESTERDAY: 0}, set(), {}, NOW) == [LAST_WEEK, TODAY]


def test_a_day_that_a_run_is_working_on_is_not_asked_for() -> None:
    assert days_to_request({TODAY: 2, YESTERDAY: 1}, {TODAY}, {}, NOW) == [YESTERDAY]


def test_the_older_a_call_the_less_often_it_is_asked_for() -> None:
    missing = {TODAY: 1, LAST_WEEK: 1}
    hour_ago = dict.fromkeys(missing, NOW - timedelta(hours=1))
    assert days_to_request(missing, set(), hour_ago, NOW) == [TODAY]
    day_ago = dict.fromkeys(missing, NOW - timedelta(days=1))
    assert days_to_request(missing, set(), day_ago, NOW) == [LAST_WEEK, TODAY]


def test_the_days_of_runs_are_read_from_single_partitions_and_ranges() -> None:
    tags = [
        {"dagster/partition": "2026-03-03"},
        {
            "dagster/asset_partition_range_start": "2026-03-09",
            "dagster/asset_partition_range_end": "2026-03-10",
        },
        {"other": "tag"},
    ]
    assert days_of_runs(tags) == {LAST_WEEK, YESTERDAY, TODAY}


def test_a_failed_run_is_told_in_one_line() -> None:
    run = dg.DagsterRun(job_name="gong_sync", run_id="r1", tags={"dagster/partition": "2026-03-03"})
    assert failure_line(run, "Gong said\n  no") == "gong_sync for 2026-03-03 failed (run r1): Gong said no"
