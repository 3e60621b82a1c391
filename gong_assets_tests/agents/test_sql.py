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
from gong_assets.agents import (
    call_analysis,
    call_filters,
    call_search,
    calls,
    coaching,
    deals,
    directory,
    freshness,
)
from gong_assets.agents.account_timeline import _CALLS as _TIMELINE_CALLS
from gong_assets.agents.account_timeline import _COUNT
from gong_assets.agents.views import DEAL_RISKS
from gong_assets_tests.agents.tables import (
    CALLS,
    COACHING,
    DEAL_CALLS,
    DEAL_RISK,
    DIRECTORY,
    EMBEDDINGS,
    LANDINGS,
    SEARCHABLE,
    SEGMENTS,
    TIMELINE,
    columns,
)
from gong_assets_tests.second_parser import parse_error
from gong_assets_tests.snowflake_sql import functions, parsed, violations

# Each has a page at https://docs.snowflake.com/en/sql-reference/functions-all.
SNOWFLAKE_FUNCTIONS = {
    "AI_EMBED", "COALESCE", "CONTAINS", "COUNT", "IFF", "JAROWINKLER_SIMILARITY", "LEFT", "LENGTH", "LOWER",
    "MAX", "MIN", "REPLACE", "ROW_NUMBER", "TRANSLATE", "VECTOR_COSINE_SIMILARITY",
}  # fmt: skip

ALL_FILTERS: call_filters.Filters = {
    **call_filters.date_filters(date(2026, 1, 1), date(2026, 1, 2)),
    call_filters.HAS_REP: ("rep",),
    call_filters.HAS_DEAL: ("deal",),
    call_filters.HAS_COMPANY: ("Call", "HubSpot", "company"),
    **call_search.segment_filters("External", 5),
}
CALL_FILTERS = dict(list(ALL_FILTERS.items())[:5]) | {calls.BEFORE: ("day", "day", "time", "time", "id")}
AFTER = call_search.SearchPosition(5, 0.8, "1_2_0")


def search(filters: call_filters.Filters, after: call_search.SearchPosition | None = None) -> tuple[str, int]:
    search = call_search.Search("the price", 5, None, filters, after=after)
    sql, values = call_search.search_statement("e5-base-v2", search)
    return sql, len(values)


def unsearchable(filters: call_filters.Filters) -> tuple[str, int]:
    sql, values = call_search.unsearchable_statement("e5-base-v2", filters)
    return sql, len(values)


def listed(sql: str, condition: str, value_count: int) -> tuple[str, int]:
    return sql.format(condition=condition, conditions=condition), value_count


# Each statement with the number of values that are bound to it.
STATEMENTS = {
    "search": search({}),
    "filtered search": search(ALL_FILTERS),
    "search limited to days": search(call_filters.date_filters(date(2026, 1, 1), date(2026, 1, 2))),
    "next page of a search": search(ALL_FILTERS, AFTER),
    "unsearchable": unsearchable({}),
    "filtered unsearchable": unsearchable(ALL_FILTERS),
    "context": (call_search._CONTEXT.format(calls="%s, %s", hits="%s, %s, %s"), 7),
    "call": (call_analysis._CALL, 1),
    "risk segments": (call_analysis._RISK_SEGMENTS, 3),
    "coaching": listed(coaching._OPPORTUNITIES, "TRUE", 3),
    "next page of coaching": listed(coaching._OPPORTUNITIES, coaching._AFTER, 6),
    "calls": listed(calls._CALLS, "TRUE", 1),
    "next page of filtered calls": listed(calls._CALLS, " AND ".join(CALL_FILTERS), 13),
    "call of a transcript": (calls._CALL_OF_TRANSCRIPT, 1),
    "transcript": listed(calls._TURNS, "TRUE", 3),
    "next page of a transcript": listed(calls._TURNS, calls._AFTER_TURN, 8),
    "records": listed(directory._RECORDS, "TRUE", 13),
    "next page of records": listed(directory._RECORDS, directory._AFTER, 20),
    "deals": listed(deals._DEALS, f"{deals._HAS_OWNER} AND {deals._AFTER}", 7),
    "timeline": listed(_TIMELINE_CALLS, "TRUE", 5),
    "next page of a timeline": listed(_TIMELINE_CALLS, calls.BEFORE, 10),
    "count of a timeline": (_COUNT, 4),
    "last read": (freshness._LAST_READ, 1),
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
    allowed = {
        CALLS, SEGMENTS, COACHING, TIMELINE, DEAL_CALLS, DEAL_RISK, DIRECTORY, LANDINGS, EMBEDDINGS,
        SEARCHABLE,
    }  # fmt: skip
    assert {table.name.upper() for table in tree.find_all(exp.Table)} - ctes <= allowed


@each_statement
def test_a_statement_reads_calls_segments_and_events_without_private_calls(
    sql: str, value_count: int
) -> None:
    sql = sql.replace(DEAL_RISKS, "")
    assert DEAL_RISK not in sql
    for view in (CALLS, SEGMENTS, SEARCHABLE, COACHING, TIMELINE, DIRECTORY):
        public = f"(SELECT * FROM {view} WHERE NOT COALESCE(IS_PRIVATE, FALSE))"
        assert sql.count(public) == len(re.findall(rf"\b{view}\b", sql))


@pytest.mark.parametrize("condition", [call_filters.HAS_REP, call_filters.HAS_DEAL, call_filters.HAS_COMPANY])
def test_a_search_compares_only_vectors_of_the_calls_that_it_is_limited_to(condition: str) -> None:
    assert _compared({condition: ALL_FILTERS[condition]}) == {"TRANSCRIPT_ID", "CONTENT_HASH"}


def test_a_search_without_a_filter_on_calls_compares_all_vectors_of_the_days() -> None:
    """Otherwise most vectors would be copied."""
    days = call_filters.date_filters(date(2026, 1, 1), date(2026, 1, 2))
    assert _compared(days) == {"CALL_DATE"}
    assert _compared(call_search.segment_filters("External", 5)) == set()


def _compared(filters: call_filters.Filters) -> set[str]:
    """Return the columns by which the segments are selected that a search compares."""
    ctes = {cte.alias_or_name: cte.this for cte in parsed(search(filters)[0]).find_all(exp.CTE)}
    parts = [ctes["compared"].args["where"], *ctes["compared"].args["joins"]]
    named = (column for part in parts for column in part.find_all(exp.Column))
    return {column.name for column in named if column.table == "embedded"}


def test_one_module_states_the_condition_on_private_calls() -> None:
    package = Path(gong_assets.agents.__file__).parent
    assert [file.name for file in package.glob("*.py") if "IS_PRIVATE" in file.read_text("utf-8")] == [
        "views.py"
    ]


def test_an_omitted_filter_adds_no_condition() -> None:
    assert call_filters.date_filters(None, None) == call_search.segment_filters(None, 0) == {}
    assert len(ALL_FILTERS) == 7


def test_the_filters_use_columns_of_the_view() -> None:
    filters = ALL_FILTERS.keys() - {call_filters.HAS_COMPANY, call_filters.HAS_DEAL}
    named = {column.name for each in filters for column in parsed(f"SELECT {each}").find_all(exp.Column)}
    assert named <= columns(SEGMENTS).keys() & columns(SEARCHABLE).keys()
