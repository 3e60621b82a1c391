"""Sign-in, limits and audit log of the MCP server over HTTP."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from gong_assets.agents.http_access import LIMITS, Access, SignIn, asked, audit_log
from gong_assets.agents.tokens import PREFIX, TokenError, Tokens

ANSWER = b"The customer said: our transcript is secret."


def question(text: str = "Which deals are at risk?") -> bytes:
    parameters = {"name": "similar_calls", "arguments": {"text": text}}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": parameters}).encode()


async def answering(scope: Any, receive: Any, send: Any) -> None:
    body = (await receive())["body"]
    if b"slow" in body:
        await asyncio.sleep(30)
    if b"wait" in body:
        await asyncio.sleep(0.3)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": ANSWER})


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    return Tokens(tmp_path / "tokens.json")


def post(access: Access, *bodies: Any, token: str | None = None) -> list[httpx.Response]:
    """Send all of these requests at once."""

    async def send() -> list[httpx.Response]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(access)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost", headers=headers
        ) as client:
            return await asyncio.gather(*(client.post("/mcp", content=body) for body in bodies))

    return asyncio.run(send())


def access(tokens: Tokens | None, log: logging.Logger | None = None, **limits: Any) -> Access:
    return Access(
        answering,
        SignIn(tokens),
        log or logging.Logger("unused"),
        open_paths=("/health",),
        limits=replace(LIMITS, **limits),
    )


def test_a_request_needs_a_token_until_it_is_revoked(tokens: Tokens) -> None:
    alice, bob = tokens.add("alice"), tokens.add("bob")
    guarded = access(tokens)
    for token in (None, "", "alice", f"{PREFIX}wrong", alice[:-1]):
        (response,) = post(guarded, question(), token=token)
        assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
        assert ANSWER not in response.content
    assert [post(guarded, question(), token=each)[0].status_code for each in (alice, bob)] == [200, 200]
    tokens.revoke("alice")
    assert [post(guarded, question(), token=each)[0].status_code for each in (alice, bob)] == [401, 200]
    tokens.revoke("bob")
    assert post(guarded, question(), token=bob)[0].status_code == 401


def test_the_file_has_hashes_only_and_is_private(tokens: Tokens) -> None:
    token = tokens.add("alice")
    assert token.removeprefix(PREFIX) not in tokens.file.read_text()
    assert tokens.file.stat().st_mode & 0o777 == 0o600
    assert list(tokens.created_at()) == ["alice"]
    with pytest.raises(TokenError, match="already"):
        tokens.add("alice")
    with pytest.raises(TokenError, match="no token named"):
        tokens.revoke("bob")
    with pytest.raises(TokenError, match="a name has"):
        tokens.add("a\nb")


def test_bodies_time_and_concurrency_are_limited() -> None:
    guarded = access(None, request_seconds=0.2)
    (large,) = post(guarded, b" " * (LIMITS.body_bytes + 1))
    assert large.status_code == 413
    (slow,) = post(guarded, question("slow"))
    assert slow.status_code == 504
    responses = post(access(None, concurrent=2), *[question("wait")] * 5)
    assert sorted(each.status_code for each in responses) == [200, 200, 503, 503, 503]

    async def dripping() -> int:
        sent: list[Any] = []

        async def receive() -> Any:
            await asyncio.sleep(30)

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "path": "/mcp", "headers": [], "client": ("127.0.0.1", 1)}
        await access(None, body_seconds=0.1)(scope, receive, send)
        return int(sent[0]["status"])

    assert asyncio.run(dripping()) == 408


def test_an_answer_that_takes_too_long_is_cut_off_and_not_begun_again(tmp_path: Path) -> None:
    sent: list[str] = []

    async def endless(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(30)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    scope = {"type": "http", "path": "/mcp", "headers": [], "client": ("127.0.0.1", 1)}
    log = audit_log(tmp_path / "mcp.log")
    guarded = Access(endless, SignIn(), log, limits=replace(LIMITS, request_seconds=0.1))
    asyncio.run(guarded(scope, receive, send))
    assert sent == ["http.response.start"]
    assert json.loads((tmp_path / "mcp.log").read_text())["status"] == 504


def test_the_audit_log_has_who_asked_what_and_no_answer_or_token(tokens: Tokens, tmp_path: Path) -> None:
    token = tokens.add("alice")
    log = audit_log(tmp_path / "audit" / "mcp.log")
    guarded = access(tokens, log)
    post(guarded, question("price\n\x1b[31m" + "x" * 1000), token=token)
    post(guarded, question("not signed in"))
    post(guarded, b"no json", token=token)
    text = (tmp_path / "audit" / "mcp.log").read_text()
    asked, refused, other = map(json.loads, text.splitlines())
    assert (asked["token"], asked["status"], asked["tool"]) == ("alice", 200, "similar_calls")
    assert asked["arguments"]["text"].startswith("price\n")
    assert len(asked["arguments"]["text"]) == 200
    assert "\x1b" not in text
    # What was asked without a token is not worth a line of its text.
    assert (refused["token"], refused["status"], "arguments" in refused) == (None, 401, False)
    assert (other["status"], "tool" in other) == (200, False)
    assert "secret" not in text
    assert token not in text
    assert (tmp_path / "audit" / "mcp.log").stat().st_mode & 0o777 == 0o600


def test_arguments_that_are_no_texts_are_logged_as_json() -> None:
    arguments = {"limit": 5, "rep": None, "external": True, "days": ["ü"], "text": "null"}
    request = {"method": "tools/call", "params": {"name": "calls", "arguments": arguments}}
    found = asked(json.dumps(request).encode())
    assert found["arguments"] == {
        "limit": "5", "rep": "null", "external": "true", "days": '["\\u00fc"]', "text": "null",
    }  # fmt: skip


def test_every_file_of_the_audit_log_is_private(tmp_path: Path) -> None:
    file = tmp_path / "mcp.log"
    file.write_text("of an earlier version\n")
    file.chmod(0o644)
    umask = os.umask(0o022)
    try:
        log = audit_log(file, max_bytes=100)
        for number in range(5):
            log.info(f"{number} {'x' * 90}")
    finally:
        os.umask(umask)
    modes = {each.name: oct(each.stat().st_mode & 0o777) for each in tmp_path.iterdir()}
    assert modes == {f"mcp.log{end}": "0o600" for end in ("", ".1", ".2", ".3", ".4", ".5")}


def test_health_needs_no_token(tokens: Tokens) -> None:
    tokens.add("alice")

    async def get() -> int:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(access(tokens)), base_url="http://localhost"
        ) as client:
            return (await client.get("/health")).status_code

    assert asyncio.run(get()) == 200
