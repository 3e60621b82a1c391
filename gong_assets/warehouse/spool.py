"""Records on their way into a raw table: written to Parquet files on disk, so that memory stays bounded."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from gong_assets.warehouse.landing import Days

# A file is closed when it holds about this much JSON. The warehouse loads files in parallel, and one row group of this
# size is all that is in memory at a time.
FILE_BYTES = 32 * 1024 * 1024
# After this much of it rows become Arrow's: so a file's rows are not there twice when it is written.
BATCH_BYTES = 1024 * 1024

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
    """One record. `payload` is its JSON in UTF-8; `day` the value of the table's partition column, None without one."""

    key: str
    payload: bytes
    day: date | None
    content_hash: str
    processing_error: str | None


class Spool:
    """Collects the rows of one write; `files` may be read when `close` was called.

    A spool owns a temporary directory, which `discard` removes.

    Args:
        days: the days that it holds whole, and that the write therefore replaces; None for a table without partitions.
    """

    def __init__(self, days: Sequence[Days] | None = None) -> None:
        self.days = days
        self.holds_more = False
        """Whether there are rows of other days too, which do not land."""
        self.unread: str | None = None
        """Why nothing was read at all: the table stays as it is."""
        self.knows_to_be_gone: Callable[[str], bool] = lambda key: False
        """Whether a record that is not here is known not to belong into the table any more."""
        self.max_vanished_share = 1.0
        self.directory = Path(tempfile.mkdtemp(prefix="gong_assets-"))
        self.rows = 0
        self.bytes = 0
        self.errors = 0
        self.rows_by_day: Counter[date | None] = Counter()
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
        self.bytes += size
        self.errors += row.processing_error is not None
        self.rows_by_day[row.day] += 1
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
        """One file at a time is being written while the next one's rows come."""
        if self._writing is not None:
            self._writing.result()
            self._writing = None

    def keep(self, days: Sequence[Days]) -> None:
        """Only these days are whole: the others' rows do not land."""
        self.days = days
        self.holds_more = True

    def files(self) -> list[Path]:
        return sorted(self.directory.glob("part-*.parquet"))

    def discard(self) -> None:
        self._writer.shutdown()
        shutil.rmtree(self.directory, ignore_errors=True)
