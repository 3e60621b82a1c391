"""MCP server that exposes the agent functions as tools, over stdio or streamable HTTP.

https://modelcontextprotocol.io. This is the only module that imports `mcp`, which the extra `mcp` installs.
It holds the protocol: schemas, one-line errors and the health endpoint. Nothing here prints, because over
stdio the protocol owns the standard output.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from gong_assets.agents.arguments import for_display, validation_message
from gong_assets.agents.errors import AgentError, McpNotInstalled
from gong_assets.agents.health import Health
from gong_assets.agents.host_check import KnownHosts
from gong_assets.agents.http_access import Access, audit_log
from gong_assets.agents.mcp_tools import INSTRUCTIONS, TITLES, Tools, description
from gong_assets.agents.tokens import Tokens
from gong_assets.warehouse.connection import Warehouse

try:
    import uvicorn
    from mcp.server import MCPServer
    from mcp.server.mcpserver import Context as CallContext
    from mcp.server.mcpserver.exceptions import ToolError
    from mcp.types import CallToolResult, InputRequiredResult, ToolAnnotations
    from mcp.types import Tool as ToolSchema
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request
    from starlette.responses import JSONResponse
except ModuleNotFoundError as error:
    raise McpNotInstalled(
        f"the MCP server needs the package {error.name}: run `pip install 'gong_assets[mcp]'`"
    ) from error

if TYPE_CHECKING:
    import socket
    from pathlib import Path

PATH = "/mcp"
HEALTH_PATH = "/health"

_READ_ONLY = {
    "read_only_hint": True,
    "destructive_hint": False,
    "idempotent_hint": True,
    "open_world_hint": False,
}

# Returns the message for an expected error of the warehouse, or None for an unexpected one.
Explain = Callable[[Exception], str | None]


class _Server(MCPServer[Any]):
    """Server whose tool errors are one line, whichever layer raises them."""

    explain: Explain

    async def list_tools(self) -> list[ToolSchema]:
        """List the tools with schemas that allow no other arguments (see `call_tool`)."""
        return [
            tool.model_copy(update={"input_schema": {**tool.input_schema, "additionalProperties": False}})
            for tool in await super().list_tools()
        ]

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: CallContext[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool, whose arguments are as good as omitted if they are null.

        Reject unknown arguments: the base class drops a misspelt filter silently.
        """
        known = {tool.name: tool.input_schema["properties"] for tool in await self.list_tools()}
        if name in known and (unknown := sorted(arguments.keys() - known[name].keys())):
            raise ToolError(
                f"{name} has no argument {for_display(unknown[0])}; "
                f"its arguments are {', '.join(known[name])}"
            )
        given = {argument: value for argument, value in arguments.items() if value is not None}
        try:
            return await super().call_tool(name, given, context)
        except ToolError as error:
            if (message := self._message(error)) is None:
                raise
            raise ToolError(message) from error.__cause__

    def _message(self, error: ToolError) -> str | None:
        """Return the line that the client reads, or None for a bug."""
        cause = error.__cause__
        if cause is None:
            return for_display(str(error))
        if isinstance(cause, ValidationError):
            return validation_message(cause)
        if isinstance(cause, AgentError):
            return str(cause)
        message = self.explain(cause) if isinstance(cause, Exception) else None
        if message is None:
            return None
        logging.getLogger(__name__).warning("%s", cause)
        return " ".join(message.split())


def build_server(warehouse: Callable[[], Warehouse], explain: Explain) -> MCPServer[Any]:
    """Return the server with its tools.

    `warehouse` is called once per request. `explain` returns the message for an expected error of the
    warehouse, or None for an unexpected one.
    """
    server = _Server(
        "gong-assets",
        title="Sales calls",
        instructions=INSTRUCTIONS,
        version=version("gong_assets"),
        log_level="WARNING",
    )
    server.explain = explain
    tools = Tools(warehouse)
    for name, title in TITLES.items():
        tool = getattr(tools, name)
        server.add_tool(
            tool,
            title=title,
            description=description(tool),
            annotations=ToolAnnotations(title=title, **_READ_ONLY),
            # Otherwise each answer is sent twice: as text and as structured content.
            structured_output=False,
        )
    health = Health(warehouse, explain)

    @server.custom_route(HEALTH_PATH, methods=["GET"])
    async def report_health(request: Request) -> JSONResponse:
        return JSONResponse(await run_in_threadpool(health.report))

    return server


def serve_stdio(warehouse: Callable[[], Warehouse], explain: Explain) -> None:
    """Serve one client over the standard streams until it closes them."""
    _log_to_stderr()
    build_server(warehouse, explain).run("stdio")


def serve_http(
    warehouse: Callable[[], Warehouse],
    explain: Explain,
    listening: socket.socket,
    host: str,
    allowed_hosts: Sequence[str] = (),
    *,
    tokens: Tokens | None,
    audit_file: Path,
) -> None:
    """Serve any number of clients on a bound socket until the process is stopped.

    The server keeps no session between requests. It rejects requests with an unknown host name or another
    origin, so that no web page in a browser can reach it. On a loopback host only loopback names are known.

    Args:
        tokens: the tokens of which each request needs one; None to answer every request.
        audit_file: receives a line for each request.
    """
    _log_to_stderr()
    server = build_server(warehouse, explain).streamable_http_app(
        streamable_http_path=PATH, json_response=True, stateless_http=True, host=host
    )
    access = Access(server, tokens, audit_log(audit_file), open_paths=(HEALTH_PATH,))
    app = KnownHosts(access, (host, *allowed_hosts))
    uvicorn.Server(uvicorn.Config(app, log_level="warning", log_config=None)).run(sockets=[listening])


def _log_to_stderr() -> None:
    """Log each warning on one line; the default handler of `mcp` wraps lines for a terminal."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s"
    )
