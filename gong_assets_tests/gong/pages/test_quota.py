"""When the quota ends, everything that was read is yielded and named, and the rest can be read later."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gong_assets.gong import (
    GongClient,
    GongConfig,
    GongQuotaExhausted,
    GongServerError,
    Record,
    Window,
)
from gong_assets.gong.pages.window_split import MAX_EXTRA_REQUESTS
from gong_assets.gong.pages.worker_pool import workers_needed
from gong_assets_tests.gong.fake_gong import FakeGong, GongRequest, Response, error_response, started
from gong_assets_tests.gong.helpers import KEY, MAY, gong_with_calls, gong_with_calls_at
from gong_assets_tests.gong.pages.resumed_read import (
    DAY,
    Job,
    client_of,
    count_calls,
    days_in,
    drain,
    ids_among,
    ids_on_server,
)
from gong_assets_tests.gong.pages.test_window_reader import ORDERS, distributions
from gong_assets_tests.gong.virtual_time import DailyQuota, VirtualClock, VirtualNetwork, run


def pages_of_busiest_day(seconds: Sequence[int]) -> int:
    counts = [0] * 31
    for second in seconds:
        counts[second // 86400] += 1
    return ceil(max(counts) / 100)


def read_until_quota(
    gong: FakeGong,
    *,
    after: int,
    latency: float = 1.0,
    ours: bool = False,
    windows: Sequence[Window] = (MAY,),
) -> tuple[tuple[Window, ...], list[Record]]:
    """Return the completed windows and the records of a read for which Gong answers so many requests."""
    records: list[Record] = []
    network = VirtualNetwork(gong, latency=latency, quota=None if ours else DailyQuota(after))

    async def work() -> tuple[Window, ...]:
        async with client_of(network, max_requests_per_day=after if ours else 0) as client:
            try:
                await drain(client.calls(*windows), records)
            except GongQuotaExhausted as error:
                return error.completed_windows
        return tuple(windows)

    return run(work), records


@st.composite
def months(draw: st.DrawFn) -> list[int]:
    """Seconds at which calls start: bursts, and calls on all days beside them."""
    count, chance = draw(st.sampled_from([0, 500, 3000])), random.Random(draw(st.integers(0, 99)))
    return draw(distributions()) + [chance.randrange(31 * 86400) for _ in range(count)]


@pytest.mark.slow
@given(
    seconds=months(),
    latency=st.sampled_from([0.1, 1.0, 3.0]),
    more=st.integers(0, 20),
    ours=st.booleans(),
    order=st.sampled_from(list(ORDERS)),
)
@settings(max_examples=20)
def test_completed_windows_are_complete_and_the_rest_is_read_later_within_the_bound(
    seconds: list[int], latency: float, more: int, ours: bool, order: str
) -> None:
    """Under our own daily limit and Gong's, each read makes at most 10 requests more than it yields pages.

    The calls of the days that were not completed are yielded again by a later read.
    """
    gong = gong_with_calls_at(seconds)
    gong.sort_key = ORDERS[order]
    per_day = pages_of_busiest_day(seconds) + MAX_EXTRA_REQUESTS + 1 + more
    network = VirtualNetwork(gong, latency=latency, quota=None if ours else DailyQuota(per_day))

    async def work() -> Job:
        async with client_of(network, max_requests_per_day=per_day if ours else 0) as client:
            job = Job(gong, client)
            await job.read(days_in([MAY]))
            return job

    job = run(work)
    assert job.ids == gong.ids
    assert list(days_in([MAY])) == sorted(job.landed)
    assert network.refused <= workers_needed(latency, 3) * job.stops
    assert len(gong.log) <= (len(seconds) + job.repeated) / 100 + job.reads * (1 + MAX_EXTRA_REQUESTS)


@pytest.mark.slow
@given(
    seconds=months(),
    after=st.integers(0, 60),
    latency=st.sampled_from([0.4, 1.0, 3.0]),
    ours=st.booleans(),
    order=st.sampled_from(list(ORDERS)),
)
@settings(max_examples=40)
def test_a_quota_stop_at_any_request_names_only_completed_windows(
    seconds: list[int], after: int, latency: float, ours: bool, order: str
) -> None:
    gong = gong_with_calls_at(seconds)
    gong.sort_key = ORDERS[order]
    completed, records = read_until_quota(gong, after=after or 1, latency=latency, ours=ours)
    assert ids_among(records, completed) == ids_on_server(gong, completed)
    assert len({record.key for record in records}) == len(records)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("latency", "ours", "stops", "most_requests"),
    [(1.0, True, 1, 330), (3.0, True, 1, 330), (1.0, False, 1, 370), (3.0, False, 2, 540)],
)
def test_of_a_thousand_days_few_are_read_again_after_a_stop(
    latency: float, ours: bool, stops: int, most_requests: int
) -> None:
    """Our own daily limit is known before: no sub-window starts that cannot be finished.

    Gong's quota is not. It costs what the running sub-windows have read, but the second time it is expected.
    """
    window = Window(MAY.end - 1000 * DAY, MAY.end)
    gong = gong_with_calls(30_000, window)
    network = VirtualNetwork(gong, latency=latency, quota=None if ours else DailyQuota(200))

    async def work() -> Job:
        async with client_of(network, max_requests_per_day=200 if ours else 0) as client:
            job = Job(gong, client)
            await job.read(days_in([window]))
            return job

    job = run(work)
    assert job.ids == gong.ids
    assert len(job.landed) == 1000
    assert job.stops == stops
    assert len(gong.log) <= most_requests
    assert gong.log[-1].at < stops * 86_400 + 300


def test_every_page_in_flight_is_yielded() -> None:
    gong = gong_with_calls(3000)
    completed, records = read_until_quota(gong, after=20, latency=3.0)
    assert len(gong.log) == 20
    # The first page of the window is read again with the sub-windows.
    assert len({record.key for record in records}) == len(records) >= 1800
    assert ids_among(records, completed) == ids_on_server(gong, completed)


def test_a_complete_read_does_not_fail_for_an_early_sub_window_that_it_did_not_need() -> None:
    """The early sub-windows start since the first page takes long, and the quota refuses them."""
    gong = gong_with_calls(80)
    network = VirtualNetwork(gong, latency=3.0, quota=DailyQuota(1))

    async def work() -> int:
        async with client_of(network) as client:
            return await count_calls(client)

    assert run(work) == 80


FIRST_DAYS = [Window(MAY.start + number * DAY, MAY.start + (number + 1) * DAY) for number in range(2)]
REST = Window(MAY.start + 2 * DAY, MAY.end)


def test_a_window_with_a_call_without_a_readable_time_is_not_named_as_completed() -> None:
    """Nobody knows which day the call belongs to, so that the caller could not land it."""
    gong = gong_with_calls(3000)
    gong.filter_time = lambda document: started(document) if "started" in document["metaData"] else MAY.start
    gong.sort_key = lambda document: str(document["metaData"].get("started", ""))
    gong.calls.append({"metaData": {"id": "1", "title": "no time"}})
    completed, records = read_until_quota(gong, after=10, windows=[*FIRST_DAYS, REST])
    assert "1" in {record.id for record in records}
    assert completed == (FIRST_DAYS[1],)


def test_a_quota_that_is_exhausted_before_the_first_page_leaves_nothing_completed() -> None:
    completed, records = read_until_quota(gong_with_calls(300), after=0)
    assert (completed, records) == ((), [])


class FailingGong(FakeGong):
    """Serves some requests, and responds to all later ones with `then`."""

    def __init__(self, calls: Iterable[dict[str, Any]], served: int, then: Response) -> None:
        super().__init__(calls)
        self.served = served
        self.then = then

    def respond(self, request: GongRequest) -> Response:
        return super().respond(request) if len(self.log) < self.served else self.then


def test_a_429_that_never_ends_names_the_completed_windows() -> None:
    gong = FailingGong(
        gong_with_calls(3000).calls, 10, error_response(429, "Too many", **{"Retry-After": "1"})
    )

    async def work() -> None:
        async with client_of(VirtualNetwork(gong, latency=1.0)) as client:
            with pytest.raises(GongQuotaExhausted) as caught:
                await drain(client.calls(*FIRST_DAYS, REST), [])
        assert caught.value.completed_windows == tuple(FIRST_DAYS)

    run(work)


def test_any_other_error_stops_all_requests_at_once() -> None:
    gong = FailingGong(gong_with_calls(3000).calls, 12, error_response(500, "Internal server error occurred"))

    async def work() -> None:
        async with client_of(VirtualNetwork(gong, latency=1.0)) as client:
            with pytest.raises(GongServerError):
                await count_calls(client)

    run(work)


@pytest.mark.parametrize("shared", [True, False])
def test_a_refusal_for_one_client_blocks_the_others_until_it_ends(shared: bool, tmp_path: Path) -> None:
    """Two clocks stand for two processes: the clients have only the file in common."""
    gong = gong_with_calls(50)
    network = VirtualNetwork(gong, quota=DailyQuota(1))
    settings = GongConfig(auth=KEY, state_directory=tmp_path)
    clock = VirtualClock()

    async def work() -> None:
        async with (
            GongClient(settings, transport=network, clock=clock) as one,
            GongClient(settings, transport=network, clock=VirtualClock() if shared else clock) as other,
        ):
            assert await count_calls(one) == 50
            with pytest.raises(GongQuotaExhausted):
                await count_calls(one)
            for client in (one, other):
                with pytest.raises(
                    GongQuotaExhausted, match="quota is exhausted until 2026-06-02 00:00"
                ) as caught:
                    await count_calls(client)
                assert client.stats.requests_left_today == 0
            assert len(network.sent_at) == 2
            await clock.sleep(caught.value.retry_after)
            assert other.stats.requests_left_today == 10_000
            assert await count_calls(other) == 50

    run(work)


def test_a_client_without_limits_remembers_a_refusal_and_writes_no_file(tmp_path: Path) -> None:
    network = VirtualNetwork(gong_with_calls(50), quota=DailyQuota(0))

    async def work() -> None:
        async with client_of(
            network, max_requests_per_second=0, max_requests_per_day=0, state_directory=tmp_path
        ) as client:
            for _ in range(3):
                with pytest.raises(GongQuotaExhausted):
                    await count_calls(client)
            assert client.stats.requests_left_today == 0

    run(work)
    assert len(network.sent_at) == 1
    assert list(tmp_path.iterdir()) == []
