"""A local server that speaks Snowflake's protocol; it listens on a loopback address only."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import signal
import socket
from collections.abc import Iterator
from importlib.metadata import version

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gong_assets.local.snowflake.server.http_api import MAX_BODY_BYTES, HttpApi
from gong_assets.local.snowflake.server.session_registry import DISCONNECT_GRACE_SECONDS, SessionRegistry
from gong_assets.local.snowflake.storage.databases import Storage
from gong_assets.security.http_requests import Hosts, KnownHosts, LimitedRequests, Limits

# An open connection shows that the client is alive, so the server must not close idle ones.
KEEP_ALIVE_SECONDS = 24 * 3600
# Statements that run longer are abandoned at shutdown; DuckDB recovers from its log at the next start.
SHUTDOWN_SECONDS = 1.5
# A statement may have the values of a batch. It may also run for hours, so there is no limit for the answer.
LIMITS = Limits(body_bytes=MAX_BODY_BYTES, body_seconds=60)
MIDDLEWARE = (Middleware(KnownHosts, Hosts()), Middleware(LimitedRequests, LIMITS))
IDLE_CHECK_SECONDS = 600


def listen(host: str, port: int) -> socket.socket:
    """Return a bound socket; raises ValueError if the host is not loopback, OSError if the port is in use."""
    if not _is_loopback(host):
        raise ValueError(
            f"{host} is not a loopback address. This server does not encrypt, so it must not be reachable "
            "from other machines."
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio disables Nagle's algorithm only for sockets created with an explicit protocol. With the
    # algorithm every response waits 40 ms for the client to acknowledge the headers.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    return listener


def run(storage: Storage, listener: socket.socket, password: str) -> None:
    """Serve clients that sign in with ``password`` until SIGTERM or SIGINT, then close ``storage``."""
    asyncio.run(_serve(storage, listener, password))


async def _serve(storage: Storage, listener: socket.socket, password: str) -> None:
    sessions = SessionRegistry(storage)
    api = HttpApi(sessions, storage.governance, password)
    app = Starlette(routes=[Route("/health", _health), *api.routes()], middleware=MIDDLEWARE)

    class Protocol(HttpToolsProtocol):
        """A uvicorn connection that reports to the registry when a client connects and disconnects."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if self.client is not None:
                sessions.connection_made(self.client)

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            if self.client is not None:
                sessions.connection_lost(self.client)

    config = uvicorn.Config(
        app,
        http=Protocol,
        lifespan="off",
        log_level="warning",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    loop = asyncio.get_running_loop()
    for stop_signal in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(stop_signal, server.stop, sessions)
    cleanup = asyncio.gather(_close_idle(sessions), _close_abandoned(sessions))
    await server.serve(sockets=[listener])
    cleanup.cancel()
    try:
        await asyncio.wait_for(sessions.close_all(), SHUTDOWN_SECONDS)
    except TimeoutError:
        os._exit(0)
    storage.close()


class _Server(uvicorn.Server):
    """uvicorn without its signal handler, which raises the signal again instead of exiting with 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self, sessions: SessionRegistry) -> None:
        sessions.cancel_all()
        self.should_exit = True


async def _close_idle(sessions: SessionRegistry) -> None:
    while True:
        await asyncio.sleep(IDLE_CHECK_SECONDS)
        await sessions.close_idle()


async def _close_abandoned(sessions: SessionRegistry) -> None:
    while True:
        await asyncio.sleep(DISCONNECT_GRACE_SECONDS)
        await sessions.close_abandoned()


async def _health(_request: Request) -> Response:
    body = {"service": "snowflake", "pid": os.getpid(), "version": version("gong_assets")}
    return Response(orjson.dumps(body), media_type="application/json")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
