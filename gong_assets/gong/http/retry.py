"""Retry policy: whether a failed request is retried, and after how long. Nothing is sent or awaited here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from gong_assets.gong.errors import (
    ConnectionFault,
    GongConnectionError,
    GongError,
    GongMalformedResponseError,
    GongRateLimitedError,
    GongServerError,
)


@dataclass(frozen=True)
class RetryPolicy:
    """Limits of retries. Waits (in seconds) double from `first_wait` to `longest_wait`, with jitter."""

    attempts: int = 6
    """Half a minute in all: a load balancer restarts in less, and nobody would wait for more."""

    rate_limited_attempts: int = 10
    """More, because all integrations of the company share the limit, and another one may be using it."""

    first_wait: float = 1
    longest_wait: float = 30
    longest_retry_after: float = 300
    """A 429 with a longer Retry-After means an exhausted quota: Gong then counts in hours."""

    def wait(self, error: GongError, *, attempt: int, jitter: float) -> float | None:
        """Return the seconds to wait after the failed `attempt` (1 is the first); None for no further one.

        `jitter` is a random number in [0, 1), so that requests that failed together are not retried together.
        """
        if attempt >= self._attempts_for(error):
            return None
        if isinstance(error, GongRateLimitedError) and error.retry_after is not None:
            return error.retry_after if error.retry_after <= self.longest_retry_after else None
        longest = min(self.longest_wait, self.first_wait * 2.0 ** (attempt - 1))
        return longest * (0.5 + jitter / 2)

    def _attempts_for(self, error: GongError) -> int:
        match error:
            case GongRateLimitedError():
                return self.rate_limited_attempts
            case GongServerError() | GongMalformedResponseError():
                return self.attempts
            case GongConnectionError(fault=fault):
                return self._attempts_after(fault)
            case _:
                return 1

    def _attempts_after(self, fault: ConnectionFault) -> int:
        match fault:
            case "tls":
                return 1  # a retry does not make a certificate valid
            case "dns" | "refused":
                return min(3, self.attempts)  # mostly a wrong host, sometimes a passing fault of the resolver
            case "broken" | "timeout":
                return self.attempts
            case _:
                assert_never(fault)
