"""The questions' SQL is Snowflake's, reads only, and holds no value: the local server also takes what Snowflake refuses, so
that running it there proves none of these."""

from __future__ import annotations

import re
from datetime import date

import pytest
import sqlglot
from sqlglot import exp

from gong_assets.agents import analysis, coaching, search, timeline
from gong_assets_tests.agents.tables import CALLS, DEAL_CALLS, EMBEDDINGS, SEGMENTS, TIMELINE, columns
from gong_assets_tests.snowflake_sql import functions, parsed, refusals

# As for the models: each has a page at https://docs.snowflake.com/en/sql-reference/functions-all.
SNOWFLAKE_FUNCTIONS = {
    "AI_EMBED", "COALESCE", "CONTAINS", "COUNT", "COUNT_IF", "GREATEST", "LOWER", "MAX", "ROW_NUMBER",
    "VECTOR_COSINE_SIMILARITY",
}  # fmt: skip

EVERY_FILTER = search.given_filters(date(2026, 1, 1), date(2026, 1, 2), "rep", "deal", "External", 5)


def searching(filters: search.Filters) -> tuple[str, int]:
    sql, values = search.search_statement("e5-base-v2", "the price", 5, None, filters)
    return sql, len(values)


def not_compared(filters: search.Filters) -> tuple[str, int]:
    sql, values = search.not_compared_statement("e5-base-v2", filters)
    return sql, len(values)


# Each with as many values as are bound to it.
STATEMENTS = {
    "model": (search._MODEL, 0),
    "search": searching({}),
    "filtered search": searching(EVERY_FILTER),
    "not compared": not_compared({}),
    "filtered not compared": not_compared(EVERY_FILTER),
    "context": (search._CONTEXT.format(calls="%s, %s", hits="%s, %s, %s"), 7),
    "rep": (search._KNOWN.format(condition=search._OF_REP), 3),
    "deal": (search._KNOWN.format(condition=search._OF_DEAL), 1),
    "call": (analysis._CALL, 1),
    "risks": (analysis._RISKS, 3),
    "coaching": (coaching._QUERY, 6),
    "company": (timeline._COMPANIES.format(condition=timeline._NAMED), 3),
    "companies": (timeline._COMPANIES.format(condition=timeline._LIKE_IT), 2),
    "timeline": (timeline._CALLS, 4),
}


@pytest.mark.parametrize(("sql", "bound"), STATEMENTS.values(), ids=STATEMENTS)
def test_a_statement_is_one_select_with_every_value_bound(sql: str, bound: int) -> None:
    (statement,) = sqlglot.parse(sql.replace("%s", "'x'"), dialect="snowflake")
    assert isinstance(statement, exp.Select)
    assert not list(statement.find_all(exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Into, exp.Command))
    assert sql.count("%s") == sql.count("%") == bound
    assert "'" not in sql


@pytest.mark.parametrize(("sql", "bound"), STATEMENTS.values(), ids=STATEMENTS)
def test_a_statement_has_a_limit_or_reads_one_call_or_the_turns_around_hits_or_counts(
    sql: str, bound: int
) -> None:
    bounded = ("LIMIT", "BETWEEN hits.PLACE", "WHERE CALL_ID = %s AND", "SELECT COUNT(*) AS SEGMENT_COUNT\n")
    assert any(words in sql for words in bounded)


def test_the_statements_call_just_the_functions_that_are_listed() -> None:
    called = set().union(*(functions(sql) for sql, _ in STATEMENTS.values()))
    assert called == SNOWFLAKE_FUNCTIONS


@pytest.mark.parametrize(("sql", "bound"), STATEMENTS.values(), ids=STATEMENTS)
def test_a_statement_does_nothing_that_snowflake_refuses(sql: str, bound: int) -> None:
    assert refusals(sql) == []


@pytest.mark.parametrize(("sql", "bound"), STATEMENTS.values(), ids=STATEMENTS)
def test_a_statement_reads_the_enriched_views_and_the_embeddings_only(sql: str, bound: int) -> None:
    tree = parsed(sql)
    own = {cte.alias_or_name.upper() for cte in tree.find_all(exp.CTE)}
    allowed = {CALLS, SEGMENTS, TIMELINE, DEAL_CALLS, EMBEDDINGS}
    assert {table.name.upper() for table in tree.find_all(exp.Table)} - own <= allowed


@pytest.mark.parametrize(("sql", "bound"), STATEMENTS.values(), ids=STATEMENTS)
def test_a_statement_that_reads_calls_or_what_was_said_leaves_out_private_calls(sql: str, bound: int) -> None:
    read = {table.name.upper() for table in parsed(sql).find_all(exp.Table)}
    if read & {CALLS, SEGMENTS}:
        assert re.search(r"\bNOT COALESCE\((\w+\.)?IS_PRIVATE, FALSE\)", sql)


def test_what_is_left_out_is_no_condition() -> None:
    assert search.given_filters() == {}
    assert len(EVERY_FILTER) == 6


def test_the_filters_are_on_columns_that_the_view_has() -> None:
    named = {column.name for each in EVERY_FILTER for column in parsed(f"SELECT {each}").find_all(exp.Column)}
    assert named <= columns(SEGMENTS).keys()
