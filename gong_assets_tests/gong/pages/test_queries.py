"""Settings, the library, reviews and statistics: each record once, with its bytes, id and day."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
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
    GongQuotaExhausted,
    Page,
    Record,
    list_endpoint,
)
from gong_assets.gong.pages.queries import DAYS_PER_REQUEST, end_of_finished_days
from gong_assets.local.gong_tenant.app import TenantOptions, create_app
from gong_assets_tests.gong.fake_gong import FakeGong, GongRequest, Response, error_response, json_response
from gong_assets_tests.gong.helpers import KEY, ReadResult, local_config, read
from gong_assets_tests.gong.http_server import serving
from gong_assets_tests.gong.virtual_time import START, LeakyBucket, VirtualClock, VirtualNetwork, run
from gong_assets_tests.serving import serving as serving_app

ReadList = Callable[[GongClient], AsyncIterator[Page]]

# Unusual formatting, since records must keep these bytes, and not only the values.
UNUSUAL = '"n": 1.50,  "text": "caf\\u00e9 \U0001f642", "big": 99999999999999999999'


class ScriptedGong(FakeGong):
    """Responds with `script(request)`."""

    def __init__(self, script: Callable[[GongRequest], Response]) -> None:
        super().__init__()
        self.script = script

    def respond(self, request: GongRequest) -> Response:
        self.log.append(request)
        return self.script(request)


def listing(key: str, *elements: str) -> Response:
    """Return a list without pages as Gong sends it: without `records`."""
    return Response(200, f'{{"requestId": "x", "{key}": [{", ".join(elements)}]}}'.encode())


def read_from(gong: FakeGong, read_list: ReadList) -> ReadResult:
    async def work() -> ReadResult:
        async with serving(gong) as server:
            return await read(local_config(server.base_url), read_list)

    return asyncio.run(work())


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


def pages_of(key: str, documents: Sequence[Any], size: int = 100) -> Callable[[GongRequest], Response]:
    def script(request: GongRequest) -> Response:
        first = int(request.cursor or 0)
        cursor = {"cursor": str(first + size)} if first + size < len(documents) else {}
        return json_response(
            200,
            {"records": {"totalRecords": len(documents), **cursor}, key: documents[first : first + size]},
        )

    return script


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


@pytest.mark.parametrize(
    ("now", "end"),
    [("2026-06-01T11:59:59Z", "2026-05-31"), ("2026-06-01T12:00:00Z", "2026-06-01")],
)
def test_a_day_has_ended_once_it_has_ended_in_the_last_time_zone(now: str, end: str) -> None:
    assert end_of_finished_days(datetime.fromisoformat(now)) == date.fromisoformat(end)


def in_virtual_time(
    network: VirtualNetwork, read_list: ReadList
) -> tuple[list[Record], GongQuotaExhausted | None]:
    """Return the records that were read at START, and the quota error."""

    async def work() -> tuple[list[Record], GongQuotaExhausted | None]:
        records: list[Record] = []
        settings = GongConfig(auth=KEY, max_requests_per_day=0)
        async with GongClient(settings, transport=network, clock=VirtualClock()) as client:
            try:
                async for page in read_list(client):
                    records += page.records
            except GongQuotaExhausted as error:
                return records, error
        return records, None

    return run(work)


def days_from(first: date, count: int) -> list[date]:
    return [first + timedelta(days=number) for number in range(count)]


LAST = START.date() - timedelta(days=2)  # the last day that has ended everywhere at START
STATISTIC = {"userId": "7", "personInteractionStats": [{"name": "Patience", "value": 0.5}]}


def test_each_day_of_interaction_stats_takes_one_request() -> None:
    gong = ScriptedGong(pages_of("peopleInteractionStats", [STATISTIC, {"userEmailAddress": "?"}]))
    days = days_from(LAST - timedelta(days=1), 4)
    records, _ = in_virtual_time(VirtualNetwork(gong), lambda c: c.interaction_stats([*days, days[0]]))
    assert sorted((record.id, record.day) for record in records if record.id) == [
        (f"{day}/7", day) for day in days[:2]
    ]
    assert {record.error for record in records} == {None, "userId: missing or unreadable"}
    assert [request.body["filter"] for request in gong.log] == [
        {"fromDate": f"{day}", "toDate": f"{day + timedelta(days=1)}"} for day in days[:2]
    ]


def test_many_days_are_read_at_the_limit_without_a_429() -> None:
    gong = ScriptedGong(pages_of("peopleInteractionStats", [STATISTIC]))
    network = VirtualNetwork(gong, latency=2.0, limit=LeakyBucket(3))
    days = days_from(LAST - timedelta(days=299), 300)
    records, _ = in_virtual_time(network, lambda client: client.interaction_stats(days))
    assert {record.day for record in records} == set(days)
    assert network.rate >= 2.7
    assert network.refused == 0
    assert len(gong.log) == 300


def refusing_after(count: int, script: Callable[[GongRequest], Response]) -> ScriptedGong:
    gong = ScriptedGong(
        lambda request: (
            script(request)
            if len(gong.log) <= count
            else error_response(429, "API request limit exceeded", **{"Retry-After": "36000"})
        )
    )
    return gong


def test_the_quota_error_has_the_days_that_were_not_read() -> None:
    gong = refusing_after(20, pages_of("peopleInteractionStats", [STATISTIC]))
    days = days_from(LAST - timedelta(days=59), 60)
    records, quota_error = in_virtual_time(
        VirtualNetwork(gong, latency=2.0), lambda client: client.interaction_stats(days)
    )
    assert quota_error is not None
    assert len(records) == 20
    read_days = {record.day for record in records}
    assert quota_error.remaining == tuple(day for day in days if day not in read_days)


def activity(user: str, days: Sequence[date]) -> str:
    entries = ", ".join(f'{{"fromDate": "{day}T00:00:00-07:00", "callsAsHost": ["1"]}}' for day in days)
    return f'{{"userId": "{user}", {UNUSUAL}, "userDailyActivityStats": [{entries}], "later": null}}'


def requested_days(request: GongRequest) -> list[date]:
    first, end = (date.fromisoformat(request.body["filter"][key]) for key in ("fromDate", "toDate"))
    return days_from(first, (end - first).days)


def activity_of(*users: str) -> Callable[[GongRequest], Response]:
    return lambda request: listing(
        "usersDetailedActivities", *(activity(user, requested_days(request)) for user in users)
    )


def test_user_activity_has_one_record_for_each_user_and_day_and_keeps_all_other_bytes() -> None:
    gong = ScriptedGong(activity_of("7", "8"))
    day = LAST - timedelta(days=1)
    records, _ = in_virtual_time(VirtualNetwork(gong), lambda client: client.user_activity(day, LAST))
    assert [(record.id, record.day, record.error) for record in records] == [
        (f"{day}/{user}", day, None) for user in ("7", "8")
    ]
    values = '"n":1.50,"text":"caf\\u00e9 \U0001f642","big":99999999999999999999'
    assert records[0].raw.decode() == (
        f'{{"userId":"7",{values},"userDailyActivityStats":'
        f'[{{"fromDate": "{day}T00:00:00-07:00", "callsAsHost": ["1"]}}],"later":null}}'
    )


def test_a_day_without_activity_has_no_record() -> None:
    def idle_on_the_first_day(request: GongRequest) -> Response:
        first, *others = requested_days(request)
        idle = f'{{"fromDate": "{first}T00:00:00-07:00", "callsAsHost": [], "callsAttended": []}}'
        return listing("usersDetailedActivities", activity("7", others).replace("[{", f"[{idle}, {{", 1))

    gong = ScriptedGong(idle_on_the_first_day)
    days = days_from(LAST - timedelta(days=3), 3)
    records, _ = in_virtual_time(VirtualNetwork(gong), lambda client: client.user_activity(days[0], LAST))
    assert [record.day for record in records] == days[1:]


def test_a_long_range_of_activity_is_requested_by_month_up_to_the_last_finished_day() -> None:
    gong = ScriptedGong(activity_of("7"))
    days = days_from(LAST - timedelta(days=99), 100)
    records, _ = in_virtual_time(
        VirtualNetwork(gong, latency=1.0),
        lambda client: client.user_activity(days[0], LAST + timedelta(days=30)),
    )
    assert sorted(record.day for record in records if record.day) == days
    requests = [requested_days(request) for request in gong.log]
    assert max(map(len, requests)) == DAYS_PER_REQUEST
    assert sorted(day for request in requests for day in request) == days


def test_days_of_activity_outside_the_range_are_left_out() -> None:
    gong = ScriptedGong(lambda request: listing("usersDetailedActivities", activity("7", days_from(LAST, 3))))
    records, _ = in_virtual_time(
        VirtualNetwork(gong), lambda client: client.user_activity(LAST, START.date())
    )
    assert [record.day for record in records] == [LAST]


@pytest.mark.parametrize(
    ("element", "wrong"),
    [
        ('{"userId": "7"}', "userDailyActivityStats:"),
        ('{"userId": "7", "userDailyActivityStats": null}', "userDailyActivityStats:"),
        ('{"userId": "7", "userDailyActivityStats": [{}]}', "userDailyActivityStats.fromDate:"),
        (
            '{"userId": "7", "userDailyActivityStats": [{"fromDate": 1780272000}]}',
            "userDailyActivityStats.fromDate:",
        ),
        ('{"userId": "7", "userDailyActivityStats": [4]}', "userDailyActivityStats.fromDate:"),
        (f'{{"userDailyActivityStats": [{{"fromDate": "{LAST}T00:00:00Z"}}]}}', "userId:"),
        ("4", "userId:"),
    ],
)
def test_invalid_activity_has_a_validation_error(element: str, wrong: str) -> None:
    gong = ScriptedGong(lambda _: listing("usersDetailedActivities", element))
    records, _ = in_virtual_time(
        VirtualNetwork(gong), lambda client: client.user_activity(LAST, START.date())
    )
    assert [record.id for record in records] == [None]
    assert wrong in str(records[0].error)


def test_the_quota_error_has_all_days_of_the_months_that_were_not_read() -> None:
    gong = refusing_after(2, activity_of("7"))
    days = days_from(LAST - timedelta(days=99), 100)
    records, quota_error = in_virtual_time(
        VirtualNetwork(gong), lambda client: client.user_activity(days[0], START.date())
    )
    assert quota_error is not None
    assert [record.day for record in records] == days[: 2 * DAYS_PER_REQUEST]
    assert quota_error.remaining == tuple(days[2 * DAYS_PER_REQUEST :])


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
    days = days_from(LAST - timedelta(days=13), 14)
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
