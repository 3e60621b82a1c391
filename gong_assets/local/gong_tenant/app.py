"""The HTTP application: authorization, rate limits, and the format of responses.

``/health`` and ``/simulator/...`` are not part of Gong's API. The first is for the process that starts the
server; the others let a test stop the clock, delete a call, or make it private. Only ``/health`` needs no
key.
"""

from __future__ import annotations

import os
import secrets
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, cast

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gong_assets.local.gong_tenant import error_responses
from gong_assets.local.gong_tenant.call_store import CallStore, Clock
from gong_assets.local.gong_tenant.calls import CallGenerator
from gong_assets.local.gong_tenant.company import DEFAULT_SEED, Company
from gong_assets.local.gong_tenant.endpoints import ENDPOINTS, Endpoints
from gong_assets.local.gong_tenant.error_responses import ApiError
from gong_assets.local.gong_tenant.paging import Pager
from gong_assets.local.gong_tenant.rate_limits import RateLimits
from gong_assets.local.gong_tenant.reference_data import LIST_ENDPOINTS
from gong_assets.local.gong_tenant.webhooks import Webhook
from gong_assets.security.http_requests import Hosts, KnownHosts, LimitedRequests, Limits

Json = dict[str, Any]

# The longest request has the IDs of calls.
LIMITS = Limits(body_bytes=10 << 20, body_seconds=10)


@dataclass(frozen=True)
class TenantOptions:
    """The size and behavior of a tenant."""

    seed: int = DEFAULT_SEED
    calls_per_day: int = 12  # on a weekday
    words_per_call: int = 300
    now: datetime | None = None  # a fixed time; None for the machine's clock
    access_key: str = "local"
    access_key_secret: str = field(default="local", repr=False)
    requests_per_second: float = 3  # 0 for no limit
    requests_per_day: int = 10_000  # 0 for no limit
    missing_scopes: frozenset[str] = frozenset()
    blind: bool = False  # the user of the key may view no calls


def create_app(options: TenantOptions) -> Starlette:
    """Return the application for a new tenant."""
    company = Company(options.seed)
    generator = CallGenerator(
        company, calls_per_day=options.calls_per_day, words_per_call=options.words_per_call
    )
    store = CallStore(generator, Clock(options.now), blind=options.blind)
    guard = _RequestGuard(options)
    app = Starlette(
        routes=[
            *_gong_routes(Endpoints(store, Pager(options.access_key_secret)), guard),
            *_simulator_routes(store, guard),
            *_webhook_routes(store, guard),
        ],
        middleware=[Middleware(KnownHosts, Hosts()), Middleware(LimitedRequests, LIMITS)],
        exception_handlers={ApiError: _error, HTTPException: _http_error, Exception: _internal_error},
    )
    app.router.redirect_slashes = False  # Gong does not know a path with a trailing slash
    return app


def _gong_routes(endpoints: Endpoints, guard: _RequestGuard) -> list[Route]:
    def route(method: str, path: str, scope: str, handler: Callable[[Request], Awaitable[Json]]) -> Route:
        async def handle(request: Request) -> Response:
            guard.check(request, scope)
            return _respond(200, await handler(request))

        return Route(path, handle, methods=[method])

    return [
        *(route(e.method, e.path, e.scope, partial(e.handler, endpoints)) for e in ENDPOINTS),
        *(route("GET", e.path, e.scope, partial(endpoints.plain_list, e)) for e in LIST_ENDPOINTS),
    ]


class _RequestGuard:
    """Checks of each request: the key, its scope, and the rate limits."""

    def __init__(self, options: TenantOptions) -> None:
        credentials = f"{options.access_key}:{options.access_key_secret}".encode()
        self._authorization = b"Basic " + b64encode(credentials)
        self._missing_scopes = options.missing_scopes
        self._limits = RateLimits(options.requests_per_second, options.requests_per_day)

    def check(self, request: Request, scope: str) -> None:
        """Count the request, or raise ApiError if it is rejected."""
        self.check_key(request)
        if scope in self._missing_scopes:
            raise error_responses.missing_scope(scope)
        retry_after = self._limits.acquire()
        if retry_after is not None:
            raise error_responses.too_many_requests(retry_after)

    def check_key(self, request: Request) -> None:
        """Raise ApiError unless the request has the right key."""
        authorization = request.headers.get("authorization")
        if authorization is None:
            raise error_responses.missing_authorization()
        if not secrets.compare_digest(authorization.encode(), self._authorization):
            raise error_responses.bad_credentials()


def _simulator_routes(store: CallStore, guard: _RequestGuard) -> list[Route]:
    """Return the routes that are not Gong's. They count against no limit."""
    changes = {"delete": store.delete, "make-private": store.make_private}

    async def health(request: Request) -> Response:
        return Response(orjson.dumps({"service": "gong", "pid": os.getpid()}), media_type="application/json")

    async def stop_clock(request: Request) -> Response:
        """Stop the clock at the time in the body, ``{"now": an ISO-8601 time with offset}``."""
        guard.check_key(request)
        store.clock.stop_at(datetime.fromisoformat((await request.json())["now"]))
        return Response(status_code=204)

    async def change_call(request: Request) -> Response:
        """Delete a call or make it private as of now; 404 for an unknown call or change."""
        guard.check_key(request)
        change = changes.get(request.path_params["change"])
        done = change is not None and change(request.path_params["id"])
        return Response(status_code=204 if done else 404)

    return [
        Route("/health", health),
        Route("/simulator/clock", stop_clock, methods=["POST"]),
        Route("/simulator/calls/{id}/{change}", change_call, methods=["POST"]),
    ]


def _webhook_routes(store: CallStore, guard: _RequestGuard) -> list[Route]:
    """Return the routes for the tenant's automation rule, and for calls that it announces on request."""
    webhook = Webhook(store)

    async def public_key(request: Request) -> Response:
        guard.check_key(request)
        return _respond(200, {"publicKey": webhook.public_key})

    async def register(request: Request) -> Response:
        """Send a request to the URL in the body, ``{"url": "http://..."}``, for each processed call."""
        guard.check_key(request)
        webhook.register(str((await request.json())["url"]))
        return Response(status_code=204)

    async def add_call(request: Request) -> Response:
        """Add a call that has just ended, and announce it."""
        guard.check_key(request)
        call = store.add()
        await webhook.announce([call])
        return _respond(200, {"id": call.id})

    return [
        Route("/simulator/webhook", public_key, methods=["GET"]),
        Route("/simulator/webhook", register, methods=["POST"]),
        Route("/simulator/calls", add_call, methods=["POST"]),
    ]


def _respond(status: int, body: Json, headers: dict[str, str] | None = None) -> Response:
    """Return a response with a request id in body and header, and Gong's spelling of the content type."""
    request_id = _request_id()
    content_type = "application/json;charset=UTF-8" if status == 200 else "application/json; charset=utf-8"
    return Response(
        orjson.dumps({"requestId": request_id, **body}),
        status,
        headers={"x-traceid": request_id, "content-type": content_type, **(headers or {})},
    )


def _request_id() -> str:
    """Return nineteen characters of base 36."""
    return "".join(secrets.choice("0123456789abcdefghijklmnopqrstuvwxyz") for _ in range(19))


async def _error(request: Request, error: Exception) -> Response:
    api_error = cast(ApiError, error)
    headers = {} if api_error.retry_after is None else {"retry-after": str(api_error.retry_after)}
    return _respond(api_error.status, {"errors": [api_error.text]}, headers)


async def _http_error(request: Request, error: Exception) -> Response:
    is_unknown_path = cast(HTTPException, error).status_code == 404
    return await _error(
        request, error_responses.unknown_path() if is_unknown_path else error_responses.method_not_allowed()
    )


async def _internal_error(request: Request, error: Exception) -> Response:
    return _respond(500, {"errors": ["Internal server error occurred"]})
