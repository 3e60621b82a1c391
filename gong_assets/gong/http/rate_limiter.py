"""Gong's limits, kept by everyone on this machine who uses the same key.

Gong counts requests per company (3 a second and 10,000 a day by default,
https://help.gong.io/apidocs/introduction-2), so two clients with the same key must wait for one another, in
whatever thread or process they run. Where that is written down is the ledger's matter: in a file that the
processes share, or within this one. Requests from other machines and of other integrations are not seen here:
those show as 429, which pauses everyone, or, when it asks for longer than it is sensible to wait, stops
everyone until then.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import httpx

from gong_assets.gong.clock import Clock
from gong_assets.gong.errors import GongQuotaExhausted
from gong_assets.gong.http.request_budget import FileLedger, Ledger, MemoryLedger, State, file_name, identity

# Requests that leave evenly do not arrive evenly. One hundredth more than the interval keeps any second that
# Gong may count free of a request too many when the network brings one of them 10 ms early, and costs one
# hundredth of the speed.
SPACING = 1.01
# The wall clock is read in microseconds, so less than one cannot be waited for.
INSTANT = 1e-6
# No state stops anybody for longer, whatever it says. A pause is a wait that a client was willing to make
# (`max_retry_wait_seconds`), and a daily quota comes back within the day.
LONGEST_PAUSE = 3600.0
LONGEST_EXHAUSTION = 86_400.0
# How often others may go first: six seconds at Gong's limit, so that a small walk beside a large one gets on.
PATIENCE = 16

urgency: ContextVar[Callable[[], float]] = ContextVar("urgency", default=lambda: 0.0)
"""How much work the running task has before it. What walks pages between the task and the transport has no
business with it; so it is not a parameter.
"""


class Pacer:
    """Admits requests one at a time, evenly spaced, up to a number per UTC day. Threads may share it, and
    pacers may share a ledger.

    Evenly, because Gong does not say how it counts within a second: a burst that a bucket with room for three
    would take is a 429 from one that counts intervals.
    """

    def __init__(
        self, clock: Clock, ledger: Ledger | None = None, *, per_second: float, per_day: int
    ) -> None:
        self._clock = clock
        self._own_ledger = MemoryLedger()
        self._shared_ledger = ledger or self._own_ledger
        self.set_limits(per_second=per_second, per_day=per_day)

    def set_limits(self, *, per_second: float, per_day: int) -> None:
        """Change the limits for everyone in this process; 0 turns one off. What was sent stays counted."""
        self.per_second = per_second
        self._per_day = per_day

    async def admit(self) -> float:
        """Return when the caller may send one request, with the seconds that it waited.

        Raises GongQuotaExhausted, and counts nothing, when this would be one too many for the day, and at
        once where Gong has said that its quota is spent.
        """
        waited = 0.0
        while wait := self._try_admit():
            await self._clock.sleep(wait)
            waited += wait
        return waited

    def pause(self, seconds: float) -> None:
        """Admit nobody for the next `seconds`: Gong said 429 to one of us, and would to the others."""
        with self._ledger.changing() as state:
            moment = self._settle(state).timestamp()
            state.free_at = max(state.free_at, moment + seconds)
            state.changed_at = moment

    def exhaust(self, seconds: float) -> None:
        """Refuse everybody for the next `seconds` (a day at most): Gong's own quota is spent for that long."""
        with self._ledger.changing() as state:
            moment = self._settle(state).timestamp()
            until = moment + min(seconds, LONGEST_EXHAUSTION)
            state.exhausted_until = max(state.exhausted_until, until)
            state.changed_at = moment

    def sent(self) -> None:
        """An admitted request goes out only now that its connection is ready: the interval begins here."""
        if self.per_second:
            self.pause(self._interval)

    def left_today(self) -> int | None:
        """Requests that may still be sent today; None without a daily limit, 0 while Gong's quota is spent."""
        with self._ledger.changing() as state:
            now = self._settle(state)
            if now.timestamp() < state.exhausted_until:
                return 0
            return max(0, self._per_day - _count_of(state, now.date())) if self._per_day else None

    @property
    def _ledger(self) -> Ledger:
        """Without a limit there is nothing to share, and no file to write."""
        return self._shared_ledger if self.per_second or self._per_day else self._own_ledger

    @property
    def _interval(self) -> float:
        return SPACING / self.per_second if self.per_second else 0.0

    def _try_admit(self) -> float:
        """Seconds until it is worth trying again; 0 when the request may be sent now.

        The next interval counts from this moment and not from when the request was due: a caller that wakes
        up late must not bring the one behind it closer.
        """
        with self._ledger.changing() as state:
            now = self._settle(state)
            moment = now.timestamp()
            if moment < state.exhausted_until:
                raise _exhausted("Gong's quota is spent", now, state.exhausted_until - moment)
            if state.free_at - moment >= INSTANT:
                return state.free_at - moment
            self._count_one(state, now)
            state.free_at = moment + self._interval
            state.changed_at = moment
            return 0.0

    def _settle(self, state: State) -> datetime:
        """Return the time, after making the state one that can have been written by then.

        The wall clock may have been set back since: then what had to be waited for when the state was written
        is still to be waited for, but not the difference between the clocks.
        """
        now = self._clock.now()
        moment = now.timestamp()
        ahead = state.changed_at - moment
        if ahead > 0:
            state.free_at -= ahead
            state.exhausted_until -= ahead
            state.changed_at = moment
        state.free_at = min(state.free_at, moment + max(LONGEST_PAUSE, self._interval))
        state.exhausted_until = min(state.exhausted_until, moment + LONGEST_EXHAUSTION)
        return now

    def _count_one(self, state: State, now: datetime) -> None:
        sent = _count_of(state, now.date())
        if self._per_day and sent >= self._per_day:
            tomorrow = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
            spent = f"the daily limit of {self._per_day:,} Gong requests is used up"
            raise _exhausted(spent, now, (tomorrow - now).total_seconds())
        state.sent_today = sent + 1
        state.day = now.date().isoformat()


def _count_of(state: State, day: date) -> int:
    return state.sent_today if state.day == day.isoformat() else 0


def _exhausted(why: str, now: datetime, seconds: float) -> GongQuotaExhausted:
    until = now + timedelta(seconds=seconds)
    return GongQuotaExhausted(f"{why} until {until:%F %H:%M} UTC", retry_after=seconds)


@dataclass(eq=False)
class _Waiter:
    urgency: Callable[[], float]
    called: asyncio.Future[None]
    passed_over: int = 0


class Turns:
    """Lets the tasks of one event loop pass one at a time, those with the most work before them first.

    Chains that are served as it happens fall apart, and the last one ends alone, at a fraction of the limit.
    """

    def __init__(self) -> None:
        self._taken = False
        self._waiting: list[_Waiter] = []

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for the others; who has no `urgency` goes first come, first served."""
        if self._taken:
            await self._wait()
        self._taken = True
        try:
            yield
        finally:
            self._call_next()

    async def _wait(self) -> None:
        waiter = _Waiter(urgency.get(), asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        try:
            await waiter.called
        except asyncio.CancelledError:
            if waiter not in self._waiting:  # called, and cancelled before it could go
                self._call_next()
            raise
        finally:
            if waiter in self._waiting:
                self._waiting.remove(waiter)

    def _call_next(self) -> None:
        waiting = [each for each in self._waiting if not each.called.done()]
        self._taken = bool(waiting)
        if waiting:
            longest = waiting[0]
            if longest.passed_over < PATIENCE:
                longest = max(waiting, key=lambda each: each.urgency())
            for each in waiting:
                each.passed_over += 1
            self._waiting.remove(longest)
            longest.called.set_result(None)


_pacers: dict[tuple[str, str, Clock, Path | None], Pacer] = {}
_pacers_lock = threading.Lock()


def shared_pacer(
    base_url: str,
    auth: httpx.Auth,
    clock: Clock,
    *,
    per_second: float,
    per_day: int,
    state_directory: Path | None = None,
) -> Pacer:
    """This process's one pacer for a key at a host; with a directory, all processes that name it share a count.

    The limits of the latest caller hold for everyone in this process; those of another one are its own.
    """
    with _pacers_lock:
        key = (base_url, identity(auth), clock, state_directory)
        if key in _pacers:
            _pacers[key].set_limits(per_second=per_second, per_day=per_day)
        else:
            ledger = FileLedger(state_directory / file_name(base_url, auth)) if state_directory else None
            _pacers[key] = Pacer(clock, ledger, per_second=per_second, per_day=per_day)
        return _pacers[key]
