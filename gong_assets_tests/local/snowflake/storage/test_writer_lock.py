"""The writer lock."""

from __future__ import annotations

import threading
from typing import cast

import duckdb
import pytest

from gong_assets.local.snowflake.errors import SnowflakeError
from gong_assets.local.snowflake.storage.transaction import Transaction
from gong_assets.local.snowflake.storage.writer_lock import WriterLock


def test_only_the_owner_can_acquire_the_lock_again() -> None:
    lock, never = WriterLock(), threading.Event()
    lock.acquire("one", 0, never)
    lock.acquire("one", 0, never)

    with pytest.raises(SnowflakeError, match="the transaction of one"):
        lock.acquire("other", 0, never)


def test_only_the_owner_can_release_the_lock() -> None:
    lock, never = WriterLock(), threading.Event()
    lock.acquire("one", 0, never)

    lock.release("other")

    with pytest.raises(SnowflakeError):
        lock.acquire("other", 0, never)
    lock.release("one")
    lock.acquire("other", 0, never)


def test_a_cancelled_waiter_stops_waiting() -> None:
    lock, cancelled = WriterLock(), threading.Event()
    lock.acquire("one", 0, threading.Event())
    cancelled.set()

    with pytest.raises(SnowflakeError, match="canceled"):
        lock.acquire("other", 60, cancelled)


def test_a_transaction_that_cannot_begin_releases_the_lock() -> None:
    class Interrupted:
        def execute(self, sql: str) -> None:
            raise duckdb.InterruptException(sql)

    lock = WriterLock()
    transaction = Transaction(cast("duckdb.DuckDBPyConnection", Interrupted()), lock, "interrupted")
    with pytest.raises(duckdb.InterruptException), transaction.dml(1):
        pass
    lock.acquire("another", 0, threading.Event())
