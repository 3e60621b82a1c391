"""Several workers at the same time, one consumer: what they make comes out as one asynchronous iterator.

Knows nothing of Gong. The queue between them is short, so that a slow consumer slows the workers down instead
of filling the memory: what is held is `depth` items and one per worker.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class _Ended:
    failure: Exception | None


class Stream(Generic[T]):
    """Start workers, which `put` items; get them from `items()`, where a worker's failure is raised too.

    Closing the iterator early (`contextlib.aclosing`), or an error in it, stops all workers.
    """

    def __init__(self, depth: int = 2) -> None:
        self._queue: asyncio.Queue[T | _Ended] = asyncio.Queue(depth)
        self._tasks: set[asyncio.Task[None]] = set()
        self._unread = 0
        self.active = 0
        """Workers that are still at work."""

    def start(self, worker: Callable[[], Coroutine[None, None, None]]) -> None:
        """Run a worker beside the others; a worker may start more of them."""
        self._unread += 1
        self.active += 1
        task = asyncio.create_task(self._run(worker))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def put(self, item: T) -> None:
        """Hand an item to the consumer; waits while it has enough of them."""
        await self._queue.put(item)

    async def _run(self, worker: Callable[[], Coroutine[None, None, None]]) -> None:
        failure: Exception | None = None
        try:
            await worker()
        except Exception as error:  # raised again where the consumer is
            failure = error
        finally:
            self.active -= 1
        await self._queue.put(_Ended(failure))

    async def items(self) -> AsyncGenerator[T, None]:
        """What the workers put, until the last one has ended."""
        try:
            while self._unread:
                item = await self._queue.get()
                if not isinstance(item, _Ended):
                    yield item
                    continue
                self._unread -= 1
                if item.failure is not None:
                    raise item.failure
        finally:
            remaining = list(self._tasks)
            for task in remaining:
                task.cancel()
            await asyncio.gather(*remaining, return_exceptions=True)
