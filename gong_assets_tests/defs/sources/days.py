"""Days of the simulated tenant that are the same kind of days on whatever date the tests run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gong_assets.dates import DateRange


def weekdays(count: int) -> DateRange:
    """Return so many days of one working week, at least 9 days ago. On a weekend the tenant has few calls."""
    last = datetime.now(UTC).date() - timedelta(days=9)
    while not count - 1 <= last.weekday() < 5:
        last -= timedelta(days=1)
    return DateRange.lookback(last, count)
