"""Queries and deletions for the audit of another product's calls (`gong_assets/ingestion/audit.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gong_assets.warehouse.connection import fetch, transaction
from gong_assets.warehouse.deletions import delete_records
from gong_assets.warehouse.landing import FileBatch, load_files
from gong_assets.warehouse.queries import IDS_PER_STATEMENT
from gong_assets.warehouse.sources.adoption import CREATE_DELETIONS, DELETIONS_TABLE
from gong_assets.warehouse.sources.source import AdoptedSource
from gong_assets.warehouse.tables import CALLS, TRANSCRIPTS, RawTable

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.connector.cursor import SnowflakeCursor


def delete_calls(connection: SnowflakeConnection, call_ids: Sequence[str], correlation_id: str) -> int:
    """Delete calls and their transcripts in one transaction, and return the number of rows.

    They are noted in GONG_SOURCE_DELETIONS, so that the source does not bring them back.
    """
    deleted = 0
    with connection.cursor() as cursor:
        cursor.execute(CREATE_DELETIONS)
        with transaction(connection):
            for table in (CALLS, TRANSCRIPTS):
                _note(cursor, table, call_ids, correlation_id)
                deleted += delete_records(cursor, table, call_ids, correlation_id)
    return deleted


def _note(cursor: SnowflakeCursor, table: RawTable, ids: Sequence[str], correlation_id: str) -> None:
    for first in range(0, len(ids), IDS_PER_STATEMENT):
        some = ids[first : first + IDS_PER_STATEMENT]
        cursor.execute(
            f"INSERT INTO {DELETIONS_TABLE} (TABLE_NAME, RECORD_ID, DELETED_AT, CORRELATION_ID) "
            "SELECT %s, COLUMN1, CURRENT_TIMESTAMP(), %s "
            f"FROM VALUES {', '.join(['(%s)'] * len(some))}",
            (table.name, correlation_id, *some),
        )


def changed_calls(connection: SnowflakeConnection, files: FileBatch) -> set[str]:
    """Return the IDs of the landed calls that have other content than the files. Nothing is changed."""
    with connection.cursor() as cursor:
        load = load_files(cursor, CALLS, files, None)
        cursor.execute(
            f"SELECT LANDED.CALL_ID FROM {CALLS.name} AS LANDED JOIN {load} AS LOADED "
            "ON LOADED.KEY = LANDED.CALL_ID WHERE SHA2(TO_JSON(LANDED.RAW_DATA), 256) <> "
            "SHA2(TO_JSON(TRY_PARSE_JSON(LOADED.PAYLOAD)), 256)"
        )
        return {str(call_id) for (call_id,) in cursor.fetchall()}


def delivered_ids(connection: SnowflakeConnection, source: AdoptedSource, table: RawTable) -> set[str]:
    """Return the IDs of the records that the source has, landed or not."""
    if not source.is_available(table):
        return set()
    sql = f"SELECT DISTINCT KEY FROM ({source.versions(table)}) AS RECORDS WHERE NOT IS_DELETED"
    return {str(row["KEY"]) for row in fetch(connection, sql)}


def landed_transcripts(connection: SnowflakeConnection, call_ids: Sequence[str]) -> set[str]:
    """Return those of the calls that have a landed transcript."""
    found: set[str] = set()
    with connection.cursor() as cursor:
        for first in range(0, len(call_ids), IDS_PER_STATEMENT):
            ids = call_ids[first : first + IDS_PER_STATEMENT]
            cursor.execute(
                f"SELECT CALL_ID FROM {TRANSCRIPTS.name} WHERE CALL_ID IN ({', '.join(['%s'] * len(ids))})",
                ids,
            )
            found.update(call_id for (call_id,) in cursor.fetchall())
    return found
