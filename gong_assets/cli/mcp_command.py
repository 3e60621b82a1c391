"""The command `mcp`, which serves the agent functions to MCP clients."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from gong_assets.cli import output
from gong_assets.cli.errors import CommandError, warehouse_error_message
from gong_assets.cli.help import HelpGroup
from gong_assets.cli.interruption import EXIT_CODE, STOPPED
from gong_assets.cli.ports import LOOPBACK, listen
from gong_assets.security.http_requests import LOOPBACK_NAMES, Hosts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gong_assets.agents.oauth import OAuth
    from gong_assets.agents.tokens import Tokens
    from gong_assets.warehouse.connection import Warehouse

HOST, PORT = LOOPBACK, 8808
MCP_PATH = "/mcp"
TOKENS_FILE, AUDIT_FILE = "mcp_tokens.json", "mcp_audit.log"

WAITING = (
    "Waiting for an MCP client on the standard input. An MCP client starts this command itself (see "
    "docs/agents.md); --http starts a server that clients connect to. Stop with Ctrl-C."
)

NameArgument = Annotated[str, typer.Argument(help="Name of the token, such as that of its user.")]
HttpOption = Annotated[
    bool, typer.Option("--http", help="Serve streamable HTTP instead of the standard streams.")
]
HostOption = Annotated[
    str | None,
    typer.Option(
        show_default=HOST,
        help="With --http: the address to listen on. An address of the network needs a token (see "
        "`gong-assets mcp token add`) or --oauth-issuer.",
    ),
]
AllowHostOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="With --http: a host name by which clients reach this server, such as that of a proxy. May be "
        "repeated. On an address of the network, IP addresses and this machine's names are always allowed.",
    ),
]
PortOption = Annotated[
    int | None,
    typer.Option(min=1, max=65535, show_default=str(PORT), help="With --http: the port to listen on."),
]
IssuerOption = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="With --http: accept access tokens (JWT) of this OAuth authorization server. The URL is exactly "
        "that of their claim `iss`, and their audience must be --oauth-resource.",
    ),
]
ResourceOption = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        show_default="http://HOST:PORT/mcp on this machine",
        help="With --oauth-issuer: the URL by which clients reach this server, such as "
        "https://calls.acme.example/mcp. Its host is allowed.",
    ),
]
ScopeOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SCOPE",
        help="With --oauth-issuer: a scope that each access token needs. May be repeated.",
    ),
]
JwksOption = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        show_default="as in the metadata of the authorization server",
        help="With --oauth-issuer: the URL of its signing keys.",
    ),
]

mcp_app = typer.Typer(
    cls=HelpGroup,
    name="mcp",
    invoke_without_command=True,
    subcommand_metavar="",
)
token_app = typer.Typer(
    cls=HelpGroup, name="token", help="Bearer tokens for `gong-assets mcp --http`.", no_args_is_help=True
)
mcp_app.add_typer(token_app)


@mcp_app.callback()
def mcp(
    context: typer.Context,
    http: HttpOption = False,
    host: HostOption = None,
    port: PortOption = None,
    allow_host: AllowHostOption = None,
    oauth_issuer: IssuerOption = None,
    oauth_resource: ResourceOption = None,
    oauth_scope: ScopeOption = None,
    oauth_jwks_url: JwksOption = None,
) -> None:
    """Serve the questions of the other commands to AI agents as read-only MCP tools.

    An MCP client starts `gong-assets mcp` and communicates with it over the standard streams. With --http,
    one server accepts many clients at http://HOST:PORT/mcp; by default it listens on this machine only.
    http://HOST:PORT/health reports the connection to the warehouse. Once `gong-assets mcp token add` has
    added a token, or with --oauth-issuer, each request over HTTP needs a token. Requests are logged in
    GONG_ASSETS_HOME.
    """
    if context.invoked_subcommand is not None:
        return
    if not http and (host or port or allow_host or oauth_issuer):
        raise typer.BadParameter("--host, --port, --allow-host and --oauth-issuer require --http")
    if not oauth_issuer and (oauth_resource or oauth_scope or oauth_jwks_url):
        raise typer.BadParameter(
            "--oauth-resource, --oauth-scope and --oauth-jwks-url require --oauth-issuer"
        )
    address = _Address(host or HOST, port or PORT, tuple(allow_host or ())) if http else None
    oauth = None
    if address and oauth_issuer:
        oauth = _oauth(address, oauth_issuer, oauth_resource, tuple(oauth_scope or ()), oauth_jwks_url)
    _serve(address, oauth)


@dataclass(frozen=True)
class _Address:
    """Where to listen, and the names by which clients reach the server."""

    host: str
    port: int
    names: tuple[str, ...]

    @property
    def is_loopback(self) -> bool:
        return self.host in LOOPBACK_NAMES

    @property
    def origin(self) -> str:
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def _serve(address: _Address | None, oauth: OAuth | None) -> None:
    """Serve over HTTP at the address, or over the standard streams."""
    from gong_assets.agents import mcp_server
    from gong_assets.settings import load_settings
    from gong_assets.warehouse.connection import open_warehouse

    settings = load_settings()

    def warehouse() -> Warehouse:
        return open_warehouse(settings, query_tag="gong_assets mcp")

    try:
        if address:
            _serve_http(warehouse, settings.home, address, oauth)
        else:
            # A thread reads input until the client closes it, so the process cannot end in an orderly way.
            signal.signal(signal.SIGINT, _end)
            if sys.stdin.isatty():
                output.note(WAITING)
            mcp_server.serve_stdio(warehouse, warehouse_error_message)
    except KeyboardInterrupt:
        output.note(STOPPED)
        sys.exit(EXIT_CODE)


def _serve_http(
    warehouse: Callable[[], Warehouse], home: Path, address: _Address, oauth: OAuth | None
) -> None:
    from gong_assets.agents import mcp_server
    from gong_assets.agents.tokens import Tokens

    tokens = Tokens(home / TOKENS_FILE)
    is_open = not (tokens.created_at() or oauth)
    if is_open and not address.is_loopback:
        raise CommandError(
            f"everyone who can reach {address.host} could read the calls: add a token with "
            "`gong-assets mcp token add NAME`, name an authorization server with --oauth-issuer, or listen "
            "on this machine only"
        )
    names = (*address.names, *([urlsplit(oauth.resource).hostname or ""] if oauth else ()))
    hosts = Hosts.of_loopback(names) if address.is_loopback else Hosts.of_network((address.host, *names))
    app = mcp_server.build_app(
        warehouse,
        warehouse_error_message,
        hosts,
        tokens=None if is_open else tokens,
        oauth=oauth,
        audit_file=home / AUDIT_FILE,
    )
    with listen(address.host, address.port, option="--port") as listening:
        output.note(f"MCP server on {address.origin}{MCP_PATH}")
        mcp_server.serve_http(app, listening)


def _oauth(
    address: _Address, issuer: str, resource: str | None, scopes: tuple[str, ...], jwks_url: str | None
) -> OAuth:
    from gong_assets.agents.oauth import OAuth

    if resource is None and not address.is_loopback:
        raise typer.BadParameter("--oauth-issuer and an address of the network require --oauth-resource")
    try:
        return OAuth(issuer, resource or f"{address.origin}{MCP_PATH}", scopes, jwks_url)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


@token_app.command()
def add(name: NameArgument) -> None:
    """Add a token, and print it once. A running server that needs no token yet must be started again."""
    output.line(_tokens().add(name))


@token_app.command("list")
def list_tokens() -> None:
    """Show the names of the tokens, and when they were added."""
    for name, created_at in _tokens().created_at().items():
        output.line(f"{name}  {created_at}")


@token_app.command()
def revoke(name: NameArgument) -> None:
    """Delete a token. A running server rejects it at once."""
    _tokens().revoke(name)
    output.line(f"revoked {name}")


def _tokens() -> Tokens:
    from gong_assets.agents.tokens import Tokens
    from gong_assets.settings import load_settings

    return Tokens(load_settings().home / TOKENS_FILE)


def _end(*_: object) -> None:
    """End the process. Requests only read, so none leaves anything behind."""
    output.note(STOPPED)
    os._exit(EXIT_CODE)
