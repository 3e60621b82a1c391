"""Reconciliation: find the days whose landed calls differ from Gong's list.

A call that is deleted, made private, renamed or finished weeks after it took place lies behind the lookback
of every sync, and Gong has neither a filter for changes nor a list of deletions. So the IDs and basic fields
of a long range are listed (one cheap request for each 100 calls) and compared with the landed calls; the days
that differ are read again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, timedelta
from functools import cached_property
from typing import Any

import msgspec

from gong_assets.dates import DateRange
from gong_assets.gong import GongClient, GongQuotaExhausted, Record, Window
from gong_assets.ingestion.sources import MAX_SHOWN_IDS, Pages, window_text
from gong_assets.ingestion.spool import Row
from gong_assets.warehouse.tables import CALLS, RawTable

# Fields of both GET /v2/calls and `metaData` of POST /v2/calls/extensive that may change.
FIELDS = (
    "title",
    "started",
    "scheduled",
    "duration",
    "primaryUserId",
    "direction",
    "scope",
    "media",
    "language",
    "workspaceId",
    "purpose",
    "isPrivate",
    "sdrDisposition",
    "clientUniqueId",
    "customData",
)

# GET /v2/calls filters web conferences by their scheduled time, so those that started on another day are
# listed around the range.
MARGIN = timedelta(days=1)


@dataclass(frozen=True)
class BasicCall:
    """One call as it is compared: its day, and the FIELDS as text."""

    day: date
    fields: tuple[str | None, ...]


@dataclass
class Difference:
    """Call IDs that differ on one day."""

    new: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)


def differences(
    listed: Mapping[str, BasicCall],
    landed: Mapping[str, BasicCall],
    transcripts_without_call: Mapping[str, date],
) -> dict[date, Difference]:
    """Return the days whose landed calls differ from Gong's, oldest first.

    A call that moved to another day differs on both days. A call of which only the transcript is landed has
    gone, unless it is new.
    """
    days: defaultdict[date, Difference] = defaultdict(Difference)
    for call_id in listed.keys() | landed.keys():
        here, there = landed.get(call_id), listed.get(call_id)
        if here is None and there is not None:
            days[there.day].new.append(call_id)
        elif there is None and here is not None:
            days[here.day].gone.append(call_id)
        elif here is not None and there is not None and here != there:
            days[here.day].changed.append(call_id)
            if here.day != there.day:
                days[there.day].changed.append(call_id)
    for call_id, day in transcripts_without_call.items():
        if call_id not in listed:
            days[day].gone.append(call_id)
    return dict(sorted(days.items()))


def difference_metadata(difference: Difference) -> dict[str, Any]:
    """Return the number of differences of a day, and the IDs of the first ones of each kind."""
    found = vars(difference)
    shown = {kind: sorted(ids)[:MAX_SHOWN_IDS] for kind, ids in found.items() if ids}
    return {**{f"calls_{kind}": len(ids) for kind, ids in found.items()}, "differences": shown}


@dataclass
class CallListing:
    """A source of the basic fields of a range's calls. It has no rows: nothing lands."""

    days: DateRange
    include_private: bool
    workspace_id: str | None
    table: RawTable = CALLS
    noun: str = "calls listed"
    total: int | None = None
    ranges: None = None
    calls: dict[str, BasicCall] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)

    def pages(self, client: GongClient) -> Pages:
        start, end = self.days.utc_bounds()
        return client.list_calls(Window(start - MARGIN, end + MARGIN), workspace_id=self.workspace_id)

    def row(self, record: Record) -> Row | None:
        if record.is_private and not self.include_private:
            self.private.add(record.id or "?")
        elif record.id and record.started:
            day = record.started.astimezone(UTC).date()
            if day in self.days:
                self.calls[record.id] = BasicCall(day, _fields(record))
        return None

    def completed_ranges(self, quota_error: GongQuotaExhausted) -> list[DateRange]:
        return []

    def is_expected_deletion(self, key: str) -> bool:
        return key in self.private

    def metadata(self) -> dict[str, Any]:
        return {"run/window": window_text([self.days])}

    def metadata_of_day(self, day: date) -> dict[str, Any]:
        return {"calls_listed": self._calls_by_day[day]}

    @cached_property
    def _calls_by_day(self) -> Counter[date]:
        return Counter(call.day for call in self.calls.values())


def _fields(record: Record) -> tuple[str | None, ...]:
    basic: dict[str, Any] = msgspec.json.decode(record.raw)
    return tuple(_text(basic.get(name)) for name in FIELDS)


def _text(value: Any) -> str | None:
    """Return the text to which Snowflake casts the value as a VARIANT."""
    return value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()
