"""Landing: replacing days of a raw table, or all of it, by what a spool holds.

The files go to a temporary stage, from there into a temporary table, and then into the raw table in one transaction. A
reader, and a run that is killed at any moment, finds the old rows or the new ones, never a part of either. Rows whose
content did not change keep their INGESTED_AT and CORRELATION_ID: reading a day again writes only what differs.

A key that lost the right to see calls gets the answer of a company that has none. So what Gong does not return any more is
deleted here only up to a share; beyond it, somebody has to confirm (`VanishedRecords`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from gong_assets.warehouse.connection import transaction
from gong_assets.warehouse.errors import VanishedRecords, WarehouseQueryFailed
from gong_assets.warehouse.spool import Spool
from gong_assets.warehouse.tables import RawTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from snowflake.connector import SnowflakeConnection
    from snowflake.connector.cursor import SnowflakeCursor


@dataclass(frozen=True)
class Days:
    """Dates from `first` on, up to and without `end`."""

    first: date
    end: date

    @classmethod
    def of(cls, day: date) -> Days:
        return cls(day, day + timedelta(days=1))

    def __str__(self) -> str:
        last = self.end - timedelta(days=1)
        return f"{self.first}" if last == self.first else f"{self.first} to {last}"

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days=offset) for offset in range((self.end - self.first).days))


@dataclass(frozen=True)
class Landed:
    """What one write did, in rows. `vanished` are the keys that the table does not hold any more."""

    inserted: int
    deleted: int
    unchanged: int
    total: int
    vanished: tuple[str, ...] = ()


def create_table(connection: SnowflakeConnection, table: RawTable) -> None:
    with connection.cursor() as cursor:
        cursor.execute(table.create_statement())


# One row for each raw table, which each write of the table changes first: on Snowflake the second of two writers waits at
# its UPDATE until the first one has committed. A DELETE that finds no rows and an INSERT wait for nobody, and two first
# writes of the same day would both insert it.
_LANDINGS = "GONG_RAW_LANDINGS"


def create_landings(connection: SnowflakeConnection) -> None:
    """The table that says when each raw table was last written, also if nothing in it changed."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS {_LANDINGS} "
            "(TABLE_NAME VARCHAR(255), LANDED_AT TIMESTAMP_LTZ, CORRELATION_ID VARCHAR(255))"
        )


def _create_lock(cursor: SnowflakeCursor, table: RawTable) -> None:
    cursor.execute(
        f"INSERT INTO {_LANDINGS} (TABLE_NAME) SELECT %s "
        f"WHERE NOT EXISTS (SELECT 1 FROM {_LANDINGS} WHERE TABLE_NAME = %s)",
        (table.name, table.name),
    )


def _lock(cursor: SnowflakeCursor, table: RawTable, correlation_id: str) -> None:
    cursor.execute(
        f"UPDATE {_LANDINGS} SET LANDED_AT = CURRENT_TIMESTAMP(), CORRELATION_ID = %s WHERE TABLE_NAME = %s",
        (correlation_id, table.name),
    )


def replace(
    connection: SnowflakeConnection,
    table: RawTable,
    spool: Spool,
    *,
    correlation_id: str,
) -> Landed:
    """Make `table` hold exactly the spool's rows, for its days or, for a table without partitions, altogether.

    A record that is now of another day than before is removed from the old one. A spool of no days at all replaces the
    records that it holds, and no other. Its keys must be unique.

    Raises:
        VanishedRecords: more records are gone than the spool's `max_vanished_share` of those that were held, or all of
            them; nothing was changed.
        WarehouseQueryFailed: not every row reached the temporary table; nothing was changed.
    """
    if (spool.days is None) != (table.partition is None):
        raise ValueError(f"{table.name}: days are given for a partitioned table, and only for one")
    # Temporary objects belong to the session: a killed process leaves none behind. They are created before the
    # transaction begins, since DDL would commit it, and unqualified, in the connection's own schema.
    load = f"{table.name}__LOAD"
    with connection.cursor() as cursor:
        create_table(connection, table)
        create_landings(connection)
        _create_lock(cursor, table)
        cursor.execute(f"CREATE OR REPLACE TEMPORARY STAGE {load}_STAGE")
        cursor.execute(
            f"CREATE OR REPLACE TEMPORARY TABLE {load} "
            "(KEY VARCHAR, PAYLOAD VARCHAR, DAY DATE, CONTENT_HASH VARCHAR, PROCESSING_ERROR VARCHAR)"
        )
        _copy_files(cursor, spool, load)
        if spool.days is not None and spool.holds_more:
            loaded_in_days, bounds = in_spans("DAY", spool.days)
            cursor.execute(f"DELETE FROM {load} WHERE NOT {loaded_in_days}", bounds)
        in_days, bounds = in_spans(table.partition.name if table.partition else "", spool.days)
        with transaction(connection):
            _lock(cursor, table, correlation_id)
            vanished = _vanished(cursor, table, load, in_days, bounds)
            if lost := sum(1 for key in vanished if not spool.knows_to_be_gone(key)):
                cursor.execute(f"SELECT COUNT(*) FROM {table.name} WHERE {in_days}", bounds)
                held = int(cursor.fetchall()[0][0])
                check_vanished(table, spool.days, held=held, lost=lost, max_share=spool.max_vanished_share)
            landed = _replace_rows(cursor, table, load, in_days, bounds, correlation_id, vanished)
    return landed


def _copy_files(cursor: SnowflakeCursor, spool: Spool, load: str) -> None:
    files = spool.files()
    if not files:
        return
    location = str(spool.directory).replace("\\", "/").replace("'", "\\'")
    cursor.execute(f"PUT 'file://{location}/*.parquet' @{load}_STAGE AUTO_COMPRESS = FALSE")
    cursor.execute(
        f"COPY INTO {load} FROM ("
        "SELECT $1:KEY::VARCHAR, $1:PAYLOAD::VARCHAR, $1:DAY::DATE, $1:CONTENT_HASH::VARCHAR, "
        f"$1:PROCESSING_ERROR::VARCHAR FROM @{load}_STAGE"
        ") FILE_FORMAT = (TYPE = PARQUET) FORCE = TRUE"
    )
    loaded = sum(int(result[3]) for result in cursor.fetchall() if result[1] == "LOADED")
    if loaded != spool.rows:
        raise WarehouseQueryFailed(
            f"COPY INTO {load} loaded {loaded} of {spool.rows} rows; nothing was changed"
        )


def in_spans(column: str, days: Sequence[Days] | None) -> tuple[str, tuple[date, ...]]:
    """A condition on a DATE column, and its parameters; without days every row meets it."""
    if days is None:
        return "TRUE", ()
    spans = [f"({column} >= %s AND {column} < %s)" for _ in days]
    return f"({' OR '.join(spans) or 'FALSE'})", tuple(day for span in days for day in (span.first, span.end))


def _vanished(
    cursor: SnowflakeCursor, table: RawTable, load: str, in_days: str, bounds: Sequence[date]
) -> list[str]:
    cursor.execute(
        f"SELECT {table.key.name} FROM {table.name} "
        f"WHERE {in_days} AND {table.key.name} NOT IN (SELECT KEY FROM {load}) ORDER BY {table.key.name}",
        bounds,
    )
    return [str(key) for (key,) in cursor.fetchall()]


def check_vanished(
    table: RawTable, days: Sequence[Days] | None, *, held: int, lost: int, max_share: float
) -> None:
    """Raise VanishedRecords when `lost` is more than that share of the rows `held`, or all of them."""
    if lost and max_share < 1 and (lost == held or lost > held * max_share):
        span = f" of {', '.join(map(str, days))}" if days else ""
        raise VanishedRecords(table.name, held=held, lost=lost, max_share=max_share, span=span)


def _replace_rows(
    cursor: SnowflakeCursor,
    table: RawTable,
    load: str,
    in_days: str,
    bounds: Sequence[date],
    correlation_id: str,
    vanished: Sequence[str],
) -> Landed:
    day = table.partition.name if table.partition else None
    # A row is unchanged when it has the same content on the same day, and the same verdict.
    identity = "{key} || ' ' || CONTENT_HASH || ' ' || COALESCE(PROCESSING_ERROR, '')"
    stored = identity.format(key=table.key.name) + (f" || ' ' || {day}::VARCHAR" if day else "")
    loaded = identity.format(key="KEY") + (" || ' ' || DAY::VARCHAR" if day else "")

    cursor.execute(
        f"DELETE FROM {table.name} WHERE ({in_days} OR {table.key.name} IN (SELECT KEY FROM {load})) "
        f"AND {stored} NOT IN (SELECT {loaded} FROM {load})",
        bounds,
    )
    deleted = cursor.rowcount or 0
    cursor.execute(
        f"INSERT INTO {table.name} ({table.key.name}, {table.payload.name}, INGESTED_AT, CORRELATION_ID, "
        f"{f'{day}, ' if day else ''}CONTENT_HASH, PROCESSING_ERROR) "
        f"SELECT KEY, PARSE_JSON(PAYLOAD), CURRENT_TIMESTAMP(), %s, {'DAY, ' if day else ''}CONTENT_HASH, "
        f"PROCESSING_ERROR FROM {load} WHERE KEY NOT IN (SELECT {table.key.name} FROM {table.name})",
        (correlation_id,),
    )
    inserted = cursor.rowcount or 0
    cursor.execute(f"SELECT (SELECT COUNT(*) FROM {table.name}), (SELECT COUNT(*) FROM {load})")
    total, replaced = cursor.fetchall()[0]
    return Landed(inserted, deleted, unchanged=replaced - inserted, total=total, vanished=tuple(vanished))
