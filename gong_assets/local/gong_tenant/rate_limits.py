"""Gong's two rate limits, which apply to the company as a whole.

https://help.gong.io/apidocs/introduction-2 documents 3 requests per second and 10,000 per day, and a 429
response with Retry-After beyond. The leaky bucket, its size, and the start of the day are assumptions.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

DAY = 86_400
BURST_SECONDS = 2  # size of the bucket: a client with evenly spaced requests never exceeds it


class RateLimits:
    """A leaky bucket per second and a counter per UTC day. A limit of 0 disables either."""

    def __init__(self, per_second: float, per_day: int, clock: Callable[[], float] = time.time) -> None:
        self._per_second = per_second
        self._per_day = per_day
        self._clock = clock
        self._level = 0.0
        self._leaked_at = clock()
        self._today = 0
        self._day = self._leaked_at // DAY

    def acquire(self) -> int | None:
        """Count a request and return None, or return the seconds until a retry if it exceeds a limit."""
        now = self._clock()
        if now // DAY != self._day:
            self._day, self._today = now // DAY, 0
        if self._per_day and self._today >= self._per_day:
            return math.ceil((self._day + 1) * DAY - now)
        if self._per_second:
            self._level = max(0.0, self._level - (now - self._leaked_at) * self._per_second)
            self._leaked_at = now
            excess = self._level + 1 - self._per_second * BURST_SECONDS
            if excess > 0:
                return math.ceil(excess / self._per_second)
            self._level += 1
        self._today += 1
        return None
