"""Erasures: persons and calls that must not be in the tables, and their removal.

GONG_ERASURES has the tombstones: salted hashes of identifiers, without personal data. They are applied to the
raw tables by `erase` and by the job `gong_erasure`, and to each landing before its rows are inserted, so no
later read of Gong or of another product brings a record back.
"""

from __future__ import annotations

import json
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from gong_assets.warehouse.erased_text import Person, erased_speakers, hashed, normalized
from gong_assets.warehouse.tables import ERASURES_TABLE, RawTable

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.connector.cursor import SnowflakeCursor

Action = Literal["redact", "delete"]

# Kinds of tombstones. A word is redacted in the calls of its erasure only.
KINDS = ("email", "phone", "crm", "call")
_WORD = "word"

# Fields with a user's address, and with the ID of the call to which a record refers.
_ADDRESSES = {
    "GONG_USERS_RAW": "emailAddress",
    "GONG_INTERACTION_STATS_RAW": "userEmailAddress",
    "GONG_USER_ACTIVITY_RAW": "userEmailAddress",
}
_CALL_REFERENCES = {"GONG_ANSWERED_SCORECARDS_RAW": "callId", "GONG_LIBRARY_CALLS_RAW": "call:id"}
_CALLS, _TRANSCRIPTS = "GONG_CALLS_RAW", "GONG_CALL_TRANSCRIPTS_RAW"


@dataclass(frozen=True)
class Erasure:
    """One request, by the hashes of its tombstones.

    Attributes:
        hashes: pairs of kind and hash.
    """

    id: str
    action: Action
    salt: str
    hashes: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, identifiers: Iterable[tuple[str, str]], action: Action) -> Erasure:
        """Return a new erasure of these pairs of kind and identifier."""
        salt = secrets.token_hex(16)
        hashes = {(kind, hashed(salt, normalized(kind, value))) for kind, value in identifiers}
        return cls(secrets.token_hex(8), action, salt, frozenset(hashes))

    @property
    def person(self) -> Person:
        words = {value for kind, value in self.hashes if kind == _WORD}
        return Person(self.salt, self.hashes, words)


@dataclass(frozen=True)
class Target:
    """Rows to which erasures are applied: a raw table, or the load table of a landing.

    Attributes:
        record: SQL for the record as a VARIANT.
        new_value: SQL for the value of `payload`, from a record's JSON as a parameter.
    """

    table: str
    name: str
    key: str
    payload: str
    record: str
    new_value: str

    @classmethod
    def raw(cls, table: RawTable) -> Target:
        payload = table.payload.name
        return cls(table.name, table.name, table.key.name, payload, payload, "PARSE_JSON(%s)")

    @classmethod
    def load(cls, table: RawTable, load: str) -> Target:
        return cls(table.name, load, "KEY", "PAYLOAD", "TRY_PARSE_JSON(PAYLOAD)", "%s")


@dataclass
class Applied:
    """Keys of the rows that were deleted and redacted in one target."""

    deleted: set[str] = field(default_factory=set)
    redacted: set[str] = field(default_factory=set)

    @property
    def keys(self) -> set[str]:
        return self.deleted | self.redacted


def stored_erasures(cursor: SnowflakeCursor) -> list[Erasure]:
    """Return the erasures of the table, oldest first."""
    cursor.execute(
        f"SELECT ERASURE_ID, ACTION, SALT, KIND, IDENTIFIER_HASH FROM {ERASURES_TABLE} ORDER BY ERASED_AT"
    )
    found: dict[tuple[str, str, str], set[tuple[str, str]]] = defaultdict(set)
    for erasure_id, action, salt, kind, value in cursor.fetchall():
        found[erasure_id, action, salt].add((kind, value))
    return [Erasure(id, action, salt, frozenset(hashes)) for (id, action, salt), hashes in found.items()]  # type: ignore[arg-type]


def store(cursor: SnowflakeCursor, erasure: Erasure, hashes: Iterable[tuple[str, str]]) -> Erasure:
    """Insert tombstones of the erasure, and return it with them."""
    new = frozenset(hashes)
    for kind, value in sorted(new):
        cursor.execute(
            f"INSERT INTO {ERASURES_TABLE} SELECT %s, %s, %s, %s, %s, CURRENT_TIMESTAMP()",
            (erasure.id, erasure.action, kind, erasure.salt, value),
        )
    return replace(erasure, hashes=erasure.hashes | new)


def erased_calls(connection: SnowflakeConnection, call_ids: Iterable[str]) -> set[str]:
    """Return those of the calls that were deleted by an erasure, and do not land again."""
    with connection.cursor() as cursor:
        deleted = [each for each in stored_erasures(cursor) if each.action == "delete"]
    return {
        call_id
        for call_id in call_ids
        if any(("call", hashed(each.salt, call_id)) in each.hashes for each in deleted)
    }


def apply_to_load(cursor: SnowflakeCursor, table: RawTable, load: str) -> None:
    """Remove from the load table of a landing what was erased, within the open transaction."""
    if erasures := stored_erasures(cursor):
        apply(cursor, erasures, Target.load(table, load))


def apply(
    cursor: SnowflakeCursor,
    erasures: Sequence[Erasure],
    target: Target,
    before: Callable[[Sequence[str]], None] = lambda keys: None,
) -> tuple[list[Erasure], Applied]:
    """Delete and redact the rows of the target, within the open transaction.

    Returns the erasures with the calls and words that were found, which are tombstones from now on, and the
    keys of the rows.

    Args:
        before: called with the keys of an erasure, before their rows are changed.
    """
    applied, updated = Applied(), []
    for erasure in erasures:
        keys = sorted(_matching_keys(cursor, erasure, target))
        if keys:
            before(keys)
        if keys and target.table == _CALLS:
            calls = {("call", hashed(erasure.salt, key)) for key in keys}
            erasure = store(cursor, erasure, calls - erasure.hashes)
        if erasure.action == "delete":
            for key in keys:
                cursor.execute(f"DELETE FROM {target.name} WHERE {target.key} = %s", (key,))
            applied.deleted.update(keys)
        else:
            for key in keys:
                erasure, changed = _redact(cursor, erasure, target, key)
                applied.redacted.update({key} if changed else ())
        updated.append(erasure)
    return updated, applied


def _redact(cursor: SnowflakeCursor, erasure: Erasure, target: Target, key: str) -> tuple[Erasure, bool]:
    cursor.execute(f"SELECT TO_JSON({target.record}) FROM {target.name} WHERE {target.key} = %s", (key,))
    text = cursor.fetchall()[0][0]
    if text is None:  # A record that Snowflake cannot parse cannot be redacted.
        cursor.execute(f"DELETE FROM {target.name} WHERE {target.key} = %s", (key,))
        return erasure, True
    record = json.loads(text)
    if target.table == _CALLS:
        person = erasure.person
        parties = [each for each in record.get("parties") or [] if person.is_party(each)]
        words = {(_WORD, word) for party in parties for word in person.words_of(party)}
        erasure = store(cursor, erasure, words - erasure.hashes)
        redacted = erasure.person.redact_call(record)
    elif target.table == _TRANSCRIPTS:
        cursor.execute(f"SELECT TO_JSON(RAW_DATA:parties) FROM {_CALLS} WHERE CALL_ID = %s", (key,))
        speakers = {
            id for (parties,) in cursor.fetchall() for id in erased_speakers(json.loads(parties or "[]"))
        }
        redacted = erasure.person.redact_transcript(json.loads(json.dumps(record)), speakers)
    elif target.table in _ADDRESSES:
        redacted = _without_person(record)
    else:
        redacted = erasure.person.redact_values(record)
    if redacted == record:
        return erasure, False
    cursor.execute(
        f"UPDATE {target.name} SET {target.payload} = {target.new_value} WHERE {target.key} = %s",
        (json.dumps(redacted, ensure_ascii=False), key),
    )
    return erasure, True


def _without_person(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a user, or a user's statistics, with numbers, IDs and times only."""
    kept = {"id", "userId", "managerId", "created", "active", "settings"}
    return {
        key: value
        for key, value in record.items()
        if key in kept or (isinstance(value, list) and key.endswith("Stats"))
    }


def _matching_keys(cursor: SnowflakeCursor, erasure: Erasure, target: Target) -> set[str]:
    """Return the keys of the rows to which the erasure applies."""
    hashes = sorted(erasure.hashes)
    by_kind = {kind: [value for of, value in hashes if of == kind] for kind in KINDS}
    found: set[str] = set()
    for kind, source, value in _identifier_queries(target):
        if not by_kind[kind]:
            continue
        for first in range(0, len(by_kind[kind]), 1000):
            values = by_kind[kind][first : first + 1000]
            cursor.execute(
                f"SELECT DISTINCT RECORDS.{target.key} FROM {target.name} AS RECORDS{source} "
                f"WHERE SHA2(%s || {value}, 256) IN ({', '.join(['%s'] * len(values))})",
                (erasure.salt, *values),
            )
            found.update(str(key) for (key,) in cursor.fetchall())
    return found


def _identifier_queries(target: Target) -> Iterable[tuple[str, str, str]]:
    """Yield a kind of identifier, what to join for it, and SQL for its normalized value."""
    record = target.record.replace("PAYLOAD", "RECORDS.PAYLOAD")
    if target.table in (_CALLS, _TRANSCRIPTS):
        yield "call", "", f"RECORDS.{target.key}"
    if target.table in _CALL_REFERENCES:
        yield "call", "", f"{record}:{_CALL_REFERENCES[target.table]}::VARCHAR"
    if target.table in _ADDRESSES:
        yield "email", "", f"LOWER(TRIM({record}:{_ADDRESSES[target.table]}::VARCHAR))"
    if target.table == _CALLS:
        party = f", LATERAL FLATTEN(INPUT => {record}:parties) AS PARTY"
        yield "email", party, "LOWER(TRIM(PARTY.VALUE:emailAddress::VARCHAR))"
        yield "phone", party, "REGEXP_REPLACE(PARTY.VALUE:phoneNumber::VARCHAR, '[^0-9]', '')"
        yield (
            "crm",
            f"{party}, LATERAL FLATTEN(INPUT => PARTY.VALUE:context) AS CONTEXT, "
            "LATERAL FLATTEN(INPUT => CONTEXT.VALUE:objects) AS OBJECT",
            "LOWER(OBJECT.VALUE:objectId::VARCHAR)",
        )
