"""The list of calls with their basic fields: complete and fast, whatever Gong sorts and filters it by."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gong_assets.gong import BasicAuth, Clock, GongClient, GongConfig, GongPermissionError, Record, Window
from gong_assets.gong.pages.window_split import max_requests
from gong_assets.local.gong_tenant.app import TenantOptions, create_app
from gong_assets_tests.gong.fake_gong import (
    FakeGong,
    GongRequest,
    Response,
    call,
    call_id,
    error_response,
    started,
)
from gong_assets_tests.gong.helpers import KEY, MAY, SECONDS_IN_MAY, gong_with_calls, local_config, read
from gong_assets_tests.gong.http_server import serving
from gong_assets_tests.gong.virtual_time import START, LeakyBucket, VirtualClock, VirtualNetwork, run
from gong_assets_tests.serving import serving as serving_app


def filter_time(document: dict[str, Any]) -> datetime:
    """Return the time that Gong filters by: web conferences have their scheduled time."""
    meta = document["metaData"]
    if meta["direction"] == "Conference":
        return datetime.fromisoformat(meta["scheduled"])
    return started(document)


ORDERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "by filter": filter_time,
    "by start": started,
    "by id": call_id,
}


def gong_with_list(calls: Sequence[tuple[float, float, bool]], order: str = "by filter") -> FakeGong:
    """Return a Gong with calls, given by second of May, delay in seconds, and whether a conference."""
    gong = FakeGong()
    for number, (second, late, conference) in enumerate(calls):
        start = MAY.start + timedelta(seconds=int(second))
        scheduled = (start - timedelta(seconds=int(late))).isoformat()
        direction = "Conference" if conference else "Outbound"
        gong.calls.append(call(number, start, scheduled=scheduled, direction=direction))
    gong.filter_time = filter_time
    gong.sort_key = ORDERS[order]
    return gong


def inside(gong: FakeGong) -> list[str]:
    return sorted(
        call_id(document) for document in gong.calls if MAY.start <= filter_time(document) < MAY.end
    )


@dataclass(frozen=True)
class ListResult:
    ids: list[str]
    network: VirtualNetwork


def list_may(gong: FakeGong, *, latency: float = 1.0, limit: LeakyBucket | None = None) -> ListResult:
    network = VirtualNetwork(gong, latency=latency, limit=limit)

    async def work() -> ListResult:
        async with GongClient(
            GongConfig(auth=KEY, max_requests_per_day=0), transport=network, clock=VirtualClock()
        ) as client:
            ids = [record.key async for page in client.list_calls(MAY) for record in page.records]
        return ListResult(sorted(ids), network)

    return run(work)


@st.composite
def calendars(draw: st.DrawFn) -> list[tuple[float, float, bool]]:
    """Bursts of calls of all widths that start up to twenty days before or after they were scheduled."""
    calls: list[tuple[float, float, bool]] = []
    chance = random.Random(draw(st.integers(0, 999)))
    for _ in range(draw(st.integers(0, 4))):
        begin = draw(st.integers(-86400, SECONDS_IN_MAY + 86400))
        width = draw(st.sampled_from([1, 3600, 86400, SECONDS_IN_MAY]))
        count = draw(st.sampled_from([1, 99, 100, 250, 900]))
        drift = draw(st.sampled_from([0, 120, 3600, 20 * 86400 - 1]))
        calls += [
            (begin + chance.randrange(width), chance.uniform(-drift, drift), chance.random() < 0.7)
            for _ in range(count)
        ]
    return calls


@pytest.mark.slow
@given(calls=calendars(), order=st.sampled_from(list(ORDERS)), latency=st.sampled_from([0.1, 1.0, 3.0]))
@settings(max_examples=30)
def test_all_calls_in_any_order_come_once_within_the_bound(
    calls: list[tuple[float, float, bool]], order: str, latency: float
) -> None:
    gong = gong_with_list(calls, order)
    assert list_may(gong, latency=latency).ids == inside(gong)
    assert len(gong.log) <= max_requests(len(inside(gong)))


class ForgetfulGong(FakeGong):
    """Every twelfth request is too late for its cursor."""

    def respond(self, request: GongRequest) -> Response:
        if request.cursor and len(self.log) % 12 == 11:
            self.log.append(request)
            return error_response(400, "cursor has expired")
        return super().respond(request)


@pytest.mark.parametrize("order", list(ORDERS))
def test_no_call_is_lost_when_cursors_expire(order: str) -> None:
    chance = random.Random(5)
    calls = [(second * 1500, chance.gauss(0, 9000), True) for second in range(1500)]
    gong = gong_with_list(calls, order)
    forgetful = ForgetfulGong(gong.calls)
    forgetful.filter_time, forgetful.sort_key = gong.filter_time, gong.sort_key
    assert list_may(forgetful).ids == inside(gong)


@pytest.mark.parametrize("order", ["by filter", "by start"])
def test_a_list_is_read_at_the_limit_without_a_429(order: str) -> None:
    chance = random.Random(7)
    calls = [(second * 220, chance.gauss(0, 300), chance.random() < 0.8) for second in range(12_000)]
    gong = gong_with_list(calls, order)
    result = list_may(gong, limit=LeakyBucket(3))
    assert result.ids == inside(gong)
    assert result.network.rate >= 2.85
    assert result.network.refused == 0


def test_a_listed_call_keeps_its_bytes_start_and_privacy() -> None:
    element = '{"id": "9",  "started": "2026-05-03T17:30:00-07:00", "scheduled": null, "isPrivate": true}'
    invalid = '{"id": "8", "title": "no time"}'

    class OneCall(FakeGong):
        def respond(self, request: GongRequest) -> Response:
            body = f'{{"records": {{"totalRecords": 2}}, "calls": [{element}, {invalid}]}}'
            return Response(200, body.encode())

    async def work() -> list[Record]:
        async with serving(OneCall()) as server:
            result = await read(local_config(server.base_url), lambda client: client.list_calls(MAY))
            return result.records

    first, second = asyncio.run(work())
    assert first.raw.decode() == element
    assert (first.id, first.error, first.is_private) == ("9", None, True)
    assert first.started == datetime(2026, 5, 4, 0, 30, tzinfo=UTC)
    assert (second.id, second.started) == ("8", None)
    assert "neither started nor scheduled" in str(second.error)


def test_the_filter_is_in_the_query_string() -> None:
    gong = gong_with_calls(2500)

    async def work() -> None:
        async with serving(gong) as server:
            await read(
                local_config(server.base_url), lambda client: client.list_calls(MAY, workspace_id="42")
            )

    asyncio.run(work())
    assert {(request.method, request.path, json.dumps(request.body)) for request in gong.log} == {
        ("GET", "/v2/calls", "{}")
    }
    windows = [(request.query["fromDateTime"], request.query["toDateTime"]) for request in gong.log]
    assert windows[0] == ("2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z")
    assert {request.query["workspaceId"] for request in gong.log} == {"42"}
    assert any(request.cursor for request in gong.log)


def test_the_error_for_a_403_names_the_scope_of_the_list() -> None:
    class Forbidden(FakeGong):
        def respond(self, request: GongRequest) -> Response:
            return error_response(403, "Forbidden")

    async def work() -> None:
        async with serving(Forbidden()) as server:
            await read(local_config(server.base_url), lambda client: client.list_calls(MAY))

    with pytest.raises(GongPermissionError, match="api:calls:read:basic"):
        asyncio.run(work())


class StoppedClock(Clock):
    def now(self) -> datetime:
        return START


def test_the_simulated_tenant_lists_the_calls_that_it_has() -> None:
    window = Window(START - timedelta(days=20), START - timedelta(days=3))
    around = Window(window.start - timedelta(days=1), window.end + timedelta(days=1))

    async def work(base_url: str) -> None:
        unlimited = GongConfig(
            base_url=base_url,
            auth=BasicAuth("local", "local"),
            max_requests_per_second=0,
            max_requests_per_day=0,
        )
        async with GongClient(unlimited, clock=StoppedClock()) as client:
            listed = [record async for page in client.list_calls(around) for record in page.records]
            calls = [record async for page in client.calls(window) for record in page.records]
        assert len(calls) > 100
        assert {(call.id, call.started) for call in calls} == {
            (call.id, call.started)
            for call in listed
            if call.started and window.start <= call.started < window.end
        }

    options = TenantOptions(now=START, requests_per_second=0, requests_per_day=0, words_per_call=50)
    with serving_app(create_app(options)) as base_url:
        asyncio.run(work(base_url))
