"""Pages in an ordinary `for` loop, for prompts and scripts without asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import TypeVar

from gong_assets.gong.client import GongClient
from gong_assets.gong.config import GongConfig

T = TypeVar("T")


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

    with asyncio.Runner() as runner:
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
