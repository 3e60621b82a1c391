"""Throughput of reading calls without a rate limit, compared with a loop that only downloads the pages.

    python benchmarks/ingest.py [--calls 20000] [--rounds 7]

Our side does what an asset does before the warehouse: the client with its sub-windows, records, hashes, and
Parquet files on disk. The other side makes as many requests at a time with a bare httpx client, and writes
each body to a file. Both read the same calls of about 9 kB each, from one server in a process of its own, in
turn. The output has medians, and the median of each round's ratio.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import httpx
import msgspec
from fast_gong import FIRST_DAY, serving

from gong_assets.assets.reading import Calls, read
from gong_assets.gong import BasicAuth, GongClient, GongConfig
from gong_assets.gong.endpoints import CONTENT_SELECTOR
from gong_assets.gong.pages.worker_pool import UNLIMITED_WORKERS
from gong_assets.gong.window import iso
from gong_assets.partitions import bounds
from gong_assets.warehouse.landing import Days

DAYS = 20
SPAN = Days(FIRST_DAY, FIRST_DAY + timedelta(days=DAYS))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=20_000, help="calls to read in a round (default 20,000)")
    parser.add_argument(
        "--rounds", type=int, default=7, help="rounds (default 7), after one that is not counted"
    )
    options = parser.parse_args()
    with serving(options.calls, DAYS) as base_url:
        ours: list[float] = []
        bare: list[float] = []
        print(f"{'':10}{'ours':>10}{'bare loop':>12}{'ratio':>8}   (calls/s)")
        for number in range(options.rounds + 1):
            mine, other = (
                calls_per_second(loop, base_url, options.calls) for loop in (with_spool, with_httpx)
            )
            if number:  # The first round warms caches and imports.
                ours.append(mine)
                bare.append(other)
                show(f"round {number}", mine, other, mine / other)
        ratio = statistics.median(mine / other for mine, other in zip(ours, bare, strict=True))
        show("median", statistics.median(ours), statistics.median(bare), ratio)


def show(title: str, ours: float, bare: float, ratio: float) -> None:
    print(f"{title:10}{ours:10,.0f}{bare:12,.0f}{ratio:8.2f}", flush=True)


def calls_per_second(loop: Callable[[str], int], base_url: str, expected: int) -> float:
    begin = time.perf_counter()
    calls = loop(base_url)
    seconds = time.perf_counter() - begin
    if calls != expected:
        raise SystemExit(f"{loop.__name__} read {calls} of {expected} calls")
    return calls / seconds


def with_spool(base_url: str) -> int:
    config = GongConfig(
        base_url=base_url,
        auth=BasicAuth("key", "secret"),
        max_requests_per_second=0,
        max_requests_per_day=0,
    )
    spool = read(GongClient(config), Calls([SPAN], include_private=False)).spool
    spool.discard()
    return spool.rows


def with_httpx(base_url: str) -> int:
    with tempfile.TemporaryDirectory() as directory:
        return asyncio.run(download(base_url, Path(directory)))


async def download(base_url: str, directory: Path) -> int:
    """Download the calls of the whole range, by as many lists at a time as the client reads."""
    begin, end = bounds(SPAN)
    edges = [begin + (end - begin) * part / UNLIMITED_WORKERS for part in range(UNLIMITED_WORKERS + 1)]
    files = (directory / f"{number}.json" for number in count())

    async def read_list(first: str, last: str) -> int:
        query = {"filter": {"fromDateTime": first, "toDateTime": last}, "contentSelector": CONTENT_SELECTOR}
        calls = 0
        cursor: dict[str, str] = {}
        while True:
            response = await http.post("/v2/calls/extensive", json=query | cursor)
            next(files).write_bytes(response.content)
            records = records_of(response.content)
            calls += int(records["currentPageSize"])
            if "cursor" not in records:
                return calls
            cursor = {"cursor": records["cursor"]}

    async with httpx.AsyncClient(base_url=base_url, auth=("key", "secret")) as http:
        return sum(
            await asyncio.gather(*(read_list(iso(first), iso(last)) for first, last in pairwise(edges)))
        )


def records_of(body: bytes) -> Any:
    """Return the counts of the response without parsing its calls."""
    begin = body.index(b'"records":') + len(b'"records":')
    return msgspec.json.decode(body[begin : body.index(b"}", begin) + 1])


if __name__ == "__main__":
    main()
