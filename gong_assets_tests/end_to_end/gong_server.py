"""A test server with the rules of Gong's API, over real HTTP, for the records that a test gives it.

It shares no code with the simulated tenant or the client, so that it reveals errors that both of them have.
It behaves as described in Gong's OpenAPI document and https://help.gong.io/apidocs/introduction-2, and as
observed where these say nothing. What is not known is invented: the texts of 400s, and a 404 if a filter
matches nothing. There is no rate limit, and cursors do not expire. The records are in `company_gong.py`,
`odd_records.py` and `openapi_examples.py`.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import chain
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gong_assets_tests.end_to_end.gong_faults import Fault, fault_response
from gong_assets_tests.end_to_end.gong_records import (
    ACTIVITIES,
    Record,
    StoredCall,
    StoredFolder,
    averages,
    by_user,
    days_of,
    is_one_of,
    listed_time,
    selected,
    time_of,
)
from gong_assets_tests.gong_schemas import SCOPES, record_list
from gong_assets_tests.serving import serving

PAGE_SIZE = 100


@dataclass(frozen=True)
class LoggedRequest:
    """A request, and the status of its response."""

    method: str
    path: str
    body: Record
    status: int
    query: dict[str, str] = field(default_factory=dict)
    at: float = 0.0
    """Arrival time, in seconds of the monotonic clock."""


@dataclass
class Gong:
    """One company's Gong. Tests may change its records while it is served.

    Attributes:
        lists: records of plain lists by path, such as /v2/workspaces.
        interaction_stats: records of /v2/stats/interaction by day, one per user. A request for several days
            returns the averages of each user.
        activity: records of /v2/stats/activity/day-by-day by day, one per user, each with this one day.
        time_zone: time zone of the company, which determines its days.
        faults: what the next requests get; None is an answer.
    """

    calls: list[StoredCall] = field(default_factory=list)
    transcripts: list[Record] = field(default_factory=list)
    users: list[Record] = field(default_factory=list)
    lists: dict[str, list[Record]] = field(default_factory=dict)
    answered_scorecards: list[Record] = field(default_factory=list)
    folders: list[StoredFolder] = field(default_factory=list)
    interaction_stats: dict[date, list[Record]] = field(default_factory=dict)
    activity: dict[date, list[Record]] = field(default_factory=dict)
    time_zone: str = "America/Los_Angeles"
    missing_scopes: set[str] = field(default_factory=set)
    broken_paths: set[str] = field(default_factory=set)
    faults: deque[Fault | None] = field(default_factory=deque)
    access_key: str = "TESTKEY"
    access_key_secret: str = "test-secret"
    # Number of records that each page repeats from the previous one. Gong pages by offset, so a call that
    # arrives between two requests shifts the others.
    overlap: int = 0
    base_url: str = ""
    log: list[LoggedRequest] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """Settings to read from this server, without a rate limit."""
        return {
            "GONG_BASE_URL": self.base_url,
            "GONG_ACCESS_KEY": self.access_key,
            "GONG_ACCESS_KEY_SECRET": self.access_key_secret,
            "GONG_MAX_REQUESTS_PER_SECOND": "0",
        }

    @contextmanager
    def served(self) -> Iterator[Gong]:
        """Serve on a free port of 127.0.0.1 until the block ends."""
        routes = [Route("/{path:path}", self._answer, methods=["GET", "POST"])]
        with serving(Starlette(routes=routes)) as self.base_url:
            yield self

    async def _answer(self, request: Request) -> Response:
        at = monotonic()
        body = json.loads(await request.body() or b"{}")
        fault = self.faults.popleft() if self.faults else None
        response = fault_response(fault) if fault else self._refused(request) or self._listed(request, body)
        query = dict(request.query_params)
        self.log.append(
            LoggedRequest(request.method, request.url.path, body, response.status_code, query, at)
        )
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
        if request.url.path in self.broken_paths:
            return _refusal(404, "This endpoint does not exist")
        scope = SCOPES.get(f"{request.method} {request.url.path}")
        if scope in self.missing_scopes:
            return _refusal(401, f"You don't have permission to use '{scope}' in your app.")
        return None

    def _listed(self, request: Request, body: Record) -> Response:
        query = request.query_params
        match request.method, request.url.path:
            case "GET", "/v2/calls":
                return self._basic(query)
            case "POST", "/v2/calls/extensive":
                return self._extensive(body)
            case "POST", "/v2/calls/transcript":
                return self._transcript(body)
            case "GET", "/v2/users":
                users = [user for user in self.users if "includeAvatars" in query or not user.get("avatar")]
                shown = [{key: value for key, value in user.items() if key != "avatar"} for user in users]
                return self._page("users", shown, query.get("cursor"))
            case "POST", "/v2/stats/activity/scorecards":
                return self._answered_scorecards(body)
            case "POST", "/v2/stats/interaction":
                return self._refused_days(body) or self._interaction_stats(body)
            case "POST", "/v2/stats/activity/day-by-day":
                return self._refused_days(body) or self._activity(body)
            case "GET", "/v2/library/folders":
                return self._folders(query.get("workspaceId"))
            case "GET", "/v2/library/folder-content":
                return self._folder_content(query.get("folderId"))
            case "GET", path if f"GET {path}" in SCOPES:
                return self._plain_list(path, query.get("workspaceId"))
        return _refusal(404, "Not Found")

    def _basic(self, query: Mapping[str, str]) -> Response:
        first, end = (time_of(query.get(key)) for key in ("fromDateTime", "toDateTime"))
        if first and end and first >= end:
            return _refusal(400, "fromDateTime: must be before toDateTime")
        found = [
            call.document.get("metaData")
            for call in sorted(self.calls, key=listed_time)
            if (not first or first <= listed_time(call)) and (not end or listed_time(call) < end)
        ]
        if not found:
            return _refusal(404, _nothing_found("calls"))
        return self._page("calls", found, query.get("cursor"))

    def _extensive(self, body: Record) -> Response:
        limits = body["filter"]
        first, end = (time_of(limits.get(key)) for key in ("fromDateTime", "toDateTime"))
        if first and end and first >= end:
            return _refusal(400, "filter.fromDateTime: must be before toDateTime")
        found = [
            call for call in self.calls if (not first or first <= call.time) and (not end or call.time < end)
        ]
        if (wanted := limits.get("callIds")) is not None:
            found = [call for call in found if call.id in wanted]
        if not found:
            return _refusal(404, _nothing_found("calls"))
        found.sort(key=lambda call: call.time)
        selector = body.get("contentSelector") or {}
        return self._page("calls", [selected(call.document, selector) for call in found], body.get("cursor"))

    def _transcript(self, body: Record) -> Response:
        ids = body["filter"].get("callIds")
        if not ids:
            return _refusal(400, "filter.callIds: must not be empty")
        found = [transcript for transcript in self.transcripts if str(transcript["callId"]) in ids]
        if not found:
            return _refusal(404, _nothing_found("calls"))
        return self._page("callTranscripts", found, body.get("cursor"))

    def _plain_list(self, path: str, workspace_id: str | None) -> Response:
        key, _ = record_list(f"GET {path}")
        records = self.lists.get(path, [])
        found = [record for record in records if workspace_id in (None, str(record.get("workspaceId")))]
        if workspace_id and not found:
            return _refusal(404, _nothing_found(key))
        return _response(200, {key: found})

    def _answered_scorecards(self, body: Record) -> Response:
        """Include reviews by Gong's AI only if the request names their method."""
        limits = body["filter"]
        method = limits.get("reviewMethod") or "MANUAL"
        found = [
            card
            for card in self.answered_scorecards
            if method in ("BOTH", card.get("reviewMethod"))
            and self._is_within(card.get("reviewTime"), limits, "reviewFromDate", "reviewToDate")
            and self._is_within(card.get("callStartTime"), limits, "callFromDate", "callToDate")
            and is_one_of(card.get("reviewedUserId"), limits.get("reviewedUserIds"))
            and is_one_of(card.get("scorecardId"), limits.get("scorecardIds"))
        ]
        if not found:
            return _refusal(404, _nothing_found("answered scorecards") + ".")
        return self._page("answeredScorecards", found, body.get("cursor"))

    def _is_within(self, moment: Any, limits: Record, first: str, end: str) -> bool:
        """Return True if the time is on one of the company's days from the first to the end (exclusive).

        Gong knows the time even if the record does not contain it, so such a record matches any days.
        """
        try:
            day = datetime.fromisoformat(moment).astimezone(ZoneInfo(self.time_zone)).date().isoformat()
        except (TypeError, ValueError):
            return True
        return (limits.get(first) or day) <= day and (not limits.get(end) or day < limits[end])

    def _refused_days(self, body: Record) -> Response | None:
        limits = body["filter"]
        if not limits.get("fromDate") or not limits.get("toDate"):
            return _refusal(400, "filter.fromDate, filter.toDate: must not be null")
        if limits["fromDate"] >= limits["toDate"]:
            return _refusal(400, "filter.fromDate: must be before toDate")
        if limits["toDate"] > datetime.now(ZoneInfo(self.time_zone)).date().isoformat():
            return _refusal(400, "filter.toDate: must not be after today")
        return None

    def _interaction_stats(self, body: Record) -> Response:
        days = days_of(body)
        users = by_user(self.interaction_stats, days, body)
        found = [averages(list(records.values())) for records in users.values()]
        if not found:
            return _refusal(404, _nothing_found("users"))
        return self._page(
            "peopleInteractionStats",
            found,
            body.get("cursor"),
            fromDateTime=self._midnight(days[0]),
            toDateTime=self._midnight(days[-1] + timedelta(days=1)),
            timeZone=self.time_zone,
        )

    def _activity(self, body: Record) -> Response:
        """Return the users with any activity, each with all requested days."""
        days = days_of(body)
        found = []
        for records in by_user(self.activity, days, body).values():
            first = next(iter(records.values()))
            stats = [
                records[day]["userDailyActivityStats"] if day in records else [self._idle_day(day)]
                for day in days
            ]
            found.append({**first, "userDailyActivityStats": list(chain(*stats))})
        if not found:
            return _refusal(404, _nothing_found("users"))
        return self._page("usersDetailedActivities", found, body.get("cursor"))

    def _idle_day(self, day: date) -> Record:
        return {
            "fromDate": self._midnight(day),
            "toDate": self._midnight(day + timedelta(days=1)),
            **{activity: [] for activity in ACTIVITIES},
        }

    def _midnight(self, day: date) -> str:
        return datetime.combine(day, time(), ZoneInfo(self.time_zone)).isoformat()

    def _folders(self, workspace_id: str | None) -> Response:
        found = [folder.document for folder in self.folders if workspace_id in (None, folder.workspace_id)]
        if workspace_id and not found:
            return _refusal(404, _nothing_found("folders"))
        return _response(200, {"folders": found})

    def _folder_content(self, folder_id: str | None) -> Response:
        if not folder_id:
            return _refusal(400, "folderId: must not be null")
        for folder in self.folders:
            if str(folder.document.get("id")) == folder_id:
                shown = {key: value for key, value in folder.document.items() if key != "parentFolderId"}
                return _response(200, {**shown, "calls": folder.calls})
        return _refusal(404, _nothing_found("folders"))

    def _page(self, key: str, found: list[Any], cursor: str | None, **more: Any) -> Response:
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
        return _response(200, {"records": records, key: found[begin:end], **more})


def _nothing_found(noun: str) -> str:
    return f"No {noun} found corresponding to the provided filters"


def _refusal(status: int, error: str) -> Response:
    return _response(status, {"errors": [error]})


def _response(status: int, document: Record) -> Response:
    request_id = secrets.token_hex(9)
    return JSONResponse({"requestId": request_id, **document}, status, headers={"X-TraceId": request_id})
