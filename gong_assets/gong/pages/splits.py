"""How many chains to walk with, and where to start a new one. Arithmetic only: no request is made here.

Chains are described by their `suffixes`: how many calls there are from each chain's start to the end of the
window, in order of their starts, as `totalRecords` of each first page tells. The first one is the size of the
window.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from math import ceil, sqrt

from gong_assets.gong.pages.pagination import PAGE_SIZE

# More would only wait for one another: at Gong's 3 requests a second these are enough for pages that take 5
# seconds.
MAX_CHAINS = 16
# Without a limit to reach. Enough to hide the round trips, few enough not to be a burden to the server.
UNLIMITED_CHAINS = 8
# Chains do not end together however well they were placed. With a quarter more of them the limit is still
# reached while the first ones have ended; each costs at most one request.
HEADROOM = 1.25
# Gong filters by the second at best, so a boundary within one cannot be relied on.
FINEST = timedelta(seconds=1)
# Calls on a day of the weekend, in those of a working day: between the companies that never call on a Sunday
# and those that always do, so that the chains of neither are placed far off.
WEEKEND = 0.4
SATURDAY = 5
# When the calls so far lie this much closer together than those ahead would, it is no working day's rush but
# a burst.
BURST = 0.15


@dataclass(frozen=True)
class Gap:
    """One chain's work: it has read `done` calls from `first` to `begin`; `left` more start before `end`."""

    first: datetime
    begin: datetime
    end: datetime
    done: int
    left: int

    @property
    def pages(self) -> int:
        return ceil(self.left / PAGE_SIZE)


def chains_needed(latency: float | None, requests_per_second: float) -> int:
    """The fewest chains that keep a limit busy when each answer takes `latency` seconds; 0 is no limit."""
    if latency is None:
        return 1
    if not requests_per_second:
        return UNLIMITED_CHAINS
    return max(1, min(MAX_CHAINS, ceil(latency * requests_per_second * HEADROOM)))


def requests_planned(suffixes: Sequence[int]) -> int:
    """The requests that chains with these suffixes make until all have met their successors.

    A chain that ends where the next one begins has to see a call of that one, and so reads floor(calls/100) +
    1 pages; the last chain with any calls ends with its last page; a chain without calls costs the one
    request that found that out.
    """
    filled = [suffix for suffix in suffixes if suffix]
    before_next = sum((here - there) // PAGE_SIZE + 1 for here, there in pairwise(filled))
    return before_next + ceil(filled[-1] / PAGE_SIZE if filled else 0) + (len(suffixes) - len(filled))


def splits_allowed(suffixes: Sequence[int], unknown: int, chains: int) -> int:
    """How many new chains may be started if N calls are to cost at most ceil(N/100) + `chains` requests.

    A new chain adds at most one request, for the page on which its predecessor runs into it, and often none.
    `unknown` chains have been started whose first page is not here yet, and may turn out to have cost that
    one.
    """
    return ceil(suffixes[0] / PAGE_SIZE) + chains - requests_planned(suffixes) - unknown


def new_starts(gaps: Sequence[Gap], count: int) -> list[datetime]:
    """Where to start up to `count` new chains, so that all chains have about the same number of calls ahead.

    Fewer are returned where no gap has a page left for each of its chains, or is too short in time to be
    divided.
    """
    parts = [1] * len(gaps)
    for _ in range(count):
        divisible = [
            i
            for i, gap in enumerate(gaps)
            if gap.pages > parts[i] and gap.end - gap.begin > FINEST * 2 * (parts[i] + 1)
        ]
        if not divisible:
            break
        largest = max(divisible, key=lambda i: gaps[i].left / parts[i])
        parts[largest] += 1
    return [start for gap, of in zip(gaps, parts, strict=True) for start in _starts(gap, of)]


def _starts(gap: Gap, parts: int) -> list[datetime]:
    """The starts of all parts of a gap but the first, in whole seconds and strictly between its ends."""
    if parts == 1:
        return []
    reach = _reach(gap, parts)
    places = (_after(gap.begin, gap.end, reach * part / parts) for part in range(1, parts))
    starts = {place.replace(microsecond=0) + FINEST for place in places}
    return sorted(start for start in starts if start < gap.end)


def _reach(gap: Gap, parts: int) -> float:
    """The share of a gap's time in which its calls are likely to lie, from its beginning.

    Calls may end long before the gap does, and a chain started in the emptiness behind them is a request for
    nothing. But the density so far does not last either: it may have been measured in the busiest hour of a
    day. So it counts only where one chain is added to one that has read for a while, and where it is extreme;
    and then the geometric mean of "as so far" and "evenly" is taken.
    """
    seen, ahead = _work(gap.first, gap.begin), _work(gap.begin, gap.end)
    if not gap.done or not seen:
        return 1.0
    as_so_far = min(1.0, gap.left * (seen / gap.done) / ahead)
    return sqrt(as_so_far) if parts == 2 or as_so_far < BURST else 1.0


def _work(begin: datetime, end: datetime) -> float:
    """The time between, in seconds of working days: what the number of calls goes by."""
    return sum(seconds for _, seconds in _days(begin, end))


def _after(begin: datetime, end: datetime, share: float) -> datetime:
    """The moment by which this share of the work between is done."""
    left = share * _work(begin, end)
    for day, work in _days(begin, end):
        if left <= work:
            return day + timedelta(seconds=left / _weight(day))
        left -= work
    return end


def _days(begin: datetime, end: datetime) -> Iterator[tuple[datetime, float]]:
    """Each (part of a) UTC day in between: when it begins, and its work."""
    while begin < end:
        midnight = datetime.combine(begin.date() + timedelta(days=1), time(), UTC)
        until = min(midnight, end)
        yield begin, (until - begin).total_seconds() * _weight(begin)
        begin = until


def _weight(day: datetime) -> float:
    return WEEKEND if day.weekday() >= SATURDAY else 1.0
