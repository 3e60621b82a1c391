"""Statements on the session, and those on the account that have no effect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import ProgrammingError

Query = Callable[..., list[Any]]

DONE = [("Statement executed successfully.",)]


@pytest.mark.parametrize(
    "sql",
    [
        "comment on role public is 'everybody'",
        "alter account set statement_timeout_in_seconds = 60",
        "/* a comment */ -- and another\n  use role transformer",
        "use warehouse small",
        "use secondary roles all",
    ],
)
def test_statements_on_the_account_are_accepted(query: Query, sql: str) -> None:
    assert query(sql) == DONE


def test_use_role_and_use_warehouse_change_the_session(query: Query) -> None:
    query("use role loader")
    query('use warehouse "Mixed Case"')

    assert query("select current_role(), current_warehouse()") == [("LOADER", "Mixed Case")]


def test_last_query_id_returns_the_previous_statement(cursor: Any) -> None:
    before = cursor.execute("select 1").sfqid

    assert cursor.execute("select last_query_id()").fetchone() == (before,)


def test_keys_are_accepted_and_not_enforced(query: Query) -> None:
    query("create table parent (id int primary key, code varchar unique)")
    query(
        "create table child (id int, parent_id int references parent(id),"
        " constraint pk primary key (id), foreign key (parent_id) references parent(id))"
    )
    query("insert into parent values (1, 'a'), (1, 'a')")
    query("insert into child values (1, 7), (1, 7)")

    assert query("select (select count(*) from parent), (select count(*) from child)") == [(2, 2)]


def test_truncate_if_exists_ignores_a_missing_table(query: Query) -> None:
    query("create table filled as select 1 as n")

    query("truncate table if exists filled")
    query("truncate table if exists never_made")

    assert query("select count(*) from filled") == [(0,)]


@pytest.mark.parametrize(
    "sql",
    [
        "select 1; select 2",
        "grant select on table kept to role r; drop table kept",
        "start transaction; drop table kept",
        "comment on role r is 'a;b'; drop table kept",
        "begin; drop table kept;",
    ],
)
def test_two_statements_in_one_request_are_rejected(query: Callable[..., list[Any]], sql: str) -> None:
    query("create or replace table kept (a int)")

    with pytest.raises(ProgrammingError, match=r"000008 \(0A000\).*statement count 2"):
        query(sql)

    assert query("select a from kept") == []


def test_a_semicolon_in_a_text_or_at_the_end_is_no_second_statement(query: Callable[..., list[Any]]) -> None:
    assert query("select 'a;b', $$c;d$$ -- e;f\n;") == [("a;b", "c;d")]


@pytest.mark.parametrize("kind", ["schema", "database"])
def test_create_or_replace_replaces_a_schema_or_database_with_all_that_is_in_it(
    query: Query, connect: Callable[..., SnowflakeConnection], kind: str
) -> None:
    """https://docs.snowflake.com/en/sql-reference/sql/create-schema: CREATE OR REPLACE drops it first."""
    query("create database if not exists replaced")
    query("create or replace schema replaced.inner_schema")
    query("create table replaced.inner_schema.t as select 1 as n")
    query("create view replaced.inner_schema.v as select * from replaced.inner_schema.t")
    name = "replaced" if kind == "database" else "replaced.inner_schema"
    # Another session that uses it goes on.
    with connect(database="REPLACED", schema="INNER_SCHEMA") as other:
        assert other.cursor().execute("select n from v").fetchall() == [(1,)]
        query(f"create or replace {kind} {name}")
        query("create schema if not exists replaced.inner_schema")
        with pytest.raises(ProgrammingError, match="does not exist"):
            query("select * from replaced.inner_schema.t")
        query("create table replaced.inner_schema.t as select 2 as n")
        assert other.cursor().execute("select n from t").fetchall() == [(2,)]
    query("drop database replaced")
