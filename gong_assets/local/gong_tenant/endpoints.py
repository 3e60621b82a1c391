"""The endpoints of Gong's API v2: from a request to the body of its answer.

Each method is one endpoint. Checked input goes to `archive`, `documents`, `directory` and `activity`, which know what
there is to say. Authorization, limits and the wrapping of answers are in `app`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from gong_assets.local.gong_tenant import activity, call_documents, error_responses, reference_data
from gong_assets.local.gong_tenant.call_store import Archive
from gong_assets.local.gong_tenant.company import TIME_ZONE
from gong_assets.local.gong_tenant.paging import Pager
from gong_assets.local.gong_tenant.request_bodies import (
    CallsFilter,
    CallsRequest,
    ScorecardsRequest,
    StatsRequest,
    UsersRequest,
)

Json = dict[str, Any]
Body = TypeVar("Body", bound=BaseModel)
Item = TypeVar("Item")


class Endpoints:
    """Answers without their requestId. Every method raises ApiError for what cannot be answered."""

    def __init__(self, archive: Archive, pager: Pager) -> None:
        self._archive = archive
        self._company = archive.diary.company
        self._words = archive.diary.conversation
        self._pager = pager

    async def calls(self, request: Request) -> Json:
        asked = _checked(CallsFilter, dict(request.query_params))
        calls, processing = self._archive.listed(asked, by_schedule=True)
        cursor = request.query_params.get("cursor")
        part, records = self._page(request, calls, "calls", cursor, asked, processing)
        now = self._archive.clock.now()
        return {
            "records": records,
            "calls": [call_documents.basic(self._company, call, self._words(call), now) for call in part],
        }

    async def call(self, request: Request) -> Json:
        call_id = request.path_params["id"]
        call = self._archive.get(call_id)
        if call is None:
            raise error_responses.call_not_found(call_id)
        now = self._archive.clock.now()
        return {"call": call_documents.basic(self._company, call, self._words(call), now)}

    async def extensive_calls(self, request: Request) -> Json:
        asked = await _body(CallsRequest, request)
        calls, processing = self._archive.listed(asked.filter)
        part, records = self._page(request, calls, "calls", asked.cursor, asked.filter, processing)
        selector, now = asked.content_selector, self._archive.clock.now()
        return {
            "records": records,
            "calls": [
                call_documents.extensive(self._company, call, self._words(call), selector, now)
                for call in part
            ],
        }

    async def transcripts(self, request: Request) -> Json:
        asked = await _body(CallsRequest, request)
        calls = self._archive.transcribed(asked.filter)
        part, records = self._page(request, calls, "calls", asked.cursor, asked.filter)
        return {
            "records": records,
            "callTranscripts": [
                call_documents.transcript(self._company, call, self._words(call)) for call in part
            ],
        }

    async def users(self, request: Request) -> Json:
        users = reference_data.users(self._company)
        part, records = self._page(request, users, "users", request.query_params.get("cursor"))
        return {"records": records, "users": part}

    async def extensive_users(self, request: Request) -> Json:
        asked = await _body(UsersRequest, request)
        wanted = asked.filter
        users = [
            user
            for user in reference_data.users(self._company)
            if (wanted.user_ids is None or user["id"] in wanted.user_ids)
            and _is_within(user["created"], wanted.created_from_date_time, wanted.created_to_date_time)
        ]
        part, records = self._page(request, users, "users", asked.cursor, wanted)
        return {"records": records, "users": part}

    async def workspaces(self, request: Request) -> Json:
        return {"workspaces": reference_data.workspaces(self._company)}

    async def trackers(self, request: Request) -> Json:
        return {
            "keywordTrackers": self._of_workspace(request, reference_data.keyword_trackers(self._company))
        }

    async def scorecards(self, request: Request) -> Json:
        return {"scorecards": reference_data.scorecards(self._company)}

    async def answered_scorecards(self, request: Request) -> Json:
        asked = await _body(ScorecardsRequest, request)
        cards = activity.answered_scorecards(self._archive, asked.filter)
        part, records = self._page(request, cards, "answered scorecards", asked.cursor, asked.filter)
        return {"records": records, "answeredScorecards": part}

    async def interaction_stats(self, request: Request) -> Json:
        asked = await _body(StatsRequest, request)
        if asked.filter.to_date > self._archive.clock.now().astimezone(TIME_ZONE).date():
            raise error_responses.bad_request("filter.toDate: must not be after today")
        stats = activity.interaction_stats(self._archive, asked.filter)
        part, records = self._page(request, stats, "users", asked.cursor, asked.filter)
        return {
            "records": records,
            "peopleInteractionStats": part,
            "fromDateTime": activity.midnight(asked.filter.from_date).isoformat(),
            "toDateTime": activity.midnight(asked.filter.to_date).isoformat(),
            "timeZone": TIME_ZONE.key,
        }

    async def daily_activity(self, request: Request) -> Json:
        asked = await _body(StatsRequest, request)
        days = activity.daily_activity(self._archive, asked.filter)
        part, records = self._page(request, days, "users", asked.cursor, asked.filter)
        return {"records": records, "usersDetailedActivities": part}

    async def folders(self, request: Request) -> Json:
        return {"folders": self._of_workspace(request, reference_data.folders(self._company))}

    async def folder_content(self, request: Request) -> Json:
        content = activity.folder_content(self._archive, request.query_params.get("folderId", ""))
        if content is None:
            raise error_responses.nothing_found("folders")
        return content

    def _of_workspace(self, request: Request, items: list[Json]) -> list[Json]:
        asked = request.query_params.get("workspaceId", self._company.workspace_id)
        return items if asked == self._company.workspace_id else []

    def _page(
        self,
        request: Request,
        items: Sequence[Item],
        noun: str,
        cursor: str | None,
        asked: BaseModel | None = None,
        processing: int = 0,
    ) -> tuple[Sequence[Item], Json]:
        """One page of `items`. A filter that matches nothing is a 404, an empty list without one is not."""
        if asked is not None and not items:
            raise error_responses.nothing_found(noun)
        return self._pager.page(
            items,
            cursor,
            question=f"{request.url.path} {asked.model_dump_json() if asked else ''}",
            now=self._archive.clock.now(),
            expected=len(items) + processing,
        )


async def _body(model: type[Body], request: Request) -> Body:
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise error_responses.unsupported_media_type()
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise error_responses.bad_request() from error
    return _checked(model, body)


def _checked(model: type[Body], values: Any) -> Body:
    """The checked model. A complaint names the field, as in `filter.fromDateTime: must be before toDateTime`."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        complaint = error.errors()[0]
        text = complaint["msg"].removeprefix("Value error, ")
        separator = (
            "." if complaint["type"] == "value_error" else ": "
        )  # our own complaints start with the field
        place = ".".join(map(str, complaint["loc"])) or "filter"
        raise error_responses.bad_request(f"{place}{separator}{text}") from error


def _is_within(moment: str, start: datetime | None, end: datetime | None) -> bool:
    value = datetime.fromisoformat(moment)
    return (start is None or start <= value) and (end is None or value < end)
