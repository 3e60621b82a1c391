"""Pages of one query: where the cursor goes, and when to stop."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from gong_assets.gong import GongClient, GongCursorError, Window, first_call_date
from gong_assets_tests.gong.fake_gong import (
    FakeGong,
    GongRequest,
    Response,
    call,
    error_response,
    json_response,
    started,
)
from gong_assets_tests.gong.helpers import MAY, InstantClock, ReadResult, gong_with_calls, local_config, read
from gong_assets_tests.gong.http_server import serving


class ScriptedGong(FakeGong):
    """Responds to the n-th request with `script(n)`."""

    def __init__(self, script: Callable[[int], Response]) -> None:
        super().__init__()
        self.script = script

    def respond(self, request: GongRequest) -> Response:
        self.log.append(request)
        return self.script(len(self.log) - 1)


def page(first: int, count: int, cursor: str | None, total: int = 1000) -> Response:
    documents = [call(number, MAY.start) for number in range(first, first + count)]
    records: dict[str, Any] = {"totalRecords": total, "currentPageSize": count, "currentPageNumber": 0}
    return json_response(
        200, {"records": records | ({"cursor": cursor} if cursor else {}), "calls": documents}
    )


def read_from(gong: FakeGong) -> ReadResult:
    async def work() -> ReadResult:
        async with serving(gong) as server:
            return await read(local_config(server.base_url, max_requests_per_second=1))

    return asyncio.run(work())


def test_the_cursor_of_a_post_is_in_the_body_beside_the_unchanged_filter() -> None:
    gong = gong_with_calls(250)
    read_from(gong)
    first, *others = [request for request in gong.log if request.path == "/v2/calls/extensive"]
    assert "cursor" not in first.body
    for request in others:
        assert request.query == {}
        assert request.cursor
        assert {**request.body, "cursor": None} == {**first.body, "cursor": None}


def test_the_cursor_of_a_get_is_in_the_query() -> None:
    gong = FakeGong()
    gong.users = [{"id": str(number), "emailAddress": f"{number}@example.com"} for number in range(250)]

    async def work() -> ReadResult:
        async with serving(gong) as server:
            return await read(local_config(server.base_url), lambda client: client.users())

    assert len(asyncio.run(work()).records) == 250
    assert [request.query.get("cursor") is not None for request in gong.log] == [False, True, True]
    assert {request.query["includeAvatars"] for request in gong.log} == {"true"}


def test_a_company_without_users_is_no_error() -> None:
    async def work() -> ReadResult:
        async with serving(FakeGong()) as server:
            return await read(local_config(server.base_url), lambda client: client.users())

    assert asyncio.run(work()).records == []


def test_short_and_empty_pages_with_a_cursor_are_followed() -> None:
    pages = [page(0, 100, "a"), page(100, 7, "b"), page(0, 0, "c"), page(107, 50, None)]
    assert len(read_from(ScriptedGong(lambda number: pages[number])).records) == 157


def test_a_repeated_page_is_yielded_once() -> None:
    pages = [
        page(0, 100, "a"),
        page(0, 100, "b"),
        page(100, 100, "c"),
        page(100, 100, "d"),
        page(200, 5, None),
    ]
    assert len(read_from(ScriptedGong(lambda number: pages[number])).records) == 205


def test_a_repeated_cursor_is_an_error() -> None:
    gong = ScriptedGong(lambda number: page(number * 100, 100, "always the same"))
    with pytest.raises(GongCursorError):
        read_from(gong)
    assert len(gong.log) == 2


@pytest.mark.parametrize("count", [100, 0])
def test_the_same_page_with_ever_new_cursors_is_an_error(count: int) -> None:
    gong = ScriptedGong(lambda number: page(0, count, f"another cursor {number}"))
    with pytest.raises(GongCursorError):
        read_from(gong)
    assert len(gong.log) < 10


def test_cursors_that_always_expire_are_an_error() -> None:
    answers = itertools.cycle([page(0, 100, "a"), error_response(400, "cursor has expired")])
    gong = ScriptedGong(lambda _: next(answers))
    with pytest.raises(GongCursorError, match="expired"):
        read_from(gong)
    assert len(gong.log) < 20


def test_the_first_call_date_takes_one_request_if_it_is_the_first_day_of_the_window() -> None:
    gong = gong_with_calls(950)

    async def work() -> None:
        async with (
            serving(gong) as server,
            GongClient(local_config(server.base_url), clock=InstantClock()) as client,
        ):
            assert await first_call_date(client, MAY) == MAY.start.date()
            assert len(gong.log) == 1
            gong.calls.clear()
            assert await first_call_date(client, MAY) is None

    asyncio.run(work())


@pytest.mark.parametrize(("newest_first", "requests"), [(False, 2), (True, 4)])
def test_the_first_call_date_is_found_in_any_order_of_the_list(newest_first: bool, requests: int) -> None:
    # 250 calls, one every half day from the third of May 2025 on, so that a page holds 50 days.
    start = datetime(2025, 5, 3, 1, tzinfo=UTC)
    gong = FakeGong(call(number, start + number * timedelta(hours=12)) for number in range(250))
    if newest_first:
        gong.sort_key = lambda document: -started(document).timestamp()
    window = Window(datetime(2015, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))

    async def work() -> date | None:
        async with (
            serving(gong) as server,
            GongClient(local_config(server.base_url), clock=InstantClock()) as client,
        ):
            return await first_call_date(client, window)

    assert asyncio.run(work()) == date(2025, 5, 3)
    assert len(gong.log) == requests
