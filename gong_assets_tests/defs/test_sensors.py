"""Which transcripts are asked for again, and what a failed run is told as."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import dagster as dg

from gong_assets.defs.sensors import due, failure_line

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def test_a_transcript_is_not_asked_for_before_gong_can_have_it() -> None:
    waiting = {"young": NOW - timedelta(minutes=20), "older": NOW - timedelta(minutes=31)}
    assert due(waiting, None, NOW) == ["older"]


def test_nothing_is_asked_for_twice_between_two_ticks() -> None:
    waiting = {"a": NOW - timedelta(hours=5), "b": NOW - timedelta(days=9)}
    assert due(waiting, None, NOW) == ["a", "b"]
    assert due(waiting, NOW, NOW) == []


def test_the_older_a_call_the_less_often_it_is_asked_for() -> None:
    started = NOW - timedelta(days=14)
    ticks = [started + timedelta(minutes=15) * number for number in range(14 * 24 * 4)]
    asked = [tick - started for before, tick in pairwise(ticks) if due({"call": started}, before, tick)]
    assert asked[0] == timedelta(minutes=30)
    # The age grows by half each time: about a dozen times on the first two days, and then daily.
    assert len([age for age in asked if age <= timedelta(days=2)]) in range(10, 14)
    waits = [after - before for before, after in pairwise(asked)]
    assert max(waits) < timedelta(days=1, hours=6)
    assert len(asked) < 30


def test_a_sensor_that_did_not_run_for_a_while_asks_once() -> None:
    started = NOW - timedelta(days=5)
    assert due({"call": started}, NOW - timedelta(days=3), NOW) == ["call"]


def test_a_failed_run_is_told_in_one_line() -> None:
    run = dg.DagsterRun(job_name="gong_sync", run_id="r1", tags={"dagster/partition": "2026-03-03"})
    assert failure_line(run, "Gong said\n  no") == "gong_sync for 2026-03-03 failed (run r1): Gong said no"
