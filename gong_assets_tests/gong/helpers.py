"""Helpers for tests of the client: make calls, read them, and look at the result."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from gong_assets.gong import BasicAuth, Clock, GongClient, GongConfig, Page, Record, RequestStats, Window
from gong_assets_tests.gong.fake_gong import FakeGong, call, transcript

MAY = Window(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))
SECONDS_IN_MAY = int((MAY.end - MAY.start).total_seconds())
KEY = BasicAuth("access-key-7391", "secret-5527")


class InstantClock(Clock):
    """Real time, but waits take none. `slept` has the seconds of each wait."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return time.monotonic() + sum(self.slept)

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=sum(self.slept))

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


def gong_with_calls(count: int, window: Window = MAY) -> FakeGong:
    """Return a Gong with calls spread evenly over the window, all at whole seconds."""
    step = (window.end - window.start) / max(count, 1)
    starts = ((window.start + number * step).replace(microsecond=0) for number in range(count))
    return FakeGong(call(number, start) for number, start in enumerate(starts))


def gong_with_calls_at(seconds: Sequence[int]) -> FakeGong:
    """Return a Gong with calls that start at these seconds of May."""
    return FakeGong(call(number, MAY.start + timedelta(seconds=each)) for number, each in enumerate(seconds))


def add_transcripts(gong: FakeGong) -> FakeGong:
    """Add a transcript for each call."""
    gong.transcripts = {each: transcript(each) for each in gong.ids}
    return gong


def local_config(base_url: str, **changes: Any) -> GongConfig:
    """Return a configuration without limits and with short timeouts."""
    quick: dict[str, Any] = {
        "max_requests_per_second": 0,
        "max_requests_per_day": 0,
        "read_timeout_seconds": 0.3,
        "request_timeout_seconds": 0.6,
    }
    return GongConfig(base_url=base_url, auth=KEY, **(quick | changes))


@dataclass(frozen=True)
class ReadResult:
    """The records that were read, and what it took."""

    records: list[Record]
    pages: int
    stats: RequestStats
    slept: list[float]

    @property
    def ids(self) -> list[str]:
        return sorted(record.key for record in self.records)


async def read(
    settings: GongConfig,
    read_list: Callable[[GongClient], AsyncIterator[Page]] = lambda gong: gong.calls(MAY),
) -> ReadResult:
    clock = InstantClock()
    async with GongClient(settings, clock=clock) as gong:
        pages = [page async for page in read_list(gong)]
        records = [record for page in pages for record in page.records]
        return ReadResult(records, len(pages), gong.stats, clock.slept)
