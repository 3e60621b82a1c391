"""Changes of the raw tables that no run has transformed yet.

A landing records each day whose rows it changed, in its own transaction, and so does the landing of a table
without days. A run that transforms them claims the changes before it reads the raw tables, and deletes its
claims when it succeeds. So a change that lands meanwhile, and the changes of a run that failed or was killed,
stay pending for the next run.

A day with texts that Cortex has not answered, because they exceeded the token budget or failed, stays pending
too.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from gong_assets.dates import DateRange, date_filter_sql
from gong_assets.warehouse.connection import transaction

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.connector.cursor import SnowflakeCursor

PENDING_CHANGES_TABLE = "GONG_PENDING_CHANGES"

# TABLE_NAME of days that are pending because Cortex has not answered all of their texts.
WAITING_TEXTS = "CORTEX"

CREATE_PENDING_CHANGES = (
    f"CREATE TABLE IF NOT EXISTS {PENDING_CHANGES_TABLE} (TABLE_NAME VARCHAR(255), DAY DATE, "
    "CHANGED_AT TIMESTAMP_LTZ, CORRELATION_ID VARCHAR(255), CLAIMED_BY VARCHAR(255))"
)


@dataclass(frozen=True)
class PendingChange:
    """A day of a raw table, or a whole table without days (`day` is None), that awaits transformation."""

    table: str
    day: date | None
    changed_at: datetime
    """When the oldest of the changes landed."""


def record_changes(
    cursor: SnowflakeCursor, table: str, changed_days: str, parameters: Sequence[object], correlation_id: str
) -> None:
    """Record the days that the query `changed_days` returns (column DAY), within the open transaction."""
    cursor.execute(
        f"INSERT INTO {PENDING_CHANGES_TABLE} (TABLE_NAME, DAY, CHANGED_AT, CORRELATION_ID) "
        f"SELECT %s, DAY, CURRENT_TIMESTAMP(), %s FROM ({changed_days}) AS CHANGED GROUP BY DAY",
        (table, correlation_id, *parameters),
    )


def record_days(
    cursor: SnowflakeCursor, table: str, days: Sequence[date | None], correlation_id: str
) -> None:
    """Record changes of these days, within the open transaction. The day of a table without days is None."""
    if days:
        values = ", ".join(["(%s)"] * len(days))
        record_changes(
            cursor, table, f"SELECT COLUMN1::DATE AS DAY FROM VALUES {values}", days, correlation_id
        )


def pending_changes(connection: SnowflakeConnection) -> list[PendingChange]:
    """Return all pending changes, claimed ones included, oldest day first."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT TABLE_NAME, DAY, MIN(CHANGED_AT) FROM {PENDING_CHANGES_TABLE} "
            "GROUP BY TABLE_NAME, DAY ORDER BY DAY, TABLE_NAME"
        )
        return [PendingChange(*row) for row in cursor.fetchall()]


def claim_changes(
    connection: SnowflakeConnection,
    claimed_by: str,
    *,
    tables: Collection[str] = (),
    daily_tables: Collection[str] = (),
    ranges: Sequence[DateRange] = (),
) -> int:
    """Claim the pending changes that a run transforms, and return their number.

    Args:
        tables: raw tables whose changes of all days are transformed.
        daily_tables: raw tables whose changes of the days in `ranges` are transformed.
    """
    in_ranges, days = date_filter_sql("DAY", ranges)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {PENDING_CHANGES_TABLE} SET CLAIMED_BY = %s WHERE "
            f"{_is_one_of(tables)} OR {_is_one_of(daily_tables)} AND {in_ranges}",
            (claimed_by, *sorted(tables), *sorted(daily_tables), *days),
        )
        return cursor.rowcount or 0


def _is_one_of(tables: Collection[str]) -> str:
    return f"TABLE_NAME IN ({', '.join(['%s'] * len(tables))})" if tables else "FALSE"


def settle_changes(
    connection: SnowflakeConnection, claimed_by: Sequence[str], waiting_days: Sequence[date] = ()
) -> None:
    """Delete the claimed changes, which are transformed now, except for the days with texts that wait.

    Args:
        claimed_by: the run that transformed them, and those whose claims it took over.
        waiting_days: days whose texts Cortex has not answered. They become pending, claimed or not.
    """
    with transaction(connection), connection.cursor() as cursor:
        runs = ", ".join(["%s"] * len(claimed_by))
        cursor.execute(f"DELETE FROM {PENDING_CHANGES_TABLE} WHERE CLAIMED_BY IN ({runs})", claimed_by)
        if waiting_days:
            days = ", ".join(["(%s)"] * len(waiting_days))
            cursor.execute(
                f"INSERT INTO {PENDING_CHANGES_TABLE} (TABLE_NAME, DAY, CHANGED_AT, CORRELATION_ID) "
                f"SELECT %s, COLUMN1::DATE, CURRENT_TIMESTAMP(), %s FROM VALUES {days}",
                (WAITING_TEXTS, claimed_by[0], *waiting_days),
            )


def waiting_days(connection: SnowflakeConnection, ranges: Sequence[DateRange]) -> list[date]:
    """Return the days of the ranges with texts that will be sent to Cortex by the next run of their day.

    They exceeded the token budget of a run, or failed and have attempts left.
    """
    in_ranges, days = date_filter_sql("CALL_DATE", ranges)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT CALL_DATE FROM VW_CORTEX_STATUS WHERE {in_ranges} AND CORTEX_STATUS = 'Waiting' "
            "ORDER BY CALL_DATE",
            days,
        )
        return [day for (day,) in cursor.fetchall()]
