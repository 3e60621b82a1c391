"""Transcripts by call id: complete, a hundred ids to a request, several requests at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from gong_assets.gong import GongClient, GongConfig, GongQuotaExhausted, Page
from gong_assets_tests.gong.fake_gong import FakeGong, GongRequest, Response, json_response, transcript
from gong_assets_tests.gong.helpers import KEY, ReadResult, local_config, read
from gong_assets_tests.gong.http_server import serving
from gong_assets_tests.gong.virtual_time import DailyQuota, LeakyBucket, VirtualClock, VirtualNetwork, run


def gong_with_transcripts(count: int) -> FakeGong:
    gong = FakeGong()
    gong.transcripts = {str(number): transcript(str(number)) for number in range(count)}
    return gong


async def drain(pages: AsyncIterator[Page], into: list[str]) -> None:
    async for page in pages:
        into += [record.key for record in page.records]


def read_transcripts(gong: FakeGong, ids: list[str]) -> ReadResult:
    async def work() -> ReadResult:
        async with serving(gong) as server:
            return await read(local_config(server.base_url), lambda client: client.transcripts(ids))

    return asyncio.run(work())


@pytest.mark.parametrize(("count", "requests"), [(1, 1), (100, 1), (101, 2), (1234, 13)])
def test_each_hundred_ids_take_one_request(count: int, requests: int) -> None:
    gong = gong_with_transcripts(count)
    ids = [str(number) for number in range(count)]
    assert read_transcripts(gong, ids).ids == sorted(ids)
    assert len(gong.log) == requests
    assert sorted(each for request in gong.log for each in request.body["filter"]["callIds"]) == sorted(ids)


def test_no_ids_make_no_request() -> None:
    gong = gong_with_transcripts(5)
    assert read_transcripts(gong, []).records == []
    assert gong.log == []


def test_a_repeated_id_is_requested_once() -> None:
    gong = gong_with_transcripts(5)
    assert read_transcripts(gong, ["3", "1", "3"]).ids == ["1", "3"]
    assert gong.log[0].body["filter"]["callIds"] == ["3", "1"]


def test_calls_without_a_transcript_are_left_out_even_if_a_whole_request_finds_none() -> None:
    gong = gong_with_transcripts(50)
    reading = read_transcripts(gong, [str(number) for number in range(400)])
    assert reading.ids == sorted(gong.transcripts)
    assert reading.stats.requests == 4


class SmallPages(FakeGong):
    """Has pages of 40, so that a hundred ids take three of them."""

    def respond(self, request: GongRequest) -> Response:
        self.log.append(request)
        ids = request.body["filter"]["callIds"]
        first = int(request.cursor or 0)
        records = {
            "totalRecords": len(ids),
            **({"cursor": str(first + 40)} if first + 40 < len(ids) else {}),
        }
        found = [transcript(each) for each in ids[first : first + 40]]
        return json_response(200, {"records": records, "callTranscripts": found})


def test_a_cursor_beside_the_ids_is_followed() -> None:
    ids = [str(number) for number in range(150)]
    assert read_transcripts(SmallPages(), ids).ids == sorted(ids)


@pytest.mark.parametrize("ours", [True, False])
@pytest.mark.parametrize("latency", [0.1, 3.0])
def test_the_quota_error_has_the_ids_that_were_not_read_in_their_order(latency: float, ours: bool) -> None:
    gong = gong_with_transcripts(2000)
    network = VirtualNetwork(gong, latency=latency, quota=None if ours else DailyQuota(7))
    ids = sorted(gong.transcripts)

    async def work() -> None:
        settings = GongConfig(auth=KEY, max_requests_per_day=7 if ours else 0)
        async with GongClient(settings, transport=network, clock=VirtualClock()) as client:
            found: list[str] = []
            with pytest.raises(GongQuotaExhausted) as caught:
                await drain(client.transcripts(ids), found)
            remaining = list(caught.value.remaining)
            assert len(found) == 700
            assert remaining == [each for each in ids if each not in set(found)]
            assert caught.value.completed_windows == ()
            await VirtualClock().sleep(caught.value.retry_after)
            with pytest.raises(GongQuotaExhausted) as caught:
                await drain(client.transcripts(remaining), found)
            assert len(found) == len(set(found)) == 1400
            assert len(caught.value.remaining) == 600

    run(work)


def test_a_batch_without_its_last_page_counts_as_not_read() -> None:
    gong = SmallPages()
    ids = [str(number) for number in range(250)]

    async def work() -> None:
        settings = GongConfig(auth=KEY, max_requests_per_second=3, max_requests_per_day=5)
        network = VirtualNetwork(gong, latency=0.1)
        async with GongClient(settings, transport=network, clock=VirtualClock()) as client:
            with pytest.raises(GongQuotaExhausted) as caught:
                await drain(client.transcripts(ids), [])
        assert caught.value.remaining == tuple(ids[100:])

    run(work)


@pytest.mark.slow
@pytest.mark.parametrize("latency", [1.0, 3.0])
def test_transcripts_are_read_at_the_limit_without_a_429(latency: float) -> None:
    gong = gong_with_transcripts(20_000)
    network = VirtualNetwork(gong, latency=latency, limit=LeakyBucket(3))

    async def work() -> int:
        settings = GongConfig(auth=KEY, max_requests_per_day=0)
        async with GongClient(settings, transport=network, clock=VirtualClock()) as client:
            return sum([len(page.records) async for page in client.transcripts(list(gong.transcripts))])

    assert run(work) == 20_000
    assert network.rate >= 2.85
    assert network.refused == 0
    assert len(network.sent_at) == 200
