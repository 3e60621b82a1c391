"""A fake Gong with an OAuth token server, and helpers for tests of token renewal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gong_assets.gong import (
    GongClient,
    GongConfig,
    RefreshingAuth,
)
from gong_assets.gong import oauth as oauth_module
from gong_assets_tests.gong.fake_gong import FakeGong, GongRequest, Response, error_response, json_response
from gong_assets_tests.gong.helpers import InstantClock
from gong_assets_tests.gong.http_server import HttpServer, serving

TOKEN_PATH = "/oauth2/generate-customer-token"
DAY = 86_400
SECRETS = ["client-secret-4410", "refresh-6182", "access-9037"]


class AuthorizingGong(FakeGong):
    """Accepts only the latest access token, until it is revoked, and each refresh token only once."""

    def __init__(self) -> None:
        super().__init__()
        self.users = [{"id": "1"}]
        self.renewals: list[GongRequest] = []
        self.outages: list[Response] = []
        self.lifetime: Any = DAY
        self.base_url: str | None = None
        self.missing_scope = False
        self.accepts_tokens = True
        self.access_token: str | None = None

    @property
    def refresh_token(self) -> str:
        return f"refresh-6182-{len(self.renewals)}"

    def revoke(self) -> None:
        self.access_token = None

    def respond(self, request: GongRequest) -> Response:
        if request.path == TOKEN_PATH:
            return self.outages.pop(0) if self.outages else self._renew(request)
        if not self.accepts_tokens or request.headers.get("authorization") != f"Bearer {self.access_token}":
            self.log.append(request)
            return error_response(401, "Validate credentials failed")
        if self.missing_scope:
            self.log.append(request)
            return error_response(401, "You don't have permission to use 'api:users:read' in your app.")
        return super().respond(request)

    def _renew(self, request: GongRequest) -> Response:
        if request.query != {"grant_type": "refresh_token", "refresh_token": self.refresh_token}:
            return json_response(400, {"error": "invalid_grant"})
        self.renewals.append(request)
        self.access_token = f"access-9037-{len(self.renewals)}"
        return json_response(
            200,
            {
                "access_token": self.access_token,
                "refresh_token": self.refresh_token,
                "expires_in": self.lifetime,
                "scope": "api:users:read",
                "token_type": "bearer",
                "api_base_url_for_customer": self.base_url,
            },
        )


class MovedClock(InstantClock):
    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__()
        self.ahead = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return super().now() + self.ahead


@pytest.fixture(autouse=True)
def new_process() -> Iterator[None]:
    restart()
    yield
    restart()


def restart() -> None:
    """Forget the tokens, as a new process would: only the file is left."""
    oauth_module._token_cache.clear()


@asynccontextmanager
async def authorizing(
    gong: AuthorizingGong, token_file: Path | None = None, **changes: Any
) -> AsyncIterator[tuple[HttpServer, RefreshingAuth]]:
    async with serving(gong) as server:
        yield server, app(server, token_file, **changes)


def app(server: HttpServer, token_file: Path | None = None, **changes: Any) -> RefreshingAuth:
    settings: dict[str, Any] = {
        "client_id": "client-7",
        "client_secret": "client-secret-4410",
        "refresh_token": "refresh-6182-0",
        "token_url": server.base_url + TOKEN_PATH,
        "token_file": token_file,
    }
    return RefreshingAuth(**(settings | changes))


async def read_users(auth: RefreshingAuth, base_url: str | None, times: int = 1) -> None:
    settings = GongConfig(auth=auth, max_requests_per_second=0, max_requests_per_day=0)
    if base_url is not None:
        settings = replace(settings, base_url=base_url)
    async with GongClient(settings, clock=InstantClock()) as client:

        async def read() -> int:
            return sum([len(page.records) async for page in client.users()])

        assert await asyncio.gather(*(read() for _ in range(times))) == [1] * times


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, timeout=10))
