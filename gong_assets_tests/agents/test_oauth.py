"""The MCP server as an OAuth resource server, with a real authorization server over HTTP."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any, NoReturn

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from gong_assets.agents import mcp_server, oauth
from gong_assets.agents.http_access import SignIn
from gong_assets.agents.oauth import (
    AccessTokens,
    AuthorizationServerUnreachable,
    InsufficientScope,
    InvalidToken,
    OAuth,
    find_jwks_url,
)
from gong_assets.agents.tokens import Tokens
from gong_assets.security.http_requests import Hosts
from gong_assets_tests.agents.authorization_server import (
    RESOURCE,
    AuthorizationServer,
    authorization_server,
)
from gong_assets_tests.serving import serving


@pytest.fixture
def server() -> Iterator[AuthorizationServer]:
    with authorization_server() as started:
        yield started


def verification(server: AuthorizationServer, *scopes: str, cooldown: float = 0) -> AccessTokens:
    return AccessTokens(OAuth(server.issuer, RESOURCE, scopes), cooldown_seconds=cooldown)


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def signed_with_the_public_key(server: AuthorizationServer) -> str:
    """Return a token that is valid where the algorithm of its header is believed."""
    signed = f"{part({'alg': 'HS256', 'kid': next(iter(server.keys))})}.{part(server.claims())}"
    mac = hmac.new(server.public_pem(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def test_a_valid_token_names_its_subject(server: AuthorizationServer) -> None:
    access = verification(server, "calls:read")
    assert access.subject_of(server.token()) == "alice@acme.example"
    assert access.subject_of(server.token(sub=None)) == "agent"
    assert access.subject_of(server.token(aud=["other", f"{RESOURCE}/"])) == "alice@acme.example"
    assert access.subject_of(server.token(scope=None, scp=["calls:read"])) == "alice@acme.example"
    assert server.fetches == 1


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://other.example/mcp"},
        {"aud": "https://calls.acme.example"},
        {"aud": None},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"nbf": 4_000_000_000},
        {"iss": "https://evil.example"},
        {"iss": None},
    ],
)
def test_a_token_for_others_is_invalid(server: AuthorizationServer, claims: dict[str, Any]) -> None:
    with pytest.raises(InvalidToken):
        verification(server).subject_of(server.token(**claims))


def test_a_token_of_another_key_or_algorithm_is_invalid(server: AuthorizationServer) -> None:
    access = verification(server)
    key_id = next(iter(server.keys))
    foreign = generate_private_key(65537, 2048)
    forged = {
        "another key": jwt.encode(server.claims(), foreign, "RS256", headers={"kid": key_id}),
        "no key": jwt.encode(server.claims(), foreign, "RS256"),
        "alg none": f"{part({'alg': 'none', 'kid': key_id})}.{part(server.claims())}.",
        "HS256 with the public key": signed_with_the_public_key(server),
        "another hash": jwt.encode(server.claims(), server.keys[key_id], "RS512", headers={"kid": key_id}),
        "no signature": server.token().rpartition(".")[0] + ".",
        "no token": "abc",
        "empty": "",
    }
    for name, token in forged.items():
        with pytest.raises(InvalidToken):
            pytest.fail(f"{name}: {access.subject_of(token)}")
    assert access.subject_of(server.token())


def test_a_token_without_a_required_scope_is_insufficient(server: AuthorizationServer) -> None:
    for scope in (None, "", "calls", "calls:read:all", "openid"):
        with pytest.raises(InsufficientScope):
            verification(server, "calls:read").subject_of(server.token(scope=scope))
    with pytest.raises(InsufficientScope):
        verification(server, "calls:read", "calls:search").subject_of(server.token())


def test_rotated_keys_are_fetched_when_a_token_names_one(server: AuthorizationServer) -> None:
    access = verification(server)
    old = server.token()
    assert access.subject_of(old)
    server.rotate()
    assert access.subject_of(server.token())
    assert server.fetches == 2
    with pytest.raises(InvalidToken):
        access.subject_of(old)


def test_unknown_keys_do_not_make_the_server_fetch_each_time(server: AuthorizationServer) -> None:
    access = verification(server, cooldown=30)
    for number in range(20):
        with pytest.raises(InvalidToken):
            access.subject_of(server.token(headers={"kid": f"unknown-{number}"}))
    assert server.fetches <= 2


def test_a_server_that_does_not_answer_makes_no_token_valid(server: AuthorizationServer) -> None:
    access = verification(server)
    token = server.token()
    server.fails = True
    with pytest.raises(AuthorizationServerUnreachable):
        access.subject_of(token)
    server.fails = False
    assert access.subject_of(token)
    server.fails = True
    assert access.subject_of(token)  # The keys are known.


def test_tokens_do_not_wait_for_a_server_that_does_not_answer(
    server: AuthorizationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oauth, "RETRY_SECONDS", 3600)
    access = verification(server, cooldown=3600)
    known = server.token()
    assert access.subject_of(known)
    server.fails = True
    assert access._keys
    assert access._keys.jwk_set_cache
    access._keys.jwk_set_cache.jwk_set_with_timestamp = None  # expired
    fetches = server.fetches
    for _ in range(10):
        with pytest.raises(AuthorizationServerUnreachable):
            access.subject_of(known)
    assert server.fetches == fetches + 1


def test_tokens_do_not_wait_for_metadata_that_cannot_be_read(
    server: AuthorizationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oauth, "RETRY_SECONDS", 3600)
    requested: list[str] = []

    def request(url: str, **options: Any) -> httpx.Response:
        requested.append(url)
        return get(url, **options)

    get = httpx.get
    monkeypatch.setattr(httpx, "get", request)
    access = AccessTokens(OAuth("http://127.0.0.1:9", RESOURCE), cooldown_seconds=3600)
    documents = ["oauth-authorization-server", "openid-configuration"]
    for pauses in (1, 2):
        for _ in range(10):
            with pytest.raises(AuthorizationServerUnreachable):
                access.subject_of(server.token())
        assert requested == [f"http://127.0.0.1:9/.well-known/{name}" for name in documents * pauses]
        access._paused_until = 0  # The pause has ended.


def test_metadata_must_be_those_of_the_issuer(server: AuthorizationServer) -> None:
    assert find_jwks_url(server.issuer) == f"{server.issuer}/keys"
    server.named_issuer = "https://other.example"
    with pytest.raises(AuthorizationServerUnreachable, match="names another issuer"):
        find_jwks_url(server.issuer)
    with authorization_server("openid-configuration") as other:
        assert find_jwks_url(other.issuer) == f"{other.issuer}/keys"


@pytest.mark.parametrize(
    "url", ["http://idp.example", "file:///etc/passwd", "https://", "https://u:p@idp.example"]
)
def test_a_url_that_anybody_could_answer_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="should be an https URL"):
        OAuth(url, RESOURCE)
    with pytest.raises(ValueError, match="should be an https URL"):
        OAuth("https://idp.example", RESOURCE, jwks_url=url)


def no_warehouse() -> NoReturn:
    raise AssertionError("the warehouse is not needed")


@pytest.fixture
def served(server: AuthorizationServer, tmp_path: Path) -> Iterator[str]:
    """The address of an MCP server that accepts tokens of both kinds."""
    app = mcp_server.build_app(
        no_warehouse,
        lambda error: None,
        Hosts.of_loopback(["calls.acme.example"]),
        tokens=Tokens(tmp_path / "tokens.json"),
        oauth=OAuth(server.issuer, RESOURCE, ("calls:read",)),
        audit_file=tmp_path / "audit.log",
    )
    with serving(app, lifespan="on") as url:
        yield url


PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
ACCEPT = {"Accept": "application/json, text/event-stream"}


def post(url: str, token: str | None) -> httpx.Response:
    headers = {**ACCEPT, **({"Authorization": f"Bearer {token}"} if token else {})}
    return httpx.post(f"{url}/mcp", json=PING, headers=headers)


def audit(file: Path, count: int) -> list[dict[str, Any]]:
    """Return the lines of the audit log once there are as many: a line follows its response."""
    deadline = time.monotonic() + 5
    while len(lines := file.read_text().splitlines()) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return [json.loads(line) for line in lines]


def test_a_client_finds_the_authorization_server(served: str, server: AuthorizationServer) -> None:
    refused = post(served, None)
    metadata_url = "https://calls.acme.example/.well-known/oauth-protected-resource/mcp"
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == (
        f'Bearer scope="calls:read", resource_metadata="{metadata_url}"'
    )
    for path in ("/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"):
        metadata = httpx.get(f"{served}{path}", headers={"Host": "calls.acme.example"}).json()
        assert metadata["resource"] == RESOURCE
        assert metadata["authorization_servers"] == [server.issuer]
        assert metadata["scopes_supported"] == ["calls:read"]
        assert metadata["bearer_methods_supported"] == ["header"]
    assert httpx.get(f"{served}/.well-known/x").status_code == 401


def test_answers_for_each_kind_of_token(served: str, server: AuthorizationServer, tmp_path: Path) -> None:
    named = Tokens(tmp_path / "tokens.json").add("bob")
    assert post(served, server.token()).status_code == 200
    assert post(served, named).status_code == 200
    invalid = post(served, server.token(aud="https://other.example"))
    assert (invalid.status_code, 'error="invalid_token"' in invalid.headers["www-authenticate"]) == (
        401,
        True,
    )
    lacking = post(served, server.token(scope="openid"))
    assert lacking.status_code == 403
    assert 'error="insufficient_scope", scope="calls:read"' in lacking.headers["www-authenticate"]
    server.fails = True
    # In the URL a token would be in the logs of proxies, so it does not count.
    assert httpx.post(f"{served}/mcp?access_token={server.token()}", json=PING).status_code == 401
    lines = audit(tmp_path / "audit.log", 5)
    assert [(each["token"], each["status"]) for each in lines] == [
        ("alice@acme.example", 200), ("bob", 200), (None, 401), (None, 403), (None, 401),
    ]  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS"])
def test_only_post_is_allowed_because_there_are_no_sessions(
    served: str, server: AuthorizationServer, method: str
) -> None:
    signed_in = {**ACCEPT, "Authorization": f"Bearer {server.token()}"}
    assert httpx.request(method, f"{served}/mcp", headers=ACCEPT).status_code == 401
    response = httpx.request(method, f"{served}/mcp", headers=signed_in)
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert httpx.get(f"{served}/nothing", headers=signed_in).status_code == 404


def test_while_keys_cannot_be_read_the_answer_is_503(served: str, server: AuthorizationServer) -> None:
    server.fails = True
    response = post(served, server.token())
    assert (response.status_code, response.headers["retry-after"]) == (503, "10")


@pytest.mark.parametrize("page", ["<html>Down for maintenance</html>", "[]", "{}", '{"keys": []}'])
def test_an_answer_without_keys_is_503_and_is_not_fetched_for_each_token(
    served: str, server: AuthorizationServer, page: str
) -> None:
    server.page = page
    assert [post(served, server.token()).status_code for _ in range(5)] == [503] * 5
    assert server.fetches == 1


def test_a_connection_that_is_reset_within_the_keys_makes_no_token_valid(server: AuthorizationServer) -> None:
    def answer_and_reset(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.recv(1 << 16)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        time.sleep(0.2)  # Otherwise the reset would overtake the header.
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=answer_and_reset, args=[listener], daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        access = AccessTokens(OAuth(server.issuer, RESOURCE, jwks_url=url))
        with pytest.raises(AuthorizationServerUnreachable, match="reset by peer"):
            access.subject_of(server.token())


def test_the_official_client_connects_with_an_access_token(served: str, server: AuthorizationServer) -> None:
    async def tools(token: str) -> list[str]:
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            httpx.AsyncClient(headers=headers) as http,
            Client(streamable_http_client(f"{served}/mcp", http_client=http)) as client,
        ):
            return [tool.name for tool in (await client.list_tools()).tools]

    assert "read_transcript" in asyncio.run(tools(server.token()))
    with pytest.raises(Exception):  # noqa: B017, PT011
        asyncio.run(tools(server.token(exp=1)))


def test_without_oauth_a_jwt_is_no_token(server: AuthorizationServer, tmp_path: Path) -> None:
    from gong_assets.security.http_requests import RequestRejected

    sign_in = SignIn(Tokens(tmp_path / "tokens.json"))
    scope = {"headers": [(b"authorization", f"Bearer {server.token()}".encode())]}
    with pytest.raises(RequestRejected) as caught:
        asyncio.run(sign_in.name(scope))
    assert (caught.value.status, caught.value.headers) == (401, {"www-authenticate": "Bearer"})
