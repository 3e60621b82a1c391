"""Reader for all calls of a window, by several sub-windows at the same time.

A cursor only leads to the next page. Where a page takes a second, one list therefore makes one request a second, and
the rate limit allows three. So the first request asks for the whole window. If it shows more calls than one list can
return in time, the window is split into sub-windows that Gong filters itself, each read as an ordinary list. A
sub-window whose first page shows far more calls than its share is split again, by time: a bulk import puts thousands of
calls on one day.

Correctness does not depend on the order in which Gong lists calls. A call that arrives during the read moves others to
a later page, so records are told apart by their ids. A call that is deleted during the read can hide its neighbour until
the window is read again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import aclosing
from math import ceil

from gong_assets.gong.http.transport import Transport
from gong_assets.gong.pages.pagination import Deduplicator, Page, Pages
from gong_assets.gong.pages.window_split import (
    Forecast,
    SubWindow,
    pages_of,
    parts_allowed,
    parts_wanted,
    split,
)
from gong_assets.gong.pages.worker_pool import Batch, WorkerPool
from gong_assets.gong.window import Window

# Sub-windows of a large window have no more pages: a quota stop loses the pages of those that have not ended, and a
# cursor lives for an hour.
MAX_PAGES = 50
# If the first answer takes longer than these seconds, the window is split before it is known how many calls it has:
# into tenths, of which a few are requested.
SLOW_ANSWER = 1.2
EARLY_SPLIT = 10
EARLY_PARTS = 4
# Sub-windows that locate a burst: fewer than usual, since most of them will turn out to be nearly empty.
SEARCH_PARTS = 4


class WindowReader:
    """Reads one window by batches of a pool, each call once."""

    def __init__(
        self,
        transport: Transport,
        pool: WorkerPool,
        window: Window,
        read_window: Callable[[Window], Pages],
        seen: Deduplicator,
        on_complete: Callable[[], None] = lambda: None,
    ) -> None:
        self.total: int | None = None
        """The number of calls, once Gong has answered."""
        self._transport = transport
        self._pool = pool
        self._read_window = read_window
        self._seen = seen
        self._on_complete = on_complete
        self._whole = SubWindow(window)
        self._early: list[SubWindow] = []
        self._uncounted: set[SubWindow] = set()
        self._counted = asyncio.Event()
        self._pages_discarded = 0
        self._batches: dict[SubWindow, Batch] = {self._whole: pool.add(self._read_whole)}

    @property
    def is_complete(self) -> bool:
        return all(part.is_complete for part in self._batches)

    def completed_windows(self) -> Iterator[Window]:
        """Yield the sub-windows that were read to their end, in order and merged.

        One with a record that does not start within it is left out: nobody could tell which day it belongs to.
        """
        merged: Window | None = None
        for part in sorted(self._batches, key=lambda each: each.window.start):
            if not part.is_complete or not part.is_exact:
                continue
            if merged is None or merged.end != part.window.start:
                if merged is not None:
                    yield merged
                merged = part.window
            else:
                merged = Window(merged.start, part.window.end)
        if merged is not None:
            yield merged

    async def _read_whole(self) -> Pages:
        timer = asyncio.get_running_loop().call_later(SLOW_ANSWER, self._split_early)
        try:
            async with aclosing(self._read(self._whole)) as pages:
                async for page in pages:
                    timer.cancel()
                    yield page
        finally:
            timer.cancel()

    async def _read(self, part: SubWindow) -> Pages:
        self._uncounted.add(part)
        try:
            async with aclosing(self._read_window(part.window)) as pages:
                async for page in pages:
                    is_first = part.pages_read == 0
                    self._note(part, page)
                    yield self._seen.new_records(page)
                    if is_first and page.cursor is not None and await self._try_split(part, page):
                        return
            self._complete(part)
        finally:
            self._note_counted(part)

    def _note(self, part: SubWindow, page: Page) -> None:
        if part.pages_read == 0:
            part.count = page.total_records
            self._batches[part].requests = part.pages
            if part is self._whole:
                self.total = part.count
            self._note_counted(part)
        part.pages_read += 1
        window = part.window
        part.is_exact &= all(
            each.started is not None and window.start <= each.started < window.end for each in page.records
        )

    def _note_counted(self, part: SubWindow) -> None:
        self._uncounted.discard(part)
        self._counted.set()
        self._counted = asyncio.Event()

    def _complete(self, part: SubWindow) -> None:
        part.is_complete = True
        part.count = part.count or 0
        if part is self._whole:
            for early in self._early:
                self._pool.drop(self._batches.pop(early))
        if self.is_complete:
            self._on_complete()

    def _split_early(self) -> None:
        forecast = Forecast(self._whole.window, EARLY_SPLIT, [], self._transport.clock.now())
        windows = split(forecast, self._whole.window, EARLY_SPLIT)
        self._early = [self._add(SubWindow(each)) for each in windows[: min(EARLY_PARTS, len(windows) - 1)]]
        self._pool.start_waiting()

    async def _try_split(self, part: SubWindow, page: Page) -> bool:
        """Replace a sub-window that is too large by smaller ones. Return False if it is read on as it is."""
        if part.count is None:
            return False
        starts = [record.started for record in page.records if record.started is not None]
        forecast = Forecast(part.window, part.count, starts, self._transport.clock.now())
        is_whole, calls = part is self._whole, float(part.count)
        if self._parts_wanted(part, calls) < 2 and not (is_whole and self._early):
            return False
        if is_whole:
            part = self._replace_whole(forecast)
        if not is_whole or not forecast.is_clear:
            # The more counts are known, the more requests are left for this split.
            while self._uncounted:
                await self._counted.wait()
        if is_whole:
            calls -= sum(each.expected if each.count is None else each.count for each in self._early)
        if self._pool.quota_error is not None:
            return False
        windows = split(forecast, part.window, self._parts(part, calls, forecast, 0 if is_whole else 1))
        if len(windows) < 2 and not is_whole:
            return False
        self._pages_discarded += not is_whole
        del self._batches[part]
        # The longest ones are started first: the weekends in them may or may not have calls.
        for each in sorted(windows, key=lambda each: each.end - each.start):
            self._add(SubWindow(each, calls / len(windows)))
        return True

    def _replace_whole(self, forecast: Forecast) -> SubWindow:
        """Replace the whole window by the part of it that no early sub-window covers."""
        for each in self._early:
            each.expected = forecast.calls_in(each.window)
        start = self._early[-1].window.end if self._early else self._whole.window.start
        part = SubWindow(Window(start, self._whole.window.end))
        self._batches[part] = self._batches.pop(self._whole)
        self._pages_discarded += 1
        return part

    def _parts(self, part: SubWindow, calls: float, forecast: Forecast, pages_discarded: int) -> int:
        others = [each for each in self._batches if each is not part]
        allowed = parts_allowed(self.total or 0, self._pages_discarded + pages_discarded, others)
        wanted = min(self._parts_wanted(part, calls), pages_of(calls) if forecast.is_clear else SEARCH_PARTS)
        return max(1, min(wanted, allowed))

    def _add(self, part: SubWindow) -> SubWindow:
        self._batches[part] = self._pool.add(lambda: self._read(part), requests=part.pages, first=True)
        return part

    def _parts_wanted(self, part: SubWindow, calls: float) -> int:
        pages = pages_of(calls)
        others = [each for each in self._batches if each is not part]
        if any(each.pages_left > pages for each in others if each.count is not None):
            return 1  # another one takes longer
        pages_left = max(pages, pages_of(self.total or calls) - sum(each.pages_read for each in others))
        parts = parts_wanted(pages, pages_left, self._transport.latency or 0.0, self._pool.capacity)
        if part is self._whole or pages > 2 * MAX_PAGES:
            rounds = ceil(pages / self._max_pages() / self._pool.size)
            parts = max(parts, self._pool.size * rounds if rounds > 1 else ceil(pages / self._max_pages()))
        return parts

    def _max_pages(self) -> int:
        """Return how many pages a sub-window may have, so that some can be finished before the daily limit."""
        left = self._transport.requests_left_today()
        return MAX_PAGES if left is None else max(1, min(MAX_PAGES, left // 2))
