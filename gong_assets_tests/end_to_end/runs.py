"""A run of `gong-assets sync`, and all tables of a schema as they are at one moment."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from typing import Any

from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.cli.command_line import CommandLine, Outcome
from gong_assets_tests.end_to_end.gong_server import Asked, Gong, Record

Row = dict[str, Any]

CORTEX_USAGE = "SNOWFLAKE.ACCOUNT_USAGE.CORTEX_AI_FUNCTIONS_USAGE_HISTORY"


@dataclass(frozen=True, repr=False)
class Snapshot:
    """Every table and view by name, with all its rows in order of their first column, which is the key."""

    tables: dict[str, list[Row]]

    def rows(self, table: str, **where: Any) -> list[Row]:
        return [
            row
            for row in self.tables[table]
            if all(row[name.upper()] == value for name, value in where.items())
        ]

    def row(self, table: str, **where: Any) -> Row:
        found = self.rows(table, **where)
        assert len(found) == 1, f"{len(found)} rows of {table} have {where}"
        return found[0]


def changes(before: Snapshot, after: Snapshot, *, but_calls: frozenset[str] = frozenset()) -> list[str]:
    """Each value that differs, as a line, apart from those of `but_calls`; for a row that came or went, all of its values."""

    def values(snapshot: Snapshot, table: str) -> dict[tuple[str, str], Any]:
        # These tell when HubSpot's tables and Gong were read, and nothing of what was found.
        return {
            (_key(row), name): value
            for row in snapshot.tables.get(table, [])
            for name, value in row.items()
            if name not in ("LAST_REFRESHED", "LAST_READ_AT_UTC") and row.get("CALL_ID") not in but_calls
        }

    lines = []
    for table in sorted({*before.tables, *after.tables}):
        old, new = values(before, table), values(after, table)
        for key, name in sorted({*old, *new}):
            was, is_now = old.get((key, name)), new.get((key, name))
            if was != is_now:
                lines.append(f"{table} {key} {name}: {str(was)[:80]} -> {str(is_now)[:80]}")
    return lines


def take(warehouse: Warehouse) -> Snapshot:
    names = [
        str(row["TABLE_NAME"])
        for row in warehouse.query(
            "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = %s "
            "UNION SELECT TABLE_NAME FROM INFORMATION_SCHEMA.VIEWS WHERE TABLE_SCHEMA = %s ORDER BY 1",
            (warehouse.arguments["schema"],) * 2,
        )
    ]
    # When each raw table was last written, also if nothing in it changed.
    names.remove("GONG_RAW_LANDINGS")
    names.remove("VW_GONG_LANDINGS")
    names.remove("GONG_CORTEX_BATCHES")  # What each run sent, by batch: VW_CORTEX_COSTS sums it up.
    return Snapshot({name: sorted(warehouse.query(f"SELECT * FROM {name}"), key=_key) for name in names})


def _key(row: Row) -> str:
    return str(next(iter(row.values())))


def cortex_statements(warehouse: Warehouse) -> int:
    """How often any statement has called a Cortex function."""
    return int(warehouse.query(f"SELECT COUNT(*) AS CALLS FROM {CORTEX_USAGE}")[0]["CALLS"])


@dataclass(frozen=True)
class Run:
    """What a run printed, what it asked of Gong and of Cortex, what Gong had then, and what the tables had afterwards."""

    outcome: Outcome
    asked: list[Asked]
    transcripts: list[Record]
    tables: Snapshot
    cortex_statements: int


def sync(project: CommandLine, warehouse: Warehouse, gong: Gong, first: date, last: date) -> Run:
    """Read these days, the last one included."""
    gong.log.clear()
    before = cortex_statements(warehouse)
    days = ("--from-date", first.isoformat(), "--to-date", last.isoformat())
    outcome = project.gong_assets("sync", "--mode", "backfill", *days).succeeded()
    asked_of_cortex = cortex_statements(warehouse) - before
    return Run(outcome, list(gong.log), deepcopy(gong.transcripts), take(warehouse), asked_of_cortex)
