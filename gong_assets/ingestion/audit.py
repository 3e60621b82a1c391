"""Audit of another product's calls and transcripts: what it lost, kept by mistake, or has not updated.

Pure functions of Gong's list and of the landed rows. `defs/assets/source_audit.py` reads and heals.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zlib import crc32

from gong_assets.ingestion.reconciliation import FIELDS, BasicCall
from gong_assets.ingestion.sources import MAX_SHOWN_IDS

_TIMES = frozenset({"started", "scheduled"})

KINDS: Mapping[str, str] = {
    "lost_calls": "in Gong, and not landed",
    "lost_transcripts": "Gong has a transcript, and none is landed",
    "kept_calls": "landed, and deleted or private in Gong",
    "stale_calls": "landed with other basic fields than in Gong",
    "stale_content": "landed with other content than in Gong; only a part of the calls is compared",
    "wrong_days": "landed on another day than that of the call",
}


@dataclass(frozen=True)
class LandedCall:
    """A landed call as the audit compares it. An invalid one has a PROCESSING_ERROR."""

    basic: BasicCall
    source: str
    is_valid: bool = True


@dataclass
class RequestsByDay:
    """The requests of an audit. A request for records of several days is divided between them."""

    by_day: defaultdict[date, float] = field(default_factory=lambda: defaultdict(float))
    by_check: Counter[str] = field(default_factory=Counter)

    def add(self, check: str, requests: int, days: Iterable[date]) -> None:
        """Count the requests of a check, which read one record of each of these days, with repetitions."""
        records = Counter(days)
        self.by_check[check] += requests
        for day, count in records.items():
            self.by_day[day] += requests * count / records.total()


@dataclass
class Audit:
    """Findings: the call IDs of each kind, with their days and the source that has or lacks them."""

    found: dict[str, dict[str, tuple[date, str]]] = field(
        default_factory=lambda: {kind: {} for kind in KINDS}
    )
    calls_in_gong: int = 0
    calls_landed: int = 0
    calls_to_land: int = 0
    """Calls that the source has, and that no run has landed yet."""
    landed_by: Counter[tuple[date, str]] = field(default_factory=Counter)
    """Landed calls by day and source."""

    def add(self, kind: str, call_id: str, day: date, source: str) -> None:
        self.found[kind][call_id] = (day, source)

    def move_existing(self, existing: Mapping[str, date | None]) -> None:
        """Report kept calls that Gong still returns by ID as calls of another day.

        Args:
            existing: the calls that Gong returned, and their days. One that is invalid by now has no day, and
                its landed row stays as it is.
        """
        for call_id in sorted(self.found["kept_calls"].keys() & existing.keys()):
            _, source = self.found["kept_calls"].pop(call_id)
            if day := existing[call_id]:
                self.add("wrong_days", call_id, day, source)

    def has(self, call_id: str) -> bool:
        """Return whether there is a finding for the call."""
        return any(call_id in ids for ids in self.found.values())

    @property
    def count(self) -> int:
        return sum(map(len, self.found.values()))

    @property
    def calls_to_read(self) -> dict[str, date]:
        """The calls that have to be read from Gong again, with the day of each."""
        kinds = ("lost_calls", "stale_calls", "stale_content", "wrong_days")
        return {call_id: day for kind in kinds for call_id, (day, _) in self.found[kind].items()}

    def counts(self) -> dict[str, int]:
        return {kind: len(ids) for kind, ids in self.found.items()}

    def table(self, days: Iterable[date], source: str, requests: RequestsByDay) -> list[dict[str, Any]]:
        """Return a row for each day and source. The requests are in the rows of the audited source."""
        counts = Counter(
            (day, source, kind) for kind, ids in self.found.items() for day, source in ids.values()
        )
        places = (
            {(day, source) for day in (*days, *requests.by_day)}
            | self.landed_by.keys()
            | {key[:2] for key in counts}
        )
        return [
            {
                "day": str(day),
                "source": each,
                "calls_landed": self.landed_by[day, each],
                **{kind: counts[day, each, kind] for kind in KINDS},
                "gong_requests": round(requests.by_day[day], 2) if each == source else 0.0,
            }
            for day, each in sorted(places)
        ]

    def ids(self) -> dict[str, list[str]]:
        return {kind: sorted(ids)[:MAX_SHOWN_IDS] for kind, ids in self.found.items() if ids}


def compare(
    listed: Mapping[str, BasicCall],
    landed: Mapping[str, LandedCall],
    source: str,
    delivered: Collection[str] = frozenset(),
) -> Audit:
    """Return how the landed calls differ from Gong's list.

    A field that the landed call lacks is not compared: some products do not deliver every field. A call that
    the source has `delivered` is not lost, even if no run has landed it yet. Of the landed calls that Gong
    does not list, only valid ones are findings: no list has a call without an ID or a start time.
    """
    audit = Audit(calls_in_gong=len(listed), calls_landed=len(landed))
    audit.landed_by.update((here.basic.day, here.source) for here in landed.values())
    for call_id, call in listed.items():
        if call_id not in landed:
            if call_id in delivered:
                audit.calls_to_land += 1
            else:
                audit.add("lost_calls", call_id, call.day, source)
            continue
        here = landed[call_id]
        if here.basic.day != call.day:
            audit.add("wrong_days", call_id, call.day, here.source)
        elif any(
            mine is not None and _value(name, mine) != _value(name, theirs)
            for name, mine, theirs in zip(FIELDS, here.basic.fields, call.fields, strict=True)
        ):
            audit.add("stale_calls", call_id, call.day, here.source)
    for call_id, here in landed.items():
        if call_id not in listed and here.is_valid:
            audit.add("kept_calls", call_id, here.basic.day, here.source)
    return audit


def calls_to_compare(
    landed: Mapping[str, LandedCall], sources: Collection[str], number_of_audits: int, week: int
) -> dict[str, date]:
    """Return the landed calls whose content is compared in this week, and their days.

    Within `number_of_audits` weeks it is each call once. Only calls of these sources have whole records.
    """
    if not number_of_audits:
        return {}
    return {
        call_id: here.basic.day
        for call_id, here in landed.items()
        if here.source in sources and crc32(call_id.encode()) % number_of_audits == week % number_of_audits
    }


def _value(name: str, text: str | None) -> Any:
    """Return a value that is equal for equal times and numbers, whatever their text."""
    if text is None:
        return None
    with suppress(ValueError):
        if name in _TIMES:
            return datetime.fromisoformat(text).astimezone(UTC).replace(microsecond=0)
        return float(text) if name == "duration" else text
    return text
