"""VECTOR columns and the vector functions, as DuckDB's fixed-size arrays.

VECTOR(FLOAT, n) is FLOAT[n] and VECTOR(INT, n) is INTEGER[n], both of 32-bit elements as on Snowflake:
https://docs.snowflake.com/en/sql-reference/data-types-vector
"""

from __future__ import annotations

import re

from sqlglot import exp

from gong_assets.local.snowflake import macros
from gong_assets.local.snowflake.errors import SnowflakeError

MAX_DIMENSION = 4096

# DuckDB's name of the type of a vector column: element type, dimension.
DUCKDB_TYPE = re.compile(r"^(FLOAT|INTEGER)\[(\d+)\]$")

_INTEGER_TYPES = (exp.DataType.Type.INT, exp.DataType.Type.BIGINT)

# sqlglot parses the four functions into nodes that it writes for DuckDB with other meanings: its cosine is a
# distance, so that the worst match would come first.
FUNCTIONS = (exp.CosineDistance, exp.DotProduct, exp.EuclideanDistance, exp.ManhattanDistance)
_LIST_FUNCTIONS: dict[type[exp.Expression], str] = {
    exp.CosineDistance: "list_cosine_similarity",
    exp.DotProduct: "list_inner_product",
    exp.EuclideanDistance: "list_distance",
}


def data_type(node: exp.DataType) -> exp.DataType:
    """DuckDB's type for a VECTOR(type, n); raises SnowflakeError for a dimension that Snowflake refuses."""
    element, size = node.expressions
    dimension = int(size.name)
    if not 1 <= dimension <= MAX_DIMENSION:
        raise SnowflakeError(
            1003,
            "42000",
            f"SQL compilation error: the dimension of a vector is 1 to {MAX_DIMENSION}, not {dimension}.",
        )
    name = "INTEGER" if element.this in _INTEGER_TYPES else "FLOAT"
    return exp.DataType(this=exp.DataType.Type.USERDEFINED, kind=f"{name}[{dimension}]")


def function(node: exp.Expression) -> exp.Expression:
    """A vector function with Snowflake's meaning, returning DOUBLE."""
    # DuckDB's functions for arrays refuse those of integers; the ones for lists are as fast.
    left, right = (_float_list(operand) for operand in (node.this, node.expression))
    if isinstance(node, exp.ManhattanDistance):
        return macros.call("_l1_distance", left, right)
    result = exp.cast(
        exp.Anonymous(this=_LIST_FUNCTIONS[type(node)], expressions=[left, right]),
        exp.DataType.Type.DOUBLE,
    )
    # To them a NULL among the arrays is an error. Only columns are looked at twice: a call may be one that costs something.
    missing = [
        exp.Is(this=operand.copy(), expression=exp.null())
        for operand in (node.this, node.expression)
        if isinstance(operand, exp.Column)
    ]
    return exp.case().when(exp.or_(*missing), exp.null()).else_(result) if missing else result


def _float_list(operand: exp.Expression) -> exp.Expression:
    return exp.cast(operand, exp.DataType(this=exp.DataType.Type.USERDEFINED, kind="FLOAT[]"))


def snowflake_type_sql(column: str) -> str:
    """SQL for Snowflake's name of the DuckDB type in ``column`` where that is a vector, else NULL."""
    return (
        f"CASE WHEN regexp_matches({column}, '{DUCKDB_TYPE.pattern}') THEN "
        f"'VECTOR(' || replace(regexp_extract({column}, '{DUCKDB_TYPE.pattern}', 1), 'INTEGER', 'INT') || ', ' || "
        f"regexp_extract({column}, '{DUCKDB_TYPE.pattern}', 2) || ')' END"
    )
