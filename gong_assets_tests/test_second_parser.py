"""The second parser finds mistakes, and rejects no more than the listed clauses."""

from __future__ import annotations

import pytest

from gong_assets_tests.second_parser import (
    UNSUPPORTED_CLAUSES,
    UnsupportedClause,
    parse_error,
    raw_parse_error,
)


@pytest.mark.parametrize("clause", UNSUPPORTED_CLAUSES, ids=lambda clause: clause.page.rpartition("/")[2])
def test_a_listed_clause_is_rejected_and_its_removal_suffices(clause: UnsupportedClause) -> None:
    """If a new version accepts the clause, remove it from the list."""
    assert raw_parse_error(clause.example) is not None
    assert parse_error(clause.example) is None


@pytest.mark.parametrize(
    "sql",
    [
        "select a, from t where",
        "select a from t group a",
        "create or replace view v (a comment 'one') copy grants as selekt 1",
        "merge into t using s on t.id = s.id when matched delete",
        "select listagg(a, ',') within (order by a) from t",
    ],
)
def test_mistakes_are_rejected(sql: str) -> None:
    assert parse_error(sql) is not None


@pytest.mark.parametrize(
    "sql",
    [
        "select reduce(a, [], (acc, val) -> iff(val:x::int <= acc[0]::int, acc, array_prepend(acc, 1)))",
        "select f.value:a.b::varchar from t, lateral flatten(input => t.doc, outer => true) as f",
        "select [1, 2]::vector(float, 2), {'a': 1} from t where id = %s qualify rank() over (order by a) = 1",
        "select listagg(distinct a, ',') within group (order by a) from t",
    ],
)  # fmt: skip
def test_snowflake_sql_is_accepted(sql: str) -> None:
    assert parse_error(sql) is None
