"""Pages of 100 items and their cursors."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx

from .conftest import EVERYTHING, NOW, extensive, transcripts, window

Tenants = Callable[..., httpx.Client]
MONTH = window("2026-02-01", "2026-03-01")


def page(client: httpx.Client, cursor: str | None = None, filter: dict[str, Any] = MONTH) -> httpx.Response:
    body = {"filter": filter, "contentSelector": {}} | ({"cursor": cursor} if cursor else {})
    return client.post("/v2/calls/extensive", json=body)


def test_pages_have_100_calls_and_the_last_has_no_cursor(tenant: httpx.Client) -> None:
    first = page(tenant).json()
    assert first["records"]["currentPageNumber"] == 0
    assert first["records"]["currentPageSize"] == len(first["calls"]) == 100
    number, cursor = 0, first["records"]["cursor"]
    while cursor:
        records = page(tenant, cursor).json()["records"]
        number += 1
        assert records["currentPageNumber"] == number
        assert records["totalRecords"] == first["records"]["totalRecords"]
        cursor = records.get("cursor")
    assert "cursor" not in records
    assert number == first["records"]["totalRecords"] // 100


def test_all_pages_together_have_each_call_once_oldest_first(tenant: httpx.Client) -> None:
    calls = extensive(tenant, MONTH, {})
    started = [call["metaData"]["started"] for call in calls]
    assert len({call["metaData"]["id"] for call in calls}) == len(calls) > 200
    assert started == sorted(started)


def test_a_post_ignores_a_cursor_in_the_query_string(tenant: httpx.Client) -> None:
    first = page(tenant).json()
    body = {"filter": MONTH, "contentSelector": {}}
    again = tenant.post(
        "/v2/calls/extensive", params={"cursor": first["records"]["cursor"]}, json=body
    ).json()
    assert again["records"]["currentPageNumber"] == 0
    assert again["calls"] == first["calls"]


def test_a_get_takes_the_cursor_from_the_query_string(tenant: httpx.Client) -> None:
    first = tenant.get("/v2/calls", params=MONTH).json()
    second = tenant.get("/v2/calls", params={**MONTH, "cursor": first["records"]["cursor"]}).json()
    assert second["records"]["currentPageNumber"] == 1
    assert second["calls"][0] not in first["calls"]


def test_a_cursor_is_valid_for_its_filter_and_endpoint_only(tenant: httpx.Client) -> None:
    cursor = page(tenant).json()["records"]["cursor"]
    other = window("2026-02-01", "2026-03-02")
    assert page(tenant, cursor, other).json()["errors"] == ["cursor is invalid"]
    body = {"filter": MONTH, "cursor": cursor}
    assert tenant.post("/v2/calls/transcript", json=body).status_code == 400


def test_a_forged_cursor_is_rejected(tenant: httpx.Client) -> None:
    header, payload, signature = page(tenant).json()["records"]["cursor"].split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    forged = base64.urlsafe_b64encode(json.dumps(claims | {"pageNumber": 0}).encode()).decode().rstrip("=")
    for cursor in (f"{header}.{forged}.{signature}", "nonsense", "a.b.c", "ä.b.c"):
        assert page(tenant, cursor).status_code == 400


def test_a_cursor_expires_an_hour_after_the_first_page(new_tenant: Tenants) -> None:
    client = new_tenant()
    cursor = page(client).json()["records"]["cursor"]
    client.post("/simulator/clock", json={"now": (NOW + timedelta(minutes=50)).isoformat()})
    second = page(client, cursor).json()["records"]["cursor"]
    client.post("/simulator/clock", json={"now": (NOW + timedelta(minutes=61)).isoformat()})
    expired = page(client, second)
    assert expired.status_code == 400
    assert expired.json()["errors"] == ["cursor has expired"]


def test_a_deleted_call_shifts_the_following_pages(new_tenant: Tenants) -> None:
    client = new_tenant()
    whole = [call["metaData"]["id"] for call in extensive(client, MONTH, {})]
    first = page(client).json()
    client.post(f"/simulator/calls/{whole[0]}/delete")
    second = page(client, first["records"]["cursor"]).json()
    # whole[100] is skipped, as always with offset paging.
    assert second["calls"][0]["metaData"]["id"] == whole[101]


def test_ids_and_dates_are_combined_with_and(tenant: httpx.Client) -> None:
    listed = [call["metaData"]["id"] for call in page(tenant).json()["calls"]]
    found = transcripts(tenant, {"callIds": [*listed[:10], "12345"], **window("2026-02-01", "2026-02-03")})
    assert 0 < len(found) < 10
    assert found.keys() <= set(listed[:10])


def test_one_request_returns_the_transcripts_of_100_calls(tenant: httpx.Client) -> None:
    listed = [call["metaData"]["id"] for call in page(tenant).json()["calls"]]
    answer = tenant.post("/v2/calls/transcript", json={"filter": {"callIds": listed}}).json()
    assert 90 <= len(answer["callTranscripts"]) <= 100
    assert "cursor" not in answer["records"]


def test_a_list_without_pages_has_no_records_block(tenant: httpx.Client) -> None:
    for path in ("/v2/workspaces", "/v2/settings/trackers", "/v2/settings/scorecards"):
        assert "records" not in tenant.get(path).json()


def test_context_is_absent_unless_requested(tenant: httpx.Client) -> None:
    filter = window("2026-03-03", "2026-03-04")
    (bare, *_) = extensive(tenant, filter, {})
    assert bare.keys() == {"metaData"}
    parties_only = extensive(tenant, filter, {"exposedFields": {"parties": True}})
    assert all(party["context"] == [] for call in parties_only for party in call["parties"])
    basic = extensive(tenant, filter, {"context": "Basic"})
    links = [link for call in basic for context in call["context"] for link in context["objects"]]
    assert links
    assert all(link.keys() == {"objectType", "objectId"} for link in links)


def test_only_requested_blocks_are_returned(tenant: httpx.Client) -> None:
    filter = window("2026-02-03", "2026-02-04")
    selector = {"exposedFields": {"content": {"brief": True}, "interaction": {"questions": True}}}
    for call in extensive(tenant, filter, selector):
        assert call.keys() <= {"metaData", "content", "interaction"}
        assert call.get("content", {}).keys() <= {"brief"}
        assert call.get("interaction", {}).keys() <= {"questions"}


def test_media_links_differ_in_each_response(tenant: httpx.Client) -> None:
    filter = window("2026-03-03", "2026-03-04")
    first, again = (extensive(tenant, filter, EVERYTHING) for _ in range(2))
    assert all(a["media"] != b["media"] for a, b in zip(first, again, strict=True))
    for call in first + again:
        del call["media"]
    assert first == again
