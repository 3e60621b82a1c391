"""Decisions of the sensors: which transcripts are requested again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from gong_assets.defs.sensors import due_calls

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def test_a_transcript_is_not_requested_in_the_first_half_hour() -> None:
    awaiting = {"young": NOW - timedelta(minutes=20), "older": NOW - timedelta(minutes=31)}
    assert due_calls(awaiting, None, NOW) == ["older"]


def test_a_transcript_is_requested_once_per_tick() -> None:
    awaiting = {"a": NOW - timedelta(hours=5), "b": NOW - timedelta(days=9)}
    assert due_calls(awaiting, None, NOW) == ["a", "b"]
    assert due_calls(awaiting, NOW, NOW) == []


def test_older_calls_are_requested_less_often() -> None:
    started = NOW - timedelta(days=14)
    ticks = [started + timedelta(minutes=15) * number for number in range(14 * 24 * 4)]
    ages = [tick - started for before, tick in pairwise(ticks) if due_calls({"call": started}, before, tick)]
    assert ages[0] == timedelta(minutes=30)
    # The age grows by half each time: about a dozen times on the first two days, and then daily.
    assert len([age for age in ages if age <= timedelta(days=2)]) in range(10, 14)
    waits = [after - before for before, after in pairwise(ages)]
    assert max(waits) < timedelta(days=1, hours=6)
    assert len(ages) < 30


def test_a_sensor_that_was_stopped_for_days_requests_once() -> None:
    started = NOW - timedelta(days=5)
    assert due_calls({"call": started}, NOW - timedelta(days=3), NOW) == ["call"]
