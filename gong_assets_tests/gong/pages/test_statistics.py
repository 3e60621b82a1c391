"""Statistics of users by day: each record once, with its bytes, id and day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

import pytest

from gong_assets.gong import (
    GongClient,
    GongConfig,
    GongQuotaExhausted,
    Record,
)
from gong_assets.gong.pages.queries import DAYS_PER_REQUEST, end_of_finished_days
from gong_assets_tests.gong.fake_gong import GongRequest, Response, error_response
from gong_assets_tests.gong.helpers import KEY
from gong_assets_tests.gong.pages.scripted_gong import (
    UNUSUAL,
    ReadList,
    ScriptedGong,
    listing,
    pages_of,
)
from gong_assets_tests.gong.virtual_time import START, LeakyBucket, VirtualClock, VirtualNetwork, run


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
