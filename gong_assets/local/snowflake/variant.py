"""VARIANT, OBJECT and ARRAY where fakesnow, which keeps them as JSON, answers otherwise than Snowflake."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from gong_assets.local.snowflake import macros

_TEXT_TYPES = (exp.DataType.Type.VARCHAR, exp.DataType.Type.TEXT)
_NTZ_TYPES = (exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPNTZ)
_TZ_TYPES = (exp.DataType.Type.TIMESTAMPTZ, exp.DataType.Type.TIMESTAMPLTZ)

# Where Snowflake casts a VARIANT to VARCHAR by itself.
_TEXT_CONTEXTS = (
    exp.Like, exp.ILike, exp.RegexpLike, exp.RegexpReplace, exp.RegexpExtract, exp.DPipe, exp.Concat, exp.ConcatWs,
    exp.Length, exp.Trim, exp.Replace, exp.Split, exp.SplitPart, exp.Substring, exp.Contains, exp.StartsWith,
    exp.EndsWith, exp.Left, exp.Right, exp.Initcap, exp.MD5, exp.SHA2,
)  # fmt: skip

_ARRAY_FUNCTIONS: dict[type[exp.Expression], tuple[str, tuple[str, ...]]] = {
    exp.ArrayContains: ("_array_contains", ("this", "expression")),
    exp.ArrayToString: ("_array_to_string", ("this", "expression")),
    exp.ArrayDistinct: ("_array_distinct", ("this",)),
    exp.ArrayConcat: ("_array_cat", ("this", "expressions")),
    exp.ArrayAppend: ("_array_append", ("this", "expression")),
    exp.Flatten: ("_array_flatten", ("this",)),
    exp.ArraySlice: ("_array_slice", ("this", "start", "end")),
}


def array(node: exp.Array) -> exp.Expression:
    """[a, b] and ARRAY_CONSTRUCT(a, b) take values of several types, which DuckDB's lists do not."""
    return exp.Anonymous(this="JSON_ARRAY", expressions=node.expressions)


def _path_as_text(node: exp.JSONExtract) -> exp.Expression:
    """variant:path next to text is the text inside it, without quotes."""
    parent = node.parent
    compared = isinstance(parent, (exp.EQ, exp.NEQ, exp.In)) and any(
        isinstance(other, exp.Literal) and other.is_string for other in parent.iter_expressions()
    )
    if compared or isinstance(parent, _TEXT_CONTEXTS):
        return exp.cast(node.copy(), exp.DataType.Type.VARCHAR)
    return node


def _text_cast(node: exp.Cast | exp.ToChar) -> exp.Expression:
    """x::VARCHAR and TO_VARCHAR(x) of a VARIANT give the string without its quotes; x::VARIANT adds them."""
    if isinstance(node, exp.ToChar):
        return node if node.args.get("format") else macros.call("_variant_text", node.this)
    operand = node.this
    if node.to.this == exp.DataType.Type.VARIANT and not isinstance(node, exp.TryCast):
        # 'a'::VARIANT is the text "a"; as a cast to JSON it would be parsed.
        return exp.Anonymous(this="TO_JSON", expressions=[operand])
    if node.to.this in _TEXT_TYPES and not isinstance(
        operand, (exp.Literal, exp.JSONExtract, exp.Bracket, exp.Null)
    ):
        node.set("this", macros.call("_variant_text", operand.copy()))
    return node


def _try_timestamp(node: exp.TryCast) -> exp.Expression:
    """A time that does not parse is NULL; fakesnow would raise."""
    if node.to.this in _NTZ_TYPES:
        return macros.call("_try_timestamp", macros.call("_variant_text", node.this))
    if node.to.this in _TZ_TYPES:
        return macros.call("_try_timestamp_tz", macros.call("_variant_text", node.this))
    return node


def _try_timestamp_function(node: exp.Anonymous) -> exp.Expression:
    if node.name.upper() in ("TRY_TO_TIMESTAMP_TZ", "TRY_TO_TIMESTAMP_LTZ"):
        return macros.call("_try_timestamp_tz", macros.call("_variant_text", node.expressions[0]))
    if node.name.upper() in ("TRY_TO_TIMESTAMP", "TRY_TO_TIMESTAMP_NTZ"):
        return macros.call("_try_timestamp", macros.call("_variant_text", node.expressions[0]))
    return node


def _coalesce(node: exp.Coalesce) -> exp.Expression:
    """COALESCE(variant:path, 'text') is a VARIANT; DuckDB would parse the text as JSON."""
    arguments = [node.this, *node.expressions]
    if any(isinstance(argument, exp.JSONExtract) for argument in arguments):
        for argument in arguments:
            if isinstance(argument, exp.Literal):
                argument.replace(exp.Anonymous(this="TO_JSON", expressions=[argument.copy()]))
    return node


def _typeof(node: exp.Typeof) -> exp.Expression:
    return macros.call("_variant_type", node.this)


def _object_literal(node: exp.Struct) -> exp.Expression:
    """{'key': value} keeps the case of its keys, which fakesnow folds to upper case."""
    for item in node.expressions:
        if isinstance(item, exp.PropertyEQ) and isinstance(item.this, exp.Identifier):
            item.this.set("quoted", True)
    return node


def _array_function(node: exp.Expression) -> exp.Expression:
    name, parameters = _ARRAY_FUNCTIONS[type(node)]
    arguments: list[exp.Expression] = []
    for parameter in parameters:
        value = node.args[parameter]
        arguments.extend(value if isinstance(value, list) else [value])
    return macros.call(name, *arguments)


# In the order in which they apply: a path becomes a cast before casts are looked at.
REWRITES: tuple[tuple[tuple[type[exp.Expression], ...], Callable[..., exp.Expression]], ...] = (
    ((exp.JSONExtract,), _path_as_text),
    ((exp.Coalesce,), _coalesce),
    ((exp.TryCast,), _try_timestamp),
    ((exp.Anonymous,), _try_timestamp_function),
    ((exp.Cast, exp.ToChar), _text_cast),
    ((exp.Typeof,), _typeof),
    ((exp.Struct,), _object_literal),
    (tuple(_ARRAY_FUNCTIONS), _array_function),
)
