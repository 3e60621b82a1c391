"""Landing: replace days of a raw table, or the whole table, with the records in a batch of files.

The files go to a temporary stage, from there into a temporary table, and then into the raw table in one
transaction. Readers, and runs that are killed at any moment, see either the old rows or the new ones. Rows
with unchanged content keep their INGESTED_AT and CORRELATION_ID, so reading a day again writes only what
differs. A record that moved to another day is removed from its old day. The days whose rows change are
recorded as pending changes in the same transaction, and the transcripts of deleted calls are deleted, unless
their own landing follows.

A landing that changes nothing is recognized by comparing the versions of the rows: two statements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gong_assets.dates import DateRange, date_filter_sql
from gong_assets.warehouse.connection import transaction
from gong_assets.warehouse.deletions import UNGUARDED, DeletionPolicy, check_deletions, delete_records
from gong_assets.warehouse.erasures import apply_to_load
from gong_assets.warehouse.errors import WarehouseQueryFailed, is_unknown_object
from gong_assets.warehouse.landing_counts import Landed, change_counts, counts_by_day, unchanged_by_day
from gong_assets.warehouse.pending_changes import PENDING_CHANGES_TABLE, record_days
from gong_assets.warehouse.tables import API, ERASURES_TABLE, LANDINGS_TABLE, RawTable, create_raw_table

if TYPE_CHECKING:
    from datetime import date

    from snowflake.connector import SnowflakeConnection
    from snowflake.connector.cursor import SnowflakeCursor


# PROCESSING_ERROR of a record whose JSON Snowflake does not parse: an object with a repeated key, or one that
# is nested too deeply. RAW_DATA then holds the text.
UNPARSED = "Snowflake cannot parse this JSON"

# CONTENT_HASH, PROCESSING_ERROR and ISO date of a row.
RowVersion = tuple[str, str | None, str | None]


class FileBatch(Protocol):
    """Parquet files with unique KEYs and the columns PAYLOAD, DAY, CONTENT_HASH and PROCESSING_ERROR."""

    @property
    def directory(self) -> Path: ...
    @property
    def rows(self) -> int: ...
    @property
    def versions(self) -> Mapping[str, RowVersion] | None:
        """The version of each row by KEY, or None if there are too many to compare."""


def replace(
    connection: SnowflakeConnection,
    table: RawTable,
    files: FileBatch,
    *,
    ranges: Sequence[DateRange] | None,
    correlation_id: str,
    deletions: DeletionPolicy = UNGUARDED,
    has_rows_outside_ranges: bool = False,
) -> Landed:
    """Replace the rows of `table` for `ranges`, or all rows of an unpartitioned table, with those of `files`.

    Args:
        ranges: the days that the files hold completely. If empty, only the given records are replaced.
        has_rows_outside_ranges: the files also hold rows of other days, which must not land.

    Raises:
        DeletionGuardError: more rows would be deleted than `deletions` allows. Nothing was changed.
        WarehouseQueryFailed: not every row was loaded. Nothing was changed.
    """
    if (ranges is None) != (table.partition is None):
        raise ValueError(f"{table.name}: a partitioned table needs ranges, and an unpartitioned one has none")
    in_ranges, parameters = date_filter_sql(table.partition.name if table.partition else "", ranges)
    with connection.cursor() as cursor:
        existing = _existing(cursor, table, files, in_ranges, parameters)
        if existing is None:
            create_raw_table(connection, table)
        elif existing.versions is not None and existing.versions == files.versions:
            _lock(cursor, table, correlation_id, ranges)
            return Landed.of_days(unchanged_by_day(existing.versions.values()), existing.total)
        if existing is None or not existing.has_landing_row:
            create_landing_row(cursor, table)
        load = load_files(cursor, table, files, ranges if has_rows_outside_ranges else None)
        others = existing is not None and existing.has_other_sources
        scope = Scope(in_ranges, parameters, API)
        with transaction(connection):
            return replace_loaded(cursor, table, load, scope, ranges, correlation_id, deletions, others)


@dataclass(frozen=True)
class Scope:
    """The rows that a landing replaces, and the source of the new rows."""

    condition: str
    parameters: Sequence[date]
    source: str


def replace_loaded(
    cursor: SnowflakeCursor,
    table: RawTable,
    load: str,
    scope: Scope,
    ranges: Sequence[DateRange] | None,
    correlation_id: str,
    deletions: DeletionPolicy,
    has_other_sources: bool,
) -> Landed:
    """Replace the rows of the scope with those of `load` that were not erased, in the open transaction."""
    _lock(cursor, table, correlation_id, ranges)
    apply_to_load(cursor, table, load)
    if has_other_sources:
        _take_over_equal_rows(cursor, table, load, scope.source)
    missing = _missing_keys(cursor, table, load, scope.condition, scope.parameters)
    if unexpected := sum(not deletions.is_expected(key) for key, _ in missing):
        rows = _count(cursor, table, scope.condition, scope.parameters)
        check_deletions(table, ranges, existing=rows, missing=unexpected, policy=deletions)
    landed = _replace_rows(cursor, table, load, scope, correlation_id, missing)
    for dependent in table.dependents if deletions.with_dependents else ():
        delete_records(cursor, dependent, landed.deleted_keys, correlation_id)
    return landed


def _take_over_equal_rows(cursor: SnowflakeCursor, table: RawTable, load: str, source: str) -> None:
    """Give rows of another source the hash of loaded content with the same values: they are unchanged.

    The API's hash is of a record's bytes, which the tables of other products no longer have."""
    cursor.execute(
        f"UPDATE {table.name} SET CONTENT_HASH = LOADED.CONTENT_HASH, SOURCE = '{source}' "
        f"FROM {load} AS LOADED WHERE {table.name}.{table.key.name} = LOADED.KEY "
        f"AND {table.name}.SOURCE <> '{source}' AND SHA2(TO_JSON({table.name}.{table.payload.name}), 256) = "
        "SHA2(TO_JSON(TRY_PARSE_JSON(LOADED.PAYLOAD)), 256)"
    )


@dataclass(frozen=True)
class _Existing:
    """What the table holds before a landing. `versions` is None if they were not compared."""

    versions: Mapping[str, RowVersion] | None
    total: int
    has_landing_row: bool
    has_other_sources: bool


def _existing(
    cursor: SnowflakeCursor, table: RawTable, files: FileBatch, in_ranges: str, parameters: Sequence[date]
) -> _Existing | None:
    """Return what the table holds, or None if it or one of the landing's own tables does not exist."""
    day = f"{table.partition.name}::VARCHAR" if table.partition else "NULL"
    comparable = files.versions is not None and len(files.versions) == files.rows
    compared, parameters = (in_ranges, parameters) if comparable else ("FALSE", ())
    needed = (PENDING_CHANGES_TABLE, ERASURES_TABLE, *(each.name for each in table.dependents))
    try:
        cursor.execute(
            f"SELECT {table.key.name}, CONTENT_HASH, PROCESSING_ERROR, {day}, NULL, NULL, NULL, NULL "
            f"FROM {table.name} WHERE {compared} "
            f"UNION ALL SELECT NULL, NULL, NULL, NULL, (SELECT COUNT(*) FROM {table.name}), "
            f"(SELECT COUNT(*) FROM {table.name} WHERE SOURCE <> '{API}'), "
            f"(SELECT COUNT(*) FROM {LANDINGS_TABLE} WHERE TABLE_NAME = %s), "
            f"(SELECT COUNT(*) FROM {', '.join(needed)} WHERE FALSE)",
            (*parameters, table.name),
        )
    except Exception as error:
        if not is_unknown_object(error):
            raise
        return None
    *rows, totals = sorted(cursor.fetchall(), key=lambda row: row[0] is None)
    versions = {
        key: (content_hash, None if error == UNPARSED else error, day)
        for key, content_hash, error, day, *_ in rows
    }
    return _Existing(
        versions if comparable else None,
        int(totals[4]),
        has_other_sources=bool(totals[5]),
        has_landing_row=bool(totals[6]),
    )


def create_landing_row(cursor: SnowflakeCursor, table: RawTable) -> None:
    cursor.execute(
        f"INSERT INTO {LANDINGS_TABLE} (TABLE_NAME) SELECT %s "
        f"WHERE NOT EXISTS (SELECT 1 FROM {LANDINGS_TABLE} WHERE TABLE_NAME = %s)",
        (table.name, table.name),
    )


def _lock(cursor: SnowflakeCursor, table: RawTable, run: str, ranges: Sequence[DateRange] | None) -> None:
    """Write the time of a read of whole days, and lock the table's landing row until a transaction ends.

    On Snowflake the second of two writers waits at its UPDATE until the first one has committed. A DELETE
    that finds no rows and an INSERT do not wait, so two first writes of the same day would both insert it."""
    is_read = ranges is None or bool(ranges)  # Otherwise single records land.
    cursor.execute(
        f"UPDATE {LANDINGS_TABLE} SET LANDED_AT = IFF(%s, CURRENT_TIMESTAMP(), LANDED_AT), "
        "CORRELATION_ID = IFF(%s, %s, CORRELATION_ID) WHERE TABLE_NAME = %s",
        (is_read, is_read, run, table.name),
    )


def load_files(
    cursor: SnowflakeCursor, table: RawTable, files: FileBatch, ranges: Sequence[DateRange] | None
) -> str:
    """Load the files into a temporary table, without rows outside of `ranges` if given, and return its name.

    Temporary objects belong to the session, so a killed process leaves none behind. They are created before
    the transaction begins, because DDL would commit it, and unqualified, in the connection's own schema."""
    cursor.execute(f"CREATE OR REPLACE TEMPORARY STAGE {table.name}__LOAD_STAGE")
    load = create_load_table(cursor, table)
    if not files.rows:
        return load
    location = str(files.directory).replace("\\", "/").replace("'", "\\'")
    cursor.execute(f"PUT 'file://{location}/*.parquet' @{load}_STAGE AUTO_COMPRESS = FALSE")
    cursor.execute(
        f"COPY INTO {load} (KEY, PAYLOAD, DAY, CONTENT_HASH, PROCESSING_ERROR) FROM ("
        "SELECT $1:KEY::VARCHAR, $1:PAYLOAD::VARCHAR, $1:DAY::DATE, $1:CONTENT_HASH::VARCHAR, "
        f"$1:PROCESSING_ERROR::VARCHAR FROM @{load}_STAGE"
        ") FILE_FORMAT = (TYPE = PARQUET) FORCE = TRUE"
    )
    loaded = sum(int(result[3]) for result in cursor.fetchall() if result[1] == "LOADED")
    if loaded != files.rows:
        message = f"Only {loaded} of {files.rows} rows were loaded into {load}. Nothing was changed."
        raise WarehouseQueryFailed(message)
    if ranges is not None:
        loaded_in_ranges, days = date_filter_sql("DAY", ranges)
        cursor.execute(f"DELETE FROM {load} WHERE NOT {loaded_in_ranges}", days)
    return load


def create_load_table(cursor: SnowflakeCursor, table: RawTable) -> str:
    """Create the temporary table of a landing. Rows of files have no EXTRACTED_AT."""
    load = f"{table.name}__LOAD"
    cursor.execute(
        f"CREATE OR REPLACE TEMPORARY TABLE {load} (KEY VARCHAR, PAYLOAD VARCHAR, DAY DATE, "
        "CONTENT_HASH VARCHAR, PROCESSING_ERROR VARCHAR, EXTRACTED_AT TIMESTAMP_LTZ)"
    )
    return load


def _count(cursor: SnowflakeCursor, table: RawTable, condition: str, parameters: Sequence[date]) -> int:
    cursor.execute(f"SELECT COUNT(*) FROM {table.name} WHERE {condition}", parameters)
    return int(cursor.fetchall()[0][0])


def _missing_keys(
    cursor: SnowflakeCursor, table: RawTable, load: str, in_ranges: str, parameters: Sequence[date]
) -> list[tuple[str, date | None]]:
    """Return the keys of the scope that were not loaded, and their days."""
    cursor.execute(
        f"SELECT {table.key.name}, {table.partition.name if table.partition else 'NULL'} FROM {table.name} "
        f"WHERE {in_ranges} AND {table.key.name} NOT IN (SELECT KEY FROM {load}) ORDER BY {table.key.name}",
        parameters,
    )
    return [(str(key), day) for key, day in cursor.fetchall()]


def _replace_rows(
    cursor: SnowflakeCursor,
    table: RawTable,
    load: str,
    scope: Scope,
    correlation_id: str,
    missing: Sequence[tuple[str, date | None]],
) -> Landed:
    day = table.partition.name if table.partition else None
    stored, loaded = _identities(table)
    is_stale = (
        f"({scope.condition} OR {table.key.name} IN (SELECT KEY FROM {load})) "
        f"AND {stored} NOT IN (SELECT {loaded} FROM {load})"
    )
    is_new = f"{loaded} NOT IN (SELECT {stored} FROM {table.name})"
    cursor.execute(change_counts(table.name, load, day, is_stale, is_new), scope.parameters)
    by_day, total = counts_by_day(cursor.fetchall(), missing)
    record_days(
        cursor,
        table.name,
        [each for each, rows in by_day.items() if rows.inserted or rows.deleted],
        correlation_id,
    )
    cursor.execute(f"DELETE FROM {table.name} WHERE {is_stale}", scope.parameters)
    cursor.execute(
        f"INSERT INTO {table.name} ({table.key.name}, {table.payload.name}, INGESTED_AT, CORRELATION_ID, "
        f"{f'{day}, ' if day else ''}CONTENT_HASH, PROCESSING_ERROR, SOURCE) "
        "SELECT KEY, COALESCE(TRY_PARSE_JSON(PAYLOAD), TO_VARIANT(PAYLOAD)), "
        f"COALESCE(EXTRACTED_AT, CURRENT_TIMESTAMP()), %s, {'DAY, ' if day else ''}CONTENT_HASH, "
        f"COALESCE(PROCESSING_ERROR, IFF(TRY_PARSE_JSON(PAYLOAD) IS NULL, '{UNPARSED}', NULL)), "
        f"'{scope.source}' "
        f"FROM {load} WHERE KEY NOT IN (SELECT {table.key.name} FROM {table.name})",
        (correlation_id,),
    )
    return Landed.of_days(by_day, total)


def _identities(table: RawTable) -> tuple[str, str]:
    """Return SQL that identifies a row of the table, and a loaded row, by key, content, error and day."""
    identity = (
        f"{{key}} || ' ' || CONTENT_HASH || ' ' || COALESCE(NULLIF(PROCESSING_ERROR, '{UNPARSED}'), '')"
    )
    day = table.partition.name if table.partition else None
    stored = identity.format(key=table.key.name) + (f" || ' ' || {day}::VARCHAR" if day else "")
    return stored, identity.format(key="KEY") + (" || ' ' || DAY::VARCHAR" if day else "")
