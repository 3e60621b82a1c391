"""Changes of the raw tables that no run has transformed yet.

A landing records each day whose rows it changed, in its own transaction, and so does the landing of a table
without days. A run that transforms them claims the changes before it reads the raw tables, and deletes its
claims when it succeeds. So a change that lands meanwhile, and the changes of a run that failed or was killed,
stay pending for the next run.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from gong_assets.dates import DateRange, date_filter_sql

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.connector.cursor import SnowflakeCursor

PENDING_CHANGES_TABLE = "GONG_PENDING_CHANGES"

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


def pending_changes(connection: SnowflakeConnection) -> list[PendingChange]:
    """Return all pending changes, claimed ones included, oldest day first."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT TABLE_NAME, DAY, MIN(CHANGED_AT) FROM {PENDING_CHANGES_TABLE} "
            "GROUP BY TABLE_NAME, DAY ORDER BY DAY, TABLE_NAME"
        )
        return [PendingChange(*row) for row in cursor.fetchall()]


def claim_changes(
    connection: SnowflakeConnection, tables: Collection[str], ranges: Sequence[DateRange], claimed_by: str
) -> int:
    """Claim the pending changes of the tables: of these days, and of tables without days.

    Returns the number of changes.
    """
    if not tables:
        return 0
    in_ranges, days = date_filter_sql("DAY", ranges)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {PENDING_CHANGES_TABLE} SET CLAIMED_BY = %s "
            f"WHERE TABLE_NAME IN ({', '.join(['%s'] * len(tables))}) AND (DAY IS NULL OR {in_ranges})",
            (claimed_by, *sorted(tables), *days),
        )
        return cursor.rowcount or 0


def settle_changes(connection: SnowflakeConnection, claimed_by: str) -> None:
    """Delete the claimed changes: they are transformed."""
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {PENDING_CHANGES_TABLE} WHERE CLAIMED_BY = %s", (claimed_by,))
