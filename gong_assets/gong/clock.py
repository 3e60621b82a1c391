"""Time, as the client sees it: one object to replace in a test that must not wait.

Only reading the time and waiting belong here; who waits, and for how long, is decided by the pacer and the
retry policy.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime


class Clock:
    """The machine's clock. A test replaces all three methods together, so that they agree."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back, unlike the wall clock."""
        return time.monotonic()

    def now(self) -> datetime:
        """The wall clock, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait without holding the event loop."""
        await asyncio.sleep(seconds)


SYSTEM_CLOCK = Clock()
