"""VARIANT, OBJECT, ARRAY and FLATTEN."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlglot import exp

from gong_assets.local.snowflake.server.translation import translate

Query = Callable[..., list[Any]]

DOCUMENT = {
    "id": 12345678901234567890,
    "title": "Intro call",
    "metaData": {"scope": "External", "none": None},
    "parties": [{"name": "Ana"}, {"name": "Bob"}, {"name": "Cy"}],
    "ratio": 0.5,
    "count": 2,
    "big": 9007199254740993,
    "started": "2026-08-30T03:00:00.123456-07:00",
}


@pytest.fixture
def calls(query: Query) -> None:
    query("create table calls (id int, doc variant)")
    query("insert into calls select 1, parse_json(%s)", [json.dumps(DOCUMENT)])
    query("insert into calls select 2, parse_json('{\"parties\": []}') union all select 3, null")


pytestmark = pytest.mark.usefixtures("calls")


def test_paths_are_case_sensitive(query: Query) -> None:
    assert query(
        "select doc:metaData.scope::varchar, doc:metadata.scope, doc:METADATA from calls where id = 1"
    ) == [("External", None, None)]


def test_large_numbers_are_exact(query: Query) -> None:
    assert query("select doc:id::varchar, doc:big::varchar, to_varchar(doc:big) from calls where id = 1") == [
        ("12345678901234567890", "9007199254740993", "9007199254740993")
    ]


def test_a_string_in_a_variant_has_quotes_until_it_is_cast(query: Query) -> None:
    query("create view titles as select doc:title as title from calls where id = 1")

    assert query("select title, title::varchar, to_varchar(title), title::string from titles") == [
        ('"Intro call"', "Intro call", "Intro call", "Intro call")
    ]


@pytest.mark.parametrize(
    "condition",
    [
        "doc:title = 'Intro call'",
        "doc:title in ('Intro call', 'Other')",
        "doc:title like 'Intro%'",
        "doc:title || '!' = 'Intro call!'",
        "length(doc:title) = 10",
        "doc:count = 2",
        "doc:ratio < 0.6",
        "get_path(doc, 'metaData.scope')::varchar = 'External'",
        "coalesce(doc:missing, doc:count) = 2",
        "coalesce(doc:title, 'none')::varchar = 'Intro call'",
        "coalesce(doc:missing, 'none')::varchar = 'none' and id = 1",
        "is_null_value(doc:metaData.none) and not is_null_value(doc:title)",
        "doc:metaData.none is not null and doc:metaData.none::varchar is null",
        "doc:missing is null and doc:title is not null",
    ],
)
def test_conditions_on_paths_match(query: Query, condition: str) -> None:
    assert query(f"select id from calls where {condition}") == [(1,)]


# Of f.value, which is one of the elements "b", "a" and 9, 10.
VALUES = "(select parse_json('[\"b\", \"a\"]') as s, parse_json('[9, 10]') as n,"
VALUES += ' parse_json(\'[{"x": "b"}, {"x": "a"}]\') as o) t'


@pytest.mark.parametrize(
    ("query_of_elements", "rows"),
    [
        ("f.value || '!' from {values}, lateral flatten(t.s) f order by f.index", ["b!", "a!"]),
        ("upper((f.value)) from {values}, table(flatten(t.s)) f order by f.index", ["B", "A"]),
        ("lpad(value, 2, '-') from {values}, lateral flatten(t.s) order by index", ["-b", "-a"]),
        ("f.value::varchar from {values}, lateral flatten(t.s) f where f.value = 'a'", ["a"]),
        ("f.value::varchar from {values}, lateral flatten(t.s) f where f.value in ('a', 'c')", ["a"]),
        ("f.value::varchar from {values}, lateral flatten(t.s) f where f.value > 'aa'", ["b"]),
        ("f.value::varchar from {values}, lateral flatten(t.s) f where f.value = lower('A')", ["a"]),
        ("coalesce(f.value:x, 'none')::varchar from {values}, lateral flatten(t.s) f limit 1", ["none"]),
        (
            "listagg(f.value, ',') within group (order by f.index) from {values}, lateral flatten(t.s) f",
            ["b,a"],
        ),
        (
            "listagg(f.value:x, ',') within group (order by index) from {values}, lateral flatten(t.o) f",
            ["b,a"],
        ),
        (
            "listagg(f.value, ',') within group (order by f.value) from {values}, lateral flatten(t.n) f",
            ["9,10"],
        ),
        (
            "listagg(distinct f.value, ',') within group (order by f.value)"
            " from {values}, lateral flatten(t.s) f",
            ["a,b"],
        ),
        ("max(f.value)::int from {values}, lateral flatten(t.n) f", [10]),
        ("min(f.value)::int from {values}, lateral flatten(t.n) f", [9]),
        ("max(f.value) over ()::int from {values}, lateral flatten(t.n) f", [10, 10]),
        ("max(f.value) from {values}, lateral flatten(t.s) f", ['"b"']),
        ("f.value::int from {values}, lateral flatten(t.n) f order by f.value", [9, 10]),
        ("f.value::int from {values}, lateral flatten(t.n) f order by f.value desc", [10, 9]),
        ("distinct f.value from {values}, lateral flatten(t.n) f order by f.value", ["9", "10"]),
        (
            "row_number() over (order by f.value) from {values}, lateral flatten(t.n) f order by f.index",
            [1, 2],
        ),
        ("t.n[0] < t.n[1] and t.n[1] > t.n[0] from {values}", [True]),
        ("t.n[-1] from {values}", [None]),
        ("array_construct(1, 2)[-1]", [None]),
        ("get(t.n, -1) from {values}", [None]),
        ("split('a b', ' ')[0] || '!'", ["a!"]),
        ("split('a b', ' ')[1] = 'b'", [True]),
        ("get(t.s, 0) || '!' from {values}", ["b!"]),
        ("parse_json('\"a\"') || '!'", ["a!"]),
        ("value || '!' from table(split_to_table('a b', ' '))", ["a!", "b!"]),
    ],
)
def test_elements_are_converted_and_ordered_by_their_values(
    query: Query, query_of_elements: str, rows: list[Any]
) -> None:
    assert [row for (row,) in query("select " + query_of_elements.format(values=VALUES))] == rows


def test_typeof_returns_snowflakes_names(query: Query) -> None:
    (row,) = query(
        "select typeof(doc), typeof(doc:parties), typeof(doc:title), typeof(doc:count), typeof(doc:ratio),"
        " typeof(parse_json('true')), typeof(doc:metaData.none) from calls where id = 1"
    )

    assert row == ("OBJECT", "ARRAY", "VARCHAR", "INTEGER", "DECIMAL", "BOOLEAN", "NULL_VALUE")


def test_object_literals_keep_the_case_of_their_keys(query: Query) -> None:
    ((literal, constructed, with_nulls),) = query(
        "select {'metaData': 1, 'b': 'x'}, object_construct('aB', 1, 'n', null),"
        " object_construct_keep_null('aB', 1, 'n', null)"
    )

    assert json.loads(literal) == {"metaData": 1, "b": "x"}
    assert json.loads(constructed) == {"aB": 1}
    assert json.loads(with_nulls) == {"aB": 1, "n": None}


def test_flatten_returns_elements_in_index_order(query: Query) -> None:
    assert query(
        "select id, p.index, p.value:name::varchar, p.path, p.key from calls,"
        " lateral flatten(input => doc:parties) p"
    ) == [(1, 0, "Ana", "[0]", None), (1, 1, "Bob", "[1]", None), (1, 2, "Cy", "[2]", None)]


@pytest.mark.parametrize(
    "source",
    [
        "calls, lateral flatten(input => doc:parties, outer => true) p",
        "calls, table(flatten(doc:parties, outer => true)) p",
        "calls left join lateral flatten(input => doc:parties) p on true",
    ],
)
def test_an_outer_flatten_keeps_rows_without_elements(query: Query, source: str) -> None:
    assert query(f"select id, p.index, p.value:name::varchar from {source} order by id, p.index") == [
        (1, 0, "Ana"),
        (1, 1, "Bob"),
        (1, 2, "Cy"),
        (2, None, None),
        (3, None, None),
    ]


def test_flatten_of_an_object_returns_its_keys(query: Query) -> None:
    assert query('select key, value from table(flatten(input => parse_json(\'{"b/~": 1, "A": "x"}\')))') == [
        ("b/~", "1"),
        ("A", '"x"'),
    ]


def test_flatten_can_be_nested(query: Query) -> None:
    query("create table nested as select parse_json('[[1, 2], [3]]') as v")

    assert query(
        "select a.index, b.value::int, b.this::varchar from"
        " nested t, lateral flatten(t.v) a, lateral flatten(input => a.value) b"
    ) == [(0, 1, "[1,2]"), (0, 2, "[1,2]"), (1, 3, "[3]")]


def test_flatten_works_in_views_and_for_many_rows(query: Query) -> None:
    query(
        "create table many as select seq4() as id, parse_json('[1, 2, 3]') as v"
        " from table(generator(rowcount => 500))"
    )
    query(
        "create view flat as select id, f.index as position, f.value::int as n from many,"
        " lateral flatten(v) f"
    )

    assert query("select count(*), sum(n), sum(position) from flat") == [(1500, 3000, 1500)]


def test_array_functions_accept_variants(query: Query) -> None:
    (row,) = query(
        "select array_size(doc:parties), array_contains('b'::variant, array_construct('a', 'b')),"
        " array_to_string(array_construct('a', 1), '-'), array_size(array_distinct(parse_json('[1, 1, 2]'))),"
        " array_cat(parse_json('[1]'), parse_json('[2]')), array_append(parse_json('[1]'), 2),"
        " array_slice(parse_json('[1, 2, 3]'), 0, 2), array_slice(parse_json('[1, 2, 3]'), 1, -1)"
        " from calls where id = 1"
    )

    assert row[:4] == (3, True, "a-1", 2)
    assert [json.loads(value) for value in row[4:]] == [[1, 2], [1, 2], [1, 2], [2]]


@pytest.mark.parametrize("table", ["a", "k", "l", "r", "s", "t", "v", "x"])
def test_columns_may_have_the_names_of_variables_in_macros(query: Query, table: str) -> None:
    query(
        f"create table {table} as select [1, 2, 3] as l, [3, 4] as a, {{'x': 1}} as o, 3 as s, 'x' as k,"
        " 0 as n, true as b, 2 as i, 7 as v, [2] as r, 5 as x"
    )
    ((*arrays, position, contains),) = query(
        f"select array_remove(l, s), array_except(l, a), array_insert(l, n, v), array_remove_at(l, i),"
        f" array_sort({table}.l, {table}.b), arrays_zip({table}.l, {table}.a), object_delete(o, k),"
        f" object_insert({table}.o, {table}.k, {table}.x, {table}.b), filter(l, e int -> e < {table}.s),"
        f" array_position({table}.s, {table}.l), array_contains(v, l) from {table}"
    )

    assert [json.loads(array) for array in arrays] == [
        [1, 2],
        [1, 2],
        [7, 1, 2, 3],
        [1, 2],
        [1, 2, 3],
        [{"$1": 1, "$2": 3}, {"$1": 2, "$2": 4}, {"$1": 3, "$2": None}],
        {},
        {"x": 5},
        [1, 2],
    ]
    assert (position, contains) == (2, False)


def test_array_functions_work_in_views_groups_and_windows(query: Query) -> None:
    query(
        "create view arrays as select id, array_remove_at(doc:parties, 0) as others,"
        " array_insert([], 0, doc:count) as counts from calls"
    )

    assert query("select others[0]:name::varchar from arrays where id = 1") == [("Bob",)]
    assert query(
        "with sizes as (select array_unique_agg(id % 2) as ids from arrays group by id % 2)"
        " select array_max(ids)::int from sizes qualify row_number() over (order by array_max(ids)) = 2"
    ) == [(1,)]
    assert query(
        "select array_distinct(counts), count(*) from arrays group by array_distinct(counts) order by 2"
    ) == [("[2]", 1), ("[null]", 2)]


def test_a_null_in_one_row_does_not_fail_others(query: Query) -> None:
    """Where the result depends on the kind of a null, only the rows with such a null fail."""
    source = "(select 1 as x, [1, null] as l union all select null, [1] union all select null, null)"

    assert set(query(f"select array_contains(x, l), array_position(x, l) from {source}")) == {
        (True, 0),
        (None, None),
    }


def test_array_aggregates_keep_their_order(query: Query) -> None:
    ((ids, objects),) = query(
        "select array_agg(id) within group (order by id desc),"
        " array_agg(object_construct('id', id)) within group (order by id) from calls"
    )

    assert json.loads(ids) == [3, 2, 1]
    assert json.loads(objects) == [{"id": 1}, {"id": 2}, {"id": 3}]


def test_a_time_with_an_offset_is_converted_to_utc(query: Query) -> None:
    assert query(
        "select convert_timezone('UTC', doc:started::timestamp_tz)::timestamp_ntz,"
        " to_timestamp_ntz(convert_timezone('UTC', try_to_timestamp_tz(doc:started::varchar)))"
        " from calls where id = 1"
    ) == [(datetime(2026, 8, 30, 10, 0, 0, 123456),) * 2]


# Of a text column `a`.
TEXTS = [
    "trim(a)", "upper(a)", "lower(a)", "left(a, 2)", "right(a, 2)", "replace(a, 'x', 'y')", "a || 'x'",
    "concat(a, 'x')", "regexp_replace(a, 'x', 'y')", "regexp_substr(a, 'x.')", "split_part(a, ',', 1)",
    "substr(a, 2)", "md5(a)", "nullif(trim(a), '')", "coalesce(null, trim(a), 'x')", "(trim(a))",
    "iff(a = 'x', trim(a), 'y')", "case when a = 'x' then null else trim(a) end", "max(trim(a))",
    "array_to_string(split(a, ','), '-')",
]  # fmt: skip


def asked_types(expression: str) -> list[str]:
    """Return the operands whose type a cast of the expression to a text asks for."""
    statement = translate(f"select ({expression})::varchar as x from t", {})
    return [
        each.expressions[0].sql()
        for each in statement.find_all(exp.Anonymous)
        if each.name.endswith("_variant_text")
    ]


@pytest.mark.parametrize("expression", TEXTS)
def test_a_text_is_cast_without_a_question_for_its_type(query: Query, expression: str) -> None:
    """DuckDB copies an operand for each mention in a macro, so that nested questions take seconds."""
    sql = f"select typeof(to_variant({expression})) from (select ' x,y' as a) group by a"
    assert query(sql) == [("VARCHAR",)]
    assert set(asked_types(expression)) <= {"a"}


@pytest.mark.parametrize(
    "expression", ["a", "parse_json(a)", "coalesce(trim(a), a)", "iff(true, trim(a), a)", "nullif(a, '')"]
)
def test_what_may_be_no_text_is_cast_by_its_type(expression: str) -> None:
    cast = translate(f"select ({expression})::varchar as x from t", {}).find(exp.Cast)
    assert cast is not None
    assert cast.this.name.endswith("_variant_text")
