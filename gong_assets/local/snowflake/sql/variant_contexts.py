"""VARIANT expressions where Snowflake converts them to a text, or orders them by the type of their values.

https://docs.snowflake.com/en/sql-reference/data-types-semistructured

Recognized are paths, elements, ARRAY_MAX, ARRAY_MIN, PARSE_JSON and VALUE of FLATTEN. The types of other
columns are unknown here.
"""

from __future__ import annotations

from sqlglot import exp

from gong_assets.local.snowflake.sql import macros
from gong_assets.local.snowflake.sql.rewriter import Rewrite
from gong_assets.local.snowflake.sql.variant import is_text

_VARIANTS = (exp.JSONExtract, exp.GetExtract, exp.Bracket, exp.ParseJSON, exp.ArrayMax, exp.ArrayMin)

# Marks the columns VALUE of FLATTEN. sqlglot copies it with the node.
_IS_VARIANT = "is_variant"

# Parents for which Snowflake casts a VARIANT to VARCHAR implicitly.
_TEXT_CONTEXTS = (
    exp.Like, exp.ILike, exp.RegexpLike, exp.RegexpReplace, exp.RegexpExtract, exp.DPipe, exp.Concat,
    exp.ConcatWs, exp.Length, exp.Trim, exp.Replace, exp.Split, exp.SplitPart, exp.Substring, exp.Contains,
    exp.StartsWith, exp.EndsWith, exp.Left, exp.Right, exp.Initcap, exp.MD5, exp.SHA2, exp.Upper, exp.Lower,
    exp.Pad, exp.Repeat, exp.Reverse, exp.StrPosition, exp.RegexpCount, exp.Translate,
)  # fmt: skip

_ORDER_COMPARISONS = (exp.GT, exp.GTE, exp.LT, exp.LTE)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.In, exp.Between, *_ORDER_COMPARISONS)


def _is_variant(node: exp.Expression | None) -> bool:
    """Return True for an expression that is certainly a VARIANT."""
    while isinstance(node, exp.Paren):
        node = node.this
    return isinstance(node, _VARIANTS) or (isinstance(node, exp.Column) and _IS_VARIANT in node.meta)


def _flattened(node: exp.Lateral | exp.TableFromRows) -> exp.Expression:
    """Mark the columns VALUE of a FLATTEN in the query that contains it, and in queries inside that."""
    query = node.find_ancestor(exp.Select)
    if not isinstance(node.this, exp.Explode) or query is None:
        return node
    name = node.alias_or_name.upper()
    for column in list(query.find_all(exp.Column)):
        is_of_flatten = column.table.upper() == name if column.table else column.parent_select is query
        if column.name.upper() == "VALUE" and is_of_flatten:
            column.meta[_IS_VARIANT] = True
            column.replace(_as_text(column))
    return node


def _element(node: exp.Expression) -> exp.Expression:
    """Return NULL for a negative index. DuckDB would count from the end."""
    if isinstance(node, exp.JSONExtract):
        subscripts = node.expression.find_all(exp.JSONPathSubscript)
        is_negative = any(isinstance(each.this, int) and each.this < 0 for each in subscripts)
    else:
        index = node.expressions[0] if isinstance(node, exp.Bracket) else node.expression
        is_negative = isinstance(index, exp.Neg)
    return exp.cast(exp.null(), exp.DataType.Type.JSON) if is_negative else node


def _extracted(node: exp.Expression) -> exp.Expression:
    is_element = isinstance(node, exp.JSONExtract | exp.GetExtract | exp.Bracket)
    element = _element(node) if is_element else node
    return _as_text(node) if element is node else element


def _as_text(node: exp.Expression) -> exp.Expression:
    """Cast a VARIANT to VARCHAR where it is compared or combined with text."""
    value, parent = node, node.parent
    while isinstance(parent, exp.Paren | exp.Distinct) or (
        isinstance(parent, exp.Order) and value.arg_key == "this"
    ):
        value, parent = parent, parent.parent
    is_compared = isinstance(parent, _COMPARISONS) and any(
        is_text(other) or other.is_string for other in parent.iter_expressions() if other is not value
    )
    is_listed = isinstance(parent, exp.GroupConcat) and value.arg_key == "this"
    if is_compared or is_listed or isinstance(parent, _TEXT_CONTEXTS) or _is_in_distinct_list(node):
        return exp.cast(node.copy(), exp.DataType.Type.VARCHAR)
    return node


def _is_in_distinct_list(node: exp.Expression) -> bool:
    """Return True for what orders LISTAGG(DISTINCT ...), which is the listed text itself."""
    order = node.parent.parent if isinstance(node.parent, exp.Ordered) else None
    return isinstance(order, exp.Order) and isinstance(order.this, exp.Distinct)


def _order_key(value: exp.Expression) -> exp.Expression:
    return macros.call("_variant_order", value.copy())


def _extreme(node: exp.Max | exp.Min) -> exp.Expression:
    """Return the largest or smallest VARIANT by its value, where DuckDB compares the text of the JSON."""
    if not _is_variant(node.this):
        return node
    kind = exp.ArgMax if isinstance(node, exp.Max) else exp.ArgMin
    return kind(this=node.this.copy(), expression=_order_key(node.this))


def _ordered(node: exp.Ordered) -> exp.Expression:
    """Order by a VARIANT's value. DuckDB accepts no expressions in the order of a distinct aggregate."""
    order = node.parent
    call = order.parent.this if order is not None and isinstance(order.parent, exp.WithinGroup) else None
    is_distinct = call is not None and isinstance(call.this, exp.Distinct)
    if _is_variant(node.this) and not is_distinct:
        node.set("this", _order_key(node.this))
    return node


def _compared(node: exp.Binary) -> exp.Expression:
    """Compare two VARIANTs by their values."""
    if _is_variant(node.this) and _is_variant(node.expression):
        node.set("this", _order_key(node.this))
        node.set("expression", _order_key(node.expression))
    return node


def _coalesce(node: exp.Coalesce) -> exp.Expression:
    """Convert text arguments beside a VARIANT with TO_JSON, because DuckDB would parse them as JSON."""
    arguments = [node.this, *node.expressions]
    if any(map(_is_variant, arguments)):
        for argument in arguments:
            if isinstance(argument, exp.Literal):
                argument.replace(exp.Anonymous(this="TO_JSON", expressions=[argument.copy()]))
    return node


# In the order of application: what becomes a text is no VARIANT any more.
REWRITES = (
    Rewrite((exp.Lateral, exp.TableFromRows), _flattened),
    Rewrite(_VARIANTS, _extracted),
    Rewrite((exp.Max, exp.Min), _extreme),
    Rewrite((exp.Ordered,), _ordered),
    Rewrite(_ORDER_COMPARISONS, _compared),
    Rewrite((exp.Coalesce,), _coalesce),
)
