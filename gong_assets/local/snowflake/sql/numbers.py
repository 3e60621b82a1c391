"""NUMBER arithmetic with the precision and scale of Snowflake.

https://docs.snowflake.com/en/sql-reference/operators-arithmetic

INTEGER and NUMBER(38, 0) are DuckDB's HUGEINT, which holds 38 digits. Quotients and averages have a type that
depends on the types of their operands, which only DuckDB knows. So DuckDB computes them as DOUBLE, with 15
significant digits, and CAST_TO_TYPE converts them to the type of another expression, which is not evaluated.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from gong_assets.local.snowflake.sql import macros
from gong_assets.local.snowflake.sql.rewriter import Rewrite

INTEGER = exp.DataType(this=exp.DataType.Type.USERDEFINED, kind="HUGEINT")
_POSITION = exp.DataType(this=exp.DataType.Type.USERDEFINED, kind="INTEGER")

_INTEGER_TYPES = (
    exp.DataType.Type.INT, exp.DataType.Type.BIGINT, exp.DataType.Type.SMALLINT, exp.DataType.Type.TINYINT,
)  # fmt: skip

# The product of two shorter numbers has 64 bits.
_LARGE_DIGITS = 10

# Aggregates of numbers, which cast a text to FLOAT.
_AGGREGATES = (
    exp.Sum, exp.Avg, exp.Median, exp.Variance, exp.VariancePop, exp.Stddev, exp.StddevPop, exp.StddevSamp,
)  # fmt: skip

# Types with 6 and 3 digits more than the values have. The examples of AVG show 3 for a window.
_SIX_DIGITS, _THREE_DIGITS = "_quotient_type", "_median_type"

# Arguments that DuckDB declares as BIGINT or INTEGER. It does not convert a HUGEINT implicitly.
_POSITIONS: Mapping[type[exp.Expression], tuple[str, ...]] = {
    exp.Left: ("expression",),
    exp.Right: ("expression",),
    exp.Substring: ("start", "length"),
    exp.SplitPart: ("part_index",),
    exp.Repeat: ("times",),
    exp.Pad: ("expression",),
    exp.Round: ("decimals",),
}


def integer_type(node: exp.Expression) -> exp.Expression:
    """Return HUGEINT for INTEGER types and NUMBER(38, 0), and any other node unchanged."""
    if not isinstance(node, exp.DataType):
        return node
    sizes = [size.name for size in node.expressions]
    is_number = node.this == exp.DataType.Type.DECIMAL and sizes in ([], ["38"], ["38", "0"])
    return INTEGER.copy() if is_number or node.this in _INTEGER_TYPES else node


def _integer_literal(node: exp.Select | exp.Values) -> exp.Expression:
    """Make a constant that becomes a column a NUMBER(38, 0). DuckDB's integers have 32 bits."""
    if isinstance(node, exp.Select):
        values = [item.this if isinstance(item, exp.Alias) else item for item in node.expressions]
    else:
        values = [value for row in node.expressions for value in row.expressions]
    for value in values:
        number = value.this if isinstance(value, exp.Neg) else value
        if isinstance(number, exp.Literal) and number.is_int:
            value.replace(exp.cast(value.copy(), INTEGER.copy()))
    return node


def _large_literal(node: exp.Add | exp.Sub | exp.Mul) -> exp.Expression:
    """Make a large constant in a sum or product a NUMBER(38, 0). DuckDB's would have 64 bits."""
    for value in (node.this, node.expression):
        number = value.this if isinstance(value, exp.Neg) else value
        if isinstance(number, exp.Literal) and number.is_int and len(number.name) >= _LARGE_DIGITS:
            number.replace(exp.cast(number.copy(), INTEGER.copy()))
    return node


def _position(node: exp.Expression) -> exp.Expression:
    for name in _POSITIONS[type(node)]:
        value = node.args.get(name)
        if isinstance(value, exp.Expression) and not isinstance(value, exp.Literal):
            node.set(name, exp.cast(value.copy(), _POSITION.copy()))
    return node


def _divide(node: exp.Div) -> exp.Expression:
    return macros.call("_divide", node.this.copy(), node.expression.copy())


def _aggregate(node: exp.Expression) -> exp.Expression:
    """Convert a text to FLOAT in the argument of an aggregate, and the result to Snowflake's scale."""
    if isinstance(node.parent, exp.Window | exp.WithinGroup):
        return node
    call = node.this if isinstance(node, exp.Window) else node
    if isinstance(call, exp.WithinGroup) and isinstance(call.this, exp.PercentileCont):
        value = call.expression.expressions[0].this
    elif isinstance(call, _AGGREGATES):
        value = call.this.expressions[0] if isinstance(call.this, exp.Distinct) else call.this
    else:
        return node
    number = macros.call("_number", value.copy())
    value.replace(number)
    if isinstance(call, exp.Avg):
        return _with_scale(node, number, _THREE_DIGITS if isinstance(node, exp.Window) else _SIX_DIGITS)
    if isinstance(call, exp.Median | exp.WithinGroup):
        # DuckDB's median of two DECIMALs has no more digits than they have.
        smallest = number.copy()
        number.replace(exp.cast(number.copy(), exp.DataType.Type.DOUBLE))
        return _with_scale(node, smallest, _THREE_DIGITS)
    return node


def _with_scale(node: exp.Expression, number: exp.Expression, kind: str) -> exp.Expression:
    """Convert the result of an aggregate of ``number`` to a type that follows from the type of ``number``."""
    smallest: exp.Expression = exp.Min(this=number.copy())
    if isinstance(node, exp.Window):
        window = node.copy()
        window.set("this", smallest)
        smallest = window
    return exp.Anonymous(this="CAST_TO_TYPE", expressions=[node.copy(), macros.call(kind, smallest)])


REWRITES = (
    Rewrite((exp.Select, exp.Values), _integer_literal),
    Rewrite((exp.Add, exp.Sub, exp.Mul), _large_literal),
    Rewrite(tuple(_POSITIONS), _position),
    Rewrite((exp.Window, exp.WithinGroup, *_AGGREGATES), _aggregate),
    Rewrite((exp.Div,), _divide),
)
