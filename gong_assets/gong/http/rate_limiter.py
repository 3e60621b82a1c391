"""Cross-process rate limiter for a Gong API key.

Gong counts requests per company: 3 a second and 10,000 a day by default
(https://help.gong.io/apidocs/introduction-2). All clients with the same key therefore share one limiter, in
every thread of a process, and with a budget file in every process of a machine. Requests from other machines
and other integrations show up as 429: a short Retry-After pauses all clients, a long one blocks them until it
has passed.
"""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import httpx

from gong_assets.gong.clock import Clock
from gong_assets.gong.errors import GongQuotaExhausted
from gong_assets.gong.http.request_budget import (
    BudgetState,
    FileBudget,
    InMemoryBudget,
    RequestBudget,
    budget_file_name,
    key_identity,
)

# Requests that leave evenly do not arrive evenly. With a little more than the interval between them, a
# request may arrive 8 ms early before any second has one too many, at the cost of less than a hundredth of
# the speed.
SPACING = 1.008
# A request that leaves late does not delay those behind it as long as the gap to the next one is no shorter.
LEAST_SPACING = 1.001
# The wall clock is read in microseconds, so shorter waits are not possible.
MIN_WAIT = 1e-6
# The longest pause and block that a stored state can cause. A pause is a wait that a client accepted
# (`max_retry_wait_seconds`), and a daily quota is renewed within a day.
MAX_PAUSE = 3600.0
MAX_BLOCK = 86_400.0


class RateLimiter:
    """Spaces requests evenly and counts them per UTC day. Threads may share it; several may share a budget.

    Evenly, because Gong does not document how it counts within a second: a burst that a bucket of three
    accepts is a 429 for a server that counts intervals.
    """

    def __init__(
        self, clock: Clock, budget: RequestBudget | None = None, *, per_second: float, per_day: int
    ) -> None:
        self._clock = clock
        self._own_budget = InMemoryBudget()
        self._shared_budget = budget or self._own_budget
        self.set_limits(per_second=per_second, per_day=per_day)

    def set_limits(self, *, per_second: float, per_day: int) -> None:
        """Change the limits for everybody in this process; 0 turns one off. Sent requests stay counted."""
        self.per_second = per_second
        self._per_day = per_day

    async def acquire(self) -> float:
        """Wait until one request may be sent, and return the seconds waited.

        Raises GongQuotaExhausted, and counts nothing, if the request would exceed the daily limit, or while
        Gong's own quota is exhausted.
        """
        waited = 0.0
        while wait := self._try_acquire():
            await self._clock.sleep(wait)
            waited += wait
        return waited

    def pause(self, seconds: float) -> None:
        """Send nothing for the next `seconds`: a 429 to one client would be a 429 to all of them."""
        with self._budget.locked() as state:
            moment = self._settle(state).timestamp()
            state.free_at = max(state.free_at, moment + seconds)
            state.changed_at = moment

    def block_until(self, moment: datetime) -> None:
        """Refuse all requests until then (a day at most): Gong's own quota is exhausted."""
        with self._budget.locked() as state:
            now = self._settle(state).timestamp()
            until = min(moment.timestamp(), now + MAX_BLOCK)
            state.exhausted_until = max(state.exhausted_until, until)
            state.last_quota = _count_on(state, self._clock.now().date())
            state.changed_at = now

    def record_sent(self, lead: float = 0.0) -> None:
        """Note that an acquired request is sent now. The next one may be acquired `lead` seconds early."""
        if self.per_second:
            self.pause(max(0.0, self._shortest_interval - lead))

    def requests_left_today(self) -> int | None:
        """Return how many more requests today allows: None without a daily limit, 0 while blocked."""
        with self._budget.locked() as state:
            now = self._settle(state)
            if now.timestamp() < state.exhausted_until:
                return 0
            return max(0, self._per_day - _count_on(state, now.date())) if self._per_day else None

    def requests_expected_today(self) -> int | None:
        """Return how many more requests today will probably allow; None if nothing is known.

        Gong is expected to allow as many as on the day on which it last refused some, until it has allowed
        more. This is for planning only.
        """
        left = self.requests_left_today()
        with self._budget.locked() as state:
            sent = _count_on(state, self._clock.now().date())
            if sent >= state.last_quota:
                return left
            return state.last_quota - sent if left is None else min(left, state.last_quota - sent)

    @property
    def _budget(self) -> RequestBudget:
        """Without limits there is nothing to share, and no file is written."""
        return self._shared_budget if self.per_second or self._per_day else self._own_budget

    @property
    def _interval(self) -> float:
        return SPACING / self.per_second if self.per_second else 0.0

    @property
    def _shortest_interval(self) -> float:
        return LEAST_SPACING / self.per_second if self.per_second else 0.0

    def _try_acquire(self) -> float:
        """Return the seconds to wait before the next try; 0 if the request may be sent now.

        The next request is due one interval after this one was due; later if this one is late, so that the
        gap never becomes shorter than the limit demands.
        """
        with self._budget.locked() as state:
            now = self._settle(state)
            moment = now.timestamp()
            if moment < state.exhausted_until:
                raise _quota_error("Gong's quota is exhausted", now, state.exhausted_until - moment)
            if state.free_at - moment >= MIN_WAIT:
                return state.free_at - moment
            self._count_request(state, now)
            state.free_at = max(state.free_at + self._interval, moment + self._shortest_interval)
            state.changed_at = moment
            return 0.0

    def _settle(self, state: BudgetState) -> datetime:
        """Return the current time, after making the state consistent with it.

        The wall clock may have been set back since the state was written. Waits that were left then are still
        left, but the difference between the clocks is not waited for.
        """
        now = self._clock.now()
        moment = now.timestamp()
        ahead = state.changed_at - moment
        if ahead > 0:
            state.free_at -= ahead
            state.exhausted_until -= ahead
            state.changed_at = moment
        state.free_at = min(state.free_at, moment + max(MAX_PAUSE, self._interval))
        state.exhausted_until = min(state.exhausted_until, moment + MAX_BLOCK)
        return now

    def _count_request(self, state: BudgetState, now: datetime) -> None:
        sent = _count_on(state, now.date())
        if self._per_day and sent >= self._per_day:
            tomorrow = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
            reason = f"the daily limit of {self._per_day:,} Gong requests is used up"
            raise _quota_error(reason, now, (tomorrow - now).total_seconds())
        state.sent_today = sent + 1
        state.day = now.date().isoformat()


def _count_on(state: BudgetState, day: date) -> int:
    return state.sent_today if state.day == day.isoformat() else 0


def _quota_error(reason: str, now: datetime, seconds: float) -> GongQuotaExhausted:
    until = now + timedelta(seconds=seconds)
    return GongQuotaExhausted(f"{reason} until {until:%F %H:%M} UTC", retry_after=seconds)


_limiters: dict[tuple[str, str, Clock, Path | None], RateLimiter] = {}
_limiters_lock = threading.Lock()


def shared_rate_limiter(
    base_url: str,
    auth: httpx.Auth,
    clock: Clock,
    *,
    per_second: float,
    per_day: int,
    state_directory: Path | None = None,
) -> RateLimiter:
    """Return this process's limiter for a key at a host.

    Processes that name the same directory share its counts. The latest caller's limits apply to everybody in
    this process.
    """
    with _limiters_lock:
        key = (base_url, key_identity(auth), clock, state_directory)
        if key in _limiters:
            _limiters[key].set_limits(per_second=per_second, per_day=per_day)
        else:
            name = budget_file_name(base_url, auth)
            budget = FileBudget(state_directory / name) if state_directory else None
            _limiters[key] = RateLimiter(clock, budget, per_second=per_second, per_day=per_day)
        return _limiters[key]
