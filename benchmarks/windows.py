"""Time and requests that reading a window of calls takes at Gong's rate limit, in virtual time.

    python benchmarks/windows.py [--latency 0.4 1 3] [--shape NAME ...]

No request leaves the process and no second is waited for: the client runs as it is, on an event loop whose clock jumps to
the next event, against a server that takes `latency` seconds for each page. So the figures are exact and the same on every
machine. Each line shows the seconds, the requests beside the fewest possible ones, the ratio of the seconds to the time
that the fewest requests take at 3 requests a second, and the number of requests in flight at the peak.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from gong_assets.gong import BasicAuth, GongClient, GongConfig, Window
from gong_assets_tests.gong.fake_gong import FakeGong, call
from gong_assets_tests.gong.virtual_time import BEGINNING, VirtualClock, VirtualNetwork, run

PER_SECOND = 3
END = BEGINNING
SATURDAY = 5
DAY = timedelta(days=1)


def even(days: int, per_day: int) -> list[datetime]:
    count = days * per_day
    return [END - DAY * days + DAY * days * number / count for number in range(count)]


def office_hours(days: int, per_day: int) -> list[datetime]:
    """The same number of calls, eight times as many on a working day as on one of the weekend, from 14 to 23 h UTC."""
    chance = random.Random(7)
    first = END - DAY * days
    weights = [1 if (first + DAY * day).weekday() >= SATURDAY else 8 for day in range(days)]
    chosen = chance.choices(range(days), weights, k=days * per_day)
    return [first + DAY * day + timedelta(seconds=chance.randrange(14 * 3600, 23 * 3600)) for day in chosen]


def bulk_import(width: timedelta, day: int = 11, others: int = 20) -> list[datetime]:
    """4,000 calls within `width` on one of 30 days, and `others` on each of the other ones."""
    chance = random.Random(7)
    begin = END - DAY * 30 + DAY * day + timedelta(hours=9)
    burst = [begin + width * chance.random() for _ in range(4000)]
    return burst + [END - DAY * 30 + DAY * 30 * number / (30 * others) for number in range(30 * others)]


SHAPES: dict[str, tuple[int, Callable[[], list[datetime]]]] = {
    "7 x 100": (7, lambda: even(7, 100)),
    "30 x 220": (30, lambda: even(30, 220)),
    "365 x 100": (365, lambda: even(365, 100)),
    "1,000 x 30": (1000, lambda: even(1000, 30)),
    "4,000 on one day of 30, in 14 h": (30, lambda: bulk_import(timedelta(hours=14))),
    "7 x 100, office hours": (7, lambda: office_hours(7, 100)),
    "30 x 220, office hours": (30, lambda: office_hours(30, 220)),
    "365 x 100, office hours": (365, lambda: office_hours(365, 100)),
    "1,000 x 30, office hours": (1000, lambda: office_hours(1000, 30)),
    "4,000 on one day of 30, in 1 h": (30, lambda: bulk_import(timedelta(hours=1))),
}


@dataclass(frozen=True)
class Figures:
    seconds: float
    requests: int
    fewest: int
    peak: int

    @property
    def ratio(self) -> float:
        return self.seconds / (self.fewest / PER_SECOND)


def measure(days: int, starts: Sequence[datetime], latency: float) -> Figures:
    gong = FakeGong(call(number, start.replace(microsecond=0)) for number, start in enumerate(sorted(starts)))
    network = VirtualNetwork(gong, latency=latency)

    async def work() -> float:
        config = GongConfig(auth=BasicAuth("key", "secret"), max_requests_per_day=0)
        clock = VirtualClock()
        async with GongClient(config, transport=network, clock=clock) as client:
            begin = clock.monotonic()
            window = Window(END - DAY * days, END)
            ids = [record.key async for page in client.calls(window) for record in page.records]
            assert sorted(ids) == gong.ids
            return clock.monotonic() - begin

    seconds = run(work)
    events = sorted((moment, 1) for moment in network.sent_at)
    events += [(moment + latency, -1) for moment in network.sent_at]
    level = peak = 0
    for _, change in sorted(events):
        level += change
        peak = max(peak, level)
    return Figures(seconds, len(network.sent_at), ceil(len(starts) / 100), peak)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--latency", type=float, nargs="+", default=[0.4, 1, 3])
    parser.add_argument("--shape", nargs="+", choices=list(SHAPES), default=list(SHAPES))
    options = parser.parse_args()
    print("| calls | latency (s) | seconds | requests (fewest) | ratio | in flight |")
    print("|---|---|---|---|---|---|")
    for shape in options.shape:
        days, starts = SHAPES[shape][0], SHAPES[shape][1]()
        for latency in options.latency:
            figures = measure(days, starts, latency)
            print(
                f"| {shape} | {latency:g} | {figures.seconds:.1f} | {figures.requests} ({figures.fewest}) "
                f"| {figures.ratio:.2f} | {figures.peak} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
