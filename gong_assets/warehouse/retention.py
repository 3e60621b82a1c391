"""Deletion of expired rows: in each table with days, those before the first day that is kept.

Views show what their tables have, and a Cortex Search service follows its tables within its target lag.
Tables without days are rebuilt from the others by the next transformation, and lists without days, such as
users, are not records of calls. The tables of another product (GONG_SOURCE) belong to that product.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gong_assets.warehouse.connection import fetch

if TYPE_CHECKING:
    from datetime import date

    from snowflake.connector import SnowflakeConnection

# Columns with the day of a row, in the raw tables and in all tables that follow from them. The first that a
# table has counts: a review of a call has the days of both.
DAY_COLUMNS = ("REVIEW_DATE", "STATS_DATE", "ACTIVITY_DATE", "CALL_DATE", "DAY")


def day_columns(connection: SnowflakeConnection, tables: Sequence[str]) -> dict[str, str]:
    """Return the column with the day of each of these tables that exists and has one, in their order."""
    names = ", ".join(["%s"] * len(DAY_COLUMNS))
    rows = fetch(
        connection,
        "SELECT COLUMNS.TABLE_NAME, COLUMNS.COLUMN_NAME FROM INFORMATION_SCHEMA.COLUMNS AS COLUMNS "
        "INNER JOIN INFORMATION_SCHEMA.TABLES AS TABLES ON COLUMNS.TABLE_NAME = TABLES.TABLE_NAME "
        "AND COLUMNS.TABLE_SCHEMA = TABLES.TABLE_SCHEMA "
        "WHERE COLUMNS.TABLE_SCHEMA = CURRENT_SCHEMA() AND TABLES.TABLE_TYPE = 'BASE TABLE' "
        f"AND COLUMNS.COLUMN_NAME IN ({names})",
        DAY_COLUMNS,
    )
    found = {(str(row["TABLE_NAME"]), str(row["COLUMN_NAME"])) for row in rows}
    days = {table: [each for each in DAY_COLUMNS if (table, each) in found] for table in tables}
    return {table: columns[0] for table, columns in days.items() if columns}


def delete_expired(
    connection: SnowflakeConnection, columns: Mapping[str, str], first_day: date
) -> dict[str, int]:
    """Delete the rows of days before `first_day`, and return the number of deleted rows of each table.

    Each table is one statement. A deletion that was interrupted is completed by the next one.
    """
    deleted = {}
    with connection.cursor() as cursor:
        for table, column in columns.items():
            cursor.execute(f"DELETE FROM {table} WHERE {column} < %s", (first_day,))
            deleted[table] = cursor.rowcount or 0
    return deleted
