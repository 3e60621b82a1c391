"""Check that a web page cannot reach the MCP server through a browser on the same network."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

# Of ASGI (https://asgi.readthedocs.io/en/latest/specs/www.html); starlette's types are in the extra `mcp`.
Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class KnownHosts:
    """ASGI middleware that rejects requests with an unknown host name or another origin.

    A page whose domain name resolves to the server's address (DNS rebinding) sends its own name as the host.
    IP addresses, this machine's names and ``names`` are accepted.
    """

    def __init__(self, app: Callable[[Any, Any, Any], Awaitable[None]], names: Iterable[str]) -> None:
        self._app = app
        own = ("localhost", socket.gethostname(), socket.getfqdn())
        self._names = frozenset(name.lower() for name in (*own, *names))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            if reason := self._rejection(headers):
                content_type = (b"content-type", b"text/plain; charset=utf-8")
                await send({"type": "http.response.start", "status": 403, "headers": [content_type]})
                await send({"type": "http.response.body", "body": reason.encode()})
                return
        await self._app(scope, receive, send)

    def _rejection(self, headers: Mapping[str, str]) -> str | None:
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
