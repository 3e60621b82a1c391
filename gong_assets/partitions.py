"""The daily partitions by UTC call date, and spans of them.

A partition is the UTC date on which a call started. Today is a partition too: it is read again on each sync until it
is over. Deciding which partitions to run is in `schedules.py` and `sensors.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta

import dagster as dg
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

from gong_assets.warehouse.landing import Days

# What tells the days of a run: one partition, or a span of them.
PARTITION_TAGS = (PARTITION_NAME_TAG, ASSET_PARTITION_RANGE_START_TAG, ASSET_PARTITION_RANGE_END_TAG)


def daily_partitions(start: date) -> dg.DailyPartitionsDefinition:
    # end_offset=1: the day that is still going on has a partition.
    return dg.DailyPartitionsDefinition(start_date=start.isoformat(), timezone="UTC", end_offset=1)


def lookback(today: date, days: int, start: date) -> Days:
    """The last `days` days, today included, but none before `start`."""
    return Days(max(today - timedelta(days=days - 1), start), today + timedelta(days=1))


def run_tags(days: Days) -> Mapping[str, str]:
    """The tags with which a run materializes all partitions of `days` at once."""
    return {
        ASSET_PARTITION_RANGE_START_TAG: days.first.isoformat(),
        ASSET_PARTITION_RANGE_END_TAG: (days.end - timedelta(days=1)).isoformat(),
    }


def days_of(window: dg.TimeWindow) -> Days:
    """The days of a run's partition window (its end is exclusive, as Dagster has it)."""
    return Days(window.start.astimezone(UTC).date(), window.end.astimezone(UTC).date())


def spans(days: Iterable[date]) -> list[Days]:
    """The days as few spans as they make, oldest first."""
    found: list[Days] = []
    for day in sorted(set(days)):
        if found and found[-1].end == day:
            found[-1] = Days(found[-1].first, day + timedelta(days=1))
        else:
            found.append(Days.of(day))
    return found


def bounds(days: Days) -> tuple[datetime, datetime]:
    """The first moment of `days`, and the first one after them, in UTC."""
    return (
        datetime.combine(days.first, time.min, tzinfo=UTC),
        datetime.combine(days.end, time.min, tzinfo=UTC),
    )
