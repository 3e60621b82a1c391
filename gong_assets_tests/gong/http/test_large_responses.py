"""A page a hundred times as long as usual arrives exactly, and takes little more memory than its size."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from multiprocessing.connection import Connection

import pyarrow.parquet as pq
import pytest

from gong_assets.dates import DateRange
from gong_assets.gong import GongClient
from gong_assets.ingestion.read import read_source
from gong_assets.ingestion.sources import Calls
from gong_assets_tests.gong.fake_gong import FakeGong, Response, call
from gong_assets_tests.gong.helpers import local_config
from gong_assets_tests.gong.http_server import replaced_by, serving

DAY = date(2026, 3, 2)
CALLS = 100
CALL_BYTES = 500_000

# A multiple of the response: its body, its records, and half as much again for the one record that is parsed.
ALLOWED = 2.5


def large_call(number: int) -> bytes:
    text = "All of it was said 🚀, and the outline is long. " * 20
    item = {"startTime": 568.9000244140625, "text": text}
    size = len(json.dumps(item, ensure_ascii=False).encode())
    document = call(number, datetime(2026, 3, 2, 12, number // 60, number % 60, tzinfo=UTC), title="Déjà vu")
    document["content"] = {"outline": [{"section": "Ω", "items": [item] * (CALL_BYTES // size + 1)}]}
    return json.dumps(document, ensure_ascii=False).encode()


def response() -> bytes:
    counts = f'{{"totalRecords":{CALLS},"currentPageSize":{CALLS},"currentPageNumber":0}}'.encode()
    return b'{"records":%b,"calls":[%b]}' % (counts, b",".join(large_call(number) for number in range(CALLS)))


@contextmanager
def large_gong() -> Iterator[str]:
    """Serve the response from a process of its own, whose memory does not count."""
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


def serve(ready: Connection) -> None:
    async def forever() -> None:
        async with serving(FakeGong()) as server:
            server.faults.append(replaced_by(Response(200, response())))
            ready.send(server.base_url)
            await asyncio.Event().wait()

    asyncio.run(forever())


@pytest.mark.slow
def test_a_response_of_50_megabytes_arrives_exactly_and_takes_about_twice_its_size() -> None:
    source = Calls([DateRange.single(DAY)], include_private=False)
    with large_gong() as base_url:
        client = GongClient(local_config(base_url, read_timeout_seconds=60, request_timeout_seconds=60))
        tracemalloc.start()
        try:
            spool = read_source(client, source).spool
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    try:
        landed: dict[str, str] = {}
        for file in spool.files():
            table = pq.read_table(file, columns=["KEY", "PAYLOAD"])
            landed |= dict(zip(*(column.to_pylist() for column in table.columns), strict=True))
    finally:
        spool.discard()
    sent = [large_call(number) for number in range(CALLS)]
    assert [payload.encode() for _, payload in sorted(landed.items())] == sent
    assert spool.errors == 0
    assert sum(map(len, sent)) >= 50_000_000
    assert peak < ALLOWED * sum(map(len, sent))
