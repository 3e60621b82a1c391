"""OAuth tokens are renewed in time, once for all clients, and the next refresh token is never lost."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import stat
import sys
import traceback
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import filelock
import httpx
import msgspec
import pytest

from gong_assets.gong import (
    GongAuthenticationError,
    GongClient,
    GongConfig,
    GongConnectionError,
    GongError,
    GongMalformedResponseError,
    GongPermissionError,
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


def test_the_first_token_is_requested_once_and_then_used() -> None:
    gong = AuthorizingGong()

    async def work() -> None:
        async with authorizing(gong) as (server, auth):
            await read_users(auth, server.base_url, times=3)
            await read_users(auth, server.base_url)

    run(work())
    assert [request.method for request in gong.renewals] == ["POST"]
    pair = base64.b64encode(b"client-7:client-secret-4410").decode()
    assert gong.renewals[0].headers["authorization"] == f"Basic {pair}"
    assert gong.renewals[0].body == {}
    assert {request.headers["authorization"] for request in gong.log} == {"Bearer access-9037-1"}


@pytest.mark.parametrize(("ahead", "renewals"), [(DAY - 90, 1), (DAY - 30, 2), (DAY + 30, 2)])
def test_a_token_is_renewed_in_its_last_minute(ahead: float, renewals: int) -> None:
    gong = AuthorizingGong()

    async def work() -> None:
        async with authorizing(gong) as (server, auth):
            await read_users(auth, server.base_url)
            await read_users(replace(auth, clock=MovedClock(ahead)), server.base_url)

    run(work())
    assert len(gong.renewals) == renewals


def test_the_next_process_continues_with_the_stored_tokens(tmp_path: Path) -> None:
    gong = AuthorizingGong()

    async def work() -> None:
        async with authorizing(gong, tmp_path / "token.json") as (server, auth):
            await read_users(auth, server.base_url)
            restart()
            await read_users(auth, server.base_url)
            assert len(gong.renewals) == 1
            restart()
            await read_users(replace(auth, clock=MovedClock(DAY)), server.base_url)
            assert len(gong.renewals) == 2

    run(work())


def test_only_the_owner_can_read_the_token_file_and_no_draft_is_left(tmp_path: Path) -> None:
    path = tmp_path / "state" / "token.json"
    gong = AuthorizingGong()

    async def work() -> None:
        async with authorizing(gong, path, clock=MovedClock(DAY)) as (server, auth):
            await read_users(auth, server.base_url)
            path.chmod(0o644)
            gong.accepts_tokens = False
            with pytest.raises(GongAuthenticationError):
                await read_users(auth, server.base_url)

    run(work())
    assert len(gong.renewals) == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(each.name for each in path.parent.iterdir()) == ["token.json", "token.json.lock"]
    stored = msgspec.json.decode(path.read_bytes())
    assert stored["refresh_token"] == "refresh-6182-2"
    assert "refresh-6182-0" not in path.read_text()


def test_a_token_file_of_another_authorization_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "token.json"
    used, new = AuthorizingGong(), AuthorizingGong()

    async def work() -> None:
        async with authorizing(used, path) as (server, auth):
            await read_users(auth, server.base_url)
        new.renewals = [*used.renewals] * 5  # the app was authorized again, with refresh-6182-5
        async with authorizing(new, path, refresh_token="refresh-6182-5") as (server, auth):
            await read_users(auth, server.base_url)

    run(work())
    assert len(new.renewals) == 6


def test_a_token_file_without_tokens_is_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "token.json"
    path.write_text('{"access_token": ')
    gong = AuthorizingGong()

    async def work() -> None:
        async with authorizing(gong, path) as (server, auth):
            await read_users(auth, server.base_url)

    run(work())
    assert msgspec.json.decode(path.read_bytes())["access_token"] == "access-9037-1"
    assert "will be replaced" in caplog.text


def test_an_impossible_token_file_is_an_error_before_a_refresh_token_is_used(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    gong = AuthorizingGong()

    async def work() -> None:
        async with authorizing(gong, tmp_path / "file" / "token.json") as (server, auth):
            with pytest.raises(GongError, match="token file"):
                await read_users(auth, server.base_url)

    run(work())
    assert gong.renewals == []


def test_on_a_full_disk_this_process_continues_and_warns_about_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    gong = AuthorizingGong()
    path = tmp_path / "token.json"

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    async def work() -> None:
        async with authorizing(gong, path) as (server, auth):
            await read_users(auth, server.base_url)
            monkeypatch.setattr(os, "replace", full)
            for _ in range(2):
                gong.revoke()
                await read_users(auth, server.base_url)

    run(work())
    assert len(gong.renewals) == 3
    assert "No space left" in caplog.text
    assert sorted(each.name for each in tmp_path.iterdir()) == ["token.json", "token.json.lock"]


def test_after_a_401_the_request_is_sent_again_with_a_new_token() -> None:
    gong = AuthorizingGong()

    async def work() -> None:
        async with authorizing(gong) as (server, auth):
            await read_users(auth, server.base_url)
            gong.revoke()
            await read_users(auth, server.base_url)

    run(work())
    assert len(gong.renewals) == 2
    assert [request.headers["authorization"][-1] for request in gong.log] == ["1", "1", "2"]


def test_a_401_with_a_new_token_is_an_error() -> None:
    gong = AuthorizingGong()
    gong.accepts_tokens = False

    async def work() -> None:
        async with authorizing(gong) as (server, auth):
            with pytest.raises(GongAuthenticationError):
                await read_users(auth, server.base_url)

    run(work())
    assert len(gong.renewals) == 2
    assert len(gong.log) == 2


def test_a_missing_scope_does_not_request_a_new_token() -> None:
    gong = AuthorizingGong()
    gong.missing_scope = True

    async def work() -> None:
        async with authorizing(gong) as (server, auth):
            with pytest.raises(GongPermissionError) as caught:
                await read_users(auth, server.base_url)
            assert caught.value.scope == "api:users:read"

    run(work())
    assert len(gong.renewals) == 1


@pytest.mark.parametrize("status", [400, 401])
@pytest.mark.parametrize("kept", [True, False])
def test_the_error_for_a_rejected_refresh_token_says_what_to_do(
    tmp_path: Path, status: int, kept: bool
) -> None:
    gong = AuthorizingGong()

    async def work() -> None:
        async with authorizing(gong, tmp_path / "token.json" if kept else None) as (server, auth):
            gong.outages.append(json_response(status, {"error": "invalid_grant"}))
            with pytest.raises(GongAuthenticationError) as caught:
                await read_users(auth, server.base_url)
            assert caught.value.status == status
            message = str(caught.value)
            assert "authorize the app again" in message
            assert "GONG_REFRESH_TOKEN" in message
            assert f"{TOKEN_PATH}: {status} invalid_grant" in message
            assert ("without a token file" in message) is not kept

    run(work())
    assert gong.log == []


def test_without_a_token_file_the_next_process_needs_a_new_authorization() -> None:
    gong = AuthorizingGong()

    async def work() -> None:
        async with authorizing(gong) as (server, auth):
            await read_users(auth, server.base_url)
            restart()
            with pytest.raises(GongAuthenticationError, match="without a token file"):
                await read_users(auth, server.base_url)

    run(work())


def test_concurrent_requests_renew_the_token_once(tmp_path: Path) -> None:
    gong = AuthorizingGong()

    async def work() -> None:
        async with authorizing(gong, tmp_path / "token.json") as (server, auth):
            await asyncio.gather(
                *(read_users(app(server, auth.token_file), server.base_url, 5) for _ in "ab")
            )
            assert len(gong.renewals) == 1
            gong.revoke()
            await read_users(auth, server.base_url, times=8)

    run(work())
    assert len(gong.renewals) == 2


def test_after_a_401_the_token_that_another_process_stored_is_used(tmp_path: Path) -> None:
    gong = AuthorizingGong()

    async def work() -> None:
        async with authorizing(gong, tmp_path / "token.json") as (server, auth):
            await read_users(auth, server.base_url)
            mine = oauth_module._token_cache.pop(auth)
            await read_users(replace(auth, clock=MovedClock(DAY)), server.base_url)
            oauth_module._token_cache[auth] = mine
            await read_users(auth, server.base_url)

    run(work())
    assert len(gong.renewals) == 2
    assert [request.headers["authorization"][-1] for request in gong.log] == ["1", "2", "1", "2"]


READ_USERS = """
import asyncio, sys
from pathlib import Path
from gong_assets.gong import GongClient, GongConfig, RefreshingAuth

async def work(base_url, token_file):
    auth = RefreshingAuth("client-7", "client-secret-4410", "refresh-6182-0",
                          token_url=base_url + "/oauth2/generate-customer-token", token_file=Path(token_file))
    async with GongClient(GongConfig(base_url=base_url, auth=auth)) as client:
        print("ready", flush=True)
        print(sum([len(page.records) async for page in client.users()]))

asyncio.run(work(*sys.argv[1:]))
"""


def test_two_processes_renew_the_token_once(tmp_path: Path) -> None:
    gong = AuthorizingGong()
    path = tmp_path / "token.json"

    async def work() -> None:
        async with serving(gong) as server:
            command = [sys.executable, "-c", READ_USERS, server.base_url, str(path)]
            with filelock.FileLock(f"{path}.lock"):  # so that both wait for the same moment
                starting = (
                    asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE) for _ in "ab"
                )
                processes = await asyncio.gather(*starting)
                for process in processes:
                    assert process.stdout is not None
                    assert await process.stdout.readline() == b"ready\n"
                await asyncio.sleep(0.1)
                assert gong.renewals == []
            outputs = await asyncio.gather(*(process.communicate() for process in processes))
            assert [output for output, _ in outputs] == [b"1\n"] * 2

    run(work())
    assert len(gong.renewals) == 1


def test_waiting_for_another_process_does_not_block_the_event_loop_and_can_be_cancelled(
    tmp_path: Path,
) -> None:
    gong = AuthorizingGong()

    async def work() -> None:
        path = tmp_path / "token.json"
        async with authorizing(gong, path) as (server, auth):
            with filelock.FileLock(f"{path}.lock"):
                waiting = asyncio.create_task(read_users(auth, server.base_url))
                begin = asyncio.get_running_loop().time()
                await asyncio.sleep(0.2)
                assert asyncio.get_running_loop().time() - begin < 0.4
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
            await read_users(auth, server.base_url)

    run(work())
    assert len(gong.renewals) == 1


def test_requests_go_to_the_customers_host_if_none_is_configured() -> None:
    gong = AuthorizingGong()

    async def work() -> None:
        async with authorizing(gong) as (server, auth):
            gong.base_url = server.base_url
            await read_users(auth, None)
            await read_users(auth, None)
            assert {request.headers["host"] for request in gong.log} == {server.host}

    run(work())
    assert [request.path for request in gong.log] == ["/v2/users"] * 2
    assert len(gong.renewals) == 1


def test_a_configured_host_is_kept() -> None:
    gong = AuthorizingGong()
    gong.base_url = "http://127.0.0.1:9"

    async def work() -> None:
        async with authorizing(gong) as (server, auth):
            await read_users(auth, server.base_url)

    run(work())
    assert len(gong.log) == 1


def test_the_customers_host_is_only_used_if_enabled() -> None:
    request = httpx.Request("GET", "https://api.gong.io/v2/users?cursor=x")
    tokens = oauth_module._Tokens("a", "r", "f", api_base_url="https://us-12345.api.gong.io")
    wanting = RefreshingAuth("client-7", "s", "r")
    url = request.url
    assert str(replace(wanting, use_customer_host=False)._signed(request, url, tokens).url) == str(url)
    assert request.headers["Host"] == "api.gong.io"
    moved = wanting._signed(request, url, tokens)
    assert str(moved.url) == "https://us-12345.api.gong.io/v2/users?cursor=x"
    assert moved.headers["Host"] == "us-12345.api.gong.io"


@pytest.mark.parametrize(
    "host", [None, "", 5, "us-12345.api.gong.io", "file:///etc/passwd", "https://", "http://[::1"]
)
def test_an_invalid_customers_host_is_ignored(host: Any) -> None:
    assert oauth_module._base_url(host) is None


def test_a_token_without_a_lifetime_is_used_until_it_is_refused() -> None:
    gong = AuthorizingGong()
    gong.lifetime = None

    async def work() -> None:
        async with authorizing(gong) as (server, auth):
            await read_users(auth, server.base_url)
            await read_users(replace(auth, clock=MovedClock(DAY * 365)), server.base_url)

    run(work())
    assert len(gong.renewals) == 1


def test_a_request_to_a_failing_token_server_is_retried() -> None:
    gong = AuthorizingGong()

    async def work() -> None:
        async with authorizing(gong) as (server, auth):
            gong.outages += [error_response(503, "later"), Response(200, b"<html>")]
            await read_users(auth, server.base_url)

    run(work())
    assert len(gong.log) == 1


def test_a_response_without_a_token_is_malformed() -> None:
    gong = AuthorizingGong()

    async def work() -> None:
        async with authorizing(gong) as (server, auth):
            gong.outages += [json_response(200, {"access_token": None})] * 20
            with pytest.raises(GongMalformedResponseError, match="no access token"):
                await read_users(auth, server.base_url)

    run(work())


def test_the_error_names_a_token_server_that_does_not_respond() -> None:
    async def work() -> None:
        async with authorizing(AuthorizingGong(), token_url="http://127.0.0.1:9/token") as (server, auth):
            with pytest.raises(GongConnectionError) as caught:
                await read_users(auth, server.base_url)
            assert caught.value.host == "127.0.0.1:9"

    run(work())


def test_a_synchronous_httpx_client_is_rejected() -> None:
    auth = RefreshingAuth("client-7", "s", "r")
    transport = httpx.MockTransport(lambda _: httpx.Response(200))
    with httpx.Client(transport=transport) as client, pytest.raises(RuntimeError, match="AsyncClient"):
        client.get("https://api.gong.io", auth=auth)


def test_requests_count_against_the_oauth_app() -> None:
    assert RefreshingAuth("client-7", "s", "r").identity == "client-7"


def shows_a_secret(*things: Any) -> bool:
    text = " ".join(f"{thing} {thing!r}" for thing in things)
    pair = base64.b64encode(b"client-7:client-secret-4410").decode()
    return any(secret in text for secret in [*SECRETS, pair])


# Not a local of the test: those are in the tracebacks that it looks at.
OUTAGES = [
    json_response(400, {"error": "invalid_grant"}),
    json_response(403, {}),
    json_response(200, {"refresh_token": "refresh-6182-9"}),
]


def test_no_object_error_traceback_or_log_line_shows_a_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    gong = AuthorizingGong()
    caught: list[GongError] = []

    async def work() -> None:
        async with authorizing(gong, tmp_path / "token.json") as (server, auth):
            await read_users(auth, server.base_url)
            for kind in range(len(OUTAGES)):
                gong.revoke()
                gong.outages = [OUTAGES[kind]] * 9
                with pytest.raises(GongError) as failed:
                    await read_users(auth, server.base_url)
                caught.append(failed.value)
            settings = GongConfig(auth=auth)
            client = GongClient(settings)
            assert not shows_a_secret(
                auth, settings, client, vars(client), oauth_module._token_cache[auth].tokens
            )

    run(work())
    assert [type(error).__name__ for error in caught] == [
        "GongAuthenticationError",
        "GongPermissionError",
        "GongMalformedResponseError",
    ]
    for error in caught:
        text = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
        assert not shows_a_secret(text)
    assert TOKEN_PATH in caplog.text
    assert not shows_a_secret(caplog.text)
