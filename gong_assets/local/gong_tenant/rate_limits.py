"""How often the API may be called: Gong's two limits, counted for the company as a whole.

Source: https://help.gong.io/apidocs/introduction-2 (3 requests a second, 10,000 a day, 429 with Retry-After beyond).
That the first is a leaky bucket, how deep it is, and when the day starts are assumptions.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

DAY = 86_400
BURST_SECONDS = (
    2  # of requests that may come at once: a client that paces itself evenly never feels the limit
)


class RequestLimits:
    """A leaky bucket for the second, a counter for the UTC day. 0 turns either off."""

    def __init__(self, per_second: float, per_day: int, clock: Callable[[], float] = time.time) -> None:
        self._per_second = per_second
        self._per_day = per_day
        self._clock = clock
        self._level = 0.0
        self._leaked_at = clock()
        self._today = 0
        self._day = self._leaked_at // DAY

    def admit(self) -> int | None:
        """Counts a request. Returns None, or for a request too many the seconds after which to try again."""
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
