"""Visibility of calls, transcripts and content over time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from gong_assets.local.gong_tenant.calls import Call, CallGenerator
from gong_assets.local.gong_tenant.company import TIME_ZONE, Company

from .conftest import NOW, extensive, transcripts, window

Tenants = Callable[..., httpx.Client]


@pytest.fixture(scope="module")
def calls() -> list[Call]:
    """All calls of the three months before NOW, visible or not."""
    generator = CallGenerator(Company(1), calls_per_day=12, words_per_call=300)
    return [call for call in generator.calls_between(NOW - timedelta(days=90), NOW) if call.started < NOW]


def pick(calls: list[Call], condition: Callable[[Call], Any]) -> Call:
    """Return the first call that meets the condition and is neither deleted nor imported."""
    return next(
        call for call in calls if condition(call) and call.lifecycle.deleted_at is None and not call.imported
    )


def at(client: httpx.Client, moment: datetime) -> None:
    client.post("/simulator/clock", json={"now": moment.isoformat()}).raise_for_status()


def ids(client: httpx.Client, call: Call) -> set[str]:
    day = call.started.astimezone(UTC).date()
    answer = client.post(
        "/v2/calls/extensive", json={"filter": window(str(day), str(day + timedelta(days=1)))}
    )
    return {found["metaData"]["id"] for found in answer.json().get("calls", [])}


def test_a_call_is_listed_after_processing(new_tenant: Tenants, calls: list[Call]) -> None:
    client = new_tenant()
    call = calls[500]
    at(client, call.lifecycle.visible_at - timedelta(seconds=1))
    assert call.id not in ids(client, call)
    assert client.get(f"/v2/calls/{call.id}").status_code == 404
    at(client, call.lifecycle.visible_at)
    assert call.id in ids(client, call)
    assert client.get(f"/v2/calls/{call.id}").status_code == 200


def test_the_total_includes_calls_that_are_still_processed(new_tenant: Tenants, calls: list[Call]) -> None:
    client = new_tenant()
    call = calls[500]
    at(client, call.started + timedelta(minutes=1))
    before = call.started - timedelta(days=3)
    body = {"filter": {"fromDateTime": before.isoformat()}}
    answer = client.post("/v2/calls/extensive", json=body).json()
    assert answer["records"]["totalRecords"] > len(answer["calls"])


def test_transcripts_can_become_available_before_or_after_the_call(
    new_tenant: Tenants, calls: list[Call]
) -> None:
    client = new_tenant()
    late = pick(
        calls, lambda c: c.lifecycle.transcript_at and c.lifecycle.transcript_at > c.lifecycle.visible_at
    )
    at(client, late.lifecycle.visible_at)
    assert late.id in ids(client, late)
    assert client.post("/v2/calls/transcript", json={"filter": {"callIds": [late.id]}}).status_code == 404

    early = pick(
        calls, lambda c: c.lifecycle.transcript_at and c.lifecycle.transcript_at < c.lifecycle.visible_at
    )
    assert early.lifecycle.transcript_at
    at(client, early.lifecycle.transcript_at)
    assert early.id not in ids(client, early)
    assert early.id in transcripts(client, {"callIds": [early.id]})


def test_some_calls_never_have_a_transcript(calls: list[Call]) -> None:
    share = sum(call.lifecycle.transcript_at is None for call in calls) / len(calls)
    assert 0.005 < share < 0.05


def test_content_is_absent_until_the_call_is_analyzed(new_tenant: Tenants, calls: list[Call]) -> None:
    client = new_tenant()
    call = calls[500]
    for moment, has_content in (
        (call.lifecycle.enriched_at - timedelta(seconds=1), False),
        (call.lifecycle.enriched_at, True),
    ):
        at(client, moment)
        (found,) = extensive(client, {"callIds": [call.id]})
        assert ("content" in found) == has_content


def test_a_call_can_become_private_later(new_tenant: Tenants, calls: list[Call]) -> None:
    client = new_tenant()
    call = pick(calls, lambda c: c.lifecycle.private_at and c.lifecycle.private_at > c.lifecycle.visible_at)
    assert call.lifecycle.private_at
    for moment, is_private in (
        (call.lifecycle.private_at - timedelta(seconds=1), False),
        (call.lifecycle.private_at, True),
    ):
        at(client, moment)
        assert client.get(f"/v2/calls/{call.id}").json()["call"]["isPrivate"] is is_private


def test_a_small_share_of_calls_is_private(calls: list[Call]) -> None:
    share = sum(call.lifecycle.is_private(NOW) for call in calls) / len(calls)
    assert 0.01 < share < 0.08


def test_a_deleted_call_disappears_from_all_endpoints(new_tenant: Tenants, calls: list[Call]) -> None:
    client = new_tenant()
    call = next(c for c in calls if c.lifecycle.deleted_at and c.lifecycle.deleted_at < NOW)
    assert call.lifecycle.deleted_at
    at(client, call.lifecycle.deleted_at - timedelta(seconds=1))
    assert call.id in ids(client, call)
    at(client, call.lifecycle.deleted_at)
    assert call.id not in ids(client, call)
    assert client.get(f"/v2/calls/{call.id}").status_code == 404
    assert client.post("/v2/calls/transcript", json={"filter": {"callIds": [call.id]}}).status_code == 404


def test_a_call_can_be_linked_to_another_deal_later(new_tenant: Tenants, calls: list[Call]) -> None:
    client = new_tenant()
    call = pick(calls, lambda c: c.lifecycle.relinked_at and len(c.deals) == 1)
    assert call.lifecycle.relinked_at
    at(client, call.lifecycle.relinked_at - timedelta(seconds=1))
    before = linked(client, call, "Opportunity")
    at(client, call.lifecycle.relinked_at)
    after = linked(client, call, "Opportunity")
    assert len(before) == len(after) == 1
    assert before != after


def linked(client: httpx.Client, call: Call, kind: str) -> set[str]:
    (found,) = extensive(client, {"callIds": [call.id]})
    (context,) = found["context"]
    return {item["objectId"] for item in context["objects"] if item["objectType"] == kind}


def test_tests_can_delete_a_call_or_make_it_private(new_tenant: Tenants) -> None:
    client = new_tenant()
    first, second = extensive(client, window("2026-03-03", "2026-03-04"), {})[:2]
    assert client.post(f"/simulator/calls/{first['metaData']['id']}/delete").status_code == 204
    assert client.post(f"/simulator/calls/{second['metaData']['id']}/make-private").status_code == 204
    assert client.post("/simulator/calls/12345/delete").status_code == 404
    left = extensive(client, window("2026-03-03", "2026-03-04"), {})
    assert first["metaData"]["id"] not in {call["metaData"]["id"] for call in left}
    assert left[0]["metaData"]["isPrivate"] is True


def test_get_calls_filters_web_conferences_by_schedule_and_other_endpoints_by_start(
    tenant: httpx.Client,
) -> None:
    calls = tenant.get("/v2/calls", params=window("2026-03-02", "2026-03-07")).json()["calls"]
    early = next(
        call
        for call in calls
        if call["direction"] == "Conference"
        and datetime.fromisoformat(call["started"]) < datetime.fromisoformat(call["scheduled"])
    )
    between = {"fromDateTime": early["scheduled"], "toDateTime": "2026-03-07T00:00:00Z"}
    listed = {call["id"] for call in tenant.get("/v2/calls", params=between).json()["calls"]}
    searched = {call["metaData"]["id"] for call in extensive(tenant, between, {})}
    assert early["id"] in listed
    assert early["id"] not in searched


def test_times_have_the_offset_of_their_season(tenant: httpx.Client) -> None:
    winter = extensive(tenant, window("2026-03-02", "2026-03-07"), {})
    summer = extensive(tenant, window("2026-03-09", "2026-03-14"), {})
    assert all(call["metaData"]["started"].endswith("-08:00") for call in winter)
    assert all(call["metaData"]["started"].endswith("-07:00") for call in summer)


def test_some_times_have_microseconds(tenant: httpx.Client) -> None:
    calls = extensive(tenant, window("2026-02-02", "2026-03-07"), {})
    exact = [call for call in calls if "." in call["metaData"]["started"]]
    assert 0 < len(exact) < len(calls) / 2


def test_adjacent_windows_neither_overlap_nor_leave_a_gap(tenant: httpx.Client) -> None:
    middle = extensive(tenant, window("2026-03-03", "2026-03-06"), {})[10]["metaData"]["started"]
    whole = extensive(tenant, window("2026-03-03", "2026-03-06"), {})
    left = extensive(tenant, {"fromDateTime": "2026-03-03T00:00:00Z", "toDateTime": middle}, {})
    right = extensive(tenant, {"fromDateTime": middle, "toDateTime": "2026-03-06T00:00:00Z"}, {})
    assert left + right == whole
    assert len(left) == 10


def test_calls_are_kept_for_two_years(tenant: httpx.Client) -> None:
    body = {"filter": {"fromDateTime": "1970-01-01T00:00:00Z"}}
    first = tenant.post("/v2/calls/extensive", json=body).json()["calls"][0]["metaData"]["started"]
    assert datetime.fromisoformat(first).date() == date(2024, 3, 14)


def test_the_utc_day_of_a_call_can_differ_from_its_local_day(calls: list[Call]) -> None:
    assert any(call.started.date() != call.started.astimezone(UTC).date() for call in calls)
    assert all(call.started.tzinfo is TIME_ZONE for call in calls)


def snippets(client: httpx.Client) -> set[tuple[Any, ...]]:
    """Return the library's snippets, as their table identifies them."""
    found = set()
    for folder in client.get("/v2/library/folders").json()["folders"]:
        answer = client.get("/v2/library/folder-content", params={"folderId": folder["id"]})
        found |= {(folder["id"], call["id"], call["snippet"]["fromSec"]) for call in answer.json()["calls"]}
    return found


def test_the_library_changes_once_a_week_and_little(new_tenant: Tenants) -> None:
    """A landing refuses to delete more than half of a table."""
    client = new_tenant()
    changes = []
    before = snippets(client)
    assert len(before) > 10
    for day in range(1, 29):
        at(client, NOW + timedelta(days=day))
        after = snippets(client)
        if after != before:
            changes.append(day)
        assert len(before - after) < len(before) / 2
        before = after
    assert changes == [2, 9, 16, 23], "NOW is a Saturday"
