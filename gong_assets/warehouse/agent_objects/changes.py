"""Creates the objects, and replaces those whose definition changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from gong_assets.warehouse.agent_objects.agent import Agent, McpServer
from gong_assets.warehouse.agent_objects.semantic_view import SemanticView
from gong_assets.warehouse.connection import fetch

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

AgentObject = SemanticView | Agent | McpServer
Change = Literal["created", "replaced", "kept"]


def marker(wanted: SemanticView | Agent) -> str:
    """Return the end of the comment, by which a changed definition is found."""
    digest = hashlib.sha256(wanted.definition("").encode()).hexdigest()[:16]
    return f"Made by gong_assets, definition {digest}"


def definition(wanted: AgentObject) -> str:
    """Return the text after CREATE and the kind of the object."""
    return wanted.definition() if isinstance(wanted, McpServer) else wanted.definition(marker(wanted))


def apply(connection: SnowflakeConnection, wanted: AgentObject, grants: Iterable[str] = ()) -> Change:
    """Create the object, or replace it if its definition changed, and run the statements that grant it.

    Each run grants it again, because a replaced MCP server has lost its grants.
    """
    before = _existing(connection, wanted)
    change: Change = "kept"
    if before is None:
        fetch(connection, f"CREATE {wanted.kind} {definition(wanted)}")
        change = "created"
    elif not _is_current(connection, wanted, before):
        fetch(connection, f"CREATE OR REPLACE {wanted.kind} {definition(wanted)}")
        change = "replaced"
    for grant in grants:
        fetch(connection, grant)
    return change


def _existing(connection: SnowflakeConnection, wanted: AgentObject) -> dict[str, Any] | None:
    """Return the row of SHOW for the object, by lower-case column, or None."""
    for row in _rows(connection, f"SHOW {wanted.kind}S LIKE '{wanted.name}' IN SCHEMA {wanted.place}"):
        if row["name"] == wanted.name:  # LIKE may match other names, because `_` is a wildcard.
            return row
    return None


def _is_current(connection: SnowflakeConnection, wanted: AgentObject, existing: dict[str, Any]) -> bool:
    if not isinstance(wanted, McpServer):
        return str(existing["comment"] or "").endswith(marker(wanted))
    (described,) = _rows(connection, f"DESCRIBE MCP SERVER {wanted.place}.{wanted.name}")
    tools = json.loads(described["server_spec"])["tools"]
    # Snowflake's example of the answer lacks the descriptions, so only what is returned is compared.
    declared = wanted.specification["tools"]
    return len(tools) == len(declared) and all(
        tool[name] == there[name]
        for tool, there in zip(declared, tools, strict=True)
        for name in tool.keys() & there.keys()
    )


def _rows(connection: SnowflakeConnection, sql: str) -> list[dict[str, Any]]:
    return [{name.lower(): value for name, value in row.items()} for row in fetch(connection, sql)]
