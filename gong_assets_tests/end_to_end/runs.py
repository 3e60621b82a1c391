"""Runs of `gong-assets sync`, and snapshots of all tables of a schema."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from typing import Any

from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.cli.command_line import CommandLine, Outcome
from gong_assets_tests.end_to_end.gong_records import Record
from gong_assets_tests.end_to_end.gong_server import Gong, LoggedRequest

Row = dict[str, Any]

CORTEX_USAGE = "SNOWFLAKE.ACCOUNT_USAGE.CORTEX_AI_FUNCTIONS_USAGE_HISTORY"


@dataclass(frozen=True, repr=False)
class Snapshot:
    """The rows of every table and view, by name, sorted by their first column, which is the key."""

    tables: dict[str, list[Row]]

    def rows(self, table: str, **where: Any) -> list[Row]:
        return [
            row
            for row in self.tables[table]
            if all(row[name.upper()] == value for name, value in where.items())
        ]

    def row(self, table: str, **where: Any) -> Row:
        rows = self.rows(table, **where)
        assert len(rows) == 1, f"{len(rows)} rows of {table} match {where}"
        return rows[0]


def changes(before: Snapshot, after: Snapshot, *, except_calls: frozenset[str] = frozenset()) -> list[str]:
    """Return one line for each value that differs, and for each value of an added or deleted row.

    Rows of the calls in `except_calls` are ignored.
    """

    def values(snapshot: Snapshot, table: str) -> dict[tuple[str, str], Any]:
        # The excluded columns contain the times at which HubSpot's tables and Gong were read.
        return {
            (_key(row), name): value
            for row in snapshot.tables.get(table, [])
            for name, value in row.items()
            if name not in ("LAST_REFRESHED", "LAST_READ_AT_UTC") and row.get("CALL_ID") not in except_calls
        }

    lines = []
    for table in sorted({*before.tables, *after.tables}):
        old, new = values(before, table), values(after, table)
        for key, name in sorted({*old, *new}):
            was, is_now = old.get((key, name)), new.get((key, name))
            if was != is_now:
                lines.append(f"{table} {key} {name}: {str(was)[:80]} -> {str(is_now)[:80]}")
    return lines


# Steps share these tables, and no step counts their rows.
SHARED_TABLES = frozenset({"GONG_CORTEX_ANSWERS", "GONG_CORTEX_ATTEMPTS", "GONG_ERASURES"})


def take_snapshot(warehouse: Warehouse) -> Snapshot:
    names = [
        str(row["TABLE_NAME"])
        for row in warehouse.query(
            "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = %s "
            "UNION SELECT TABLE_NAME FROM INFORMATION_SCHEMA.VIEWS WHERE TABLE_SCHEMA = %s ORDER BY 1",
            (warehouse.arguments["schema"],) * 2,
        )
    ]
    # These contain the time at which each raw table was last written, even if nothing in it changed.
    names.remove("GONG_RAW_LANDINGS")
    names.remove("VW_GONG_LANDINGS")
    names.remove("GONG_PENDING_CHANGES")
    assert warehouse.query("SELECT * FROM GONG_PENDING_CHANGES") == [], "a run left changes pending"
    names.remove("GONG_CORTEX_BATCHES")  # The batches of each run; VW_CORTEX_COSTS has their sums.
    return Snapshot({name: sorted(warehouse.query(f"SELECT * FROM {name}"), key=_key) for name in names})


def _key(row: Row) -> str:
    return str(next(iter(row.values())))


def cortex_statements(warehouse: Warehouse) -> int:
    """Return the number of Cortex calls in the usage history."""
    return int(warehouse.query(f"SELECT COUNT(*) AS CALLS FROM {CORTEX_USAGE}")[0]["CALLS"])


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        requests: the requests that it sent to Gong.
        transcripts: the transcripts that Gong had at that time.
        tables: the tables after the run.
        cortex_statements: the number of Cortex calls that it made.
    """

    outcome: Outcome
    requests: list[LoggedRequest]
    transcripts: list[Record]
    tables: Snapshot
    cortex_statements: int


def sync(project: CommandLine, warehouse: Warehouse, gong: Gong, first: date, last: date) -> Run:
    """Sync the days from `first` to `last`, inclusive."""
    gong.log.clear()
    calls_before = cortex_statements(warehouse)
    days = ("--from-date", first.isoformat(), "--to-date", last.isoformat())
    outcome = project.gong_assets("sync", "--mode", "backfill", *days).succeeded()
    cortex_calls = cortex_statements(warehouse) - calls_before
    return Run(outcome, list(gong.log), deepcopy(gong.transcripts), take_snapshot(warehouse), cortex_calls)
