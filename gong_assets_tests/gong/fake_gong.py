"""Small fake of Gong's API with predictable responses: calls, transcripts and users in pages of 100.

It responds in the shapes of Gong's OpenAPI document, and with Gong's own error texts. `http_server.py` serves
it over real HTTP, `virtual_time.py` without a network.
"""

from __future__ import annotations

import base64
import json
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE_SIZE = 100
NO_CALLS = "No calls found corresponding to the provided filters"


@dataclass(frozen=True)
class GongRequest:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    body: dict[str, Any]
    headers: dict[str, str]
    at: float = 0.0

    @property
    def cursor(self) -> str | None:
        """The cursor, where Gong expects it: in the body of a POST, in the query string of a GET."""
        return (self.body if self.method == "POST" else self.query).get("cursor")


@dataclass(frozen=True)
class Response:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def parse_request(
    method: str, target: str, headers: dict[str, str], body: bytes, at: float = 0.0
) -> GongRequest:
    url = urlsplit(target)
    query = {key: values[0] for key, values in parse_qs(url.query).items()}
    return GongRequest(method, url.path, query, json.loads(body or b"{}"), headers, at)


def json_response(status: int, document: Any, **headers: str) -> Response:
    sent = {"Content-Type": "application/json;charset=UTF-8", **headers}
    return Response(status, json.dumps(document).encode(), sent)


def error_response(status: int, *errors: str, **headers: str) -> Response:
    return json_response(status, {"requestId": "4al018gzaztcr8nbukw", "errors": list(errors)}, **headers)


def call(number: int, started: datetime, **meta: Any) -> dict[str, Any]:
    """Return a call with an id of 19 digits, and its start with the company's offset, as Gong writes it."""
    local = started.astimezone(UTC) - timedelta(hours=7)
    text = local.isoformat().replace("+00:00", "-07:00")
    return {
        "metaData": {"id": str(7_000_000_000_000_000_000 + number), "started": text, **meta},
        "parties": [],
    }


def transcript(call_id: str) -> dict[str, Any]:
    """Return the transcript of a call."""
    sentences = [{"start": 460230, "end": 462343, "text": "No wait 🙂"}]
    return {"callId": call_id, "transcript": [{"speakerId": None, "topic": None, "sentences": sentences}]}


def started(document: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(document["metaData"]["started"]).astimezone(UTC)


def call_id(document: dict[str, Any]) -> str:
    return str(document["metaData"]["id"])


class FakeGong:
    """Returns its calls, transcripts and users. Every request is kept in `log`."""

    def __init__(self, calls: Iterable[dict[str, Any]] = ()) -> None:
        self.calls = list(calls)
        self.transcripts: dict[str, dict[str, Any]] = {}
        self.users: list[dict[str, Any]] = []
        self.log: list[GongRequest] = []
        self.totals_ahead = 0
        """How many more calls `totalRecords` reports than there are."""
        self.filter_time: Callable[[dict[str, Any]], datetime] = started
        self.sort_key: Callable[[dict[str, Any]], Any] = started
        self._sorted: list[tuple[datetime, int, dict[str, Any]]] = []

    @property
    def ids(self) -> list[str]:
        return sorted(call_id(document) for document in self.calls)

    def respond(self, request: GongRequest) -> Response:
        self.log.append(request)
        match request.path:
            case "/v2/calls/extensive":
                return self._extensive(request)
            case "/v2/calls":
                return self._listing(request)
            case "/v2/calls/transcript":
                return self._transcript(request)
            case "/v2/users":
                return self._page(request, "users", self.users)
            case _:
                return error_response(404, "Not Found")

    def _extensive(self, request: GongRequest) -> Response:
        return self._page(request, "calls", self._between(request.body["filter"]))

    def _listing(self, request: GongRequest) -> Response:
        found = self._between(request.query)
        return self._page(request, "calls", [document["metaData"] for document in found])

    def _between(self, limits: dict[str, str]) -> list[dict[str, Any]]:
        """Return the calls in the window, in the order of the list."""
        start, end = (datetime.fromisoformat(limits[key]) for key in ("fromDateTime", "toDateTime"))
        assert start < end, "Gong rejects an empty window with 400"
        if len(self._sorted) != len(self.calls):
            in_order = enumerate(sorted(self.calls, key=self.sort_key))
            by_time = ((self.filter_time(document), place, document) for place, document in in_order)
            self._sorted = sorted(by_time, key=lambda entry: entry[:2])
        first, last = (
            bisect_left(self._sorted, moment, key=lambda entry: entry[0]) for moment in (start, end)
        )
        found = sorted(self._sorted[first:last], key=lambda entry: entry[1])
        return [document for _, _, document in found]

    def _transcript(self, request: GongRequest) -> Response:
        ids = request.body["filter"]["callIds"]
        found = [self.transcripts[each] for each in ids if each in self.transcripts]
        return self._page(request, "callTranscripts", found)

    def _page(self, request: GongRequest, key: str, found: list[dict[str, Any]]) -> Response:
        if not found and key != "users":
            return error_response(404, NO_CALLS)
        offset = _read_cursor(request.cursor) if request.cursor else 0
        page = found[offset : offset + PAGE_SIZE]
        records: dict[str, Any] = {
            "totalRecords": len(found) + self.totals_ahead,
            "currentPageSize": len(page),
            "currentPageNumber": offset // PAGE_SIZE,
        }
        if offset + PAGE_SIZE < len(found):
            records["cursor"] = _cursor(offset + PAGE_SIZE)
        return json_response(200, {"requestId": "4al018gzaztcr8nbukw", "records": records, key: page})


def _cursor(offset: int) -> str:
    return base64.b64encode(json.dumps({"pageNumber": offset // PAGE_SIZE}).encode()).decode()


def _read_cursor(cursor: str) -> int:
    return int(json.loads(base64.b64decode(cursor))["pageNumber"]) * PAGE_SIZE
