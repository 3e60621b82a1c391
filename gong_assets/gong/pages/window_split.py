"""Plan for splitting a window of calls: how many sub-windows are worth it, and how many are allowed.

Sub-windows are read at the same time, so more of them take less time. But the last page of each is partly
filled, and a page is read in vain whenever a list turns out to be too large: more of them take more requests.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from math import ceil

from gong_assets.gong.pages import PAGE_SIZE
from gong_assets.gong.window import Window

# Requests beyond one for each hundred calls: ten for up to 40,000 calls, and one for each 4,000 of a larger
# window.
MAX_EXTRA_REQUESTS = 10
PAGES_PER_EXTRA_REQUEST = 40
# Sub-windows do not end together. With a quarter more of them the rate limit is still reached when the first
# end.
HEADROOM = 1.25
# Sub-windows of a large window have no more pages: a quota stop loses the pages of those that have not ended,
# and a cursor lives for an hour.
MAX_PAGES = 50


@dataclass(eq=False)
class SubWindow:
    """A part of the window that is read as one list.

    `expected` stands in for `count` until Gong has answered.
    """

    window: Window
    expected: float = 0.0
    count: int | None = None
    pages_read: int = 0
    is_complete: bool = False
    is_exact: bool = True
    """All records so far start within the window."""

    @property
    def calls(self) -> float:
        return self.expected if self.count is None else self.count

    @property
    def pages(self) -> int:
        return pages_of(self.calls)


@dataclass(frozen=True)
class Pace:
    """How fast lists can be read."""

    latency: float
    """Seconds for a page."""
    capacity: float
    """Requests a second in all."""
    workers: int
    """Lists that are read at the same time."""
    requests_left: int | None
    """How many requests are left today, if that is known."""

    @property
    def max_pages(self) -> int:
        """Return how many pages a sub-window may have, so that at least two can be finished today."""
        return MAX_PAGES if self.requests_left is None else max(1, min(MAX_PAGES, self.requests_left // 2))


@dataclass
class SplitPlan:
    """The sub-windows of one window, of `total` calls, and the first pages that were read in vain."""

    total: int = 0
    pages_discarded: int = 0

    def is_too_large(self, part: SubWindow, others: Collection[SubWindow], pace: Pace) -> bool:
        """Return whether a list takes longer than everything else, with the time that a split costs."""
        rest = self._pages_left(part, others) / pace.capacity
        takes_long = (part.pages - 1) * pace.latency > rest + pace.latency
        return takes_long or part.pages > 2 * MAX_PAGES or self._exceeds_today(part, pace)

    def _exceeds_today(self, part: SubWindow, pace: Pace) -> bool:
        """Return whether today's limit does not suffice for the window; sub-windows do not count."""
        is_window = part.count is None or not self.pages_discarded
        return is_window and pace.requests_left is not None and part.pages > pace.requests_left

    def parts(
        self, part: SubWindow, others: Collection[SubWindow], pace: Pace, *, optimistic: bool = False
    ) -> int:
        """Return into how many lists to split a sub-window; less than 2 if it is to be read as it is.

        The bound on requests holds whatever the counts of the parts turn out to be, and is shared with the
        other lists that are too large. `optimistic` assumes that the lists without a count yet will waste no
        request. If today's limit does not suffice for a window, its parts are small enough to finish some.
        """
        if not self.is_too_large(part, others, pace):
            return 1
        load = part.pages * pace.latency * pace.capacity / self._pages_left(part, others)
        least = ceil(part.pages / pace.max_pages)
        if least > pace.workers:
            # A multiple of the workers, so that none is left without a list in the end.
            least = ceil(least / pace.workers) * pace.workers
        rivals = sum(
            each.pages
            for each in others
            if not each.is_complete and self.is_too_large(each, [part, *others], pace)
        )
        allowed = self._parts_allowed(part, others, optimistic=optimistic)
        share = round(allowed * part.pages / (part.pages + rivals))
        parts = min(max(2, ceil(HEADROOM * load), least), part.pages, share)
        return max(parts, least) if self._exceeds_today(part, pace) else parts

    def _pages_left(self, part: SubWindow, others: Collection[SubWindow]) -> int:
        pages_read = sum(each.pages_read for each in others if each is not part)
        return max(part.pages, pages_of(self.total) - pages_read)

    def _parts_allowed(self, part: SubWindow, others: Collection[SubWindow], *, optimistic: bool) -> int:
        """`k` lists with `n` calls together take at most `k - 1` requests more than one list of `n` calls."""
        counted = [each for each in others if each.count is not None]
        uncounted = 0 if optimistic else len(others) - len(counted)
        left = ceil(max(0, self.total - sum(each.count or 0 for each in counted)) / PAGE_SIZE)
        planned = self.pages_discarded + (part.count is not None) + sum(each.pages for each in counted) + left
        return max_requests(self.total) - planned - uncounted + 1


def pages_of(calls: float) -> int:
    """Return the requests that a list of so many calls takes; an empty one takes one as well."""
    return max(1, ceil(calls / PAGE_SIZE))


def max_requests(calls: int) -> int:
    """Return the bound on requests for so many calls, however they lie in time."""
    pages = pages_of(calls)
    return pages + max(MAX_EXTRA_REQUESTS, ceil(pages / PAGES_PER_EXTRA_REQUEST))
