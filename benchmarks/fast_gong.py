"""Fast Gong server, which the benchmarks of ingestion read from.

    with serving(calls=40_000, days=40) as base_url: ...

The server is a process of its own, so that it shares no interpreter with the code that is measured. It
responds to POST /v2/calls/extensive and POST /v2/calls/transcript, with calls spread evenly over its days.
Their documents are those of one busy day of the simulated tenant, made before the first request, each with
its own id and start, so that a response only joins bytes. It checks nothing, and has no rate limit.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec

FIRST_DAY = date(2025, 3, 3)
FIRST_ID = 7_000_000_000_000_000_000
PAGE_SIZE = 100
# Different calls, about 9 kB each: together more than the window of a compressor.
DOCUMENTS = 500
WORDS_PER_CALL = 300
NO_CALLS = b'{"requestId":"0","errors":["No calls found corresponding to the provided filters"]}'


@contextmanager
def serving(calls: int, days: int) -> Iterator[str]:
    """Start a server with so many calls on so many days from `FIRST_DAY` on, and yield its base URL."""
    command = [sys.executable, __file__, "--calls", str(calls), "--days", str(days)]
    # The server ends when its input ends, which is at the latest when this process has ended.
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin
        assert server.stdout
        with server.stdin:
            yield server.stdout.readline().strip()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=10_000, help="how many there are (default 10,000)")
    parser.add_argument("--days", type=int, default=10, help="over how many days (default 10)")
    options = parser.parse_args()
    asyncio.run(serve(FastGong(options.calls, options.days)))


async def serve(gong: FastGong) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(gong), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


class FastGong:
    """Returns calls and transcripts from prepared documents."""

    def __init__(self, calls: int, days: int) -> None:
        begin, step = midnight(FIRST_DAY), timedelta(days=days) / calls
        self._starts = [(begin + number * step).replace(microsecond=0) for number in range(calls)]
        self._documents, self._transcripts = documents()

    def answer(self, path: str, body: bytes) -> tuple[int, bytes]:
        query = msgspec.json.decode(body)
        if path == "/v2/calls/transcript":
            return 200, self._transcripts_of(query["filter"]["callIds"])
        limits = (datetime.fromisoformat(query["filter"][key]) for key in ("fromDateTime", "toDateTime"))
        first, end = (bisect_left(self._starts, limit) for limit in limits)
        if first >= end:
            return 404, NO_CALLS
        return 200, self._page(first, end, int(query.get("cursor", first)))

    def _page(self, first: int, end: int, offset: int) -> bytes:
        numbers = range(offset, min(offset + PAGE_SIZE, end))
        parts: list[bytes] = []
        for number in numbers:
            before_id, before_start, after = self._documents[number % len(self._documents)]
            start = self._starts[number].isoformat().encode()
            parts += (before_id, b"%d" % (FIRST_ID + number), before_start, start, after, b",")
        records: dict[str, Any] = {
            "totalRecords": end - first,
            "currentPageSize": len(numbers),
            "currentPageNumber": (offset - first) // PAGE_SIZE,
        }
        if numbers.stop < end:
            records["cursor"] = str(numbers.stop)
        return envelope(b"calls", records, parts)

    def _transcripts_of(self, call_ids: Sequence[str]) -> bytes:
        parts: list[bytes] = []
        for call_id in call_ids:
            number = int(call_id) - FIRST_ID
            parts += (
                b'{"callId":"',
                call_id.encode(),
                self._transcripts[number % len(self._transcripts)],
                b",",
            )
        records = {"totalRecords": len(call_ids), "currentPageSize": len(call_ids), "currentPageNumber": 0}
        return envelope(b"callTranscripts", records, parts)


def envelope(key: bytes, records: dict[str, Any], parts: Iterable[bytes]) -> bytes:
    """Return a response. `parts` are those of a list, with a comma after each element."""
    head = b'{"requestId":"0","records":%b,"%b":[' % (msgspec.json.encode(records), key)
    *elements, _ = parts
    return b"".join((head, *elements, b"]}"))


def documents() -> tuple[list[tuple[bytes, bytes, bytes]], list[bytes]]:
    """Return calls, split where the id and the start belong, and transcripts from behind the id on."""
    # Imported here, since a process that only starts the server does not need it.
    from gong_assets.gong.endpoints import CONTENT_SELECTOR
    from gong_assets.local.tenant.calls import Diary
    from gong_assets.local.tenant.company import DEFAULT_SEED, Company
    from gong_assets.local.tenant.documents import extensive, transcript
    from gong_assets.local.tenant.requests import ContentSelector

    company = Company(DEFAULT_SEED)
    diary = Diary(company, calls_per_day=DOCUMENTS, words_per_call=WORDS_PER_CALL)
    selector = ContentSelector.model_validate(dict(CONTENT_SELECTOR))
    later = midnight(FIRST_DAY + timedelta(days=60))
    calls, transcripts = [], []
    for call in diary.calls_of(FIRST_DAY):
        conversation = diary.conversation(call)
        document = extensive(company, call, conversation, selector, later)
        document["metaData"] |= {"id": "<id>", "started": "<start>", "scheduled": None, "isPrivate": False}
        before_id, _, rest = msgspec.json.encode(document).partition(b"<id>")
        before_start, _, after = rest.partition(b"<start>")
        calls.append((before_id, before_start, after))
        said = transcript(company, call, conversation) | {"callId": "<id>"}
        transcripts.append(msgspec.json.encode(said).partition(b"<id>")[2])
    return calls, transcripts


def midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


class Connection(asyncio.Protocol):
    """The part of HTTP that a client needs which sends one POST after the other."""

    def __init__(self, gong: FastGong) -> None:
        self._gong = gong
        self._received = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, _, body = self._received.partition(b"\r\n\r\n")
        request, *lines = head.split(b"\r\n")
        length = dict(line.lower().split(b": ", 1) for line in lines if b": " in line).get(b"content-length")
        if length is None or len(body) < int(length):
            return
        self._received = b""
        status, answer = self._gong.answer(request.split()[1].decode(), body)
        headers = b"Content-Type: application/json;charset=UTF-8\r\nContent-Length: %d\r\n\r\n" % len(answer)
        self._transport.writelines((b"HTTP/1.1 %d -\r\n" % status, headers, answer))


if __name__ == "__main__":
    main()
