"""All calls of a window: each once, within the bound on requests, and at the speed of the rate limit."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gong_assets.gong import GongClient, GongConfig, Window
from gong_assets.gong.pages.window_split import max_requests
from gong_assets_tests.gong.fake_gong import (
    FakeGong,
    GongRequest,
    Response,
    call,
    call_id,
    json_response,
)
from gong_assets_tests.gong.helpers import (
    KEY,
    MAY,
    SECONDS_IN_MAY,
    gong_with_calls,
    gong_with_calls_at,
)
from gong_assets_tests.gong.shapes import SHAPES, bulk_import, measure
from gong_assets_tests.gong.virtual_time import LeakyBucket, VirtualClock, VirtualNetwork, run

ORDERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "oldest first": lambda document: document["metaData"]["started"],
    "newest first": lambda document: [-ord(each) for each in document["metaData"]["started"]],
    "by id": call_id,
    "shuffled": lambda document: random.Random(call_id(document)).random(),
}


@dataclass(frozen=True)
class VirtualRead:
    """What a read in virtual time returned, and its network."""

    ids: list[str]
    total: int | None
    network: VirtualNetwork


def read_calls(
    gong: FakeGong, *, latency: float, limit: LeakyBucket | None = None, windows: Sequence[Window] = (MAY,)
) -> VirtualRead:
    network = VirtualNetwork(gong, latency=latency, limit=limit)

    async def work() -> VirtualRead:
        ids: list[str] = []
        total = None
        config = GongConfig(auth=KEY, max_requests_per_day=0)
        async with GongClient(config, transport=network, clock=VirtualClock()) as client:
            async for page in client.calls(*windows):
                ids += [record.key for record in page.records]
                total = page.total_records
        return VirtualRead(sorted(ids), total, network)

    return run(work)


@st.composite
def distributions(draw: st.DrawFn, largest: int = 2500) -> list[int]:
    """Seconds of May at which calls start: bursts of all widths, many calls in the very same second."""
    seconds: list[int] = []
    for _ in range(draw(st.integers(0, 4))):
        begin = draw(st.integers(0, SECONDS_IN_MAY - 1))
        width = draw(st.sampled_from([1, 60, 3600, 86400, SECONDS_IN_MAY]))
        count = draw(st.sampled_from([1, 50, 99, 100, 101, 250, 600, largest]))
        chance = random.Random(draw(st.integers(0, 99)))
        seconds += [min(SECONDS_IN_MAY - 1, begin + chance.randrange(width)) for _ in range(count)]
    return seconds


@pytest.mark.slow
@given(
    seconds=distributions(),
    latency=st.sampled_from([0.1, 0.4, 1.0, 3.0, 6.0]),
    order=st.sampled_from(list(ORDERS)),
)
@settings(max_examples=40)
def test_calls_in_any_distribution_and_order_come_once_each_within_the_bound(
    seconds: list[int], latency: float, order: str
) -> None:
    gong = gong_with_calls_at(seconds)
    gong.sort_key = ORDERS[order]
    assert read_calls(gong, latency=latency).ids == gong.ids
    assert len(gong.log) <= max_requests(len(seconds))


@given(
    seconds=distributions(),
    ahead=st.sampled_from([0, 1, 150]),
    drift=st.integers(-7200, 7200),
    order=st.sampled_from(list(ORDERS)),
)
@settings(max_examples=25)
def test_no_call_is_lost_if_counts_are_too_high_or_calls_start_outside_their_window(
    seconds: list[int], ahead: int, drift: int, order: str
) -> None:
    gong = gong_with_calls_at(seconds)
    gong.totals_ahead = ahead
    gong.sort_key = ORDERS[order]
    chance = random.Random(drift)
    moments = {
        each: MAY.start + timedelta(seconds=second + chance.choice([0, drift]))
        for each, second in zip(map(call_id, gong.calls), seconds, strict=True)
    }
    gong.filter_time = lambda document: moments[call_id(document)]
    inside = sorted(each for each, moment in moments.items() if MAY.start <= moment < MAY.end)
    assert read_calls(gong, latency=1.0).ids == inside


class ChangingGong(FakeGong):
    """Runs `change` after each response."""

    change: Callable[[ChangingGong], None] = staticmethod(lambda _: None)

    def respond(self, request: GongRequest) -> Response:
        response = super().respond(request)
        self.change(self)
        return response


@pytest.mark.slow
@given(
    seconds=distributions(largest=600),
    latency=st.sampled_from([0.0, 1.0, 3.0]),
    order=st.sampled_from(["oldest first", "by id"]),
    seed=st.integers(0, 99),
)
@settings(max_examples=25)
def test_calls_that_arrive_during_the_read_hide_no_call_and_duplicate_none(
    seconds: list[int], latency: float, order: str, seed: int
) -> None:
    gong = ChangingGong(gong_with_calls_at(seconds).calls)
    gong.sort_key = ORDERS[order]
    before = set(gong.ids)
    chance = random.Random(seed)

    def add_one(changing: ChangingGong) -> None:
        start = MAY.start + timedelta(seconds=chance.randrange(SECONDS_IN_MAY))
        changing.calls.append(call(100_000 + len(changing.calls), start))

    gong.change = add_one
    ids = read_calls(gong, latency=latency).ids
    assert before <= set(ids)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 1000])
@pytest.mark.parametrize(
    "distribution", [lambda n: [5] * n, lambda n: range(n), lambda n: range(0, n * 2000, 2000)]
)
def test_full_pages_and_calls_in_the_same_second_are_read_completely(
    count: int, distribution: Callable[[int], Sequence[int]]
) -> None:
    gong = gong_with_calls_at([second % SECONDS_IN_MAY for second in distribution(count)])
    assert read_calls(gong, latency=1.0).ids == gong.ids
    assert len(gong.log) <= max_requests(count)


# Seconds and requests of the algorithm before, which relied on the order of Gong's list (docs/ingestion.md).
BEFORE: dict[tuple[str, float], tuple[float, int]] = {
    ("7 x 100", 0.4): (2.8, 8),
    ("7 x 100", 1): (4.7, 10),
    ("7 x 100", 3): (10.7, 8),
    ("30 x 220", 0.4): (23.0, 68),
    ("30 x 220", 1): (24.6, 69),
    ("30 x 220", 3): (29.6, 72),
    ("365 x 100", 0.4): (123.3, 366),
    ("365 x 100", 1): (125.2, 368),
    ("365 x 100", 3): (129.6, 369),
    ("1,000 x 30", 0.4): (101.5, 301),
    ("1,000 x 30", 1): (102.7, 301),
    ("1,000 x 30", 3): (106.7, 301),
    ("bulk import", 0.4): (18.6, 48),
    ("bulk import", 1): (43.0, 50),
    ("bulk import", 3): (28.5, 57),
}


@pytest.mark.slow
@pytest.mark.parametrize(("shape", "latency"), BEFORE, ids=str)
def test_a_window_is_read_at_the_limit_within_the_bound(shape: str, latency: float) -> None:
    days, starts = SHAPES[shape]
    taken = measure(days, starts, latency)
    assert taken.seconds <= 1.1 * BEFORE[shape, latency][0]
    assert taken.extra <= 10
    assert taken.refused == 0
    if taken.fewest >= 20 and (shape, latency) != ("bulk import", 3):
        assert taken.ratio <= 1.15


def test_a_bulk_import_is_read_by_several_lists() -> None:
    """One list of 4,000 calls would take 120 seconds at 3 seconds for a page, or 40 at 1 second."""
    for hours in (1, 14):
        starts = bulk_import(timedelta(hours=hours))
        assert measure(30, starts, 3).seconds <= 40
        assert measure(30, starts, 1).seconds <= 20


def test_one_page_of_calls_takes_one_request() -> None:
    gong = gong_with_calls(100)
    assert len(read_calls(gong, latency=1.0).ids) == 100
    assert len(gong.log) == 1


def test_a_slow_first_page_starts_a_few_sub_windows_which_are_dropped_if_it_is_the_last() -> None:
    gong = gong_with_calls(100)
    result = read_calls(gong, latency=5.0)
    assert len(result.ids) == 100
    assert len(gong.log) == 5
    assert result.network.sent_at[-1] < 5.0


def test_without_total_records_the_window_is_read_as_one_list() -> None:
    class WithoutCounts(FakeGong):
        def respond(self, request: GongRequest) -> Response:
            self.log.append(request)
            number = int(request.cursor or 0)
            cursor = {"cursor": str(number + 1)} if number < 9 else {}
            calls = [call(number * 100 + each, MAY.start) for each in range(100)]
            return json_response(200, {"records": cursor, "calls": calls})

    gong = WithoutCounts()
    assert len(read_calls(gong, latency=1.0).ids) == 1000
    assert len(gong.log) == 10


def test_sub_windows_follow_one_another_and_request_all_fields_but_the_media() -> None:
    gong = gong_with_calls(2000)
    read_calls(gong, latency=1.0)
    filters = [request.body["filter"] for request in gong.log]
    whole, *others = dict.fromkeys((each["fromDateTime"], each["toDateTime"]) for each in filters)
    assert whole == ("2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z")
    others.sort()
    assert len(others) > 1
    assert (others[0][0], others[-1][1]) == whole
    assert all(one[1] == other[0] for one, other in pairwise(others))
    for request in gong.log:
        selector = request.body["contentSelector"]
        assert selector["context"] == "Extended"
        assert selector["contextTiming"] == ["Now", "TimeOfCall"]
        assert "media" not in selector["exposedFields"]


def test_several_windows_are_read_together() -> None:
    gong = gong_with_calls(31 * 90)
    days = [
        Window(MAY.start + timedelta(days=day), MAY.start + timedelta(days=day + 1)) for day in (3, 4, 20)
    ]
    result = read_calls(gong, latency=1.0, windows=days)
    assert len(result.ids) == 270
    assert result.total == 270
    assert len(gong.log) == 3
    assert result.network.sent_at[-1] < 2


def test_a_total_that_runs_ahead_is_only_reported() -> None:
    gong = gong_with_calls(250)
    gong.totals_ahead = 3
    result = read_calls(gong, latency=0.1)
    assert result.ids == gong.ids
    assert result.total == 253


def test_a_window_that_ends_in_the_future_is_split_where_calls_can_be() -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)  # the virtual clock's start
    gong = FakeGong(call(number, now - timedelta(minutes=number)) for number in range(3000))
    window = Window(now - timedelta(days=3), now + timedelta(days=300))
    result = read_calls(gong, latency=1.0, windows=[window])
    assert result.ids == gong.ids
    assert result.network.sent_at[-1] < 15
