"""The endpoints of Gong's API v2: from a validated request to the body of the response.

Each method of ``Endpoints`` is one endpoint, with its method, path and scope. Plain lists that do not depend
on calls are declared in ``reference_data`` instead. Authorization, limits and response headers are in
``app``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from gong_assets.local.gong_tenant import activity, call_documents, error_responses, reference_data
from gong_assets.local.gong_tenant.call_store import CallStore
from gong_assets.local.gong_tenant.company import TIME_ZONE
from gong_assets.local.gong_tenant.paging import Pager
from gong_assets.local.gong_tenant.reference_data import ListEndpoint
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
Handler = Callable[["Endpoints", Request], Awaitable[Json]]


@dataclass(frozen=True)
class Endpoint:
    """An endpoint and the scope that it requires."""

    method: str
    path: str
    scope: str
    handler: Handler


ENDPOINTS: list[Endpoint] = []


def _endpoint(method: str, path: str, scope: str) -> Callable[[Handler], Handler]:
    """Register a method of ``Endpoints`` as the handler of a path."""

    def register(handler: Handler) -> Handler:
        ENDPOINTS.append(Endpoint(method, path, scope, handler))
        return handler

    return register


class Endpoints:
    """The handlers. They return a body without its requestId, and raise ApiError for an error response."""

    def __init__(self, store: CallStore, pager: Pager) -> None:
        self._store = store
        self._company = store.company
        self._conversation = store.generator.conversation
        self._pager = pager

    async def plain_list(self, endpoint: ListEndpoint, request: Request) -> Json:
        """Return the list of a plain list endpoint."""
        items = endpoint.items(self._company)
        if endpoint.by_workspace:
            workspace_id = request.query_params.get("workspaceId", self._company.workspace_id)
            items = items if workspace_id == self._company.workspace_id else []
        if not endpoint.paged:
            return {endpoint.key: items}
        page, records = self._page(request, items, endpoint.key, request.query_params.get("cursor"))
        return {"records": records, endpoint.key: page}

    @_endpoint("GET", "/v2/calls", "api:calls:read:basic")
    async def calls(self, request: Request) -> Json:
        filters = _validate(CallsFilter, dict(request.query_params))
        calls, processing = self._store.list_calls(filters, by_schedule=True)
        cursor = request.query_params.get("cursor")
        page, records = self._page(request, calls, "calls", cursor, filters, processing)
        now = self._store.clock.now()
        return {
            "records": records,
            "calls": [
                call_documents.basic(self._company, call, self._conversation(call), now) for call in page
            ],
        }

    @_endpoint("GET", "/v2/calls/{id}", "api:calls:read:basic")
    async def call(self, request: Request) -> Json:
        call_id = request.path_params["id"]
        call = self._store.get(call_id)
        if call is None:
            raise error_responses.call_not_found(call_id)
        now = self._store.clock.now()
        return {"call": call_documents.basic(self._company, call, self._conversation(call), now)}

    @_endpoint("POST", "/v2/calls/extensive", "api:calls:read:extensive")
    async def extensive_calls(self, request: Request) -> Json:
        body = await _validated_body(CallsRequest, request)
        calls, processing = self._store.list_calls(body.filter)
        page, records = self._page(request, calls, "calls", body.cursor, body.filter, processing)
        selector, now = body.content_selector, self._store.clock.now()
        return {
            "records": records,
            "calls": [
                call_documents.extensive(self._company, call, self._conversation(call), selector, now)
                for call in page
            ],
        }

    @_endpoint("POST", "/v2/calls/transcript", "api:calls:read:transcript")
    async def transcripts(self, request: Request) -> Json:
        body = await _validated_body(CallsRequest, request)
        calls = self._store.list_transcribed(body.filter)
        page, records = self._page(request, calls, "calls", body.cursor, body.filter)
        return {
            "records": records,
            "callTranscripts": [
                call_documents.transcript(self._company, call, self._conversation(call)) for call in page
            ],
        }

    @_endpoint("POST", "/v2/users/extensive", "api:users:read")
    async def extensive_users(self, request: Request) -> Json:
        body = await _validated_body(UsersRequest, request)
        filters = body.filter
        users = [
            user
            for user in reference_data.users(self._company)
            if (filters.user_ids is None or user["id"] in filters.user_ids)
            and _is_within(user["created"], filters.created_from_date_time, filters.created_to_date_time)
        ]
        page, records = self._page(request, users, "users", body.cursor, filters)
        return {"records": records, "users": page}

    @_endpoint("POST", "/v2/stats/activity/scorecards", "api:stats:scorecards")
    async def answered_scorecards(self, request: Request) -> Json:
        body = await _validated_body(ScorecardsRequest, request)
        cards = activity.answered_scorecards(self._store, body.filter)
        page, records = self._page(request, cards, "answered scorecards", body.cursor, body.filter)
        return {"records": records, "answeredScorecards": page}

    @_endpoint("POST", "/v2/stats/interaction", "api:stats:interaction")
    async def interaction_stats(self, request: Request) -> Json:
        body = await self._stats_request(request)
        stats = activity.interaction_stats(self._store, body.filter)
        page, records = self._page(request, stats, "users", body.cursor, body.filter)
        return {
            "records": records,
            "peopleInteractionStats": page,
            "fromDateTime": activity.midnight(body.filter.from_date).isoformat(),
            "toDateTime": activity.midnight(body.filter.to_date).isoformat(),
            "timeZone": TIME_ZONE.key,
        }

    @_endpoint("POST", "/v2/stats/activity/day-by-day", "api:stats:user-actions:detailed")
    async def daily_activity(self, request: Request) -> Json:
        body = await self._stats_request(request)
        days = activity.daily_activity(self._store, body.filter)
        page, records = self._page(request, days, "users", body.cursor, body.filter)
        return {"records": records, "usersDetailedActivities": page}

    @_endpoint("GET", "/v2/library/folder-content", "api:library:read")
    async def folder_content(self, request: Request) -> Json:
        content = activity.folder_content(self._store, request.query_params.get("folderId", ""))
        if content is None:
            raise error_responses.nothing_found("folders")
        return content

    async def _stats_request(self, request: Request) -> StatsRequest:
        """Return the body; raises ApiError for days after today, which both endpoints reject."""
        body = await _validated_body(StatsRequest, request)
        if body.filter.to_date > self._store.clock.now().astimezone(TIME_ZONE).date():
            raise error_responses.bad_request("filter.toDate: must not be after today")
        return body

    def _page(
        self,
        request: Request,
        items: Sequence[Item],
        noun: str,
        cursor: str | None,
        filters: BaseModel | None = None,
        processing: int = 0,
    ) -> tuple[Sequence[Item], Json]:
        """Return one page of ``items``; raises ApiError (404) for a filter without matches."""
        if filters is not None and not items:
            raise error_responses.nothing_found(noun)
        return self._pager.page(
            items,
            cursor,
            query=f"{request.url.path} {filters.model_dump_json() if filters else ''}",
            now=self._store.clock.now(),
            expected_total=len(items) + processing,
        )


async def _validated_body(model: type[Body], request: Request) -> Body:
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise error_responses.unsupported_media_type()
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise error_responses.bad_request() from error
    return _validate(model, body)


def _validate(model: type[Body], values: Any) -> Body:
    """Return the model; an error starts with the field, such as ``filter.fromDateTime: must be ...``."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        text = first["msg"].removeprefix("Value error, ")
        # Messages of our own validators start with the field.
        separator = "." if first["type"] == "value_error" else ": "
        location = ".".join(map(str, first["loc"])) or "filter"
        raise error_responses.bad_request(f"{location}{separator}{text}") from error


def _is_within(moment: str, start: datetime | None, end: datetime | None) -> bool:
    value = datetime.fromisoformat(moment)
    return (start is None or start <= value) and (end is None or value < end)
