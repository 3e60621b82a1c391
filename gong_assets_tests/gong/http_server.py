"""A fake Gong behind real HTTP on this machine, and the ways in which an answer can be spoilt."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

from gong_assets_tests.gong.fake_gong import Answer, FakeGong, asked

Fault = Callable[[asyncio.StreamWriter, Answer], Awaitable[None]]


class HttpServer:
    """Answers for `gong`; the first of `faults` spoils the next answer, and is used up."""

    def __init__(self, gong: FakeGong) -> None:
        self.gong = gong
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
        answer = self.gong.answer(asked(method, target, headers, body))
        fault = self.faults.popleft() if self.faults else send
        await fault(writer, answer)


@asynccontextmanager
async def serving(gong: FakeGong, tls: ssl.SSLContext | None = None) -> AsyncIterator[HttpServer]:
    server = HttpServer(gong)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    server.host = f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    server.base_url = f"{'https' if tls else 'http'}://{server.host}"
    try:
        yield server
    finally:
        listening.close()


async def send(writer: asyncio.StreamWriter, answer: Answer) -> None:
    writer.write(_head(answer) + answer.body)
    await writer.drain()


def instead(other: Answer) -> Fault:
    """Something else is answered."""

    async def fault(writer: asyncio.StreamWriter, _: Answer) -> None:
        await send(writer, other)

    return fault


async def truncated(writer: asyncio.StreamWriter, answer: Answer) -> None:
    """Half of the JSON, as if that were all."""
    await send(writer, Answer(answer.status, answer.body[: len(answer.body) // 2], answer.headers))


async def reset_in_mid_body(writer: asyncio.StreamWriter, answer: Answer) -> None:
    writer.write(_head(answer) + answer.body[: len(answer.body) // 2])
    await writer.drain()
    writer.transport.abort()


async def closed_without_answer(writer: asyncio.StreamWriter, _: Answer) -> None:
    writer.transport.abort()


async def trickling(writer: asyncio.StreamWriter, answer: Answer) -> None:
    """A byte now and then: no silence is long, but it never ends."""
    writer.write(_head(answer))
    while not writer.is_closing():
        writer.write(b" ")
        await asyncio.sleep(0.02)


async def silent(writer: asyncio.StreamWriter, answer: Answer) -> None:
    """The head, and then nothing."""
    writer.write(_head(answer))
    await writer.drain()


async def gzipped(writer: asyncio.StreamWriter, answer: Answer) -> None:
    await send(
        writer,
        Answer(answer.status, gzip.compress(answer.body), {**answer.headers, "Content-Encoding": "gzip"}),
    )


async def broken_gzip(writer: asyncio.StreamWriter, answer: Answer) -> None:
    packed = gzip.compress(answer.body)
    await send(
        writer,
        Answer(answer.status, b"\x1f\x8b" + packed[10:], {**answer.headers, "Content-Encoding": "gzip"}),
    )


def _head(answer: Answer) -> bytes:
    lines = [
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
        f"Content-Length: {len(answer.body)}",
    ]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
