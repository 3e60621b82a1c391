"""All calls of a window, each once, within the bound on requests, and at the speed of the limit."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gong_assets.gong import GongClient, GongConfig, Progress, Window
from gong_assets.gong.pages.splits import MAX_CHAINS, chains_needed
from gong_assets_tests.gong.fake_gong import Answer, Asked, FakeGong, call, call_id, refusal, started
from gong_assets_tests.gong.http_server import serving
from gong_assets_tests.gong.reading import KEY, MAY, config, gong_with, read
from gong_assets_tests.gong.virtual_time import LeakyBucket, VirtualClock, VirtualNetwork, run

SECONDS_IN_MAY = int((MAY.end - MAY.start).total_seconds())


@dataclass(frozen=True)
class Walked:
    """What a walk in virtual time returned, and the network that it went over."""

    ids: list[str]
    total: int | None
    network: VirtualNetwork


def walk(
    gong: FakeGong,
    *,
    latency: float,
    limit: LeakyBucket | None = None,
    per_second: float = 3,
    window: Window = MAY,
) -> Walked:
    network = VirtualNetwork(gong, latency=latency, limit=limit)

    async def work() -> Walked:
        settings = GongConfig(auth=KEY, max_requests_per_second=per_second, max_requests_per_day=0)
        ids: list[str] = []
        total = None
        async with GongClient(settings, transport=network, clock=VirtualClock()) as client:
            async for page in client.calls(window):
                ids += [record.key for record in page.records]
                total = page.total_records
        return Walked(sorted(ids), total, network)

    return run(work)


def most_requests(count: int, latency: float) -> int:
    """The promise: a request for each hundred calls, and one for each chain."""
    return max(1, ceil(count / 100)) + chains_needed(latency, 3)


def gong_at(seconds: Sequence[int]) -> FakeGong:
    return FakeGong(call(number, MAY.start + timedelta(seconds=each)) for number, each in enumerate(seconds))


def office_hours(count: int) -> FakeGong:
    """Calls as companies hold them: by day, and on few weekends."""
    chance = random.Random(7)
    days = [
        day for day in range(31) for _ in range(1 if (MAY.start + timedelta(days=day)).weekday() > 4 else 8)
    ]
    return gong_at(
        [chance.choice(days) * 86400 + chance.randrange(14 * 3600, 23 * 3600) for _ in range(count)]
    )


@st.composite
def spreads(draw: st.DrawFn) -> list[int]:
    """Seconds within the window at which calls start: bursts of all widths, many of them in the very same
    second.
    """
    seconds: list[int] = []
    for _ in range(draw(st.integers(0, 4))):
        begin = draw(st.integers(0, SECONDS_IN_MAY - 1))
        width = draw(st.sampled_from([1, 60, 3600, 86400, SECONDS_IN_MAY]))
        count = draw(st.sampled_from([1, 50, 99, 100, 101, 250, 600]))
        chance = random.Random(draw(st.integers(0, 99)))
        seconds += [min(SECONDS_IN_MAY - 1, begin + chance.randrange(width)) for _ in range(count)]
    return seconds


@given(seconds=spreads(), latency=st.sampled_from([0.1, 1.0, 3.0]))
@settings(max_examples=60)
def test_calls_however_spread_come_once_each_within_the_bound(seconds: list[int], latency: float) -> None:
    gong = gong_at(seconds)
    walked = walk(gong, latency=latency)
    assert walked.ids == gong.ids
    assert len(gong.log) <= most_requests(len(seconds), latency)


@given(
    seconds=spreads(),
    ahead=st.sampled_from([0, 1, 150]),
    late=st.integers(-7200, 7200),
    both_ways=st.booleans(),
    unsorted=st.booleans(),
)
@settings(max_examples=40)
def test_no_call_is_lost_when_gong_is_not_as_assumed(
    seconds: list[int], ahead: int, late: int, both_ways: bool, unsorted: bool
) -> None:
    """It filters by another time than it sorts by, does not sort, or counts calls that it does not show."""
    gong = gong_at(seconds)
    gong.totals_ahead = ahead
    chance = random.Random(late)
    drifts = [0, late, -late] if both_ways else [0, late]
    scheduled = {each: started(document) + timedelta(seconds=chance.choice(drifts))
                 for each, document in zip(map(call_id, gong.calls), gong.calls, strict=True)}  # fmt: skip
    gong.filter_time = lambda document: scheduled[call_id(document)]
    if unsorted:
        gong.sort_key = call_id
    inside = sorted(each for each, moment in scheduled.items() if MAY.start <= moment < MAY.end)
    assert walk(gong, latency=1.0).ids == inside


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 1000])
@pytest.mark.parametrize(
    "spread", [lambda n: [5] * n, lambda n: range(n), lambda n: range(0, n * 2000, 2000)]
)
def test_whole_pages_and_single_seconds_make_no_difference(
    count: int, spread: Callable[[int], Sequence[int]]
) -> None:
    gong = gong_at([second % SECONDS_IN_MAY for second in spread(count)])
    assert walk(gong, latency=1.0).ids == gong.ids
    assert len(gong.log) <= most_requests(count, 1.0)


@pytest.mark.parametrize(("latency", "count"), [(1.0, 12_000), (3.0, 30_000)])
def test_evenly_spread_calls_are_read_at_the_limit_without_a_429(latency: float, count: int) -> None:
    walked = walk(gong_with(count), latency=latency, limit=LeakyBucket(3))
    assert walked.network.rate >= 2.85
    assert walked.network.refused == 0
    assert len(walked.network.sent_at) <= most_requests(count, latency)


@pytest.mark.parametrize(("latency", "count"), [(1.0, 12_000), (3.0, 30_000)])
def test_calls_in_office_hours_are_read_at_the_limit_too(latency: float, count: int) -> None:
    walked = walk(office_hours(count), latency=latency, limit=LeakyBucket(3))
    assert walked.network.rate >= 2.85
    assert walked.network.refused == 0


def test_one_page_of_calls_takes_one_request() -> None:
    gong = gong_with(100)
    assert len(walk(gong, latency=5.0).ids) == 100
    assert len(gong.log) == 1


def test_a_slow_server_gets_no_more_than_the_largest_number_of_chains() -> None:
    assert chains_needed(latency=60, requests_per_second=3) == MAX_CHAINS


def test_every_chain_asks_for_everything_but_the_media() -> None:
    gong = gong_with(500)
    walk(gong, latency=3.0)
    assert len({request.body["filter"]["fromDateTime"] for request in gong.log}) > 1
    for request in gong.log:
        selector = request.body["contentSelector"]
        assert selector["context"] == "Extended"
        assert selector["contextTiming"] == ["Now", "TimeOfCall"]
        assert "media" not in selector["exposedFields"]
        assert request.body["filter"]["toDateTime"] == "2026-06-01T00:00:00Z"


class MovingGong(FakeGong):
    """Changes by `move` after each answer."""

    move: Callable[[MovingGong], None] = staticmethod(lambda _: None)

    def answer(self, request: Asked) -> Answer:
        answer = super().answer(request)
        self.move(self)
        return answer


@pytest.mark.parametrize("latency", [0.0, 1.0])
def test_calls_that_arrive_during_the_walk_push_out_none_and_double_none(latency: float) -> None:
    gong = MovingGong(gong_with(1000).calls)
    before = gong.ids
    chance = random.Random(3)

    def insert(moving: MovingGong) -> None:
        seconds = chance.randrange(SECONDS_IN_MAY)
        moving.calls.append(call(10_000 + len(moving.calls), MAY.start + timedelta(seconds=seconds)))

    gong.move = insert
    walked = walk(gong, latency=latency)
    assert set(before) <= set(walked.ids)
    assert len(walked.ids) == len(set(walked.ids))


def test_a_total_that_runs_ahead_is_reported_and_not_waited_for() -> None:
    gong = gong_with(250)
    gong.totals_ahead = 3
    walked = walk(gong, latency=1.0)
    assert walked.ids == gong.ids
    assert walked.total == 253


class ForgetfulGong(FakeGong):
    """Its cursors expire after `lifetime` requests of their walk."""

    lifetime = 3

    def answer(self, request: Asked) -> Answer:
        if request.cursor is not None:
            since = [earlier.cursor is None for earlier in reversed(self.log)].index(True)
            if since >= self.lifetime - 1:
                self.log.append(request)
                return refusal(400, "The cursor has expired")
        return super().answer(request)


def test_an_expired_cursor_is_replaced_by_a_walk_from_where_it_was() -> None:
    gong = ForgetfulGong(gong_with(1000).calls)
    walked = walk(gong, latency=0.0, per_second=3)
    assert walked.ids == gong.ids
    assert len(gong.log) <= 10 + 2 * 5


def test_calls_without_an_id_or_a_time_come_like_the_others() -> None:
    gong = gong_with(30)
    gong.sort_key = lambda _: 0
    gong.filter_time = lambda _: MAY.start
    broken: list[Any] = [{"metaData": None}, {"metaData": {"title": "who knows when"}}, {"parties": []}, {}]
    gong.calls += broken

    async def work() -> None:
        async with serving(gong) as server:
            reading = await read(config(server.base_url))
        assert len(reading.records) == 34
        assert sum(record.error is not None for record in reading.records) == 4

    asyncio.run(work())


def test_progress_counts_the_calls_of_the_whole_window() -> None:
    heard: list[Progress] = []

    async def work() -> None:
        async with serving(gong_with(450)) as server:
            await read(config(server.base_url), lambda gong: gong.calls(MAY, progress=heard.append))

    asyncio.run(work())
    assert [each.records for each in heard] == sorted(each.records for each in heard)
    assert heard[-1].records == 450
    assert {each.total for each in heard} == {450}
    assert heard[-1].stats.requests >= 5


def test_a_slow_consumer_holds_up_the_requests() -> None:
    gong = gong_with(5000)

    async def work() -> int:
        async with (
            serving(gong) as server,
            GongClient(config(server.base_url)) as client,
            aclosing(client.calls(MAY)) as pages,
        ):
            await anext(pages)
            await asyncio.sleep(0.2)
            return len(gong.log)

    assert asyncio.run(work()) < 25


def test_a_walk_that_is_left_stops_asking() -> None:
    gong = gong_with(5000)

    async def work() -> None:
        async with serving(gong) as server, GongClient(config(server.base_url)) as client:
            async with aclosing(client.calls(MAY)) as pages:
                await anext(pages)
            asked = len(gong.log)
            await asyncio.sleep(0.05)
            assert len(gong.log) == asked
            assert len(asyncio.all_tasks()) < 15

    asyncio.run(work())


def test_the_workspace_is_part_of_every_query() -> None:
    gong = gong_with(150)

    async def work() -> None:
        async with serving(gong) as server:
            await read(
                config(server.base_url), lambda client: client.calls(MAY, workspace_id="623457276584334")
            )

    asyncio.run(work())
    assert {request.body["filter"]["workspaceId"] for request in gong.log} == {"623457276584334"}
