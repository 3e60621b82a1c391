"""Pages in an ordinary `for` loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gong_assets.gong import GongAuthenticationError, iterate
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
