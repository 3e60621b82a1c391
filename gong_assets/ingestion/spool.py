"""Spool: records buffered in Parquet files on disk until they land, so that memory stays bounded.

The files have transcripts. A spool's directory has a lock that ends with its process, and each new spool
removes the directories of processes that were killed.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from gong_assets.warehouse.landing import RowVersion

# A file is closed when it holds about this much JSON. The warehouse loads files in parallel, and only one row
# group of this size is in memory at a time.
FILE_BYTES = 32 * 1024 * 1024
# Rows become Arrow batches after this much JSON, so that a file's rows are not in memory twice while it is
# written.
BATCH_BYTES = 1024 * 1024

# Up to this many rows, a landing compares the spool with the table before it uploads anything.
MAX_COMPARED_ROWS = 20_000
PREFIX = "gong_assets-"
LOCK_FILE = "lock"
# A directory without a lock is that of an older version, or of a process that is about to lock it.
UNLOCKED_SECONDS = 3600

SCHEMA = pa.schema(
    [
        ("KEY", pa.string()),
        ("PAYLOAD", pa.string()),
        ("DAY", pa.date32()),
        ("CONTENT_HASH", pa.string()),
        ("PROCESSING_ERROR", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Row:
    """One record, with its JSON in UTF-8.

    `day` is the value of the partition column, or None if there is none.
    """

    key: str
    payload: bytes
    day: date | None
    content_hash: str
    processing_error: str | None

    @property
    def version(self) -> RowVersion:
        """What makes the row differ from an older one with the same key: content, error and day."""
        return self.content_hash, self.processing_error, self.day.isoformat() if self.day else None


class Spool:
    """Buffer of the rows of one landing in Parquet files.

    The files may be read after `close`. A spool owns a temporary directory, which `discard` removes.
    """

    def __init__(self) -> None:
        _remove_abandoned()
        self.directory = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._lock = FileLock(self.directory / LOCK_FILE)
        self._lock.acquire()
        self.rows = 0
        self.rows_by_day: Counter[date | None] = Counter()
        self.bytes_by_day: Counter[date | None] = Counter()
        self.errors_by_day: Counter[date | None] = Counter()
        self._versions: dict[str, RowVersion] = {}
        self._rows: list[Row] = []
        self._rows_bytes = 0
        self._batches: list[pa.RecordBatch] = []
        self._batches_bytes = 0
        self._files = 0
        self._writer = ThreadPoolExecutor(1)
        self._writing: Future[None] | None = None

    def append(self, row: Row) -> None:
        self._rows.append(row)
        size = len(row.payload)
        self._rows_bytes += size
        self.rows += 1
        self.rows_by_day[row.day] += 1
        self.bytes_by_day[row.day] += size
        if row.processing_error is not None:
            self.errors_by_day[row.day] += 1
        if self.rows <= MAX_COMPARED_ROWS:
            self._versions[row.key] = row.version
        else:
            self._versions.clear()
        if self._rows_bytes + self._batches_bytes >= FILE_BYTES:
            self._write()
        elif self._rows_bytes >= BATCH_BYTES:
            self._pack()

    def close(self) -> None:
        if self._rows or self._batches:
            self._write()
        self._wait()

    def _pack(self) -> None:
        columns = {
            "KEY": [row.key for row in self._rows],
            "PAYLOAD": [row.payload for row in self._rows],
            "DAY": [row.day for row in self._rows],
            "CONTENT_HASH": [row.content_hash for row in self._rows],
            "PROCESSING_ERROR": [row.processing_error for row in self._rows],
        }
        self._batches.append(pa.record_batch(columns, SCHEMA))
        self._batches_bytes += self._rows_bytes
        self._rows, self._rows_bytes = [], 0

    def _write(self) -> None:
        self._pack()
        table = pa.Table.from_batches(self._batches, SCHEMA)
        self._wait()
        file = self.directory / f"part-{self._files:05}.parquet"
        self._writing = self._writer.submit(pq.write_table, table, file, compression="zstd")
        self._files += 1
        self._batches, self._batches_bytes = [], 0

    def _wait(self) -> None:
        """Wait for the previous file; one file is written while the rows of the next one arrive."""
        if self._writing is not None:
            self._writing.result()
            self._writing = None

    @property
    def bytes(self) -> int:
        return self.bytes_by_day.total()

    @property
    def errors(self) -> int:
        return self.errors_by_day.total()

    @property
    def versions(self) -> dict[str, RowVersion] | None:
        """The version of each row by key, or None if there are more than MAX_COMPARED_ROWS rows."""
        return self._versions if self.rows <= MAX_COMPARED_ROWS else None

    def files(self) -> list[Path]:
        return sorted(self.directory.glob("part-*.parquet"))

    def discard(self) -> None:
        self._writer.shutdown()
        shutil.rmtree(self.directory, ignore_errors=True)
        self._lock.release()


def _remove_abandoned() -> None:
    """Remove the spools of processes that were killed."""
    for directory in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            if directory.is_symlink():
                continue
            if not (directory / LOCK_FILE).exists():
                if time.time() - directory.stat().st_mtime > UNLOCKED_SECONDS:
                    shutil.rmtree(directory, ignore_errors=True)
                continue
            with FileLock(directory / LOCK_FILE, timeout=0):
                shutil.rmtree(directory, ignore_errors=True)
        # filelock's Timeout is an OSError: a living process has the lock. Others come from a directory that
        # another process removes at this moment, and from a file system without locks.
        except (OSError, NotImplementedError):
            continue
