"""Virtual time: an event loop whose clock jumps to the next event, and a Gong that lives in it.

Only the network below httpx and the time are replaced. Measurements are exact, and the same on a busy
machine.
"""

from __future__ import annotations

import asyncio
import selectors
from collections import Counter
from collections.abc import Callable, Coroutine
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from typing import Any, TypeVar

import httpx

from gong_assets.gong.clock import Clock
from gong_assets_tests.gong.fake_gong import FakeGong, Response, error_response, parse_request

T = TypeVar("T")
START = datetime(2026, 6, 1, tzinfo=UTC)


class _Selector(selectors.DefaultSelector):
    """Adds the time to wait to the clock instead of waiting."""

    skipped = 0.0

    def select(self, timeout: float | None = None) -> Any:
        self.skipped += timeout or 0.0
        return super().select(0)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.skipped


class VirtualClock(Clock):
    """Clock of the running virtual loop."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def now(self) -> datetime:
        return START + timedelta(seconds=self.monotonic())


def run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(work())


class LeakyBucket:
    """Gong's limit as a bucket: `per_second` leak out, `room` fit in, one more is refused."""

    def __init__(self, per_second: float, room: float = 1.0) -> None:
        self.per_second = per_second
        self.room = room
        self._level = 0.0
        self._at = 0.0

    def admits(self, at: float) -> bool:
        self._level = max(0.0, self._level - (at - self._at) * self.per_second)
        self._at = at
        if self._level + 1 > self.room + 1e-9:
            return False
        self._level += 1
        return True


class DailyQuota:
    """Gong's daily limit: the request after `per_day` of a UTC day gets the seconds to the end of the day."""

    def __init__(self, per_day: int) -> None:
        self.per_day = per_day
        self._sent: Counter[date] = Counter()

    def seconds_to_wait(self, at: float) -> int:
        now = START + timedelta(seconds=at)
        self._sent[now.date()] += 1
        tomorrow = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
        return ceil((tomorrow - now).total_seconds()) if self._sent[now.date()] > self.per_day else 0


class VirtualNetwork(httpx.AsyncBaseTransport):
    """Passes requests to a fake Gong, which takes `latency` seconds for each."""

    def __init__(
        self,
        gong: FakeGong,
        *,
        latency: float = 0.0,
        limit: LeakyBucket | None = None,
        quota: DailyQuota | None = None,
    ) -> None:
        self.gong = gong
        self.latency = latency
        self.limit = limit
        self.quota = quota
        self.sent_at: list[float] = []
        self.refused = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        now = asyncio.get_running_loop().time()
        self.sent_at.append(now)
        response = self._respond(request, now)
        await asyncio.sleep(self.latency)
        return httpx.Response(response.status, headers=response.headers, content=response.body)

    def _respond(self, request: httpx.Request, now: float) -> Response:
        if self.limit is not None and not self.limit.admits(now):
            self.refused += 1
            return error_response(429, "API request limit exceeded", **{"Retry-After": "1"})
        if self.quota is not None and (seconds := self.quota.seconds_to_wait(now)):
            self.refused += 1
            return error_response(429, "API request limit exceeded", **{"Retry-After": str(seconds)})
        target = request.url.raw_path.decode()
        return self.gong.respond(
            parse_request(request.method, target, dict(request.headers), request.content, now)
        )

    @property
    def rate(self) -> float:
        """Requests per second from the first to the last one sent."""
        return (len(self.sent_at) - 1) / (self.sent_at[-1] - self.sent_at[0])

    def seconds_at_the_limit(self, per_second: float = 3) -> float:
        """Return the least time for as many requests: sent at the limit, and the last one answered."""
        return (len(self.sent_at) - 1) / per_second + self.latency
