"""DuckDB macros for the functions of ARRAYs, which are stored as JSON.

JSON has one null, for the JSON null and the SQL NULL of an array. Where Snowflake's result depends on which
it is, the macro fails.

Most bodies apply a lambda to a list of one element. It stands for a variable: DuckDB expands an argument of a
macro wherever it occurs, also when nested. A field of a variable is s['l'], because s.l could be a column of
a table S.
"""

from __future__ import annotations

from gong_assets.local.snowflake.sql.names import MACRO_SCHEMA as _SCHEMA


def failure(message: str, value: str) -> str:
    """Return an expression without a type that fails with a message.

    The text that is cast depends on a value of the row, so that DuckDB does not evaluate it beforehand. It
    must be a branch of a CASE, because DuckDB evaluates both sides of AND.
    """
    text = f"'{message}' || left(coalesce(CAST({value} AS VARCHAR), ''), 0)"
    return f"CASE WHEN CAST({text} AS BOOLEAN) THEN NULL END"


def unsupported(feature: str, value: str) -> str:
    """Return an expression that fails, for arguments whose result on Snowflake is not known."""
    return failure(f"Unsupported: {feature}", value)


# Arrays are stored as JSON; DuckDB's list functions take a list of JSON values.
_JSON_LIST = "CAST(to_json(a) AS JSON[])"
_ELEMENTS = f"(a) AS {_JSON_LIST}"
_IS_NUMBER = "(v) AS json_type(v) IN ('BIGINT', 'UBIGINT', 'HUGEINT', 'DOUBLE')"

# Equal for equal elements: 5 and 5.00, texts with and without escapes, and objects whatever the order of
# their keys, which a DuckDB VARIANT sorts. A null has the key null, and the text null has quotes.
_ELEMENT_KEY = rf"""
(v) AS coalesce(CASE
    WHEN {_SCHEMA}._is_number(v) THEN regexp_replace(regexp_replace(
        CAST(v AS VARCHAR), '^(-?\d+\.\d*[1-9])0+$', '\1'), '^(-?\d+)\.0*$', '\1')
    WHEN json_type(v) = 'VARCHAR' THEN CAST(to_json(v ->> '$') AS VARCHAR)
    WHEN json_type(v) IN ('ARRAY', 'OBJECT') THEN CAST(CAST(CAST(v AS VARIANT) AS JSON) AS VARCHAR)
    ELSE CAST(v AS VARCHAR) END, 'null')
"""
_ELEMENT_KEYS = f"(l) AS list_transform(l, lambda v: {_SCHEMA}._element_key(v))"

# The elements v of `a`, with n, the number of equal ones up to this, and m, the number of equal ones in `b`.
# The former is its rank among all keys. A lambda inside the lambda would need memory for each pair.
_COUNTED = f"""
(a, b) AS list_transform(
    [struct_pack(l := {_JSON_LIST}, b := {_SCHEMA}._element_keys(CAST(to_json(b) AS JSON[])))],
    lambda r: list_transform([{_SCHEMA}._element_keys(r['l'])], lambda k: list_transform(
        [struct_pack(ranks := list_grade_up(list_grade_up(k)), ordered := list_sort(k),
            counts := list_histogram(r['b']))],
        lambda s: list_transform(CASE WHEN r['b'] IS NOT NULL THEN r['l'] END, lambda v, i: struct_pack(
            v := v, n := s['ranks'][i] - list_position(s['ordered'], k[i]) + 1,
            m := coalesce(s['counts'][k[i]], 0)))))[1])[1][1]
"""


def _counted(condition: str, b: str, a: str = "a") -> str:
    """Return the elements of ``a`` that fulfill a condition about the fields of _COUNTED."""
    elements = f"list_filter({_SCHEMA}._counted({a}, {b}), lambda s: {condition})"
    return f"to_json(list_transform({elements}, lambda s: s['v']))"


# ARRAY_EXCEPT and ARRAY_INTERSECTION take arrays as multisets:
# https://docs.snowflake.com/en/sql-reference/functions/array_except#usage-notes
_ARRAY_DISTINCT = "(a) AS " + _counted("s['n'] = 1", "json_array()")
_ARRAY_EXCEPT = "(a, b) AS " + _counted("s['n'] > s['m']", "b")
_ARRAY_INTERSECTION = "(a, b) AS " + _counted("s['n'] <= s['m']", "b")
_ARRAYS_OVERLAP = f"(a, b) AS len(list_filter({_SCHEMA}._counted(a, b), lambda s: s['m'] > 0)) > 0"


def _search(function: str, found: str, missing: str) -> str:
    """Return the body of a search for x in `a`.

    ``found`` is the result for the key k and the list l of keys, and ``missing`` for a JSON null in an array
    without nulls. A NULL is not found there either, and the result is NULL.
    """
    return f"""
(a, x) AS list_transform([struct_pack(l := {_SCHEMA}._element_keys({_JSON_LIST}), x := to_json(x))],
    lambda s: list_transform([struct_pack(l := s['l'], k := {_SCHEMA}._element_key(s['x']))], lambda t: CASE
        WHEN t['k'] <> 'null' THEN {found}
        WHEN list_contains(t['l'], 'null') THEN {unsupported(f"{function} {_NULL_IN_NULLS}", "s")}
        WHEN s['x'] IS NOT NULL AND t['l'] IS NOT NULL THEN {missing} END)[1])[1]
"""


_NULL_IN_NULLS = "of a null and an array with nulls"
_ARRAY_CONTAINS = _search("ARRAY_CONTAINS", "list_contains(t['l'], t['k'])", "FALSE")
_ARRAY_POSITION = _search("ARRAY_POSITION", "list_position(t['l'], t['k']) - 1", "NULL")
_ARRAY_REMOVE = f"""
(a, x) AS list_transform([struct_pack(l := to_json(a), x := to_json(x))], lambda r: CASE
    WHEN json_type(r['x']) = 'NULL' AND list_contains({_SCHEMA}._element_keys(CAST(r['l'] AS JSON[])), 'null')
    THEN {unsupported(f"ARRAY_REMOVE {_NULL_IN_NULLS}", "r")}
    WHEN r['x'] IS NOT NULL THEN {_counted("s['m'] = 0", "json_array(r['x'])", "r['l']")} END)[1]
"""
_ARRAY_TO_STRING = f"""
(a, d) AS CASE
    WHEN d IS NULL THEN NULL
    ELSE array_to_string(list_transform({_JSON_LIST}, lambda v: coalesce(v ->> '$', '')), d)
END
"""
_ARRAY_CAT = f"""
(a, b) AS CASE
    WHEN a IS NULL OR b IS NULL THEN NULL
    ELSE to_json(list_concat({_JSON_LIST}, CAST(to_json(b) AS JSON[])))
END
"""
# The result is NULL if the array is, which list_append would take for an empty one.
_ARRAY_APPEND = f"(a, x) AS to_json({_JSON_LIST} || [to_json(x)])"
_ARRAY_PREPEND = f"(a, x) AS to_json([to_json(x)] || {_JSON_LIST})"
# https://docs.snowflake.com/en/sql-reference/functions/array_flatten
_ARRAY_FLATTEN = f"""
(a) AS CASE
    WHEN list_bool_or(list_transform({_JSON_LIST}, lambda v: json_type(v) = 'NULL' OR v IS NULL)) THEN NULL
    WHEN list_bool_and(list_transform({_JSON_LIST}, lambda v: json_type(v) = 'ARRAY')) IS NOT FALSE
    THEN to_json(flatten(list_transform({_JSON_LIST}, lambda v: CAST(v AS JSON[]))))
    ELSE CAST('not an array of arrays' || left(typeof(a), 0) AS JSON) END
"""
_ARRAY_COMPACT = f"(a) AS to_json(list_filter({_JSON_LIST}, lambda v: json_type(v) <> 'NULL'))"
# Snowflake counts from 0 and excludes the end; DuckDB counts from 1 and includes it. In both, a negative
# position counts from the end.
_ARRAY_SLICE = f"""
(a, first, last) AS to_json(list_slice({_JSON_LIST}, CASE WHEN first >= 0 THEN first + 1 ELSE first END,
    CASE WHEN last >= 0 THEN last ELSE last - 1 END))
"""
# Positions count from 0, and negative ones from the end. Elements between the end and a new one are NULL:
# https://docs.snowflake.com/en/sql-reference/functions/array_insert
_ARRAY_INSERT = f"""
(a, p, x) AS list_transform([struct_pack(l := {_JSON_LIST}, p := CAST(p AS BIGINT), x := to_json(x))],
    lambda s: list_transform([s['p'] + CASE WHEN s['p'] < 0 THEN len(s['l']) ELSE 0 END], lambda i: CASE
        WHEN i < 0 THEN {unsupported("ARRAY_INSERT before the start of an array", "i")}
        WHEN s['l'] IS NOT NULL AND i IS NOT NULL
        THEN to_json(list_resize(s['l'], i) || [s['x']] || s['l'][i + 1:]) END)[1])[1]
"""
# https://docs.snowflake.com/en/sql-reference/functions/array_remove_at
_ARRAY_REMOVE_AT = f"""
(a, p) AS list_transform([struct_pack(l := {_JSON_LIST}, p := CAST(p AS BIGINT))], lambda s: list_transform(
    [s['p'] + CASE WHEN s['p'] < 0 THEN len(s['l']) ELSE 0 END], lambda n: CASE
        WHEN n IS NOT NULL THEN to_json(list_filter(s['l'], lambda v, i: i - 1 <> n)) END)[1])[1]
"""
_ARRAY_REVERSE = f"(a) AS to_json(list_reverse({_JSON_LIST}))"
# https://docs.snowflake.com/en/sql-reference/functions/array_generate_range
_ARRAY_GENERATE_RANGE = f"""
(first, last, step) AS list_transform([struct_pack(
    i := CAST(first AS BIGINT), j := CAST(last AS BIGINT), n := CAST(step AS BIGINT))], lambda s: CASE s['n']
        WHEN 0 THEN {unsupported("ARRAY_GENERATE_RANGE with a step of 0", "s")}
        ELSE to_json(range(s['i'], s['j'], s['n'])) END)[1]
"""

# The elements of a list that are no NULLs in ascending order. `f` is the name of the calling function. How
# Snowflake orders values of different types is not documented.
_SORTED = f"""
(l, f) AS list_transform([struct_pack(l := l, f := f)], lambda s: CASE
    WHEN list_bool_and(list_transform(s['l'], lambda v: {_SCHEMA}._is_number(v))) IS NOT FALSE
        OR list_bool_and(list_transform(s['l'], lambda v: coalesce(json_type(v) = 'VARCHAR', FALSE)))
    THEN list_transform(list_sort(list_transform(
        list_filter(s['l'], lambda v: v IS NOT NULL), lambda v: struct_pack(
            n := CASE WHEN {_SCHEMA}._is_number(v) THEN CAST(v AS DOUBLE) END,
            i := CASE WHEN {_SCHEMA}._is_number(v) THEN TRY_CAST(CAST(v AS VARCHAR) AS HUGEINT) END,
            t := v ->> '$', v := v))), lambda e: e['v'])
    ELSE {unsupported("' || s['f'] || ' of elements that are neither all numbers nor all texts", "s")}
    END)[1]
"""
_NULLS = "list_filter(s['l'], lambda v: v IS NULL)"
# NULLs and JSON nulls are last in ascending order and first in descending order. `first` applies to the
# former only: https://docs.snowflake.com/en/sql-reference/functions/array_sort
_ARRAY_SORT = f"""
(a, up, first) AS list_transform([struct_pack(l := {_JSON_LIST}, up := up, first := first)], lambda s: CASE
    WHEN s['up'] = s['first'] AND len({_NULLS}) > 0
    THEN {unsupported("ARRAY_SORT of nulls in another than their default order", "s")}
    WHEN s['up'] AND s['first'] IS NOT NULL
    THEN to_json({_SCHEMA}._sorted(s['l'], 'ARRAY_SORT') || {_NULLS})
    WHEN NOT s['up'] AND s['first'] IS NOT NULL
    THEN to_json({_NULLS} || list_reverse({_SCHEMA}._sorted(s['l'], 'ARRAY_SORT'))) END)[1]
"""
# A JSON null is larger than other values, and a NULL is ignored:
# https://docs.snowflake.com/en/sql-reference/functions/array_max
_ARRAY_MAX = f"""
(a) AS list_transform([struct_pack(l := {_JSON_LIST})], lambda s: CASE WHEN len({_NULLS}) > 0
    THEN {unsupported("ARRAY_MAX of nulls", "s")}
    ELSE {_SCHEMA}._sorted(s['l'], 'ARRAY_MAX')[-1] END)[1]
"""
_ARRAY_MIN = f"""
(a) AS list_transform([struct_pack(l := {_JSON_LIST})], lambda s: CASE WHEN len({_NULLS}) = len(s['l'])
    AND len(s['l']) > 0 THEN {unsupported("ARRAY_MIN of nulls", "s")}
    ELSE {_SCHEMA}._sorted(s['l'], 'ARRAY_MIN')[1] END)[1]
"""

# Of the distinct keys of elements of a group: https://docs.snowflake.com/en/sql-reference/functions/array_unique_agg
_ARRAY_OF_KEYS = "(keys) AS to_json(list_transform(coalesce(keys, []), lambda k: CAST(k AS JSON)))"
# The elements of all arrays of a group. Each array has an element as often as it occurs there, and the result
# as often as the array with most of them: https://docs.snowflake.com/en/sql-reference/functions/array_union_agg
_ARRAY_UNION = f"""
(arrays) AS list_transform([arrays], lambda r: CASE
    WHEN list_contains(list_transform(r, lambda a: list_contains(
        {_SCHEMA}._element_keys(CAST(a AS JSON[])), 'null')), TRUE)
    THEN {unsupported("ARRAY_UNION_AGG of arrays with nulls", "r")}
    ELSE to_json(list_transform(list_distinct(flatten(list_transform(
        coalesce(r, []), lambda a: list_transform({_SCHEMA}._counted(a, json_array()),
            lambda s: struct_pack(k := {_SCHEMA}._element_key(s['v']), n := s['n']))))),
        lambda e: CAST(e['k'] AS JSON))) END)[1]
"""

MACROS = {
    "_elements": _ELEMENTS,
    "_is_number": _IS_NUMBER,
    "_element_key": _ELEMENT_KEY,
    "_element_keys": _ELEMENT_KEYS,
    "_counted": _COUNTED,
    "_array_except": _ARRAY_EXCEPT,
    "_array_intersection": _ARRAY_INTERSECTION,
    "_arrays_overlap": _ARRAYS_OVERLAP,
    "_array_position": _ARRAY_POSITION,
    "_array_remove": _ARRAY_REMOVE,
    "_array_insert": _ARRAY_INSERT,
    "_array_remove_at": _ARRAY_REMOVE_AT,
    "_array_reverse": _ARRAY_REVERSE,
    "_array_generate_range": _ARRAY_GENERATE_RANGE,
    "_sorted": _SORTED,
    "_array_sort": _ARRAY_SORT,
    "_array_max": _ARRAY_MAX,
    "_array_min": _ARRAY_MIN,
    "_array_contains": _ARRAY_CONTAINS,
    "_array_to_string": _ARRAY_TO_STRING,
    "_array_distinct": _ARRAY_DISTINCT,
    "_array_cat": _ARRAY_CAT,
    "_array_append": _ARRAY_APPEND,
    "_array_prepend": _ARRAY_PREPEND,
    "_array_flatten": _ARRAY_FLATTEN,
    "_array_compact": _ARRAY_COMPACT,
    "_array_slice": _ARRAY_SLICE,
    "_array_of_keys": _ARRAY_OF_KEYS,
    "_array_union": _ARRAY_UNION,
}
