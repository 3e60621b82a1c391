"""Conversions of dates and timestamps, which ask for the type of their operand only if they must."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

import pytest
from sqlglot import exp

from gong_assets.local.snowflake.server.translation import translate

Query = Callable[[str], list[tuple[Any, ...]]]

# Of a text column `a`. Each is a date.
DATES = [
    "to_date(a)", "a::date", "(to_date(a))", "coalesce(to_date(a), '2026-01-01'::date)",
    "iff(a is null, null, to_date(a))", "iff(a is null, to_date('2026-01-01'), to_date(a))",
    "case when a is null then null else to_date(a) end", "nullif(to_date(a), '2026-01-01'::date)",
    "max(to_date(a))", "max_by(to_date(a), a)", "any_value(to_date(a))", "date_trunc('day', to_date(a))",
    "max(to_date(a)) over ()", "first_value(to_date(a)) over (order by a)", "dateadd('day', 0, to_date(a))",
    "greatest(to_date(a), '2026-01-01'::date)", "try_to_date(a)",
]  # fmt: skip


def asked_types(expression: str) -> list[str]:
    """Return the operands whose type a conversion of the expression to a date asks for."""
    statement = translate(f"select to_date({expression}) as x from t", {})
    calls = [*statement.find_all(exp.Anonymous)]
    return [each.expressions[0].sql() for each in calls if each.name.endswith("._date")]


@pytest.mark.parametrize("expression", DATES)
def test_a_date_is_converted_without_a_question_for_its_type(query: Query, expression: str) -> None:
    """DuckDB copies an operand for each mention in a macro: three nested questions took 1.1 seconds."""
    assert query(f"select to_date({expression}) from (select '05-Mar-2026' as a) group by a") == [
        (date(2026, 3, 5),)
    ]
    assert set(asked_types(expression)) <= {"a", "'2026-01-01'"}


@pytest.mark.parametrize(
    "expression", ["a", "coalesce(to_date(a), a)", "iff(a is null, to_date('2026-01-01'), a)", "max(a)"]
)
def test_what_may_be_no_date_is_converted_by_its_type(expression: str) -> None:
    conversion = translate(f"select to_date({expression}) as x from t", {}).selects[0].this
    assert conversion.name.endswith("._date")


def test_the_current_date_and_time_need_no_parentheses_and_no_alias(query: Query) -> None:
    ((day, moment, local, clock),) = query(
        "select current_date, current_timestamp, localtimestamp, localtime from (select 1 as a)"
    )

    assert [type(value) for value in (day, moment, local, clock)] == [date, datetime, datetime, time]
    assert moment == local
    assert (moment.date(), moment.time()) == (day, clock)


def test_a_column_can_have_the_name_of_the_function_that_it_calls(query: Query) -> None:
    assert query(
        "select current_date as current_date, current_timestamp() as current_timestamp,"
        " current_date <= current_timestamp from (select 1 as a)"
    )[0][2]
