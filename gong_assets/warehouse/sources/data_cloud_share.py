"""The tables of Gong's share, limited to the rows that can be of the days of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gong_assets.dates import DateRange
from gong_assets.warehouse.sources.source import SourceLocation, is_in_ranges, utc_day


@dataclass(frozen=True)
class Share:
    """The tables of the share, limited to days."""

    location: SourceLocation
    ranges: Sequence[DateRange] | None

    def column(self, table: str, name: str, alias: str) -> str:
        return self.location.column(table, name, alias)

    def has(self, table: str) -> bool:
        return table in self.location.columns

    def scan(self, table: str, alias: str) -> str:
        """Return FROM with the rows that can be of these days, without deleted ones."""
        deleted = self.column(table, "IS_DELETED", alias)
        alive = "TRUE" if deleted == "NULL" else f"NOT COALESCE({deleted}, FALSE)"
        return f"FROM {self.location.table(table)} AS {alias} WHERE {self.is_recent(alias)} AND {alive}"

    def is_recent(self, alias: str) -> str:
        if not self.ranges:
            return "TRUE"
        first = min(each.start for each in self.ranges)
        return f"{alias}.ETL_MODIFIED_DATETIME >= '{first.isoformat()}'::TIMESTAMP_TZ"

    def calls(self) -> str:
        """Return a common table expression: the completed calls of these days, deleted ones included."""
        day = utc_day("COALESCE(CALLS.EFFECTIVE_START_DATETIME, CALLS.PLANNED_START_DATETIME)::TIMESTAMP_TZ")
        in_ranges = is_in_ranges(day, self.ranges)
        is_deleted = (
            f"COALESCE({self.column('CALLS', 'IS_DELETED', 'CALLS')}, FALSE) "
            f"OR COALESCE({self.column('CONVERSATIONS', 'IS_DELETED', 'CONVERSATIONS')}, FALSE)"
        )
        return (
            f"SELECTED AS (SELECT CALLS.*, CONVERSATIONS.CONVERSATION_ID::VARCHAR AS CALL_ID, {day} AS DAY, "
            "GREATEST(CALLS.ETL_MODIFIED_DATETIME, CONVERSATIONS.ETL_MODIFIED_DATETIME) AS MODIFIED_AT, "
            f"{is_deleted} AS IS_GONE FROM {self.location.table('CALLS')} AS CALLS "
            f"INNER JOIN {self.location.table('CONVERSATIONS')} AS CONVERSATIONS "
            "ON CALLS.CONVERSATION_KEY = CONVERSATIONS.CONVERSATION_KEY "
            "AND LOWER(CONVERSATIONS.CONVERSATION_TYPE) = 'call' "
            f"WHERE {self.is_recent('CALLS')} AND {in_ranges} "
            f"AND (COALESCE({is_deleted}, FALSE) OR CALLS.STATUS = 'COMPLETED'))"
        )
