"""Comparison of recent records with their known fields: new fields, changed types, and fields that vanished.

Pure functions of records. `defs/checks/schema_drift.py` selects the records and reports the result.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import dropwhile
from typing import Any, TypeVar

from gong_assets.ingestion.known_fields import KINDS, Fields

# A field has vanished if none of this many newest records has it, but nearly all of as many older ones had
# it. Older records count up to the last day that has the field: each sync reads the lookback days again, so
# that all of them lose it at once. The newest records are those of a few days: the newest calls lack what
# Gong has not computed yet.
ENOUGH_RECORDS = 20
NEWEST_DAYS = 3
NEARLY_ALL = 0.9

# If Gong writes data as keys, the number of unknown fields is unlimited.
MAX_COUNTED_FIELDS = 1000
PATH_LENGTH = 200

NEW, CHANGED, VANISHED = "new", "changed", "vanished"

Sample = tuple[str, str, str]
"""Day (empty for a table without days), key and JSON of a record."""


@dataclass(frozen=True)
class Drift:
    """A field that differs from the known fields, with one record as an example.

    Attributes:
        found: the JSON type; of a vanished field, the last known one.
        records: number of sampled records with this difference; of a vanished field, of older ones that had
        it.
        record_id: one record with it; of a vanished field, the last one that had it, or a newest one if none
        had.
        size: length of the value in this record. The value itself may be a part of a transcript, and Dagster
        keeps what a check reports.
    """

    path: str
    what: str
    found: str
    records: int
    record_id: str
    size: str


@dataclass
class Occurrences:
    """Number of records, and the first of them."""

    record_id: str
    size: str = ""
    records: int = 0


@dataclass
class FieldStats:
    """Fields in the records of one day: `present` by path, `unexpected` by path, difference and JSON type."""

    record_id: str = ""
    records: int = 0
    present: dict[str, Occurrences] = field(default_factory=dict)
    unexpected: dict[tuple[str, str, str], Occurrences] = field(default_factory=dict)

    def count(self, record_id: str, raw: str, known: Fields) -> None:
        self.record_id = self.record_id or record_id
        self.records += 1
        try:
            record = json.loads(raw)
        except (ValueError, RecursionError):
            # Unreachable for rows of a VARIANT column, which Snowflake has parsed.
            _count(self.unexpected, ("", CHANGED, "unreadable"), record_id)
            return
        present: set[str] = set()
        unexpected: dict[tuple[str, str, str], Any] = {}
        _compare(record, known, "", present, unexpected)
        for path in present:
            _count(self.present, path, record_id)
        for key, value in unexpected.items():
            if key in self.unexpected or len(self.unexpected) < MAX_COUNTED_FIELDS:
                _count(self.unexpected, key, record_id, size_of(value))

    def add(self, other: FieldStats) -> None:
        self.record_id = self.record_id or other.record_id
        self.records += other.records
        _add(self.present, other.present)
        _add(self.unexpected, other.unexpected)


Key = TypeVar("Key")


def _count(counts: dict[Key, Occurrences], key: Key, record_id: str, size: str = "") -> None:
    counts.setdefault(key, Occurrences(record_id, size)).records += 1


def _add(counts: dict[Key, Occurrences], others: Mapping[Key, Occurrences]) -> None:
    for key, other in others.items():
        counts.setdefault(key, Occurrences(other.record_id, other.size)).records += other.records


def drifts(sample: Iterable[Sample], known: Fields) -> list[Drift]:
    """Return the new and changed fields of all records, and the fields that vanished from the newest ones."""
    by_day: dict[str, FieldStats] = {}
    for day, record_id, raw in sample:
        by_day.setdefault(day, FieldStats()).count(record_id, raw, known)
    every, newest = FieldStats(), FieldStats()
    older: list[FieldStats] = []
    for number, day in enumerate(sorted(by_day, reverse=True)):
        every.add(by_day[day])
        if number < NEWEST_DAYS or newest.records < ENOUGH_RECORDS:
            newest.add(by_day[day])
        else:
            older.append(by_day[day])
    unexpected = [
        Drift(path, what, found, seen.records, seen.record_id, seen.size)
        for (path, what, found), seen in sorted(every.unexpected.items())
    ]
    changed = {drift.path for drift in unexpected if drift.what == CHANGED}
    return [*unexpected, *_vanished(newest, older, known, changed)]


def _vanished(
    newest: FieldStats, older: list[FieldStats], known: Fields, changed: set[str]
) -> Iterator[Drift]:
    """Yield the outermost vanished fields; the fields within them vanished too. `older` has the newest day
    first."""
    if newest.records < ENOUGH_RECORDS:
        return
    gone = set(changed)
    for path, kind, is_always_sent in sorted(_paths(known, "")):
        if path in newest.present or any(path.startswith((f"{outer}.", f"{outer}[")) for outer in gone):
            continue
        days = _until_last_seen(older, path)
        seen = [day.present[path] for day in days if path in day.present]
        records, having = sum(day.records for day in days), sum(each.records for each in seen)
        if (records >= ENOUGH_RECORDS and having >= records * NEARLY_ALL) or is_always_sent:
            yield Drift(path, VANISHED, kind, having, seen[0].record_id if seen else newest.record_id, "")
            gone.add(path)


def _until_last_seen(days: list[FieldStats], path: str) -> list[FieldStats]:
    return list(dropwhile(lambda day: path not in day.present, days))


def _compare(
    value: Any, known: Fields, path: str, present: set[str], unexpected: dict[tuple[str, str, str], Any]
) -> None:
    """Collect the known and the unexpected fields of `value`, no deeper than `known` goes."""
    if value is None:
        return
    found = json_type(value)
    if isinstance(known, dict) and isinstance(value, dict):
        for key, inner in value.items():
            inner_path = _join(path, key)
            if key in known:
                _compare(inner, known[key], inner_path, present, unexpected)
            else:
                unexpected.setdefault((inner_path, NEW, json_type(inner)), inner)
    elif isinstance(known, list) and isinstance(value, list):
        for element in value:
            _compare(element, known[0], f"{path}[]", present, unexpected)
    elif isinstance(known, (dict, list)) or found not in KINDS[known.rstrip("!")]:
        unexpected.setdefault((path, CHANGED, found), value)
    if value not in ({}, []):
        present.add(path)


def _paths(known: Fields, path: str) -> Iterator[tuple[str, str, bool]]:
    """Yield each known field, its type, and whether every record has it or a field within it."""
    inner: list[tuple[str, str, bool]] = []
    if isinstance(known, dict):
        inner = [each for key in known for each in _paths(known[key], _join(path, key))]
    elif isinstance(known, list):
        inner = list(_paths(known[0], f"{path}[]"))
    kind = known.rstrip("!") if isinstance(known, str) else json_type(known)
    is_always_sent = known.endswith("!") if isinstance(known, str) else any(each[2] for each in inner)
    if path:
        yield path, kind, is_always_sent
    yield from inner


def _join(path: str, key: str) -> str:
    name = key if re.fullmatch(r"\w+", key, re.ASCII) else json.dumps(key)
    return (f"{path}.{name}" if path else name)[:PATH_LENGTH]


def json_type(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list():
            return "list"
        case _:
            return "object"


def size_of(value: Any) -> str:
    """Return the length of the value, such as `34 characters`; empty for numbers, booleans and null."""
    for kind, unit in ((str, "characters"), (list, "elements"), (dict, "fields")):
        if isinstance(value, kind):
            return f"{len(value):,} {unit}"
    return ""
