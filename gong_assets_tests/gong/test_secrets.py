"""No secret appears in a log, a traceback or a repr."""

from __future__ import annotations

import asyncio
import logging
import traceback
from typing import Any

import pytest

from gong_assets.gong import BearerAuth, GongClient, GongConfig, GongError
from gong_assets_tests.gong.fake_gong import FakeGong, error_response
from gong_assets_tests.gong.helpers import KEY, gong_with_calls, local_config, read
from gong_assets_tests.gong.http_server import replaced_by, serving

TOKEN = BearerAuth("bearer-token-9913")
SECRETS = ["access-key-7391", "secret-5527", "bearer-token-9913", "YWNjZXNzLWtleS03MzkxOnNlY3JldC01NTI3"]


def shows_a_secret(*things: Any) -> bool:
    text = " ".join(f"{thing} {thing!r}" for thing in things)
    return any(secret in text for secret in SECRETS)


def test_no_repr_shows_a_secret() -> None:
    for auth in (KEY, TOKEN):
        settings = GongConfig(auth=auth)
        client = GongClient(settings)
        assert not shows_a_secret(auth, settings, client, client.stats, vars(client))


def test_no_error_traceback_or_log_line_shows_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def work() -> None:
        async with serving(gong_with_calls(250)) as server:
            server.faults += [replaced_by(error_response(500, "Internal server error occurred"))] * 3
            server.faults += [replaced_by(error_response(401, "Validate credentials failed"))]
            await read(local_config(server.base_url))

    with pytest.raises(GongError) as caught:
        asyncio.run(work())
    text = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert not shows_a_secret(text, caplog.text)
    assert "retried after" in caplog.text


@pytest.mark.parametrize(
    ("auth", "header"),
    [(KEY, "Basic YWNjZXNzLWtleS03MzkxOnNlY3JldC01NTI3"), (TOKEN, "Bearer bearer-token-9913")],
)
def test_credentials_are_sent_in_the_authorization_header(auth: Any, header: str) -> None:
    gong = FakeGong()

    async def work() -> None:
        async with serving(gong) as server:
            await read(GongConfig(base_url=server.base_url, auth=auth))

    asyncio.run(work())
    assert gong.log[0].headers["authorization"] == header
