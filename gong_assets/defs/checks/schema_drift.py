"""Whether Gong's records still have the fields that are known: new ones, changed types, and fields that
vanished.

It reports and stops nothing. What is known of each raw table is in `known_fields.json`, in the records' own
shape; see `KINDS` for what its leaves mean. What Dagster is told is at the end; above it are pure functions
of records.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, partial
from importlib.resources import files
from itertools import dropwhile
from typing import TYPE_CHECKING, Any, TypeVar

import dagster as dg

from gong_assets.defs.checks.results import unless_missing
from gong_assets.defs.options import DEFAULT_OPTIONS, GraphOptions
from gong_assets.defs.resources import SnowflakeResource
from gong_assets.warehouse.tables import RAW_TABLES, RawTable

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

# The leaves of `known_fields.json`: the JSON types that Gong writes there. Null is one of all of them. A leaf
# that ends in `!` is in every record of consequence, so that its absence is told without older records to
# compare with.
KINDS: Mapping[str, frozenset[str]] = {
    "text": frozenset({"text"}),
    "number": frozenset({"number"}),
    "boolean": frozenset({"boolean"}),
    # Ids and ranges: numbers in Gong's document, texts in what it answers.
    "scalar": frozenset({"text", "number"}),
    # Data: whatever is in it is not looked at.
    "any": frozenset({"text", "number", "boolean", "list", "object"}),
}

# A table with days is sampled by day, so that a large company's last hour is not all that is seen: its newest
# calls lack what Gong has not computed yet. A transcript has about 100 KB, hence some 60 MB at most.
SAMPLED_DAYS = 30
RECORDS_PER_DAY = 20
SAMPLED_RECORDS = SAMPLED_DAYS * RECORDS_PER_DAY

# A field counts as vanished when none of so many of the newest records has it, though it was in nearly all of
# as many older ones, up to the last day that has it: each sync reads the last days anew, which then lack it
# all at once. The newest are those of a few days, for the same reason as above.
ENOUGH_RECORDS = 20
NEWEST_DAYS = 3
NEARLY_ALL = 0.9

SHOWN_FIELDS = 50
# Should Gong write data as keys, there are as many unknown fields as data.
COUNTED_FIELDS = 1000
EXAMPLE_LENGTH = 40
PATH_LENGTH = 200

NEW, CHANGED, VANISHED = "new", "changed", "vanished"

Sample = tuple[str, str, str]
"""Day (empty for a table without days), key and JSON of a record."""


@dataclass(frozen=True)
class Drift:
    """One field that is not as it is known, with one record as an example of it.

    `found` is the JSON type, of a field that vanished the last known one. `records` is in how many of the
    sampled records it is so. For a field that vanished it is how many older ones had it, and the example is
    the last of those, or one of the newest records where there is none.
    """

    path: str
    what: str
    found: str
    records: int
    record_id: str
    example: str


@dataclass
class Seen:
    """How many records have something, and the first of them."""

    record_id: str
    example: str = ""
    records: int = 0


@dataclass
class Fields:
    """What is in the records of one day: `present` by path, `odd` by path, what is odd, and JSON type."""

    record_id: str = ""
    records: int = 0
    present: dict[str, Seen] = field(default_factory=dict)
    odd: dict[tuple[str, str, str], Seen] = field(default_factory=dict)

    def read(self, record_id: str, raw: str, known: Any) -> None:
        self.record_id = self.record_id or record_id
        self.records += 1
        try:
            record = json.loads(raw)
        except (ValueError, RecursionError):
            # Nothing that Snowflake stores: what is read back was parsed there.
            _note(self.odd, ("", CHANGED, "unreadable"), record_id)
            return
        present: set[str] = set()
        odd: dict[tuple[str, str, str], Any] = {}
        _walk(record, known, "", present, odd)
        for path in present:
            _note(self.present, path, record_id)
        for key, value in odd.items():
            if key in self.odd or len(self.odd) < COUNTED_FIELDS:
                _note(self.odd, key, record_id, example(value))

    def add(self, other: "Fields") -> None:
        self.record_id = self.record_id or other.record_id
        self.records += other.records
        _add(self.present, other.present)
        _add(self.odd, other.odd)


Key = TypeVar("Key")


def _note(noted: dict[Key, Seen], key: Key, record_id: str, shown: str = "") -> None:
    noted.setdefault(key, Seen(record_id, shown)).records += 1


def _add(noted: dict[Key, Seen], others: Mapping[Key, Seen]) -> None:
    for key, seen in others.items():
        noted.setdefault(key, Seen(seen.record_id, seen.example)).records += seen.records


@cache
def known_fields() -> dict[str, Any]:
    """By raw table."""
    text = files("gong_assets.defs.checks").joinpath("known_fields.json").read_text("utf-8")
    known: dict[str, Any] = json.loads(text)
    return known


def drifts(sample: Iterable[Sample], known: Any) -> list[Drift]:
    """What is not as known: new and changed fields of all records, and what vanished from the newest."""
    by_day: dict[str, Fields] = {}
    for day, record_id, raw in sample:
        by_day.setdefault(day, Fields()).read(record_id, raw, known)
    every, newest = Fields(), Fields()
    older: list[Fields] = []
    for number, day in enumerate(sorted(by_day, reverse=True)):
        every.add(by_day[day])
        if number < NEWEST_DAYS or newest.records < ENOUGH_RECORDS:
            newest.add(by_day[day])
        else:
            older.append(by_day[day])
    odd = [
        Drift(path, what, found, seen.records, seen.record_id, seen.example)
        for (path, what, found), seen in sorted(every.odd.items())
    ]
    return [*odd, *_vanished(newest, older, known, {each.path for each in odd if each.what == CHANGED})]


def _vanished(newest: Fields, older: list[Fields], known: Any, changed: set[str]) -> Iterator[Drift]:
    """The outermost fields only: with a block, all that was in it is gone. `older` days come newest first."""
    if newest.records < ENOUGH_RECORDS:
        return
    gone = set(changed)
    for path, kind, is_expected in sorted(_paths(known, "")):
        if path in newest.present or any(path.startswith((f"{outer}.", f"{outer}[")) for outer in gone):
            continue
        days = _until_last_seen(older, path)
        seen = [day.present[path] for day in days if path in day.present]
        records, having = sum(day.records for day in days), sum(each.records for each in seen)
        if (records >= ENOUGH_RECORDS and having >= records * NEARLY_ALL) or is_expected:
            yield Drift(path, VANISHED, kind, having, seen[0].record_id if seen else newest.record_id, "")
            gone.add(path)


def _until_last_seen(days: list[Fields], path: str) -> list[Fields]:
    return list(dropwhile(lambda day: path not in day.present, days))


def _walk(value: Any, known: Any, path: str, present: set[str], odd: dict[tuple[str, str, str], Any]) -> None:
    """Note what `value` has of `known`, and beside it. It goes no deeper than `known` does, whatever the value."""
    if value is None:
        return
    found = json_type(value)
    if isinstance(known, dict) and isinstance(value, dict):
        for key, inner in value.items():
            inner_path = _join(path, key)
            if key in known:
                _walk(inner, known[key], inner_path, present, odd)
            else:
                odd.setdefault((inner_path, NEW, json_type(inner)), inner)
    elif isinstance(known, list) and isinstance(value, list):
        for element in value:
            _walk(element, known[0], f"{path}[]", present, odd)
    elif isinstance(known, (dict, list)) or found not in KINDS[known.rstrip("!")]:
        odd.setdefault((path, CHANGED, found), value)
    if value not in ({}, []):
        present.add(path)


def _paths(known: Any, path: str) -> Iterator[tuple[str, str, bool]]:
    """Each known field, its type, and whether it or a field within it is in every record."""
    inner: list[tuple[str, str, bool]] = []
    if isinstance(known, dict):
        inner = [each for key in known for each in _paths(known[key], _join(path, key))]
    elif isinstance(known, list):
        inner = list(_paths(known[0], f"{path}[]"))
    kind = known.rstrip("!") if isinstance(known, str) else json_type(known)
    is_expected = known.endswith("!") if isinstance(known, str) else any(each[2] for each in inner)
    if path:
        yield path, kind, is_expected
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


def example(value: Any) -> str:
    """A value as JSON, short: enough to recognize it. What follows the `?` of a URL may be a signature, and is left out."""
    if isinstance(value, str) and "://" in value:
        value = value.partition("?")[0]
    text = json.dumps(value, ensure_ascii=False)
    if len(text) > EXAMPLE_LENGTH:
        text = f"{text[: EXAMPLE_LENGTH - 1]}…"
    return text.encode("utf-8", "replace").decode("utf-8")


def recent_records(connection: "SnowflakeConnection", table: RawTable) -> Iterator[Sample]:
    """Of the newest days some records of each, those that landed last first; of a table without days, of all of it."""
    key, payload = table.key.name, f"TO_JSON({table.payload.name})"
    with connection.cursor() as cursor:
        if table.partition is None:
            cursor.execute(
                f"SELECT '', {key}, {payload} FROM {table.name} "
                f"ORDER BY INGESTED_AT DESC, {key} LIMIT {SAMPLED_RECORDS}"
            )
        else:
            day = table.partition.name
            # A bound that is known before the statement runs is one that Snowflake prunes by.
            cursor.execute(f"SELECT MAX({day}) FROM {table.name}")
            ((newest,),) = cursor.fetchall()
            if newest is None:
                return
            cursor.execute(
                f"SELECT TO_CHAR({day}, 'YYYY-MM-DD'), {key}, {payload} FROM {table.name} WHERE {day} > %s "
                f"QUALIFY ROW_NUMBER() OVER (PARTITION BY {day} ORDER BY INGESTED_AT DESC, {key}) <= "
                f"{RECORDS_PER_DAY}",
                (newest - timedelta(days=SAMPLED_DAYS),),
            )
        for day, record_id, raw in cursor:
            yield day, record_id, raw


def schema_check_key(table: RawTable, options: GraphOptions = DEFAULT_OPTIONS) -> dg.AssetCheckKey:
    return dg.AssetCheckKey(options.asset_key(table.asset_name), "schema_is_known")


def build_schema_checks(options: GraphOptions = DEFAULT_OPTIONS) -> list[dg.AssetChecksDefinition]:
    tables = {schema_check_key(table, options): table for table in RAW_TABLES}
    specs = [
        dg.AssetCheckSpec(
            key.name,
            asset=key.asset_key,
            description="Recent records have the known fields with the known types. A new field is kept in "
            "the raw table and not read by any model; a missing field leaves its columns empty.",
        )
        for key in tables
    ]

    @dg.multi_asset_check(name=options.op_name("gong_raw_schema_checks"), specs=specs, can_subset=True)
    def raw_schema_checks(
        context: dg.AssetCheckExecutionContext, gong_snowflake: SnowflakeResource
    ) -> Iterator[dg.AssetCheckResult]:
        with gong_snowflake.get_connection() as connection:
            for key in sorted(context.selected_asset_check_keys, key=str):
                yield unless_missing(key, partial(_evaluate, connection, key, tables[key]))

    return [raw_schema_checks]


def _evaluate(
    connection: "SnowflakeConnection", key: dg.AssetCheckKey, table: RawTable
) -> dg.AssetCheckResult:
    return _result(key, drifts(recent_records(connection, table), known_fields()[table.name]))


_COLUMNS = (
    ("field", "string"),
    ("what", "string"),
    ("json_type", "string"),
    ("records", "int"),
    ("record_id", "string"),
    ("example", "string"),
)


def _result(key: dg.AssetCheckKey, found: list[Drift]) -> dg.AssetCheckResult:
    rows = [
        dg.TableRecord(
            {
                "field": each.path or "$",
                "what": each.what,
                "json_type": each.found,
                "records": each.records,
                "record_id": each.record_id,
                "example": each.example,
            }
        )
        for each in found[:SHOWN_FIELDS]
    ]
    schema = dg.TableSchema([dg.TableColumn(name, kind) for name, kind in _COLUMNS])
    counts = {what: sum(each.what == what for each in found) for what in (NEW, CHANGED, VANISHED)}
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        description=", ".join(f"{number} {what}" for what, number in counts.items() if number) or None,
        metadata={
            "count": len(found),
            **({"fields": dg.MetadataValue.table(rows, schema)} if found else {}),
        },
    )
