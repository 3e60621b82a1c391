"""Forecast of where the calls of a window lie in time, and a split of the window by it.

Gong filters each sub-window itself, so any split is correct. Its borders only decide how long the read takes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

from gong_assets.gong.window import Window

# Gong filters by the second at best.
FINEST = timedelta(seconds=1)
# Calls on a day of the weekend, as a share of those on a working day: between companies that never call on a
# Sunday and companies that always do.
WEEKEND = 0.4
SATURDAY = 5
# The last calls of a page show how close together the calls are where it ends.
TAIL = 25
# Office hours change the density by a factor of three. Beyond these factors it is a burst, such as a bulk
# import.
BURST = 4
SPARSE = 6


class Forecast:
    """Where the calls of a window probably lie in time, judging by its first page.

    The page has their number, and the starts of a hundred. The starts only help if they are in order.
    Otherwise calls are expected evenly over the working days.
    """

    def __init__(self, window: Window, count: float, starts: Sequence[datetime], latest: datetime) -> None:
        in_order = all(earlier <= later for earlier, later in pairwise(starts))
        self.is_clear = True
        """False if most calls must lie close together, but the page does not show where."""
        self._starts = [each for each in starts if each < window.end] if in_order else []
        self._begin = self._starts[-1] if self._starts else window.start
        self._end = max(self._begin + FINEST, min(window.end, latest))
        self._left = max(1.0, count - len(self._starts))
        if len(self._starts) >= TAIL:
            self._compare_density(window)

    def _compare_density(self, window: Window) -> None:
        """Compare how long the other calls would take at the density of the page with the time left."""
        available = _work(self._begin, self._end)
        at_tail = _work(self._starts[-TAIL], self._begin) / (TAIL - 1) * self._left
        on_average = _work(window.start, self._begin) / len(self._starts) * self._left
        if at_tail < available / BURST:
            self._end = _after(self._begin, self._end, max(at_tail, 1.0) / available)
        elif at_tail > available * BURST and on_average > available * SPARSE:
            self.is_clear = False

    def calls_before(self, moment: datetime) -> float:
        """Return how many calls start before this moment."""
        if moment <= self._begin:
            return bisect_left(self._starts, moment)
        share = _work(self._begin, min(moment, self._end)) / _work(self._begin, self._end)
        return len(self._starts) + share * self._left

    def calls_in(self, window: Window) -> float:
        """Return how many calls start within the window."""
        return self.calls_before(window.end) - self.calls_before(window.start)

    def moment_after(self, calls: float) -> datetime:
        """Return the moment before which so many calls start."""
        if calls < len(self._starts):
            return self._starts[int(calls)]
        return _after(self._begin, self._end, (calls - len(self._starts)) / self._left)


def split(forecast: Forecast, window: Window, parts: int) -> list[Window]:
    """Return up to `parts` windows that follow one another, with about the same number of calls each."""
    before, calls = forecast.calls_before(window.start), forecast.calls_in(window)
    moments = [forecast.moment_after(before + calls * part / parts) for part in range(1, parts)]
    edges = [window.start]
    for moment, following in pairwise([*moments, window.end]):
        border = _border(moment, min(moment - edges[-1], following - moment))
        if edges[-1] < border < window.end:
            edges.append(border)
    return [Window(start, end) for start, end in pairwise([*edges, window.end])]


def _border(moment: datetime, room: timedelta) -> datetime:
    """Return the nearest midnight or, where that would make a sub-window much smaller, the next second.

    A quota stop then leaves few days half read.
    """
    midnight = datetime.combine((moment + timedelta(hours=12)).date(), time(), UTC)
    if abs(midnight - moment) * 8 <= room:
        return midnight
    return moment.replace(microsecond=0) + (FINEST if moment.microsecond else timedelta())


def _work(begin: datetime, end: datetime) -> float:
    """Return the time in between in seconds of working days, which the number of calls is proportional to."""
    return sum(seconds for _, seconds in _days(begin, end))


def _after(begin: datetime, end: datetime, share: float) -> datetime:
    """Return the moment by which this share of the work in between is done."""
    left = share * _work(begin, end)
    for day, work in _days(begin, end):
        if left <= work:
            return day + timedelta(seconds=left / _weight(day))
        left -= work
    return end


def _days(begin: datetime, end: datetime) -> Iterator[tuple[datetime, float]]:
    """Yield the beginning and the work of each (part of a) UTC day in between."""
    while begin < end:
        midnight = datetime.combine(begin.date() + timedelta(days=1), time(), UTC)
        until = min(midnight, end)
        yield begin, (until - begin).total_seconds() * _weight(begin)
        begin = until


def _weight(day: datetime) -> float:
    return WEEKEND if day.weekday() >= SATURDAY else 1.0
