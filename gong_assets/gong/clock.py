"""Clock of a client. Tests replace it so that they need not wait."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime


class Clock:
    """The machine's clock. A test replaces all three methods together, so that they agree."""

    def monotonic(self) -> float:
        """Return seconds since a fixed moment. Unlike the wall clock, it never goes back."""
        return time.monotonic()

    def now(self) -> datetime:
        """Return the wall clock's time in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking the event loop."""
        await asyncio.sleep(seconds)


SYSTEM_CLOCK = Clock()
