"""Values and names as the text of a statement, where they cannot be bound."""

from __future__ import annotations

import re


def literal(text: str) -> str:
    """Return the text as a string constant."""
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def identifier(name: str) -> str:
    """Return the name of an object, quoted if it is not a plain or a quoted one."""
    if re.fullmatch(r'[A-Za-z_][\w$]*|"(?:[^"]|"")+"', name):
        return name
    escaped = name.replace('"', '""')
    return f'"{escaped}"'
