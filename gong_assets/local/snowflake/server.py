"""The server process: it listens on a loopback address, and ends cleanly when it is told to."""

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
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gong_assets.local.snowflake.protocol import SnowflakeApi
from gong_assets.local.snowflake.sessions import DISCONNECT_GRACE_SECONDS, Sessions
from gong_assets.local.snowflake.storage import Storage

# A client's idle connection says that it is alive: the server must not be the one that closes it.
KEEP_ALIVE_SECONDS = 24 * 3600
# A statement that does not stop within this time is left to the database's log: the next start recovers from it.
SHUTDOWN_SECONDS = 1.5
IDLE_CHECK_SECONDS = 600


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises ValueError for a host that is not loopback, OSError for a port in use."""
    if not _is_loopback(host):
        raise ValueError(
            f"{host} is not a loopback address: this server has no passwords and must not be reachable."
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only for sockets that name their protocol; with it on, every answer
    # waits 40 ms for the client's acknowledgement of its headers.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    return listener


def run(storage: Storage, listener: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT, then close ``storage``."""
    asyncio.run(_serve(storage, listener))


async def _serve(storage: Storage, listener: socket.socket) -> None:
    sessions = Sessions(storage)
    api = SnowflakeApi(sessions)
    app = Starlette(routes=[Route("/health", _health), *api.routes()])

    class Protocol(HttpToolsProtocol):
        """uvicorn's connection, which tells the sessions when a client is there, and when it is gone."""

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
    checks = asyncio.gather(_close_idle(sessions), _close_abandoned(sessions))
    await server.serve(sockets=[listener])
    checks.cancel()
    try:
        await asyncio.wait_for(sessions.close_all(), SHUTDOWN_SECONDS)
    except TimeoutError:
        os._exit(0)
    storage.close()


class _Server(uvicorn.Server):
    """uvicorn, leaving signals to this module: its own handler raises them again instead of exiting with 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self, sessions: Sessions) -> None:
        sessions.cancel_all()
        self.should_exit = True


async def _close_idle(sessions: Sessions) -> None:
    while True:
        await asyncio.sleep(IDLE_CHECK_SECONDS)
        await sessions.close_idle()


async def _close_abandoned(sessions: Sessions) -> None:
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
