"""Migration of the tables of an earlier system, and of raw tables that lack a column of this version."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from gong_assets.error_advice import explain
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.warehouse.connection import Warehouse
from gong_assets.warehouse.errors import OutdatedTables
from gong_assets.warehouse.migration import check_tables, migrate, migration_steps
from gong_assets.warehouse.tables import CALLS, TRANSCRIPTS, Column, RawTable, create_raw_tables
from gong_assets_tests.cli.command_line import CommandLine
from gong_assets_tests.warehouse.test_landing import land, row

pytestmark = pytest.mark.extended

# The tables of the earlier system. Call 1 was ingested twice, call 3 has no time, and one payload is a text.
EARLIER = """
CREATE TABLE GONG_CALLS_RAW (CALL_ID VARCHAR, RAW_DATA VARIANT, INGESTED_AT TIMESTAMP_LTZ, PROCESSED BOOLEAN);
CREATE TABLE GONG_CALL_TRANSCRIPTS_RAW
    (CALL_ID VARCHAR, RAW_DATA VARCHAR, INGESTED_AT TIMESTAMP_LTZ, PROCESSED BOOLEAN);
CREATE TABLE STG_GONG_CALLS (CALL_ID VARCHAR(20), CREATED_AT TIMESTAMP_LTZ);
INSERT INTO STG_GONG_CALLS SELECT '1', CURRENT_TIMESTAMP();
INSERT INTO GONG_CALLS_RAW SELECT '1', PARSE_JSON('{"metaData": {"id": "1", "title": "old"}}'),
    '2026-03-01 00:00:00'::TIMESTAMP_LTZ, TRUE;
INSERT INTO GONG_CALLS_RAW SELECT '1',
    PARSE_JSON('{"metaData": {"id": "1", "title": "new", "started": "2026-03-02T23:30:00-08:00"}}'),
    '2026-03-04 00:00:00'::TIMESTAMP_LTZ, FALSE;
INSERT INTO GONG_CALLS_RAW SELECT '2',
    PARSE_JSON('{"metaData": {"id": "2", "started": "2026-03-05T10:00:00Z"}}'), NULL, TRUE;
INSERT INTO GONG_CALLS_RAW SELECT '3', PARSE_JSON('{"metaData": {"id": "3"}}'),
    '2026-03-06 00:00:00'::TIMESTAMP_LTZ, TRUE;
INSERT INTO GONG_CALL_TRANSCRIPTS_RAW SELECT '1', '{"callId": "1", "transcript": []}',
    '2026-03-04 00:00:00'::TIMESTAMP_LTZ, FALSE;
INSERT INTO GONG_CALL_TRANSCRIPTS_RAW SELECT '9', '{"callId": "9"}',
    '2026-03-07 00:00:00'::TIMESTAMP_LTZ, FALSE;
INSERT INTO GONG_CALL_TRANSCRIPTS_RAW SELECT '8', 'no JSON', '2026-03-07 00:00:00'::TIMESTAMP_LTZ, FALSE
"""


def create_earlier(warehouse: Warehouse) -> Warehouse:
    """Create the tables of the earlier system in the warehouse's schema, and return the warehouse."""
    warehouse.query(f"CREATE SCHEMA IF NOT EXISTS {warehouse.arguments['schema']}")
    with warehouse.connect() as connection, connection.cursor() as cursor:
        for statement in EARLIER.split(";\n"):
            cursor.execute(statement)
    return warehouse


@pytest.fixture
def earlier(warehouse: Warehouse) -> Warehouse:
    return create_earlier(warehouse)


def tables(warehouse: Warehouse) -> dict[str, int]:
    names = warehouse.query(
        "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = CURRENT_SCHEMA() ORDER BY 1"
    )
    return {
        name: warehouse.query(f"SELECT COUNT(*) AS N FROM {name}")[0]["N"]
        for (name,) in map(dict.values, names)
    }


def contents(warehouse: Warehouse, table: RawTable) -> list[tuple[Any, ...]]:
    rows = warehouse.query(
        "SELECT CALL_ID, CALL_DATE, PROCESSING_ERROR, LENGTH(CONTENT_HASH) AS L "
        f"FROM {table.name} ORDER BY CALL_ID"
    )
    return [tuple(each.values()) for each in rows]


MIGRATED = {
    "GONG_CALLS_RAW": 3,
    "GONG_CALLS_RAW_BEFORE_MIGRATION": 4,
    "GONG_CALL_TRANSCRIPTS_RAW": 2,
    "GONG_CALL_TRANSCRIPTS_RAW_BEFORE_MIGRATION": 3,
    "STG_GONG_CALLS_BEFORE_MIGRATION": 1,
}


@pytest.mark.slow
def test_the_tables_of_an_earlier_system_are_reported_and_migrated_and_kept(earlier: Warehouse) -> None:
    before = tables(earlier)
    with earlier.connect() as connection:
        with pytest.raises(OutdatedTables) as raised:
            check_tables(connection, RAW_TABLES)
        message = explain(raised.value)
        assert "GONG_CALLS_RAW has no CORRELATION_ID, CALL_DATE, CONTENT_HASH, PROCESSING_ERROR" in message
        assert "STG_GONG_CALLS is of an earlier system" in message
        assert "gong-assets migrate" in message
        assert tables(earlier) == before
        migrate(connection, migration_steps(connection, RAW_TABLES))
        assert migration_steps(connection, RAW_TABLES) == []
        check_tables(connection, RAW_TABLES)
    assert tables(earlier) == MIGRATED
    assert contents(earlier, CALLS) == [
        ("1", date(2026, 3, 3), None, 64),
        ("2", date(2026, 3, 5), None, 64),
        ("3", date(2026, 3, 6), "migrated without a readable metaData.started", 64),
    ]
    assert contents(earlier, TRANSCRIPTS) == [
        ("1", date(2026, 3, 3), None, 64),
        ("9", date(2026, 3, 7), "migrated without its call", 64),
    ]
    (title,) = earlier.query(
        "SELECT RAW_DATA:metaData:title::VARCHAR AS T FROM GONG_CALLS_RAW WHERE CALL_ID = '1'"
    )
    assert title == {"T": "new"}
    # A sync lands the days of the migrated calls like any others.
    land(earlier, [row("1", date(2026, 3, 3))], days=[])
    assert contents(earlier, CALLS)[0][:3] == ("1", date(2026, 3, 3), None)


@pytest.mark.slow
def test_a_migration_that_is_killed_after_any_statement_is_continued(warehouse: Warehouse) -> None:
    number = 0
    while True:
        schema = create_earlier(
            Warehouse({**warehouse.arguments, "schema": f"KILLED_{uuid4().hex[:8]}".upper()})
        )
        with schema.connect() as connection, connection.cursor() as cursor:
            steps = migration_steps(connection, RAW_TABLES)
            statements = [statement for step in steps for statement in step.statements]
            for statement in statements[:number]:
                cursor.execute(statement)
            migrate(connection, migration_steps(connection, RAW_TABLES))
        assert tables(schema) == MIGRATED, f"killed after {number} statements"
        number += 1
        if number == len(statements):
            return


@pytest.mark.slow
def test_sync_rejects_the_tables_until_the_command_has_migrated_them(
    earlier: Warehouse, tmp_path: Path
) -> None:
    account = {f"SNOWFLAKE_{name.upper()}": str(value) for name, value in earlier.arguments.items()}
    commands = CommandLine(tmp_path, account)
    before = tables(earlier)
    outcome = commands.gong_assets("sync")
    assert (outcome.code, "GONG_ASSETS_SOURCE=simulated" in outcome.stderr) == (2, True)
    outcome = commands.with_variables(GONG_ASSETS_SOURCE="simulated").gong_assets("sync")
    assert (outcome.code, "gong-assets migrate" in outcome.stderr) == (1, True)
    shown = commands.gong_assets("migrate").succeeded().stdout
    assert "GONG_CALLS_RAW_BEFORE_MIGRATION" in shown
    assert "nothing was changed" in shown
    assert tables(earlier) == before
    commands.gong_assets("migrate", "--yes").succeeded()
    assert tables(earlier) == MIGRATED
    assert "up to date" in commands.gong_assets("migrate", "--yes").succeeded().stdout


class NextVersion(RawTable):
    """The table of a later version, with two more columns."""

    @property
    def columns(self) -> tuple[Column, ...]:
        source = Column("ORIGIN", "VARCHAR", "Endpoint.", nullable=False, fill="CONTENT_HASH || '!'")
        return (*super().columns, source, Column("NOTE", "VARCHAR", "Note."))


def test_a_column_of_a_later_version_is_added_and_filled(warehouse: Warehouse) -> None:
    land(warehouse, [row("1", date(2026, 3, 2))])
    later = NextVersion(CALLS.name, CALLS.description, CALLS.key, CALLS.payload, CALLS.partition)
    with warehouse.connect() as connection:
        (step,) = migration_steps(connection, [later])
        assert step.reason == "has no ORIGIN, NOTE"
        # Killed after the column was added, and again before it got its name.
        for number in (1, 2):
            with connection.cursor() as cursor:
                for statement in migration_steps(connection, [later])[0].statements[:number]:
                    cursor.execute(statement)
        migrate(connection, migration_steps(connection, [later]))
        assert migration_steps(connection, [later]) == []
        create_raw_tables(connection, [later])
    (filled,) = warehouse.query("SELECT ORIGIN = CONTENT_HASH || '!' AS OK, NOTE FROM GONG_CALLS_RAW")
    assert filled == {"OK": True, "NOTE": None}
