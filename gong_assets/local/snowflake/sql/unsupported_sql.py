"""Checks for SQL that DuckDB runs but Snowflake rejects, so that such mistakes fail locally.

The list is not complete: it covers mistakes that were made during development.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sqlglot import exp

from gong_assets.local.snowflake.errors import SnowflakeError

# sqlglot parses this function of other databases as LISTAGG.
_STRING_AGG = re.compile(r"\bstring_agg\s*\(", re.IGNORECASE)
_TEXT = re.compile(r"'(?:[^'\\]|''|\\.)*'|\$\$.*?\$\$", re.DOTALL)

# A VALUES clause takes constants only: https://docs.snowflake.com/en/sql-reference/constructs/values
_NOT_CONSTANT = (exp.ParseJSON, exp.Array, exp.Struct)
_SEMI_STRUCTURED = (exp.DataType.Type.VARIANT, exp.DataType.Type.OBJECT, exp.DataType.Type.ARRAY)

_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*", re.IGNORECASE)


def reject_unsupported(sql: str, statement: exp.Expression) -> None:
    """Raise SnowflakeError if ``statement`` contains SQL that Snowflake rejects."""
    if _STRING_AGG.search(sql) and _STRING_AGG.search(_TEXT.sub("''", sql)):
        raise SnowflakeError(
            2140, "42601", "SQL compilation error: Unknown function STRING_AGG (use LISTAGG)"
        )
    if isinstance(statement, exp.Create) and statement.kind == "INDEX":
        raise SnowflakeError(
            391420, "0A000", "SQL compilation error: an index can be created on a hybrid table only"
        )
    # One walk of the tree, because each takes time.
    for node in statement.find_all(exp.Values, exp.Cast, exp.Coalesce, exp.If, exp.Case, exp.SetOperation):
        if isinstance(node, exp.Values):
            _reject_variants(node)
        elif isinstance(node, exp.Cast):
            _reject_text_as_vector(node)
        else:
            for values in _alternatives(node):
                _require_numbers(values)


def _reject_variants(values: exp.Values) -> None:
    for node in values.find_all(*_NOT_CONSTANT, exp.Cast):
        if not isinstance(node, exp.Cast) or node.to.is_type(*_SEMI_STRUCTURED):
            expression = node.sql(dialect="snowflake")
            raise SnowflakeError(
                2014, "22000", f"SQL compilation error: Invalid expression [{expression}] in VALUES clause"
            )


def _reject_text_as_vector(cast: exp.Cast) -> None:
    if cast.to.is_type(exp.DataType.Type.VECTOR) and cast.this.is_string:
        kind = cast.to.sql(dialect="snowflake")
        raise SnowflakeError(
            1044,
            "42P13",
            f"SQL compilation error: Invalid argument types for function 'CAST': (VARCHAR, {kind})",
        )


def _alternatives(node: exp.Expression) -> Iterator[list[exp.Expression | None]]:
    """Yield the expressions of which the value of ``node``, or of one of its columns, is one."""
    if isinstance(node, exp.Coalesce):
        yield [node.this, *node.expressions]
    elif isinstance(node, exp.Case):
        yield [*(branch.args["true"] for branch in node.args["ifs"]), node.args.get("default")]
    elif isinstance(node, exp.If):
        yield [node.args["true"], node.args.get("false")]
    elif not isinstance(node.parent, exp.SetOperation):
        yield from map(list, zip(*_select_lists(node), strict=False))


def _select_lists(query: exp.Expression) -> Iterator[list[exp.Expression]]:
    """Yield the select lists of a set operation from left to right."""
    if isinstance(query, exp.SetOperation):
        yield from _select_lists(query.left)
        yield from _select_lists(query.right)
    elif isinstance(select := query.unnest(), exp.Select):
        yield [item.unalias() for item in select.expressions]


def _require_numbers(values: Iterable[exp.Expression | None]) -> None:
    """Raise SnowflakeError for a constant text beside a constant number, unless it is a number too.

    Snowflake converts it to the type of the number. DuckDB does so only if the text is the result, or
    converts the number.
    """
    constants = [value for value in values if isinstance(value, exp.Literal)]
    if all(value.is_string for value in constants):
        return
    for text in constants:
        if text.is_string and not _NUMBER.fullmatch(text.name):
            raise SnowflakeError(100038, "22018", f"Numeric value '{text.name}' is not recognized")
