"""The package's SQL runs on Snowflake: every statement in its files, and every statement that it sends."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from snowflake.connector.cursor import SnowflakeCursor
from snowflake.connector.errors import ProgrammingError

import gong_assets
from gong_assets.dates import DateRange
from gong_assets.defs.checks import schema_drift
from gong_assets.ingestion.spool import Row, Spool
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.warehouse import hubspot_tables, pending_changes, queries
from gong_assets.warehouse.connection import Warehouse, fetch
from gong_assets.warehouse.landing import replace
from gong_assets.warehouse.tables import CALLS, create_raw_tables
from gong_assets_tests.second_parser import parse_error
from gong_assets_tests.snowflake_sql import functions, parsed, violations

PACKAGE = Path(gong_assets.__file__).parent

# Each is documented at https://docs.snowflake.com/en/sql-reference/functions-all.
SNOWFLAKE_FUNCTIONS = {
    "COALESCE", "COUNT", "CURRENT_TIMESTAMP", "DATEADD", "IFF", "MAX", "MIN", "NULLIF", "ROW_NUMBER",
    "SYSDATE", "TO_CHAR", "TO_JSON", "TO_VARIANT", "TRY_PARSE_JSON",
}  # fmt: skip

DAY = date(2026, 11, 20)
USERS = next(table for table in RAW_TABLES if table.name == "GONG_USERS_RAW")

STATEMENT = re.compile(
    r"\s*(SELECT|WITH|INSERT INTO|UPDATE|DELETE FROM|MERGE INTO|CREATE|ALTER|DROP|COPY INTO|PUT|TRUNCATE|"
    r"SHOW|DESCRIBE)\s+\S+\s+\S"
)


def statements_in_files() -> Iterator[tuple[str, str]]:
    """Yield the location and text of each string that is a statement. Values in f-strings are replaced by
    `x`."""
    for file in sorted(PACKAGE.rglob("*.py")):
        if PACKAGE / "local" in file.parents:
            continue  # Contains SQL for DuckDB.
        tree = ast.parse(file.read_text("utf-8"))
        inner = {
            part for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)
        } - {node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)}
        for node in ast.walk(tree):
            text = _text(node) if node not in inner else None
            if text is not None and STATEMENT.match(text):
                yield f"{file.relative_to(PACKAGE)}:{getattr(node, 'lineno', 0)}", text


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else " x " for part in node.values)
    return None


STATEMENTS = dict(statements_in_files())


def test_the_statements_of_each_module_are_found() -> None:
    files = {location.partition(":")[0] for location in STATEMENTS}
    assert {
        "warehouse/landing.py", "warehouse/queries.py", "warehouse/tables.py", "agents/call_search.py",
        "agents/call_analysis.py", "agents/coaching.py", "agents/account_timeline.py", "agents/calls.py",
        "agents/deals.py", "agents/directory.py",
        "warehouse/hubspot_tables.py", "cli/doctor/warehouse.py",
    } <= files  # fmt: skip


@pytest.mark.parametrize("location", STATEMENTS)
def test_every_statement_in_the_files_runs_on_snowflake(location: str) -> None:
    assert violations(STATEMENTS[location]) == []


@pytest.fixture
def sent_statements(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Statements that landing, queries and checks send over a real connection."""
    statements: list[str] = []
    execute = SnowflakeCursor.execute

    def record(cursor: SnowflakeCursor, command: str, *arguments: Any, **options: Any) -> Any:
        statements.append(command)
        return execute(cursor, command, *arguments, **options)

    monkeypatch.setattr(SnowflakeCursor, "execute", record)
    days = [DateRange.single(DAY)]
    with warehouse.connect() as connection:
        for table, day in ((CALLS, DAY), (USERS, None)):
            spool = Spool()
            spool.append(Row("1", b'{"a": 1}', day, "hash", None))
            spool.close()
            replace(
                connection,
                table,
                spool,
                ranges=days if day else None,
                correlation_id="run",
                has_rows_outside_ranges=day is not None,
            )
            spool.discard()
        create_raw_tables(connection, RAW_TABLES)
        queries.call_dates(connection, days)
        queries.dates_of_calls(connection, ["1", "2"])
        pending_changes.pending_changes(connection)
        pending_changes.claim_changes(
            connection, "run", tables=["GONG_USERS_RAW"], daily_tables=[CALLS.name], ranges=days
        )
        pending_changes.settle_changes(connection, ["run"], [DAY])
        with suppress(ProgrammingError):  # The view does not exist.
            pending_changes.waiting_days(connection, days)
        with suppress(ProgrammingError):  # The database does not exist.
            hubspot_tables.source_version(connection, "plain", "HUBSPOT", "PUBLIC")
        queries.landed_calls(connection, DateRange.single(DAY), ["title", "duration"])
        for table in RAW_TABLES:
            list(queries.arrow_tables(connection, table, DateRange.single(DAY)))
            fetch(connection, queries.processing_errors(table))
            list(schema_drift.recent_records(connection, table))
        fetch(connection, queries.calls_without_transcript(), (DAY,))
        fetch(connection, queries.newest_call_date())
    queries.row_counts(warehouse, [table.name for table in RAW_TABLES])
    return statements


def test_every_sent_statement_runs_on_snowflake_and_calls_only_its_functions(
    sent_statements: list[str],
) -> None:
    assert len(set(sent_statements)) > 40
    assert {sql: violations(sql) for sql in sent_statements if violations(sql)} == {}
    assert {sql: error for sql in sent_statements if (error := parse_error(sql))} == {}
    queried = [sql for sql in sent_statements if not sql.startswith(("BEGIN", "COMMIT", "PUT"))]
    for sql in queried:
        parsed(sql)
    assert set().union(*map(functions, queried)) == SNOWFLAKE_FUNCTIONS


def test_columns_of_limited_length_are_long_enough() -> None:
    """Unlike Snowflake, the local server does not reject longer texts."""
    limited = {
        (column.name, column.type)
        for table in RAW_TABLES
        for column in table.columns
        if column.type.startswith("VARCHAR(") and column is not table.key
    }
    # A Dagster run ID has 36 characters, and a SHA-256 in hexadecimal has 64.
    assert limited == {("CORRELATION_ID", "VARCHAR(255)"), ("CONTENT_HASH", "VARCHAR(64)")}
