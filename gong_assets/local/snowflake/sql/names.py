"""Names of databases, schemas and stages, which are parts of paths."""

from __future__ import annotations

import re

from gong_assets.local.snowflake.errors import SnowflakeError

_PLAIN = re.compile(r"[%\w$ -]+")


def require_plain_name(name: str) -> None:
    """Raise SnowflakeError unless ``name`` is safe in a path and in SQL text.

    Snowflake allows any character in a quoted name. The local server allows letters, digits, ``_``, ``$``,
    ``-`` and blanks.
    """
    if not _PLAIN.fullmatch(name):
        raise invalid_identifier(name)


def invalid_identifier(name: str) -> SnowflakeError:
    """Return the error of a name that Snowflake allows and the local server does not."""
    return SnowflakeError(
        1003, "42000", f"SQL compilation error: invalid identifier {name!r} on the local server"
    )
