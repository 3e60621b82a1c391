"""The state of a session and its end."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import DatabaseError, ProgrammingError

from gong_assets_tests.local.snowflake.conftest import PASSWORD, ServerProcess

Connect = Callable[..., SnowflakeConnection]


def test_a_session_starts_with_the_values_of_its_login(connect: Connect, schema: str) -> None:
    cursor = connect(role="analyst", warehouse="small").cursor()

    cursor.execute(
        "select current_database(), current_schema(), current_role(), current_warehouse(), current_user(),"
        " current_account()"
    )

    assert cursor.fetchone() == ("TESTS", schema, "ANALYST", "SMALL", "TESTER", "LOCAL")


def test_a_session_without_a_warehouse_has_none(query: Callable[..., list[Any]]) -> None:
    assert query("select current_warehouse(), current_role()") == [(None, "PUBLIC")]


def test_sessions_have_independent_current_schemas(connect: Connect) -> None:
    one, other = connect().cursor(), connect().cursor()
    one.execute("create schema if not exists elsewhere")

    one.execute("use schema elsewhere")

    assert one.execute("select current_schema()").fetchone() == ("ELSEWHERE",)
    assert other.execute("select current_schema()").fetchone() != ("ELSEWHERE",)


def test_temporary_tables_are_visible_in_their_session_only(connect: Connect) -> None:
    one, other = connect().cursor(), connect().cursor()

    one.execute("create temporary table mine as select 1 as n")

    assert one.execute("select n from mine").fetchall() == [(1,)]
    with pytest.raises(ProgrammingError, match="002003"):
        other.execute("select n from mine")


def test_a_temporary_table_can_be_used_by_its_full_name(query: Callable[..., list[Any]], schema: str) -> None:
    query(f"create or replace temporary table tests.{schema}.mine (a int, b varchar)")
    query(f"insert into tests.{schema}.mine select 1, 'x'")

    assert query(f"select mine.b from tests.{schema}.mine as mine") == [("x",)]
    assert [row[0] for row in query(f"describe table tests.{schema}.mine")] == ["A", "B"]
    query(f"drop table tests.{schema}.mine")
    with pytest.raises(ProgrammingError, match="002003"):
        query("select * from mine")


def test_a_temporary_stage_and_its_files_are_dropped_at_the_end_of_its_session(
    connect: Connect, server: ServerProcess, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("a")
    connection = connect()
    connection.cursor().execute("create temporary stage drop_box")
    connection.cursor().execute(f"put 'file://{tmp_path}/a.txt' @drop_box auto_compress = false")

    def staged() -> list[Path]:
        return [path for path in (server.data / "stages").rglob("a.txt") if "DROP_BOX" in str(path)]

    assert len(staged()) == 1
    connection.close()
    assert staged() == []


def test_parameters_are_set_at_login_and_by_alter_session(connect: Connect) -> None:
    cursor = connect(session_parameters={"QUERY_TAG": "from login", "TIMEZONE": "Europe/Berlin"}).cursor()

    def parameter(name: str) -> str:
        (row,) = cursor.execute(f"show parameters like '{name}' in session").fetchall()
        return str(row[1])

    assert (parameter("query_tag"), parameter("timezone")) == ("from login", "Europe/Berlin")
    cursor.execute("alter session set query_tag = 'later', timezone = 'UTC'")
    assert (parameter("query_tag"), parameter("timezone")) == ("later", "UTC")
    cursor.execute("alter session unset query_tag")
    assert parameter("query_tag") == ""


def test_the_time_zone_of_a_session_determines_dates(
    query: Callable[..., list[Any]],
) -> None:
    query("alter session set timezone = 'America/Los_Angeles'")

    assert query("select '2026-01-01 03:00:00 +00:00'::timestamp_ltz::date::varchar") == [("2025-12-31",)]


def test_an_unknown_time_zone_is_rejected(query: Callable[..., list[Any]]) -> None:
    with pytest.raises(ProgrammingError, match=r"001008 .*Nowhere/At_All"):
        query("alter session set timezone = 'Nowhere/At_All'")


def test_session_variables_are_not_substituted_in_strings(query: Callable[..., list[Any]]) -> None:
    query("set days = 14")

    assert query("select $days + 1, 'costs $days and $other'") == [(15, "costs $days and $other")]
    query("unset days")
    with pytest.raises(ProgrammingError, match=r"\$DAYS' does not exist"):
        query("select $days")


def test_closing_a_session_rolls_back_its_open_transaction(connect: Connect) -> None:
    writer, reader = connect(), connect().cursor()
    writer.cursor().execute("create table kept as select 1 as n")
    writer.cursor().execute("begin")
    writer.cursor().execute("delete from kept")

    writer.close()

    assert reader.execute("select n from kept").fetchall() == [(1,)]
    reader.execute("insert into kept select 2")


def test_a_closed_session_cannot_be_used_again(connect: Connect) -> None:
    connection = connect()
    token = connection.rest.token
    connection.close()
    other = connect()
    other.rest._token = token

    with pytest.raises(DatabaseError, match="390111"):
        other.cursor().execute("select 1")


@pytest.mark.slow
def test_the_transaction_of_a_killed_client_is_rolled_back(
    server: ServerProcess, connect: Connect, schema: str
) -> None:
    observer = connect().cursor()
    observer.execute("create table one_day as select 1 as n")
    client = subprocess.Popen(
        [sys.executable, "-c", _CLIENT, str(server.port), schema, PASSWORD], stdout=subprocess.PIPE, text=True
    )
    assert client.stdout is not None
    assert client.stdout.readline().strip() == "deleted"
    client.kill()
    client.wait()

    # Waits for the lock of the killed client's transaction, which is rolled back after a grace period.
    observer.execute("alter session set lock_timeout = 60")
    observer.execute("insert into one_day select 2")

    assert observer.execute("select n from one_day order by n").fetchall() == [(1,), (2,)]


_CLIENT = """
import sys, time, snowflake.connector
connection = snowflake.connector.connect(
    account="local", user="victim", password=sys.argv[3],
    host="127.0.0.1", port=int(sys.argv[1]), protocol="http",
    database="TESTS", schema=sys.argv[2])
cursor = connection.cursor()
cursor.execute("begin")
cursor.execute("delete from one_day")
print("deleted", flush=True)
time.sleep(600)
"""


@pytest.mark.slow
def test_an_idle_client_keeps_its_transaction(connect: Connect) -> None:
    writer, reader = connect().cursor(), connect().cursor()
    writer.execute("create table slow_work (n int)")
    writer.execute("begin")
    writer.execute("insert into slow_work select 1")

    # Longer than the grace period of a client without a connection.
    time.sleep(3)
    writer.execute("insert into slow_work select 2")
    writer.execute("commit")

    assert reader.execute("select count(*) from slow_work").fetchone() == (2,)


@pytest.mark.slow
def test_old_results_are_evicted(connect: Connect) -> None:
    cursor = connect().cursor()
    first = cursor.execute("select 1 as n").sfqid
    assert cursor.execute(f"select * from table(result_scan('{first}'))").fetchall() == [(1,)]

    for _ in range(5):
        cursor.execute("select repeat('x', 16 * 1024 * 1024)")

    with pytest.raises(ProgrammingError, match="not found"):
        cursor.execute(f"select * from table(result_scan('{first}'))")


def test_an_asynchronous_query_returns_its_result_later(connect: Connect) -> None:
    connection = connect()
    cursor = connection.cursor()

    cursor.execute_async("select 42 as n")
    cursor.get_results_from_sfqid(cursor.sfqid)

    assert cursor.fetchall() == [(42,)]


def test_a_repeated_query_reads_current_data_schema_and_temporary_tables(connect: Connect) -> None:
    cursor, other = connect().cursor(), connect().cursor()
    query = "select n from repeated order by n"

    def rows() -> list[Any]:
        return [n for (n,) in cursor.execute(query).fetchall()]

    cursor.execute("create or replace table repeated as select 1 as n")
    assert rows() == rows() == [1]
    other.execute("insert into repeated select 2")
    assert rows() == [1, 2]
    cursor.execute("create or replace table repeated as select 'text' as n")
    assert rows() == ["text"]
    cursor.execute("create or replace schema elsewhere")
    cursor.execute("create table repeated as select 3 as n")
    assert rows() == [3]
    cursor.execute("create temporary table repeated as select 4 as n")
    assert rows() == [4]
    cursor.execute("set n = 5")
    assert cursor.execute("select $n").fetchall() == [(5,)]
    cursor.execute("set n = 6")
    assert cursor.execute("select $n").fetchall() == [(6,)]
    cursor.execute("drop schema elsewhere")
