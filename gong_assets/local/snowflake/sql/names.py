"""Names of databases, schemas and stages, which are parts of paths."""

from __future__ import annotations

import re

from sqlglot import exp

from gong_assets.local.snowflake.errors import SnowflakeError

# The schema of the macros. Calls use the full name, because the current database of a session is another one.
MACRO_SCHEMA = "memory.main"

_PLAIN = re.compile(r"[%\w$ -]+")


def require_plain_name(name: str) -> None:
    """Raise SnowflakeError unless ``name`` is safe in a path and in SQL text.

    Snowflake allows any character in a quoted name. The local server allows letters, digits, ``_``, ``$``,
    ``-`` and blanks.
    """
    if not _PLAIN.fullmatch(name):
        raise invalid_identifier(name)


def named_table(name: str) -> exp.Table:
    """Return the table of a name in a text; raises SnowflakeError for a call or a file in its place."""
    table = exp.to_table(name, dialect="snowflake")
    parts = {key: part for key, part in table.args.items() if part}
    if parts.keys() - {"this", "db", "catalog"} or not all(
        isinstance(part, exp.Identifier) for part in parts.values()
    ):
        raise SnowflakeError(1003, "42000", f"SQL compilation error: invalid identifier '{name}'")
    return table


def invalid_identifier(name: str) -> SnowflakeError:
    """Return the error of a name that Snowflake allows and the local server does not."""
    return SnowflakeError(
        1003, "42000", f"SQL compilation error: invalid identifier {name!r} on the local server"
    )
