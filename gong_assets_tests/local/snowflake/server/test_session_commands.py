"""Statements on the account, which are accepted without effect, and on the session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from snowflake.connector.errors import ProgrammingError

Query = Callable[..., list[Any]]

DONE = [("Statement executed successfully.",)]


@pytest.mark.parametrize(
    "sql",
    [
        "create role if not exists transformer",
        "create or replace user service_user type = service rsa_public_key = 'MIIB'",
        "alter user service_user set default_role = transformer",
        "create warehouse if not exists small with warehouse_size = 'XSMALL' auto_suspend = 60",
        "alter warehouse small suspend",
        "create network policy office allowed_ip_list = ('10.0.0.0/8')",
        "create resource monitor cap with credit_quota = 10",
        "create masking policy hide as (v string) returns string -> case"
        " when is_role_in_session('A') then v else '*' end",
        "create row access policy mine as (owner string) returns boolean -> true",
        "alter table t modify column n set masking policy hide",
        "alter table t alter column n unset masking policy",
        "alter table t add row access policy mine on (n)",
        "grant usage on database tests to role transformer",
        "grant role transformer to user service_user",
        "grant database role snowflake.cortex_user to role transformer",
        "revoke all privileges on schema public from role transformer",
        "/* a comment */ -- and another\n  use role transformer",
        "use warehouse small",
        "use secondary roles all",
        "drop role if exists transformer",
        "drop warehouse small",
    ],
)
def test_account_statements_are_accepted(query: Query, sql: str) -> None:
    query("create table t (n varchar)")

    assert query(sql) == DONE


def test_use_role_and_use_warehouse_change_the_session(query: Query) -> None:
    query("use role loader")
    query('use warehouse "Mixed Case"')

    assert query("select current_role(), current_warehouse()") == [("LOADER", "Mixed Case")]


def test_last_query_id_returns_the_previous_statement(cursor: Any) -> None:
    before = cursor.execute("select 1").sfqid

    assert cursor.execute("select last_query_id()").fetchone() == (before,)


def test_show_grants_is_empty(query: Query) -> None:
    assert query("show grants to role transformer") == []


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
