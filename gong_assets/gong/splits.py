"""How many chains to walk with, and where to start a new one. Arithmetic only: no request is made here.

Chains are described by their `suffixes`: how many calls there are from each chain's start to the end of the window, in order
of their starts, as `totalRecords` of each first page tells. The first one is the size of the window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil, sqrt

from gong_assets.gong.paging import PAGE_SIZE

# More would only wait for one another: at Gong's 3 requests a second these are enough for pages that take 5 seconds.
MAX_CHAINS = 16
# Without a limit to reach. Enough to hide the round trips, few enough not to be a burden to the server.
UNLIMITED_CHAINS = 8
# Latency varies, and a chain too few leaves requests unused that cannot be had back; one too many costs one request.
LATENCY_HEADROOM = 1.1
# Gong filters by the second at best, so a boundary within one cannot be relied on.
FINEST = timedelta(seconds=1)


@dataclass(frozen=True)
class Gap:
    """What one chain has before it: `calls` that start between `begin` (where it is) and `end` (where the next one began).

    `calls_per_second` is how close together the chain has found them so far; None if it cannot tell.
    """

    begin: datetime
    end: datetime
    calls: int
    calls_per_second: float | None = None

    @property
    def pages(self) -> int:
        return ceil(self.calls / PAGE_SIZE)


def chains_needed(latency: float | None, requests_per_second: float) -> int:
    """The fewest chains that keep a limit of so many requests per second busy, when each answer takes `latency` seconds."""
    if latency is None:
        return 1
    if not requests_per_second:
        return UNLIMITED_CHAINS
    return max(1, min(MAX_CHAINS, ceil(latency * requests_per_second * LATENCY_HEADROOM)))


def requests_planned(suffixes: Sequence[int]) -> int:
    """The requests that chains with these suffixes make until all have met their successors.

    A chain that ends where the next one begins has to see a call of that one, and so reads floor(calls/100) + 1 pages; the
    last chain with any calls ends with its last page; a chain without calls costs the one request that found that out.
    """
    filled = [suffix for suffix in suffixes if suffix]
    before_next = sum((here - there) // PAGE_SIZE + 1 for here, there in pairwise(filled))
    return before_next + ceil(filled[-1] / PAGE_SIZE if filled else 0) + (len(suffixes) - len(filled))


def splits_allowed(suffixes: Sequence[int], unknown: int, chains: int) -> int:
    """How many new chains may still be started when N calls are to cost at most ceil(N/100) + `chains` requests.

    A new chain adds at most one request, for the page on which its predecessor runs into it, and often none. `unknown` chains
    have been started whose first page is not here yet, and may turn out to have cost that one.
    """
    return ceil(suffixes[0] / PAGE_SIZE) + chains - requests_planned(suffixes) - unknown


def new_starts(gaps: Sequence[Gap], count: int) -> list[datetime]:
    """Where to start up to `count` new chains, so that the calls ahead of all chains come to about the same number.

    Fewer are returned where no gap has a page left for each of its chains, or is too short in time to be divided.
    """
    parts = [1] * len(gaps)
    for _ in range(count):
        divisible = [
            i for i, gap in enumerate(gaps) if gap.pages > parts[i] and _span(gap) / (parts[i] + 1) >= FINEST
        ]
        if not divisible:
            break
        largest = max(divisible, key=lambda i: gaps[i].calls / parts[i])
        parts[largest] += 1
    return [
        (gap.begin + _span(gap) * part / of).replace(microsecond=0) + FINEST
        for gap, of in zip(gaps, parts, strict=True)
        for part in range(1, of)
    ]


def _span(gap: Gap) -> timedelta:
    """The time within which the gap's calls are likely to lie, from its beginning.

    Calls may end long before the gap does (a burst, or a company that left Gong), and a chain started in the emptiness
    behind them is a request for nothing. Nor does the density so far hold for ever: an hour of a working day, continued, is too
    dense. Between the two guesses stands their geometric mean.
    """
    whole = gap.end - gap.begin - FINEST
    if gap.calls_per_second:
        as_so_far = gap.calls / gap.calls_per_second / max(whole.total_seconds(), 1.0)
        return whole * sqrt(min(1.0, as_so_far))
    return whole
