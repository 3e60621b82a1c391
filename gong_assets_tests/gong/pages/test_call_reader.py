"""Calls and their transcripts, read at the same time by one pool."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gong_assets.gong import (
    CallReader,
    GongClient,
    GongConfig,
    GongPermissionError,
    GongQuotaExhausted,
    GongServerError,
    Record,
    TranscriptPage,
    Window,
)
from gong_assets.gong.pages.window_split import max_requests
from gong_assets_tests.gong.fake_gong import FakeGong, GongRequest, Response, call_id, error_response
from gong_assets_tests.gong.helpers import KEY, MAY, add_transcripts, gong_with_calls, gong_with_calls_at
from gong_assets_tests.gong.http_server import serving
from gong_assets_tests.gong.pages.resumed_read import ids_among, ids_on_server
from gong_assets_tests.gong.pages.test_quota import months
from gong_assets_tests.gong.pages.test_window_reader import ORDERS
from gong_assets_tests.gong.shapes import SHAPES, evenly, measure, read_both
from gong_assets_tests.gong.virtual_time import DailyQuota, VirtualClock, VirtualNetwork, run


@dataclass
class Both:
    """What a reader yielded, and how it ended."""

    calls: list[Record] = field(default_factory=list)
    transcripts: list[str] = field(default_factory=list)
    quota_error: GongQuotaExhausted | None = None
    transcripts_error: Exception | None = None


def read_in_virtual_time(
    network: VirtualNetwork,
    *,
    wants_transcript: Callable[[Record], bool] = lambda call: True,
    windows: Sequence[Window] = (MAY,),
    per_day: int = 0,
) -> Both:
    config = GongConfig(auth=KEY, max_requests_per_day=per_day)

    async def work() -> Both:
        both = Both()
        async with GongClient(config, transport=network, clock=VirtualClock()) as client:
            reader = client.calls_with_transcripts(*windows, wants_transcript=wants_transcript)
            try:
                async for page in reader.pages():
                    if isinstance(page, TranscriptPage):
                        both.transcripts += [record.key for record in page.records]
                    else:
                        both.calls += page.records
            except GongQuotaExhausted as error:
                both.quota_error = error
            both.transcripts_error = reader.transcripts_error
        return both

    return run(work)


def transcript_requests(gong: FakeGong) -> list[GongRequest]:
    return [request for request in gong.log if request.path == "/v2/calls/transcript"]


@pytest.mark.slow
@given(
    seconds=months(),
    latency=st.sampled_from([0.1, 1.0, 3.0]),
    order=st.sampled_from(list(ORDERS)),
    seed=st.integers(0, 9),
)
@settings(max_examples=15)
def test_each_call_and_each_wanted_transcript_comes_once_within_the_bound(
    seconds: list[int], latency: float, order: str, seed: int
) -> None:
    gong = add_transcripts(gong_with_calls_at(seconds))
    gong.sort_key = ORDERS[order]
    wanted = {each for each in gong.ids if random.Random(each + str(seed)).random() < 0.8}
    both = read_in_virtual_time(
        VirtualNetwork(gong, latency=latency), wants_transcript=lambda call: call.id in wanted
    )
    assert sorted(record.key for record in both.calls) == gong.ids
    assert sorted(both.transcripts) == sorted(wanted)
    assert len(transcript_requests(gong)) == ceil(len(wanted) / 100)
    assert len(gong.log) <= max_requests(len(seconds)) + ceil(len(wanted) / 100)


@pytest.mark.slow
@given(
    seconds=months(),
    after=st.integers(1, 90),
    latency=st.sampled_from([0.4, 1.0, 3.0]),
    ours=st.booleans(),
)
@settings(max_examples=20)
def test_a_quota_stop_at_any_request_names_completed_windows_and_remaining_transcripts(
    seconds: list[int], after: int, latency: float, ours: bool
) -> None:
    gong = add_transcripts(gong_with_calls_at(seconds))
    network = VirtualNetwork(gong, latency=latency, quota=None if ours else DailyQuota(after))
    both = read_in_virtual_time(network, per_day=after if ours else 0)
    calls = [record.key for record in both.calls]
    if both.quota_error is None:
        assert sorted(calls) == gong.ids == sorted(both.transcripts)
        return
    completed, remaining = both.quota_error.completed_windows, both.quota_error.remaining
    assert ids_among(both.calls, completed) == ids_on_server(gong, completed)
    assert len(remaining) == len(set(remaining))
    assert set(remaining) | set(both.transcripts) == set(calls)
    # A batch of transcripts that has not been read to its end counts as remaining.
    assert not set(remaining) & set(both.transcripts)


@pytest.mark.parametrize("latency", [0.4, 1, 3])
@pytest.mark.parametrize("shape", ["20 x 100", "30 x 220", "30 x 220, office hours"])
def test_calls_and_transcripts_are_read_at_the_limit_together(shape: str, latency: float) -> None:
    days, starts = (20, evenly(20, 100)) if shape == "20 x 100" else SHAPES[shape]
    taken = measure(days, starts, latency, with_transcripts=True)
    assert taken.ratio <= 1.15
    assert taken.extra <= 10
    assert taken.refused == 0


@pytest.mark.slow
def test_calls_and_transcripts_overlap_over_real_http() -> None:
    gong = add_transcripts(gong_with_calls(2000))

    async def work() -> None:
        async with serving(gong, latency=0.3) as server:
            config = GongConfig(
                base_url=server.base_url, auth=KEY, max_requests_per_second=30, max_requests_per_day=0
            )
            async with GongClient(config) as client:
                calls, transcripts = await read_both(client.calls_with_transcripts(MAY))
        assert sorted(calls) == sorted(transcripts) == gong.ids

    asyncio.run(work())
    paths = [request.path for request in gong.log]
    assert len(paths) <= 50
    last_calls = max(place for place, path in enumerate(paths) if path == "/v2/calls/extensive")
    assert paths.index("/v2/calls/transcript") < last_calls


def test_transcripts_are_requested_while_calls_are_still_read() -> None:
    """The lists of calls cannot use the rate limit alone where a page takes 3 seconds."""
    gong = add_transcripts(gong_with_calls(3000))
    read_in_virtual_time(VirtualNetwork(gong, latency=3.0))
    paths = [request.path for request in gong.log]
    last_calls = len(paths) - 1 - paths[::-1].index("/v2/calls/extensive")
    assert paths[:last_calls].count("/v2/calls/transcript") >= 5
    assert paths[-1] == "/v2/calls/transcript"


def test_no_wanted_transcript_makes_no_request_for_transcripts() -> None:
    gong = add_transcripts(gong_with_calls(300))
    both = read_in_virtual_time(VirtualNetwork(gong, latency=1.0), wants_transcript=lambda call: False)
    assert len(both.calls) == 300
    assert transcript_requests(gong) == []


def test_calls_without_an_id_are_yielded_and_no_transcript_is_requested_for_them() -> None:
    gong = gong_with_calls(5)
    gong.filter_time = lambda _: MAY.start
    gong.sort_key = lambda _: 0
    broken: dict[str, Any] = {"metaData": {"title": "no id"}}
    gong.calls.append(broken)
    both = read_in_virtual_time(VirtualNetwork(gong))
    assert len(both.calls) == 6
    [request] = transcript_requests(gong)
    assert sorted(request.body["filter"]["callIds"]) == sorted(call_id(each) for each in gong.calls[:5])


class GongWithoutTranscripts(FakeGong):
    """Serves calls, and responds to requests for transcripts with `refusal`."""

    refusal = error_response(401, "You don't have permission to use 'api:calls:read:transcript' in your app.")

    def respond(self, request: GongRequest) -> Response:
        if request.path != "/v2/calls/transcript":
            return super().respond(request)
        self.log.append(request)
        return self.refusal


def test_a_missing_scope_for_transcripts_does_not_stop_the_calls() -> None:
    gong = GongWithoutTranscripts(gong_with_calls(2000).calls)
    both = read_in_virtual_time(VirtualNetwork(gong, latency=1.0))
    assert sorted(record.key for record in both.calls) == gong.ids
    assert both.transcripts == []
    assert isinstance(both.transcripts_error, GongPermissionError)
    assert both.transcripts_error.scope == "api:calls:read:transcript"
    assert len(transcript_requests(gong)) < 6


def test_a_fault_of_the_transcripts_does_not_stop_the_calls_either() -> None:
    gong = GongWithoutTranscripts(gong_with_calls(500).calls)
    gong.refusal = error_response(500, "Internal server error occurred")
    both = read_in_virtual_time(VirtualNetwork(gong, latency=1.0))
    assert sorted(record.key for record in both.calls) == gong.ids
    assert isinstance(both.transcripts_error, GongServerError)


def test_an_error_of_the_calls_is_raised() -> None:
    class Failing(FakeGong):
        def respond(self, request: GongRequest) -> Response:
            return error_response(500, "Internal server error occurred")

    with pytest.raises(GongServerError):
        read_in_virtual_time(VirtualNetwork(Failing()))


def test_the_last_transcripts_are_requested_when_the_last_of_several_windows_is_complete() -> None:
    gong = add_transcripts(gong_with_calls(31 * 30))
    days = [Window(MAY.start + timedelta(days=day), MAY.start + timedelta(days=day + 1)) for day in (1, 5, 9)]
    both = read_in_virtual_time(VirtualNetwork(gong, latency=0.3), windows=days)
    assert len(both.calls) == len(both.transcripts) == 90
    assert len(transcript_requests(gong)) == 1


def test_the_total_counts_calls_only() -> None:
    gong = add_transcripts(gong_with_calls(450))
    totals = set()

    async def work() -> None:
        config = GongConfig(auth=KEY, max_requests_per_day=0)
        async with GongClient(config, transport=VirtualNetwork(gong), clock=VirtualClock()) as client:
            reader: CallReader = client.calls_with_transcripts(MAY)
            async for page in reader.pages():
                if not isinstance(page, TranscriptPage):
                    totals.add(page.total_records)

    run(work)
    assert totals == {450}
