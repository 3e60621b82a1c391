"""Application of erasures to every table: the raw records, and the rows that follow from them.

Rows of an erased call or person are deleted below the raw tables. The changes are pending afterwards, so the
next transformation builds the rows of redacted records again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gong_assets.warehouse import erasures
from gong_assets.warehouse.connection import fetch, transaction
from gong_assets.warehouse.erasures import Erasure, Target
from gong_assets.warehouse.pending_changes import record_changes
from gong_assets.warehouse.tables import LANDINGS_TABLE, RawTable, create_raw_tables

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.connector.cursor import SnowflakeCursor

# Columns of the models with an identifier, by its kind.
_IDENTIFIERS = {"EMAIL_ADDRESS": "email", "EMAIL": "email", "PHONE_NUMBER": "phone", "CONTACT_ID": "crm"}

WINDOWS = (
    "Earlier versions of permanent tables (raw, Cortex) stay in Time Travel for DATA_RETENTION_TIME_IN_DAYS "
    "of the table (1 day by default, at most 90), and then in Fail-safe for 7 days, where only Snowflake can "
    "restore them. The other tables are transient: at most 1 day of Time Travel, and no Fail-safe. Gong, "
    "HubSpot and other sources keep their own records."
)


class _DryRun(Exception):
    """Rolls the transaction back."""


@dataclass
class Receipt:
    """What was erased: numbers of rows by table, without personal data."""

    deleted: Counter[str] = field(default_factory=Counter)
    redacted: Counter[str] = field(default_factory=Counter)
    calls: int = 0

    def as_json(self) -> dict[str, Any]:
        tables = sorted({*self.deleted, *self.redacted})
        return {
            "calls": self.calls,
            "tables": [
                {"table": table, "deleted": self.deleted[table], "redacted": self.redacted[table]}
                for table in tables
                if self.deleted[table] or self.redacted[table]
            ],
            "retention": WINDOWS,
        }


def add_tombstones(connection: SnowflakeConnection, new: Erasure) -> None:
    """Store a new erasure. Every landing applies it from now on."""
    create_raw_tables(connection, ())
    with transaction(connection), connection.cursor() as cursor:
        erasures.store(cursor, Erasure(new.id, new.action, new.salt), new.hashes)


def erase(
    connection: SnowflakeConnection,
    raw_tables: Sequence[RawTable],
    models: Collection[str],
    correlation_id: str,
    *,
    dry_run: Erasure | None = None,
) -> Receipt:
    """Apply all stored erasures to all tables, in one transaction, and return the numbers of rows.

    Args:
        raw_tables: calls come before transcripts.
        models: names of the models' tables, and of the tables with Cortex's answers.
        dry_run: applies only this erasure, and changes no row. The project's own tables are created if
            they are missing.
    """
    create_raw_tables(connection, ())
    existing = _columns(connection, [*models, *(table.name for table in raw_tables)])
    receipt = Receipt()
    try:
        with transaction(connection), connection.cursor() as cursor:
            # Until the end of the transaction, no landing inserts what it has read before.
            cursor.execute(f"UPDATE {LANDINGS_TABLE} SET LANDED_AT = LANDED_AT")
            if dry_run is not None:
                base = Erasure(dry_run.id, dry_run.action, dry_run.salt)
                wanted = [erasures.store(cursor, base, dry_run.hashes)]
            else:
                wanted = erasures.stored_erasures(cursor)
            raw = [table for table in raw_tables if table.name in existing]
            _erase_all(cursor, wanted, raw, existing, correlation_id, receipt)
            if dry_run is not None:
                raise _DryRun
    except _DryRun:
        pass
    return receipt


def _erase_all(
    cursor: SnowflakeCursor,
    wanted: list[Erasure],
    raw_tables: Sequence[RawTable],
    existing: Mapping[str, Collection[str]],
    correlation_id: str,
    receipt: Receipt,
) -> None:
    calls: set[str] = set()
    for table in raw_tables:
        day = table.partition.name if table.partition else "NULL::DATE"

        def record(keys: Sequence[str], table: RawTable = table, day: str = day) -> None:
            marks = ", ".join(["%s"] * len(keys))
            days = f"SELECT {day} AS DAY FROM {table.name} WHERE {table.key.name} IN ({marks})"
            record_changes(cursor, table.name, days, keys, correlation_id)

        wanted, applied = erasures.apply(cursor, wanted, Target.raw(table), record)
        receipt.deleted[table.name] += len(applied.deleted)
        receipt.redacted[table.name] += len(applied.redacted)
        if table.key.name == "CALL_ID":
            calls |= applied.keys
    receipt.calls = len(calls)
    raw_names = {table.name for table in raw_tables}
    for model in existing.keys() - raw_names:
        columns = existing[model]
        for call_id in sorted(calls) if "CALL_ID" in columns else ():
            cursor.execute(f"DELETE FROM {model} WHERE CALL_ID = %s", (call_id,))
            receipt.deleted[model] += cursor.rowcount or 0
        for column, kind in _IDENTIFIERS.items():
            if column in columns:
                receipt.deleted[model] += _delete_person(cursor, wanted, model, column, kind)


def _delete_person(
    cursor: SnowflakeCursor, wanted: Sequence[Erasure], table: str, column: str, kind: str
) -> int:
    value = f"REGEXP_REPLACE({column}, '[^0-9]', '')" if kind == "phone" else f"LOWER(TRIM({column}))"
    deleted = 0
    for erasure in wanted:
        hashes = sorted(hash for of, hash in erasure.hashes if of == kind)
        if hashes:
            marks = ", ".join(["%s"] * len(hashes))
            cursor.execute(
                f"DELETE FROM {table} WHERE SHA2(%s || {value}, 256) IN ({marks})", (erasure.salt, *hashes)
            )
            deleted += cursor.rowcount or 0
    return deleted


def _columns(connection: SnowflakeConnection, tables: Collection[str]) -> dict[str, set[str]]:
    """Return the columns of those of these tables that exist. Views are not among them."""
    rows = fetch(
        connection,
        "SELECT COLUMNS.TABLE_NAME, COLUMNS.COLUMN_NAME FROM INFORMATION_SCHEMA.COLUMNS AS COLUMNS "
        "INNER JOIN INFORMATION_SCHEMA.TABLES AS TABLES ON COLUMNS.TABLE_NAME = TABLES.TABLE_NAME "
        "AND COLUMNS.TABLE_SCHEMA = TABLES.TABLE_SCHEMA "
        "WHERE COLUMNS.TABLE_SCHEMA = CURRENT_SCHEMA() AND TABLES.TABLE_TYPE = 'BASE TABLE'",
    )
    wanted, found = set(tables), dict[str, set[str]]()
    for row in rows:
        if row["TABLE_NAME"] in wanted:
            found.setdefault(str(row["TABLE_NAME"]), set()).add(str(row["COLUMN_NAME"]))
    return found
