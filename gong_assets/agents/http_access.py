"""Sign-in, limits and audit log of the MCP server over HTTP, as ASGI middleware."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from gong_assets.agents.host_check import Receive, Scope, Send
from gong_assets.agents.tokens import Tokens

App = Callable[[Any, Any, Any], Awaitable[None]]

# A request has a question and some filters.
MAX_BODY_BYTES = 1 << 20
BODY_SECONDS = 10.0
# The longest tool is a search over all segments, which Snowflake answers in seconds.
REQUEST_SECONDS = 120.0
MAX_CONCURRENT = 16

_AUDIT_BYTES, _AUDIT_FILES = 10 << 20, 5
_MAX_ARGUMENT = 200


class _Rejected(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def audit_log(file: Path) -> logging.Logger:
    """Return a logger that appends lines of JSON to the file, and keeps a few older files."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    logger = logging.Logger("gong_assets.mcp.audit", logging.INFO)
    logger.addHandler(
        RotatingFileHandler(file, maxBytes=_AUDIT_BYTES, backupCount=_AUDIT_FILES, encoding="utf-8")
    )
    return logger


class Access:
    """Rejects requests without a valid token or beyond the limits, and logs who asked what.

    Args:
        tokens: None if the server is open to everyone who can reach it.
        audit: receives one line for each request: time, token, address, tool and arguments, and never an
            answer.
        open_paths: paths that need no token and are not logged.
    """

    def __init__(
        self,
        app: App,
        tokens: Tokens | None,
        audit: logging.Logger,
        *,
        open_paths: tuple[str, ...] = (),
        body_seconds: float = BODY_SECONDS,
        request_seconds: float = REQUEST_SECONDS,
        max_concurrent: int = MAX_CONCURRENT,
    ) -> None:
        self._app, self._tokens, self._audit, self._open_paths = app, tokens, audit, open_paths
        self._body_seconds, self._request_seconds = body_seconds, request_seconds
        self._max_concurrent, self._running = max_concurrent, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._open_paths:
            await self._app(scope, receive, send)
            return
        started, status, name, body = time.monotonic(), 500, None, b""
        is_answered = False

        async def noting_status(message: Mapping[str, Any]) -> None:
            nonlocal status, is_answered
            if message["type"] == "http.response.start":
                status, is_answered = message["status"], True
            await send(message)

        try:
            try:
                name = self._token_name(scope)
                if self._running >= self._max_concurrent:
                    raise _Rejected(503, "Too many requests at once. Try again.")
                self._running += 1
                try:
                    body = await self._body(receive)
                    await self._answer(scope, body, receive, noting_status)
                finally:
                    self._running -= 1
            except _Rejected as rejected:
                status = rejected.status
                if not is_answered:  # Otherwise the answer has begun, and is cut off.
                    await _respond(send, rejected)
        finally:
            client = (scope.get("client") or ("?",))[0]
            milliseconds = round((time.monotonic() - started) * 1000)
            entry = {
                "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "token": name,
                "client": client,
            }
            self._audit.info(json.dumps({**entry, "status": status, "ms": milliseconds, **asked(body)}))

    async def _answer(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        replayed = False

        async def replay() -> Any:
            nonlocal replayed
            if replayed:
                return await receive()
            replayed = True
            return {"type": "http.request", "body": body, "more_body": False}

        try:
            async with asyncio.timeout(self._request_seconds):
                await self._app(scope, replay, send)
        except TimeoutError:
            raise _Rejected(504, f"The request took longer than {self._request_seconds:g} s.") from None

    def _token_name(self, scope: Scope) -> str | None:
        if self._tokens is None:
            return None
        headers = dict(scope["headers"])
        scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        name = self._tokens.name_of(token.strip()) if scheme.lower() == "bearer" else None
        if name is None:
            raise _Rejected(401, "A valid bearer token is required.")
        return name

    async def _body(self, receive: Receive) -> bytes:
        chunks, size = [], 0
        try:
            async with asyncio.timeout(self._body_seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _Rejected(400, "The client disconnected.")
                    chunks.append(message.get("body", b""))
                    size += len(chunks[-1])
                    if size > MAX_BODY_BYTES:
                        raise _Rejected(413, f"The request is larger than {MAX_BODY_BYTES:,} bytes.")
                    if not message.get("more_body"):
                        return b"".join(chunks)
        except TimeoutError:
            raise _Rejected(408, f"The request took longer than {self._body_seconds:g} s.") from None


async def _respond(send: Send, rejected: _Rejected) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    if rejected.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if rejected.status == 503:
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": rejected.status, "headers": headers})
    await send({"type": "http.response.body", "body": str(rejected).encode()})


def asked(body: bytes) -> dict[str, Any]:
    """Return the method, tool and arguments of a request, shortened; nothing of what is no request."""
    try:
        request = json.loads(body)
        parameters = request.get("params") or {}
        arguments = parameters.get("arguments") or {}
        found = {"method": request.get("method"), "tool": parameters.get("name")}
    except (ValueError, AttributeError):
        return {}
    if isinstance(arguments, dict) and arguments:
        found["arguments"] = {
            name: str(value)[:_MAX_ARGUMENT] for name, value in list(arguments.items())[:20]
        }
    return {key: value for key, value in found.items() if value is not None}
