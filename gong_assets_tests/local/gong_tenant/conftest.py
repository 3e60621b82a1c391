"""A simulated tenant behind a real HTTP server, with a stopped clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from gong_assets.local.gong_tenant.app import TenantOptions, create_app
from gong_assets_tests.serving import serving

# A Saturday, six days after the clock change in Los Angeles, so that the weeks before have both offsets.
NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)

EVERYTHING: dict[str, Any] = {
    "context": "Extended",
    "contextTiming": ["Now", "TimeOfCall"],
    "exposedFields": {
        "parties": True,
        "content": dict.fromkeys(
            (
                "structure",
                "topics",
                "trackers",
                "trackerOccurrences",
                "pointsOfInterest",
                "brief",
                "outline",
                "highlights",
                "callOutcome",
                "keyPoints",
            ),
            True,
        ),
        "interaction": dict.fromkeys(("speakers", "video", "personInteractionStats", "questions"), True),
        "collaboration": {"publicComments": True},
        "media": True,
    },
}


@contextmanager
def serve(**options: Any) -> Iterator[httpx.Client]:
    """Yield a client of a new tenant, by default without rate limits and at NOW."""
    defaults: dict[str, Any] = {"now": NOW, "requests_per_second": 0, "requests_per_day": 0}
    app = create_app(TenantOptions(**(defaults | options)))
    with serving(app) as url, httpx.Client(base_url=url, auth=("local", "local"), timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def tenant() -> Iterator[httpx.Client]:
    """A client of a tenant that tests do not modify."""
    with serve() as client:
        yield client


@pytest.fixture
def new_tenant() -> Iterator[Callable[..., httpx.Client]]:
    """A function that returns a client of a new tenant."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(serve(**options))


def window(start: str, end: str) -> dict[str, str]:
    return {"fromDateTime": f"{start}T00:00:00Z", "toDateTime": f"{end}T00:00:00Z"}


def extensive(
    client: httpx.Client, filter: dict[str, Any], selector: Any = EVERYTHING
) -> list[dict[str, Any]]:
    """Return the calls of all pages."""
    return all_pages(client, "/v2/calls/extensive", {"filter": filter, "contentSelector": selector}, "calls")


def transcripts(client: httpx.Client, filter: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return monologues by call id."""
    found = all_pages(client, "/v2/calls/transcript", {"filter": filter}, "callTranscripts")
    return {item["callId"]: item["transcript"] for item in found}


def all_pages(client: httpx.Client, path: str, body: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        answer = client.post(path, json=body if cursor is None else {**body, "cursor": cursor})
        answer.raise_for_status()
        found += answer.json()[key]
        cursor = answer.json()["records"].get("cursor")
        if cursor is None:
            return found
