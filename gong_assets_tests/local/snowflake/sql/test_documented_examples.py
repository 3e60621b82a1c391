"""Examples of Snowflake's documentation, for each function that the project's SQL calls.

The page of a function is https://docs.snowflake.com/en/sql-reference/functions/NAME in lower case. An example
that is not on the page follows from its text. Cortex functions have tests of their own.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from snowflake.connector.errors import ProgrammingError

import gong_assets_tests
from gong_assets_tests.local.snowflake.conftest import ServerProcess

Query = Callable[..., list[Any]]

TIMES = "It was the best of times, it was the worst of times"

# By function: a list of (expression, documented result). Objects and arrays are compared as JSON.
EXAMPLES: dict[str, list[tuple[str, Any]]] = {
    "JAROWINKLER_SIMILARITY": [
        ("jarowinkler_similarity('Snowflake', 'Oracle')", 61),
        ("jarowinkler_similarity('', '')", 0),
        ("jarowinkler_similarity('Snowflake', 'sNOWFLAKE')", 100),  # not case-sensitive
    ],
    "TRANSLATE": [
        ("translate('peña', 'ñ', 'n')", "pena"),
        ("translate('❄a❄bX❄dYZ❄', 'XYZ❄', 'cef')", "abcdef"),
    ],
    "ABS": [("abs(column1) from values (-1.5) limit 1", Decimal("1.5"))],
    "ARRAYS_OVERLAP": [
        ("arrays_overlap(array_construct('hello', 'aloha'), array_construct('hello', 'hi', 'hey'))", True),
        ("arrays_overlap(array_construct('hello', 'aloha'), array_construct('hola', 'ciao'))", False),
        ("arrays_overlap([{'a': 1, 'b': 2}, 1, 2], [{'b': 2, 'c': 3}, 3, 4])", False),
        ("arrays_overlap([{'a': 1, 'b': 2}, 1, 2], [{'a': 1, 'b': 2}, 3, 4])", True),
        ("arrays_overlap(array_construct(1, 2, null), array_construct(3, null, 5))", True),
    ],
    "ARRAYS_TO_OBJECT": [
        ("arrays_to_object(['key1', 'key2', 'key3'], [1, 2, 3])", {"key1": 1, "key2": 2, "key3": 3}),
        ("arrays_to_object(['key1', null, 'key3'], [1, 2, 3])", {"key1": 1, "key3": 3}),
        ("arrays_to_object(['key1', 'key2', 'key3'], [1, null, 3])", {"key1": 1, "key2": None, "key3": 3}),
    ],
    "ARRAYS_ZIP": [
        (
            "arrays_zip([1, 2], ['first', 'second'], ['i', 'ii'])",
            [{"$1": 1, "$2": "first", "$3": "i"}, {"$1": 2, "$2": "second", "$3": "ii"}],
        ),
        ("arrays_zip([1, 2, 3])", [{"$1": 1}, {"$1": 2}, {"$1": 3}]),
        ("arrays_zip([1, 2], ['one'])", [{"$1": 1, "$2": "one"}, {"$1": 2, "$2": None}]),
        ("arrays_zip([null], [3])", [{"$1": None, "$2": 3}]),
        ("arrays_zip([1], null)", None),
    ],
    "ARRAY_AGG": [
        ("array_agg(o) within group (order by o) from (select column1 as o from values (2), (1))", [1, 2]),
        (
            "array_agg(distinct o) within group (order by o) from (select column1 as o from values (1), (1))",
            [1],
        ),
        ("array_agg(o) from (select null as o)", []),
    ],
    "ARRAY_APPEND": [
        ("array_append(array_construct(1, 2, 3), 'HELLO')", [1, 2, 3, "HELLO"]),
        ("array_append(null, 1)", None),
    ],
    "ARRAY_CAT": [
        ("array_cat(array_construct(1, 2), array_construct(3, 4))", [1, 2, 3, 4]),
        ("array_cat(array_construct(1, 2), null)", None),
    ],
    "ARRAY_COMPACT": [
        ("array_compact(array_construct(null, 'hello', 3::double, 4, 5))", ["hello", 3.0, 4, 5])
    ],
    "ARRAY_CONSTRUCT": [
        ("array_construct(10, 20, 30)", [10, 20, 30]),
        ("array_construct(null, 'hello', 3::double, 4, 5)", [None, "hello", 3.0, 4, 5]),
        ("array_construct()", []),
    ],
    "ARRAY_CONSTRUCT_COMPACT": [
        ("array_construct_compact(null, 'hello', 3::double, 4, 5)", ["hello", 3.0, 4, 5])
    ],
    "ARRAY_CONTAINS": [
        ("array_contains('hello'::variant, array_construct('hello', 'hi'))", True),
        ("array_contains('hello'::variant, array_construct('hola', 'bonjour'))", False),
        ("array_contains(null, array_construct('hola', 'bonjour'))", None),
        ("array_contains(parse_json('null'), array_construct('hola'))", False),
        ("array_contains(1, null)", None),
    ],
    "ARRAY_DISTINCT": [
        ("array_distinct(['A', 'A', 'B', null, null])", ["A", "B", None]),
        ("array_distinct(null)", None),
        (
            "array_distinct([{'a': 1, 'b': 2}, {'a': 1, 'b': 2}, {'a': 1, 'b': 3}])",
            [{"a": 1, "b": 2}, {"a": 1, "b": 3}],
        ),
    ],
    "ARRAY_EXCEPT": [
        ("array_except(['A', 'B'], ['B', 'C'])", ["A"]),
        ("array_except(['A', 'B', 'C'], ['B', 'C'])", ["A"]),
        ("array_except(['A', 'B', 'B', 'B', 'C'], ['B'])", ["A", "B", "B", "C"]),
        ("array_except(['A', 'A', 'B', 'B', 'B', 'C', 'D'], ['A', 'B', 'B', 'E'])", ["A", "B", "C", "D"]),
        ("array_except(['A', null, null], ['B', null])", ["A", None]),
        ("array_except([{'a': 1, 'b': 2}, 1], [{'a': 1, 'b': 2}, 3])", [1]),
        ("array_except([{'a': 1, 'b': 2}], [{'b': 2, 'a': 1}])", []),
        ("array_except(['A', 'B'], null)", None),
    ],
    "ARRAY_FLATTEN": [
        ("array_flatten([[1, 2, 3], [4], [5, 6]])", [1, 2, 3, 4, 5, 6]),
        ("array_flatten([[[1, 2], [3]], [[4], [5]]])", [[1, 2], [3], [4], [5]]),
        ("array_flatten([[1, 2, 3], null, [5, 6]])", None),
    ],
    "ARRAY_GENERATE_RANGE": [
        ("array_generate_range(2, 5)", [2, 3, 4]),
        ("array_generate_range(10, 50, 10)", [10, 20, 30, 40]),
        ("array_generate_range(-5, -25, -10)", [-5, -15]),
        ("array_generate_range(2, 3, 3)", [2]),
        ("array_generate_range(5, 2)", []),
        ("array_generate_range(1, null)", None),
        ("array_generate_range(column1, 4) from values (2)", [2, 3]),
    ],
    "ARRAY_INSERT": [
        ("array_insert(array_construct(0, 1, 2, 3), 2, 'hello')", [0, 1, "hello", 2, 3]),
        ("array_insert(array_construct(0, 1, 2, 3), 5, 'hello')", [0, 1, 2, 3, None, "hello"]),
        ("array_insert(array_construct(0, 1, 2, 3), -1, 'hello')", [0, 1, 2, "hello", 3]),
        ("array_insert(array_construct(0, 1, 2, 3), 0, 'hello')", ["hello", 0, 1, 2, 3]),
        ("array_insert([0], null, 1)", None),
    ],
    "ARRAY_INTERSECTION": [
        ("array_intersection(array_construct('A', 'B'), array_construct('B', 'C'))", ["B"]),
        ("array_intersection(array_construct('A', 'B', 'C'), array_construct('B', 'C'))", ["B", "C"]),
        ("array_intersection(['A', 'B', 'B', 'B', 'C'], ['B', 'B'])", ["B", "B"]),
        ("array_intersection([null, 'A'], ['B', null])", [None]),
        ("array_intersection([{'a': 1, 'b': 2}, 1, 2], [{'a': 1, 'b': 2}, 3, 4])", [{"a": 1, "b": 2}]),
        ("array_intersection([1], null)", None),
    ],
    "ARRAY_MAX": [
        ("array_max([20, 0, 10])", "20"),
        ("array_max([])", None),
        ("array_max(null)", None),
        ("array_max(['a', 'b']) = 'b'", True),
    ],
    "ARRAY_MIN": [
        ("array_min([20, 0, null, 10, null])", "0"),
        ("array_min([])", None),
        ("array_min(null)", None),
        ("array_min(['b', 'a']) || '!'", "a!"),
    ],
    "ARRAY_POSITION": [
        ("array_position('hello'::variant, array_construct('hello', 'hi'))", 0),
        ("array_position('hi'::variant, array_construct('hello', 'hi'))", 1),
        ("array_position('hello'::variant, array_construct('hola', 'bonjour'))", None),
        ("array_position(null, [10, 30])", None),
    ],
    "ARRAY_PREPEND": [
        ("array_prepend([0, 1, 2, 3], 'hello')", ["hello", 0, 1, 2, 3]),
        ("array_prepend(null, 1)", None),
    ],
    "ARRAY_REMOVE": [
        ("array_remove([1, 5, 5.00, 5.00::double, '5', 5, null], 5)", [1, "5", None]),
        ("array_remove([5, 5], 5)", []),
        ("array_remove(['a', 'b', 'a', 'c', 'd', 'a'], 'a'::variant)", ["b", "c", "d"]),
        ("array_remove([1], null)", None),
    ],
    "ARRAY_REMOVE_AT": [
        ("array_remove_at([2, 5, 7], 0)", [5, 7]),
        ("array_remove_at([2, 5, 7], -1)", [2, 5]),
        ("array_remove_at([2, 5, 7], 10)", [2, 5, 7]),
        ("array_remove_at([2, 5, 7], -10)", [2, 5, 7]),
        ("array_remove_at([2, 5, 7], null)", None),
    ],
    "ARRAY_REVERSE": [
        ("array_reverse([1, 2, 3])", [3, 2, 1]),
        ("array_reverse(['a', null])", [None, "a"]),
        ("array_reverse(null)", None),
    ],
    "ARRAY_SIZE": [
        ("array_size([1, 2, 3])", 3),
        ("array_size(parse_json('{\"a\": 1}'))", None),
        ("array_size(array_construct())", 0),
    ],
    "ARRAY_SLICE": [
        ("array_slice(array_construct(0, 1, 2, 3, 4, 5, 6), 0, 2)", [0, 1]),
        ("array_slice(array_construct(0, 1, 2, 3, 4, 5, 6), 0, -2)", [0, 1, 2, 3, 4]),
        ("array_slice(array_construct(0, 1, 2, 3, 4, 5, 6), -5, -3)", [2, 3]),
        ("array_slice(array_construct(0, 1, 2, 3, 4, 5, 6), 10, 12)", []),
        ("array_slice(array_construct(0, 1, 2, 3, 4, 5, 6), null, 2)", None),
    ],
    "ARRAY_SORT": [
        ("array_sort([20, parse_json('null'), 0, null, 10])", [0, 10, 20, None, None]),
        ("array_sort([20, parse_json('null'), 0, null, 10], false)", [None, None, 20, 10, 0]),
        ("array_sort([20, 0, 10], true, true)", [0, 10, 20]),
        ("array_sort(['b', 'B', 'a'])", ["B", "a", "b"]),
        ("array_sort([9007199254740993, 9007199254740992])", [9007199254740992, 9007199254740993]),
        ("array_sort([1], null)", None),
    ],
    "ARRAY_TO_STRING": [
        ("array_to_string([], '-')", ""),
        ("array_to_string(array_construct('Hello', 'world', 2024), ' ')", "Hello world 2024"),
        ("array_to_string([null, 1], ',')", ",1"),
        ("array_to_string([1], null)", None),
    ],
    "ARRAY_UNION_AGG": [
        (
            "array_sort(array_union_agg(parse_json(column1))) from values ('[1, 1, 2]'), ('[1, 2, 3]')",
            [1, 1, 2, 3],
        ),
        ("array_union_agg(a) from (select null::array as a)", []),
    ],
    "ARRAY_UNIQUE_AGG": [
        ("array_sort(array_unique_agg(column1)) from values (5), (2), (1), (2), (1), (null)", [1, 2, 5]),
        ("array_unique_agg(column1) from values ('a'), ('a')", ["a"]),
        ("array_unique_agg(column1) from (select null::int as column1)", []),
        ("array_unique_agg(column1) over (partition by column2) from values (1, 1), (1, 1) limit 1", [1]),
    ],
    "AVG": [
        ("avg(column1) from values (1), (1), (2), (2), (3), (null)", Decimal("1.800000")),
        ("avg(column1::decimal(10, 5)) from values (1.1), (10), (2.4), (9.9)", Decimal("5.85000000000")),
        ("avg(column1) from values ('1.1'), ('10')", 5.55),
        ("avg(column1) from (select null::int as column1)", None),
    ],
    "CAST": [
        ("cast('1.2345' as decimal(15, 5))", Decimal("1.23450")),
        ("'1.2345'::decimal(38, 2)", Decimal("1.23")),
        ("cast('10-Sep-2021' as timestamp)", datetime(2021, 9, 10)),
        ("2.5::int", 3),
        ("'abcdef'::varchar(3)", "abc"),
        ("'abcdef'::char(3)", "abc"),
        ("'abcdef'::nvarchar(3)", "abc"),
        ("'abcdef'::char", "a"),
        ("parse_json('[\"abc\"]')[0]::char(2)", "ab"),
    ],
    "COALESCE": [("coalesce(null, null, 3)", 3), ("coalesce(null, null)", None), ("coalesce(1, '2')", 1)],
    "CONTAINS": [("contains('coffee', 'ee')", True), ("contains('tea', 'ee')", False)],
    "CONVERT_TIMEZONE": [
        (
            "convert_timezone('America/Los_Angeles', 'America/New_York', '2024-01-01 14:00'::timestamp)",
            datetime(2024, 1, 1, 17),
        ),
        (
            "convert_timezone('Europe/Warsaw', 'UTC', '2024-01-01 00:00:00'::timestamp_ntz)",
            datetime(2023, 12, 31, 23),
        ),
        (
            "convert_timezone('UTC', '2024-04-05 12:00:00 +02:00'::timestamp_tz)::timestamp_ntz",
            datetime(2024, 4, 5, 10),
        ),
        (
            "convert_timezone('America/Los_Angeles', '2024-04-05 12:00 +02:00'::timestamp_tz)::timestamp",
            datetime(2024, 4, 5, 3),
        ),
    ],
    "COUNT": [
        ("count(*) from values (1), (null)", 2),
        ("count(column1) from values (1), (null)", 1),
        ("count(distinct column1) from values (1), (1), (null)", 1),
    ],
    "COUNT_IF": [("count_if(column1 > 1) from values (1), (2), (null), (3)", 2)],
    "CURRENT_TIMESTAMP": [
        ("current_timestamp() > '2026-01-01'::timestamp_ltz", True),
        ("datediff('hour', current_timestamp(), current_timestamp)", 0),
    ],
    "DATEADD": [
        ("dateadd(year, 2, to_date('2022-05-08'))", date(2024, 5, 8)),
        ("dateadd(year, -2, to_date('2022-05-08'))", date(2020, 5, 8)),
        ("dateadd(year, 2, d) from (select '2022-04-05'::date as d)", date(2024, 4, 5)),
        ("dateadd(hour, 2, d) from (select '2022-04-05'::date as d)", datetime(2022, 4, 5, 2)),
        ("dateadd(month, 1, '2023-01-31'::date)", date(2023, 2, 28)),
        ("dateadd(month, 1, '2023-02-28'::date)", date(2023, 3, 28)),
    ],
    "DATEDIFF": [
        ("datediff(year, '2020-04-09 14:39:20'::timestamp, '2023-05-08 23:39:20'::timestamp)", 3),
        ("datediff(month, '2021-01-01'::date, '2021-02-28'::date)", 1),
        ("datediff(day, '2016-01-01', '2017-12-31')", 730),
        ("'2016-09-07'::date - '2016-08-23'::date", 15),
        ("datediff(hour, '2016-01-01 01:59:59'::timestamp, '2016-01-01 02:00:00'::timestamp)", 1),
        ("datediff(minute, '2016-01-01 01:00:59'::timestamp, '2016-01-01 02:00:00'::timestamp)", 60),
        ("datediff(second, '2016-01-01 01:00:59'::timestamp, '2016-01-01 02:00:00'::timestamp)", 3541),
        (
            "datediff(millisecond, '2024-02-20 21:18:41'::timestamp, '2024-02-20 21:18:42.1239'::timestamp)",
            1123,
        ),
    ],
    "DATE_TRUNC": [
        ("date_trunc('year', '2024-05-09'::date)", date(2024, 1, 1)),
        ("date_trunc('month', d) from (select '2024-05-09'::date as d)", date(2024, 5, 1)),
        ("date_trunc('hour', '2024-05-09 08:50:57.891'::timestamp)", datetime(2024, 5, 9, 8)),
        ("date_trunc('quarter', '2024-05-09 08:50:57'::timestamp)", datetime(2024, 4, 1)),
    ],
    "DENSE_RANK": [
        ("dense_rank() over (order by column1) as r from values (1), (1), (2) order by r desc limit 1", 2)
    ],
    "ENDSWITH": [
        ("endswith('coffee', 'ee')", True),
        ("endswith('tea', 'te')", False),
        ("endswith('note.bot@a.example', 'note_bot@a.example')", False),  # no pattern
        ("endswith(null, 'tea')", None),
    ],
    "FILTER": [
        (
            "filter([{'n': 'Pat', 'v': 50}, {'n': 'Terry', 'v': 75}], a -> a:v > 50)",
            [{"n": "Terry", "v": 75}],
        ),
        ("filter([1, null, 3, 5, null], a int -> a is not null)", [1, 3, 5]),
        ("filter(['a', 'b'], a -> a::varchar = 'b')", ["b"]),
        ("filter([1, 2, 3], a int -> a > column1) from values (2)", [3]),
        ("filter(null, a int -> a > 1)", None),
    ],
    "FIRST_VALUE": [
        ("first_value(column1) over (order by column1 desc) from values (1), (2) limit 1", 2),
        (
            "first_value(column1) over (partition by column2 order by column1) from values (null, 1) limit 1",
            None,
        ),
    ],
    "FLATTEN": [
        ("f.value from table(flatten(input => parse_json('[1, 77]'))) f where f.index = 1", "77"),
        ("f.path from table(flatten(input => parse_json('[1, 77]'))) f where f.index = 1", "[1]"),
        (
            "listagg(f.key || f.path, ',') within group (order by f.key)"
            ' from table(flatten(input => parse_json(\'{"a":1, "b":[77,88]}\'), outer => true)) f',
            "aa,bb",
        ),
        (
            "listagg(f.path, ',') within group (order by f.index)"
            " from table(flatten(input => parse_json('{\"a\":1, \"b\":[77,88]}'), path => 'b')) f",
            "b[0],b[1]",
        ),
        ("count(*) from table(flatten(input => parse_json('[]'))) f", 0),
        ("count(*) from table(flatten(input => parse_json('[]'), outer => true)) f", 1),
    ],
    "FLOOR": [("floor(135.135)", 135), ("floor(-975.975)", -976)],
    "GREATEST": [
        ("greatest(1, 2, 3)", 3),
        ("greatest(3, 6, null)", None),
        ("greatest(3, 13.45::float)", 13.45),
        ("greatest('2026-01-01'::date, '2026-02-01'::date)", date(2026, 2, 1)),
    ],
    "IFF": [("iff(true, 'true', 'false')", "true"), ("iff(null, 'true', 'false')", "false")],
    "INITCAP": [
        ("initcap('The Quick Gray Fox')", "The Quick Gray Fox"),
        ("initcap('OVER the River 2 Times')", "Over The River 2 Times"),
        ("initcap('HelL0_hi+therE')", "Hell0_Hi+There"),
        ("initcap('νησί του ποταμού')", "Νησί Του Ποταμού"),
        ("initcap('ÄäÖößÜü')", "Ääöößüü"),
        ("initcap('Hi,are?you!there')", "Hi,Are?You!There"),
        ("initcap('ХхЦц ЧчШш ЩщЪъ ЫыЬь ЭэЮ юЯя')", "Ххцц Ччшш Щщъъ Ыыьь Ээю Юяя"),
        ("initcap(null)", None),
    ],
    "IS_ARRAY": [
        ("is_array(parse_json('[1]'))", True),
        ("is_array(parse_json('{\"a\": 1}'))", False),
        ("is_array(parse_json(null))", None),
    ],
    "LEAST": [("least(1, 3, 0, 4)", 0), ("least(1, null)", None)],
    "LEFT": [("left('ABCDEF', 3)", "ABC"), ("left('ABC', 10)", "ABC"), ("left(null, 3)", None)],
    "LENGTH": [
        ("length('Joyeux Noël')", 11),
        ("length('圣诞节快乐')", 5),
        ("length('')", 0),
        ("length(null)", None),
    ],
    "LISTAGG": [
        (
            "listagg(distinct c, '|') within group (order by c) from (select 'b' as c union all select 'a')",
            "a|b",
        ),
        (
            "listagg(column1, ' | ') within group (order by column1 desc) from values (1), (2), (null)",
            "2 | 1",
        ),
        ("listagg(column1, ',') from (select null as column1)", ""),
    ],
    "LOWER": [("lower('valid string')", "valid string"), ("lower(null)", None)],
    "MAX": [("max(column1) from values (1), (null), (3)", 3), ("max(column1) from values ('b'), ('a')", "b")],
    "MD5": [("md5('Snowflake')", "edf1439075a83a447fb8b630ddc9c8de")],
    "MEDIAN": [
        ("median(column1::decimal(10, 2)) from values (10), (20), (21)", Decimal("20.00000")),
        ("median(column1::decimal(10, 2)) from values (10), (20), (25), (30)", Decimal("22.50000")),
        ("median(column1) from (select null::int as column1)", None),
    ],
    "MIN": [("min(column1) from values (1), (null), (3)", 1)],
    "NULLIF": [("nullif(0, 0)", None), ("nullif(0, 1)", 0), ("nullif(null, 1)", None)],
    "OBJECT_AGG": [
        (
            "object_agg(column1, column2) from values ('age', 21), ('zip', 94), (null, 1), ('n', null)",
            {"age": 21, "zip": 94},
        ),
        ("object_agg(distinct column1, column2::variant) from values ('a', 1), ('a', 1)", {"a": 1}),
        ('object_agg(parse_json(\'{"a": "k"}\'):a, 1)', {"k": 1}),
    ],
    "OBJECT_CONSTRUCT": [
        ("object_construct('a', 1, 'b', 'BBBB', 'c', null)", {"a": 1, "b": "BBBB"}),
        (
            "object_construct('Key_One', parse_json('null'), 'Key_Two', null, 'Key_Three', 'null')",
            {"Key_One": None, "Key_Three": "null"},
        ),
        ("object_construct(*) from values (1, 'x')", {"COLUMN1": 1, "COLUMN2": "x"}),
        ("object_construct('d', '2024-01-18'::date)", {"d": "2024-01-18"}),
    ],
    "OBJECT_DELETE": [
        ("object_delete(object_construct('a', 1, 'b', 2, 'c', 3), 'a', 'b')", {"c": 3}),
        ("object_delete({'state': 'CA'}, 'state')", {}),
        ("object_delete({'state': 'CA'}, 'city')", {"state": "CA"}),
        ("object_delete(null, 'city')", None),
    ],
    "OBJECT_INSERT": [
        ("object_insert(object_construct('a', 1, 'b', 2), 'c', 3)", {"a": 1, "b": 2, "c": 3}),
        ("object_insert(object_construct('a', 1), 'd', parse_json('null'))", {"a": 1, "d": None}),
        ("object_insert(object_construct('a', 1, 'b', 2), 'e', null)", {"a": 1, "b": 2}),
        ("object_insert(object_construct('a', 1, 'b', 2), null, 'v')", {"a": 1, "b": 2}),
        ("object_insert(object_construct('a', 1, 'b', 2), 'f', 'null')", {"a": 1, "b": 2, "f": "null"}),
        ("object_insert(object_construct('a', 1, 'b', 2), 'b', 100, true)", {"a": 1, "b": 100}),
        ("object_insert({'a': 1}, 'c', 3, true)", {"a": 1, "c": 3}),
    ],
    "OBJECT_KEYS": [
        ("object_keys(object_construct('a', 1, 'b', 2, 'c', 3))", ["a", "b", "c"]),
        ('object_keys(parse_json(\'{"a": {"b": 1}}\'):a)', ["b"]),
        ("object_keys(null)", None),
    ],
    "OBJECT_PICK": [
        ("object_pick(object_construct('a', 1, 'b', 2, 'c', 3), 'a', 'b')", {"a": 1, "b": 2}),
        ("object_pick({'a': 1, 'b': 2, 'c': 3}, array_construct('a', 'b'))", {"a": 1, "b": 2}),
        ("object_pick({'a': 1}, 'a', 'z')", {"a": 1}),
        ("object_pick(null, 'a')", None),
    ],
    "PARSE_JSON": [
        ("parse_json('-17')", "-17"),
        ('parse_json(\'{ "x" : "abc", "y" : false, "z": 10} \')', {"x": "abc", "y": False, "z": 10}),
        ("typeof(parse_json('123.12'))", "DECIMAL"),
        ("typeof(parse_json('null'))", "NULL_VALUE"),
        ("parse_json('')", None),
        ("parse_json('  ')", None),
        ("parse_json(null)", None),
    ],
    "PERCENTILE_CONT": [
        (
            "percentile_cont(0.25) within group (order by column1::decimal(10, 2)) from values (10), (20)",
            Decimal("12.50000"),
        ),
    ],
    "POWER": [("power(2, 3)", 8.0), ("power(4, -0.5)", 0.5), ("power(3.0, 3)", 27.0)],
    "REDUCE": [("reduce([1, 2, 3, 4], [], (acc, val) -> array_prepend(acc, val))", [4, 3, 2, 1])],
    "REGEXP_COUNT": [
        (f"regexp_count('{TIMES}', '\\\\bwas\\\\b', 1)", 2),
        ("regexp_count('Excelence', 'e', 1, 'i')", 4),
        ("regexp_count(',abc,def,ghi,jkl,', '[[:punct:]][[:alnum:]]+[[:punct:]]', 1, 'i')", 2),
        ("regexp_count(',abc,,def,,ghi,,jkl,', '[[:punct:]][[:alnum:]]+[[:punct:]]', 1, 'i')", 4),
        ("regexp_count('ER-6842,LG-230,LG-150,ER-3379,ER-6210', '\\\\bER-[0-9]{4}')", 3),
        ("regexp_count(null, 'a')", None),
    ],
    "REGEXP_REPLACE": [
        ("regexp_replace('Customers - (NY)', '\\\\(|\\\\)', '')", "Customers - NY"),
        (f"regexp_replace('{TIMES}', '( ){{1,}}', '')", "Itwasthebestoftimes,itwastheworstoftimes"),
        (
            "regexp_replace('firstname middlename lastname', '(.*) (.*) (.*)', '\\\\3, \\\\1 \\\\2')",
            "lastname, firstname middlename",
        ),
        ("regexp_replace('How are you doing today?', '\\\\b(\\\\S*)o(\\\\S*)\\\\b')", " are   ?"),
        ("regexp_replace('Hellooo World', '\\\\b(\\\\S*)o(\\\\S*)\\\\b', '\\\\2@@\\\\1')", "@@Helloo rld@@W"),
        ("regexp_replace('abc', null)", None),
    ],
    "REPLACE": [
        ("replace('down', 'down', 'up')", "up"),
        ("replace('Vacation in Athens', 'Athens', 'Rome')", "Vacation in Rome"),
        ("replace('abcd', 'bc')", "ad"),
        ("replace('abcd', 'bc', null)", None),
    ],
    "REGEXP_SUBSTR": [
        (f"regexp_substr('{TIMES}', 'the\\\\W+\\\\w+')", "the best"),
        (f"regexp_substr('{TIMES}', 'the\\\\W+\\\\w+', 1, 2)", "the worst"),
        (f"regexp_substr('{TIMES}', 'the\\\\W+(\\\\w+)', 1, 2, 'e', 1)", "worst"),
        (f"regexp_substr('{TIMES}', 'the\\\\W+(\\\\w+)', 1, 3, 'e', 1)", None),
        ("regexp_substr(null, 'a')", None),
    ],
    "ROUND": [
        ("round(135.135)", 135),
        ("round(-975.975)", -976),
        ("round(135.135, 1)", Decimal("135.1")),
        ("round(135.135, -2)", 100),
        ("round(135.135, 50)", Decimal("135.135")),
        ("round(2.5, 0)", 3),
        ("round(-2.5, 0)", -3),
        ("round(1.005::decimal(10, 3), 2)", Decimal("1.01")),
        ("round(1.005::float, 2)", 1.0),
        ("round(10.005::float, 2)", 10.01),
        ("round(-975.975::float, -1)", -980.0),
    ],
    "ROW_NUMBER": [
        ("row_number() over (order by column1 desc) as n from values (1), (2) order by n limit 1", 1)
    ],
    "SHA2": [
        ("sha2('Snowflake', 256)", "1dbd59f661d68b90724f21084396b865497173e4d2714f4d91cf05fa5fc5e18d"),
        ("sha2('Snowflake')", "1dbd59f661d68b90724f21084396b865497173e4d2714f4d91cf05fa5fc5e18d"),
    ],
    "SPLIT": [
        ("split('127.0.0.1', '.')", ["127", "0", "0", "1"]),
        ("split('127.0.0.1', '.')[0]", '"127"'),
        ("split('|a||', '|')", ["", "a", "", ""]),
        ("split('abc', '')", ["abc"]),
        ("split(null, ',')", None),
    ],
    "SUM": [
        ("sum(column1::decimal(10, 5)) from values (1.1), (10), (2.2), (9)", Decimal("22.30000")),
        ("sum(column1) from values ('1.1'), ('10.0')", 11.1),
        ("sum(column1) from (select null::int as column1)", None),
    ],
    "SYSDATE": [
        ("datediff('hour', sysdate(), convert_timezone('UTC', current_timestamp())::timestamp_ntz)", 0)
    ],
    "TO_CHAR": [
        ("to_char('2024-04-05 01:02:03'::timestamp, 'mm/dd/yyyy, hh24:mi hours')", "04/05/2024, 01:02 hours"),
        ("to_char('03-April-2024'::date)", "2024-04-03"),
        ("to_char('03-April-2024'::date, 'yyyy.mm.dd')", "2024.04.03"),
        (
            "to_char(ts, 'YYYY-MM-DD HH24:MI:SS') from (select '2024-04-05 01:02:03.456'::timestamp as ts)",
            "2024-04-05 01:02:03",
        ),
        (
            "to_char(t, 'DY, DD MON YYYY HH24:MI:SS.FF3') from (select '2016-01-01 01:59:59.5'::timestamp t)",
            "Fri, 01 Jan 2016 01:59:59.500",
        ),
        ("to_char('2024-04-05 01:02:03'::timestamp)", "2024-04-05 01:02:03.000"),
        ("to_char(max(column1)::timestamp) from values ('2024-04-05 01:02:03')", "2024-04-05 01:02:03.000"),
        ("to_char(parse_json('\"text\"'))", "text"),
        ("to_char(12.50)", "12.50"),
        ("to_char(1.0::float)", "1"),
        ("to_char(true)", "true"),
        ("to_char(null)", None),
    ],
    "TO_DATE": [
        ("to_date('2024-05-10')", date(2024, 5, 10)),
        ("to_date('31536000')", date(1971, 1, 1)),
        ("to_date('31536000000')", date(1971, 1, 1)),
        ("to_date('31536000000000')", date(1971, 1, 1)),
        ("to_date('31536000000000000')", date(1971, 1, 1)),
        ("'2024-05-10T23:00:00-07:00'::date", date(2024, 5, 10)),
    ],
    "TO_JSON": [
        ('to_json(parse_json(\'{"food":"bard"}\'))', '{"food":"bard"}'),
        ("to_json(null)", None),
    ],
    "TO_TIMESTAMP": [
        ("to_timestamp('31536000')", datetime(1971, 1, 1)),
        ("to_timestamp('31536000000')", datetime(1971, 1, 1)),
        ("to_timestamp('31536000000000')", datetime(1971, 1, 1)),
        ("to_timestamp('31536000000000000')", datetime(1971, 1, 1)),
        ("to_timestamp(1000000000, 0)", datetime(2001, 9, 9, 1, 46, 40)),
        ("to_timestamp(1000000000, 3)", datetime(1970, 1, 12, 13, 46, 40)),
        ("to_timestamp(1000000000, 6)", datetime(1970, 1, 1, 0, 16, 40)),
        ("to_timestamp(1000000000, 9)", datetime(1970, 1, 1, 0, 0, 1)),
        ("to_timestamp_ntz(40 * 365.25 * 86400)", datetime(2010, 1, 1)),
        ("to_timestamp_ntz(40 * 365.25 * 86400 * 1000 + 456, 3)", datetime(2010, 1, 1, 0, 0, 0, 456000)),
        ("0::timestamp_ntz", datetime(1970, 1, 1)),
        ("parse_json('0')::int::timestamp_ntz", datetime(1970, 1, 1)),
        ("to_timestamp_ntz('2024-04-05 01:02:03')", datetime(2024, 4, 5, 1, 2, 3)),
        ("'2023-05-08T23:39:20.123-07:00'::timestamp", datetime(2023, 5, 8, 23, 39, 20, 123000)),
        ("to_timestamp_tz('2024-04-05 01:02:03 +0200')", datetime(2024, 4, 4, 23, 2, 3, tzinfo=UTC)),
        ("to_timestamp(column1) from values ('1700000000')", datetime(2023, 11, 14, 22, 13, 20)),
    ],
    "TO_VARIANT": [
        ("typeof(to_variant('{\"PI\":3.14}'))", "VARCHAR"),
        ("to_variant(5)", "5"),
        ("to_variant(null)", None),
    ],
    "TRANSFORM": [
        ("transform([1, 2, 3], a int -> a * 2)", [2, 4, 6]),
        ("transform([{'a': {'b': 'x'}}, {}], i -> i:a.b || '!')", ["x!", None]),
        ("transform([{'a': 1}], i -> object_insert(i, 'b', i:a::int + 1))", [{"a": 1, "b": 2}]),
        ("transform([1, 2], a int -> transform([10], b int -> a + b))", [[11], [12]]),
        ("transform(null, a int -> a * 2)", None),
    ],
    "TRIM": [
        ("trim('*-*ABC-*-', '*-')", "ABC"),
        ("trim('ABC\\n', '\\n')", "ABC"),
        ("trim('  Leading Spaces')", "Leading Spaces"),
        ("trim('Trailing Spaces  ')", "Trailing Spaces"),
        ("trim('\\tABC\\n ')", "\tABC\n"),
        ("trim(null)", None),
    ],
    "TRY_CAST": [
        ("try_cast('05-Mar-2016' as timestamp)", datetime(2016, 3, 5)),
        ("try_cast('05/16' as timestamp)", None),
        ("try_cast('ABCD' as char(2))", None),
        ("try_cast('ABCD' as varchar(10))", "ABCD"),
        ("try_cast('2026-02-30' as date)", None),
        ("try_cast('12.6' as int)", 13),
        ("try_cast('x' as int)", None),
        ("try_cast(null as timestamp_ntz)", None),
        ("try_cast(null as date)", None),
        ("null::timestamp_tz", None),
    ],
    "TRY_PARSE_JSON": [
        ("try_parse_json('[-1, 12]')", [-1, 12]),
        ("try_parse_json('{ invalid JSON')", None),
        ("try_parse_json('')", None),
        ("try_parse_json(null)", None),
    ],
    "TRY_TO_BOOLEAN": [
        ("try_to_boolean('True')", True),
        ("try_to_boolean('False')", False),
        ("try_to_boolean('Not valid')", None),
        *((f"try_to_boolean('{text}')", True) for text in ("t", "yes", "Y", "ON", "1")),
        *((f"try_to_boolean('{text}')", False) for text in ("f", "no", "N", "off", "0")),
    ],
    "TRY_TO_DECIMAL": [
        ("try_to_decimal('345.123')", 345),
        ("try_to_decimal('345.123', 10, 2)", Decimal("345.12")),
        ("try_to_decimal('345.123', 4, 2)", None),
        ("try_to_decimal('$7,543.21', 6, 2)", None),
        ("try_to_decimal('aaa')", None),
    ],
    "TRY_TO_DOUBLE": [("try_to_double('3.1415926')", 3.1415926), ("try_to_double('x')", None)],
    "TRY_TO_NUMBER": [("try_to_number('12.6')", 13), ("try_to_number('x')", None)],
    "TRY_TO_TIMESTAMP": [
        ("try_to_timestamp('2024-01-15 12:30:00')", datetime(2024, 1, 15, 12, 30)),
        ("try_to_timestamp('Invalid')", None),
        ("try_to_timestamp('2013-04-28T20')", datetime(2013, 4, 28, 20)),
        ("try_to_timestamp('2013-04-28 20')", datetime(2013, 4, 28, 20)),
        ("try_to_timestamp('Thu, 21 Dec 2000 16:01:07 +0200')", datetime(2000, 12, 21, 16, 1, 7)),
        ("try_to_timestamp('Thu, 21 Dec 2000 04:01:07 PM')", datetime(2000, 12, 21, 16, 1, 7)),
        ("try_to_timestamp('Thu, 21 Dec 2000 16:01:07')", datetime(2000, 12, 21, 16, 1, 7)),
        ("try_to_timestamp('Mon Jul 08 18:09:51 +0000 2013')", datetime(2013, 7, 8, 18, 9, 51)),
        (
            "try_to_timestamp_tz('Thu, 21 Dec 2000 16:01:07 +0200')",
            datetime(2000, 12, 21, 14, 1, 7, tzinfo=UTC),
        ),
        ("to_timestamp_tz('Mon Jul 08 18:09:51 +0000 2013')", datetime(2013, 7, 8, 18, 9, 51, tzinfo=UTC)),
        ("try_to_timestamp('31536000')", datetime(1971, 1, 1)),
        ("try_to_date('2024-01-15')", date(2024, 1, 15)),
        ("try_to_date('Invalid')", None),
    ],
    "UPPER": [("upper('Valid')", "VALID"), ("upper(null)", None)],
    "VECTOR_COSINE_SIMILARITY": [
        ("vector_cosine_similarity([1, 0]::vector(float, 2), [1, 0]::vector(float, 2))", 1.0)
    ],
}

# Expressions that fail, with the documented error code.
ERRORS: dict[str, list[tuple[str, str]]] = {
    "ARRAYS_TO_OBJECT": [
        ("arrays_to_object([1], [2])", "215002"),
        ("arrays_to_object(['a'], [1, 2])", "215001"),
    ],
    "ARRAY_FLATTEN": [("array_flatten([[1, 2, 3], 4, [5, 6]])", "100107")],
    "AVG": [("avg(column1) from values ('one')", "100038")],
    "CASE": [
        ("case when true then 1 else 'a' end", "100038"),
        ("case when false then 'a' when true then 2 end", "100038"),
    ],
    "CAST": [
        ("'abc'::int", "100038"),
        ("'x'::boolean", "100037"),
        ("'2026-13-01'::date", "100040"),
        ("column1::date from values ('2026-02-30')", "100040"),
        ("'soon'::timestamp", "100035"),
        ("column1::timestamp_tz from values ('soon')", "100035"),
        ("'345.123'::decimal(4, 2)", "100039"),
    ],
    "COALESCE": [("coalesce(1, 'a')", "100038")],
    "DATEDIFF": [
        ("'2024-01-02'::timestamp - '2024-01-01'::timestamp", "001044"),
        ("column1::timestamp - '2024-01-01'::date from values ('2024-01-02')", "001044"),
    ],
    "IFF": [("iff(true, 1, 'x')", "100038")],
    "OBJECT_AGG": [
        ("object_agg(column1, column2) from values ('a', 1), ('a', 2)", "Duplicate field key 'a'"),
    ],
    "OBJECT_INSERT": [
        ("object_insert(object_construct('a', 1, 'b', 2), 'b', 3)", "Duplicate field key 'b'"),
    ],
    "OBJECT_KEYS": [
        ("object_keys(parse_json('[1]'))", "100071"),
    ],
    "OBJECT_PICK": [
        ("object_pick({'a': 1})", "000938"),
    ],
    "PARSE_JSON": [("parse_json('{ invalid JSON')", "100069")],
    "SUM": [("sum(column1) from values ('one')", "100038")],
    "TO_TIMESTAMP": [("to_timestamp('soon')", "100035")],
    "UNION": [
        ("'Smith' union all select 1", "100038"),
        ("1, 2 as n union all (select 3, 4 union select 5, 'x')", "100038"),
    ],
    "TRY_CAST": [
        ("try_cast(column1 as varchar) from values (1)", "001065"),
        ("try_cast(5 as number)", "001065"),
        ("try_to_double(5)", "001065"),
        ("try_cast(parse_json('{\"a\": 1}'):a as int)", "001065"),
        ("try_to_number(parse_json('{\"a\": 1}'):a)", "001065"),
    ],
}

# Expressions that the local server refuses, and what the error names. One null stands for a NULL and a JSON
# null, the result is not documented, or a VARIANT is used without a cast.
UNSUPPORTED: dict[str, list[tuple[str, str]]] = {
    "ARRAYS_TO_OBJECT": [
        ("arrays_to_object(['a', 'a'], [1, 2])", "ARRAYS_TO_OBJECT with a key that occurs twice"),
    ],
    "ARRAYS_ZIP": [
        ("arrays_zip([], [])", "ARRAYS_ZIP of empty arrays"),
    ],
    "ARRAY_CONTAINS": [
        ("array_contains(null, [1, null])", "ARRAY_CONTAINS of a null"),
    ],
    "ARRAY_GENERATE_RANGE": [
        ("array_generate_range(2, 5, 0)", "ARRAY_GENERATE_RANGE with a step"),
    ],
    "ARRAY_INSERT": [
        ("array_insert([0], -2, 'hello')", "ARRAY_INSERT before the start"),
    ],
    "ARRAY_MAX": [
        ("array_max([20, 0, null, 10, null])", "ARRAY_MAX of nulls"),
        ("array_max([1, 'a'])", "ARRAY_MAX of elements"),
    ],
    "ARRAY_MIN": [
        ("array_min([null, parse_json('null'), null])", "ARRAY_MIN of nulls"),
    ],
    "ARRAY_POSITION": [
        ("array_position(null, [10, null, 30])", "ARRAY_POSITION of a null"),
    ],
    "ARRAY_REMOVE": [
        ("array_remove([1, null], parse_json('null'))", "ARRAY_REMOVE of a null"),
    ],
    "ARRAY_SORT": [
        ("array_sort([20, parse_json('null'), 0, null, 10], true, true)", "ARRAY_SORT of nulls"),
        ("array_sort([1, 'a'])", "ARRAY_SORT of elements"),
    ],
    "ARRAY_UNION_AGG": [
        ("array_union_agg([1, null])", "ARRAY_UNION_AGG of arrays with nulls"),
    ],
    "FILTER": [
        ("filter([1, null, 3, 5, null], a -> a is not null)", "FILTER with the argument a without"),
    ],
    "OBJECT_AGG": [
        ("object_agg('a', null)", "OBJECT_AGG of no values"),
        ("object_agg('a', 1) over (order by 1)", "OBJECT_AGG with an order"),
    ],
    "OBJECT_DELETE": [
        ("object_delete({'a': 1}, null)", "OBJECT_DELETE with a NULL"),
        ("object_delete({'a': 1}, ['a'])", "OBJECT_DELETE with an array"),
    ],
    "OBJECT_INSERT": [
        ("object_insert({'a': 1}, 'a', null, true)", "OBJECT_INSERT of a NULL"),
    ],
    "OBJECT_PICK": [
        ("object_pick({'a': 1}, null)", "OBJECT_PICK with a NULL"),
    ],
    "REDUCE": [
        ("reduce([1, 2, 3], 0, (acc, val) -> acc + val)", "REDUCE with an accumulator"),
        ("reduce(['a'], [], (acc, val) -> iff(val = 'a', acc, []))", "REDUCE with the argument val without"),
    ],
    "TRANSFORM": [
        ("transform([1, 2, 3], a -> a * 2)", "TRANSFORM with the argument a without"),
    ],
}


@pytest.fixture(scope="module")
def query(server: ServerProcess) -> Iterator[Query]:
    """A function that runs a query and returns all rows, on one connection: no example changes anything."""
    with server.connect(schema="EXAMPLES") as connection:
        yield lambda sql: connection.cursor().execute(sql).fetchall()


@pytest.mark.parametrize(
    ("expression", "value"), [example for examples in EXAMPLES.values() for example in examples]
)
def test_documented_results(query: Query, expression: str, value: Any) -> None:
    ((result,),) = query(f"select {expression}")

    if isinstance(value, dict | list):
        result = json.loads(result)
    if isinstance(value, float):
        assert result == pytest.approx(value)
    else:
        assert (type(result), str(result)) == (type(value), str(value))


@pytest.mark.parametrize(("expression", "code"), [error for errors in ERRORS.values() for error in errors])
def test_documented_errors(query: Query, expression: str, code: str) -> None:
    with pytest.raises(ProgrammingError, match=code):
        query(f"select {expression}")


@pytest.mark.parametrize(
    ("expression", "feature"), [each for examples in UNSUPPORTED.values() for each in examples]
)
def test_unsupported_examples(query: Query, expression: str, feature: str) -> None:
    with pytest.raises(ProgrammingError, match=f"Unsupported feature on the local server: {feature}"):
        query(f"select {expression}")


def test_every_function_of_the_project_has_examples() -> None:
    """The functions that the tests of the models, the warehouse and the agents list."""
    used: set[str] = set()
    for file in ("dbt/test_sql.py", "warehouse/test_sql.py", "agents/test_sql.py"):
        tree = ast.parse((Path(gong_assets_tests.__file__).parent / file).read_text("utf-8"))
        used |= next(
            ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SNOWFLAKE_FUNCTIONS"
        )
    cortex = {name for name in used if name.startswith(("AI_", "EMBED_TEXT", "SPLIT_TEXT"))} | {
        "COUNT_TOKENS", "EXTRACT_ANSWER", "SENTIMENT", "SUMMARIZE",
    }  # fmt: skip
    assert used - cortex - EXAMPLES.keys() == set()


@pytest.mark.parametrize(
    "expression",
    [
        "column1 / 3",
        "try_to_number(column2)",
        "try_to_timestamp(column2)",
        "column2::timestamp",
        "trim(column2)",
    ],
)
def test_windows_can_be_ordered_by_expressions_that_may_fail(query: Query, expression: str) -> None:
    assert query(
        f"select column1 from values (2, '2'), (1, '1') "
        f"qualify row_number() over (order by {expression}) = 1 order by {expression}"
    ) == [(1,)]
