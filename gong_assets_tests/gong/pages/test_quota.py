"""What was read before the quota ended is handed on and named; what is left can be read later, at a known price."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gong_assets.gong import GongClient, GongConfig, GongQuotaExhausted, GongServerError, Page, Record, Window
from gong_assets.gong.pages.splits import chains_needed
from gong_assets_tests.gong.fake_gong import Answer, Asked, FakeGong, call_id, refusal, started
from gong_assets_tests.gong.pages.test_chains import gong_at, spreads
from gong_assets_tests.gong.reading import KEY, MAY, gong_with
from gong_assets_tests.gong.virtual_time import DailyQuota, VirtualClock, VirtualNetwork, run

DAY = timedelta(days=1)


def client_of(network: VirtualNetwork, **changes: Any) -> GongClient:
    limits: dict[str, Any] = {"max_requests_per_day": 0}
    return GongClient(GongConfig(auth=KEY, **(limits | changes)), transport=network, clock=VirtualClock())


async def drain(pages: AsyncIterator[Page], into: list[Record]) -> None:
    async for page in pages:
        into += page.records


async def ask(client: GongClient) -> int:
    return sum([len(page.records) async for page in client.calls(MAY)])


def days_in(windows: Iterable[Window]) -> list[date]:
    """The days that lie wholly in one of the windows."""
    days = []
    for window in windows:
        first = window.start.date() if window.start.time() == time() else window.start.date() + DAY
        days += [first + number * DAY for number in range((window.end.date() - first).days)]
    return days


def windows_of(days: Sequence[date]) -> list[Window]:
    """As few windows as these days (in order) need."""
    windows: list[Window] = []
    for day in days:
        start = datetime.combine(day, time(), UTC)
        if windows and windows[-1].end == start:
            start = windows.pop().start
        windows.append(Window(start, datetime.combine(day + DAY, time(), UTC)))
    return windows


def ids_on_server(gong: FakeGong, windows: Sequence[Window]) -> list[str]:
    starts = [(started(document), call_id(document)) for document in gong.calls]
    return sorted(key for start, key in starts for window in windows if window.start <= start < window.end)


def ids_among(records: Iterable[Record], windows: Sequence[Window]) -> list[str]:
    return sorted(
        record.key
        for record in records
        for window in windows
        if record.started and window.start <= record.started < window.end
    )


@dataclass
class Job:
    """Reads days, and lands each one when it has been read whole. After a stop it comes back for the others.

    One that has got nowhere comes back for a single day, which any sensible quota is enough for.
    """

    gong: FakeGong
    client: GongClient
    landed: dict[date, list[str]] = field(default_factory=dict)
    walks: int = 0
    stops: int = 0
    again: int = 0
    """Calls that were handed on, and not landed: they have to be read again."""

    async def read(self, window: Window) -> None:
        left = [window]
        while left:
            left = await self._read_first(left)

    async def _read_first(self, left: list[Window]) -> list[Window]:
        window, *others = left
        records: list[Record] = []
        asked = len(self.gong.log)
        self.walks += 1
        try:
            await drain(self.client.calls(window), records)
        except GongQuotaExhausted as stopped:
            self._check(window, stopped.read, records)
            finished = days_in(stopped.read)
            unfinished = [day for day in days_in([window]) if day not in finished]
            self._land(finished, records)
            self._check_asked(asked, window)
            self.stops += 1
            await VirtualClock().sleep(stopped.retry_after)
            rest = [unfinished] if finished else [unfinished[:1], unfinished[1:]]
            return [each for days in rest for each in windows_of(days)] + others
        self._land(days_in([window]), records)
        self._check_asked(asked, window)
        return others

    def _check(self, window: Window, read: tuple[Window, ...], records: list[Record]) -> None:
        assert all(window.start <= each.start and each.end <= window.end for each in read)
        assert all(one.end < other.start for one, other in pairwise(read))
        assert read != (window,)
        assert ids_among(records, read) == ids_on_server(self.gong, read)

    def _land(self, days: list[date], records: list[Record]) -> None:
        rows: dict[date, list[str]] = {day: [] for day in days}
        for record in records:
            assert record.started is not None
            if record.started.date() in rows:
                rows[record.started.date()].append(record.key)
        self.again += len(records) - sum(map(len, rows.values()))
        assert not rows.keys() & self.landed.keys()
        self.landed |= rows

    def _check_asked(self, since: int, window: Window) -> None:
        for request in self.gong.log[since:]:
            limits = request.body["filter"]
            assert window.start <= datetime.fromisoformat(limits["fromDateTime"])
            assert datetime.fromisoformat(limits["toDateTime"]) == window.end

    @property
    def ids(self) -> list[str]:
        return sorted(key for day in self.landed.values() for key in day)


class ForgetfulGong(FakeGong):
    """Its cursors live for some seconds after the first request of their walk."""

    lifetime = 40.0

    def answer(self, request: Asked) -> Answer:
        begin = str(request.body["filter"])
        if request.cursor is None:
            self.began[begin] = request.at
        elif request.at - self.began[begin] > self.lifetime:
            return refusal(400, "The cursor has expired")
        return super().answer(request)

    def __init__(self, calls: Iterable[dict[str, Any]] = ()) -> None:
        super().__init__(calls)
        self.began: dict[str, float] = {}


def pages_of_busiest_day(seconds: Sequence[int]) -> int:
    counts = [0] * 31
    for second in seconds:
        counts[second // 86400] += 1
    return ceil(max(counts) / 100)


def walked_until(
    gong: FakeGong, *, after: int, latency: float = 1.0
) -> tuple[tuple[Window, ...], list[Record]]:
    """What a walk names as read, and what it hands on, when Gong answers so many requests."""
    records: list[Record] = []

    async def work() -> tuple[Window, ...]:
        async with client_of(VirtualNetwork(gong, latency=latency, quota=DailyQuota(after))) as client:
            try:
                await drain(client.calls(MAY), records)
            except GongQuotaExhausted as error:
                return error.read
        return (MAY,)

    return run(work), records


@st.composite
def months(draw: st.DrawFn) -> list[int]:
    """Seconds at which calls start: bursts, and beside them calls on all days."""
    count, chance = draw(st.sampled_from([0, 500, 3000])), random.Random(draw(st.integers(0, 99)))
    return draw(spreads()) + [chance.randrange(31 * 86400) for _ in range(count)]


@given(
    seconds=months(),
    latency=st.sampled_from([0.1, 1.0, 3.0]),
    more=st.integers(0, 20),
    ours=st.booleans(),
    forgetful=st.booleans(),
)
@settings(max_examples=40)
def test_what_is_named_as_read_was_read_and_the_rest_is_read_later_within_the_bound(
    seconds: list[int], latency: float, more: int, ours: bool, forgetful: bool
) -> None:
    """Under our own count of the day or Gong's, and with cursors that expire or not.

    The bound: a walk that hands on d calls, whether it is stopped or not, makes at most d/100 + 1 requests and
    one for each chain. (To its end it would make ceil(n/100) and one for each chain; and the n - d calls that
    it has not read take a request for each hundred.) A stop leaves a window for each chain that was running,
    at most, which is a walk of its own; and the calls of the days that were not finished are handed on again.
    """
    gong = (ForgetfulGong if forgetful else FakeGong)(gong_at(seconds).calls)
    chains = chains_needed(latency, 3)
    per_day = pages_of_busiest_day(seconds) + chains + 1 + more
    network = VirtualNetwork(gong, latency=latency, quota=None if ours else DailyQuota(per_day))

    async def work() -> Job:
        async with client_of(network, max_requests_per_day=per_day if ours else 0) as client:
            job = Job(gong, client)
            await job.read(MAY)
            return job

    job = run(work)
    assert job.ids == gong.ids
    assert list(days_in([MAY])) == sorted(job.landed)
    assert network.refused <= chains * job.stops
    if not forgetful:
        assert len(gong.log) <= (len(seconds) + job.again) / 100 + job.walks * (1 + chains)


@given(
    count=st.sampled_from([300, 1500, 3000]),
    latency=st.sampled_from([1.0, 3.0]),
    after=st.integers(2, 24),
    drift=st.sampled_from([600, 7200, 86_400]),
    directions=st.sampled_from([[-1], [1], [-1, 1]]),
)
@settings(max_examples=30)
def test_nothing_is_named_as_read_by_mistake_where_gong_filters_by_another_time(
    count: int, latency: float, after: int, drift: int, directions: list[int]
) -> None:
    """By one that is up to a day earlier or later. Then a chain lacks calls that began after its own start."""
    chance = random.Random(after)
    gong = gong_at([chance.randrange(31 * 86_400) for _ in range(count)])
    filtered = {
        call_id(document): started(document)
        + timedelta(seconds=chance.choice(directions) * chance.randrange(drift))
        for document in gong.calls
    }
    gong.filter_time = lambda document: filtered[call_id(document)]
    read, records = walked_until(gong, after=after, latency=latency)
    inside = FakeGong(each for each in gong.calls if MAY.start <= filtered[call_id(each)] < MAY.end)
    assert ids_among(records, read) == ids_on_server(inside, read)


@pytest.mark.parametrize(("latency", "ours"), [(1.0, True), (3.0, False)])
def test_of_a_thousand_days_none_that_was_read_whole_is_asked_for_again(latency: float, ours: bool) -> None:
    window = Window(MAY.end - 1000 * DAY, MAY.end)
    gong = gong_with(30_000, window)
    network = VirtualNetwork(gong, latency=latency, quota=None if ours else DailyQuota(200))

    async def work() -> Job:
        async with client_of(network, max_requests_per_day=200 if ours else 0) as client:
            job = Job(gong, client)
            await job.read(window)
            return job

    job = run(work)
    chains = chains_needed(latency, 3)
    assert job.ids == gong.ids
    assert len(job.landed) == 1000
    assert job.stops == 1
    assert job.walks <= 1 + chains
    # A day's calls where each chain stood, and those of the day or so at its start that do not count.
    assert job.again <= chains * 2 * 30
    assert len(gong.log) <= 300 * 1.2
    assert gong.log[-1].at < 86_400 + 300


def test_every_page_that_was_under_way_is_handed_on() -> None:
    gong = gong_with(3000)
    read, records = walked_until(gong, after=20, latency=3.0)
    assert len(gong.log) == 20
    assert len({record.key for record in records}) == len(records) > 1800
    assert read
    assert ids_among(records, read) == ids_on_server(gong, read)


@pytest.mark.parametrize(("count", "quota"), [(200, 2), (300, 5)])
def test_a_walk_that_was_read_to_its_end_does_not_fail_for_a_chain_that_it_did_not_need(
    count: int, quota: int
) -> None:
    """It was started for calls that Gong counts and does not show."""
    gong = gong_with(count)
    gong.totals_ahead = 150
    network = VirtualNetwork(gong, latency=1.0, quota=DailyQuota(quota))

    async def work() -> int:
        async with client_of(network) as client:
            return await ask(client)

    assert run(work) == count
    assert network.refused


def test_the_second_in_which_a_page_ended_counts_as_not_read() -> None:
    gong = gong_at([*range(60), *[86_400] * 300])
    read, records = walked_until(gong, after=2, latency=0.1)
    assert len(records) == 200
    assert read == (Window(MAY.start, MAY.start + DAY),)


def filtered_by_another_time(gong: FakeGong) -> None:
    gong.filter_time = lambda document: started(document) + timedelta(hours=1)


def unsorted(gong: FakeGong) -> None:
    gong.sort_key = lambda document: call_id(document)[::-1]


def unsorted_after_some_days(gong: FakeGong) -> None:
    later = MAY.start + 5 * DAY
    gong.sort_key = lambda document: (min(started(document), later), call_id(document)[::-1])


@pytest.mark.parametrize("spoil", [filtered_by_another_time, unsorted, unsorted_after_some_days])
def test_nothing_counts_as_read_where_gong_is_not_as_assumed(spoil: Any) -> None:
    gong = gong_with(3000)
    spoil(gong)
    read, records = walked_until(gong, after=12)
    assert records
    assert read == ()


def test_nothing_counts_as_read_once_a_call_has_no_readable_time() -> None:
    gong = gong_with(3000)
    gong.sort_key = lambda document: str(document["metaData"].get("started", ""))
    gong.filter_time = lambda document: started(document) if "started" in document["metaData"] else MAY.start
    gong.calls.append({"metaData": {"id": "1", "title": "who knows when"}})
    read, records = walked_until(gong, after=12)
    assert len(records) > 1000
    assert read == ()


def test_a_quota_that_was_spent_before_the_first_page_leaves_everything_unread() -> None:
    read, records = walked_until(gong_with(300), after=0)
    assert (read, records) == ((), [])


class SpoiltGong(FakeGong):
    """Answers some requests, and all later ones by `then`."""

    def __init__(self, calls: Iterable[dict[str, Any]], answered: int, then: Answer) -> None:
        super().__init__(calls)
        self.answered = answered
        self.then = then
        self.spoilt = 0

    def answer(self, request: Asked) -> Answer:
        if len(self.log) < self.answered:
            return super().answer(request)
        self.spoilt += 1
        return self.then


def test_a_429_that_never_ends_says_what_was_read_too() -> None:
    gong = SpoiltGong(gong_with(3000).calls, 12, refusal(429, "Too many", **{"Retry-After": "1"}))

    async def work() -> None:
        async with client_of(VirtualNetwork(gong, latency=1.0)) as client:
            with pytest.raises(GongQuotaExhausted) as caught:
                await ask(client)
        assert caught.value.read

    run(work)


def test_any_other_error_stops_everything_at_once() -> None:
    gong = SpoiltGong(gong_with(3000).calls, 12, refusal(500, "Internal server error occurred"))

    async def work() -> None:
        async with client_of(VirtualNetwork(gong, latency=1.0)) as client:
            with pytest.raises(GongServerError):
                await ask(client)

    run(work)


@pytest.mark.parametrize("shared", [True, False])
def test_what_gong_said_to_one_client_is_known_to_the_others_until_the_time_is_over(
    shared: bool, tmp_path: Path
) -> None:
    """Two clocks are two processes, as far as the clients can tell: only the file is common to them."""
    gong = gong_with(50)
    network = VirtualNetwork(gong, quota=DailyQuota(1))
    settings = GongConfig(auth=KEY, state_directory=tmp_path)
    clock = VirtualClock()

    async def work() -> None:
        async with (
            GongClient(settings, transport=network, clock=clock) as one,
            GongClient(settings, transport=network, clock=VirtualClock() if shared else clock) as other,
        ):
            assert await ask(one) == 50
            with pytest.raises(GongQuotaExhausted):
                await ask(one)
            for client in (one, other):
                with pytest.raises(
                    GongQuotaExhausted, match="quota is spent until 2026-06-02 00:00"
                ) as caught:
                    await ask(client)
                assert client.stats.requests_left_today == 0
            assert len(network.sent_at) == 2
            await clock.sleep(caught.value.retry_after)
            assert other.stats.requests_left_today == 10_000
            assert await ask(other) == 50

    run(work)


def test_a_client_without_limits_remembers_what_gong_said_and_writes_no_file(tmp_path: Path) -> None:
    network = VirtualNetwork(gong_with(50), quota=DailyQuota(0))

    async def work() -> None:
        async with client_of(
            network, max_requests_per_second=0, max_requests_per_day=0, state_directory=tmp_path
        ) as client:
            for _ in range(3):
                with pytest.raises(GongQuotaExhausted):
                    await ask(client)
            assert client.stats.requests_left_today == 0

    run(work)
    assert len(network.sent_at) == 1
    assert list(tmp_path.iterdir()) == []
