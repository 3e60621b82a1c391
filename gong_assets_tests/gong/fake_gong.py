"""A Gong of a few lines, whose every answer a test can foresee: calls, transcripts and users in pages of 100.

It answers in the shapes of Gong's OpenAPI document and with the texts that Gong uses. How its answers travel
is said elsewhere: through real HTTP in `http_server.py`, through nothing at all in `virtual_time.py`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE_SIZE = 100
NO_CALLS = "No calls found corresponding to the provided filters"


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    body: dict[str, Any]
    headers: dict[str, str]
    at: float = 0.0

    @property
    def cursor(self) -> str | None:
        """Where Gong looks for it: in the body of a POST, in the query of a GET."""
        return (self.body if self.method == "POST" else self.query).get("cursor")


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def asked(method: str, target: str, headers: dict[str, str], body: bytes, at: float = 0.0) -> Asked:
    url = urlsplit(target)
    query = {key: values[0] for key, values in parse_qs(url.query).items()}
    return Asked(method, url.path, query, json.loads(body or b"{}"), headers, at)


def answer(status: int, document: Any, **headers: str) -> Answer:
    sent = {"Content-Type": "application/json;charset=UTF-8", **headers}
    return Answer(status, json.dumps(document).encode(), sent)


def refusal(status: int, *errors: str, **headers: str) -> Answer:
    return answer(status, {"requestId": "4al018gzaztcr8nbukw", "errors": list(errors)}, **headers)


def call(number: int, started: datetime, **meta: Any) -> dict[str, Any]:
    """A call with an id of 19 digits, and its time as Gong writes it: with the company's offset."""
    local = started.astimezone(UTC) - timedelta(hours=7)
    text = local.isoformat().replace("+00:00", "-07:00")
    return {
        "metaData": {"id": str(7_000_000_000_000_000_000 + number), "started": text, **meta},
        "parties": [],
    }


def started(document: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(document["metaData"]["started"]).astimezone(UTC)


def call_id(document: dict[str, Any]) -> str:
    return str(document["metaData"]["id"])


class FakeGong:
    """Holds the calls; `answer` what is asked. Every request is kept in `log`."""

    def __init__(self, calls: Iterable[dict[str, Any]] = ()) -> None:
        self.calls = list(calls)
        self.transcripts: dict[str, dict[str, Any]] = {}
        self.users: list[dict[str, Any]] = []
        self.log: list[Asked] = []
        self.totals_ahead = 0
        self.filter_time: Callable[[dict[str, Any]], datetime] = started
        self.sort_key: Callable[[dict[str, Any]], Any] = started
        self._listed: list[tuple[datetime, dict[str, Any]]] = []

    @property
    def ids(self) -> list[str]:
        return sorted(call_id(document) for document in self.calls)

    def answer(self, request: Asked) -> Answer:
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
                return refusal(404, "Not Found")

    def _extensive(self, request: Asked) -> Answer:
        return self._page(request, "calls", self._between(request.body["filter"]))

    def _listing(self, request: Asked) -> Answer:
        found = self._between(request.query)
        return self._page(request, "calls", [document["metaData"] for document in found])

    def _between(self, limits: dict[str, str]) -> list[dict[str, Any]]:
        first, end = (datetime.fromisoformat(limits[key]) for key in ("fromDateTime", "toDateTime"))
        assert first < end, "Gong answers 400 to that"
        if len(self._listed) != len(self.calls):
            in_order = sorted(self.calls, key=self.sort_key)
            self._listed = [(self.filter_time(document), document) for document in in_order]
        return [document for moment, document in self._listed if first <= moment < end]

    def _transcript(self, request: Asked) -> Answer:
        ids = request.body["filter"]["callIds"]
        found = [self.transcripts[each] for each in ids if each in self.transcripts]
        return self._page(request, "callTranscripts", found)

    def _page(self, request: Asked, key: str, found: list[dict[str, Any]]) -> Answer:
        if not found and key != "users":
            return refusal(404, NO_CALLS)
        offset = _read_cursor(request.cursor) if request.cursor else 0
        page = found[offset : offset + PAGE_SIZE]
        records: dict[str, Any] = {
            "totalRecords": len(found) + self.totals_ahead,
            "currentPageSize": len(page),
            "currentPageNumber": offset // PAGE_SIZE,
        }
        if offset + PAGE_SIZE < len(found):
            records["cursor"] = _cursor(offset + PAGE_SIZE)
        return answer(200, {"requestId": "4al018gzaztcr8nbukw", "records": records, key: page})


def _cursor(offset: int) -> str:
    return base64.b64encode(json.dumps({"pageNumber": offset // PAGE_SIZE}).encode()).decode()


def _read_cursor(cursor: str) -> int:
    return int(json.loads(base64.b64decode(cursor))["pageNumber"]) * PAGE_SIZE
