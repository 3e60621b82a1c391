"""A job that reads days, and continues after each quota stop: helpers for tests of the quota."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from gong_assets.gong import (
    GongClient,
    GongConfig,
    GongQuotaExhausted,
    Page,
    Record,
    Window,
)
from gong_assets_tests.gong.fake_gong import FakeGong, call_id, started
from gong_assets_tests.gong.helpers import KEY, MAY
from gong_assets_tests.gong.virtual_time import VirtualClock, VirtualNetwork

DAY = timedelta(days=1)


def client_of(network: VirtualNetwork, **changes: Any) -> GongClient:
    limits: dict[str, Any] = {"max_requests_per_day": 0}
    return GongClient(GongConfig(auth=KEY, **(limits | changes)), transport=network, clock=VirtualClock())


async def drain(pages: AsyncIterator[Page], into: list[Record]) -> None:
    async for page in pages:
        into += page.records


async def count_calls(client: GongClient) -> int:
    return sum([len(page.records) async for page in client.calls(MAY)])


def days_in(windows: Iterable[Window]) -> list[date]:
    """Return the days that lie entirely in one of the windows."""
    days = []
    for window in windows:
        first = window.start.date() if window.start.time() == time() else window.start.date() + DAY
        days += [first + number * DAY for number in range((window.end.date() - first).days)]
    return days


def windows_of(days: Sequence[date]) -> list[Window]:
    """Return the fewest windows for these days, which are in order."""
    windows: list[Window] = []
    for day in days:
        start = datetime.combine(day, time(), UTC)
        if windows and windows[-1].end == start:
            start = windows.pop().start
        windows.append(Window(start, datetime.combine(day + DAY, time(), UTC)))
    return windows


def ids_on_server(gong: FakeGong, windows: Sequence[Window]) -> list[str]:
    starts = [(started(document), call_id(document)) for document in gong.calls]
    return sorted(key for start, key in starts for window in windows if window.start <= start < window.end)


def ids_among(records: Iterable[Record], windows: Sequence[Window]) -> list[str]:
    return sorted(
        record.key
        for record in records
        for window in windows
        if record.started and window.start <= record.started < window.end
    )


@dataclass
class Job:
    """Reads days and lands each completed one. After a quota stop it continues with the other days.

    If no day was completed, it continues with a single day, which any reasonable quota suffices for.
    """

    gong: FakeGong
    client: GongClient
    landed: dict[date, list[str]] = field(default_factory=dict)
    reads: int = 0
    stops: int = 0
    repeated: int = 0
    """Calls that were yielded and not landed, so that they are read again."""

    async def read(self, days: Sequence[date]) -> None:
        left = list(days)
        next_days = left
        while left:
            next_days = await self._read_days(next_days)
            left = [day for day in days if day not in self.landed]
            next_days = next_days or left

    async def _read_days(self, days: list[date]) -> list[date]:
        """Read some days, and return those to continue with; none if it is all that are left."""
        windows = windows_of(days)
        records: list[Record] = []
        self.reads += len(windows)
        try:
            await drain(self.client.calls(*windows), records)
        except GongQuotaExhausted as stop:
            self._check(windows, stop.completed_windows, records)
            finished = days_in(stop.completed_windows)
            self._land(finished, records)
            self.stops += 1
            await VirtualClock().sleep(stop.retry_after)
            return [] if finished else days[:1]
        self._land(days, records)
        return []

    def _check(self, windows: list[Window], completed: tuple[Window, ...], records: list[Record]) -> None:
        assert all(
            any(each.start <= one.start and one.end <= each.end for each in windows) for one in completed
        )
        assert all(one.end <= other.start for one, other in pairwise(completed))
        assert completed != tuple(windows)
        assert ids_among(records, completed) == ids_on_server(self.gong, completed)

    def _land(self, days: list[date], records: list[Record]) -> None:
        rows: dict[date, list[str]] = {day: [] for day in days}
        for record in records:
            assert record.started is not None
            if record.started.date() in rows:
                rows[record.started.date()].append(record.key)
        self.repeated += len(records) - sum(map(len, rows.values()))
        assert not rows.keys() & self.landed.keys()
        self.landed |= rows

    @property
    def ids(self) -> list[str]:
        return sorted(key for day in self.landed.values() for key in day)
