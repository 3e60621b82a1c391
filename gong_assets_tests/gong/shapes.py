"""Distributions of calls over time, by which reading a window is tested and measured.

`SHAPES` are the windows of docs/ingestion.md. Each is the number of days, and the starts of the calls.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from math import ceil
from typing import Any

from gong_assets.gong import BasicAuth, CallReader, GongClient, GongConfig, TranscriptPage, Window
from gong_assets_tests.gong.fake_gong import FakeGong, call
from gong_assets_tests.gong.helpers import add_transcripts
from gong_assets_tests.gong.virtual_time import START, LeakyBucket, VirtualClock, VirtualNetwork, run

PER_SECOND = 3
DAY = timedelta(days=1)
SATURDAY = 5


def evenly(days: int, per_day: int) -> list[datetime]:
    count = days * per_day
    return [START - DAY * days + DAY * days * number / count for number in range(count)]


def office_hours(days: int, per_day: int) -> list[datetime]:
    """Return starts from 14 to 23 h UTC: on a working day eight times as many as on a day of the weekend."""
    chance = random.Random(7)
    first = START - DAY * days
    weights = [1 if (first + DAY * day).weekday() >= SATURDAY else 8 for day in range(days)]
    chosen = chance.choices(range(days), weights, k=days * per_day)
    return [first + DAY * day + timedelta(seconds=chance.randrange(14 * 3600, 23 * 3600)) for day in chosen]


def bulk_import(width: timedelta, day: int = 11, others: int = 20) -> list[datetime]:
    """Return 4,000 starts within `width` on one of 30 days, and `others` on each of the 30 days."""
    chance = random.Random(7)
    begin = START - DAY * 30 + DAY * day + timedelta(hours=9)
    burst = [begin + width * chance.random() for _ in range(4000)]
    return burst + [START - DAY * 30 + DAY * 30 * number / (30 * others) for number in range(30 * others)]


SHAPES: dict[str, tuple[int, list[datetime]]] = {
    "7 x 100": (7, evenly(7, 100)),
    "30 x 220": (30, evenly(30, 220)),
    "365 x 100": (365, evenly(365, 100)),
    "1,000 x 30": (1000, evenly(1000, 30)),
    "bulk import": (30, bulk_import(timedelta(hours=14))),
    "7 x 100, office hours": (7, office_hours(7, 100)),
    "30 x 220, office hours": (30, office_hours(30, 220)),
    "365 x 100, office hours": (365, office_hours(365, 100)),
    "1,000 x 30, office hours": (1000, office_hours(1000, 30)),
    "bulk import in 1 h": (30, bulk_import(timedelta(hours=1))),
}


@dataclass(frozen=True)
class Measurement:
    """What a read took. `ratio` compares it with a client that sends as many requests at the limit."""

    seconds: float
    requests: int
    fewest: int
    """Requests for full pages only."""
    latency: float
    peak: int
    """The most requests in flight."""
    refused: int

    @property
    def ratio(self) -> float:
        return self.seconds / ((self.requests - 1) / PER_SECOND + self.latency)

    @property
    def extra(self) -> int:
        return self.requests - self.fewest


def measure(
    days: int, starts: Sequence[datetime], latency: float, *, with_transcripts: bool = False
) -> Measurement:
    """Read the calls of the last `days` in virtual time, and check that all of them come once."""
    gong = add_transcripts(FakeGong(_documents(tuple(starts))))
    network = VirtualNetwork(gong, latency=latency, limit=LeakyBucket(PER_SECOND))
    config = GongConfig(auth=BasicAuth("key", "secret"), max_requests_per_day=0)

    async def work() -> float:
        async with GongClient(config, transport=network, clock=VirtualClock()) as client:
            window = Window(START - DAY * days, START)
            reader = client.calls_with_transcripts(window, wants_transcript=lambda _: with_transcripts)
            calls, transcripts = await read_both(reader)
            assert sorted(calls) == gong.ids
            assert sorted(transcripts) == (gong.ids if with_transcripts else [])
            return VirtualClock().monotonic()

    fewest = max(1, ceil(len(starts) / 100)) * (2 if with_transcripts else 1)
    return Measurement(run(work), len(network.sent_at), fewest, latency, _peak(network), network.refused)


@cache
def _documents(starts: Sequence[datetime]) -> list[dict[str, Any]]:
    in_order = (start.replace(microsecond=0) for start in sorted(starts))
    return [call(number, start) for number, start in enumerate(in_order)]


async def read_both(reader: CallReader) -> tuple[list[str], list[str]]:
    """Return the ids of all calls and of all transcripts."""
    calls: list[str] = []
    transcripts: list[str] = []
    async for page in reader.pages():
        ids = transcripts if isinstance(page, TranscriptPage) else calls
        ids += [record.key for record in page.records]
    return calls, transcripts


def _peak(network: VirtualNetwork) -> int:
    changes = [(moment, 1) for moment in network.sent_at]
    changes += [(moment + network.latency, -1) for moment in network.sent_at]
    level = peak = 0
    for _, change in sorted(changes):
        level += change
        peak = max(peak, level)
    return peak
