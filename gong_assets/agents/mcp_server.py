"""MCP server that exposes the agent functions as tools, over stdio or streamable HTTP.

https://modelcontextprotocol.io. This is the only module that imports `mcp`, which the extra `mcp` installs.
It holds the protocol: schemas, one-line errors and the health endpoint. Nothing here prints, because over
stdio the protocol owns the standard output.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, cast

from pydantic import AnyHttpUrl, ValidationError

from gong_assets.agents.arguments import for_display, validation_message
from gong_assets.agents.errors import AgentError, McpNotInstalled
from gong_assets.agents.health import Health
from gong_assets.agents.http_access import Access, SignIn, audit_log
from gong_assets.agents.mcp_tools import INSTRUCTIONS, TITLES, Tools, description
from gong_assets.agents.oauth import AccessTokens, OAuth
from gong_assets.agents.tokens import Tokens
from gong_assets.security.http_requests import Hosts, KnownHosts
from gong_assets.security.logs import log_to_stderr
from gong_assets.security.texts import one_line
from gong_assets.warehouse.connection import Warehouse

try:
    import uvicorn
    from mcp.server import MCPServer
    from mcp.server.auth.routes import build_resource_metadata_url, create_protected_resource_routes
    from mcp.server.auth.settings import AuthSettings
    from mcp.server.mcpserver import Context as CallContext
    from mcp.server.mcpserver.exceptions import ToolError
    from mcp.server.transport_security import TransportSecuritySettings
    from mcp.types import CallToolResult, InputRequiredResult, ToolAnnotations
    from mcp.types import Tool as ToolSchema
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route
except ModuleNotFoundError as error:
    raise McpNotInstalled(
        f"the MCP server needs the package {error.name}: run `pip install 'gong_assets[mcp]'`"
    ) from error

if TYPE_CHECKING:
    import socket
    from pathlib import Path

PATH = "/mcp"
HEALTH_PATH = "/health"
METADATA_PATH = "/.well-known/oauth-protected-resource"
MAX_CONNECTIONS = 256

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
        return one_line(message)


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
    log_to_stderr()
    build_server(warehouse, explain).run("stdio")


def build_app(
    warehouse: Callable[[], Warehouse],
    explain: Explain,
    hosts: Hosts,
    *,
    tokens: Tokens | None,
    oauth: OAuth | None,
    audit_file: Path,
) -> KnownHosts:
    """Return the ASGI application of the server. It keeps no session between requests.

    Args:
        tokens: tokens that are accepted, or None.
        oauth: authorization server whose access tokens are accepted, or None. Without both, every request is
            answered.
        audit_file: receives a line for each request.
    """
    app = build_server(warehouse, explain).streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        stateless_http=True,
        # KnownHosts is the check of hosts and origins.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    for route in app.router.routes:
        if isinstance(route, Route) and route.path == PATH:
            # Without sessions, the stream that GET opens has no messages, and takes up a concurrent request.
            route.methods = {"POST"}
    open_paths, sign_in = [HEALTH_PATH], SignIn(tokens)
    if oauth:
        metadata_url, routes = _resource_metadata(oauth)
        app.router.routes.extend(routes)
        open_paths += [route.path for route in routes]
        sign_in = SignIn(tokens, AccessTokens(oauth), metadata_url)
    access = Access(app, sign_in, audit_log(audit_file), open_paths=tuple(open_paths))
    return KnownHosts(access, hosts)


def _resource_metadata(oauth: OAuth) -> tuple[str, list[Route]]:
    """Return the URL of the metadata that name the authorization server (RFC 9728), and their routes."""
    # These settings keep the URLs as they are: a client compares the issuer exactly.
    urls = AuthSettings(
        issuer_url=oauth.issuer, resource_server_url=oauth.resource, validate_token_resource=False
    )
    resource = cast(AnyHttpUrl, urls.resource_server_url)
    routes = create_protected_resource_routes(
        resource, [urls.issuer_url], list(oauth.scopes) or None, resource_name="Sales calls"
    )
    # Clients without the header of a 401 look here too.
    routes.append(Route(METADATA_PATH, routes[0].endpoint, methods=["GET", "OPTIONS"]))
    return str(build_resource_metadata_url(resource)), routes


def serve_http(app: KnownHosts, listening: socket.socket) -> None:
    """Serve any number of clients on a bound socket until the process is stopped."""
    log_to_stderr()
    config = uvicorn.Config(app, log_level="warning", log_config=None, limit_concurrency=MAX_CONNECTIONS)
    uvicorn.Server(config).run(sockets=[listening])
