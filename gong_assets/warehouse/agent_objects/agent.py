"""The Cortex Agent and the MCP server that exposes it.

https://docs.snowflake.com/en/sql-reference/sql/create-agent
https://docs.snowflake.com/en/sql-reference/sql/create-mcp-server
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml  # type: ignore[import-untyped]

from gong_assets.warehouse import cortex_search
from gong_assets.warehouse.agent_objects import declaration as declared
from gong_assets.warehouse.agent_objects import semantic_view
from gong_assets.warehouse.literals import literal

AGENT = "GONG_AGENT"
MCP_SERVER = "GONG_MCP_SERVER"

# Names of the tools in the instructions.
_ANALYST, _SEARCH = "figures", "statements"
_MAX_RESULTS = 10


@dataclass(frozen=True)
class Agent:
    """Desired state of the agent.

    Attributes:
        place: database and schema of the agent, the semantic view and the search service.
        questions: sample questions.
        searches: whether it has the search service as a tool.
    """

    place: str
    questions: tuple[str, ...]
    searches: bool

    kind = "AGENT"
    name = AGENT

    @property
    def specification(self) -> dict[str, Any]:
        instructions = [declared.ANALYST_INSTRUCTIONS]
        tools = [_tool("cortex_analyst_text_to_sql", _ANALYST, declared.ANALYST_DESCRIPTION)]
        resources: dict[str, Any] = {_ANALYST: {"semantic_view": f"{self.place}.{semantic_view.NAME}"}}
        if self.searches:
            instructions.append(declared.SEARCH_INSTRUCTIONS)
            tools.append(_tool("cortex_search", _SEARCH, declared.SEARCH_DESCRIPTION))
            resources[_SEARCH] = {
                "search_service": f"{self.place}.{cortex_search.NAME}",
                "max_results": _MAX_RESULTS,
                "id_column": "TRANSCRIPT_ID",
                "title_column": "CALL_ID",
            }
        return {
            "models": {"orchestration": "auto"},
            "orchestration": {"budget": declared.BUDGET},
            "instructions": {
                "response": declared.RESPONSE_INSTRUCTIONS,
                "orchestration": " ".join(instructions),
                "sample_questions": [{"question": question} for question in self.questions],
            },
            "tools": tools,
            "tool_resources": resources,
        }

    def definition(self, comment: str) -> str:
        """Return the text after CREATE AGENT."""
        text = literal(f"{declared.AGENT_COMMENT} {comment}".strip())
        return (
            f"{self.place}.{AGENT}\nCOPY GRANTS\nCOMMENT = {text}\n"
            f"FROM SPECIFICATION\n{_quoted(self.specification)}"
        )


@dataclass(frozen=True)
class McpServer:
    """Desired state of the MCP server. It has one tool: the agent."""

    place: str

    kind = "MCP SERVER"
    name = MCP_SERVER

    @property
    def specification(self) -> dict[str, Any]:
        tool = {
            "name": "sales_calls",
            "type": "CORTEX_AGENT_RUN",
            "identifier": f"{self.place}.{AGENT}",
            "title": declared.MCP_TITLE,
            "description": declared.AGENT_COMMENT,
        }
        return {"tools": [tool]}

    def definition(self) -> str:
        """Return the text after CREATE MCP SERVER, which has no comment."""
        return f"{self.place}.{MCP_SERVER}\nFROM SPECIFICATION {_quoted(self.specification)}"


def _tool(kind: str, name: str, description: str) -> dict[str, Any]:
    return {"tool_spec": {"type": kind, "name": name, "description": description}}


def _quoted(specification: Mapping[str, Any]) -> str:
    text: str = yaml.safe_dump(dict(specification), sort_keys=False, allow_unicode=True, width=100)
    return f"$$\n{text}$$"
