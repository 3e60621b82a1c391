"""Aggregates that collect values as on Snowflake: they skip NULLs.

LISTAGG returns an empty string for no values, and the aggregates of arrays return an empty array.

https://docs.snowflake.com/en/sql-reference/functions/listagg
https://docs.snowflake.com/en/sql-reference/functions/array_agg
"""

from __future__ import annotations

from sqlglot import exp

from gong_assets.local.snowflake.sql import macros

_COLLECTED = (exp.ArrayUniqueAgg, exp.ArrayUnionAgg, exp.ObjectAgg)
# The aggregate may be wrapped in WITHIN GROUP, in a window, or in neither.
NODES = (exp.Window, exp.WithinGroup, exp.GroupConcat, exp.ArrayAgg, *_COLLECTED)


def aggregate(node: exp.Expression) -> exp.Expression:
    """Rewrite the outermost node of the call of an aggregate that collects values."""
    if isinstance(node.parent, NODES):
        return node
    inner = node
    while isinstance(inner, (exp.Window, exp.WithinGroup)):
        inner = inner.this
    if isinstance(inner, exp.GroupConcat):
        return exp.Coalesce(this=node.copy(), expressions=[exp.Literal.string("")])
    if isinstance(inner, exp.ArrayAgg) and not isinstance(node, exp.Window):
        return _array_agg(inner, node.expression if isinstance(node, exp.WithinGroup) else None)
    if isinstance(inner, _COLLECTED):
        return _collected(node, inner)
    return node


def _collected(node: exp.Expression, call: exp.Expression) -> exp.Expression:
    """Return the macro that makes an array or an object of the list of a group's values."""
    if isinstance(node, exp.WithinGroup) or node.args.get("order") or node.args.get("spec"):
        raise NotImplementedError(f"{call.sql_name()} with an order or a frame")
    is_distinct = isinstance(call.this, exp.Distinct)
    operands = call.this.expressions if is_distinct else [call.this, call.args.get("expression")]
    values = [exp.Anonymous(this="TO_JSON", expressions=[each.copy()]) for each in operands if each]
    if isinstance(call, exp.ArrayUniqueAgg):
        macro, listed = "_array_of_keys", macros.call("_element_key", *values)
    elif isinstance(call, exp.ArrayUnionAgg):
        macro, listed = "_array_union", values[0]
    else:
        macro, listed = "_object_agg", macros.call("_member", *values)
    if is_distinct or isinstance(call, exp.ArrayUniqueAgg):
        listed = exp.Distinct(expressions=[listed])
    conditions = [exp.Not(this=exp.Is(this=value.copy(), expression=exp.Null())) for value in values]
    group: exp.Expression = exp.Filter(
        this=exp.Anonymous(this="LIST", expressions=[listed]),
        expression=exp.Where(this=exp.and_(*conditions)),
    )
    if isinstance(node, exp.Window):
        window = node.copy()
        window.set("this", group)
        group = window
    return macros.call(macro, group)


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
