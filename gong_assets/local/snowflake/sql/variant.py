"""VARIANT, OBJECT and ARRAY expressions, which fakesnow stores as JSON and partly handles differently."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from gong_assets.local.snowflake.errors import SnowflakeError
from gong_assets.local.snowflake.sql import macros
from gong_assets.local.snowflake.sql.rewriter import Rewrite

_TEXT_TYPES = (exp.DataType.Type.VARCHAR, exp.DataType.Type.TEXT)

# Expressions whose value is always a text. TRIM is an anonymous function after its rewrite, as are others.
_TEXTS = (
    exp.ArrayToString, exp.Concat, exp.ConcatWs, exp.DPipe, exp.Initcap, exp.Left, exp.Lower, exp.MD5,
    exp.RegexpExtract, exp.RegexpReplace, exp.Replace, exp.Right, exp.SHA2, exp.SplitPart, exp.Substring,
    exp.Trim, exp.Upper,
)  # fmt: skip
_NAMES_OF_TEXTS = {"LEFT", "LTRIM", "RTRIM", "STRFTIME", "TRIM", macros.name("_variant_text")}

_ARRAY_FUNCTIONS: dict[type[exp.Expression], tuple[str, tuple[str, ...]]] = {
    exp.ArrayContains: ("_array_contains", ("this", "expression")),
    exp.ArrayToString: ("_array_to_string", ("this", "expression")),
    exp.ArrayDistinct: ("_array_distinct", ("this",)),
    exp.ArrayCompact: ("_array_compact", ("this",)),
    exp.ArrayConcat: ("_array_cat", ("this", "expressions")),
    exp.ArrayAppend: ("_array_append", ("this", "expression")),
    exp.ArrayPrepend: ("_array_prepend", ("this", "expression")),
    exp.Flatten: ("_array_flatten", ("this",)),
    exp.ArraySlice: ("_array_slice", ("this", "start", "end")),
    exp.ArrayExcept: ("_array_except", ("this", "expression")),
    exp.ArrayIntersect: ("_array_intersection", ("expressions",)),
    exp.ArrayOverlaps: ("_arrays_overlap", ("this", "expression")),
    exp.ArrayPosition: ("_array_position", ("this", "expression")),
    exp.ArrayRemove: ("_array_remove", ("this", "expression")),
    exp.ArrayInsert: ("_array_insert", ("this", "position", "expression")),
    exp.ArrayRemoveAt: ("_array_remove_at", ("this", "position")),
    exp.ArrayReverse: ("_array_reverse", ("this",)),
    exp.ArrayMax: ("_array_max", ("this",)),
    exp.ArrayMin: ("_array_min", ("this",)),
    exp.JSONKeys: ("_object_keys", ("this",)),
}


# Functions whose arguments may be VARIANTs.
VARIANT_FUNCTIONS = (*_ARRAY_FUNCTIONS, exp.ArraySize, exp.ObjectInsert)


def array(node: exp.Array) -> exp.Expression:
    """Rewrite [a, b] and ARRAY_CONSTRUCT(a, b) to JSON, because their elements may differ in type."""
    return exp.Anonymous(this="JSON_ARRAY", expressions=node.expressions)


def is_text(node: exp.Expression) -> bool:
    """Return True for an expression that is certainly a text, so that no macro has to ask for its type.

    DuckDB replaces a call of a macro by its body, with a copy of the argument for each mention. In nested
    calls the copies multiply.
    """
    if isinstance(node, exp.Cast):
        return node.to.this in _TEXT_TYPES
    if isinstance(node, exp.Literal):
        return bool(node.is_string)
    if isinstance(node, exp.Paren | exp.Nullif | exp.Max | exp.Min):
        return is_text(node.this)
    if isinstance(node, exp.Coalesce):
        return _are_texts([node.this, *node.expressions])
    if isinstance(node, exp.If):
        return _are_texts([node.args["true"], node.args.get("false")])
    if isinstance(node, exp.Case):
        return _are_texts([*(branch.args["true"] for branch in node.args["ifs"]), node.args.get("default")])
    if isinstance(node, exp.Anonymous):
        return node.name in _NAMES_OF_TEXTS
    return isinstance(node, _TEXTS)


def _are_texts(nodes: Iterable[exp.Expression | None]) -> bool:
    """Return True if all of them are texts or NULL, and at least one is a text."""
    known = [node for node in nodes if not (node is None or isinstance(node, exp.Null))]
    return bool(known) and all(map(is_text, known))


def _text_cast(node: exp.Cast | exp.ToChar) -> exp.Expression:
    """Make x::VARCHAR and TO_VARCHAR(x) of a VARIANT drop the quotes of a string, and x::VARIANT add them."""
    if isinstance(node, exp.ToChar):
        return node if node.args.get("format") else macros.call("_variant_text", node.this)
    operand = node.this
    if node.to.this == exp.DataType.Type.VARIANT and not isinstance(node, exp.TryCast):
        # 'a'::VARIANT is the JSON string "a"; a cast to JSON would parse it.
        return exp.Anonymous(this="TO_JSON", expressions=[operand])
    is_known = isinstance(operand, exp.Literal | exp.JSONExtract | exp.Bracket | exp.Null) or is_text(operand)
    if node.to.this in _TEXT_TYPES and not is_known:
        node.set("this", macros.call("_variant_text", operand.copy()))
    return node


def _text_only(node: exp.Expression) -> exp.Expression:
    """Let TRY_ functions fail for an operand that is no text. Dates and timestamps have their own macros."""
    is_try = isinstance(node, exp.TryCast) or node.args.get("safe")
    if is_try and not is_text(node.this) and not isinstance(node.this, exp.Null):
        node.set("this", macros.call("_text_only", node.this.copy()))
    return node


def _parse_json(node: exp.ParseJSON) -> exp.Expression:
    """Return NULL for a text without content, where DuckDB fails."""
    if isinstance(node.this, exp.Literal) and node.this.name.strip():
        return node
    blanks = exp.Literal.string(" \t\r\n")
    text = exp.Anonymous(this="TRIM", expressions=[node.this.copy(), blanks])
    node.set("this", exp.Nullif(this=text, expression=exp.Literal.string("")))
    return node


def _trim(node: exp.Trim) -> exp.Expression:
    """Keep the characters and the side of TRIM, which fakesnow drops."""
    name = {"LEADING": "LTRIM", "TRAILING": "RTRIM"}.get(str(node.args.get("position") or "").upper(), "TRIM")
    text = exp.cast(node.this.copy(), exp.DataType.Type.VARCHAR)
    characters = node.expression.copy() if node.expression else exp.Literal.string(" ")
    return exp.Anonymous(this=name, expressions=[text, characters])


def _length(node: exp.Length) -> exp.Expression:
    """Leave out the question for a BLOB, which sqlglot adds, if the operand is a text."""
    return exp.Anonymous(this="LENGTH", expressions=[node.this.copy()]) if is_text(node.this) else node


def _truncated(node: exp.Cast) -> exp.Expression:
    """Truncate a text in a cast to VARCHAR(n), because DuckDB ignores the length."""
    size = node.to.find(exp.DataTypeParam)
    is_table_column = isinstance(node.parent, exp.ColumnDef)
    if isinstance(node, exp.TryCast) or size is None or node.to.this not in _TEXT_TYPES or is_table_column:
        return node
    return exp.Anonymous(this="LEFT", expressions=[node.copy(), size.this.copy()])


def _compact(node: exp.ArrayConstructCompact) -> exp.Expression:
    items = exp.Anonymous(this="JSON_ARRAY", expressions=[item.copy() for item in node.expressions])
    return macros.call("_array_compact", items)


def _typeof(node: exp.Typeof) -> exp.Expression:
    return macros.call("_variant_type", node.this)


def _object(node: exp.Struct) -> exp.Expression:
    """Rewrite OBJECT_CONSTRUCT and {'key': value} to an expression, where fakesnow has a subquery."""
    pairs = []
    for item in node.expressions:
        if not isinstance(item, exp.PropertyEQ):
            return node
        key = (
            exp.Literal.string(item.this.name) if isinstance(item.this, exp.Identifier) else item.this.copy()
        )
        pairs.append(macros.call("_pair", key, item.expression.copy()))
    return macros.call("_object", exp.Anonymous(this="LIST_VALUE", expressions=pairs))


def _array_function(node: exp.Expression) -> exp.Expression:
    name, parameters = _ARRAY_FUNCTIONS[type(node)]
    arguments: list[exp.Expression] = []
    for parameter in parameters:
        value = node.args[parameter]
        arguments.extend(value if isinstance(value, list) else [value])
    return macros.call(name, *arguments)


def _array_sort(node: exp.SortArray) -> exp.Expression:
    """Place NULLs last in ascending order and first in descending order, unless the call says otherwise."""
    ascending = node.args.get("asc") or exp.true()
    nulls_first = node.args.get("nulls_first") or exp.Not(this=exp.paren(ascending.copy()))
    return macros.call("_array_sort", node.this, ascending, nulls_first)


def _arrays_zip(node: exp.ArraysZip) -> exp.Expression:
    return macros.call("_arrays_zip", _json_list(node.expressions))


def _json_list(items: Iterable[exp.Expression]) -> exp.Expression:
    """Return a list of the JSON of ``items``, whose types may differ."""
    values = [exp.Anonymous(this="TO_JSON", expressions=[item.copy()]) for item in items]
    return exp.Anonymous(this="LIST_VALUE", expressions=values)


def _object_insert(node: exp.ObjectInsert) -> exp.Expression:
    is_update = node.args.get("update_flag") or exp.false()
    return macros.call("_object_insert", node.this, node.args["key"], node.args["value"], is_update)


def _named_function(node: exp.Anonymous) -> exp.Expression:
    """Rewrite a function that sqlglot does not know."""
    name = node.name.upper()
    if name not in ("ARRAYS_TO_OBJECT", "OBJECT_DELETE", "OBJECT_PICK"):
        return node
    if len(node.expressions) < 2:
        raise SnowflakeError(
            938, "22023", f"SQL compilation error: not enough arguments for function [{name}], expected 2"
        )
    source, *others = node.expressions
    if name == "ARRAYS_TO_OBJECT":
        return macros.call("_arrays_to_object", source, *others)
    return macros.call(f"_{name.lower()}", source, _json_list(others))


def _generate_range(node: exp.GenerateSeries) -> exp.Expression:
    step = node.args.get("step") or exp.Literal.number(1)
    return macros.call("_array_generate_range", node.args["start"], node.args["end"], step)


REWRITES = (
    Rewrite((exp.TryCast, exp.ToNumber, exp.ToDouble, exp.ToBoolean), _text_only),
    Rewrite((exp.ParseJSON,), _parse_json),
    Rewrite((exp.Length,), _length),
    Rewrite((exp.Trim,), _trim),
    Rewrite((exp.Cast, exp.ToChar), _text_cast),
    Rewrite((exp.Cast,), _truncated),
    Rewrite((exp.ArrayConstructCompact,), _compact),
    Rewrite((exp.Typeof,), _typeof),
    Rewrite((exp.Struct,), _object),
    Rewrite(tuple(_ARRAY_FUNCTIONS), _array_function),
    Rewrite((exp.SortArray,), _array_sort),
    Rewrite((exp.GenerateSeries,), _generate_range),
    Rewrite((exp.ArraysZip,), _arrays_zip),
    Rewrite((exp.ObjectInsert,), _object_insert),
    Rewrite((exp.Anonymous,), _named_function),
)
