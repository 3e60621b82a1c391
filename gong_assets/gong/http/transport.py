"""One request to Gong, sent as often as it takes: paced, authenticated, retried, counted.

What is asked and what the answer means is the caller's: it passes a `decode`, so that a body which cannot be
read is retried like any other fault.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from types import TracebackType
from typing import Self, TypeVar

import httpx

from gong_assets.gong.clock import Clock
from gong_assets.gong.config import GongConfig
from gong_assets.gong.endpoints import Query
from gong_assets.gong.errors import GongError, GongQuotaExhausted, GongRateLimitedError
from gong_assets.gong.http.error_mapping import connection_error, malformed, response_error
from gong_assets.gong.http.rate_limiter import shared_rate_limiter
from gong_assets.gong.http.retry import RetryPolicy

logger = logging.getLogger(__name__)

T = TypeVar("T")

# How much the latest response moves the mean: it follows a change of Gong's speed within some ten pages.
LATENCY_WEIGHT = 0.1
# Longer than the gap between two requests of a walk, so that connections (and their TLS handshakes) are used
# again.
KEEPALIVE_SECONDS = 60
# A server on this machine is not reached through the proxy that the environment may name for the others.
DIRECT = ("all://127.0.0.1", "all://localhost", "all://[::1]")


@dataclass
class RequestStats:
    """What was sent so far. `bytes` is what came back over the network (compressed); `seconds_waited` what
    the limit cost.
    """

    requests: int = 0
    retries: int = 0
    rate_limited: int = 0
    """Answers with 429."""
    seconds_waited: float = 0.0
    """Summed over the requests waiting at the same time."""
    bytes: int = 0
    requests_left_today: int | None = None
    """By our own count, of this process or (with a `state_directory`) this machine; None without a daily
    limit, 0 while Gong's quota is known to be spent.
    """


class Transport:
    """Sends queries to one Gong host. Use as an async context manager."""

    def __init__(self, config: GongConfig, clock: Clock, http: httpx.AsyncBaseTransport | None) -> None:
        self._config = config
        self._clock = clock
        self._retry = RetryPolicy(longest_retry_after=config.max_retry_wait_seconds)
        self._limiter = shared_rate_limiter(
            config.base_url,
            config.auth,
            clock,
            per_second=config.max_requests_per_second,
            per_day=config.max_requests_per_day,
            state_directory=config.state_directory,
        )
        # First come, first served: a walk that waits for the rate limit gets its request before those behind it.
        self._turn = asyncio.Lock()
        self._stats = RequestStats()
        self._mean_latency: float | None = None
        self._sent_at: dict[object, float] = {}
        self._http = httpx.AsyncClient(
            auth=config.auth,
            transport=http,
            mounts=dict.fromkeys(DIRECT),
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
        """The limit that is kept; 0: none."""
        return self._limiter.per_second

    @property
    def latency(self) -> float | None:
        """Mean seconds from sending a request to holding its answer; longer while one takes longer. None at first."""
        if not self._sent_at:
            return self._mean_latency
        longest = self._clock.monotonic() - min(self._sent_at.values())
        return longest if self._mean_latency is None else max(longest, self._mean_latency)

    @property
    def clock(self) -> Clock:
        return self._clock

    def requests_left_today(self) -> int | None:
        """Return how many more requests today allows; None without a daily limit."""
        return self._limiter.requests_left_today()

    def quota_error(self) -> GongQuotaExhausted:
        """Return the error for a request that today's limit does not allow."""
        return self._limiter.daily_limit_error()

    def stats(self) -> RequestStats:
        """A copy of the counts as they are now."""
        self._stats.requests_left_today = self._limiter.requests_left_today()
        return RequestStats(**vars(self._stats))

    async def send(self, query: Query, decode: Callable[[bytes], T]) -> T:
        """Return what `decode` makes of a successful answer's body; its ValueError means that it is not Gong's.

        Raises GongConnectionError, GongResponseError or one below it when trying again is useless or did not
        help, and GongQuotaExhausted when the limit asks for a longer wait than the configured one: from then
        on to everybody who asks before that time is over, without a request.
        """
        for attempt in count(1):
            await self._wait_for_admission()
            try:
                return await self._exchange(query, decode)
            except GongError as error:
                jitter = random.random()  # noqa: S311 - keeps chains apart, and no secrets
                wait = self._retry.wait(error, attempt=attempt, jitter=jitter)
                if isinstance(error, GongRateLimitedError):
                    self._stats.rate_limited += 1
                    if wait is None:
                        raise self._quota_exhausted(error) from error
                    self._limiter.pause(wait)
                elif wait is None:
                    raise
                else:
                    await self._clock.sleep(wait)
                self._stats.retries += 1
                logger.warning("%s: tried again after %.1f s", error, wait)
        raise AssertionError("unreachable")

    async def _wait_for_admission(self) -> None:
        begin = self._clock.monotonic()
        async with self._turn:
            await self._limiter.acquire()
        self._stats.seconds_waited += self._clock.monotonic() - begin

    async def _exchange(self, query: Query, decode: Callable[[bytes], T]) -> T:
        request = self._request(query)
        self._stats.requests += 1
        begin = self._sent_at[request] = self._clock.monotonic()
        try:
            async with asyncio.timeout(self._config.request_timeout_seconds):
                response = await self._http.send(request)
        except (httpx.TransportError, httpx.DecodingError, TimeoutError) as fault:
            raise connection_error(request, fault) from fault
        finally:
            del self._sent_at[request]
        self._stats.bytes += response.num_bytes_downloaded
        if response.status_code != httpx.codes.OK:
            raise response_error(response, self._clock.now())
        try:
            value = decode(response.content)
        except ValueError as fault:
            raise malformed(response, str(fault)) from fault
        self._note_latency(self._clock.monotonic() - begin)
        return value

    def _request(self, query: Query) -> httpx.Request:
        get = query.method == "GET"
        return self._http.build_request(
            query.method,
            self._config.base_url + query.path,
            params=query.content if get else None,
            json=None if get else query.content,
            extensions={"trace": self._note_sending},
        )

    async def _note_sending(self, event: str, _: object) -> None:
        """Called by httpcore at each step of a request (https://www.encode.io/httpcore/extensions/#trace)."""
        if event == "http11.send_request_headers.started":
            self._limiter.record_sent()

    def _quota_exhausted(self, error: GongRateLimitedError) -> GongQuotaExhausted:
        if error.retry_after is None:
            return GongQuotaExhausted(
                f"{error}; it does not say for how long", retry_after=RetryPolicy.longest_wait
            )
        if error.retry_after > self._config.max_retry_wait_seconds:
            self._limiter.block_until(self._clock.now() + timedelta(seconds=error.retry_after))
        return GongQuotaExhausted(
            f"{error}; admits us again in {error.retry_after:.0f} s", retry_after=error.retry_after
        )

    def _note_latency(self, seconds: float) -> None:
        if self._mean_latency is None:
            self._mean_latency = seconds
        else:
            self._mean_latency += LATENCY_WEIGHT * (seconds - self._mean_latency)
