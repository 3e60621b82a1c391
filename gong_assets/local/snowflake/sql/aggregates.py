"""LISTAGG and ARRAY_AGG as on Snowflake: they skip NULLs, and return an empty string or array for no values.

https://docs.snowflake.com/en/sql-reference/functions/listagg
https://docs.snowflake.com/en/sql-reference/functions/array_agg
"""

from __future__ import annotations

from sqlglot import exp

# The aggregate may be wrapped in WITHIN GROUP, in a window, or in neither.
NODES = (exp.Window, exp.WithinGroup, exp.GroupConcat, exp.ArrayAgg)


def aggregate(node: exp.Expression) -> exp.Expression:
    """Rewrite the outermost node of a LISTAGG or ARRAY_AGG call."""
    if isinstance(node.parent, NODES):
        return node
    inner = node
    while isinstance(inner, (exp.Window, exp.WithinGroup)):
        inner = inner.this
    if isinstance(inner, exp.GroupConcat):
        return exp.Coalesce(this=node.copy(), expressions=[exp.Literal.string("")])
    if isinstance(inner, exp.ArrayAgg) and not isinstance(node, exp.Window):
        return _array_agg(inner, node.expression if isinstance(node, exp.WithinGroup) else None)
    return node


def _array_agg(node: exp.ArrayAgg, order: exp.Order | None) -> exp.Expression:
    listed = node.this.copy()
    value = listed.expressions[0] if isinstance(listed, exp.Distinct) else listed
    if order is not None:
        listed = exp.Order(this=listed, expressions=[each.copy() for each in order.expressions])
    is_not_null = exp.Not(this=exp.Is(this=value.copy(), expression=exp.Null()))
    present = exp.Filter(
        this=exp.Anonymous(this="LIST", expressions=[listed]), expression=exp.Where(this=is_not_null)
    )
    return exp.Anonymous(
        this="TO_JSON",
        expressions=[exp.Coalesce(this=present, expressions=[exp.Anonymous(this="LIST_VALUE")])],
    )
