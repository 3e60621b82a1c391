"""Landing of the records that another product has loaded into Snowflake, in the raw tables.

No record leaves Snowflake: the temporary table of the landing is filled by a query. Three kinds of rows are
left as they are:

- Rows that were read from the API, unless the source extracted the record later. A connector that lost a
  record does not delete it.
- Records that the audit deleted, because Gong no longer has them: `GONG_SOURCE_DELETIONS`. They land again
  only if the source extracts them again.
- Rows of other days than those of the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from gong_assets.dates import DateRange, date_filter_sql
from gong_assets.warehouse.connection import fetch, transaction
from gong_assets.warehouse.deletions import DeletionPolicy
from gong_assets.warehouse.landing import (
    Scope,
    create_landing_row,
    create_load_table,
    replace_loaded,
)
from gong_assets.warehouse.landing_counts import Landed
from gong_assets.warehouse.pending_changes import record_changes
from gong_assets.warehouse.sources.source import AdoptedSource, is_in_ranges
from gong_assets.warehouse.tables import (
    API,
    CALLS,
    TRANSCRIPTS,
    RawTable,
    create_raw_table,
    create_raw_tables,
)

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.connector.cursor import SnowflakeCursor

DELETIONS_TABLE = "GONG_SOURCE_DELETIONS"
CREATE_DELETIONS = (
    f"CREATE TABLE IF NOT EXISTS {DELETIONS_TABLE} (TABLE_NAME VARCHAR, RECORD_ID VARCHAR, "
    "DELETED_AT TIMESTAMP_LTZ, CORRELATION_ID VARCHAR)"
)


@dataclass(frozen=True)
class Selection:
    """Which records of a source land."""

    include_private: bool = False
    workspace_id: str | None = None


@dataclass(frozen=True)
class Adopted:
    """The result of landing a table from a source."""

    landed: Landed
    rows_by_day: Mapping[date | None, int]
    errors_by_day: Mapping[date | None, int]
    private_by_day: Mapping[date | None, int]

    @property
    def errors(self) -> int:
        return sum(self.errors_by_day.values())

    @property
    def private(self) -> int:
        return sum(self.private_by_day.values())


@dataclass(frozen=True)
class Extraction:
    """The times at which the source extracted the records of a table.

    Attributes:
        checksum: changes when a record is added, removed or extracted again, also if a newer record was
            committed before it.
    """

    newest: datetime
    checksum: int


def adopt(
    connection: SnowflakeConnection,
    source: AdoptedSource,
    table: RawTable,
    *,
    ranges: Sequence[DateRange] | None,
    selection: Selection,
    correlation_id: str,
    max_deleted_fraction: float = 1.0,
) -> Adopted:
    """Replace the source's rows of these days, or of a table without days, with its present records.

    Raises:
        DeletionGuardError: more rows would be deleted than allowed, apart from records that the source marks
            as deleted or private. Nothing was changed.
    """
    create_raw_tables(connection, (CALLS, table))
    with connection.cursor() as cursor:
        cursor.execute(CREATE_DELETIONS)
        create_landing_row(cursor, table)
        load = create_load_table(cursor, table)
        _fill(cursor, source, table, load, ranges, selection)
        condition, parameters = date_filter_sql(table.partition.name if table.partition else "", ranges)
        scope = Scope(f"({condition} AND SOURCE = '{source.name}')", parameters, source.name)
        expected = _expected_deletions(cursor, source, table, scope, ranges, selection)
        private = _rows_by_day(cursor, f"{load}_ALL WHERE IS_PRIVATE")
        rows = _rows_by_day(cursor, load)
        errors = _rows_by_day(cursor, f"{load} WHERE PROCESSING_ERROR IS NOT NULL")
        # A call that moved lands on its other day. Its transcript is not adopted again with it.
        policy = DeletionPolicy(max_deleted_fraction, expected.__contains__, with_dependents=False)
        with transaction(connection):
            _keep_api_rows(cursor, table, load)
            if table is TRANSCRIPTS:
                _record_days_of_calls(cursor, load, scope, correlation_id)
            landed = replace_loaded(cursor, table, load, scope, ranges, correlation_id, policy, True)
    return Adopted(landed, rows, errors, private)


def _fill(
    cursor: SnowflakeCursor,
    source: AdoptedSource,
    table: RawTable,
    load: str,
    ranges: Sequence[DateRange] | None,
    selection: Selection,
) -> None:
    """Fill the load table with the records that land; the table `_ALL` has the others of these days too."""
    cursor.execute(
        f"CREATE OR REPLACE TEMPORARY TABLE {load}_ALL (KEY VARCHAR, PAYLOAD VARCHAR, DAY DATE, "
        "PROCESSING_ERROR VARCHAR, EXTRACTED_AT TIMESTAMP_LTZ, IS_DELETED BOOLEAN, IS_PRIVATE BOOLEAN, "
        "WORKSPACE_ID VARCHAR)"
    )
    cursor.execute(
        f"INSERT INTO {load}_ALL SELECT KEY, TO_JSON(PAYLOAD), DAY, PROCESSING_ERROR, "
        "EXTRACTED_AT::TIMESTAMP_LTZ, IS_DELETED, IS_PRIVATE, WORKSPACE_ID "
        f"FROM ({source.rows(table, ranges)}) AS RECORDS"
    )
    conditions = ["NOT IS_DELETED"]
    if not selection.include_private:
        conditions.append("NOT IS_PRIVATE")
    if selection.workspace_id is not None:
        conditions.append("(WORKSPACE_ID IS NULL OR WORKSPACE_ID = %s)")
    cursor.execute(
        f"INSERT INTO {load} (KEY, PAYLOAD, DAY, CONTENT_HASH, PROCESSING_ERROR, EXTRACTED_AT) "
        "SELECT KEY, PAYLOAD, DAY, SHA2(PAYLOAD, 256), PROCESSING_ERROR, EXTRACTED_AT "
        f"FROM {load}_ALL AS RECORDS WHERE {' AND '.join(conditions)} AND NOT EXISTS (SELECT 1 FROM "
        f"{DELETIONS_TABLE} AS DELETED WHERE DELETED.TABLE_NAME = '{table.name}' "
        "AND DELETED.RECORD_ID = RECORDS.KEY AND DELETED.DELETED_AT >= RECORDS.EXTRACTED_AT)",
        (selection.workspace_id,) if selection.workspace_id is not None else (),
    )


def _expected_deletions(
    cursor: SnowflakeCursor,
    source: AdoptedSource,
    table: RawTable,
    scope: Scope,
    ranges: Sequence[DateRange] | None,
    selection: Selection,
) -> frozenset[str]:
    """Return the records of the scope that the source marks as deleted or private, or has on another day."""
    conditions = ["IS_DELETED", f"NOT {is_in_ranges('DAY', ranges)}"]
    if not selection.include_private:
        conditions.append("IS_PRIVATE")
    if selection.workspace_id is not None:
        conditions.append("WORKSPACE_ID <> %s")
    cursor.execute(
        f"SELECT KEY FROM (SELECT * FROM ({source.versions(table)}) AS VERSIONS "
        f"WHERE KEY IN (SELECT {table.key.name} FROM {table.name} WHERE {scope.condition}) "
        "QUALIFY ROW_NUMBER() OVER (PARTITION BY KEY ORDER BY EXTRACTED_AT DESC) = 1) AS NEWEST "
        f"WHERE {' OR '.join(conditions)}",
        (*scope.parameters, *([selection.workspace_id] if selection.workspace_id is not None else [])),
    )
    return frozenset(str(key) for (key,) in cursor.fetchall())


def _keep_api_rows(cursor: SnowflakeCursor, table: RawTable, load: str) -> None:
    """Remove the loaded records that the API returned later than the source extracted them."""
    cursor.execute(
        f"DELETE FROM {load} WHERE EXISTS (SELECT 1 FROM {table.name} AS STORED "
        f"WHERE STORED.{table.key.name} = {load}.KEY AND STORED.SOURCE = '{API}' "
        f"AND STORED.INGESTED_AT >= {load}.EXTRACTED_AT)"
    )


def _record_days_of_calls(cursor: SnowflakeCursor, load: str, scope: Scope, correlation_id: str) -> None:
    """Record the days of calls whose transcripts change on another day.

    A transcript is staged on the day of its call. It lands on the day of its extraction if the source does
    not know when the call started.
    """
    changed = (
        f"(SELECT KEY, DAY, CONTENT_HASH FROM {load} "
        f"EXCEPT SELECT CALL_ID, CALL_DATE, CONTENT_HASH FROM {TRANSCRIPTS.name}) "
        f"UNION ALL SELECT CALL_ID, CALL_DATE, CONTENT_HASH FROM {TRANSCRIPTS.name} "
        f"WHERE {scope.condition} AND CALL_ID NOT IN (SELECT KEY FROM {load})"
    )
    days = (
        f"SELECT CALLS.CALL_DATE AS DAY FROM {CALLS.name} AS CALLS INNER JOIN ({changed}) AS CHANGED "
        "ON CALLS.CALL_ID = CHANGED.KEY WHERE CALLS.CALL_DATE <> CHANGED.DAY"
    )
    record_changes(cursor, TRANSCRIPTS.name, days, scope.parameters, correlation_id)


def _rows_by_day(cursor: SnowflakeCursor, rest: str) -> dict[date | None, int]:
    cursor.execute(f"SELECT DAY, COUNT(*) FROM {rest} GROUP BY DAY")
    return {day: int(rows) for day, rows in cursor.fetchall()}


def extractions(
    connection: SnowflakeConnection, source: AdoptedSource, tables: Sequence[RawTable]
) -> dict[str, Extraction]:
    """Return the extractions of each of these tables that has records in the source."""
    queries = " UNION ALL ".join(
        f"SELECT '{table.name}' AS TABLE_NAME, MAX(EXTRACTED_AT::TIMESTAMP_LTZ) AS NEWEST, "
        "SUM(DATE_PART(EPOCH_MILLISECOND, EXTRACTED_AT::TIMESTAMP_LTZ)) AS CHECKSUM "
        f"FROM ({source.versions(table)}) AS RECORDS"
        for table in tables
        if source.is_available(table)
    )
    found = fetch(connection, queries) if queries else []
    return {
        row["TABLE_NAME"]: Extraction(row["NEWEST"], int(row["CHECKSUM"]))
        for row in found
        if row["NEWEST"] is not None
    }


def newest_extraction(
    connection: SnowflakeConnection, source: AdoptedSource, tables: Sequence[RawTable]
) -> datetime | None:
    """Return when the source last extracted a record of these tables."""
    found = extractions(connection, source, tables).values()
    return max((each.newest for each in found), default=None)


def first_day(connection: SnowflakeConnection, source: AdoptedSource) -> date | None:
    """Return the day of the source's first call."""
    (first,) = fetch(connection, f"SELECT MIN(DAY) AS DAY FROM ({source.versions(CALLS)}) AS RECORDS")
    return first["DAY"]  # type: ignore[no-any-return]


def changed_days(
    connection: SnowflakeConnection,
    source: AdoptedSource,
    tables: Sequence[RawTable],
    since: datetime | None,
) -> list[date]:
    """Return the days of the records that the source extracted since then, before and after the change."""
    changed = "EXTRACTED_AT::TIMESTAMP_LTZ > %s" if since is not None else "TRUE"
    days: set[date] = set()
    for table in tables:
        if table.partition is None or not source.is_available(table):
            continue
        create_raw_table(connection, table)
        parameters = (since,) if since is not None else ()
        found = fetch(
            connection,
            f"WITH CHANGED AS (SELECT KEY, DAY FROM ({source.versions(table)}) AS RECORDS WHERE {changed}) "
            "SELECT DAY FROM CHANGED WHERE DAY IS NOT NULL UNION "
            f"SELECT {table.partition.name} AS DAY FROM {table.name} "
            f"WHERE {table.key.name} IN (SELECT KEY FROM CHANGED)",
            parameters,
        )
        days.update(row["DAY"] for row in found)
    return sorted(days)


def calls_without_transcripts(
    connection: SnowflakeConnection, days: DateRange
) -> dict[str, tuple[date, datetime]]:
    """Return the day and the start of the landed calls of these days that have no landed transcript."""
    create_raw_tables(connection, (CALLS, TRANSCRIPTS))
    in_range, parameters = days.sql("CALL_DATE")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT CALL_ID, CALL_DATE, COALESCE(TRY_TO_TIMESTAMP_TZ(RAW_DATA:metaData:started::VARCHAR), "
            "TRY_TO_TIMESTAMP_TZ(RAW_DATA:metaData:scheduled::VARCHAR), CALL_DATE::TIMESTAMP_TZ) "
            f"FROM {CALLS.name} WHERE {in_range} AND PROCESSING_ERROR IS NULL "
            f"AND CALL_ID NOT IN (SELECT CALL_ID FROM {TRANSCRIPTS.name})",
            parameters,
        )
        return {str(call_id): (day, started) for call_id, day, started in cursor.fetchall()}
