"""DuckDB macros for the functions of ARRAYs and OBJECTs, which are stored as JSON."""

from __future__ import annotations

# Arrays are stored as JSON; DuckDB's list functions take a list of JSON values.
_JSON_LIST = "CAST(to_json(a) AS JSON[])"
_ARRAY_CONTAINS = f"(a, x) AS list_contains({_JSON_LIST}, to_json(x))"
_ARRAY_TO_STRING = f"""
(a, d) AS CASE
    WHEN d IS NULL THEN NULL
    ELSE array_to_string(list_transform({_JSON_LIST}, lambda v: coalesce(v ->> '$', '')), d)
END
"""
_ARRAY_DISTINCT = f"(a) AS to_json(list_distinct({_JSON_LIST}))"
_ARRAY_CAT = f"""
(a, b) AS CASE
    WHEN a IS NULL OR b IS NULL THEN NULL
    ELSE to_json(list_concat({_JSON_LIST}, CAST(to_json(b) AS JSON[])))
END
"""
_ARRAY_APPEND = f"(a, x) AS to_json(list_append({_JSON_LIST}, to_json(x)))"
_ARRAY_PREPEND = f"(a, x) AS to_json(list_prepend(to_json(x), {_JSON_LIST}))"
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

# The members of a JSON object: https://docs.snowflake.com/en/sql-reference/functions/object_construct
# A member without a key or a value is NULL, and is left out of the object.
_PAIR = "(k, v) AS CAST(to_json(k) AS VARCHAR) || ':' || CAST(to_json(v) AS VARCHAR)"
_OBJECT = "(pairs) AS CAST('{' || coalesce(array_to_string(pairs, ','), '') || '}' AS JSON)"

MACROS = {
    "_array_contains": _ARRAY_CONTAINS,
    "_array_to_string": _ARRAY_TO_STRING,
    "_array_distinct": _ARRAY_DISTINCT,
    "_array_cat": _ARRAY_CAT,
    "_array_append": _ARRAY_APPEND,
    "_array_prepend": _ARRAY_PREPEND,
    "_array_flatten": _ARRAY_FLATTEN,
    "_array_compact": _ARRAY_COMPACT,
    "_array_slice": _ARRAY_SLICE,
    "_pair": _PAIR,
    "_object": _OBJECT,
}
