"""Dagster's event log in SQLite files, with connections that stay open, and batches of events.

Dagster's own class opens a connection, and compiles each statement again, for every event. A run over one day
stores about 1,100 events, most of them of asset checks, and a run over a range one for each model and day.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import dagster as dg
import sqlalchemy as sa
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqlEventLogStorageTable, SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS

# A file for each run that is read or written, and one for all assets. Each has a log of up to 4 MB.
MAX_OPEN_FILES = 4
# Dagster passes events in batches if this variable has the largest number of events in one.
BATCH_SIZE_VARIABLE, BATCH_SIZE = "DAGSTER_EVENT_BATCH_SIZE", "1000"


class PooledSqliteEventLogStorage(SqliteEventLogStorage):
    """Dagster's default event log storage, with at most four open connections for each process."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # The process is part of the key: a connection of SQLite must not be used after a fork.
        self._engines: OrderedDict[tuple[int, str], sa.Engine] = OrderedDict()
        self._open: dict[str, sa.Connection] = {}  # of the thread that holds the lock
        self._tables: set[str] = set()
        super().__init__(*args, **kwargs)
        self._db_lock = threading.RLock()  # type: ignore[assignment]  # a batch connects again
        os.environ.setdefault(BATCH_SIZE_VARIABLE, BATCH_SIZE)

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> PooledSqliteEventLogStorage:
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sa.Connection]:
        with self._db_lock:
            if shard in self._open:
                yield self._open[shard]
                return
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                self._open[shard] = connection
                try:
                    yield connection
                finally:
                    del self._open[shard]

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events about the assets and checks of a run, in one transaction for each file."""
        rows = [self._event_to_row(event) for event in events]
        insert = SqlEventLogStorageTable.insert()
        ids = insert.returning(SqlEventLogStorageTable.c.id, sort_by_parameter_order=True)
        with self._connect(events[0].run_id) as run, self._connect(INDEX_SHARD_NAME) as index:
            run.execute(insert, rows)
            event_ids: Sequence[int] = index.execute(ids, rows).scalars().all()
            last: dict[dg.AssetKey | None, tuple[EventLogEntry, int]] = {}
            for event, event_id in zip(events, event_ids, strict=True):
                if event.dagster_event_type in ASSET_CHECK_EVENTS:
                    self.store_asset_check_event(event, event_id)
                elif event.dagster_event_type in ASSET_EVENTS:
                    self._store_asset_event_tags(index, [event], [event_id])
                    last[event.get_dagster_event().asset_key] = event, event_id
            for event, event_id in last.values():  # The table of assets has the last event of each.
                self._store_asset_event(index, event, event_id)

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
