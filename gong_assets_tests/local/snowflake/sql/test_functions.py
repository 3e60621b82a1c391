"""Snowflake functions that the project uses, and binding of values."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

Query = Callable[..., list[Any]]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("listagg(n, ',') within group (order by n desc)", "3,2,1"),
        ("listagg(distinct k, '|') within group (order by k)", "a|b"),
        ("max_by(k, n)", "b"),
        ("min_by(k, n)", "a"),
        ("boolor_agg(n = 3)", True),
        ("booland_agg(n > 1)", False),
        ("count_if(n > 1)", 2),
        ("median(n)", 2),
        ("sum(iff(k = 'a', n, 0))", 3),
        ("array_size(array_agg(n))", 3),
        # NULLs are skipped; without values the result is an empty string or array.
        ("listagg(iff(n > 1, k, null), ',') within group (order by n)", "a,b"),
        ("listagg(iff(n > 9, k, null), ',') within group (order by n)", ""),
        ("array_to_string(array_agg(iff(n > 1, k, null)) within group (order by n), ',')", "a,b"),
        ("array_to_string(array_agg(distinct k) within group (order by k), ',')", "a,b"),
        ("array_size(array_agg(iff(n > 9, k, null)))", 0),
        (
            "array_to_string(array_flatten(array_agg(array_construct(k, n)) within group (order by n)), ',')",
            "a,1,a,2,b,3",
        ),
    ],
)
def test_aggregates(query: Query, expression: str, value: Any) -> None:
    query("create table t as select column1 as n, column2 as k from values (1, 'a'), (2, 'a'), (3, 'b')")

    assert query(f"select {expression} from t") == [(value,)]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'2026-08-30T03:00:00.123456-07:00'::timestamp_tz", datetime(2026, 8, 30, 10, 0, 0, 123456, UTC)),
        ("try_to_timestamp_tz('2026-08-30T03:00:00-07:00')", datetime(2026, 8, 30, 10, tzinfo=UTC)),
        ("try_to_timestamp_tz('soon')", None),
        ("try_to_timestamp_ntz('2026-08-30T03:00:00')", datetime(2026, 8, 30, 3)),
        ("try_to_timestamp_ntz('soon')", None),
        ("try_to_timestamp('1700000000')", datetime(2023, 11, 14, 22, 13, 20)),
        ("to_timestamp_ntz(1700000000123, 3)", datetime(2023, 11, 14, 22, 13, 20, 123000)),
        (
            "convert_timezone('UTC', '2026-01-01 00:00:00 -08:00'::timestamp_tz)::timestamp_ntz",
            datetime(2026, 1, 1, 8),
        ),
        (
            "convert_timezone('UTC', 'America/New_York', '2026-01-01 12:00:00'::timestamp_ntz)",
            datetime(2026, 1, 1, 7),
        ),
        ("null::timestamp_ntz", None),
        ("'1969-12-31 23:59:59.5'::timestamp_ntz", datetime(1969, 12, 31, 23, 59, 59, 500000)),
        ("'9999-12-31 23:59:59.999999'::timestamp_ntz", datetime(9999, 12, 31, 23, 59, 59, 999999)),
        ("timestampadd('hour', 1, '2026-01-01'::timestamp)", datetime(2026, 1, 1, 1)),
        ("dateadd(day, -1, '2026-01-01'::date)", date(2025, 12, 31)),
        ("datediff('day', '2026-01-01'::date, '2026-01-31'::date)", 30),
        ("datediff(minute, '2026-01-01 00:00'::timestamp, '2026-01-01 01:30'::timestamp)", 90),
        ("to_date('2026-01-01T10:00:00Z')", date(2026, 1, 1)),
        ("date_trunc('month', '2026-01-15'::date)::date", date(2026, 1, 1)),
        ("to_varchar('2026-01-02 03:04:05'::timestamp, 'YYYY-MM-DD HH24:MI:SS')", "2026-01-02 03:04:05"),
        ("date_part('epoch_second', '2026-01-01'::timestamp)", 1767225600),
    ],
)
def test_dates_and_times(query: Query, expression: str, value: Any) -> None:
    assert query(f"select {expression}") == [(value,)]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("md5('a')", "0cc175b9c0f1b6a831c399e269772661"),
        ("sha2('a', 256)", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
        ("regexp_replace('a1b2', '[0-9]', '')", "ab"),
        ("regexp_substr('abc123', '[0-9]+')", "123"),
        ("regexp_like('abc', 'a.*')", True),
        ("regexp_count('a1b2', '[0-9]')", 2),
        ("split_part('a@b.com', '@', 2)", "b.com"),
        ("array_size(strtok_to_array('a b c', ' '))", 3),
        ("initcap('ana ruiz')", "Ana Ruiz"),
        ("lpad('7', 3, '0')", "007"),
        ("contains('price', 'ric')", True),
        ("'back\\\\slash'", "back\\slash"),
        ("$$it's \\n raw$$", "it's \\n raw"),
        ("greatest(1, 3, 2)", 3),
        ("least(1, 3, 2)", 1),
        ("nullif(1, 1)", None),
        ("zeroifnull(null)", 0),
        ("div0(1, 0)", 0),
        ("nvl(null, 'x')", "x"),
        ("equal_null(null, null)", True),
        ("try_to_number('12.6')", 13),
        ("try_to_number('x')", None),
        ("try_to_double('1.5')", 1.5),
        ("to_number('12.5', 10, 1)", Decimal("12.5")),
        ("try_to_boolean('yes')", True),
        ("try_parse_json('{bad')", None),
        ("round(2.345::float, 2)", pytest.approx(2.35, abs=0.011)),
    ],
)
def test_scalars(query: Query, expression: str, value: Any) -> None:
    assert query(f"select {expression}") == [(value,)]


def test_qualify_keeps_one_row_per_key(query: Query) -> None:
    assert query(
        "select column1 as id, column2 as version from values (1, 1), (1, 2), (2, 1)"
        " qualify row_number() over (partition by column1 order by column2 desc) = 1 order by 1"
    ) == [(1, 2), (2, 1)]


def test_split_to_table(query: Query) -> None:
    assert query("select s.index, s.value from table(split_to_table('a b', ' ')) s") == [(1, "a"), (2, "b")]


def test_names_that_only_duckdb_reserves_can_be_used(query: Query) -> None:
    query("create table t (at int, summarize int, lambda varchar)")
    query("insert into t (at, summarize, lambda) values (1, 2, default)")

    assert query("select at, t.summarize, lambda from t order by at") == [(1, 2, None)]


def test_values_of_all_types_can_be_bound(connect: Any) -> None:
    cursor = connect(paramstyle="qmark").cursor()
    cursor.execute("create table t (a int, b varchar, c timestamp_ntz, d float, e boolean, f date)")
    rows = [
        (1, "it's $x \\ 😀\n?", datetime(2026, 1, 1, 1, 2, 3), 1.5, True, date(2026, 1, 1)),
        (None, None, None, None, None, None),
    ]
    for row in rows:
        cursor.execute("insert into t values (?, ?, ?, ?, ?, ?)", row)
    cursor.executemany("insert into t (a, b) values (?, ?)", [(7, "x"), (8, "y")])

    assert cursor.rowcount == 2
    assert cursor.execute("select * from t where a = ? or b is null order by a", [1]).fetchall() == rows
    assert [column.name for column in cursor.describe("select a, b as other from t where a = 1")] == [
        "A",
        "OTHER",
    ]


def test_result_batches_are_arrow(cursor: Any) -> None:
    cursor.execute(
        "select seq4() as n, 'x' as s, [1, 2]::vector(float, 2) as v from table(generator(rowcount => 3))"
    )

    (batch,) = cursor.get_result_batches()

    assert batch.rowcount == 3
    assert batch.to_arrow().to_pylist()[2] == {"N": 2, "S": "x", "V": [1.0, 2.0]}
