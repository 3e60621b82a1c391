"""Transport: sends one request to Gong, rate limited, authenticated, and retried as often as it makes sense.

The caller passes the query and a `decode` function for the body, so that an unreadable body is retried like
any other fault.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

import httpx

from gong_assets.gong.clock import Clock
from gong_assets.gong.config import GongConfig
from gong_assets.gong.errors import GongError, GongQuotaExhausted, GongRateLimitedError
from gong_assets.gong.http import DIRECT_HOSTS
from gong_assets.gong.http.error_mapping import connection_error, malformed_error, response_error
from gong_assets.gong.http.rate_limiter import shared_rate_limiter
from gong_assets.gong.http.retry import RetryPolicy

if TYPE_CHECKING:
    from gong_assets.gong.endpoints import Query

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Weight of the latest response in the mean latency: a change of Gong's speed shows within about ten pages.
LATENCY_WEIGHT = 0.1
# Longer than the gap between two requests of a list, so that connections and their TLS sessions are reused.
KEEPALIVE_SECONDS = 60
# How many requests the shortest delay from permission to sending is taken from.
DELAYS_REMEMBERED = 16


@dataclass
class RequestStats:
    """Counts of a client's requests."""

    requests: int = 0
    retries: int = 0
    rate_limited: int = 0
    """Responses with 429."""
    seconds_waited: float = 0.0
    """Time spent waiting for the rate limit, summed over concurrent requests."""
    bytes: int = 0
    """Bytes received over the network, compressed."""
    requests_left_today: int | None = None
    """By the count of this process or (with a `state_directory`) this machine.

    None without a daily limit, 0 while Gong's quota is exhausted.
    """


class Transport:
    """Sends queries to one Gong host. Use as an async context manager."""

    def __init__(self, config: GongConfig, clock: Clock, http: httpx.AsyncBaseTransport | None) -> None:
        self.clock = clock
        self._config = config
        self._retry = RetryPolicy(longest_retry_after=config.max_retry_wait_seconds)
        self._limiter = shared_rate_limiter(
            config.base_url,
            config.auth,
            clock,
            per_second=config.max_requests_per_second,
            per_day=config.max_requests_per_day,
            state_directory=config.state_directory,
        )
        # First come, first served: all lists that wait for the rate limit advance at the same pace.
        self._queue = asyncio.Lock()
        self._stats = RequestStats()
        self._mean_latency: float | None = None
        self._begun_at: dict[httpx.Request, float] = {}
        self._delays = deque([0.0], maxlen=DELAYS_REMEMBERED)
        self._http = httpx.AsyncClient(
            auth=config.auth,
            transport=http,
            mounts=dict.fromkeys(DIRECT_HOSTS),
            headers={"User-Agent": "gong-assets", "Accept": "application/json"},
            timeout=httpx.Timeout(
                config.read_timeout_seconds, connect=config.connect_timeout_seconds, pool=None
            ),
            limits=httpx.Limits(max_connections=None, keepalive_expiry=KEEPALIVE_SECONDS),
        )

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, traceback)

    @property
    def requests_per_second(self) -> float:
        """The rate limit; 0 means none."""
        return self._limiter.per_second

    @property
    def latency(self) -> float | None:
        """Mean seconds from request to response, or the age of the oldest open request if that is more."""
        ages = [self.clock.monotonic() - begun_at for begun_at in self._begun_at.values()]
        return max(ages) if self._mean_latency is None and ages else self._mean_latency

    def requests_expected_today(self) -> int | None:
        """Return how many more requests today will probably allow; None if nothing limits them."""
        return self._limiter.requests_expected_today()

    def stats(self) -> RequestStats:
        """Return a copy of the current counts."""
        self._stats.requests_left_today = self._limiter.requests_left_today()
        return RequestStats(**vars(self._stats))

    async def send(self, query: Query, decode: Callable[[bytes], T]) -> T:
        """Return what `decode` makes of a successful response's body; its ValueError marks a malformed one.

        Raises a GongError if a retry is useless or did not help. If a 429 asks for a longer wait than
        configured, this is GongQuotaExhausted, and further requests raise it without being sent until that
        time has passed.
        """
        for attempt in count(1):
            await self._acquire()
            try:
                return await self._exchange(query, decode)
            except GongError as error:
                await self._wait_to_retry(error, attempt)
        raise AssertionError("unreachable")

    async def _acquire(self) -> None:
        begin = self.clock.monotonic()
        async with self._queue:
            await self._limiter.acquire()
        self._stats.seconds_waited += self.clock.monotonic() - begin

    async def _wait_to_retry(self, error: GongError, attempt: int) -> None:
        """Wait before the next attempt, or raise the error if there is none."""
        jitter = random.random()  # noqa: S311 - keeps concurrent retries apart, protects no secret
        wait = self._retry.wait(error, attempt=attempt, jitter=jitter)
        if isinstance(error, GongRateLimitedError):
            self._stats.rate_limited += 1
            if wait is None:
                raise self._quota_error(error) from error
            self._limiter.pause(wait)
        elif wait is None:
            raise error
        else:
            await self.clock.sleep(wait)
        self._stats.retries += 1
        logger.warning("%s: retried after %.1f s", error, wait)

    async def _exchange(self, query: Query, decode: Callable[[bytes], T]) -> T:
        request = self._request(query)
        self._stats.requests += 1
        begun_at = self._begun_at[request] = self.clock.monotonic()
        try:
            async with asyncio.timeout(self._config.request_timeout_seconds):
                response = await self._http.send(request)
        except (httpx.TransportError, httpx.DecodingError, TimeoutError) as fault:
            raise connection_error(request, fault) from fault
        finally:
            del self._begun_at[request]
        self._stats.bytes += response.num_bytes_downloaded
        if response.status_code != httpx.codes.OK:
            raise response_error(response, self.clock.now())
        try:
            value = decode(response.content)
        except ValueError as fault:
            raise malformed_error(response, str(fault)) from fault
        self._update_latency(self.clock.monotonic() - begun_at)
        return value

    def _request(self, query: Query) -> httpx.Request:
        permitted_at = self.clock.monotonic()

        async def trace(event: str, _: object) -> None:
            """Note when httpcore sends the request (https://www.encode.io/httpcore/extensions/#trace)."""
            if event == "http11.send_request_headers.started":
                self._record_sent(permitted_at)

        is_get = query.method == "GET"
        return self._http.build_request(
            query.method,
            self._config.base_url + query.path,
            params=query.content if is_get else None,
            json=None if is_get else query.content,
            extensions={"trace": trace},
        )

    def _record_sent(self, permitted_at: float) -> None:
        """Start the interval to the next request now, since connecting may have taken long.

        The next request will take some time from permission to sending too: at least as long as the fastest
        one of the last requests. It is permitted earlier by that much, so that the rate limit is reached and
        not exceeded.
        """
        self._delays.append(self.clock.monotonic() - permitted_at)
        self._limiter.record_sent(min(self._delays))

    def _quota_error(self, error: GongRateLimitedError) -> GongQuotaExhausted:
        if error.retry_after is None:
            return GongQuotaExhausted(
                f"{error}; the response has no Retry-After", retry_after=RetryPolicy.longest_wait
            )
        if error.retry_after > self._config.max_retry_wait_seconds:
            self._limiter.block_until(self.clock.now() + timedelta(seconds=error.retry_after))
        return GongQuotaExhausted(
            f"{error}; Gong accepts requests again in {error.retry_after:.0f} s",
            retry_after=error.retry_after,
        )

    def _update_latency(self, seconds: float) -> None:
        if self._mean_latency is None:
            self._mean_latency = seconds
        else:
            self._mean_latency += LATENCY_WEIGHT * (seconds - self._mean_latency)
