"""One writer at a time: who may change data now, and who waits.

Snowflake lets a second writer of a table wait for the first one's transaction; DuckDB fails the second. So a
writer of anything takes this one lock first, and readers never do. Snowflake's locks are per table: here writers
of different tables wait for each other too.
"""

from __future__ import annotations

import threading
import time

from gong_assets.local.snowflake.errors import SnowflakeError

# Snowflake's own default for LOCK_TIMEOUT is 12 hours; an hour is longer than anything that runs on one machine.
DEFAULT_LOCK_TIMEOUT_SECONDS = 3600


class WriterLock:
    """A lock that is owned by a session, not by a thread, and whose waiters can be cancelled."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._owner: object | None = None

    def acquire(self, owner: object, timeout: float, cancelled: threading.Event) -> None:
        """Wait for the lock; raises SnowflakeError after ``timeout`` seconds or when ``cancelled`` is set."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while self._owner is not None and self._owner is not owner:
                if cancelled.is_set():
                    raise SnowflakeError(604, "57014", "SQL execution canceled")
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    raise SnowflakeError(
                        625,
                        "57014",
                        f"Statement aborted after waiting {timeout:g} seconds (LOCK_TIMEOUT) for the transaction "
                        f"of {self._owner}, which holds the lock.",
                    )
                self._changed.wait(remaining)
            self._owner = owner

    def release(self, owner: object) -> None:
        """Give the lock up; does nothing for a session that does not hold it."""
        with self._changed:
            if self._owner is owner:
                self._owner = None
                self._changed.notify_all()

    def wake_waiters(self) -> None:
        """Let waiters see that they were cancelled."""
        with self._changed:
            self._changed.notify_all()
