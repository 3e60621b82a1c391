"""Dates and timestamps: conversion from and to text, numbers and each other.

https://docs.snowflake.com/en/sql-reference/functions/to_timestamp
https://docs.snowflake.com/en/sql-reference/date-time-input-output
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlglot import exp

from gong_assets.local.snowflake.sql import macros
from gong_assets.local.snowflake.sql.rewriter import Rewrite
from gong_assets.local.snowflake.sql.variant import is_text

NTZ_TYPES = (exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPNTZ)
TZ_TYPES = (exp.DataType.Type.TIMESTAMPTZ, exp.DataType.Type.TIMESTAMPLTZ)

# The macro of each conversion, and that of its TRY_ variant.
_CASTS: dict[exp.DataType.Type, tuple[str, str]] = {
    exp.DataType.Type.DATE: ("_date", "_try_date"),
    **dict.fromkeys(NTZ_TYPES, ("_timestamp", "_try_timestamp")),
    **dict.fromkeys(TZ_TYPES, ("_timestamp_tz", "_try_timestamp_tz")),
}
_FUNCTIONS = {
    "TO_DATE": "_date", "TRY_TO_DATE": "_try_date",
    "TO_TIMESTAMP": "_timestamp", "TRY_TO_TIMESTAMP": "_try_timestamp",
    "TO_TIMESTAMP_NTZ": "_timestamp", "TRY_TO_TIMESTAMP_NTZ": "_try_timestamp",
    "TO_TIMESTAMP_TZ": "_timestamp_tz", "TRY_TO_TIMESTAMP_TZ": "_try_timestamp_tz",
    "TO_TIMESTAMP_LTZ": "_timestamp_tz", "TRY_TO_TIMESTAMP_LTZ": "_try_timestamp_tz",
}  # fmt: skip

# The same conversions of what is certainly a text.
_OF_TEXTS = {
    "_try_date": "_date_text",
    "_try_timestamp": "_timestamp_text",
    "_try_timestamp_tz": "_timestamp_tz_text",
}

_CONVERSIONS = {name for pair in _CASTS.values() for name in pair} | set(_OF_TEXTS.values())
_DUCKDB_TYPES = {"_date": "DATE", "_timestamp": "TIMESTAMP", "_timestamp_tz": "TIMESTAMPTZ"}
_UNITS_OF_DAYS = {"DAY", "WEEK", "MONTH", "QUARTER", "YEAR"}

# DuckDB converts these without a macro, which keeps the statements short.
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")

# https://docs.snowflake.com/en/sql-reference/functions-conversion#label-date-time-format-conversion
_FORMAT_ELEMENT = re.compile(r'"([^"]*)"|YYYY|YY|MMMM|MON|MM|DD|DY|HH24|HH12|AM|PM|MI|SS|FF\d?|TZ[HM]', re.I)
_STRFTIME = {
    "YYYY": "%Y", "YY": "%y", "MMMM": "%B", "MON": "%b", "MM": "%m", "DD": "%d", "DY": "%a", "HH24": "%H",
    "HH12": "%I", "AM": "%p", "PM": "%p", "MI": "%M", "SS": "%S", "FF": "%n", "FF9": "%n", "FF6": "%f",
    "FF3": "%g", "FF0": "",
}  # fmt: skip


def strftime_format(text: str) -> str:
    """Return DuckDB's format for Snowflake's; raises NotImplementedError for an unsupported element."""
    parts, end = [], 0
    for element in _FORMAT_ELEMENT.finditer(text):
        parts.append(text[end : element.start()].replace("%", "%%"))
        if element.group(1) is not None:
            parts.append(element.group(1).replace("%", "%%"))
        elif (code := _STRFTIME.get(element.group().upper())) is not None:
            parts.append(code)
        else:
            raise NotImplementedError(f"the format element {element.group()}")
        end = element.end()
    return "".join([*parts, text[end:].replace("%", "%%")])


def _to_char(node: exp.ToChar) -> exp.Expression:
    """Apply the format, which sqlglot drops unless the operand is a cast."""
    text = node.args.get("format")
    if not isinstance(text, exp.Literal):
        return node
    code = exp.Literal.string(strftime_format(text.name))
    return exp.Anonymous(this="STRFTIME", expressions=[node.this.copy(), code])


def _time_to_str(node: exp.TimeToStr) -> exp.Expression:
    """Correct the format of TO_CHAR of a cast: sqlglot reads a lower-case dd and dy as other elements."""
    code = node.args["format"]
    if isinstance(code, exp.Literal):
        code.set("this", code.name.replace("%-d", "%d").replace("%w", "%a"))
    return node


def _cast(node: exp.Cast | exp.TryCast) -> exp.Expression:
    if node.to.this not in _CASTS or node.args.get("format") or isinstance(node.this, exp.Null):
        return node
    name, try_name = _CASTS[node.to.this]
    operand = node.this.copy()
    if isinstance(node, exp.TryCast):
        return _tried(try_name, operand)
    if name == "_date" and isinstance(operand, exp.Literal) and _ISO_DATE.fullmatch(operand.name):
        return node
    return _converted(name, operand)


# LOCALTIMESTAMP is a synonym, also in its type.
_CURRENT_TIMESTAMPS = (exp.CurrentTimestamp, exp.Localtimestamp)

# Expressions with the type of their first operand.
_SAME_TYPE = (
    exp.Paren, exp.Window, exp.IgnoreNulls, exp.Max, exp.Min, exp.ArgMax, exp.ArgMin, exp.AnyValue,
    exp.FirstValue, exp.LastValue, exp.Lag, exp.Lead, exp.Nullif, exp.TimestampTrunc, exp.DateTrunc,
)  # fmt: skip


def _is_temporal(node: exp.Expression) -> bool:
    """Return True for an expression that is certainly a date or timestamp.

    Its conversion needs no macro, whose copies of the operand multiply in nested calls.
    """
    if isinstance(node, _SAME_TYPE):
        return _is_temporal(node.this)
    if isinstance(node, exp.Coalesce | exp.Greatest | exp.Least):
        return _are_temporal([node.this, *node.expressions])
    if isinstance(node, exp.If):
        return _are_temporal([node.args["true"], node.args.get("false")])
    if isinstance(node, exp.Case):
        results = [branch.args["true"] for branch in node.args["ifs"]]
        return _are_temporal([*results, node.args.get("default")])
    if isinstance(node, exp.Anonymous):
        name = node.name.removeprefix(macros.call("_date").name.removesuffix("_date"))
        return name in _CONVERSIONS or (name == "CAST_TO_TYPE" and _is_temporal(node.expressions[1]))
    if isinstance(node, exp.Cast):
        return node.to.this in _CASTS
    return isinstance(node, (exp.ConvertTimezone, exp.CurrentDate, *_CURRENT_TIMESTAMPS))


def _are_temporal(nodes: Iterable[exp.Expression | None]) -> bool:
    """Return True if one of them is temporal, and all others too, or NULL or a literal of its type."""
    known = [node for node in nodes if not (node is None or isinstance(node, exp.Null | exp.Literal))]
    return bool(known) and all(map(_is_temporal, known))


def _tried(name: str, operand: exp.Expression) -> exp.Expression:
    """Return the conversion of an operand that has to be a text, or NULL if it fails."""
    return macros.call(_OF_TEXTS[name] if is_text(operand) else name, operand)


def _converted(name: str, operand: exp.Expression, scale: exp.Expression | None = None) -> exp.Expression:
    if _is_temporal(operand):
        return exp.cast(operand, exp.DataType(this=exp.DataType.Type.USERDEFINED, kind=_DUCKDB_TYPES[name]))
    scales = [] if name == "_date" else [scale.copy() if scale else exp.Literal.number(0)]
    return macros.call(name, operand, *scales)


def _function(node: exp.Anonymous) -> exp.Expression:
    name = _FUNCTIONS.get(node.name.upper())
    if name is None:
        return node
    operand, *others = node.expressions
    if name.startswith("_try"):
        if others:
            raise NotImplementedError(f"{node.name} with a format")
        return _tried(name, operand.copy())
    return _converted(name, operand.copy(), others[0] if others else None)


def _to_date(node: exp.TsOrDsToDate) -> exp.Expression:
    if node.args.get("format"):
        return node
    operand = node.this.copy()
    return _tried("_try_date", operand) if node.args.get("safe") else _converted("_date", operand)


def _from_number(node: exp.UnixToTime) -> exp.Expression:
    kind = node.args.get("target_type")
    name = "_timestamp_tz" if kind is not None and kind.this in TZ_TYPES else "_timestamp"
    return _converted(name, node.this.copy(), node.args.get("scale"))


def _same_type(node: exp.Expression) -> exp.Expression:
    """Return a DATE from DATEADD and DATE_TRUNC of a DATE, where DuckDB returns a TIMESTAMP."""
    if isinstance(node.this, exp.Literal | exp.Null) or node.text("unit").upper() not in _UNITS_OF_DAYS:
        return node
    return exp.Anonymous(this="CAST_TO_TYPE", expressions=[node.copy(), node.this.copy()])


def _current(node: exp.Expression) -> exp.Expression:
    """Call a function of DuckDB, where a CURRENT_DATE without parentheses may also be a column or alias."""
    if isinstance(node, exp.CurrentDate):
        return exp.Anonymous(this="TODAY")
    if isinstance(node, exp.Localtime):
        return exp.Anonymous(this="CURRENT_LOCALTIME")
    now = exp.Anonymous(this="NOW")
    return exp.AtTimeZone(this=now, zone=exp.Literal.string("UTC")) if node.args.get("sysdate") else now


REWRITES = (
    Rewrite((exp.DateAdd, exp.TimestampTrunc, exp.DateTrunc), _same_type),
    Rewrite((exp.Anonymous,), _function),
    Rewrite((exp.TsOrDsToDate,), _to_date),
    Rewrite((exp.UnixToTime,), _from_number),
    Rewrite((exp.ToChar,), _to_char),
    Rewrite((exp.TimeToStr,), _time_to_str),
    Rewrite((exp.TryCast, exp.Cast), _cast),
    Rewrite((exp.CurrentDate, exp.Localtime, *_CURRENT_TIMESTAMPS), _current),
)
