"""Migration of tables that an earlier system, or an earlier version of this project, left in the schema.

Each step can be repeated, and continues where a killed process stopped: what remains to be done follows from
the columns of the tables alone.

- A raw table without CONTENT_HASH is not ours. It is renamed, a new table is filled from it, and it is kept.
- A raw table of ours that lacks a declared column gets it, filled from the rows.
- A staged table without CALL_DATE is not ours. It is renamed, and the next runs build a new one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import yaml  # type: ignore[import-untyped]

from gong_assets.warehouse.errors import OutdatedTables
from gong_assets.warehouse.tables import API, CALLS, TRANSCRIPTS, Column, RawTable

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

_CONTRACTS = Path(__file__).parents[1] / "dbt" / "models" / "staging" / "calls"

# Suffixes of a table that is being copied, and of the table that is kept afterwards.
_IN_PROGRESS, _KEPT = "__MIGRATING", "_BEFORE_MIGRATION"
# Suffix of a column until it is filled.
_UNFILLED = "__UNFILLED"

Columns = Mapping[str, bool]
"""The columns of a table: whether each accepts NULL."""


@dataclass(frozen=True)
class MigrationStep:
    """The migration of one table.

    Attributes:
        reason: what is outdated, to follow the name of the table.
        action: what the statements do.
        statements: SQL, in order.
    """

    table: str
    reason: str
    action: str
    statements: tuple[str, ...]


def migration_steps(connection: SnowflakeConnection, raw_tables: Sequence[RawTable]) -> list[MigrationStep]:
    """Return the steps that the tables in the connection's schema need; none if they are up to date."""
    tables = _columns_by_table(connection)
    # Transcripts get their dates from the calls.
    ordered = [CALLS, *(table for table in raw_tables if table is not CALLS)]
    raw = [step for table in ordered if (step := _raw_step(table, tables))]
    return raw + [_staged_step(name, tables) for name in _staged_models() if _is_foreign(name, tables)]


def migrate(connection: SnowflakeConnection, steps: Sequence[MigrationStep]) -> None:
    """Run the statements of the steps. After an error or a kill, `migration_steps` returns what remains."""
    with connection.cursor() as cursor:
        for step in steps:
            for statement in step.statements:
                cursor.execute(statement)


def check_tables(connection: SnowflakeConnection, raw_tables: Sequence[RawTable]) -> None:
    """Raise an error if tables need a migration.

    Raises:
        OutdatedTables: the message names the tables.
    """
    if steps := migration_steps(connection, raw_tables):
        found = {step.table: step.reason for step in steps}
        raise OutdatedTables(found, f"{connection.database}.{connection.schema}")


def _columns_by_table(connection: SnowflakeConnection) -> dict[str, Columns]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT TABLE_NAME, COLUMN_NAME, IS_NULLABLE FROM INFORMATION_SCHEMA.COLUMNS "
            "WHERE TABLE_SCHEMA = CURRENT_SCHEMA()"
        )
        tables: dict[str, dict[str, bool]] = {}
        for table, column, is_nullable in cursor.fetchall():
            tables.setdefault(table, {})[column] = is_nullable == "YES"
        return dict(tables)


@cache
def _staged_models() -> tuple[str, ...]:
    """Return the tables of the partitioned staging models, all of which have a column CALL_DATE."""
    documents = (yaml.safe_load(path.read_text("utf-8")) for path in sorted(_CONTRACTS.glob("stg_*.yml")))
    return tuple(model["name"].upper() for document in documents for model in document.get("models", []))


def _is_foreign(name: str, tables: Mapping[str, Columns]) -> bool:
    return name in tables and "CALL_DATE" not in tables[name]


def _staged_step(name: str, tables: Mapping[str, Columns]) -> MigrationStep:
    kept = _free_name(name, tables)
    return MigrationStep(
        name,
        "is of an earlier system: it has no CALL_DATE",
        f"It is kept as {kept}. The next runs build a new table.",
        (f"ALTER TABLE {name} RENAME TO {kept}",),
    )


def _free_name(name: str, tables: Mapping[str, Columns]) -> str:
    names = [f"{name}{_KEPT}", *(f"{name}{_KEPT}_{number}" for number in range(2, 100))]
    return next(each for each in names if each not in tables)


def _raw_step(table: RawTable, tables: Mapping[str, Columns]) -> MigrationStep | None:
    in_progress = tables.get(f"{table.name}{_IN_PROGRESS}")
    current = tables.get(table.name)
    if in_progress is not None:
        return _copy_step(table, in_progress, tables, reason="was migrated in part", rename=False)
    if current is None:
        return None
    if "CONTENT_HASH" not in current:
        missing = [column.name for column in table.columns if column.name not in current]
        return _copy_step(table, current, tables, reason=f"has no {', '.join(missing)}", rename=True)
    added = [column for column in table.columns if column.name not in current]
    return _add_columns_step(table, added, current) if added else None


def _copy_step(
    table: RawTable, old: Columns, tables: Mapping[str, Columns], *, reason: str, rename: bool
) -> MigrationStep:
    source, kept = f"{table.name}{_IN_PROGRESS}", _free_name(table.name, tables)
    statements = [f"ALTER TABLE {table.name} RENAME TO {source}"] if rename else []
    action = f"The old table is kept as {kept}. The next runs read its records from Gong again."
    if copy := _copy_statement(table, old, source):
        calls = [CALLS.create_statement()] if table.name == TRANSCRIPTS.name else []
        statements += [*calls, table.create_statement(), copy]
        action = f"Its records are copied to a new table, one row for each ID. The old one is kept as {kept}."
    return MigrationStep(table.name, reason, action, (*statements, f"ALTER TABLE {source} RENAME TO {kept}"))


def _copy_statement(table: RawTable, old: Columns, source: str) -> str | None:
    """Return an INSERT of the records that the new table lacks, or None if the old one cannot be read."""
    key = table.key.name
    payload = next((name for name in (table.payload.name, "RAW_DATA") if name in old), None)
    derived = _DAYS.get(table.name)
    if key not in old or payload is None or (table.partition and derived is None):
        return None
    ingested = "INGESTED_AT::TIMESTAMP_LTZ" if "INGESTED_AT" in old else "CURRENT_TIMESTAMP()"
    day, error, join = derived or ("", "NULL", "")
    values = {
        key: "OLD.RECORD_ID",
        table.payload.name: "OLD.PAYLOAD",
        "INGESTED_AT": "COALESCE(OLD.INGESTED, CURRENT_TIMESTAMP())",
        "CORRELATION_ID": "'migration'",
        # Gong's bytes are lost, so the next run over the day lands the record again.
        "CONTENT_HASH": "SHA2(OLD.PAYLOAD::VARCHAR, 256)",
        "PROCESSING_ERROR": f"IFF({day} IS NULL, '{error}', NULL)" if day else "NULL",
        "SOURCE": f"'{API}'",
    }
    if table.partition:
        values[table.partition.name] = f"COALESCE({day}, OLD.INGESTED::DATE, CURRENT_DATE())"
    return (
        f"INSERT INTO {table.name} ({', '.join(values)}) SELECT {', '.join(values.values())} FROM ("
        f"SELECT {key}::VARCHAR AS RECORD_ID, TRY_PARSE_JSON({payload}::VARCHAR) AS PAYLOAD, "
        f"{ingested} AS INGESTED FROM {source} WHERE {key} IS NOT NULL "
        "AND TYPEOF(PAYLOAD) = 'OBJECT' "
        "QUALIFY ROW_NUMBER() OVER (PARTITION BY RECORD_ID ORDER BY INGESTED DESC NULLS LAST) = 1"
        f") AS OLD {join} WHERE OLD.RECORD_ID NOT IN (SELECT {key} FROM {table.name})"
    )


# By table: SQL for the UTC date of an old record, the PROCESSING_ERROR without one, and a join.
_DAYS = {
    CALLS.name: (
        "CONVERT_TIMEZONE('UTC', TRY_TO_TIMESTAMP_TZ(OLD.PAYLOAD:metaData:started::VARCHAR))::DATE",
        "migrated without a readable metaData.started",
        "",
    ),
    TRANSCRIPTS.name: (
        "CALLS.CALL_DATE",
        "migrated without its call",
        f"LEFT JOIN {CALLS.name} AS CALLS ON CALLS.CALL_ID = OLD.RECORD_ID",
    ),
}


def _add_columns_step(table: RawTable, added: Sequence[Column], current: Columns) -> MigrationStep:
    names = ", ".join(column.name for column in added)
    return MigrationStep(
        table.name,
        f"has no {names}",
        f"{names} is added, and filled for the existing rows.",
        tuple(statement for column in added for statement in _add_column(table.name, column, current)),
    )


def _add_column(table: str, column: Column, current: Columns) -> list[str]:
    """Return the statements that add a column under another name, fill it, and give it its name."""
    if column.fill is None:
        return [f"ALTER TABLE {table} ADD COLUMN {column.name} {column.type}"]
    name = f"{column.name}{_UNFILLED}"
    add = [f"ALTER TABLE {table} ADD COLUMN {name} {column.type}"] if name not in current else []
    require = [] if column.nullable else [f"ALTER TABLE {table} ALTER COLUMN {name} SET NOT NULL"]
    return [
        *add,
        f"UPDATE {table} SET {name} = {column.fill}",
        *require,
        f"ALTER TABLE {table} RENAME COLUMN {name} TO {column.name}",
    ]
