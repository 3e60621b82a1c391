"""Whether a failed request is worth another try, and after how long: nothing is sent or slept here."""

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
    """How patient the client is. Waits (seconds) double from `first_wait` to `longest_wait`, with jitter."""

    attempts: int = 6
    """Half a minute in all: longer than a restart of a load balancer, shorter than anyone would watch it."""

    rate_limited_attempts: int = 10
    """More patient: the limit is the whole company's, and another integration may be at it for a while."""

    first_wait: float = 1
    longest_wait: float = 30
    longest_retry_after: float = 300
    """Beyond this a 429 is a spent quota (Gong's Retry-After then counts hours), and waiting is the caller's
    decision.
    """

    def wait(self, error: GongError, *, attempt: int, jitter: float) -> float | None:
        """Seconds to wait before trying again after the failed `attempt` (1 is the first); None to give up.

        `jitter` is a random number in [0, 1): chains that failed together come back apart.
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
                return 1  # a certificate does not become valid, and retrying would train people to expect it
            case "dns" | "refused":
                return min(
                    3, self.attempts
                )  # mostly a wrong host: say so soon, but survive a resolver's hiccup
            case "broken" | "timeout":
                return self.attempts
            case _:
                assert_never(fault)
