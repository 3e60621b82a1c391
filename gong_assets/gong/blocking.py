"""Gong's pages in an ordinary `for` loop, for prompts and scripts without asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import TypeVar

from gong_assets.gong.client import GongClient
from gong_assets.gong.config import GongConfig

T = TypeVar("T")


def iterate(config: GongConfig, ask: Callable[[GongClient], AsyncGenerator[T, None]]) -> Iterator[T]:
    """Yield what `ask(client)` yields, with a client of its own.

    Nothing is sent while the body of the loop runs: a program that works long on each page is faster with
    `async for`. Raises RuntimeError where an event loop already runs (a notebook), which has `async for` at
    its prompt.
    """

    async def pages() -> AsyncGenerator[T, None]:
        async with GongClient(config) as client:
            async for page in ask(client):
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
