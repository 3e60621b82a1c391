"""Requests and responses match the schemas of Gong's OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx
import jsonschema
import pytest

from gong_assets.local.gong_tenant.endpoints import ENDPOINTS, Endpoint
from gong_assets.local.gong_tenant.reference_data import LIST_ENDPOINTS, ListEndpoint
from gong_assets.local.gong_tenant.request_bodies import (
    CallsRequest,
    ContentSelector,
    ScorecardsRequest,
    StatsRequest,
    UsersRequest,
)
from gong_assets_tests.gong_schemas import SCHEMAS, SCOPES

from .conftest import EVERYTHING, window

FORMATS = jsonschema.FormatChecker(formats=())
WEEKS = window("2026-02-20", "2026-03-14")
DAYS = {"fromDate": "2026-03-02", "toDate": "2026-03-09"}


@FORMATS.checks("date-time", raises=ValueError)
def _is_zoned(value: object) -> bool:
    return value is None or datetime.fromisoformat(str(value)).tzinfo is not None


def check(part: str, endpoint: str, value: Any) -> None:
    schema = {**SCHEMAS[part][endpoint], "$defs": SCHEMAS["$defs"]}
    jsonschema.Draft202012Validator(schema, format_checker=FORMATS).validate(value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        ("POST /v2/calls/extensive", {"filter": WEEKS, "contentSelector": EVERYTHING}),
        ("POST /v2/calls/transcript", {"filter": WEEKS}),
        ("POST /v2/users/extensive", {"filter": {}}),
        (
            "POST /v2/stats/activity/scorecards",
            {"filter": {"callFromDate": "2026-03-01", "reviewMethod": "BOTH"}},
        ),
        ("POST /v2/stats/interaction", {"filter": DAYS}),
        ("POST /v2/stats/activity/day-by-day", {"filter": DAYS}),
    ],
)
def test_posted_requests_and_responses_match_the_schemas(
    tenant: httpx.Client, endpoint: str, body: dict[str, Any]
) -> None:
    if endpoint in SCHEMAS["requests"]:
        check("requests", endpoint, body)
    answer = tenant.post(endpoint.removeprefix("POST "), json=body)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    check("responses", endpoint, answer.json())
    assert answer.headers["x-traceid"] == answer.json()["requestId"]


@pytest.mark.parametrize(
    ("endpoint", "query"),
    [
        ("GET /v2/calls", WEEKS),
        *((f"GET {plain.path}", {}) for plain in LIST_ENDPOINTS),
    ],
)
def test_lists_match_the_schemas(tenant: httpx.Client, endpoint: str, query: dict[str, str]) -> None:
    answer = tenant.get(endpoint.removeprefix("GET "), params=query)
    assert answer.status_code == 200
    check("responses", endpoint, answer.json())
    items = next(value for value in answer.json().values() if isinstance(value, list))
    assert items


@pytest.mark.parametrize("endpoint", [*ENDPOINTS, *LIST_ENDPOINTS], ids=lambda endpoint: endpoint.path)
def test_an_endpoint_requires_the_documented_scope(endpoint: Endpoint | ListEndpoint) -> None:
    method = endpoint.method if isinstance(endpoint, Endpoint) else "GET"
    assert endpoint.scope == SCOPES[f"{method} {endpoint.path}"]


def test_a_single_call_has_the_same_fields_as_in_the_list(tenant: httpx.Client) -> None:
    listed = tenant.get("/v2/calls", params=WEEKS).json()["calls"][0]
    answer = tenant.get(f"/v2/calls/{listed['id']}").json()
    check("responses", "GET /v2/calls/{id}", answer)
    assert answer["call"] == listed


def test_a_library_folder_has_two_snippets_of_one_call(tenant: httpx.Client) -> None:
    folder = tenant.get("/v2/library/folders").json()["folders"][0]
    answer = tenant.get("/v2/library/folder-content", params={"folderId": folder["id"]}).json()
    check("responses", "GET /v2/library/folder-content", answer)
    ids = [each["id"] for each in answer["calls"]]
    twice = max(ids, key=ids.count)
    first, second = (each for each in answer["calls"] if each["id"] == twice)
    assert first["snippet"] != second["snippet"]


def test_errors_match_the_schema(tenant: httpx.Client) -> None:
    answer = tenant.get("/v2/calls/1")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["x-traceid"] == answer.json()["requestId"]
    schema = {**SCHEMAS["$defs"]["ErrorResponse"], "$defs": SCHEMAS["$defs"]}
    jsonschema.validate(answer.json(), schema)


def test_the_content_selector_has_all_documented_fields() -> None:
    model = ContentSelector.model_json_schema()
    documented = SCHEMAS["$defs"]
    for ours, theirs in {
        "ExposedFields": "ExposedFields",
        "Content": "CallContent",
        "Interaction": "CallInteraction",
        "Collaboration": "CallCollaboration",
    }.items():
        assert model["$defs"][ours]["properties"].keys() == documented[theirs]["properties"].keys()
    assert model["properties"].keys() == documented["ContentSelector"]["properties"].keys()


@pytest.mark.parametrize(
    ("model", "filter_name", "ignored"),
    [
        (CallsRequest, "CallsRequestFilterWithOwners", set()),
        (UsersRequest, "MultipleUsersRequestWithCreationDates", {"includeAvatars"}),
        (ScorecardsRequest, "AnsweredScorecardsFilter", set()),
        (StatsRequest, "MultipleUsersWithDates", {"createdFromDateTime", "createdToDateTime"}),
    ],
)
def test_filters_have_all_documented_fields(model: Any, filter_name: str, ignored: set[str]) -> None:
    ours = model.model_fields["filter"].annotation.model_json_schema()["properties"].keys()
    assert ours | ignored == SCHEMAS["$defs"][filter_name]["properties"].keys()
