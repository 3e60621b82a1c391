"""Calls of a client: expired cursors, invalid records, progress, and a consumer that is slow or leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

import pytest

from gong_assets.gong import GongClient, GongCursorError, Progress
from gong_assets_tests.gong.fake_gong import (
    FakeGong,
    GongRequest,
    Response,
    error_response,
)
from gong_assets_tests.gong.helpers import (
    MAY,
    gong_with_calls,
    local_config,
    read,
)
from gong_assets_tests.gong.http_server import serving
from gong_assets_tests.gong.pages.test_window_reader import read_calls


class ForgetfulGong(FakeGong):
    """Its cursors expire some seconds after the first request of their list."""

    def __init__(self, calls: Sequence[dict[str, Any]], lifetime: float, times: int = 1) -> None:
        super().__init__(calls)
        self.lifetime = lifetime
        self.times = times
        self.began: dict[str, float] = {}

    def respond(self, request: GongRequest) -> Response:
        window = str(request.body["filter"])
        if request.cursor is None:
            self.began[window] = request.at
        elif self.times and request.at - self.began[window] > self.lifetime:
            self.times -= 1
            return error_response(400, "The cursor has expired")
        return super().respond(request)


@pytest.mark.parametrize("latency", [0.1, 1.0])
def test_a_list_whose_cursor_expires_is_read_again_from_its_first_page(latency: float) -> None:
    gong = ForgetfulGong(gong_with_calls(1000).calls, lifetime=2.0, times=3)
    assert read_calls(gong, latency=latency).ids == gong.ids


def test_cursors_that_never_last_are_an_error() -> None:
    gong = ForgetfulGong(gong_with_calls(1000).calls, lifetime=0.5, times=1000)
    with pytest.raises(GongCursorError, match="expired"):
        read_calls(gong, latency=1.0)


def test_calls_without_an_id_or_a_time_are_yielded_too() -> None:
    gong = gong_with_calls(30)
    gong.sort_key = lambda _: 0
    gong.filter_time = lambda _: MAY.start
    broken: list[Any] = [{"metaData": None}, {"metaData": {"title": "no time"}}, {"parties": []}, {}]
    gong.calls += broken

    async def work() -> None:
        async with serving(gong) as server:
            result = await read(local_config(server.base_url))
        assert len(result.records) == 34
        assert sum(record.error is not None for record in result.records) == 4

    asyncio.run(work())


def test_progress_counts_the_calls_of_the_whole_window() -> None:
    reports: list[Progress] = []

    async def work() -> None:
        async with serving(gong_with_calls(450)) as server:
            await read(local_config(server.base_url), lambda gong: gong.calls(MAY, progress=reports.append))

    asyncio.run(work())
    assert [each.records for each in reports] == sorted(each.records for each in reports)
    assert reports[-1].records == 450
    assert {each.total for each in reports} == {450}
    assert reports[-1].stats.requests >= 5


def test_a_slow_consumer_slows_the_requests_down() -> None:
    gong = gong_with_calls(5000)

    async def work() -> int:
        async with (
            serving(gong) as server,
            GongClient(local_config(server.base_url)) as client,
            aclosing(client.calls(MAY)) as pages,
        ):
            await anext(pages)
            await asyncio.sleep(0.2)
            return len(gong.log)

    assert asyncio.run(work()) < 25


def test_closing_the_pages_stops_the_requests() -> None:
    gong = gong_with_calls(5000)

    async def work() -> None:
        async with serving(gong) as server, GongClient(local_config(server.base_url)) as client:
            async with aclosing(client.calls(MAY)) as pages:
                await anext(pages)
            requests = len(gong.log)
            await asyncio.sleep(0.05)
            assert len(gong.log) == requests
            assert len(asyncio.all_tasks()) < 15

    asyncio.run(work())


def test_the_workspace_is_part_of_every_filter() -> None:
    gong = gong_with_calls(150)

    async def work() -> None:
        async with serving(gong) as server:
            await read(
                local_config(server.base_url),
                lambda client: client.calls(MAY, workspace_id="623457276584334"),
            )

    asyncio.run(work())
    assert {request.body["filter"]["workspaceId"] for request in gong.log} == {"623457276584334"}
