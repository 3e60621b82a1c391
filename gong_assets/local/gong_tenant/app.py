"""The HTTP application: which path is which endpoint, who may call it, and how answers are wrapped.

`/health` and `/simulator/...` are not Gong's: the first is for whoever started the server, the second lets a test stop
the clock, delete a call or make it private.
"""

from __future__ import annotations

import os
import secrets
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gong_assets.local.gong_tenant import error_responses
from gong_assets.local.gong_tenant.call_store import Archive, Clock
from gong_assets.local.gong_tenant.calls import Diary
from gong_assets.local.gong_tenant.company import DEFAULT_SEED, Company
from gong_assets.local.gong_tenant.endpoints import Endpoints
from gong_assets.local.gong_tenant.error_responses import ApiError
from gong_assets.local.gong_tenant.paging import Pager
from gong_assets.local.gong_tenant.rate_limits import RequestLimits

Json = dict[str, Any]
Endpoint = Callable[[Request], Awaitable[Json]]


@dataclass(frozen=True)
class TenantOptions:
    """How a tenant behaves."""

    seed: int = DEFAULT_SEED
    calls_per_day: int = 12  # on a weekday
    words_per_call: int = 300
    now: datetime | None = None  # a clock that stands still; None for the machine's
    access_key: str = "local"
    access_key_secret: str = field(default="local", repr=False)
    requests_per_second: float = 3  # 0 for no limit
    requests_per_day: int = 10_000  # 0 for no limit
    missing_scopes: frozenset[str] = frozenset()
    blind: bool = False  # the key's user may view no call


def create_app(options: TenantOptions) -> Starlette:
    company = Company(options.seed)
    diary = Diary(company, calls_per_day=options.calls_per_day, words_per_call=options.words_per_call)
    archive = Archive(diary, Clock(options.now), blind=options.blind)
    gate = _Gate(options)
    gong = Endpoints(archive, Pager(options.access_key_secret))
    simulator = _Simulator(archive)

    def route(method: str, path: str, endpoint: Endpoint, scope: str) -> Route:
        async def handle(request: Request) -> Response:
            gate.admit(request, scope)
            return _respond(200, await endpoint(request))

        return Route(path, handle, methods=[method])

    app = Starlette(
        routes=[
            route("GET", "/v2/calls", gong.calls, "api:calls:read:basic"),
            route("GET", "/v2/calls/{id}", gong.call, "api:calls:read:basic"),
            route("POST", "/v2/calls/extensive", gong.extensive_calls, "api:calls:read:extensive"),
            route("POST", "/v2/calls/transcript", gong.transcripts, "api:calls:read:transcript"),
            route("GET", "/v2/users", gong.users, "api:users:read"),
            route("POST", "/v2/users/extensive", gong.extensive_users, "api:users:read"),
            route("GET", "/v2/workspaces", gong.workspaces, "api:workspaces:read"),
            route("GET", "/v2/settings/trackers", gong.trackers, "api:settings:trackers:read"),
            route("GET", "/v2/settings/scorecards", gong.scorecards, "api:settings:scorecards:read"),
            route("POST", "/v2/stats/activity/scorecards", gong.answered_scorecards, "api:stats:scorecards"),
            route("POST", "/v2/stats/interaction", gong.interaction_stats, "api:stats:interaction"),
            route(
                "POST",
                "/v2/stats/activity/day-by-day",
                gong.daily_activity,
                "api:stats:user-actions:detailed",
            ),
            route("GET", "/v2/library/folders", gong.folders, "api:library:read"),
            route("GET", "/v2/library/folder-content", gong.folder_content, "api:library:read"),
            Route("/health", simulator.health),
            Route("/simulator/clock", simulator.stop_clock, methods=["POST"]),
            Route("/simulator/calls/{id}/{change}", simulator.change_call, methods=["POST"]),
        ],
        exception_handlers={ApiError: _refuse, HTTPException: _refuse_http, Exception: _fail},
    )
    app.router.redirect_slashes = False  # a path with a slash too many is an unknown path
    return app


class _Gate:
    """Who may come in: the right key, with the scope, within the limits."""

    def __init__(self, options: TenantOptions) -> None:
        credentials = f"{options.access_key}:{options.access_key_secret}".encode()
        self._authorization = b"Basic " + b64encode(credentials)
        self._missing_scopes = options.missing_scopes
        self._limits = RequestLimits(options.requests_per_second, options.requests_per_day)

    def admit(self, request: Request, scope: str) -> None:
        """Raises ApiError if the request is to be refused; counts it otherwise."""
        authorization = request.headers.get("authorization")
        if authorization is None:
            raise error_responses.missing_authorization()
        if not secrets.compare_digest(authorization.encode(), self._authorization):
            raise error_responses.bad_credentials()
        if scope in self._missing_scopes:
            raise error_responses.missing_scope(scope)
        retry_after = self._limits.admit()
        if retry_after is not None:
            raise error_responses.too_many_requests(retry_after)


class _Simulator:
    """What is not Gong's. Needs no key and counts against no limit."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    async def health(self, request: Request) -> Response:
        return Response(orjson.dumps({"service": "gong", "pid": os.getpid()}), media_type="application/json")

    async def stop_clock(self, request: Request) -> Response:
        """Body `{"now": an ISO-8601 time with offset}`: it is that time from here on."""
        self._archive.clock.stop_at(datetime.fromisoformat((await request.json())["now"]))
        return Response(status_code=204)

    async def change_call(self, request: Request) -> Response:
        """Change `delete` or `make-private`, as of now. 404 for a call that never was, or another change."""
        changes = {"delete": self._archive.delete, "make-private": self._archive.make_private}
        change = changes.get(request.path_params["change"])
        done = change is not None and change(request.path_params["id"])
        return Response(status_code=204 if done else 404)


def _respond(status: int, body: Json, headers: dict[str, str] | None = None) -> Response:
    """Wraps an answer: the same id in `requestId` and x-traceid, and Gong's two spellings of its content type."""
    request_id = _request_id()
    content_type = "application/json;charset=UTF-8" if status == 200 else "application/json; charset=utf-8"
    return Response(
        orjson.dumps({"requestId": request_id, **body}),
        status,
        headers={"x-traceid": request_id, "content-type": content_type, **(headers or {})},
    )


def _request_id() -> str:
    """Nineteen characters of base 36."""
    return "".join(secrets.choice("0123456789abcdefghijklmnopqrstuvwxyz") for _ in range(19))


async def _refuse(request: Request, error: Exception) -> Response:
    refusal = cast(ApiError, error)
    headers = {} if refusal.retry_after is None else {"retry-after": str(refusal.retry_after)}
    return _respond(refusal.status, {"errors": [refusal.text]}, headers)


async def _refuse_http(request: Request, error: Exception) -> Response:
    status = cast(HTTPException, error).status_code
    return await _refuse(
        request, error_responses.unknown_path() if status == 404 else error_responses.method_not_allowed()
    )


async def _fail(request: Request, error: Exception) -> Response:
    return _respond(500, {"errors": ["Internal server error occurred"]})
