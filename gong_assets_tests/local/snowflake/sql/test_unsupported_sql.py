"""SQL that DuckDB runs but Snowflake rejects is rejected locally too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from snowflake.connector.errors import DatabaseError

Query = Callable[..., list[Any]]


@pytest.mark.parametrize(
    "value",
    [
        "parse_json('{}')",
        "object_construct('a', 1)",
        "array_construct(1, 2)",
        "[1, 2]",
        "{'a': 1}",
        "'x'::variant",
        "cast('[1]' as array)",
    ],
)
def test_a_values_clause_accepts_no_semi_structured_values(query: Query, value: str) -> None:
    query("create table t (n int, doc variant)")
    for sql in (f"insert into t (n, doc) values (1, {value})", f"select * from values (1, {value})"):
        with pytest.raises(DatabaseError, match="in VALUES clause") as raised:
            query(sql)
        assert raised.value.errno == 2014
    query(f"insert into t (n, doc) select 1, {value}")


def test_a_string_cannot_be_cast_to_a_vector_but_an_array_can(query: Query) -> None:
    for value in ("'[1, 2]'", "%s"):
        with pytest.raises(DatabaseError, match="VECTOR") as raised:
            query(f"select {value}::vector(float, 2)", ["[1, 2]"] if value == "%s" else None)
        assert raised.value.errno == 1044
    assert query("select parse_json(%s)::array::vector(float, 2)", ["[1, 2]"]) == [([1.0, 2.0],)]


@pytest.mark.parametrize(
    "sql",
    [
        "insert into t (name) values ('abcd')",
        "insert into t (name) select 'abc' || 'd'",
        "update t set name = 'abcd'",
        "merge into t using (select 'abcd' as name) s on t.name = 'abc' when matched then update"
        " set name = s.name",
    ],
)
def test_a_text_longer_than_its_column_is_rejected(query: Query, sql: str) -> None:
    query("create table t (name varchar(3) not null, other varchar(1), long varchar)")
    query("insert into t values ('abc', null, 'as long as it is')")
    with pytest.raises(DatabaseError, match=r"too long for NAME VARCHAR\(3\)") as raised:
        query(sql)
    assert (raised.value.errno, raised.value.sqlstate) == (100078, "22000")
    assert query("select name from t") == [("abc",)]


def test_column_lengths_count_characters_and_are_described(query: Query) -> None:
    query('create table t ("Größe" varchar(3))')
    query("insert into t values ('äöü')")
    assert [row[:2] for row in query("describe table t")] == [("Größe", "VARCHAR(3)")]


def test_a_table_with_column_lengths_can_be_altered_and_replaced(query: Query) -> None:
    query("create table t (name varchar(3), other int)")
    query("alter table t add column third varchar(5)")
    query("alter table t drop column other")
    query("alter table t rename to u")
    query("insert into u select 'abc', 'abcde'")
    query("create or replace table u as select * from u")
    assert query("select * from u") == [("abc", "abcde")]
