"""The client without asyncio: an ordinary `for` loop, and signals while a loop of events runs."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from gong_assets.gong import GongAuthenticationError, GongClient, Page, blocking, iterate
from gong_assets_tests.gong.fake_gong import FakeGong, error_response
from gong_assets_tests.gong.helpers import MAY, gong_with_calls, local_config
from gong_assets_tests.gong.http_server import HttpServer, replaced_by, serving


@contextmanager
def serving_in_a_thread(gong: FakeGong) -> Iterator[HttpServer]:
    started, ended = threading.Event(), asyncio.Event()
    found: list[tuple[HttpServer, asyncio.AbstractEventLoop]] = []

    async def serve() -> None:
        async with serving(gong) as server:
            found.append((server, asyncio.get_running_loop()))
            started.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    started.wait()
    server, loop = found[0]
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()


def test_a_for_loop_gets_every_call() -> None:
    gong = gong_with_calls(350)
    with serving_in_a_thread(gong) as server:
        ids = [
            record.id
            for page in iterate(local_config(server.base_url), lambda c: c.calls(MAY))
            for record in page.records
        ]
    assert sorted(map(str, ids)) == gong.ids


@pytest.mark.slow
def test_leaving_the_loop_stops_the_requests() -> None:
    with serving_in_a_thread(gong_with_calls(2000)) as server:
        pages = iterate(local_config(server.base_url), lambda client: client.calls(MAY))
        next(pages)
        pages.close()  # type: ignore[attr-defined]
        assert len(server.gong.log) < 30


def test_an_error_is_raised_in_the_for_loop() -> None:
    with serving_in_a_thread(gong_with_calls(1)) as server:
        server.faults.append(replaced_by(error_response(401, "Validate credentials failed")))
        with pytest.raises(GongAuthenticationError):
            list(iterate(local_config(server.base_url), lambda client: client.users()))


class Interrupted(BaseException):
    """What a signal handler raises, as Dagster's does in a step."""


@pytest.fixture
def handler() -> Iterator[None]:
    def interrupt(_number: int, _frame: object) -> None:
        raise Interrupted

    numbers = (signal.SIGINT, signal.SIGTERM)
    previous = {number: signal.signal(number, interrupt) for number in numbers}
    yield
    assert [signal.getsignal(number) for number in numbers] == [interrupt, interrupt]
    for number, before in previous.items():
        signal.signal(number, before)


async def in_the_task(number: signal.Signals) -> None:
    signal.raise_signal(number)
    await asyncio.sleep(10)


async def in_another_task(number: signal.Signals) -> None:
    async def other() -> None:
        signal.raise_signal(number)

    task = asyncio.create_task(other())
    await asyncio.sleep(10)
    await task


async def in_a_callback(number: signal.Signals) -> None:
    asyncio.get_running_loop().call_soon(signal.raise_signal, number)
    await asyncio.sleep(10)


async def while_it_waits(number: signal.Signals) -> None:
    main = threading.main_thread().ident
    assert main is not None
    threading.Timer(0.1, signal.pthread_kill, (main, number)).start()
    await asyncio.sleep(10)


async def at_its_end(number: signal.Signals) -> None:
    signal.raise_signal(number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("arrival", [in_the_task, in_another_task, in_a_callback, while_it_waits, at_its_end])
@pytest.mark.usefixtures("handler")
def test_a_signal_cancels_the_task_and_raises_what_its_handler_raises(
    arrival: Callable[[signal.Signals], Coroutine[Any, Any, None]], number: signal.Signals
) -> None:
    ended: list[str] = []

    async def main() -> None:
        try:
            async with asyncio.timeout(5):
                await arrival(number)
        finally:
            ended.append("closed")

    with pytest.raises(Interrupted):
        blocking.run(main())
    assert ended == ["closed"]


@pytest.mark.usefixtures("handler")
def test_a_second_signal_does_not_wait_for_the_end() -> None:
    async def main() -> None:
        signal.raise_signal(signal.SIGTERM)
        try:
            await asyncio.sleep(10)
        finally:
            with pytest.raises(Interrupted):
                signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Interrupted):
        blocking.run(main())


@pytest.mark.usefixtures("handler")
def test_a_signal_is_raised_in_the_body_of_a_for_loop_and_while_it_reads() -> None:
    gong = gong_with_calls(350)
    with serving_in_a_thread(gong) as server:
        config = local_config(server.base_url)
        pages = iterate(config, lambda client: client.calls(MAY))
        next(pages)
        with pytest.raises(Interrupted):
            signal.raise_signal(signal.SIGTERM)

        async def interrupted_pages(client: GongClient) -> AsyncGenerator[Page, None]:
            async for page in client.calls(MAY):
                signal.raise_signal(signal.SIGTERM)
                yield page

        with pytest.raises(Interrupted):
            list(iterate(config, interrupted_pages))


def test_a_thread_executes_it_too() -> None:
    async def main() -> int:
        return 1

    results: list[int] = []
    thread = threading.Thread(target=lambda: results.append(blocking.run(main())))
    thread.start()
    thread.join()
    assert results == [1]
