"""What DuckDB would run and Snowflake refuses: known mistakes that must not wait for production to show.

It is not a complete list; it holds what has been written by mistake before.
"""

from __future__ import annotations

import re

from sqlglot import exp

from gong_assets.local.snowflake.errors import SnowflakeError

# A string function of other databases, which sqlglot reads as LISTAGG.
_STRING_AGG = re.compile(r"\bstring_agg\s*\(", re.IGNORECASE)
_TEXT = re.compile(r"'(?:[^'\\]|''|\\.)*'|\$\$.*?\$\$", re.DOTALL)


def refuse(sql: str, statement: exp.Expression) -> None:
    """Raise SnowflakeError if Snowflake would not compile ``statement``."""
    if _STRING_AGG.search(sql) and _STRING_AGG.search(_TEXT.sub("''", sql)):
        raise SnowflakeError(
            2140, "42601", "SQL compilation error: Unknown function STRING_AGG (use LISTAGG)"
        )
    if isinstance(statement, exp.Create) and statement.kind == "INDEX":
        raise SnowflakeError(
            391420, "0A000", "SQL compilation error: an index can be created on a hybrid table only"
        )
    # https://docs.snowflake.com/en/sql-reference/functions/to_variant: not in a VALUES clause.
    if any(values.find(exp.ParseJSON) for values in statement.find_all(exp.Values)):
        raise SnowflakeError(
            2014, "22000", "SQL compilation error: Invalid expression [PARSE_JSON(...)] in VALUES clause"
        )
