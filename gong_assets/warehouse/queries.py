"""What the graph itself asks the warehouse. What agents ask is in `gong_assets/agents`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from gong_assets.warehouse.connection import Warehouse
from gong_assets.warehouse.landing import Days, create_table
from gong_assets.warehouse.tables import CALLS, RAW_TABLES, TRANSCRIPTS, RawTable

if TYPE_CHECKING:
    import pyarrow as pa
    from snowflake.connector import SnowflakeConnection


def call_dates(connection: SnowflakeConnection, days: Days) -> dict[str, date]:
    """The date of each valid call that is landed for these days, by call id."""
    create_table(connection, CALLS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {CALLS.key.name}, CALL_DATE FROM {CALLS.name} "
            "WHERE CALL_DATE >= %s AND CALL_DATE < %s AND PROCESSING_ERROR IS NULL ORDER BY CALL_DATE, CALL_ID",
            (days.first, days.end),
        )
        return dict(cursor.fetchall())


def days_without_transcripts(connection: SnowflakeConnection, since: date) -> dict[date, int]:
    """How many landed calls lack a transcript, by call date, from `since` on."""
    create_table(connection, CALLS)
    create_table(connection, TRANSCRIPTS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT CALL_DATE, COUNT(*) FROM {CALLS.name} "
            "WHERE CALL_DATE >= %s AND PROCESSING_ERROR IS NULL "
            f"AND CALL_ID NOT IN (SELECT CALL_ID FROM {TRANSCRIPTS.name} WHERE CALL_DATE >= %s) "
            "GROUP BY CALL_DATE ORDER BY CALL_DATE",
            (since, since),
        )
        return dict(cursor.fetchall())


def arrow_tables(connection: SnowflakeConnection, table: RawTable, days: Days | None) -> Iterator[pa.Table]:
    """The table's rows, for `days` or all of them, as Arrow tables of bounded size; none if there are no rows."""
    where, bounds = (
        ("", ()) if days is None else ("WHERE CALL_DATE >= %s AND CALL_DATE < %s", (days.first, days.end))
    )
    create_table(connection, table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table.name} {where} ORDER BY {table.key.name}", bounds)
        if cursor.rowcount:  # The connector makes no Arrow table of a result without rows.
            yield from cursor.fetch_arrow_batches()


def row_counts(warehouse: Warehouse, tables: Sequence[str]) -> dict[str, int]:
    """The rows of each table or view, all in one statement."""
    counts = " UNION ALL ".join(
        f"SELECT '{name}' AS NAME, COUNT(*) AS ROW_COUNT FROM {name}" for name in tables
    )
    return {row["NAME"]: int(row["ROW_COUNT"]) for row in warehouse.query(counts)} if tables else {}


def create_raw_tables(connection: SnowflakeConnection) -> None:
    """All raw tables, so that what follows the raw assets finds them before their first run."""
    for table in RAW_TABLES:
        create_table(connection, table)


def processing_errors(table: RawTable) -> str:
    return (
        f"SELECT {table.key.name} AS ID, PROCESSING_ERROR FROM {table.name} "
        f"WHERE PROCESSING_ERROR IS NOT NULL ORDER BY {table.key.name}"
    )


def calls_without_transcript() -> str:
    """Calls of the dates from the first parameter to the second that have none."""
    return (
        f"SELECT CALL_ID FROM {CALLS.name} WHERE CALL_DATE >= %s AND CALL_DATE <= %s AND PROCESSING_ERROR IS NULL "
        f"AND CALL_ID NOT IN (SELECT CALL_ID FROM {TRANSCRIPTS.name}) ORDER BY CALL_DATE, CALL_ID"
    )


def newest_call_date() -> str:
    return f"SELECT MAX(CALL_DATE) AS NEWEST FROM {CALLS.name}"


def waiting_for_cortex() -> str:
    """Staged segments that Cortex has not seen as they are now, or gave nothing for."""
    return (
        "SELECT COUNT(*) AS SEGMENTS, COUNT(DISTINCT staged.CALL_ID) AS CALLS "
        "FROM STG_GONG_CALL_TRANSCRIPTS AS staged "
        "LEFT JOIN CORTEX_GONG_CALL_TRANSCRIPTS AS enriched ON staged.TRANSCRIPT_ID = enriched.TRANSCRIPT_ID "
        "AND staged.CONTENT_HASH = enriched.CONTENT_HASH "
        "WHERE enriched.TRANSCRIPT_ID IS NULL OR (enriched.PROCESSED_BY_CORTEX "
        "AND (enriched.TRANSCRIPT_EMBEDDING IS NULL OR enriched.SEGMENT_SENTIMENT IS NULL))"
    )
