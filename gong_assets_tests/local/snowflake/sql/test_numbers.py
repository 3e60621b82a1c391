"""Precision and scale of numbers: https://docs.snowflake.com/en/sql-reference/operators-arithmetic"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from snowflake.connector.errors import ProgrammingError

Query = Callable[..., list[Any]]

LARGE = 99999999999999999999999999999999999999


def test_a_number_without_decimals_has_38_digits(query: Query) -> None:
    query("create table large (a number(38, 0), b int, c bigint, d number)")
    query(f"insert into large values ({LARGE}, {-LARGE}, 12345678901234567890, 1)")

    assert query("select * from large") == [(LARGE, -LARGE, 12345678901234567890, 1)]
    assert query("select c * 10 + d, sum(c) over (), max(a) from large group by c, d") == [
        (123456789012345678901, 12345678901234567890, LARGE)
    ]
    assert {row[1] for row in query("describe table large")} == {"NUMBER(38,0)"}


def test_a_constant_column_has_38_digits(query: Query) -> None:
    query("create table constants as select 1 as n, column1 as m from values (2)")
    query("insert into constants values (12345678901234567890, 12345678901234567890)")

    assert query("select sum(n), sum(m) from constants") == [(12345678901234567891, 12345678901234567892)]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("9223372036854775807 + 1", 9223372036854775808),
        ("-9223372036854775808 - 1", -9223372036854775809),
        ("3000000000 * 4000000000", 12000000000000000000),
    ],
)
def test_a_sum_or_product_of_constants_has_38_digits(query: Query, expression: str, value: int) -> None:
    assert query(f"select {expression}") == [(value,)]


def test_a_number_of_five_digits_rejects_six(query: Query) -> None:
    with pytest.raises(ProgrammingError, match="100000"):
        query("select 100000::number(5, 0)")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("sum(n)", 7),
        ("sum(n) / count(*)", Decimal("2.333333")),
        ("avg(n)", Decimal("2.333333")),
        ("avg(n) over ()", Decimal("2.333")),
        ("median(n)", Decimal("2.000")),
        ("percentile_cont(0.25) within group (order by n)", Decimal("1.500")),
        ("sum(n::float)", 7.0),
        ("avg(n::float)", pytest.approx(7 / 3)),
        ("sum(n::number(10, 2))", Decimal("7.00")),
        ("avg(n::number(10, 2))", Decimal("2.33333333")),
        ("sum(n::varchar)", 7.0),
        ("sum(distinct n) / 2", Decimal("3.500000")),
        ("max(n) / sum(n::float)", pytest.approx(4 / 7)),
    ],
)
def test_aggregates_have_the_type_of_their_values(query: Query, expression: str, value: Any) -> None:
    query("create or replace table t as select column1 as n from values (1), (2), (4)")

    result = query(f"select {expression} from t" + (" limit 1" if " over " in expression else ""))

    assert result == [(value,)]
    expected = value if isinstance(value, int | Decimal) else 0.5
    assert type(result[0][0]) is type(expected)
    assert str(result[0][0]) == str(value) or isinstance(expected, float)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 / 3", "0.333333"),
        ("2 / 7", "0.285714"),
        ("10.1 / 2.1", "4.8095238"),
        ("10.001 / .001", "10001.000000000"),
        (".1 / .0000000000001", "1000000000000.0000000"),
        ("1 / 3 / 3", "0.111111000000"),
        ("1 / 128", "0.007813"),
        ("-1 / 128", "-0.007813"),
        ("10.01 * 1.1", "11.011"),
        ("div0(1, 3)", "0.333333"),
        ("iff(true, 1 / 3, 0)", "0.333333"),
        ("coalesce(1 / nullif(0, 0), 0)", "0.000000"),
        ("round(10 / 3, 2)", "3.33"),
    ],
)
def test_quotients_have_six_more_digits_than_the_dividend(query: Query, expression: str, value: str) -> None:
    ((result,),) = query(f"select {expression}")

    assert (type(result), str(result)) == (Decimal, value)


@pytest.mark.parametrize("divisor", ["0", "0.0", "0::float", "(select 0)"])
def test_division_by_zero_fails(query: Query, divisor: str) -> None:
    with pytest.raises(ProgrammingError, match=r"100051 \(22012\).*Division by zero"):
        query(f"select column1 / {divisor} from values (1)")


def test_a_float_has_all_its_digits(query: Query) -> None:
    assert query("select 1::float / 3, 1 / 3::float") == [(1 / 3, 1 / 3)]


def test_a_number_can_be_a_position_in_a_text(query: Query) -> None:
    assert query(
        "select left('abcdef', n), right('abcdef', n), substr('abcdef', n, n), split_part('a.b.c', '.', n),"
        " repeat('x', n), lpad('7', n + 1, '0') from (select 2 as n)"
    ) == [("ab", "ef", "bc", "b", "xx", "007")]
