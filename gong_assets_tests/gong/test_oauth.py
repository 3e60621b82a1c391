"""OAuth tokens are renewed in time, once for all clients, and the next refresh token is never lost."""

from __future__ import annotations

import base64
import logging
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
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
from gong_assets_tests.gong.fake_gong import Response, error_response, json_response
from gong_assets_tests.gong.oauth_server import (
    DAY,
    SECRETS,
    TOKEN_PATH,
    AuthorizingGong,
    MovedClock,
    authorizing,
    new_process,
    read_users,
    restart,
    run,
)

__all__ = ["new_process"]  # the fixture is used by every test


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


# Not a local variable of the test, since these are in the tracebacks that it checks.
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
