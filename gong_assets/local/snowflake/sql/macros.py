"""Snowflake functions that are implemented as DuckDB macros.

The macros are created at every start in the in-memory catalog of the process, where views in database files
find them. The rewrites turn calls of Snowflake functions into calls of these macros.
"""

from __future__ import annotations

from sqlglot import exp

from gong_assets.local.snowflake.sql import array_macros, object_macros
from gong_assets.local.snowflake.sql.names import MACRO_SCHEMA as _SCHEMA

# The VARCHAR of any value; a string inside a VARIANT loses its quotes, as on Snowflake. DuckDB evaluates
# TYPEOF when it binds the query, so only one branch remains. Timestamps have the format of
# https://docs.snowflake.com/en/sql-reference/parameters#label-timestamp-output-format
_VARIANT_TEXT = r"""
(x) AS CASE typeof(x)
    WHEN 'JSON' THEN to_json(x) ->> '$'
    WHEN 'TIMESTAMP' THEN strftime(TRY_CAST(CAST(x AS VARCHAR) AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g')
    WHEN 'TIMESTAMP WITH TIME ZONE' THEN regexp_replace(
        strftime(TRY_CAST(CAST(x AS VARCHAR) AS TIMESTAMPTZ), '%Y-%m-%d %H:%M:%S.%g %z'),
        '([+-]\d\d)$', '\100')
    WHEN 'DOUBLE' THEN regexp_replace(CAST(x AS VARCHAR), '\.0$', '')
    ELSE CAST(x AS VARCHAR) END
"""

# What orders VARIANTs: numbers by their value, and others by their text.
_VARIANT_ORDER = """
(x) AS CASE WHEN x IS NOT NULL THEN struct_pack(
    n := CASE WHEN json_type(to_json(x)) IN ('BIGINT', 'UBIGINT', 'HUGEINT', 'DOUBLE')
              THEN CAST(to_json(x) AS DOUBLE) END,
    t := to_json(x) ->> '$') END
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

# The rows of FLATTEN as a list of structs, ordered by array index or object key. `p` is the argument PATH.
# https://docs.snowflake.com/en/sql-reference/functions/flatten
_FLATTEN_AT = """
(x, p) AS CASE json_type(x)
    WHEN 'ARRAY' THEN list_transform(CAST(x AS JSON[]), lambda v, i: struct_pack(
        key := NULL::VARCHAR, path := p || '[' || (i - 1) || ']', "index" := i - 1, value := v))
    WHEN 'OBJECT' THEN list_transform(json_keys(x), lambda k: struct_pack(
        key := k, path := CASE p WHEN '' THEN k ELSE p || '.' || k END, "index" := NULL::BIGINT,
        value := json_extract(x, '/' || replace(replace(k, '~', '~0'), '/', '~1'))))
    ELSE [] END
"""

# With OUTER => TRUE an input without elements keeps its row, with NULL in every column of FLATTEN.
_FLATTEN_OUTER_AT = f"""
(x, p) AS CASE WHEN len({_SCHEMA}._flatten_at(x, p)) > 0 THEN {_SCHEMA}._flatten_at(x, p)
    ELSE [struct_pack(
        key := NULL::VARCHAR, path := NULL::VARCHAR, "index" := NULL::BIGINT, value := NULL::JSON)]
    END
"""

# Views that earlier versions created call these.
_FLATTEN = f"(x) AS {_SCHEMA}._flatten_at(x, '')"
_FLATTEN_OUTER = f"(x) AS {_SCHEMA}._flatten_outer_at(x, '')"

# The rows of SPLIT_TO_TABLE: https://docs.snowflake.com/en/sql-reference/functions/split_to_table
_SPLIT_ROWS = """
(x, d) AS list_transform(string_split(x, d), lambda v, i: struct_pack("index" := i, value := v))
"""

# A text of digits is a time since the epoch, whose unit follows from its magnitude:
# https://docs.snowflake.com/en/sql-reference/functions/to_timestamp#usage-notes
# The list stands for a variable: DuckDB expands an argument of a macro wherever it occurs, also when nested.
_EPOCH_TEXT = """
(x) AS list_transform([TRY_CAST(x AS BIGINT)], lambda n: make_timestamp(CASE
    WHEN n < 31536000000 THEN n * 1000000 WHEN n < 31536000000000 THEN n * 1000
    WHEN n < 31536000000000000 THEN n ELSE n // 1000 END))[1]
"""
# https://docs.snowflake.com/en/sql-reference/date-time-input-output#supported-formats-for-auto-detection
_FORMATS = """
    '%d-%b-%Y', '%d-%B-%Y', '%m/%d/%Y', '%m/%d/%Y %H:%M:%S', '%Y-%m-%dT%H', '%Y-%m-%d %H',
    '%a, %d %b %Y %H:%M:%S', '%a, %d %b %Y %H:%M:%S.%f', '%a, %d %b %Y %I:%M:%S %p', '%a %b %d %H:%M:%S %Y'
"""
# TIMESTAMP_NTZ keeps the local time of a text and drops its offset; DuckDB would convert it to UTC.
_TIMESTAMP_TEXT = rf"""
(x) AS CASE WHEN regexp_full_match(x, '-?\d+') THEN {_SCHEMA}._epoch_text(x) ELSE list_transform(
    [regexp_replace(x, '(:\d\d(\.\d+)?)\s*(Z|[+-]\d\d:?(\d\d)?)( \d{{4}})?$', '\1\5')],
    lambda t: coalesce(TRY_CAST(t AS TIMESTAMP), try_strptime(t, [{_FORMATS}])))[1] END
"""
_TIMESTAMP_TZ_TEXT = rf"""
(x) AS CASE WHEN regexp_full_match(x, '-?\d+') THEN {_SCHEMA}._epoch_text(x) AT TIME ZONE 'UTC'
    ELSE coalesce(TRY_CAST(regexp_replace(x, '(\d)\s+([+-]\d\d:?(\d\d)?|Z)$', '\1\2') AS TIMESTAMPTZ),
        try_strptime(x, ['%a, %d %b %Y %H:%M:%S %z', '%a %b %d %H:%M:%S %z %Y'])) END
"""
_DATE_TEXT = f"(x) AS CAST({_SCHEMA}._timestamp_text(x) AS DATE)"


def _conversion(parse: str, kind: str, number: str) -> str:
    """Return a macro body that converts a text, a date or timestamp, or another value (``number``).

    The cast of a text that was not parsed fails. ERROR would not do, because it is volatile, and a window
    cannot be ordered by a volatile expression.
    """

    def parsed(text: str) -> str:
        return f"coalesce(CAST({_SCHEMA}.{parse}({text}) AS {kind}), CAST({text} AS {kind}))"

    return f"""CASE typeof(x)
    WHEN 'VARCHAR' THEN {parsed("CAST(x AS VARCHAR)")} WHEN 'JSON' THEN {parsed("(to_json(x) ->> '$')")}
    WHEN 'DATE' THEN CAST(x AS {kind}) WHEN 'TIMESTAMP' THEN CAST(x AS {kind})
    WHEN 'TIMESTAMP WITH TIME ZONE' THEN CAST(x AS {kind}) WHEN '"NULL"' THEN NULL
    ELSE {number} END"""


_MICROSECONDS = "CAST(TRY_CAST(CAST(x AS VARCHAR) AS DECIMAL(38, 9)) * power(10, 6 - scale) AS BIGINT)"
_TIMESTAMP = "(x, scale) AS " + _conversion(
    "_timestamp_text", "TIMESTAMP", f"make_timestamp({_MICROSECONDS})"
)
_TIMESTAMP_TZ = "(x, scale) AS " + _conversion(
    "_timestamp_tz_text", "TIMESTAMPTZ", f"make_timestamp({_MICROSECONDS}) AT TIME ZONE 'UTC'"
)
_DATE = "(x) AS " + _conversion("_timestamp_text", "DATE", "CAST(x AS DATE)")

# TRY_ functions take texts only: https://docs.snowflake.com/en/sql-reference/functions/try_cast
# The cast of the message to another type fails with an error that contains the message.
_TEXT_ONLY = """
(x) AS CASE WHEN x IS NULL OR typeof(x) = 'VARCHAR' THEN x
    ELSE cast_to_type('TRY_CAST of ' || typeof(x), x) END
"""
_TRY_TIMESTAMP = f"(x) AS {_SCHEMA}._timestamp_text(CAST({_SCHEMA}._text_only(x) AS VARCHAR))"
_TRY_TIMESTAMP_TZ = f"(x) AS {_SCHEMA}._timestamp_tz_text(CAST({_SCHEMA}._text_only(x) AS VARCHAR))"
_TRY_DATE = f"(x) AS CAST({_SCHEMA}._try_timestamp(x) AS DATE)"

# A text in an aggregate of numbers is a FLOAT. The first overload also takes JSON. DuckDB selects it for any
# aggregate and window function too, whose types it does not know yet, so the argument must contain none.
_NUMBER = "(x VARCHAR) AS CAST(x AS DOUBLE), (x) AS x"

# The scale of a quotient: https://docs.snowflake.com/en/sql-reference/operators-arithmetic
# The product with a DECIMAL of scale 6 adds 6 digits to a DECIMAL or integer, and leaves a DOUBLE as it is.
# ROUND of a DECIMAL to 12 digits has at most this scale, and to 0 digits none.
_QUOTIENT_TYPE = "(a) AS round(a * CAST(1 AS DECIMAL(38, 6)), 12)"
_MEDIAN_TYPE = "(a) AS round(a * CAST(1 AS DECIMAL(38, 3)), 12)"
_DIVIDE = f"""
(a, b) AS CASE WHEN b = 0
    THEN cast_to_type('Division by zero' || left(typeof(b), 0), {_SCHEMA}._quotient_type(a) * round(b, 0))
    ELSE cast_to_type(a / b, {_SCHEMA}._quotient_type(a) * round(b, 0)) END
"""

_L1_DISTANCE = """
(a, b) AS CASE WHEN len(a) <> len(b) THEN error('list dimensions must be equal')
    ELSE list_sum(list_transform(list_zip(a::DOUBLE[], b::DOUBLE[]), lambda p: abs(p[1] - p[2]))) END
"""

_MACROS = {
    **array_macros.MACROS,
    **object_macros.MACROS,
    "_variant_text": _VARIANT_TEXT,
    "_variant_order": _VARIANT_ORDER,
    "_variant_type": _VARIANT_TYPE,
    "_flatten_at": _FLATTEN_AT,
    "_flatten_outer_at": _FLATTEN_OUTER_AT,
    "_flatten": _FLATTEN,
    "_flatten_outer": _FLATTEN_OUTER,
    "_split_rows": _SPLIT_ROWS,
    "_epoch_text": _EPOCH_TEXT,
    "_timestamp_text": _TIMESTAMP_TEXT,
    "_timestamp_tz_text": _TIMESTAMP_TZ_TEXT,
    "_date_text": _DATE_TEXT,
    "_timestamp": _TIMESTAMP,
    "_timestamp_tz": _TIMESTAMP_TZ,
    "_date": _DATE,
    "_text_only": _TEXT_ONLY,
    "_try_timestamp": _TRY_TIMESTAMP,
    "_try_timestamp_tz": _TRY_TIMESTAMP_TZ,
    "_try_date": _TRY_DATE,
    "_l1_distance": _L1_DISTANCE,
    "_number": _NUMBER,
    "_quotient_type": _QUOTIENT_TYPE,
    "_median_type": _MEDIAN_TYPE,
    "_divide": _DIVIDE,
}


def creation_sql() -> str:
    """Return the statements that create all macros."""
    return ";".join(f"CREATE OR REPLACE MACRO {_SCHEMA}.{name}{body}" for name, body in _MACROS.items())


def name(macro: str) -> str:
    """Return the full name of ``macro``; raises KeyError for an unknown one."""
    _MACROS[macro]
    return f"{_SCHEMA}.{macro}"


def call(macro: str, *arguments: exp.Expression) -> exp.Anonymous:
    """Return a call of ``macro``; raises KeyError for an unknown one."""
    return exp.Anonymous(this=name(macro), expressions=list(arguments))


def duckdb_variable(name: str) -> exp.Anonymous:
    """Return the call that reads a DuckDB variable of the session."""
    return exp.Anonymous(this="getvariable", expressions=[exp.Literal.string(name)])
