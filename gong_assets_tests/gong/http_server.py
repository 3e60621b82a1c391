"""A fake Gong behind real HTTP on this machine, and faults of its responses."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

from gong_assets_tests.gong.fake_gong import FakeGong, Response, parse_request

Fault = Callable[[asyncio.StreamWriter, Response], Awaitable[None]]


class HttpServer:
    """Serves `gong` with a `latency`. The first of `faults` is removed and sends the next response."""

    def __init__(self, gong: FakeGong, latency: float = 0.0) -> None:
        self.gong = gong
        self.latency = latency
        self.faults: deque[Fault] = deque()
        self.base_url = ""
        self.host = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request_line := await reader.readline():
                await self._answer_one(request_line.decode(), reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer_one(
        self, request_line: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        method, target, _ = request_line.split()
        headers: dict[str, str] = {}
        while line := (await reader.readline()).decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        response = self.gong.respond(parse_request(method, target, headers, body))
        await asyncio.sleep(self.latency)
        fault = self.faults.popleft() if self.faults else send
        await fault(writer, response)


@asynccontextmanager
async def serving(
    gong: FakeGong, tls: ssl.SSLContext | None = None, latency: float = 0.0
) -> AsyncIterator[HttpServer]:
    server = HttpServer(gong, latency)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    server.host = f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    server.base_url = f"{'https' if tls else 'http'}://{server.host}"
    try:
        yield server
    finally:
        listening.close()


async def send(writer: asyncio.StreamWriter, response: Response) -> None:
    writer.write(_head(response) + response.body)
    await writer.drain()


def replaced_by(other: Response) -> Fault:
    """Return a fault that sends another response."""

    async def fault(writer: asyncio.StreamWriter, _: Response) -> None:
        await send(writer, other)

    return fault


async def truncated(writer: asyncio.StreamWriter, response: Response) -> None:
    """Send half of the JSON as if it were complete."""
    await send(writer, Response(response.status, response.body[: len(response.body) // 2], response.headers))


async def reset_in_mid_body(writer: asyncio.StreamWriter, response: Response) -> None:
    writer.write(_head(response) + response.body[: len(response.body) // 2])
    await writer.drain()
    writer.transport.abort()


async def closed_without_response(writer: asyncio.StreamWriter, _: Response) -> None:
    writer.transport.abort()


async def trickling(writer: asyncio.StreamWriter, response: Response) -> None:
    """Send a byte now and then, without end."""
    writer.write(_head(response))
    while not writer.is_closing():
        writer.write(b" ")
        await asyncio.sleep(0.02)


async def silent(writer: asyncio.StreamWriter, response: Response) -> None:
    """Send the headers, and then nothing."""
    writer.write(_head(response))
    await writer.drain()


async def gzipped(writer: asyncio.StreamWriter, response: Response) -> None:
    await send(
        writer,
        Response(
            response.status, gzip.compress(response.body), {**response.headers, "Content-Encoding": "gzip"}
        ),
    )


async def broken_gzip(writer: asyncio.StreamWriter, response: Response) -> None:
    packed = gzip.compress(response.body)
    await send(
        writer,
        Response(
            response.status, b"\x1f\x8b" + packed[10:], {**response.headers, "Content-Encoding": "gzip"}
        ),
    )


def _head(response: Response) -> bytes:
    lines = [
        f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}",
        f"Content-Length: {len(response.body)}",
    ]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
