"""All tables of a schema, as they are at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gong_assets.warehouse.connection import Warehouse

Row = dict[str, Any]

CORTEX_USAGE = "SNOWFLAKE.ACCOUNT_USAGE.CORTEX_AI_FUNCTIONS_USAGE_HISTORY"


@dataclass(frozen=True)
class Snapshot:
    """Every table and view with all its rows, and how many Cortex calls have ever been made."""

    tables: dict[str, list[Row]]
    cortex_calls: int

    def rows(self, table: str, **where: Any) -> list[Row]:
        return [row for row in self.tables[table] if all(row[name.upper()] == value for name, value in where.items())]

    def row(self, table: str, **where: Any) -> Row:
        found = self.rows(table, **where)
        assert len(found) == 1, f"{len(found)} rows of {table} have {where}"
        return found[0]


def take(warehouse: Warehouse) -> Snapshot:
    names = [
        str(row["TABLE_NAME"])
        for row in warehouse.query(
            "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = %s ORDER BY TABLE_NAME",
            (warehouse.arguments["schema"],),
        )
    ]
    tables = {name: sorted(warehouse.query(f"SELECT * FROM {name}"), key=_text) for name in names}
    return Snapshot(tables, cortex_calls(warehouse))


def cortex_calls(warehouse: Warehouse) -> int:
    return int(warehouse.query(f"SELECT COUNT(*) AS CALLS FROM {CORTEX_USAGE}")[0]["CALLS"])


def _text(row: Row) -> str:
    # By the first column, which is the key in each of our tables.
    return str(next(iter(row.values())))
