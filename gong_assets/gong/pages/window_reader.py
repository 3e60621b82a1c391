"""Reader for all calls of a window, by several sub-windows at the same time.

A cursor only leads to the next page. Where a page takes a second, one list therefore makes one request a
second, and the rate limit allows three. So the first request asks for the whole window. If it shows more
calls than one list can return in time, the window is split into sub-windows that Gong filters itself, each
read as an ordinary list. A sub-window whose first page shows far more calls than its share is split again, by
time: a bulk import puts thousands of calls on one day.

Correctness does not depend on the order in which Gong lists calls. A call that arrives during the read moves
others to a later page, so records are told apart by their ids. A call that is deleted during the read can
hide its neighbour until the window is read again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import aclosing
from math import inf

from gong_assets.gong.http.transport import Transport
from gong_assets.gong.pages.pagination import Deduplicator, Page, Pages
from gong_assets.gong.pages.window_forecast import Forecast, split
from gong_assets.gong.pages.window_split import SplitPlan, SubWindow
from gong_assets.gong.pages.worker_pool import Batch, WorkerPool
from gong_assets.gong.window import Window

# If the first answer takes longer than it takes to send so many requests at the limit, the window is split
# before it is known how many calls it has: into tenths, of which a few are requested.
REQUESTS_BEFORE_EARLY_SPLIT = 3.5
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
        self._plan = SplitPlan()
        self._batches: dict[SubWindow, Batch] = {self._whole: pool.add(self._read_whole)}

    @property
    def is_complete(self) -> bool:
        return all(part.is_complete for part in self._batches)

    def completed_windows(self) -> Iterator[Window]:
        """Yield the sub-windows that were read to their end, in order and merged.

        A sub-window with a record that does not start within it is left out: the day of that record is
        unknown.
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
        limit = self._transport.requests_per_second
        delay = REQUESTS_BEFORE_EARLY_SPLIT / limit if limit else inf
        timer = asyncio.get_running_loop().call_later(delay, self._split_early, delay)
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
                self._plan.total = part.count or 0
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

    def _split_early(self, delay: float) -> None:
        """Start a few sub-windows, unless other batches use the time or the answer is only late."""
        self._pool.start_waiting()
        if not self._pool.has_room or (self._transport.latency or 0.0) < delay:
            return
        forecast = Forecast(self._whole.window, EARLY_SPLIT, [], self._transport.clock.now())
        windows = split(forecast, self._whole.window, EARLY_SPLIT)
        self._early = [self._add(SubWindow(each)) for each in windows[: min(EARLY_PARTS, len(windows) - 1)]]
        self._pool.start_waiting()

    async def _try_split(self, part: SubWindow, page: Page) -> bool:
        """Replace a sub-window that is too large by smaller ones; return False to read it on as it is."""
        if part.count is None:
            return False
        starts = [record.started for record in page.records if record.started is not None]
        forecast = Forecast(part.window, part.count, starts, self._transport.clock.now())
        if part is self._whole:
            return await self._try_split_whole(forecast)
        if self._parts(part, optimistic=True) < 2:
            return False
        await self._wait_for_counts()
        return self._split(part, forecast)

    async def _try_split_whole(self, forecast: Forecast) -> bool:
        whole = self._whole
        if self._parts(whole) < 2 and not self._early:
            return False
        for each in self._early:
            each.expected = forecast.calls_in(each.window)
            self._batches[each].requests = each.pages
        start = self._early[-1].window.end if self._early else whole.window.start
        rest = SubWindow(Window(start, whole.window.end))
        self._batches[rest] = self._batches.pop(whole)
        self._plan.pages_discarded += 1
        if not forecast.is_clear:
            await self._wait_for_counts()
        rest.expected = whole.calls - sum(each.calls for each in self._early)
        return self._split(rest, forecast)

    async def _wait_for_counts(self) -> None:
        """Wait until all lists are counted: the more counts are known, the more parts the bound allows."""
        while self._uncounted:
            await self._counted.wait()

    def _split(self, part: SubWindow, forecast: Forecast) -> bool:
        if self._pool.quota_error is not None:
            return True  # nothing more is read
        parts = self._parts(part)
        if not forecast.is_clear:
            parts = min(parts, SEARCH_PARTS)
        windows = split(forecast, part.window, max(1, parts))
        if len(windows) < 2 and part.count is not None:
            return False
        self._plan.pages_discarded += part.count is not None
        del self._batches[part]
        # The longest ones are started first: the weekends in them may or may not have calls.
        for each in sorted(windows, key=lambda each: each.end - each.start):
            self._add(SubWindow(each, part.calls / len(windows)))
        return True

    def _parts(self, part: SubWindow, *, optimistic: bool = False) -> int:
        others = [each for each in self._batches if each is not part]
        return self._plan.parts(part, others, self._pool.pace, optimistic=optimistic)

    def _add(self, part: SubWindow) -> SubWindow:
        self._batches[part] = self._pool.add(lambda: self._read(part), requests=part.pages, first=True)
        return part
