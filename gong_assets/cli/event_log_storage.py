"""Dagster's event log in SQLite files, with connections that stay open.

Dagster's own class opens a connection, and compiles each statement again, for every event. A run over one day
stores about 900 events, most of them of asset checks.
"""

from __future__ import annotations

import os
import sqlite3
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS

# A file for each run that is read or written, and one for all assets. Each has a log of up to 4 MB.
MAX_OPEN_FILES = 4


class PooledSqliteEventLogStorage(SqliteEventLogStorage):
    """Dagster's default event log storage, with at most four open connections for each process."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # The process is part of the key: a connection of SQLite must not be used after a fork.
        self._engines: OrderedDict[tuple[int, str], sa.Engine] = OrderedDict()
        self._tables: set[str] = set()
        super().__init__(*args, **kwargs)

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> PooledSqliteEventLogStorage:
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sa.Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection

    def has_table(self, table_name: str) -> bool:
        # Called while the connection is in use.
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def dispose(self) -> None:
        super().dispose()
        with self._db_lock:
            while self._engines:
                self._engines.popitem()[1].dispose()

    def _engine(self, shard: str) -> sa.Engine:
        key = os.getpid(), shard
        if key in self._engines:
            self._engines.move_to_end(key)
            return self._engines[key]
        engine = self._engines[key] = sa.create_engine(
            self.conn_string_for_shard(shard),
            # One connection, used by one thread at a time.
            poolclass=sa.pool.StaticPool,
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
        )
        # In WAL mode a power failure can lose the last events, but cannot damage the file.
        sa.event.listen(engine, "connect", _set_synchronous)
        if len(self._engines) > MAX_OPEN_FILES:
            self._engines.popitem(last=False)[1].dispose()
        return engine


def _set_synchronous(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")
