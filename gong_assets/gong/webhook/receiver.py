"""HTTP server that receives Gong's webhook: authenticate, store, respond.

A request is answered with 200 after its announcement is stored, and with 503 if it could not be stored. Gong
documents no retries: what is lost here, the scheduled ingestion reads.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gong_assets.gong.webhook.signature import (
    Authenticator,
    Claims,
    RejectedRequest,
    body_digest,
    read_announcement,
)
from gong_assets.security.http_requests import Hosts, KnownHosts, Limits, RequestRejected, read_body
from gong_assets.security.logs import log_to_stderr

if TYPE_CHECKING:
    import socket

# A payload has a call with its parties, content and statistics, but no transcript: rarely a megabyte.
MAX_BODY_BYTES = 10 * 2**20
BODY_SECONDS = 10.0
MAX_CONNECTIONS = 64
# Repetitions of the last requests are answered, and not stored again.
REMEMBERED_REQUESTS = 10_000
HEALTH_PATH = "/health"

# Stores the ID of an announced call durably.
Store = Callable[[str], None]

_log = logging.getLogger(__name__)


@dataclass
class Receiver:
    """Handlers of the server, and the number of requests since it was started."""

    authenticator: Authenticator
    store: Store
    stored: int = 0
    repeated: int = 0
    rejected: int = 0
    tests: int = 0
    _seen: OrderedDict[bytes, None] = field(default_factory=OrderedDict)

    async def receive(self, request: Request) -> Response:
        """Respond to a webhook request."""
        try:
            return await self._receive(request)
        except (RejectedRequest, RequestRejected) as error:
            self.rejected += 1
            client = request.client.host if request.client else "unknown"
            _log.warning("Rejected a request from %s: %s", client, error)
            return Response(status_code=error.status)

    async def _receive(self, request: Request) -> Response:
        authorization = request.headers.get("authorization")
        claims = self.authenticator.authenticate(_target(request), authorization)
        body = await _body(request, claims)
        announcement = read_announcement(body)
        if announcement.is_test:
            self.tests += 1
            _log.warning("Received the test request of Gong's rule editor.")
            return Response()
        request_digest = sha256((authorization or "").encode() + body).digest()
        if request_digest in self._seen:
            self.repeated += 1
            return Response()
        try:
            await run_in_threadpool(self.store, announcement.call_id)
        except Exception:
            _log.exception("Could not store the announcement of call %s.", announcement.call_id)
            return Response(status_code=503, headers={"retry-after": "60"})
        self.stored += 1
        self._seen[request_digest] = None
        if len(self._seen) > REMEMBERED_REQUESTS:
            self._seen.popitem(last=False)
        return Response()

    async def report_health(self, request: Request) -> Response:
        """Return the number of requests by result."""
        names = ("stored", "repeated", "rejected", "tests")
        return JSONResponse({"status": "ok", **{name: getattr(self, name) for name in names}})


def _target(request: Request) -> str:
    """Return the path and query as they were sent."""
    path: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    return (path + (b"?" + query if query else b"")).decode("latin-1")


async def _body(request: Request, claims: Claims) -> bytes:
    """Read the body within the limits, and check it against the signed digest."""
    body = await read_body(request.receive, Limits(body_bytes=MAX_BODY_BYTES, body_seconds=BODY_SECONDS))
    claims.check_body(body_digest(body))
    return body


def build_app(receiver: Receiver, hosts: Hosts) -> Starlette:
    """Return the ASGI application. It accepts POST on any path: the authenticator checks the URL."""
    app = Starlette(
        routes=[
            Route(HEALTH_PATH, receiver.report_health, methods=["GET"]),
            Route("/{path:path}", receiver.receive, methods=["POST"]),
        ],
        middleware=[Middleware(KnownHosts, hosts)],
    )
    app.router.redirect_slashes = False
    return app


def serve(receiver: Receiver, listening: socket.socket, hosts: Hosts) -> None:
    """Serve on a bound socket until the process is stopped."""
    log_to_stderr()
    config = uvicorn.Config(
        build_app(receiver, hosts),
        log_level="warning",
        log_config=None,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=5,
        access_log=False,  # A URL may contain the key.
    )
    uvicorn.Server(config).run(sockets=[listening])
