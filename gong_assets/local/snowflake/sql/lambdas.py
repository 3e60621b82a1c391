"""FILTER, TRANSFORM and REDUCE, whose argument is a lambda.

https://docs.snowflake.com/en/sql-reference/functions/filter
https://docs.snowflake.com/en/sql-reference/functions/transform
https://docs.snowflake.com/en/sql-reference/functions/reduce

An element is a VARIANT unless the lambda declares its type, which sqlglot turns into a cast of each use. A
VARIANT that is neither cast nor an argument of a function for VARIANTs is refused: DuckDB would compare its
JSON.
"""

from __future__ import annotations

from sqlglot import exp

from gong_assets.local.snowflake.sql import macros
from gong_assets.local.snowflake.sql.rewriter import Rewrite
from gong_assets.local.snowflake.sql.variant import VARIANT_FUNCTIONS

_FOR_VARIANTS = (exp.Cast, exp.JSONExtract, exp.GetExtract, exp.Bracket, *VARIANT_FUNCTIONS)

# DuckDB passes the position of an element too. sqlglot writes a lambda with one parameter as x -> y, which is
# a path of JSON in DuckDB 2.
_POSITION = "_position_of_the_element"


def _transformed(node: exp.ArrayFilter | exp.Transform) -> exp.Expression:
    function = "FILTER" if isinstance(node, exp.ArrayFilter) else "TRANSFORM"
    body = node.expression.copy()
    if not (isinstance(body, exp.Lambda) and len(body.expressions) == 1):
        raise NotImplementedError(f"{function} without a lambda of one argument")
    _require_known_types(function, body, body.expressions[0])
    body.append("expressions", exp.to_identifier(_POSITION))
    elements = macros.call("_elements", node.this.copy())
    applied = exp.Anonymous(this=f"LIST_{function}", expressions=[elements, body])
    return exp.Anonymous(this="TO_JSON", expressions=[applied])


def _reduce(node: exp.Reduce) -> exp.Expression:
    """Rewrite REDUCE with an array as its accumulator, the only kind that the project uses."""
    initial, merge = node.args["initial"], node.args["merge"]
    if not (isinstance(initial, exp.Anonymous) and initial.name == "JSON_ARRAY"):
        raise NotImplementedError("REDUCE with an accumulator that is not an array")
    if not (isinstance(merge, exp.Lambda) and len(merge.expressions) == 2):
        raise NotImplementedError("REDUCE without a lambda of two arguments")
    _require_known_types("REDUCE", merge, merge.expressions[1])
    elements = macros.call("_elements", node.this.copy())
    return exp.Anonymous(this="LIST_REDUCE", expressions=[elements, merge.copy(), initial.copy()])


def _require_known_types(function: str, body: exp.Lambda, parameter: exp.Identifier) -> None:
    """Raise NotImplementedError for a use of the parameter as a VARIANT that DuckDB does not know as one."""
    for use in body.this.find_all(exp.Identifier):
        if use.name.upper() != parameter.name.upper() or isinstance(use.parent, exp.Column):
            continue
        if not isinstance(use.parent, _FOR_VARIANTS) or isinstance(use.parent, exp.ArrayToString):
            raise NotImplementedError(
                f"{function} with the argument {parameter.name} without a data type, a cast or a path"
            )


REWRITES = (
    Rewrite((exp.ArrayFilter, exp.Transform), _transformed),
    Rewrite((exp.Reduce,), _reduce),
)
