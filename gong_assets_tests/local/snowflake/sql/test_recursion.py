"""The limit of recursive queries, and REDUCE, which the models use instead of recursion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from snowflake.connector.errors import ProgrammingError

Query = Callable[..., list[Any]]

COUNT_TO = (
    "with recursive numbers as (select 1 as n union all select n + 1 from numbers where n < {}) "
    "select max(n) from numbers"
)


def test_a_recursion_of_one_hundred_iterations_succeeds(query: Query) -> None:
    assert query(COUNT_TO.format(101)) == [(101,)]


def test_a_recursion_of_more_than_one_hundred_iterations_fails(query: Query) -> None:
    with pytest.raises(ProgrammingError, match=r"100189 \(22000\).*max iteration count \(100\)"):
        query(COUNT_TO.format(102))


def test_a_recursion_without_end_fails(query: Query) -> None:
    with pytest.raises(ProgrammingError, match="100189"):
        query("with r (n) as (select 1 union all select n from r) select count(*) from r")


def test_the_word_recursive_is_optional(query: Query) -> None:
    assert query(
        "with r (n, path) as (select 1, 'a' union all select n + 1, path || 'b' from r where n < 3) "
        "select * from r order by n"
    ) == [(1, "a"), (2, "ab"), (3, "abb")]


def test_a_recursive_query_returns_its_own_columns_only(query: Query) -> None:
    query("create table staff as select column1 as id, column2 as boss from values (1, null), (2, 1), (3, 2)")
    query(
        "create view chain as with recursive tree as ("
        " select id, 0 as level from staff where boss is null"
        " union all select staff.id, tree.level + 1 from staff join tree on staff.boss = tree.id"
        ") select * from tree"
    )

    assert query("select * from chain order by id") == [(1, 0), (2, 1), (3, 2)]


# https://docs.snowflake.com/en/sql-reference/functions/reduce
@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("array_to_string(reduce([1, 2, 3, 4], [], (acc, val) -> array_prepend(acc, val)), ',')", "4,3,2,1"),
        (
            "array_to_string(reduce([1, 3, 2, 5], [],"
            " (acc, val) -> iff(val::int <= acc[0]::int, acc, array_prepend(acc, val))), ',')",
            "5,3,1",
        ),
        ("array_size(reduce([], [], (acc, val) -> array_prepend(acc, val)))", 0),
        ("reduce(null::array, [], (acc, val) -> array_prepend(acc, val))", None),
    ],
)
def test_reduce_with_an_array_as_accumulator(query: Query, expression: str, value: Any) -> None:
    assert query(f"select {expression}") == [(value,)]
