"""Gong's list endpoints: path, the key that holds the records, how a record is parsed, and the scope."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from gong_assets.gong.records import (
    Record,
    id_reader,
    read_answered_scorecard,
    read_call,
    read_listed_call,
    read_transcript,
    read_user,
)

# Every field but `media`: its links need a scope of their own, are secrets for eight hours, and differ in
# every response. Gong silently leaves out what an account does not have.
CONTENT_SELECTOR: Mapping[str, Any] = {
    "context": "Extended",
    "contextTiming": ["Now", "TimeOfCall"],
    "exposedFields": {
        "parties": True,
        "content": {
            "structure": True,
            "topics": True,
            "trackers": True,
            "trackerOccurrences": True,
            "pointsOfInterest": True,
            "brief": True,
            "outline": True,
            "highlights": True,
            "callOutcome": True,
            "keyPoints": True,
        },
        "interaction": {"speakers": True, "video": True, "personInteractionStats": True, "questions": True},
        "collaboration": {"publicComments": True},
    },
}


@dataclass(frozen=True)
class Query:
    """A request: `content` goes into the body of a POST, or into the query string of a GET."""

    method: str
    path: str
    content: Mapping[str, Any]

    def at(self, cursor: str | None) -> Query:
        """Return the same request for the page at `cursor`.

        A POST carries the cursor at the top level of its body: Gong ignores one in the query string and
        returns the first page again.
        """
        return self if cursor is None else Query(self.method, self.path, {**self.content, "cursor": cursor})


class Envelope(Protocol):
    """A response's body. `items` has another name in each list."""

    records: dict[str, Any] | None
    items: list[msgspec.Raw]


class Endpoint:
    """A list endpoint of Gong's API."""

    def __init__(
        self, method: str, path: str, list_key: str, parse: Callable[[bytes], Record], scope: str
    ) -> None:
        self.method = method
        self.path = path
        self.parse = parse
        self.scope = scope
        fields: list[tuple[str, Any] | tuple[str, Any, Any]] = [
            ("items", list[msgspec.Raw]),
            ("records", dict[str, Any] | None, None),
        ]
        envelope = msgspec.defstruct("Envelope", fields, rename={"items": list_key})
        self.decoder: msgspec.json.Decoder[Envelope] = msgspec.json.Decoder(envelope)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def query(self, content: Mapping[str, Any]) -> Query:
        """Return the request for the first page."""
        return Query(self.method, self.path, content)


def list_endpoint(path: str, *, list_key: str, id_key: str, scope: str) -> Endpoint:
    """Return a plain list: a GET request for records with an ID."""
    return Endpoint("GET", path, list_key, id_reader(id_key), scope)


# Scopes as named in Gong's OpenAPI document.
CALLS = Endpoint("POST", "/v2/calls/extensive", "calls", read_call, "api:calls:read:extensive")
LISTED_CALLS = Endpoint("GET", "/v2/calls", "calls", read_listed_call, "api:calls:read:basic")
TRANSCRIPTS = Endpoint(
    "POST", "/v2/calls/transcript", "callTranscripts", read_transcript, "api:calls:read:transcript"
)
USERS = Endpoint("GET", "/v2/users", "users", read_user, "api:users:read")
FOLDERS = Endpoint("GET", "/v2/library/folders", "folders", id_reader("id"), "api:library:read")
FOLDER_CONTENT = Endpoint("GET", "/v2/library/folder-content", "calls", id_reader("id"), "api:library:read")
ANSWERED_SCORECARDS = Endpoint(
    "POST",
    "/v2/stats/activity/scorecards",
    "answeredScorecards",
    read_answered_scorecard,
    "api:stats:scorecards",
)
INTERACTION_STATS = Endpoint(
    "POST", "/v2/stats/interaction", "peopleInteractionStats", id_reader("userId"), "api:stats:interaction"
)
USER_ACTIVITY = Endpoint(
    "POST",
    "/v2/stats/activity/day-by-day",
    "usersDetailedActivities",
    id_reader("userId"),
    "api:stats:user-actions:detailed",
)
