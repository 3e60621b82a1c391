"""Records on their way into a raw table: written to Parquet files on disk, so that memory stays bounded."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

# A file is closed when it holds about this much JSON. The warehouse loads files in parallel, and one row group of this
# size is all that is in memory at a time.
FILE_BYTES = 32 * 1024 * 1024

SCHEMA = pa.schema(
    [
        ("KEY", pa.string()),
        ("PAYLOAD", pa.string()),
        ("CALL_DATE", pa.date32()),
        ("CONTENT_HASH", pa.string()),
        ("PROCESSING_ERROR", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Row:
    key: str
    payload: str
    call_date: date | None
    content_hash: str
    processing_error: str | None


class Spool:
    """Collects the rows of one write; `files` may be read when `close` was called.

    A spool owns a temporary directory, which `discard` removes.
    """

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="gong_assets-"))
        self.rows = 0
        self.bytes = 0
        self.errors = 0
        self.rows_by_date: Counter[date | None] = Counter()
        self._pending: list[Row] = []
        self._pending_bytes = 0
        self._files = 0

    def append(self, row: Row) -> None:
        self._pending.append(row)
        size = len(row.payload)
        self._pending_bytes += size
        self.rows += 1
        self.bytes += size
        self.errors += row.processing_error is not None
        self.rows_by_date[row.call_date] += 1
        if self._pending_bytes >= FILE_BYTES:
            self._write()

    def close(self) -> None:
        if self._pending:
            self._write()

    def _write(self) -> None:
        rows = self._pending
        columns = {
            "KEY": [row.key for row in rows],
            "PAYLOAD": [row.payload for row in rows],
            "CALL_DATE": [row.call_date for row in rows],
            "CONTENT_HASH": [row.content_hash for row in rows],
            "PROCESSING_ERROR": [row.processing_error for row in rows],
        }
        table = pa.table(columns, schema=SCHEMA)
        pq.write_table(table, self.directory / f"part-{self._files:05}.parquet", compression="zstd")
        self._files += 1
        self._pending, self._pending_bytes = [], 0

    def files(self) -> list[Path]:
        return sorted(self.directory.glob("part-*.parquet"))

    def discard(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)
