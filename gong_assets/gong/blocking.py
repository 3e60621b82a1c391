"""The client in code without asyncio: prompts, scripts and steps of a run."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self, TypeVar

from gong_assets.gong.client import GongClient
from gong_assets.gong.config import GongConfig

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Execute `main` as `asyncio.run` does; a signal cancels it, whatever the signal's handler raises.

    Dagster ends a step by an exception that its signal handler raises. In a task of an event loop, asyncio
    takes such an exception for the result of this one task, or logs it: the others wait forever, or the step
    goes on.

    Raises:
        RuntimeError: an event loop is already running in this thread.
    """
    with _Runner() as runner:
        return runner.run(main)


def iterate(config: GongConfig, read: Callable[[GongClient], AsyncGenerator[T, None]]) -> Iterator[T]:
    """Yield what `read(client)` yields, with a client of its own.

    Nothing is sent while the body of the loop runs, so a program that takes long for each page is faster with
    `async for`. Raises RuntimeError if an event loop is already running, as in a notebook: use `async for`
    there.
    """

    async def pages() -> AsyncGenerator[T, None]:
        async with GongClient(config) as client:
            async for page in read(client):
                yield page

    with _Runner() as runner:
        remaining = pages()

        async def advance() -> T:
            return await anext(remaining)

        try:
            while True:
                yield runner.run(advance())
        except StopAsyncIteration:
            return
        finally:
            runner.run(remaining.aclose())


class _Runner:
    """An `asyncio.Runner` that calls a signal's handler after its loop has stopped, and not inside of it."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with _deferred_signals(lambda: None):
            self._runner.close()

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        task: asyncio.Task[Any] | None = None
        canceled = False

        def cancel() -> None:
            nonlocal canceled
            canceled = True
            if task is not None:
                task.get_loop().call_soon_threadsafe(task.cancel)  # Wakes the loop, too.

        async def cancelable() -> T:
            nonlocal task
            task = asyncio.current_task()
            if canceled:
                main.close()
                raise asyncio.CancelledError
            return await main

        with _deferred_signals(cancel):
            return self._runner.run(cancelable())


@contextmanager
def _deferred_signals(cancel: Callable[[], None]) -> Iterator[None]:
    """Call `cancel` at the first signal in the block, and the signal's own handler after the block.

    A second signal does not wait for the end of the block.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Only the main thread receives signals.
        return
    received: list[int] = []

    def defer(number: int, frame: FrameType | None) -> None:
        received.append(number)
        if len(received) == 1:
            cancel()
        else:
            handlers[number](number, frame)

    handlers: dict[int, Callable[[int, FrameType | None], Any]] = {
        number: handler for number in _numbers() if callable(handler := signal.getsignal(number))
    }
    try:
        for number in handlers:
            signal.signal(number, defer)
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if received:
            handlers[received[0]](received[0], None)


def _numbers() -> list[signal.Signals]:
    return [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
