"""Sources: what one read requests from Gong, and how each record becomes a row of a raw table.

Nothing here knows which asset, job or sensor reads. Reading is in `read.py`, the other raw streams in
`streams.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import cached_property
from typing import Any, Protocol

from gong_assets.dates import DateRange, contiguous_ranges
from gong_assets.gong import (
    GongClient,
    GongQuotaExhausted,
    Page,
    Record,
    Window,
    content_hash,
    validation_error,
)
from gong_assets.ingestion.spool import Row
from gong_assets.warehouse.tables import CALLS, TRANSCRIPTS, RawTable

# Maximum number of IDs shown in metadata, beside their count.
MAX_SHOWN_IDS = 100

Pages = AsyncGenerator[Page, None]


class Source(Protocol):
    """One read. `ranges` are the days that it reads completely; None for an unpartitioned table."""

    @property
    def table(self) -> RawTable: ...
    @property
    def noun(self) -> str: ...
    @property
    def ranges(self) -> Sequence[DateRange] | None: ...
    @property
    def total(self) -> int | None:
        """Expected number of records, if known before the first request."""

    def pages(self, client: GongClient) -> Pages: ...
    def row(self, record: Record) -> Row | None:
        """Return the record's row, or None if the record does not land."""

    def completed_ranges(self, quota_error: GongQuotaExhausted) -> Sequence[DateRange]:
        """Return the days that were read completely before the quota was exhausted."""

    def is_expected_deletion(self, key: str) -> bool:
        """Return True if a missing record is an expected deletion (for example, the call became private)."""

    def metadata(self) -> dict[str, Any]:
        """Return metadata about the records of all days."""

    def metadata_of_day(self, day: date) -> dict[str, Any]:
        """Return metadata about the records of one day."""


@dataclass
class Calls:
    """Calls with all of their content: one window for each range of days."""

    ranges: Sequence[DateRange]
    include_private: bool
    workspace_id: str | None = None
    table = CALLS
    noun = "calls"
    total = None
    private: dict[str, date | None] = field(default_factory=dict)
    outside: list[str] = field(default_factory=list)

    @property
    def windows(self) -> list[Window]:
        return [Window(*days.utc_bounds()) for days in self.ranges]

    def pages(self, client: GongClient) -> Pages:
        return client.calls(*self.windows, workspace_id=self.workspace_id)

    def row(self, record: Record) -> Row | None:
        if self._is_excluded(record):
            self.private[record.id or "?"] = self._call_date(record)
            return None
        call_date = self._call_date(record)
        if call_date is None:
            self.outside.append(record.id or "?")
            return None
        return to_row(record, call_date)

    def date_of_valid(self, record: Record) -> date | None:
        """Return the day on which a valid call lands, or None if it is invalid or does not land."""
        is_valid = record.id is not None and validation_error(record) is None
        return self._call_date(record) if is_valid and not self._is_excluded(record) else None

    def _is_excluded(self, record: Record) -> bool:
        return record.is_private and not self.include_private

    def _call_date(self, record: Record) -> date | None:
        # A record without a start time lands on the first day, with its PROCESSING_ERROR.
        if record.started is None:
            return self.ranges[0].start
        call_date = record.started.astimezone(UTC).date()
        return call_date if any(call_date in days for days in self.ranges) else None

    def completed_ranges(self, quota_error: GongQuotaExhausted) -> Sequence[DateRange]:
        return contiguous_ranges(
            day
            for days in self.ranges
            for day in days
            for start, end in [DateRange.single(day).utc_bounds()]
            if any(window.start <= start and end <= window.end for window in quota_error.completed_windows)
        )

    def is_expected_deletion(self, key: str) -> bool:
        return key in self.private

    def metadata(self) -> dict[str, Any]:
        return {
            "run/window": window_text(self.ranges),
            "run/calls_outside_window": len(self.outside),
            **({"run/calls_outside_window_ids": self.outside[:MAX_SHOWN_IDS]} if self.outside else {}),
        }

    def metadata_of_day(self, day: date) -> dict[str, Any]:
        return {"private_calls_not_landed": self._private_by_day[day]}

    @cached_property
    def _private_by_day(self) -> Counter[date | None]:
        return Counter(self.private.values())


@dataclass
class CallsById:
    """Calls by ID, each with the UTC day on which it started. Nothing else of these days is replaced.

    Attributes:
        first_day: calls of earlier days do not land, because they have no partition.
        found: IDs of the calls that Gong returned, private ones too.
        private: IDs of the private calls, unless they are included.
        too_early: IDs of the calls from before the first day.
        call_dates: the valid calls that land, and their days.
        started: when these calls started (UTC).
    """

    call_ids: Sequence[str]
    include_private: bool
    workspace_id: str | None = None
    first_day: date | None = None
    table = CALLS
    noun = "calls"
    ranges: Sequence[DateRange] = ()
    found: set[str] = field(default_factory=set)
    private: set[str] = field(default_factory=set)
    too_early: list[str] = field(default_factory=list)
    call_dates: dict[str, date] = field(default_factory=dict)
    started: dict[str, datetime] = field(default_factory=dict)

    @property
    def total(self) -> int | None:
        return len(self.call_ids)

    def pages(self, client: GongClient) -> Pages:
        return client.calls_by_id(self.call_ids, workspace_id=self.workspace_id)

    def row(self, record: Record) -> Row | None:
        if record.id is None:
            return None
        self.found.add(record.id)
        if record.is_private and not self.include_private:
            self.private.add(record.id)
            return None
        # A call without a start time has no day: the next read of its days lands it.
        if record.started is None:
            return None
        started = record.started.astimezone(UTC)
        if self.first_day is not None and started.date() < self.first_day:
            self.too_early.append(record.id)
            return None
        if validation_error(record) is None:
            self.call_dates[record.id], self.started[record.id] = started.date(), started
        return to_row(record, started.date())

    @property
    def missing(self) -> list[str]:
        """The calls that Gong did not return."""
        return [call_id for call_id in self.call_ids if call_id not in self.found]

    @property
    def existing(self) -> dict[str, date | None]:
        """The calls that Gong returned and that may be landed, with their days. An invalid one has none."""
        gone = self.private.union(self.too_early)
        return {call_id: self.call_dates.get(call_id) for call_id in self.found - gone}

    def completed_ranges(self, quota_error: GongQuotaExhausted) -> Sequence[DateRange]:
        return ()

    def is_expected_deletion(self, key: str) -> bool:
        return True

    def metadata(self) -> dict[str, Any]:
        missing = self.missing
        return {
            "run/calls": len(self.found),
            "run/calls_not_found": len(missing),
            **({"run/calls_not_found_ids": missing[:MAX_SHOWN_IDS]} if missing else {}),
        }

    def metadata_of_day(self, day: date) -> dict[str, Any]:
        return {}


@dataclass
class Transcripts:
    """Transcripts by call ID.

    Attributes:
        call_dates: the calls, and the days on which their transcripts land.
        started: when calls started, if known.
        landed: returns the days of the calls that are still landed and valid, if that has to be looked up.
            It is called once, when the first transcript arrives.
    """

    ranges: Sequence[DateRange]
    call_dates: dict[str, date]
    started: dict[str, datetime] = field(default_factory=dict)
    landed: Callable[[Sequence[str]], Mapping[str, date]] | None = None
    table = TRANSCRIPTS
    noun = "transcripts"
    found: set[str] = field(default_factory=set)

    @property
    def total(self) -> int | None:
        return len(self.call_dates)

    def pages(self, client: GongClient) -> Pages:
        return client.transcripts(list(self.call_dates))

    def row(self, record: Record) -> Row | None:
        if record.id is None or record.id not in self._landed_dates:
            return None
        self.found.add(record.id)
        return to_row(record, self._landed_dates[record.id])

    @cached_property
    def _landed_dates(self) -> Mapping[str, date]:
        return self.landed(list(self.call_dates)) if self.landed else self.call_dates

    def awaited(self, day: date) -> dict[str, datetime]:
        """Return the calls of the day that have no transcript yet, by ID, with their start (UTC)."""
        midnight = datetime.combine(day, time.min, UTC)
        return {
            call_id: self.started.get(call_id, midnight)
            for call_id in self._calls_by_day.get(day, ())
            if call_id not in self.found
        }

    @cached_property
    def _calls_by_day(self) -> Mapping[date, list[str]]:
        by_day: dict[date, list[str]] = {}
        for call_id, day in self.call_dates.items():
            by_day.setdefault(day, []).append(call_id)
        return by_day

    def completed_ranges(self, quota_error: GongQuotaExhausted) -> Sequence[DateRange]:
        incomplete = {self.call_dates[call_id] for call_id in quota_error.remaining}
        return contiguous_ranges(day for days in self.ranges for day in days if day not in incomplete)

    def is_expected_deletion(self, key: str) -> bool:
        return key not in self.call_dates

    def metadata(self) -> dict[str, Any]:
        return {}

    def metadata_of_day(self, day: date) -> dict[str, Any]:
        missing = list(self.awaited(day))
        return {
            "calls": len(self._calls_by_day.get(day, ())),
            "calls_without_transcript": len(missing),
            **({"calls_without_transcript_ids": missing[:MAX_SHOWN_IDS]} if missing else {}),
        }


def to_row(record: Record, day: date | None) -> Row:
    """Return the record as a row; an invalid record gets a `processing_error`."""
    digest = content_hash(record.raw)
    return Row(
        # A record without an ID lands under an ID derived from its content.
        key=record.id or f"unidentified-{digest[:16]}",
        payload=record.raw,
        day=day,
        content_hash=digest,
        processing_error=validation_error(record),
    )


def window_text(ranges: Iterable[DateRange]) -> str:
    return ", ".join(map(str, ranges)) + " (UTC)"
