"""Worker pool: runs batches of requests concurrently and hands their pages to one consumer.

A batch is anything that yields pages: a sub-window of calls, a hundred call ids, a day of statistics. The
queue between the batches and the consumer is short, so that a slow consumer slows the requests down instead
of filling the memory.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from math import ceil, inf
from typing import TYPE_CHECKING, TypeVar

from gong_assets.gong.errors import GongQuotaExhausted
from gong_assets.gong.pages.window_split import HEADROOM, Pace

if TYPE_CHECKING:
    from gong_assets.gong.http.transport import Transport
    from gong_assets.gong.pages.pagination import Page, Pages

T = TypeVar("T")

# Enough for Gong's 3 requests a second where a page takes 4 seconds; more batches would only wait for the
# limit.
MAX_WORKERS = 16
# Without a rate limit: enough to hide the round trips, few enough not to overload the server.
UNLIMITED_WORKERS = 8
QUEUED_PAGES = 2


def workers_needed(latency: float | None, requests_per_second: float) -> int:
    """Return how many batches reach the limit if a page takes `latency` seconds; 0 is no limit."""
    if latency is None:
        return 1
    if not requests_per_second:
        return UNLIMITED_WORKERS
    return max(1, min(MAX_WORKERS, ceil(latency * requests_per_second * HEADROOM)))


class Batch:
    """Yields pages when `read` is called. `requests` is how many it is expected to take."""

    def __init__(self, read: Callable[[], Pages], requests: int) -> None:
        self.read = read
        self.requests = requests
        self.pages_read = 0
        self.is_complete = False

    @property
    def requests_left(self) -> int:
        return max(0, self.requests - self.pages_read)


@dataclass(frozen=True)
class _Ended:
    batch: Batch
    error: Exception | None


class WorkerPool:
    """Runs the batches that are added to it, as many at a time as reach the rate limit.

    Once the quota is exhausted (`quota_error`), no further batch starts, and a running one ends with the page
    that it is waiting for. Any other error stops all batches. If it is known how many requests are left
    today, a batch starts only if they suffice for it.
    """

    def __init__(self, transport: Transport) -> None:
        self.quota_error: GongQuotaExhausted | None = None
        self._transport = transport
        self._waiting: deque[Batch] = deque()
        self._running: dict[Batch, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ready: asyncio.Queue[Page | _Ended] = asyncio.Queue(QUEUED_PAGES)
        self._unfinished: set[Batch] = set()
        """Batches that have started, and whose end the consumer has not seen yet."""

    @property
    def size(self) -> int:
        return workers_needed(self._transport.latency, self._transport.requests_per_second)

    @property
    def has_room(self) -> bool:
        """Whether another batch would start at once."""
        return not self._waiting and len(self._running) < self.size

    @property
    def pace(self) -> Pace:
        """How fast the pool can read."""
        latency, limit = self._transport.latency or 0.0, self._transport.requests_per_second or inf
        capacity = min(limit, self.size / latency) if latency else limit
        return Pace(latency, capacity, self.size, self._transport.requests_expected_today())

    def add(self, read: Callable[[], Pages], *, requests: int = 1, first: bool = False) -> Batch:
        """Add a batch behind the waiting ones, or before them."""
        batch = Batch(read, requests)
        (self._waiting.appendleft if first else self._waiting.append)(batch)
        return batch

    def drop(self, batch: Batch) -> None:
        """Stop a batch that is no longer needed, unless it has yielded a page that waits for the consumer."""
        if batch in self._waiting:
            self._waiting.remove(batch)
        elif batch in self._running and not batch.pages_read:
            self._running.pop(batch).cancel()
            self._unfinished.discard(batch)

    def start_waiting(self) -> None:
        """Start waiting batches as long as there is room for them."""
        while self._waiting and self.quota_error is None and len(self._running) < self.size:
            batch = self._next()
            if batch is None:
                return
            self._waiting.remove(batch)
            self._unfinished.add(batch)
            task = self._running[batch] = asyncio.create_task(self._run(batch))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _next(self) -> Batch | None:
        """Return the first batch that can be finished today; if there is none, the smallest one, alone."""
        left = self._transport.requests_expected_today()
        if left is None:
            return self._waiting[0]
        left -= sum(batch.requests_left for batch in self._running)
        affordable = next((batch for batch in self._waiting if batch.requests <= left), None)
        if affordable is None and not self._running:
            return min(self._waiting, key=lambda batch: batch.requests)
        return affordable

    async def pages(self) -> Pages:
        """Yield the pages of all batches, in no order. Raises the first error of a batch."""
        self.start_waiting()
        try:
            while self._unfinished:
                item = await self._ready.get()
                if not isinstance(item, _Ended):
                    if item.records:
                        yield item
                    continue
                if item.error is not None:
                    raise item.error
                self._unfinished.discard(item.batch)
                self.start_waiting()
        finally:
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, batch: Batch) -> None:
        failure: Exception | None = None
        try:
            await self._read(batch)
        except GongQuotaExhausted as error:
            self.quota_error = self.quota_error or error
        except Exception as error:  # raised again where the consumer is
            failure = error
        finally:
            self._running.pop(batch, None)
        self.start_waiting()
        await self._ready.put(_Ended(batch, failure))

    async def _read(self, batch: Batch) -> None:
        async with aclosing(batch.read()) as pages:
            async for page in pages:
                batch.pages_read += 1
                self.start_waiting()
                await self._ready.put(page)
                if self.quota_error is not None and page.cursor is not None:
                    return
        batch.is_complete = True


async def read_all(transport: Transport, items: Sequence[T], read: Callable[[T], Pages]) -> Pages:
    """Yield the pages that `read` yields for each of the items, in no order.

    A GongQuotaExhausted comes after the last page; its `remaining` are the items that were not read to their
    end.
    """
    pool = WorkerPool(transport)
    batches = [pool.add(partial(read, item)) for item in items]
    async with aclosing(pool.pages()) as pages:
        async for page in pages:
            yield page
    if pool.quota_error is not None:
        remaining = (item for item, batch in zip(items, batches, strict=True) if not batch.is_complete)
        pool.quota_error.remaining = tuple(remaining)
        raise pool.quota_error
