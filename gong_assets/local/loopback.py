"""Check that a request comes from a program on this machine and not from a web page in a browser."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})


class LoopbackOnly:
    """ASGI middleware that rejects requests with a foreign Host header or any Origin header.

    A page whose domain name resolves to 127.0.0.1 sends its own name as the host. Browsers add an origin to
    requests between sites, and no client of these servers does.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            name, separator, port = headers.get("host", "").rpartition(":")
            host = name if separator and port.isdecimal() else headers.get("host", "")
            if host.lower() not in HOSTS or "origin" in headers:
                response = PlainTextResponse("This server accepts requests of local programs only.", 403)
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)
