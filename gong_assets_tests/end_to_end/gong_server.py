"""A Gong to test against: real HTTP, and the rules of Gong's API, over whatever records a test gives it.

It shares no line with the simulated tenant nor with the client, so that what those two get wrong in the same way shows here.
Gong's behaviour is that of its OpenAPI document and https://help.gong.io/apidocs/introduction-2; where that is silent, of what
Gong was seen to answer; where nobody has written that down, a filter that finds nothing is a 404 and the texts of 400s are made
up. It is a simulation: no limit on requests, and a cursor never expires. What the records are is in `company.py`.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from statistics import mean
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gong_assets_tests.serving import serving

Record = dict[str, Any]

PAGE_SIZE = 100

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

SCOPES = {
    "/v2/calls": "api:calls:read:basic",
    "/v2/calls/extensive": "api:calls:read:extensive",
    "/v2/calls/transcript": "api:calls:read:transcript",
    "/v2/users": "api:users:read",
    "/v2/workspaces": "api:workspaces:read",
    "/v2/settings/trackers": "api:settings:trackers:read",
    "/v2/settings/scorecards": "api:settings:scorecards:read",
    "/v2/stats/activity/scorecards": "api:stats:scorecards",
    "/v2/stats/interaction": "api:stats:interaction",
    "/v2/stats/activity/day-by-day": "api:stats:user-actions:detailed",
    "/v2/library/folders": "api:library:read",
    "/v2/library/folder-content": "api:library:read",
}

# What the days of /v2/stats/activity/day-by-day list calls by.
ACTIVITIES = (
    *("callsAsHost", "callsAttended", "callsGaveFeedback", "callsRequestedFeedback", "callsReceivedFeedback"),
    *("ownCallsListenedTo", "othersCallsListenedTo", "callsSharedInternally", "callsSharedExternally"),
    *("callsScorecardsFilled", "callsScorecardsReceived", "callsCommentsGiven", "callsCommentsReceived"),
    *("callsMarkedAsFeedbackGiven", "callsMarkedAsFeedbackReceived"),
)


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
class HeldFolder:
    """A folder of the library as /v2/library/folders lists it, and the calls in it."""

    document: Record
    calls: list[Record] = field(default_factory=list)
    workspace_id: str | None = None


@dataclass(frozen=True)
class Asked:
    """One request as it arrived, and the status that it was answered with."""

    method: str
    path: str
    body: Record
    status: int
    query: dict[str, str] = field(default_factory=dict)
    at: float = 0.0
    """When it arrived, in seconds of the monotonic clock."""


@dataclass
class Gong:
    """One company's Gong. A test may change its records while it is served.

    Attributes:
        interaction_stats: what /v2/stats/interaction says of each day of the company's, by user. Asked for several days it
            gives each user's averages.
        activity: what /v2/stats/activity/day-by-day says of each day, by user, with this one day in each record.
        time_zone: the company's, in which it counts its days.
    """

    calls: list[HeldCall] = field(default_factory=list)
    transcripts: list[Record] = field(default_factory=list)
    users: list[Record] = field(default_factory=list)
    workspaces: list[Record] = field(default_factory=list)
    trackers: list[Record] = field(default_factory=list)
    scorecards: list[Record] = field(default_factory=list)
    answered_scorecards: list[Record] = field(default_factory=list)
    folders: list[HeldFolder] = field(default_factory=list)
    interaction_stats: dict[date, list[Record]] = field(default_factory=dict)
    activity: dict[date, list[Record]] = field(default_factory=dict)
    time_zone: str = "America/Los_Angeles"
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
        at = monotonic()
        body = json.loads(await request.body() or b"{}")
        response = self._refused(request) or self._listed(request, body)
        query = dict(request.query_params)
        self.log.append(Asked(request.method, request.url.path, body, response.status_code, query, at))
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
        scope = SCOPES.get(request.url.path)
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
            case "GET", "/v2/workspaces":
                return _response(200, {"workspaces": self.workspaces})
            case "GET", "/v2/settings/trackers":
                return self._trackers(query.get("workspaceId"))
            case "GET", "/v2/settings/scorecards":
                return _response(200, {"scorecards": self.scorecards})
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
        return _refusal(404, "Not Found")

    def _basic(self, query: Mapping[str, str]) -> Response:
        first, end = (_time(query.get(key)) for key in ("fromDateTime", "toDateTime"))
        if first and end and first >= end:
            return _refusal(400, "fromDateTime: must be before toDateTime")
        found = [
            call.document.get("metaData")
            for call in sorted(self.calls, key=_listed_time)
            if (not first or first <= _listed_time(call)) and (not end or _listed_time(call) < end)
        ]
        if not found:
            return _refusal(404, _nothing_found("calls"))
        return self._page("calls", found, query.get("cursor"))

    def _extensive(self, body: Record) -> Response:
        limits = body["filter"]
        first, end = (_time(limits.get(key)) for key in ("fromDateTime", "toDateTime"))
        if first and end and first >= end:
            return _refusal(400, "filter.fromDateTime: must be before toDateTime")
        found = [
            call for call in self.calls if (not first or first <= call.time) and (not end or call.time < end)
        ]
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

    def _trackers(self, workspace_id: str | None) -> Response:
        found = [
            tracker for tracker in self.trackers if workspace_id in (None, str(tracker.get("workspaceId")))
        ]
        if workspace_id and not found:
            return _refusal(404, _nothing_found("trackers"))
        return _response(200, {"keywordTrackers": found})

    def _answered_scorecards(self, body: Record) -> Response:
        """Reviews by Gong's AI only if they are asked for by their method."""
        limits = body["filter"]
        method = limits.get("reviewMethod") or "MANUAL"
        found = [
            card
            for card in self.answered_scorecards
            if method in ("BOTH", card.get("reviewMethod"))
            and self._is_within(card.get("reviewTime"), limits, "reviewFromDate", "reviewToDate")
            and self._is_within(card.get("callStartTime"), limits, "callFromDate", "callToDate")
            and _is_one_of(card.get("reviewedUserId"), limits.get("reviewedUserIds"))
            and _is_one_of(card.get("scorecardId"), limits.get("scorecardIds"))
        ]
        if not found:
            return _refusal(404, _nothing_found("answered scorecards") + ".")
        return self._page("answeredScorecards", found, body.get("cursor"))

    def _is_within(self, moment: Any, limits: Record, first: str, end: str) -> bool:
        """Whether it was on one of the company's days from the first up to, and without, the end.

        Gong knows a time also where the record does not tell it: such a record is within any days.
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
        days = _days(body)
        users = _by_user(self.interaction_stats, days, body)
        found = [_averages(list(records.values())) for records in users.values()]
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
        """Users who did anything, each with every day that is asked for."""
        days = _days(body)
        found = []
        for records in _by_user(self.activity, days, body).values():
            some = next(iter(records.values()))
            of_days = [
                records[day]["userDailyActivityStats"] if day in records else [self._idle_day(day)]
                for day in days
            ]
            found.append({**some, "userDailyActivityStats": list(chain(*of_days))})
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


def _listed_time(call: HeldCall) -> datetime:
    """The time that /v2/calls goes by: when a web conference was to start, otherwise when the call did."""
    meta = call.document.get("metaData")
    if isinstance(meta, dict) and meta.get("direction") == "Conference" and meta.get("scheduled"):
        return datetime.fromisoformat(meta["scheduled"]).astimezone(UTC)
    return call.time


def _days(body: Record) -> list[date]:
    first, end = (date.fromisoformat(body["filter"][key]) for key in ("fromDate", "toDate"))
    return [first + timedelta(days=n) for n in range((end - first).days)]


def _by_user(
    held_days: dict[date, list[Record]], days: list[date], body: Record
) -> dict[str, dict[date, Record]]:
    """What there is of each user who is asked for, by day."""
    found: dict[str, dict[date, Record]] = {}
    for day in days:
        for record in held_days.get(day, []):
            if _is_one_of(record.get("userId"), body["filter"].get("userIds")):
                found.setdefault(str(record.get("userId")), {})[day] = record
    return found


def _averages(records: list[Record]) -> Record:
    """A user's stats of several days as one record; of one day, as they are."""
    if len(records) == 1:
        return records[0]
    values: dict[str, list[float]] = {}
    for record in records:
        for stat in record["personInteractionStats"]:
            if stat["value"] is not None:
                values.setdefault(stat["name"], []).append(stat["value"])
    stats = [{"name": name, "value": mean(measured)} for name, measured in values.items()]
    return {**records[0], "personInteractionStats": stats}


def _is_one_of(value: Any, asked: list[str] | None) -> bool:
    return asked is None or str(value) in asked


def _nothing_found(noun: str) -> str:
    return f"No {noun} found corresponding to the provided filters"


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _refusal(status: int, error: str) -> Response:
    return _response(status, {"errors": [error]})


def _response(status: int, document: Record) -> Response:
    request_id = secrets.token_hex(9)
    return JSONResponse({"requestId": request_id, **document}, status, headers={"X-TraceId": request_id})
