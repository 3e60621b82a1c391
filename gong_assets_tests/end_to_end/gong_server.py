"""A Gong to test against: real HTTP, and the rules of Gong's API, over whatever records a test gives it.

It shares no line with the simulated tenant nor with the client, so that what those two get wrong in the same way shows here.
Gong's behaviour is that of its OpenAPI document and https://help.gong.io/apidocs/introduction-2; where that is silent, of what
Gong was seen to answer. It is a simulation: no limit on requests, and a cursor never expires. What the records are is in
`company.py`.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gong_assets_tests.serving import serving

Record = dict[str, Any]

PAGE_SIZE = 100
NO_CALLS = "No calls found corresponding to the provided filters"

# The blocks of a call with the parts that a contentSelector names, and what a part is called in the answer where that differs.
BLOCKS = {
    "content": (
        *(
            "structure",
            "topics",
            "trackers",
            "trackerOccurrences",
            "pointsOfInterest",
            "brief",
            "outline",
            "highlights",
        ),
        *("callOutcome", "keyPoints"),
    ),
    "interaction": ("speakers", "video", "personInteractionStats", "questions"),
    "collaboration": ("publicComments",),
}
ANSWERED_AS = {"personInteractionStats": "interactionStats"}


@dataclass(frozen=True)
class HeldCall:
    """A call that Gong has, and the time by which it is filtered and sorted."""

    document: Record
    time: datetime

    @property
    def id(self) -> str | None:
        meta = self.document.get("metaData")
        return str(meta["id"]) if isinstance(meta, dict) and "id" in meta else None


def held(document: Record) -> HeldCall:
    return HeldCall(document, datetime.fromisoformat(document["metaData"]["started"]).astimezone(UTC))


@dataclass(frozen=True)
class Asked:
    """One request as it arrived, and the status that it was answered with."""

    method: str
    path: str
    body: Record
    status: int


@dataclass
class Gong:
    """One company's Gong. A test may change its records while it is served."""

    calls: list[HeldCall] = field(default_factory=list)
    transcripts: list[Record] = field(default_factory=list)
    users: list[Record] = field(default_factory=list)
    missing_scopes: set[str] = field(default_factory=set)
    access_key: str = "TESTKEY"
    access_key_secret: str = "test-secret"
    # Records at the start of a page that the page before had too: Gong pages by offset, and a call that arrives while one
    # walks over them moves the others on.
    overlap: int = 0
    base_url: str = ""
    log: list[Asked] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """The settings with which this Gong is read, as fast as it answers."""
        return {
            "GONG_BASE_URL": self.base_url,
            "GONG_ACCESS_KEY": self.access_key,
            "GONG_ACCESS_KEY_SECRET": self.access_key_secret,
            "GONG_MAX_REQUESTS_PER_SECOND": "0",
        }

    @contextmanager
    def served(self) -> Iterator[Gong]:
        """On a free port of 127.0.0.1 while the block runs."""
        routes = [Route("/{path:path}", self._answer, methods=["GET", "POST"])]
        with serving(Starlette(routes=routes)) as self.base_url:
            yield self

    async def _answer(self, request: Request) -> Response:
        body = json.loads(await request.body() or b"{}")
        response = self._refused(request) or self._listed(request, body)
        self.log.append(Asked(request.method, request.url.path, body, response.status_code))
        return response

    def _refused(self, request: Request) -> Response | None:
        given = request.headers.get("Authorization")
        if given is None:
            return _refusal(401, 'Missing mandatory header "Authorization"')
        if (
            given
            != "Basic " + base64.b64encode(f"{self.access_key}:{self.access_key_secret}".encode()).decode()
        ):
            return _refusal(401, "Validate credentials failed")
        scope = {
            "/v2/calls/extensive": "api:calls:read:extensive",
            "/v2/calls/transcript": "api:calls:read:transcript",
            "/v2/users": "api:users:read",
        }.get(request.url.path)
        if scope in self.missing_scopes:
            return _refusal(401, f"You don't have permission to use '{scope}' in your app.")
        return None

    def _listed(self, request: Request, body: Record) -> Response:
        match request.method, request.url.path:
            case "POST", "/v2/calls/extensive":
                return self._extensive(body)
            case "POST", "/v2/calls/transcript":
                return self._transcript(body)
            case "GET", "/v2/users":
                users = [
                    user
                    for user in self.users
                    if "includeAvatars" in request.query_params or not user.get("avatar")
                ]
                shown = [{key: value for key, value in user.items() if key != "avatar"} for user in users]
                return self._page("users", shown, request.query_params.get("cursor"))
        return _refusal(404, "Not Found")

    def _extensive(self, body: Record) -> Response:
        limits = body["filter"]
        first, end = (_time(limits.get(key)) for key in ("fromDateTime", "toDateTime"))
        if first and end and first >= end:
            return _refusal(400, "filter.fromDateTime: must be before toDateTime")
        found = [
            call for call in self.calls if (not first or first <= call.time) and (not end or call.time < end)
        ]
        if not found:
            return _refusal(404, NO_CALLS)
        found.sort(key=lambda call: call.time)
        selector = body.get("contentSelector") or {}
        return self._page("calls", [selected(call.document, selector) for call in found], body.get("cursor"))

    def _transcript(self, body: Record) -> Response:
        ids = body["filter"].get("callIds")
        if not ids:
            return _refusal(400, "filter.callIds: must not be empty")
        found = [transcript for transcript in self.transcripts if str(transcript["callId"]) in ids]
        return self._page("callTranscripts", found, body.get("cursor")) if found else _refusal(404, NO_CALLS)

    def _page(self, key: str, found: list[Record], cursor: str | None) -> Response:
        begin = json.loads(base64.b64decode(cursor))["offset"] if cursor else 0
        end = begin + PAGE_SIZE
        records = {
            "totalRecords": len(found),
            "currentPageSize": len(found[begin:end]),
            "currentPageNumber": begin // (PAGE_SIZE - self.overlap),
        }
        if end < len(found):
            rest = json.dumps({"offset": end - self.overlap})
            records["cursor"] = base64.b64encode(rest.encode()).decode()
        return _response(200, {"records": records, key: found[begin:end]})


def selected(call: Record, selector: Record) -> Record:
    """A call without what its contentSelector does not ask for. What Gong knows by a new name is there unasked."""
    exposed = selector.get("exposedFields") or {}
    shown = dict(call)
    if selector.get("context", "None") == "None":
        shown.pop("context", None)
    elif "context" in call:
        shown["context"] = _of_timings(call["context"], selector.get("contextTiming") or ["Now"])
    if not exposed.get("parties"):
        shown.pop("parties", None)
    for block, parts in BLOCKS.items():
        asked = exposed.get(block) or {}
        left_out = {ANSWERED_AS.get(part, part) for part in parts if not asked.get(part)}
        if isinstance(block_of_call := call.get(block), dict):
            shown[block] = {name: part for name, part in block_of_call.items() if name not in left_out}
        if not any(asked.values()):
            shown.pop(block, None)
    if exposed.get("media"):
        shown["media"] = {"audioUrl": f"https://media.example/{secrets.token_hex(8)}"}
    return shown


def _of_timings(context: Any, timings: list[str]) -> Any:
    if not isinstance(context, list):
        return context
    return [
        {
            **crm,
            "objects": [
                each for each in crm.get("objects") or [] if (each.get("timing") or "Now") in timings
            ],
        }
        for crm in context
    ]


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _refusal(status: int, error: str) -> Response:
    return _response(status, {"errors": [error]})


def _response(status: int, document: Record) -> Response:
    request_id = secrets.token_hex(9)
    return JSONResponse({"requestId": request_id, **document}, status, headers={"X-TraceId": request_id})
