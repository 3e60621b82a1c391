"""Sign-in and audit log of the MCP server over HTTP, as ASGI middleware, and the limits of its requests."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from gong_assets.agents.oauth import (
    AccessTokens,
    AuthorizationServerUnreachable,
    InsufficientScope,
    InvalidToken,
)
from gong_assets.agents.tokens import PREFIX, Tokens
from gong_assets.security.http_requests import (
    App,
    LimitedRequests,
    Limits,
    Receive,
    RequestRejected,
    Scope,
    Send,
    respond,
)
from gong_assets.security.private_files import create_private_directory

# A request has a question and some filters. The longest tool is a search over all segments, which Snowflake
# answers in seconds.
LIMITS = Limits(body_bytes=1 << 20, body_seconds=10, request_seconds=120, concurrent=16)

_AUDIT_BYTES, _AUDIT_FILES = 10 << 20, 5
_MAX_ARGUMENT = 200

_log = logging.getLogger(__name__)


class _PrivateFileHandler(RotatingFileHandler):
    """Handler whose files are readable by their owner only, also those that follow a full one."""

    def _open(self) -> TextIOWrapper:
        def private(path: str, flags: int) -> int:
            descriptor = os.open(path, flags, 0o600)
            os.fchmod(descriptor, 0o600)  # It may be older.
            return descriptor

        return open(self.baseFilename, "a", encoding="utf-8", opener=private)


def audit_log(file: Path, *, max_bytes: int = _AUDIT_BYTES) -> logging.Logger:
    """Return a logger that appends lines of JSON to the file, and keeps a few older files."""
    create_private_directory(file.parent)
    logger = logging.Logger("gong_assets.mcp.audit", logging.INFO)
    logger.addHandler(_PrivateFileHandler(file, maxBytes=max_bytes, backupCount=_AUDIT_FILES))
    return logger


@dataclass(frozen=True)
class SignIn:
    """Authentication of requests: none, or bearer tokens.

    Attributes:
        tokens: tokens of this server; None to accept none.
        access_tokens: verification of the tokens of an authorization server; None to accept none.
        metadata_url: where clients find the authorization server (RFC 9728).
    """

    tokens: Tokens | None = None
    access_tokens: AccessTokens | None = None
    metadata_url: str | None = None

    async def name(self, scope: Scope) -> str | None:
        """Return the name of the token or the subject of the access token; None if none is needed.

        Raises:
            RequestRejected: the request has no valid token, or it cannot be verified.
        """
        if self.tokens is None and self.access_tokens is None:
            return None
        headers = dict(scope["headers"])
        scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        token = token.strip() if scheme.lower() == "bearer" else ""
        if self.tokens and token.startswith(PREFIX) and (name := self.tokens.name_of(token)):
            return name
        if self.access_tokens and token and not token.startswith(PREFIX):
            return await self._subject(self.access_tokens, token)
        raise self._rejected(401, "A valid bearer token is required.", "invalid_token" if token else None)

    async def _subject(self, access_tokens: AccessTokens, token: str) -> str:
        try:
            return await asyncio.to_thread(access_tokens.subject_of, token)
        except InvalidToken as error:
            _log.warning("Rejected an access token: %s", error)
            raise self._rejected(401, "The access token is not valid here.", "invalid_token") from error
        except InsufficientScope as error:
            raise self._rejected(403, "The access token lacks a scope.", "insufficient_scope") from error
        except AuthorizationServerUnreachable as error:
            _log.warning("Access tokens cannot be verified: %s", error)
            reason = "The authorization server does not answer. Try again."
            raise RequestRejected(503, reason, {"retry-after": "10"}) from error

    def _rejected(self, status: int, reason: str, error: str | None) -> RequestRejected:
        challenge = "Bearer"
        if self.access_tokens:
            fields = {
                "error": error,
                "scope": " ".join(self.access_tokens.oauth.scopes),
                "resource_metadata": self.metadata_url,
            }
            challenge += " " + ", ".join(f'{name}="{value}"' for name, value in fields.items() if value)
        return RequestRejected(status, reason, {"www-authenticate": challenge})


class Access:
    """Rejects requests of others and those beyond the limits, and logs who asked what.

    Args:
        audit: receives one line for each request: time, token, address, tool and arguments, and never an
            answer.
        open_paths: paths that need no token and are not logged.
    """

    def __init__(
        self,
        app: App,
        sign_in: SignIn,
        audit: logging.Logger,
        *,
        open_paths: tuple[str, ...] = (),
        limits: Limits = LIMITS,
    ) -> None:
        self._app, self._limited = app, LimitedRequests(app, limits)
        self._sign_in, self._audit, self._open_paths = sign_in, audit, open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._open_paths:
            await self._app(scope, receive, send)
            return
        started, status, name, is_answered = time.monotonic(), 500, None, False
        chunks: list[bytes] = []

        async def noting_body() -> Any:
            message = await receive()
            chunks.append(message.get("body", b""))
            return message

        async def noting_status(message: Mapping[str, Any]) -> None:
            nonlocal status, is_answered
            if message["type"] == "http.response.start":
                status, is_answered = message["status"], True
            await send(message)

        try:
            name = await self._sign_in.name(scope)
            await self._limited(scope, noting_body, noting_status)
        except RequestRejected as rejected:
            status = rejected.status
            if not is_answered:  # Otherwise the answer has begun, and is cut off.
                await respond(send, rejected)
        finally:
            entry = {
                "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "token": name,
                "client": (scope.get("client") or ("?",))[0],
                "status": status,
                "ms": round((time.monotonic() - started) * 1000),
            }
            self._audit.info(json.dumps({**entry, **asked(b"".join(chunks))}))


def asked(body: bytes) -> dict[str, Any]:
    """Return the method, tool and arguments of a request, shortened; nothing of what is no request."""
    try:
        request = json.loads(body)
        parameters = request.get("params") or {}
        arguments = parameters.get("arguments") or {}
        found = {"method": request.get("method"), "tool": parameters.get("name")}
        if isinstance(arguments, dict) and arguments:
            found["arguments"] = {
                name[:_MAX_ARGUMENT]: (value if isinstance(value, str) else json.dumps(value))[:_MAX_ARGUMENT]
                for name, value in list(arguments.items())[:20]
            }
    except (ValueError, AttributeError, RecursionError):
        return {}
    return {key: value for key, value in found.items() if value is not None}
