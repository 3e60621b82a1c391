"""The command `mcp`, which serves the agent functions to MCP clients."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from gong_assets.cli import output
from gong_assets.cli.errors import INTERRUPTED, warehouse_error_message
from gong_assets.cli.ports import LOOPBACK, listen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gong_assets.warehouse.connection import Warehouse

HOST, PORT = LOOPBACK, 8808
LOOPBACK_HOSTS = (HOST, "localhost", "::1")

WAITING = (
    "Waiting for an MCP client on the standard input. An MCP client starts this command itself (see "
    "docs/agents.md); --http starts a server that clients connect to. Stop with Ctrl-C."
)
STOPPED = "Stopped."

HttpOption = Annotated[
    bool, typer.Option("--http", help="Serve streamable HTTP instead of the standard streams.")
]
HostOption = Annotated[
    str | None,
    typer.Option(
        show_default=HOST,
        help="With --http: the address to listen on. There is no sign-in, so everyone who can reach it can "
        "read the calls.",
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


def mcp(
    http: HttpOption = False,
    host: HostOption = None,
    port: PortOption = None,
    allow_host: AllowHostOption = None,
) -> None:
    """Serve the questions of the other commands to AI agents as read-only MCP tools.

    An MCP client starts `gong-assets mcp` and communicates with it over the standard streams. With --http,
    one server accepts many clients at http://HOST:PORT/mcp; by default it listens on this machine only.
    http://HOST:PORT/health reports the connection to the warehouse.
    """
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
            _serve_http(warehouse, host or HOST, port or PORT, allow_host or ())
        else:
            # A thread reads input until the client closes it, so the process cannot end in an orderly way.
            signal.signal(signal.SIGINT, _end)
            if sys.stdin.isatty():
                output.note(WAITING)
            mcp_server.serve_stdio(warehouse, warehouse_error_message)
    except KeyboardInterrupt:
        output.note(STOPPED)
        raise typer.Exit(INTERRUPTED) from None


def _serve_http(warehouse: Callable[[], Warehouse], host: str, port: int, names: Sequence[str]) -> None:
    from gong_assets.agents import mcp_server

    with listen(host, port, option="--port") as listening:
        name = f"[{host}]" if ":" in host else host
        output.note(f"MCP server on http://{name}:{port}{mcp_server.PATH}")
        if host not in LOOPBACK_HOSTS:
            output.note("Everyone who can reach this address can read the calls: there is no sign-in.")
        mcp_server.serve_http(warehouse, warehouse_error_message, listening, host, names)


def _end(*_: object) -> None:
    """End the process. Requests only read, so none leaves anything behind."""
    output.note(STOPPED)
    os._exit(INTERRUPTED)
