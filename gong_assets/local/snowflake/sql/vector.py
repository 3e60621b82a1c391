"""VECTOR columns and vector functions, implemented with DuckDB's fixed-size arrays.

VECTOR(FLOAT, n) becomes FLOAT[n] and VECTOR(INT, n) becomes INTEGER[n], with 32-bit elements as on Snowflake:
https://docs.snowflake.com/en/sql-reference/data-types-vector
"""

from __future__ import annotations

import re

from sqlglot import exp

from gong_assets.local.snowflake.errors import SnowflakeError
from gong_assets.local.snowflake.sql import macros

MAX_DIMENSION = 4096

# DuckDB's type of a vector column: element type and dimension.
DUCKDB_TYPE = re.compile(r"^(FLOAT|INTEGER)\[(\d+)\]$")

_INTEGER_TYPES = (exp.DataType.Type.INT, exp.DataType.Type.BIGINT)

# sqlglot's DuckDB output changes the meaning of these nodes: its cosine is a distance rather than a
# similarity, so the worst match would sort first.
FUNCTIONS = (exp.CosineDistance, exp.DotProduct, exp.EuclideanDistance, exp.ManhattanDistance)
_LIST_FUNCTIONS: dict[type[exp.Expression], str] = {
    exp.CosineDistance: "list_cosine_similarity",
    exp.DotProduct: "list_inner_product",
    exp.EuclideanDistance: "list_distance",
}


def data_type(node: exp.DataType) -> exp.DataType:
    """Return DuckDB's type for VECTOR(type, n); raises SnowflakeError for an invalid dimension."""
    element, size = node.expressions
    dimension = int(size.name)
    if not 1 <= dimension <= MAX_DIMENSION:
        raise SnowflakeError(
            1003,
            "42000",
            f"SQL compilation error: a vector has 1 to {MAX_DIMENSION} dimensions, not {dimension}.",
        )
    name = "INTEGER" if element.this in _INTEGER_TYPES else "FLOAT"
    return exp.DataType(this=exp.DataType.Type.USERDEFINED, kind=f"{name}[{dimension}]")


def function(node: exp.Expression) -> exp.Expression:
    """Return the DuckDB equivalent of a vector function; the result is DOUBLE."""
    # DuckDB's array functions reject integer arrays; its list functions accept them and are as fast.
    left, right = (_float_list(operand) for operand in (node.this, node.expression))
    if isinstance(node, exp.ManhattanDistance):
        return macros.call("_l1_distance", left, right)
    result = exp.cast(
        exp.Anonymous(this=_LIST_FUNCTIONS[type(node)], expressions=[left, right]),
        exp.DataType.Type.DOUBLE,
    )
    # The list functions fail for NULL. Only columns are checked, because checking a call would evaluate it
    # twice.
    null_checks = [
        exp.Is(this=operand.copy(), expression=exp.null())
        for operand in (node.this, node.expression)
        if isinstance(operand, exp.Column)
    ]
    return exp.case().when(exp.or_(*null_checks), exp.null()).else_(result) if null_checks else result


def _float_list(operand: exp.Expression) -> exp.Expression:
    return exp.cast(operand, exp.DataType(this=exp.DataType.Type.USERDEFINED, kind="FLOAT[]"))


def snowflake_type_sql(column: str) -> str:
    """Return SQL that maps DuckDB's type name in ``column`` to VECTOR(type, n), other types to NULL."""
    return (
        f"CASE WHEN regexp_matches({column}, '{DUCKDB_TYPE.pattern}') THEN "
        f"'VECTOR(' || replace(regexp_extract({column}, '{DUCKDB_TYPE.pattern}', 1), 'INTEGER', 'INT') "
        f"|| ', ' || regexp_extract({column}, '{DUCKDB_TYPE.pattern}', 2) || ')' END"
    )
