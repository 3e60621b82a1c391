"""Snowflake functions that are implemented as DuckDB macros.

The macros are created at every start in the in-memory catalog of the process, where views in database files
find them. The rewrites turn calls of Snowflake functions into calls of these macros.
"""

from __future__ import annotations

from sqlglot import exp

# Calls use the full name, because the current database of a session is another one.
_SCHEMA = "memory.main"

# The VARCHAR of any value; a string inside a VARIANT loses its quotes, as on Snowflake. DuckDB evaluates
# TYPEOF when it binds the query, so only one branch remains.
_VARIANT_TEXT = """
(x) AS CASE WHEN typeof(x) = 'JSON' THEN to_json(x) ->> '$' ELSE CAST(x AS VARCHAR) END
"""

# https://docs.snowflake.com/en/sql-reference/functions/typeof
_VARIANT_TYPE = """
(x) AS CASE json_type(to_json(x))
    WHEN 'BIGINT' THEN 'INTEGER' WHEN 'UBIGINT' THEN 'INTEGER' WHEN 'HUGEINT' THEN 'INTEGER'
    WHEN 'DOUBLE' THEN CASE WHEN regexp_matches(to_json(x)::VARCHAR, '^-?\\d+$') THEN 'INTEGER'
                            WHEN contains(lower(to_json(x)::VARCHAR), 'e') THEN 'DOUBLE' ELSE 'DECIMAL' END
    WHEN 'NULL' THEN 'NULL_VALUE'
    ELSE json_type(to_json(x)) END
"""

# The rows of FLATTEN as a list of structs, ordered by array index or object key.
# https://docs.snowflake.com/en/sql-reference/functions/flatten
_FLATTEN = """
(x) AS CASE json_type(x)
    WHEN 'ARRAY' THEN list_transform(CAST(x AS JSON[]), lambda v, i: struct_pack(
        key := NULL::VARCHAR, path := '[' || (i - 1) || ']', "index" := i - 1, value := v))
    WHEN 'OBJECT' THEN list_transform(json_keys(x), lambda k: struct_pack(
        key := k, path := k, "index" := NULL::BIGINT,
        value := json_extract(x, '/' || replace(replace(k, '~', '~0'), '/', '~1'))))
    ELSE [] END
"""

# With OUTER => TRUE an input without elements keeps its row, with NULL in every column of FLATTEN.
_FLATTEN_OUTER = f"""
(x) AS CASE WHEN len({_SCHEMA}._flatten(x)) > 0 THEN {_SCHEMA}._flatten(x)
    ELSE [struct_pack(
        key := NULL::VARCHAR, path := NULL::VARCHAR, "index" := NULL::BIGINT, value := NULL::JSON)]
    END
"""

# The rows of SPLIT_TO_TABLE: https://docs.snowflake.com/en/sql-reference/functions/split_to_table
_SPLIT_ROWS = """
(x, d) AS list_transform(string_split(x, d), lambda v, i: struct_pack("index" := i, value := v))
"""

# Snowflake interprets a string of digits as seconds since the epoch.
_TRY_TIMESTAMP = """
(x) AS CASE WHEN try_cast(x AS BIGINT) IS NOT NULL THEN make_timestamp(try_cast(x AS BIGINT) * 1000000)
    ELSE try_cast(CAST(x AS VARCHAR) AS TIMESTAMP) END
"""
_TRY_TIMESTAMP_TZ = """
(x) AS try_cast(CAST(x AS VARCHAR) AS TIMESTAMPTZ)
"""

# Arrays are stored as JSON; DuckDB's list functions take a list of JSON values.
_JSON_LIST = "CAST(to_json(a) AS JSON[])"
_ARRAY_CONTAINS = f"(a, x) AS list_contains({_JSON_LIST}, to_json(x))"
_ARRAY_TO_STRING = (
    f"(a, d) AS array_to_string(list_transform({_JSON_LIST}, lambda v: coalesce(v ->> '$', '')), d)"
)
_ARRAY_DISTINCT = f"(a) AS to_json(list_distinct({_JSON_LIST}))"
_ARRAY_CAT = f"(a, b) AS to_json(list_concat({_JSON_LIST}, CAST(to_json(b) AS JSON[])))"
_ARRAY_APPEND = f"(a, x) AS to_json(list_append({_JSON_LIST}, to_json(x)))"
_ARRAY_PREPEND = f"(a, x) AS to_json(list_prepend(to_json(x), {_JSON_LIST}))"
_ARRAY_FLATTEN = f"(a) AS to_json(flatten(list_transform({_JSON_LIST}, lambda v: CAST(v AS JSON[]))))"
# Snowflake counts from 0 and excludes the end; DuckDB counts from 1 and includes it. In both, a negative
# position counts from the end.
_ARRAY_SLICE = f"""
(a, first, last) AS to_json(list_slice({_JSON_LIST}, CASE WHEN first >= 0 THEN first + 1 ELSE first END,
    CASE WHEN last >= 0 THEN last ELSE last - 1 END))
"""

# A text in an aggregate of numbers is a FLOAT. The first overload also takes JSON. DuckDB selects it for any
# aggregate and window function too, whose types it does not know yet, so the argument must contain none.
_NUMBER = "(x VARCHAR) AS CAST(x AS DOUBLE), (x) AS x"

# The scale of a quotient: https://docs.snowflake.com/en/sql-reference/operators-arithmetic
# The product with a DECIMAL of scale 6 adds 6 digits to a DECIMAL or integer, and leaves a DOUBLE as it is.
# ROUND of a DECIMAL to 12 digits has at most this scale, and to 0 digits none.
_QUOTIENT_TYPE = "(a) AS round(a * CAST(1 AS DECIMAL(38, 6)), 12)"
_MEDIAN_TYPE = "(a) AS round(a * CAST(1 AS DECIMAL(38, 3)), 12)"
_DIVIDE = f"""
(a, b) AS CASE WHEN b = 0 THEN error('Division by zero')
    ELSE cast_to_type(a / b, {_SCHEMA}._quotient_type(a) * round(b, 0)) END
"""

_L1_DISTANCE = """
(a, b) AS CASE WHEN len(a) <> len(b) THEN error('list dimensions must be equal')
    ELSE list_sum(list_transform(list_zip(a::DOUBLE[], b::DOUBLE[]), lambda p: abs(p[1] - p[2]))) END
"""

_MACROS = {
    "_variant_text": _VARIANT_TEXT,
    "_variant_type": _VARIANT_TYPE,
    "_flatten": _FLATTEN,
    "_flatten_outer": _FLATTEN_OUTER,
    "_split_rows": _SPLIT_ROWS,
    "_try_timestamp": _TRY_TIMESTAMP,
    "_try_timestamp_tz": _TRY_TIMESTAMP_TZ,
    "_array_contains": _ARRAY_CONTAINS,
    "_array_to_string": _ARRAY_TO_STRING,
    "_array_distinct": _ARRAY_DISTINCT,
    "_array_cat": _ARRAY_CAT,
    "_array_append": _ARRAY_APPEND,
    "_array_prepend": _ARRAY_PREPEND,
    "_array_flatten": _ARRAY_FLATTEN,
    "_array_slice": _ARRAY_SLICE,
    "_l1_distance": _L1_DISTANCE,
    "_number": _NUMBER,
    "_quotient_type": _QUOTIENT_TYPE,
    "_median_type": _MEDIAN_TYPE,
    "_divide": _DIVIDE,
}


def creation_sql() -> str:
    """Return the statements that create all macros."""
    return ";".join(f"CREATE OR REPLACE MACRO {_SCHEMA}.{name}{body}" for name, body in _MACROS.items())


def call(name: str, *arguments: exp.Expression) -> exp.Anonymous:
    """Return a call of the macro ``name``; raises KeyError for an unknown macro."""
    _MACROS[name]
    return exp.Anonymous(this=f"{_SCHEMA}.{name}", expressions=list(arguments))


def duckdb_variable(name: str) -> exp.Anonymous:
    """Return the call that reads a DuckDB variable of the session."""
    return exp.Anonymous(this="getvariable", expressions=[exp.Literal.string(name)])
