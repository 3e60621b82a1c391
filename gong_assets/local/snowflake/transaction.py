"""A session's transaction: when it begins, what it locks, and how it ends.

DuckDB's transaction starts at the first write, with the writer lock held. Until then every statement reads the
newest committed state, as Snowflake's READ COMMITTED does, and from then on nobody else can commit.
https://docs.snowflake.com/en/sql-reference/transactions
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb

from gong_assets.local.snowflake.errors import SnowflakeError
from gong_assets.local.snowflake.locks import WriterLock


def _lost() -> SnowflakeError:
    return SnowflakeError(
        603,
        "25P02",
        "A statement of this transaction failed and took the transaction with it: roll it back, and start again. "
        "(Snowflake would go on; the local server cannot.)",
    )


class Transaction:
    """What BEGIN, COMMIT, ROLLBACK, DML and DDL of one session do to its DuckDB connection and the writer lock."""

    def __init__(self, duck: duckdb.DuckDBPyConnection, lock: WriterLock, owner: object) -> None:
        self._duck = duck
        self._lock = lock
        self._owner = owner
        self.autocommit = True
        self.cancelled = threading.Event()
        self.open = False
        self._writing = False
        self._lost = False

    def begin(self) -> None:
        """BEGIN: later writes wait for COMMIT. There are no nested transactions."""
        self.open = True

    def commit(self) -> None:
        """COMMIT; nothing happens outside a transaction. Raises SnowflakeError if nothing could be committed."""
        try:
            self.require_alive()
            if self._writing:
                self._duck.execute("COMMIT")
        except duckdb.Error as error:
            self._rollback_duck()
            raise _lost() from error
        finally:
            self._end()

    def rollback(self) -> None:
        """ROLLBACK; nothing happens outside a transaction."""
        if self._writing:
            self._rollback_duck()
        self._end()

    def require_alive(self) -> None:
        """Raise SnowflakeError if an earlier statement ended the transaction."""
        if self._lost:
            raise _lost()

    def note_failure(self) -> None:
        """After a statement that failed: find out whether DuckDB can go on, and give up the lock if it cannot."""
        if not self._writing:
            return
        try:
            self._duck.execute("SELECT 1")
        except duckdb.TransactionException:
            self._rollback_duck()
            self._writing = False
            self._lost = True
            self._lock.release(self._owner)

    @contextmanager
    def dml(self, lock_timeout: float) -> Iterator[None]:
        """Around a statement that changes rows: in the open transaction, or in one of its own."""
        if not self.open and not self.autocommit:
            self.open = True
        alone = not self.open
        if not self._writing:
            self._lock.acquire(self._owner, lock_timeout, self.cancelled)
            self._duck.execute("BEGIN")
            self._writing = True
        try:
            yield
        except BaseException:
            if alone:
                self.rollback()
            raise
        if alone:
            self.commit()

    @contextmanager
    def ddl(self, lock_timeout: float) -> Iterator[None]:
        """Around a statement that changes objects: it commits the open transaction first, as Snowflake's does."""
        self.commit()
        self._lock.acquire(self._owner, lock_timeout, self.cancelled)
        try:
            yield
        finally:
            self._lock.release(self._owner)

    def _rollback_duck(self) -> None:
        # A failed COMMIT has ended the transaction already.
        with suppress(duckdb.TransactionException):
            self._duck.execute("ROLLBACK")

    def _end(self) -> None:
        self.open = self._writing = self._lost = False
        self._lock.release(self._owner)
