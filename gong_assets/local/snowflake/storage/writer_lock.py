"""A lock that allows one writer at a time.

On Snowflake a second writer of a table waits for the transaction of the first; on DuckDB it fails. Therefore
every writer acquires this lock first. Readers never do. Snowflake's locks are per table; this one covers all
tables.
"""

from __future__ import annotations

import threading
import time

from gong_assets.local.snowflake.errors import SnowflakeError

# Snowflake's default LOCK_TIMEOUT is 12 hours; no local transaction takes an hour.
DEFAULT_LOCK_TIMEOUT_SECONDS = 3600


class WriterLock:
    """A lock that belongs to a session rather than a thread, and whose waiters can be cancelled."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._owner: object | None = None

    def acquire(self, owner: object, timeout: float, cancelled: threading.Event) -> None:
        """Acquire the lock; raises SnowflakeError after ``timeout`` seconds or when ``cancelled`` is set."""
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
                        f"Statement aborted after waiting {timeout:g} seconds (LOCK_TIMEOUT) for the lock "
                        f"of the transaction of {self._owner}.",
                    )
                self._changed.wait(remaining)
            self._owner = owner

    def release(self, owner: object) -> None:
        """Release the lock if ``owner`` holds it."""
        with self._changed:
            if self._owner is owner:
                self._owner = None
                self._changed.notify_all()

    def wake_waiters(self) -> None:
        """Make waiters check whether they were cancelled."""
        with self._changed:
            self._changed.notify_all()
