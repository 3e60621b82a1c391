"""Error responses: Gong's statuses and texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from .conftest import EVERYTHING, window

Tenants = Callable[..., httpx.Client]
EMPTY_NIGHT = {"fromDateTime": "2026-03-03T08:00:00Z", "toDateTime": "2026-03-03T09:00:00Z"}


def error(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]


def test_a_request_without_authorization_is_rejected(tenant: httpx.Client) -> None:
    answer = httpx.get(f"{tenant.base_url}/v2/users")
    assert error(answer) == (401, 'Missing mandatory header "Authorization"')


def test_a_wrong_secret_is_rejected(tenant: httpx.Client) -> None:
    assert error(tenant.get("/v2/users", auth=("local", "guess"))) == (401, "Validate credentials failed")


def test_the_simulator_needs_the_key_too(tenant: httpx.Client) -> None:
    assert httpx.post(f"{tenant.base_url}/simulator/calls/1/delete").status_code == 401


@pytest.mark.parametrize("headers", [{"Host": "rebinding.example"}, {"Origin": "http://evil.example"}])
def test_web_pages_are_refused(tenant: httpx.Client, headers: dict[str, str]) -> None:
    assert tenant.get("/v2/users", headers=headers).status_code == 403


def test_a_missing_scope_is_a_401_that_names_it(new_tenant: Tenants) -> None:
    client = new_tenant(missing_scopes=frozenset({"api:stats:interaction"}))
    body = {"filter": {"fromDate": "2026-03-02", "toDate": "2026-03-03"}}
    text = "You don't have permission to use 'api:stats:interaction' in your app."
    assert error(client.post("/v2/stats/interaction", json=body)) == (401, text)
    assert client.get("/v2/users").status_code == 200


def test_an_unknown_path_is_a_401_and_a_wrong_method_a_405(tenant: httpx.Client) -> None:
    assert error(tenant.get("/v2/nothing")) == (401, "Unauthorized for path")
    assert error(tenant.get("/v2/calls/extensive/")) == (401, "Unauthorized for path")
    assert error(tenant.put("/v2/users")) == (405, "Method Not Allowed")


def test_a_filter_without_matches_is_a_404(tenant: httpx.Client) -> None:
    text = "No calls found corresponding to the provided filters"
    assert error(tenant.get("/v2/calls", params=EMPTY_NIGHT)) == (404, text)
    assert error(tenant.post("/v2/calls/extensive", json={"filter": EMPTY_NIGHT})) == (404, text)
    assert error(tenant.post("/v2/calls/transcript", json={"filter": {"callIds": ["12345"]}})) == (
        404,
        text,
    )
    assert error(tenant.post("/v2/users/extensive", json={"filter": {"userIds": ["1"]}})) == (
        404,
        "No users found corresponding to the provided filters",
    )


def test_the_404_text_for_answered_scorecards_ends_with_a_period(tenant: httpx.Client) -> None:
    body = {"filter": {"callFromDate": "2026-03-03", "callToDate": "2026-03-03"}}
    assert error(tenant.post("/v2/stats/activity/scorecards", json=body)) == (
        404,
        "No answered scorecards found corresponding to the provided filters.",
    )


@pytest.mark.parametrize("call_id", ["12345", "9" * 5000, "abc", "٣"])
def test_an_unknown_call_is_a_404_that_names_it(tenant: httpx.Client, call_id: str) -> None:
    assert error(tenant.get(f"/v2/calls/{call_id}")) == (404, f"Call ID {call_id} was not found")


def test_a_key_without_access_to_calls_gets_a_404(new_tenant: Tenants) -> None:
    client = new_tenant(blind=True)
    answer = client.post("/v2/calls/extensive", json={"filter": window("2026-02-20", "2026-03-14")})
    assert error(answer) == (404, "No calls found corresponding to the provided filters")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"filter": window("2026-03-02", "2026-03-01")}, "filter.fromDateTime: must be before toDateTime"),
        ({"filter": window("2026-03-02", "2026-03-02")}, "filter.fromDateTime: must be before toDateTime"),
        ({"filter": {"callIds": []}}, "filter.callIds: List should have at least 1 item"),
        ({"filter": {"fromDateTime": "yesterday"}}, "filter.fromDateTime: "),
        ({"filter": {"fromDateTime": "2026-03-02T00:00:00"}}, "filter.fromDateTime: "),
        ({"contentSelector": EVERYTHING}, "filter: Field required"),
        ({"filter": {}, "contentSelector": {"context": "All"}}, "contentSelector.context: "),
    ],
)
def test_an_invalid_request_is_a_400_that_names_the_field(
    tenant: httpx.Client, body: dict[str, Any], text: str
) -> None:
    status, answered = error(tenant.post("/v2/calls/extensive", json=body))
    assert status == 400
    assert answered.startswith(text)


def test_a_body_that_is_not_json_is_rejected(tenant: httpx.Client) -> None:
    headers = {"content-type": "application/json"}
    answer = tenant.post("/v2/calls/extensive", content=b"{", headers=headers)
    assert error(answer) == (400, "Bad request")
    answer = tenant.post("/v2/calls/extensive", data={"filter": "{}"})
    assert error(answer) == (415, "Unsupported Media Type")


@pytest.mark.parametrize("path", ["interaction", "activity/day-by-day"])
def test_statistics_reject_days_after_today(tenant: httpx.Client, path: str) -> None:
    body = {"filter": {"fromDate": "2026-03-10", "toDate": "2026-03-20"}}
    assert error(tenant.post(f"/v2/stats/{path}", json=body))[0] == 400


def test_a_burst_is_throttled_with_the_seconds_to_wait(new_tenant: Tenants) -> None:
    client = new_tenant(requests_per_second=0.01)
    answers = [client.get("/v2/users") for _ in range(3)]
    throttled = next(answer for answer in answers if answer.status_code == 429)
    assert int(throttled.headers["retry-after"]) >= 1
    assert error(throttled) == (429, "API request limit exceeded")


def test_an_exceeded_daily_quota_waits_until_the_end_of_the_day(new_tenant: Tenants) -> None:
    client = new_tenant(requests_per_day=2)
    assert [client.get("/v2/users").status_code for _ in range(3)] == [200, 200, 429]
    assert 0 < int(client.get("/v2/users").headers["retry-after"]) <= 86_400


def test_rejected_keys_do_not_count_against_the_quota(new_tenant: Tenants) -> None:
    client = new_tenant(requests_per_day=1)
    client.get("/v2/users", auth=("local", "guess"))
    assert client.get("/v2/users").status_code == 200
