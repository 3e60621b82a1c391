"""The transaction of a session.

The DuckDB transaction starts at the first write, after the writer lock is acquired. Before that every
statement reads the latest committed state, as with Snowflake's READ COMMITTED; after that no other session
can commit. https://docs.snowflake.com/en/sql-reference/transactions
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb

from gong_assets.local.snowflake.errors import SnowflakeError
from gong_assets.local.snowflake.storage.writer_lock import WriterLock


class Transaction:
    """The effect of BEGIN, COMMIT, ROLLBACK, DML and DDL on a DuckDB connection and the writer lock."""

    def __init__(self, duck: duckdb.DuckDBPyConnection, lock: WriterLock, owner: object) -> None:
        self._duck = duck
        self._lock = lock
        self._owner = owner
        self.autocommit = True
        self.cancelled = threading.Event()
        self.open = False
        self._writing = False
        self._abort_reason: str | None = None

    def begin(self) -> None:
        """Open a transaction. A BEGIN inside a transaction has no effect."""
        self.open = True

    def commit(self) -> None:
        """Commit the open transaction, if any.

        Raises:
            SnowflakeError: an earlier statement aborted the transaction.
            duckdb.Error: the commit failed, for example because the disk is full. Nothing was committed.
        """
        try:
            self.raise_if_aborted()
            if self._writing:
                self._duck.execute("COMMIT")
        except duckdb.Error:
            self._rollback_duck()
            raise
        finally:
            self._end()

    def rollback(self) -> None:
        """Roll back the open transaction, if any."""
        if self._writing:
            self._rollback_duck()
        self._end()

    def raise_if_aborted(self) -> None:
        """Raise SnowflakeError if an earlier statement aborted the transaction."""
        if self._abort_reason is not None:
            raise SnowflakeError(
                603,
                "25P02",
                "The transaction was aborted by a failed statement, and nothing was committed. Roll it back "
                "and start again. (On Snowflake a transaction continues after a failed statement; here it "
                f"cannot.) The error of the statement: {self._abort_reason}",
            )

    def handle_failure(self, error: SnowflakeError) -> None:
        """Release the lock after a failed statement if it aborted DuckDB's transaction."""
        if not self._writing:
            return
        try:
            self._duck.execute("SELECT 1")
        except duckdb.TransactionException:
            self._rollback_duck()
            self._writing = False
            self._abort_reason = error.message
            self._lock.release(self._owner)

    @contextmanager
    def dml(self, lock_timeout: float) -> Iterator[None]:
        """Run a statement that changes rows in the open transaction, or in one of its own."""
        if not self.open and not self.autocommit:
            self.open = True
        is_implicit = not self.open
        if not self._writing:
            self._lock.acquire(self._owner, lock_timeout, self.cancelled)
            try:
                self._duck.execute("BEGIN")
            except BaseException:  # Interrupted. Without a transaction, nothing would release the lock.
                self._lock.release(self._owner)
                raise
            self._writing = True
        try:
            yield
        except BaseException:
            if is_implicit:
                self.rollback()
            raise
        if is_implicit:
            self.commit()

    @contextmanager
    def ddl(self, lock_timeout: float) -> Iterator[None]:
        """Run a statement that changes objects. As on Snowflake, it commits the open transaction first."""
        self.commit()
        self._lock.acquire(self._owner, lock_timeout, self.cancelled)
        try:
            yield
        finally:
            self._lock.release(self._owner)

    def _rollback_duck(self) -> None:
        # After a failed COMMIT there is no transaction left.
        with suppress(duckdb.TransactionException):
            self._duck.execute("ROLLBACK")

    def _end(self) -> None:
        self.open = self._writing = False
        self._abort_reason = None
        self._lock.release(self._owner)
