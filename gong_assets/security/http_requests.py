"""Checks of HTTP requests as ASGI middleware: the host, the origin, and limits of size, time and number.

https://asgi.readthedocs.io/en/latest/specs/www.html. There are no other implementations in this package.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})


class RequestRejected(Exception):
    """A request is answered with an error. The message is the body of the response."""

    def __init__(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status, self.headers = status, headers or {}


async def respond(send: Send, rejected: RequestRejected) -> None:
    """Send the response for a rejected request."""
    headers = {"content-type": "text/plain; charset=utf-8", **rejected.headers}
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": rejected.status, "headers": encoded})
    await send({"type": "http.response.body", "body": str(rejected).encode()})


@dataclass(frozen=True)
class Hosts:
    """The host names by which clients may reach a server.

    A page whose domain name resolves to the server's address (DNS rebinding) sends its own name as the host,
    and browsers add an origin to requests between sites.

    Attributes:
        names: host names and IP addresses, in lower case.
        any_address: IP addresses are accepted too, because a page cannot have one for a name.
        hint: what to do about an unknown host.
    """

    names: frozenset[str] = LOOPBACK_NAMES
    any_address: bool = False
    hint: str = "This server accepts requests of local programs only."

    @classmethod
    def of_network(cls, names: Iterable[str]) -> Hosts:
        """Return the hosts of a server in a network: `names`, this machine's names, and IP addresses."""
        own = ("localhost", socket.gethostname(), socket.getfqdn())
        known = frozenset(name.lower() for name in (*own, *names))
        return cls(known, any_address=True, hint="Allow it with --allow-host.")

    @classmethod
    def of_loopback(cls, names: Iterable[str]) -> Hosts:
        """Return the hosts of a server on a loopback address, which a proxy may reach by other `names`."""
        known = LOOPBACK_NAMES | {name.lower() for name in names}
        return cls(known, hint="Allow it with --allow-host.")

    def check(self, scope: Scope) -> None:
        """Check the headers Host and Origin of a request.

        Raises:
            RequestRejected: the host is unknown, or the request is from a page of another origin.
        """
        hosts = [value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"host"]
        host = hosts[0] if len(hosts) == 1 else ""
        name = _host_name(host)
        if name not in self.names and not (self.any_address and _is_address(name)):
            raise RequestRejected(403, f"Unknown host {name[:100]!r}. {self.hint}")
        origins = [value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"origin"]
        if any(_netloc(origin) != host for origin in origins):
            raise RequestRejected(403, "Requests from web pages of another origin are rejected.")


class KnownHosts:
    """ASGI middleware that rejects requests with an unknown host or from a page of another origin."""

    def __init__(self, app: App, hosts: Hosts) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                self._hosts.check(scope)
            except RequestRejected as rejected:
                await respond(send, rejected)
                return
        await self._app(scope, receive, send)


@dataclass(frozen=True)
class Limits:
    """Limits of requests. None is no limit.

    Attributes:
        body_seconds: time for receiving the body.
        request_seconds: time for the answer, after the body was received.
        concurrent: number of requests that are processed at once.
    """

    body_bytes: int
    body_seconds: float
    request_seconds: float | None = None
    concurrent: int | None = None


async def read_body(receive: Receive, limits: Limits) -> bytes:
    """Return the body of a request.

    Raises:
        RequestRejected: the body is too large or too slow, or the client disconnected.
    """
    chunks, size = [], 0
    try:
        async with asyncio.timeout(limits.body_seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise RequestRejected(400, "The client disconnected.")
                chunks.append(message.get("body", b""))
                size += len(chunks[-1])
                if size > limits.body_bytes:
                    raise RequestRejected(413, f"The request is larger than {limits.body_bytes:,} bytes.")
                if not message.get("more_body"):
                    return b"".join(chunks)
    except TimeoutError:
        raise RequestRejected(408, f"The request took longer than {limits.body_seconds:g} s.") from None


class LimitedRequests:
    """ASGI middleware that reads each body within the limits before the application sees the request.

    An answer that has begun and takes too long is cut off: RequestRejected is raised instead of being sent.
    """

    def __init__(self, app: App, limits: Limits) -> None:
        self._app, self._limits, self._running = app, limits, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_answered = False

        async def noting_start(message: Mapping[str, Any]) -> None:
            nonlocal is_answered
            is_answered = True
            await send(message)

        try:
            await self._process(scope, receive, noting_start)
        except RequestRejected as rejected:
            if is_answered:
                raise
            await respond(send, rejected)

    async def _process(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = self._limits.concurrent
        if limit is not None and self._running >= limit:
            raise RequestRejected(503, "Too many requests at once. Try again.", {"retry-after": "1"})
        self._running += 1
        try:
            body = await read_body(receive, self._limits)
            await self._answer(scope, body, receive, send)
        finally:
            self._running -= 1

    async def _answer(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        replayed = False

        async def replay() -> Any:
            nonlocal replayed
            if replayed:
                return await receive()
            replayed = True
            return {"type": "http.request", "body": body, "more_body": False}

        seconds = self._limits.request_seconds
        try:
            async with asyncio.timeout(seconds) as timer:
                await self._app(scope, replay, send)
        except TimeoutError:
            if not timer.expired():
                raise  # The application's own.
            raise RequestRejected(504, f"The request took longer than {seconds:g} s.") from None


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
