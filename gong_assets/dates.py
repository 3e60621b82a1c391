"""Ranges of UTC calendar days, in every form that the graph needs them.

A `DateRange` ends before `end`. Only what a person types or reads is inclusive: `inclusive()`, `last`,
`str()` and Dagster's run tags.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

# Dagster's tags for the days of a run: one partition, or the first and the last one of a range.
PARTITION_TAG = "dagster/partition"
RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"
PARTITION_TAGS = (PARTITION_TAG, RANGE_START_TAG, RANGE_END_TAG)

_DAY = timedelta(days=1)


@dataclass(frozen=True, order=True)
class DateRange:
    """The days from `start` up to, but not including, `end`."""

    start: date
    end: date

    @classmethod
    def single(cls, day: date) -> DateRange:
        return cls(day, day + _DAY)

    @classmethod
    def inclusive(cls, first: date, last: date) -> DateRange:
        return cls(first, last + _DAY)

    @classmethod
    def lookback(cls, last: date, days: int, *, not_before: date = date.min) -> DateRange:
        """Return the `days` days that end with `last`, without those before `not_before`."""
        return cls.inclusive(max(last - timedelta(days=days - 1), not_before), last)

    @classmethod
    def from_run_tags(cls, tags: Mapping[str, str]) -> DateRange | None:
        """Return the days of a run with these tags, or None if it has no partitions."""
        if PARTITION_TAG in tags:
            return cls.single(date.fromisoformat(tags[PARTITION_TAG]))
        if RANGE_START_TAG in tags and RANGE_END_TAG in tags:
            return cls.inclusive(
                date.fromisoformat(tags[RANGE_START_TAG]), date.fromisoformat(tags[RANGE_END_TAG])
            )
        return None

    @property
    def last(self) -> date:
        return self.end - _DAY

    def __str__(self) -> str:
        return f"{self.start}" if self.last == self.start else f"{self.start} to {self.last}"

    def __iter__(self) -> Iterator[date]:
        return (self.start + timedelta(days=offset) for offset in range(len(self)))

    def __len__(self) -> int:
        return max(0, (self.end - self.start).days)

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end

    def as_run_tags(self) -> dict[str, str]:
        """Return the tags with which one Dagster run materializes all partitions of the range."""
        return {RANGE_START_TAG: self.start.isoformat(), RANGE_END_TAG: self.last.isoformat()}

    def utc_bounds(self) -> tuple[datetime, datetime]:
        """Return the first moment of the range and the first moment after it, in UTC."""
        return (
            datetime.combine(self.start, time.min, tzinfo=UTC),
            datetime.combine(self.end, time.min, tzinfo=UTC),
        )

    def sql(self, column: str) -> tuple[str, tuple[date, ...]]:
        """Return a condition on a DATE column, with `%s` for its parameters, and the parameters."""
        return f"({column} >= %s AND {column} < %s)", (self.start, self.end)


def date_filter_sql(column: str, ranges: Sequence[DateRange] | None) -> tuple[str, tuple[date, ...]]:
    """Return a condition for the days of the ranges, and its parameters. None selects every row."""
    if ranges is None:
        return "TRUE", ()
    conditions = [each.sql(column) for each in ranges]
    text = " OR ".join(condition for condition, _ in conditions) or "FALSE"
    return f"({text})", tuple(day for _, parameters in conditions for day in parameters)


def contiguous_ranges(days: Iterable[date]) -> list[DateRange]:
    """Return the days as the fewest ranges that cover exactly them, oldest first."""
    ranges: list[DateRange] = []
    for day in sorted(set(days)):
        if ranges and ranges[-1].end == day:
            ranges[-1] = DateRange(ranges[-1].start, day + _DAY)
        else:
            ranges.append(DateRange.single(day))
    return ranges


def format_ranges(ranges: Iterable[DateRange]) -> str:
    """Return the ranges as text, such as `2026-11-01..2026-11-07,2026-11-09`, for tags and variables."""
    return ",".join(f"{each.start}" if len(each) == 1 else f"{each.start}..{each.last}" for each in ranges)


def parse_ranges(text: str) -> list[DateRange]:
    """Return the ranges that `format_ranges` wrote."""
    ranges = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("..")
        ranges.append(DateRange.inclusive(date.fromisoformat(first), date.fromisoformat(last or first)))
    return ranges
