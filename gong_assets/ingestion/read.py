"""Reading of a source into a spool, and landing of a spool in its raw table, for all raw assets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, date
from functools import partial
from typing import TYPE_CHECKING, Any

from gong_assets.dates import DateRange
from gong_assets.gong import (
    GongClient,
    GongError,
    GongPermissionError,
    GongQuotaExhausted,
    Page,
    Record,
    RequestStats,
    TranscriptPage,
    blocking,
)
from gong_assets.ingestion.landing_metadata import LandingMetadata
from gong_assets.ingestion.sources import Calls, Pages, Source, Transcripts
from gong_assets.ingestion.spool import Spool
from gong_assets.warehouse.deletions import UNGUARDED, DeletionPolicy
from gong_assets.warehouse.landing import replace
from gong_assets.warehouse.tables import CALLS, RawTable

if TYPE_CHECKING:
    from gong_assets.warehouse.connection import Warehouse


OnPage = Callable[[Page], None]


@dataclass(frozen=True)
class ReadResult:
    """The records of one read, in a spool that `land` discards."""

    spool: Spool
    stats: RequestStats
    ranges: Sequence[DateRange] | None
    """The days that were read completely; None for an unpartitioned table."""
    deletions: DeletionPolicy = UNGUARDED
    quota_error: GongQuotaExhausted | None = None
    """Why the read ended early."""
    has_incomplete_days: bool = False
    """True if the spool also holds rows of days outside `ranges`, which must not land."""
    skip_reason: str | None = None
    """Why nothing was read: the key lacks a scope. The table stays as it is."""

    @property
    def completed_days(self) -> list[date]:
        return [day for days in self.ranges or () for day in days]


def read_source(
    client: GongClient,
    source: Source,
    on_page: OnPage = lambda page: None,
    *,
    max_deleted_fraction: float = 1.0,
) -> ReadResult:
    """Read a source to its end, or until Gong's quota is exhausted.

    A missing scope does not raise (except for calls); the result then has a `skip_reason`.

    Raises:
        GongError: nothing is kept.
    """
    spool = Spool()
    try:
        quota_error = _fill([spool], client, source.pages(client), on_page, lambda page: (source, spool))
    except GongPermissionError as error:
        if error.scope is None or source.table is CALLS:
            raise
        return ReadResult(spool, client.stats, source.ranges, skip_reason=str(error))
    return _result(source, spool, client.stats, max_deleted_fraction, quota_error)


def read_calls_with_transcripts(
    client: GongClient,
    calls: Calls,
    on_page: OnPage = lambda page: None,
    *,
    max_deleted_fraction: float = 1.0,
) -> tuple[ReadResult, Transcripts, ReadResult | GongError]:
    """Read calls, and request the transcripts of the valid ones while calls are still being read.

    Returns the calls, the source of the transcripts, and the transcripts: a GongError if they could not be
    read, and a result with a `skip_reason` if the key lacks their scope. The requests of both are counted
    with the calls.

    Raises:
        GongError: the calls could not be read; nothing is kept.
    """
    transcripts = Transcripts(calls.ranges, {})
    calls_spool, transcripts_spool = Spool(), Spool()
    reader = client.calls_with_transcripts(
        *calls.windows, workspace_id=calls.workspace_id, wants_transcript=partial(_expect, transcripts, calls)
    )

    def route(page: Page) -> tuple[Source, Spool]:
        return (transcripts, transcripts_spool) if isinstance(page, TranscriptPage) else (calls, calls_spool)

    quota_error = _fill([calls_spool, transcripts_spool], client, reader.pages(), on_page, route)
    read_calls = _result(calls, calls_spool, client.stats, max_deleted_fraction, quota_error)
    error = reader.transcripts_error
    if error is not None:
        transcripts_spool.discard()
        if not isinstance(error, GongPermissionError) or error.scope is None:
            return read_calls, transcripts, error
        skipped = ReadResult(transcripts_spool, RequestStats(), calls.ranges, skip_reason=str(error))
        return read_calls, transcripts, skipped
    # Only days whose calls were read completely can be complete.
    transcripts.ranges = read_calls.ranges or ()
    result = _result(transcripts, transcripts_spool, RequestStats(), max_deleted_fraction, quota_error)
    return read_calls, transcripts, result


def _expect(transcripts: Transcripts, calls: Calls, record: Record) -> bool:
    """Return True if the call needs a transcript, and note the day on which the transcript lands."""
    day = calls.date_of_valid(record)
    if day is not None and record.id is not None:
        transcripts.call_dates[record.id] = day
        if record.started is not None:
            transcripts.started[record.id] = record.started.astimezone(UTC)
    return day is not None


def _fill(
    spools: Sequence[Spool],
    client: GongClient,
    pages: Pages,
    on_page: OnPage,
    route: Callable[[Page], tuple[Source, Spool]],
) -> GongQuotaExhausted | None:
    """Fill the spools; return the error if Gong's quota was exhausted before the end.

    Any other error discards the spools.
    """

    async def read() -> GongQuotaExhausted | None:
        async with client, aclosing(pages):
            return await _consume(pages, on_page, route)

    try:
        quota_error = blocking.run(read())
        for spool in spools:
            spool.close()
    except BaseException:
        for spool in spools:
            spool.discard()
        raise
    return quota_error


async def _consume(
    pages: Pages, on_page: OnPage, route: Callable[[Page], tuple[Source, Spool]]
) -> GongQuotaExhausted | None:
    """Append the rows of each page to its spool; return the error if Gong's quota was exhausted."""
    try:
        async for page in pages:
            source, spool = route(page)
            for record in page.records:
                if (row := source.row(record)) is not None:
                    spool.append(row)
            on_page(page)
    except GongQuotaExhausted as error:
        return error
    return None


def _result(
    source: Source,
    spool: Spool,
    stats: RequestStats,
    max_deleted_fraction: float,
    quota_error: GongQuotaExhausted | None,
) -> ReadResult:
    return ReadResult(
        spool,
        stats,
        source.completed_ranges(quota_error) if quota_error else source.ranges,
        DeletionPolicy(max_deleted_fraction, source.is_expected_deletion),
        quota_error,
        has_incomplete_days=quota_error is not None and bool(source.ranges),
    )


def land(warehouse: Warehouse, table: RawTable, result: ReadResult, run_id: str) -> LandingMetadata:
    """Land the result in the table, discard its spool, and return metadata about the landing.

    Raises:
        WarehouseError: nothing was changed.
    """
    spool = result.spool
    try:
        if result.skip_reason is not None:
            return LandingMetadata({"skip_reason": result.skip_reason})
        with warehouse.connect() as connection:
            landed = replace(
                connection,
                table,
                spool,
                ranges=result.ranges,
                correlation_id=run_id,
                deletions=result.deletions,
                has_rows_outside_ranges=result.has_incomplete_days,
            )
    finally:
        spool.discard()
    return LandingMetadata.of_landed(
        landed,
        warehouse.qualified(table.name),
        records=spool.rows_by_day,
        records_with_processing_error=spool.errors_by_day,
        json_bytes=spool.bytes_by_day,
    )


def request_metadata(stats: RequestStats) -> dict[str, Any]:
    """Return metadata about the requests of a read, which belong to all days of the run."""
    metadata = {
        "run/gong_requests": stats.requests,
        "run/gong_retries": stats.retries,
        "run/gong_bytes_received": stats.bytes,
        "run/gong_seconds_waited_on_limit": round(stats.seconds_waited, 1),
    }
    left = stats.requests_left_today
    return metadata if left is None else {**metadata, "run/gong_requests_left_today": left}
