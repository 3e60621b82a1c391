"""The command `mcp`, which serves the agent functions to MCP clients."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from gong_assets.cli import output
from gong_assets.cli.errors import INTERRUPTED, CommandError, warehouse_error_message
from gong_assets.cli.ports import LOOPBACK, listen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gong_assets.agents.tokens import Tokens
    from gong_assets.warehouse.connection import Warehouse

HOST, PORT = LOOPBACK, 8808
TOKENS_FILE, AUDIT_FILE = "mcp_tokens.json", "mcp_audit.log"
LOOPBACK_HOSTS = (HOST, "localhost", "::1")

WAITING = (
    "Waiting for an MCP client on the standard input. An MCP client starts this command itself (see "
    "docs/agents.md); --http starts a server that clients connect to. Stop with Ctrl-C."
)
STOPPED = "Stopped."

NameArgument = Annotated[str, typer.Argument(help="Name of the token, such as that of its user.")]
HttpOption = Annotated[
    bool, typer.Option("--http", help="Serve streamable HTTP instead of the standard streams.")
]
HostOption = Annotated[
    str | None,
    typer.Option(
        show_default=HOST,
        help="With --http: the address to listen on. An address of the network needs a token: see "
        "`gong-assets mcp token add`.",
    ),
]
AllowHostOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="With --http and an address of the network: a host name by which clients reach this server, "
        "such as that of a proxy. IP addresses and this machine's names are always allowed. May be repeated.",
    ),
]
PortOption = Annotated[
    int | None,
    typer.Option(min=1, max=65535, show_default=str(PORT), help="With --http: the port to listen on."),
]


mcp_app = typer.Typer(
    name="mcp",
    invoke_without_command=True,
    subcommand_metavar="",
)
token_app = typer.Typer(
    name="token", help="Bearer tokens for `gong-assets mcp --http`.", no_args_is_help=True
)
mcp_app.add_typer(token_app)


@mcp_app.callback()
def mcp(
    context: typer.Context,
    http: HttpOption = False,
    host: HostOption = None,
    port: PortOption = None,
    allow_host: AllowHostOption = None,
) -> None:
    """Serve the questions of the other commands to AI agents as read-only MCP tools.

    An MCP client starts `gong-assets mcp` and communicates with it over the standard streams. With --http,
    one server accepts many clients at http://HOST:PORT/mcp; by default it listens on this machine only.
    http://HOST:PORT/health reports the connection to the warehouse. Once `gong-assets mcp token add` has
    added a token, each request over HTTP needs one. Requests are logged in GONG_ASSETS_HOME.
    """
    if context.invoked_subcommand is not None:
        return
    from gong_assets.agents import mcp_server
    from gong_assets.settings import load_settings
    from gong_assets.warehouse.connection import open_warehouse

    if not http and (host or port or allow_host):
        raise typer.BadParameter("--host, --port and --allow-host require --http")
    settings = load_settings()

    def warehouse() -> Warehouse:
        return open_warehouse(settings, query_tag="gong_assets mcp")

    try:
        if http:
            _serve_http(warehouse, settings.home, host or HOST, port or PORT, allow_host or ())
        else:
            # A thread reads input until the client closes it, so the process cannot end in an orderly way.
            signal.signal(signal.SIGINT, _end)
            if sys.stdin.isatty():
                output.note(WAITING)
            mcp_server.serve_stdio(warehouse, warehouse_error_message)
    except KeyboardInterrupt:
        output.note(STOPPED)
        raise typer.Exit(INTERRUPTED) from None


def _serve_http(
    warehouse: Callable[[], Warehouse], home: Path, host: str, port: int, names: Sequence[str]
) -> None:
    from gong_assets.agents import mcp_server
    from gong_assets.agents.tokens import Tokens

    tokens = Tokens(home / TOKENS_FILE)
    is_open = not tokens.created_at()
    if is_open and host not in LOOPBACK_HOSTS:
        raise CommandError(
            f"everyone who can reach {host} could read the calls: add a token with "
            "`gong-assets mcp token add NAME`, or listen on this machine only"
        )
    with listen(host, port, option="--port") as listening:
        name = f"[{host}]" if ":" in host else host
        output.note(f"MCP server on http://{name}:{port}{mcp_server.PATH}")
        mcp_server.serve_http(
            warehouse,
            warehouse_error_message,
            listening,
            host,
            names,
            tokens=None if is_open else tokens,
            audit_file=home / AUDIT_FILE,
        )


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
    os._exit(INTERRUPTED)
