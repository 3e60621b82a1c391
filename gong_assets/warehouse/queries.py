"""Read-only queries of the graph itself. Those of agents are in `gong_assets/agents`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from gong_assets.dates import DateRange, date_filter_sql
from gong_assets.warehouse.connection import Warehouse, fetch
from gong_assets.warehouse.tables import CALLS, TRANSCRIPTS, Column, RawTable

if TYPE_CHECKING:
    import pyarrow as pa
    from snowflake.connector import SnowflakeConnection

IDS_PER_STATEMENT = 1000

# A record with a wrong date, such as an uploaded call, would be the newest forever. In some time zones
# tomorrow has begun.
_TOMORROW = "DATEADD('day', 1, SYSDATE()::DATE)"


def call_dates(connection: SnowflakeConnection, ranges: Sequence[DateRange]) -> dict[str, date]:
    """Return the date of each valid landed call of these days by call ID, oldest first."""
    in_ranges, parameters = date_filter_sql("CALL_DATE", ranges)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {CALLS.key.name}, CALL_DATE FROM {CALLS.name} "
            f"WHERE {in_ranges} AND PROCESSING_ERROR IS NULL ORDER BY CALL_DATE, CALL_ID",
            parameters,
        )
        return dict(cursor.fetchall())


def dates_of_calls(connection: SnowflakeConnection, call_ids: Sequence[str]) -> dict[str, date]:
    """Return the date of each of these calls that is landed and valid, by call ID."""
    dates: dict[str, date] = {}
    with connection.cursor() as cursor:
        for first in range(0, len(call_ids), IDS_PER_STATEMENT):
            ids = call_ids[first : first + IDS_PER_STATEMENT]
            cursor.execute(
                f"SELECT CALL_ID, CALL_DATE FROM {CALLS.name} "
                f"WHERE PROCESSING_ERROR IS NULL AND CALL_ID IN ({', '.join(['%s'] * len(ids))})",
                ids,
            )
            dates.update(cursor.fetchall())
    return dates


def unmatched_transcripts(
    connection: SnowflakeConnection, days: DateRange
) -> tuple[dict[str, date], dict[str, date]]:
    """Return the landed transcripts without a call, and the valid calls without a transcript: ID and day."""
    in_range, parameters = days.sql("CALL_DATE")
    unmatched: tuple[dict[str, date], dict[str, date]] = ({}, {})
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT FALSE, CALL_ID, CALL_DATE FROM {TRANSCRIPTS.name} "
            f"WHERE {in_range} AND CALL_ID NOT IN (SELECT CALL_ID FROM {CALLS.name}) "
            f"UNION ALL SELECT TRUE, CALL_ID, CALL_DATE FROM {CALLS.name} WHERE {in_range} "
            f"AND PROCESSING_ERROR IS NULL AND CALL_ID NOT IN (SELECT CALL_ID FROM {TRANSCRIPTS.name})",
            (*parameters, *parameters),
        )
        for is_call, call_id, day in cursor.fetchall():
            unmatched[is_call][call_id] = day
    return unmatched


def landed_calls(
    connection: SnowflakeConnection, days: DateRange, names: Sequence[str]
) -> dict[str, tuple[date, tuple[str | None, ...], str, bool]]:
    """Return the landed calls of these days by ID.

    The values are the day, the `metaData` fields (as text), the source, and whether the call is valid.
    """
    fields = ", ".join(f"RAW_DATA:metaData:{name}::VARCHAR" for name in names)
    in_range, parameters = days.sql("CALL_DATE")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT CALL_ID, CALL_DATE, SOURCE, PROCESSING_ERROR IS NULL, {fields} FROM {CALLS.name} "
            f"WHERE {in_range}",
            parameters,
        )
        return {
            call_id: (day, tuple(values), source, is_valid)
            for call_id, day, source, is_valid, *values in cursor
        }


def arrow_tables(
    connection: SnowflakeConnection, table: RawTable, days: DateRange | None
) -> Iterator[pa.Table]:
    """Yield the rows of `days`, or all rows, as Arrow tables of bounded size; none if there are no rows."""
    ranges = [days] if days is not None and table.partition is not None else None
    in_ranges, parameters = date_filter_sql(table.partition.name if table.partition else "", ranges)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table.name} WHERE {in_ranges} ORDER BY {table.key.name}", parameters)
        if cursor.rowcount:  # The connector returns no Arrow table for a result without rows.
            yield from cursor.fetch_arrow_batches()


def row_counts(warehouse: Warehouse, tables: Sequence[str]) -> dict[str, int]:
    """Return the number of rows of each table or view, with one statement."""
    counts = " UNION ALL ".join(
        f"SELECT '{name}' AS NAME, COUNT(*) AS ROW_COUNT FROM {name}" for name in tables
    )
    return {row["NAME"]: int(row["ROW_COUNT"]) for row in warehouse.query(counts)} if tables else {}


def existing_tables(connection: SnowflakeConnection) -> set[str]:
    """Return the names of the tables and views of the connection's schema."""
    rows = fetch(
        connection,
        "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = CURRENT_SCHEMA()",
    )
    return {str(row["TABLE_NAME"]) for row in rows}


def newest_day(table: RawTable, day: Column) -> str:
    """Return SQL for the last day of a partitioned raw table, at most tomorrow."""
    return f"SELECT MAX({day.name}) FROM {table.name} WHERE {day.name} <= {_TOMORROW}"


def newest_records(table: RawTable, limit: int) -> str:
    """Return SQL for the records of a raw table that landed last: '', ID and JSON."""
    key = table.key.name
    return (
        f"SELECT '', {key}, TO_JSON({table.payload.name}) FROM {table.name} "
        f"ORDER BY INGESTED_AT DESC, {key} LIMIT {limit}"
    )


def newest_records_by_day(table: RawTable, day: Column, limit: int) -> str:
    """Return SQL for the records of each day until tomorrow that landed last: day, ID and JSON.

    Parameter: the day before the first one.
    """
    key = table.key.name
    return (
        f"SELECT TO_CHAR({day.name}, 'YYYY-MM-DD'), {key}, TO_JSON({table.payload.name}) FROM {table.name} "
        f"WHERE {day.name} > %s AND {day.name} <= {_TOMORROW} QUALIFY ROW_NUMBER() "
        f"OVER (PARTITION BY {day.name} ORDER BY INGESTED_AT DESC, {key}) <= {limit}"
    )


def processing_errors(table: RawTable) -> str:
    """Return SQL for the invalid rows of a raw table."""
    return (
        f"SELECT {table.key.name} AS ID, PROCESSING_ERROR FROM {table.name} "
        f"WHERE PROCESSING_ERROR IS NOT NULL ORDER BY {table.key.name}"
    )


def calls_without_transcript() -> str:
    """Return SQL for the calls without a transcript, latest first. Parameter: the last call date."""
    return (
        f"SELECT CALL_ID, CALL_DATE FROM {CALLS.name} WHERE CALL_DATE <= %s AND PROCESSING_ERROR IS NULL "
        f"AND CALL_ID NOT IN (SELECT CALL_ID FROM {TRANSCRIPTS.name}) ORDER BY CALL_DATE DESC, CALL_ID"
    )


def newest_call_date() -> str:
    """Return SQL for the date of the newest landed call, at most tomorrow."""
    return f"SELECT MAX(CALL_DATE) AS NEWEST FROM {CALLS.name} WHERE CALL_DATE <= {_TOMORROW}"


def unanswered_segments() -> str:
    """Return SQL for the staged segments without a Cortex answer for their current text, by error.

    The error is NULL for segments that were not sent yet.
    """
    return (
        "SELECT enriched.CORTEX_ERROR, COUNT(*) AS TEXTS, MIN(staged.TRANSCRIPT_ID) AS EXAMPLE, "
        "MIN(staged.CALL_DATE) AS FIRST_DATE, MAX(staged.CALL_DATE) AS LAST_DATE "
        "FROM STG_GONG_CALL_TRANSCRIPTS AS staged "
        "LEFT JOIN CORTEX_GONG_CALL_TRANSCRIPTS AS enriched ON staged.TRANSCRIPT_ID = enriched.TRANSCRIPT_ID "
        "AND staged.CONTENT_HASH = enriched.CONTENT_HASH "
        "WHERE enriched.TRANSCRIPT_ID IS NULL OR NOT enriched.IS_TOO_SHORT "
        "AND (NOT enriched.PROCESSED_BY_CORTEX OR enriched.CORTEX_ERROR IS NOT NULL) "
        "GROUP BY enriched.CORTEX_ERROR ORDER BY TEXTS DESC, CORTEX_ERROR"
    )


def unanswered_calls(table: str) -> str:
    """Return SQL for the calls without a Cortex answer for their current dialogue, by error.

    `table` is CORTEX_GONG_CALLS or CORTEX_GONG_CALL_INSIGHTS.
    """
    return (
        "SELECT CORTEX_ERROR, COUNT(*) AS TEXTS, MIN(CALL_ID) AS EXAMPLE, MIN(CALL_DATE) AS FIRST_DATE, "
        f"MAX(CALL_DATE) AS LAST_DATE FROM {table} "
        "WHERE TRANSCRIPT_HASH IS NOT NULL AND (NOT PROCESSED_BY_CORTEX OR CORTEX_ERROR IS NOT NULL) "
        "GROUP BY CORTEX_ERROR ORDER BY TEXTS DESC, CORTEX_ERROR"
    )


def unredacted_segments() -> str:
    """Return SQL for the segments without redacted text, by error."""
    return (
        "SELECT CORTEX_ERROR, COUNT(*) AS TEXTS, MIN(TRANSCRIPT_ID) AS EXAMPLE, "
        "MIN(CALL_DATE) AS FIRST_DATE, MAX(CALL_DATE) AS LAST_DATE FROM CORTEX_GONG_REDACTED_TRANSCRIPTS "
        "WHERE REDACTED_TEXT IS NULL GROUP BY CORTEX_ERROR ORDER BY TEXTS DESC, CORTEX_ERROR"
    )


def cortex_batches() -> str:
    """Return SQL for Cortex batches by function and status. Parameters: a run's query tag and a dbt model."""
    return (
        "SELECT FUNCTION_NAME, STATUS, SUM(CALLS)::INT AS CALLS, "
        "SUM(INPUT_TOKENS + OUTPUT_TOKENS)::INT AS TOKENS, "
        "SUM(ESTIMATED_CREDITS) AS ESTIMATED_CREDITS, SUM(ESTIMATED_DOLLARS) AS ESTIMATED_DOLLARS "
        "FROM GONG_CORTEX_BATCHES WHERE RUN_KEY = %s AND MODEL_NAME = %s "
        "GROUP BY FUNCTION_NAME, STATUS ORDER BY FUNCTION_NAME, STATUS"
    )


def answered_texts_by_day() -> str:
    """Return SQL for the texts of each day that a run got answers for.

    Parameters: an enrichment, and those of `cortex_batches`.
    """
    return (
        "SELECT CALL_DATE AS DAY, COUNT(*) AS TEXTS FROM GONG_CORTEX_ANSWERS "
        "WHERE ENRICHMENT = %s AND ANSWERED_AT >= "
        "(SELECT MIN(PLANNED_AT) FROM GONG_CORTEX_BATCHES WHERE RUN_KEY = %s AND MODEL_NAME = %s) "
        "GROUP BY CALL_DATE"
    )
