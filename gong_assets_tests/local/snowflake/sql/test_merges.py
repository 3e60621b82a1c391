"""MERGE with several source rows for one row of the target.

https://docs.snowflake.com/en/sql-reference/sql/merge#nondeterministic-results-for-update-and-delete
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from snowflake.connector.errors import ProgrammingError

Query = Callable[..., list[Any]]

MERGE = "merge into target t using source s on t.k = s.k "
UPDATE = "update set t.v = s.v"


@pytest.fixture(autouse=True)
def tables(query: Query) -> None:
    query("create table target as select column1 as k, column2 as v from values (0, 10), (1, 11)")
    query("create table source as select column1 as k, column2 as v from values (0, 20), (0, 30), (2, 40)")


@pytest.mark.parametrize(
    "clauses",
    [
        f"when matched then {UPDATE}",
        f"when matched and s.v = 20 then {UPDATE} when matched then delete",
        f"when matched then {UPDATE} when not matched then insert (k, v) values (s.k, s.v)",
    ],
)
def test_two_source_rows_cannot_update_one_row(query: Query, clauses: str) -> None:
    with pytest.raises(ProgrammingError, match=r"100090 \(42P18\).*Duplicate row detected"):
        query(MERGE + clauses)

    assert query("select k, v from target order by k") == [(0, 10), (1, 11)]


@pytest.mark.parametrize(
    ("clauses", "rows"),
    [
        ("when matched then delete", [(1, 11)]),
        (f"when matched and s.v = 20 then {UPDATE}", [(0, 20), (1, 11)]),
        (
            "when not matched then insert (k, v) values (s.k, s.v)",
            [(0, 10), (1, 11), (2, 40)],
        ),
    ],
)
def test_a_result_that_does_not_depend_on_the_order_is_accepted(
    query: Query, clauses: str, rows: list[Any]
) -> None:
    query(MERGE + clauses)

    assert query("select k, v from target order by k") == rows


def test_two_source_rows_can_be_inserted_with_one_key(query: Query) -> None:
    query(
        "merge into target t using (select 5 as k, v from source) s on t.k = s.k"
        f" when matched then {UPDATE} when not matched then insert (k, v) values (s.k, s.v)"
    )

    assert query("select count(*) from target where k = 5") == [(3,)]


def test_a_session_parameter_allows_duplicate_source_rows(query: Query) -> None:
    query("alter session set error_on_nondeterministic_merge = false")
    query(MERGE + f"when matched then {UPDATE}")

    assert query("select v in (20, 30) from target where k = 0") == [(True,)]
