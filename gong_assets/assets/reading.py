"""From Gong's pages to a spool: what everything that reads Gong shares.

A source says what is asked for some days, and how an answer becomes rows; reading it is the same for all. Nothing here
knows whether an asset, a job or a sensor reads. How Gong is read is in `gong_assets/gong`, how a spool lands in
`gong_assets/warehouse`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, date
from typing import Any, Protocol

from gong_assets.gong import (
    GongClient,
    GongPermissionError,
    GongQuotaExhausted,
    Page,
    Record,
    RequestStats,
    Window,
    content_hash,
    validation_error,
)
from gong_assets.partitions import bounds, spans
from gong_assets.warehouse.landing import Days
from gong_assets.warehouse.spool import Row, Spool
from gong_assets.warehouse.tables import CALLS, TRANSCRIPTS, RawTable

# How many ids metadata shows before it says only how many there are.
SHOWN_IDS = 100

Pages = AsyncGenerator[Page, None]


class Source(Protocol):
    """What one read is about. `days` are those that it reads whole; None for a table without partitions."""

    @property
    def table(self) -> RawTable: ...
    @property
    def noun(self) -> str: ...
    @property
    def days(self) -> Sequence[Days] | None: ...
    @property
    def total(self) -> int | None:
        """How many records to expect, where that is known before Gong is asked."""

    def pages(self, client: GongClient) -> Pages: ...
    def row(self, record: Record) -> Row | None:
        """None for a record that does not land."""

    def finished(self, stopped: GongQuotaExhausted) -> Sequence[Days]:
        """The days that were read whole before the quota ended."""

    def knows_to_be_gone(self, key: str) -> bool:
        """Whether a record that the table holds, and that was not read, is known not to belong there any more."""

    def metadata(self) -> dict[str, Any]:
        """What there is to say about what was read."""


@dataclass
class Calls:
    """Calls with everything that Gong knows of them: one window for each span of days."""

    days: Sequence[Days]
    include_private: bool
    workspace_id: str | None = None
    table = CALLS
    noun = "calls"
    total = None
    private: set[str] = field(default_factory=set)
    outside: list[str] = field(default_factory=list)
    _done: list[Days] = field(default_factory=list)

    async def pages(self, client: GongClient) -> Pages:
        for span in self.days:
            async with aclosing(client.calls(Window(*bounds(span)), workspace_id=self.workspace_id)) as pages:
                async for page in pages:
                    yield page
            self._done.append(span)

    def row(self, record: Record) -> Row | None:
        if record.is_private and not self.include_private:
            self.private.add(record.id or "?")
            return None
        call_date = self._call_date(record)
        if call_date is None:
            self.outside.append(record.id or "?")
            return None
        return landed_row(record, call_date)

    def _call_date(self, record: Record) -> date | None:
        # A record without a time lands on the window's first day, with its PROCESSING_ERROR.
        if record.started is None:
            return self.days[0].first
        call_date = record.started.astimezone(UTC).date()
        return call_date if any(span.first <= call_date < span.end for span in self.days) else None

    def finished(self, stopped: GongQuotaExhausted) -> Sequence[Days]:
        read = [*((bounds(span)) for span in self._done), *((each.start, each.end) for each in stopped.completed_windows)]
        return spans(
            day
            for span in self.days
            for day in span
            for begin, end in [bounds(Days.of(day))]
            if any(first <= begin and end <= last for first, last in read)
        )

    def knows_to_be_gone(self, key: str) -> bool:
        return key in self.private

    def metadata(self) -> dict[str, Any]:
        return {
            "window": window_text(self.days),
            "private_calls_not_landed": len(self.private),
            "calls_outside_window": len(self.outside),
            **({"calls_outside_window_ids": self.outside[:SHOWN_IDS]} if self.outside else {}),
        }


@dataclass
class Transcripts:
    """The transcripts of landed calls, by call id; `call_dates` says which there are, and on which days they land."""

    days: Sequence[Days]
    call_dates: dict[str, date]
    table = TRANSCRIPTS
    noun = "transcripts"
    found: set[str] = field(default_factory=set)

    @property
    def total(self) -> int | None:
        return len(self.call_dates)

    def pages(self, client: GongClient) -> Pages:
        return client.transcripts(list(self.call_dates))

    def row(self, record: Record) -> Row | None:
        if record.id not in self.call_dates:
            return None
        self.found.add(record.id)
        return landed_row(record, self.call_dates[record.id])

    def finished(self, stopped: GongQuotaExhausted) -> Sequence[Days]:
        unread = {self.call_dates[call_id] for call_id in stopped.remaining}
        return spans(day for span in self.days for day in span if day not in unread)

    def knows_to_be_gone(self, key: str) -> bool:
        return key not in self.call_dates

    def metadata(self) -> dict[str, Any]:
        missing = [call_id for call_id in self.call_dates if call_id not in self.found]
        return {
            "calls": len(self.call_dates),
            "calls_without_transcript": len(missing),
            **({"calls_without_transcript_ids": missing[:SHOWN_IDS]} if missing else {}),
        }


@dataclass
class Reading:
    """What was read. After a stop the spool keeps the finished days only, and `spool.days` says which."""

    spool: Spool
    stats: RequestStats
    stopped: GongQuotaExhausted | None = None


def read(
    client: GongClient,
    source: Source,
    on_page: Callable[[Page], None] = lambda page: None,
    *,
    max_vanished_share: float = 1.0,
) -> Reading:
    """Read a source to its end, or to that of Gong's quota.

    A scope that the key does not have makes an unread spool, which leaves the table as it is.

    Raises:
        GongError: nothing is kept.
    """
    spool = Spool(source.days)
    spool.knows_to_be_gone = source.knows_to_be_gone
    spool.max_vanished_share = max_vanished_share

    async def run() -> RequestStats:
        async with client, aclosing(source.pages(client)) as pages:
            try:
                async for page in pages:
                    for record in page.records:
                        if (row := source.row(record)) is not None:
                            spool.append(row)
                    on_page(page)
            except GongQuotaExhausted as error:
                stopped.append(error)
            return client.stats

    stopped: list[GongQuotaExhausted] = []
    try:
        stats = asyncio.run(run())
        spool.close()
    except GongPermissionError as error:
        spool.discard()
        if error.scope is None or source.table is CALLS:
            raise
        spool.unread = str(error)
        return Reading(spool, client.stats)
    except BaseException:
        spool.discard()
        raise
    if stopped:
        spool.keep(source.finished(stopped[0]))
    return Reading(spool, stats, stopped[0] if stopped else None)


def landed_row(record: Record, day: date | None) -> Row:
    digest = content_hash(record.raw)
    return Row(
        # A record without an id still lands, under one that its content gives.
        key=record.id or f"unidentified-{digest[:16]}",
        payload=record.raw,
        day=day,
        content_hash=digest,
        processing_error=validation_error(record),
    )


def request_metadata(stats: RequestStats) -> dict[str, Any]:
    metadata = {
        "gong_requests": stats.requests,
        "gong_retries": stats.retries,
        "gong_bytes_received": stats.bytes,
        "gong_seconds_waited_on_limit": round(stats.seconds_waited, 1),
    }
    left = stats.requests_left_today
    return metadata if left is None else {**metadata, "gong_requests_left_today": left}


def window_text(days: Iterable[Days]) -> str:
    return ", ".join(map(str, days)) + " (UTC)"
