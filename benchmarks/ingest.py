"""Throughput of reading calls without a rate limit, compared with a loop that only downloads the same pages.

    python benchmarks/ingest.py [--calls 20000] [--rounds 7]

Ours is the work of an asset before the warehouse: the client, records with their hashes, and Parquet files on
disk. The reference has the same number of concurrent requests on a plain httpx client and writes each
response to a file. Both alternately read the same calls, of about 9 kB each, from a server in a separate
process. Prints medians, and the median ratio of the rounds.
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

from gong_assets.dates import DateRange
from gong_assets.gong import BasicAuth, GongClient, GongConfig
from gong_assets.gong.endpoints import CONTENT_SELECTOR
from gong_assets.gong.pages.worker_pool import UNLIMITED_WORKERS
from gong_assets.gong.window import iso
from gong_assets.ingestion.read import read_source
from gong_assets.ingestion.sources import Calls

DAYS = 20
DATES = DateRange(FIRST_DAY, FIRST_DAY + timedelta(days=DAYS))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=20_000, help="calls per round (default: 20,000)")
    parser.add_argument("--rounds", type=int, default=7, help="rounds after a warm-up (default: 7)")
    options = parser.parse_args()
    with serving(options.calls, DAYS) as base_url:
        ours: list[float] = []
        bare: list[float] = []
        print(f"{'':10}{'ours':>10}{'bare loop':>12}{'ratio':>8}   (calls/s)")
        for number in range(options.rounds + 1):
            mine, other = (
                calls_per_second(loop, base_url, options.calls) for loop in (with_spool, with_httpx)
            )
            if number:  # The first round fills caches and imports modules.
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
    spool = read_source(GongClient(config), Calls([DATES], include_private=False)).spool
    spool.discard()
    return spool.rows


def with_httpx(base_url: str) -> int:
    with tempfile.TemporaryDirectory() as directory:
        return asyncio.run(download(base_url, Path(directory)))


async def download(base_url: str, directory: Path) -> int:
    """Download all pages, by as many lists of parts of the range as the client reads at a time."""
    begin, end = DATES.utc_bounds()
    edges = [begin + (end - begin) * part / UNLIMITED_WORKERS for part in range(UNLIMITED_WORKERS + 1)]
    files = (directory / f"{number}.json" for number in count())

    async def read_list(first: str, last: str) -> int:
        request = {"filter": {"fromDateTime": first, "toDateTime": last}, "contentSelector": CONTENT_SELECTOR}
        calls = 0
        cursor: dict[str, str] = {}
        while True:
            response = await http.post("/v2/calls/extensive", json=request | cursor)
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
    """Return the counts of a response without decoding its calls."""
    begin = body.index(b'"records":') + len(b'"records":')
    return msgspec.json.decode(body[begin : body.index(b"}", begin) + 1])


if __name__ == "__main__":
    main()
