"""The statements are valid in Snowflake, read-only, and bind every value.

The local server also accepts SQL that Snowflake rejects, so running a statement there proves none of this.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

import gong_assets.agents
from gong_assets.agents import call_analysis, call_search, coaching
from gong_assets.agents.account_timeline import _CALLS, _COMPANIES, _HAS_ID_OR_NAME, _NAME_CONTAINS
from gong_assets_tests.agents.tables import (
    CALLS,
    COACHING,
    DEAL_CALLS,
    EMBEDDINGS,
    SEGMENTS,
    TIMELINE,
    columns,
)
from gong_assets_tests.second_parser import parse_error
from gong_assets_tests.snowflake_sql import functions, parsed, violations

# Each has a page at https://docs.snowflake.com/en/sql-reference/functions-all.
SNOWFLAKE_FUNCTIONS = {
    "AI_EMBED", "COALESCE", "CONTAINS", "COUNT", "COUNT_IF", "LOWER", "MAX", "ROW_NUMBER",
    "VECTOR_COSINE_SIMILARITY",
}  # fmt: skip

ALL_FILTERS = call_search.search_filters(date(2026, 1, 1), date(2026, 1, 2), "rep", "deal", "External", 5)


def search(filters: call_search.Filters) -> tuple[str, int]:
    sql, values = call_search.search_statement("e5-base-v2", "the price", 5, None, filters)
    return sql, len(values)


def unsearchable(filters: call_search.Filters) -> tuple[str, int]:
    sql, values = call_search.unsearchable_statement("e5-base-v2", filters)
    return sql, len(values)


# Each statement with the number of values that are bound to it.
STATEMENTS = {
    "search": search({}),
    "filtered search": search(ALL_FILTERS),
    "unsearchable": unsearchable({}),
    "filtered unsearchable": unsearchable(ALL_FILTERS),
    "context": (call_search._CONTEXT.format(calls="%s, %s", hits="%s, %s, %s"), 7),
    "rep": (call_search._ANY_CALL.format(condition=call_search._HAS_REP), 3),
    "deal": (call_search._ANY_CALL.format(condition=call_search._HAS_DEAL), 1),
    "call": (call_analysis._CALL, 1),
    "risk segments": (call_analysis._RISK_SEGMENTS, 2),
    "coaching": (coaching._OPPORTUNITIES, 2),
    "company": (_COMPANIES.format(condition=_HAS_ID_OR_NAME), 3),
    "similar companies": (_COMPANIES.format(condition=_NAME_CONTAINS), 2),
    "timeline": (_CALLS, 4),
}

each_statement = pytest.mark.parametrize(("sql", "value_count"), STATEMENTS.values(), ids=STATEMENTS)


@each_statement
def test_a_statement_is_a_single_select_that_binds_every_value(sql: str, value_count: int) -> None:
    (statement,) = sqlglot.parse(sql.replace("%s", "'x'"), dialect="snowflake")
    assert isinstance(statement, exp.Select)
    assert not list(statement.find_all(exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Into, exp.Command))
    assert sql.count("%s") == sql.count("%") == value_count
    assert "'" not in sql


@each_statement
def test_a_statement_bounds_its_rows(sql: str, value_count: int) -> None:
    bounds = ("LIMIT", "BETWEEN hits.TURN_NUMBER", "SELECT COUNT(*) AS SEGMENT_COUNT\n")
    assert any(bound in sql for bound in bounds)


def test_the_statements_call_only_functions_of_snowflake() -> None:
    called = set().union(*(functions(sql) for sql, _ in STATEMENTS.values()))
    assert called == SNOWFLAKE_FUNCTIONS


@each_statement
def test_snowflake_accepts_the_statement(sql: str, value_count: int) -> None:
    assert violations(sql) == []
    assert parse_error(sql) is None


@each_statement
def test_a_statement_reads_only_enriched_views_and_embeddings(sql: str, value_count: int) -> None:
    tree = parsed(sql)
    ctes = {cte.alias_or_name.upper() for cte in tree.find_all(exp.CTE)}
    allowed = {CALLS, SEGMENTS, COACHING, TIMELINE, DEAL_CALLS, EMBEDDINGS}
    assert {table.name.upper() for table in tree.find_all(exp.Table)} - ctes <= allowed


@each_statement
def test_a_statement_reads_calls_segments_and_events_without_private_calls(
    sql: str, value_count: int
) -> None:
    for view in (CALLS, SEGMENTS, COACHING, TIMELINE):
        public = f"(SELECT * FROM {view} WHERE NOT COALESCE(IS_PRIVATE, FALSE))"
        assert sql.count(public) == len(re.findall(rf"\b{view}\b", sql))


def test_one_module_states_the_condition_on_private_calls() -> None:
    package = Path(gong_assets.agents.__file__).parent
    assert [file.name for file in package.glob("*.py") if "IS_PRIVATE" in file.read_text("utf-8")] == [
        "views.py"
    ]


def test_an_omitted_filter_adds_no_condition() -> None:
    assert call_search.search_filters() == {}
    assert len(ALL_FILTERS) == 6


def test_the_filters_use_columns_of_the_view() -> None:
    named = {column.name for each in ALL_FILTERS for column in parsed(f"SELECT {each}").find_all(exp.Column)}
    assert named <= columns(SEGMENTS).keys()
