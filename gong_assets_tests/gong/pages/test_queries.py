"""Settings, the library, reviews and statistics: each record once, with its bytes, id and day."""

from __future__ import annotations

import asyncio
import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from gong_assets.gong import (
    BasicAuth,
    Clock,
    GongClient,
    GongConfig,
    GongNotFoundError,
    GongPermissionError,
    list_endpoint,
)
from gong_assets.local.gong_tenant.app import TenantOptions, create_app
from gong_assets_tests.gong.fake_gong import Response, error_response
from gong_assets_tests.gong.pages.scripted_gong import (
    UNUSUAL,
    ReadList,
    ScriptedGong,
    listing,
    pages_of,
    read_from,
)
from gong_assets_tests.gong.virtual_time import START
from gong_assets_tests.serving import serving as serving_app

WORKSPACES = list_endpoint("/v2/workspaces", list_key="workspaces", id_key="id", scope="api:workspaces:read")


@pytest.mark.parametrize(
    ("path", "key", "id_key"),
    [
        ("/v2/workspaces", "workspaces", "id"),
        ("/v2/settings/scorecards", "scorecards", "scorecardId"),
        ("/v2/settings/trackers", "keywordTrackers", "trackerId"),
    ],
)
def test_a_list_without_pages_is_complete_and_keeps_the_bytes(path: str, key: str, id_key: str) -> None:
    endpoint = list_endpoint(path, list_key=key, id_key=id_key, scope="api:x")
    elements = [f'{{"{id_key}": "{number}", {UNUSUAL}}}' for number in (7, 8)]
    gong = ScriptedGong(lambda _: listing(key, *elements, elements[0], '{"name": "no id"}'))
    first, second, third = read_from(gong, lambda client: client.list_records(endpoint, {})).records
    assert [first.raw.decode(), second.raw.decode()] == elements
    assert [first.id, second.id, first.error] == ["7", "8", None]
    assert third.id is None
    assert third.error is not None
    assert id_key in third.error
    assert [(request.method, request.path, request.query) for request in gong.log] == [("GET", path, {})]


def test_an_empty_list_is_no_error() -> None:
    gong = ScriptedGong(lambda _: listing("workspaces"))
    assert read_from(gong, lambda client: client.list_records(WORKSPACES, {})).records == []


def test_the_workspace_is_a_parameter_of_lists_and_of_the_library() -> None:
    gong = ScriptedGong(
        lambda request: listing("folders") if "library" in request.path else listing("workspaces")
    )
    read_from(gong, lambda client: client.list_records(WORKSPACES, {"workspaceId": "42"}))
    read_from(gong, lambda client: client.calls_in_library("42"))
    assert [request.query for request in gong.log] == [{"workspaceId": "42"}] * 2


FOLDER = f'{{"id": "3", {UNUSUAL}}}'
CALL = f'{{"id": "9", {UNUSUAL}}}'
SNIPPET = '{"id": "9", "snippet": {"fromSec": 10, "toSec": 30}}'


def library(contents: dict[str, Response], *folders: str) -> ScriptedGong:
    return ScriptedGong(
        lambda request: (
            listing("folders", *folders)
            if request.path == "/v2/library/folders"
            else contents[request.query["folderId"]]
        )
    )


def test_a_library_call_keeps_its_bytes_and_those_of_its_folder() -> None:
    gong = library({"3": listing("calls", CALL, SNIPPET)}, FOLDER)
    call, snippet = read_from(gong, lambda client: client.calls_in_library()).records
    assert call.raw.decode() == f'{{"folder":{FOLDER},"call":{CALL}}}'
    assert json.loads(call.raw)["call"]["id"] == "9"
    assert [call.id, snippet.id] == ["3/9", "3/9/10-30"]
    assert [call.error, snippet.error] == [None, None]


def test_each_snippet_of_a_call_is_one_record() -> None:
    other = SNIPPET.replace("30", "45")
    folders = ['{"id": "1"}', '{"id": "2"}']
    gong = library(
        {"1": listing("calls", SNIPPET, other, SNIPPET, CALL), "2": listing("calls", CALL)}, *folders
    )
    assert read_from(gong, lambda client: client.calls_in_library()).ids == [
        "1/9",
        "1/9/10-30",
        "1/9/10-45",
        "2/9",
    ]


NO_FOLDERS = error_response(404, "No folders found corresponding to the provided filters")


def test_a_library_without_folders_is_empty() -> None:
    gong = ScriptedGong(lambda _: NO_FOLDERS)
    assert read_from(gong, lambda client: client.calls_in_library()).records == []


@pytest.mark.parametrize("gone", [NO_FOLDERS, error_response(404, "Folder 1 was not found")])
def test_a_folder_deleted_during_the_read_is_left_out(gone: Response) -> None:
    gong = library({"1": gone, "3": listing("calls", CALL)}, '{"id": "1"}', FOLDER)
    assert read_from(gong, lambda client: client.calls_in_library()).ids == ["3/9"]


def test_a_404_from_a_proxy_is_not_a_deleted_folder() -> None:
    gong = library({"3": Response(404, b"<html>not here</html>")}, FOLDER)
    with pytest.raises(GongNotFoundError):
        read_from(gong, lambda client: client.calls_in_library())


def test_library_folders_and_calls_without_an_id_are_invalid_records() -> None:
    gong = library({"3": listing("calls", '{"title": "t"}')}, FOLDER, '{"name": "nameless"}')
    found = {record.error: record.raw for record in read_from(gong, lambda c: c.calls_in_library()).records}
    assert found["folder.id: missing or unreadable"] == b'{"folder":{"name": "nameless"},"call":null}'
    assert json.loads(found["call.id: missing or unreadable"])["call"] == {"title": "t"}
    assert len(gong.log) == 2


def card(number: int, review_time: Any) -> dict[str, Any]:
    return {"answeredScorecardId": str(number), "reviewTime": review_time, "reviewMethod": "AUTOMATIC"}


MAY_DAYS = (date(2026, 5, 1), date(2026, 5, 3))


def test_reviews_are_requested_with_a_day_around_and_selected_by_their_utc_day() -> None:
    cards = [
        card(1, "2026-04-30T16:59:59-07:00"),
        card(2, "2026-04-30T17:00:00-07:00"),
        card(3, "2026-05-03T01:59:59.816562+02:00"),
        card(4, "2026-05-03T02:00:00+02:00"),
        card(5, "when it was done"),
    ]
    gong = ScriptedGong(pages_of("answeredScorecards", cards, size=2))
    records = read_from(gong, lambda client: client.answered_scorecards(*MAY_DAYS)).records
    assert [(record.id, record.day) for record in records] == [
        ("2", date(2026, 5, 1)),
        ("3", date(2026, 5, 2)),
        ("5", None),
    ]
    assert [record.error for record in records] == [None, None, "reviewTime: missing or unreadable"]
    assert {json.dumps(request.body["filter"]) for request in gong.log} == {
        '{"reviewFromDate": "2026-04-30", "reviewToDate": "2026-05-04", "reviewMethod": "BOTH"}'
    }


def test_a_range_without_reviews_is_no_error() -> None:
    nothing = error_response(404, "No answered scorecards found corresponding to the provided filters.")
    gong = ScriptedGong(lambda _: nothing)
    assert read_from(gong, lambda client: client.answered_scorecards(*MAY_DAYS)).records == []


def test_no_days_make_no_request() -> None:
    gong = ScriptedGong(lambda _: error_response(400, "filter.fromDate: must be before toDate"))
    day = MAY_DAYS[0]
    for read_list in (
        lambda client: client.answered_scorecards(day, day),
        lambda client: client.interaction_stats([]),
        lambda client: client.user_activity(day, day),
    ):
        assert read_from(gong, read_list).records == []
    assert gong.log == []


def test_the_error_for_a_403_without_a_scope_names_the_likely_one() -> None:
    gong = ScriptedGong(lambda _: error_response(403, "Forbidden"))
    with pytest.raises(GongPermissionError, match="api:library:read is probably missing") as caught:
        read_from(gong, lambda client: client.calls_in_library())
    assert caught.value.scope is None


def test_a_scope_that_gong_names_is_used_as_it_is() -> None:
    text = "You don't have permission to use 'api:stats:scorecards' in your app."
    gong = ScriptedGong(lambda _: error_response(401, text))
    with pytest.raises(GongPermissionError) as caught:
        read_from(gong, lambda client: client.answered_scorecards(*MAY_DAYS))
    assert caught.value.scope == "api:stats:scorecards"
    assert "probably" not in str(caught.value)


class StoppedClock(Clock):
    def now(self) -> datetime:
        return START


def test_every_list_can_be_read_from_the_simulated_tenant() -> None:
    days = [START.date() - timedelta(days=number) for number in range(2, 16)][::-1]
    first, end = days[0], START.date()
    reads: dict[str, ReadList] = {
        "workspaces": lambda gong: gong.list_records(WORKSPACES, {}),
        "library calls": lambda gong: gong.calls_in_library(),
        "answered scorecards": lambda gong: gong.answered_scorecards(first, end),
        "interaction stats": lambda gong: gong.interaction_stats(days),
        "user activity": lambda gong: gong.user_activity(first, end),
    }

    async def work(base_url: str) -> None:
        settings = GongConfig(
            base_url=base_url,
            auth=BasicAuth("local", "local"),
            max_requests_per_second=0,
            max_requests_per_day=0,
        )
        async with GongClient(settings, clock=StoppedClock()) as client:
            for name, read_list in reads.items():
                records = [record async for page in read_list(client) for record in page.records]
                assert records, name
                assert len({record.id for record in records}) == len(records), name
                assert {record.error for record in records} == {None}, name

    options = TenantOptions(now=START, requests_per_second=0, requests_per_day=0, words_per_call=50)
    with serving_app(create_app(options)) as base_url:
        asyncio.run(work(base_url))
