"""Check that a web page cannot reach the MCP server through a browser on the same network."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class KnownHosts:
    """ASGI middleware that rejects requests with an unknown host name or another origin.

    A page whose domain name resolves to the server's address (DNS rebinding) sends its own name as the host.
    IP addresses, this machine's names and ``names`` are accepted.
    """

    def __init__(self, app: ASGIApp, names: Iterable[str]) -> None:
        self._app = app
        own = ("localhost", socket.gethostname(), socket.getfqdn())
        self._names = frozenset(name.lower() for name in (*own, *names))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (reason := self._rejection(Headers(scope=scope))):
            await PlainTextResponse(reason, 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _rejection(self, headers: Headers) -> str | None:
        """Return the reason why the request is rejected, or None."""
        host = headers.get("host", "").lower()
        name = _host_name(f"//{host}")
        if name not in self._names and not _is_address(name):
            return f"Unknown host {name[:100]!r}. Allow it with --allow-host."
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin.lower()).netloc != host:
            return "Requests from web pages of another origin are rejected."
        return None


def _host_name(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
