"""What most tests of the client do: make some calls, read them, and look at what came."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from gong_assets.gong import BasicAuth, Clock, GongClient, GongConfig, Page, Record, RequestStats, Window
from gong_assets_tests.gong.fake_gong import FakeGong, call

MAY = Window(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))
KEY = BasicAuth("access-key-7391", "secret-5527")


class ImpatientClock(Clock):
    """Real time, in which waiting takes none; `slept` is how long each wait would have been."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return time.monotonic() + sum(self.slept)

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=sum(self.slept))

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


def gong_with(count: int, window: Window = MAY) -> FakeGong:
    """Calls spread evenly over the window, all at whole seconds."""
    step = (window.end - window.start) / max(count, 1)
    starts = ((window.start + number * step).replace(microsecond=0) for number in range(count))
    return FakeGong(call(number, start) for number, start in enumerate(starts))


def config(base_url: str, **changes: Any) -> GongConfig:
    """Without limits and with short timeouts, so that a test takes no time."""
    quick: dict[str, Any] = {
        "max_requests_per_second": 0,
        "max_requests_per_day": 0,
        "read_timeout_seconds": 0.3,
        "request_timeout_seconds": 0.6,
    }
    return GongConfig(base_url=base_url, auth=KEY, **(quick | changes))


@dataclass(frozen=True)
class Reading:
    """Everything that came, and at what expense."""

    records: list[Record]
    pages: int
    stats: RequestStats
    slept: list[float]

    @property
    def ids(self) -> list[str]:
        return sorted(record.key for record in self.records)


async def read(
    settings: GongConfig,
    ask: Callable[[GongClient], AsyncIterator[Page]] = lambda gong: gong.calls(MAY),
) -> Reading:
    clock = ImpatientClock()
    async with GongClient(settings, clock=clock) as gong:
        pages = [page async for page in ask(gong)]
        records = [record for page in pages for record in page.records]
        return Reading(records, len(pages), gong.stats, clock.slept)
