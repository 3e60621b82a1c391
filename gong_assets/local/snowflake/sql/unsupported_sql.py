"""Checks for SQL that DuckDB runs but Snowflake rejects, so that such mistakes fail locally.

The list is not complete: it covers mistakes that were made during development.
"""

from __future__ import annotations

import re

from sqlglot import exp

from gong_assets.local.snowflake.errors import SnowflakeError

# sqlglot parses this function of other databases as LISTAGG.
_STRING_AGG = re.compile(r"\bstring_agg\s*\(", re.IGNORECASE)
_TEXT = re.compile(r"'(?:[^'\\]|''|\\.)*'|\$\$.*?\$\$", re.DOTALL)

# A VALUES clause takes constants only: https://docs.snowflake.com/en/sql-reference/constructs/values
_NOT_CONSTANT = (exp.ParseJSON, exp.Array, exp.Struct)
_SEMI_STRUCTURED = (exp.DataType.Type.VARIANT, exp.DataType.Type.OBJECT, exp.DataType.Type.ARRAY)


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
    for values in statement.find_all(exp.Values):
        for node in values.find_all(*_NOT_CONSTANT, exp.Cast):
            if not isinstance(node, exp.Cast) or node.to.is_type(*_SEMI_STRUCTURED):
                expression = node.sql(dialect="snowflake")
                raise SnowflakeError(
                    2014,
                    "22000",
                    f"SQL compilation error: Invalid expression [{expression}] in VALUES clause",
                )
    for cast in statement.find_all(exp.Cast):
        if cast.to.is_type(exp.DataType.Type.VECTOR) and cast.this.is_string:
            kind = cast.to.sql(dialect="snowflake")
            raise SnowflakeError(
                1044,
                "42P13",
                f"SQL compilation error: Invalid argument types for function 'CAST': (VARCHAR, {kind})",
            )
