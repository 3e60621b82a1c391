"""Landing: replacing days of a raw table, or all of it, by what a spool holds.

The files go to a temporary stage, from there into a temporary table, and then into the raw table in one transaction. A
reader, and a run that is killed at any moment, finds the old rows or the new ones, never a part of either. Rows whose
content did not change keep their INGESTED_AT and CORRELATION_ID: reading a day again writes only what differs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from gong_assets.warehouse.connection import transaction
from gong_assets.warehouse.errors import WarehouseQueryFailed
from gong_assets.warehouse.spool import Spool
from gong_assets.warehouse.tables import RawTable

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.connector.cursor import SnowflakeCursor


@dataclass(frozen=True)
class Days:
    """Call dates from `first` on, up to and without `end`."""

    first: date
    end: date


@dataclass(frozen=True)
class Landed:
    """What one write did, in rows."""

    inserted: int
    deleted: int
    unchanged: int
    total: int


def create_table(connection: SnowflakeConnection, table: RawTable) -> None:
    with connection.cursor() as cursor:
        cursor.execute(table.create_statement())


def replace(
    connection: SnowflakeConnection,
    table: RawTable,
    spool: Spool,
    *,
    days: Days | None,
    correlation_id: str,
) -> Landed:
    """Make `table` hold exactly the spool's rows, for `days` or, for a table without partitions, altogether.

    A record that is now of another day than before is removed from the old one. The spool's keys must be unique.

    Raises:
        WarehouseQueryFailed: not every row reached the temporary table; nothing was changed.
    """
    if (days is None) != (table.partition is None):
        raise ValueError(f"{table.name}: days are given for a partitioned table, and only for one")
    # Temporary objects belong to the session: a killed process leaves none behind. They are created before the
    # transaction begins, since DDL would commit it, and unqualified, in the connection's own schema.
    load = f"{table.name}__LOAD"
    with connection.cursor() as cursor:
        create_table(connection, table)
        cursor.execute(f"CREATE OR REPLACE TEMPORARY STAGE {load}_STAGE")
        cursor.execute(
            f"CREATE OR REPLACE TEMPORARY TABLE {load} "
            "(KEY VARCHAR, PAYLOAD VARCHAR, CALL_DATE DATE, CONTENT_HASH VARCHAR, PROCESSING_ERROR VARCHAR)"
        )
        _copy_files(cursor, spool, load)
        with transaction(connection):
            landed = _replace_rows(cursor, table, load, days, correlation_id)
    return landed


def _copy_files(cursor: SnowflakeCursor, spool: Spool, load: str) -> None:
    files = spool.files()
    if not files:
        return
    location = str(spool.directory).replace("\\", "/").replace("'", "\\'")
    cursor.execute(f"PUT 'file://{location}/*.parquet' @{load}_STAGE AUTO_COMPRESS = FALSE")
    cursor.execute(
        f"COPY INTO {load} FROM ("
        "SELECT $1:KEY::VARCHAR, $1:PAYLOAD::VARCHAR, $1:CALL_DATE::DATE, $1:CONTENT_HASH::VARCHAR, "
        f"$1:PROCESSING_ERROR::VARCHAR FROM @{load}_STAGE"
        ") FILE_FORMAT = (TYPE = PARQUET) FORCE = TRUE"
    )
    loaded = sum(int(result[3]) for result in cursor.fetchall() if result[1] == "LOADED")
    if loaded != spool.rows:
        raise WarehouseQueryFailed(
            f"COPY INTO {load} loaded {loaded} of {spool.rows} rows; nothing was changed"
        )


def _replace_rows(
    cursor: SnowflakeCursor, table: RawTable, load: str, days: Days | None, correlation_id: str
) -> Landed:
    in_days, bounds = (
        ("TRUE", ()) if days is None else ("CALL_DATE >= %s AND CALL_DATE < %s", (days.first, days.end))
    )
    same_day = "" if table.partition is None else "CALL_DATE::VARCHAR || ' ' || "
    # A row is unchanged when it has the same content on the same day, and the same verdict.
    identity = f"{same_day}{{0}} || ' ' || CONTENT_HASH || ' ' || COALESCE(PROCESSING_ERROR, '')"
    stored, loaded = identity.format(table.key.name), identity.format("KEY")

    cursor.execute(
        f"DELETE FROM {table.name} WHERE ({in_days} OR {table.key.name} IN (SELECT KEY FROM {load})) "
        f"AND {stored} NOT IN (SELECT {loaded} FROM {load})",
        bounds,
    )
    deleted = cursor.rowcount or 0
    partition = "CALL_DATE, " if table.partition else ""
    cursor.execute(
        f"INSERT INTO {table.name} ({table.key.name}, {table.payload.name}, INGESTED_AT, CORRELATION_ID, "
        f"{partition}CONTENT_HASH, PROCESSING_ERROR) "
        f"SELECT KEY, PARSE_JSON(PAYLOAD), CURRENT_TIMESTAMP(), %s, {partition}CONTENT_HASH, PROCESSING_ERROR "
        f"FROM {load} WHERE {loaded} NOT IN (SELECT {stored} FROM {table.name} WHERE {in_days})",
        (correlation_id, *bounds),
    )
    inserted = cursor.rowcount or 0
    cursor.execute(f"SELECT COUNT(*), COUNT_IF({in_days}) FROM {table.name}", bounds)
    total, in_window = cursor.fetchall()[0]
    return Landed(inserted=inserted, deleted=deleted, unchanged=in_window - inserted, total=total)
