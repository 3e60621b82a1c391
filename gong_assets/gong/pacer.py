"""Gong's limits, kept by everyone in this process who uses the same key.

Gong counts requests per company (3 a second and 10,000 a day by default,
https://help.gong.io/apidocs/introduction-2), so two clients with the same key must wait for one another, in
whatever thread they run. Requests of other processes and of other integrations are not seen here: those show
as 429, which pauses everyone.
"""

from __future__ import annotations

import math
import threading
from datetime import UTC, date, datetime, time, timedelta

import httpx

from gong_assets.gong.clock import Clock
from gong_assets.gong.errors import GongQuotaExhausted

# Requests that leave evenly do not arrive evenly. One hundredth more than the interval keeps any second that
# Gong may count free of a request too many when the network brings one of them 10 ms early, and costs one
# hundredth of the speed.
SPACING = 1.01


class Pacer:
    """Admits requests one at a time, evenly spaced, up to a number per UTC day. Threads may share it.

    Evenly, because Gong does not say how it counts within a second: a burst that a bucket with room for three
    would take is a 429 from one that counts intervals.
    """

    def __init__(self, clock: Clock, *, per_second: float, per_day: int) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._free_at = -math.inf
        self._day: date | None = None
        self._sent_today = 0
        self.set_limits(per_second=per_second, per_day=per_day)

    def set_limits(self, *, per_second: float, per_day: int) -> None:
        """Change the limits for everyone; 0 turns one off. What was sent today stays counted."""
        with self._lock:
            self.per_second = per_second
            self._interval = SPACING / per_second if per_second else 0.0
            self._per_day = per_day

    async def admit(self) -> float:
        """Return when the caller may send one request, with the seconds that it waited.

        Raises GongQuotaExhausted, and counts nothing, when this would be one too many for the day.
        """
        waited = 0.0
        while wait := self._try_admit():
            await self._clock.sleep(wait)
            waited += wait
        return waited

    def pause(self, seconds: float) -> None:
        """Admit nobody for the next `seconds`: Gong said 429 to one of us, and would to the others."""
        with self._lock:
            self._free_at = max(self._free_at, self._clock.monotonic() + seconds)

    def sent(self) -> None:
        """An admitted request goes out only now that its connection is ready: the interval begins here."""
        with self._lock:
            self._free_at = max(self._free_at, self._clock.monotonic() + self._interval)

    def left_today(self) -> int | None:
        """Requests that this process may still send today; None without a daily limit."""
        with self._lock:
            return (
                None
                if not self._per_day
                else max(0, self._per_day - self._count_of(self._clock.now().date()))
            )

    def _try_admit(self) -> float:
        """Seconds until it is worth trying again; 0 when the request may be sent now.

        The next interval counts from this moment and not from when the request was due: a caller that wakes
        up late must not bring the one behind it closer.
        """
        with self._lock:
            moment = self._clock.monotonic()
            if moment < self._free_at:
                return self._free_at - moment
            self._count_one()
            self._free_at = moment + self._interval
            return 0.0

    def _count_one(self) -> None:
        now = self._clock.now()
        if self._per_day and self._count_of(now.date()) >= self._per_day:
            tomorrow = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
            raise GongQuotaExhausted(
                f"the daily limit of {self._per_day:,} Gong requests is used up until {tomorrow:%F %H:%M} UTC",
                retry_after=(tomorrow - now).total_seconds(),
            )
        self._sent_today = self._count_of(now.date()) + 1
        self._day = now.date()

    def _count_of(self, day: date) -> int:
        return self._sent_today if self._day == day else 0


_pacers: dict[tuple[str, httpx.Auth, Clock], Pacer] = {}
_pacers_lock = threading.Lock()


def shared_pacer(base_url: str, auth: httpx.Auth, clock: Clock, *, per_second: float, per_day: int) -> Pacer:
    """This process's one pacer for a key at a host. The limits of the latest caller hold for everyone."""
    with _pacers_lock:
        key = (base_url, auth, clock)
        if key in _pacers:
            _pacers[key].set_limits(per_second=per_second, per_day=per_day)
        else:
            _pacers[key] = Pacer(clock, per_second=per_second, per_day=per_day)
        return _pacers[key]
