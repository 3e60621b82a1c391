"""The checks of requests that all servers share, over real HTTP."""

from __future__ import annotations

import gzip
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from gong_assets.gong.webhook.receiver import Receiver
from gong_assets.gong.webhook.receiver import build_app as build_webhook_app
from gong_assets.gong.webhook.signature import authenticator
from gong_assets.local.gong_tenant.app import TenantOptions, create_app
from gong_assets.local.snowflake.server import http_api, http_server
from gong_assets.security.http_requests import Hosts, KnownHosts, LimitedRequests, Limits, RequestRejected
from gong_assets_tests.gong.webhook.signing import URL, public_key
from gong_assets_tests.serving import serving

pytestmark = pytest.mark.slow

LIMITS = Limits(body_bytes=1000, body_seconds=0.3)


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse((await request.body()).decode())


def app(hosts: Hosts = Hosts(), limits: Limits = LIMITS) -> Starlette:  # noqa: B008
    middleware = [Middleware(KnownHosts, hosts), Middleware(LimitedRequests, limits)]
    return Starlette(routes=[Route("/", echo, methods=["POST"])], middleware=middleware)


def servers() -> dict[str, Starlette]:
    """Return the applications of all servers but MCP's, whose tests are in `agents/`."""
    receiver = Receiver(authenticator(URL, public_key()), [].append)
    return {
        "webhook": build_webhook_app(receiver, Hosts.of_network(["hooks.example.com"])),
        "tenant": create_app(TenantOptions(calls_per_day=1)),
        "snowflake": Starlette(
            routes=[Route("/", echo, methods=["POST"])], middleware=http_server.MIDDLEWARE
        ),
    }


@pytest.mark.parametrize("name", ["webhook", "tenant", "snowflake"])
def test_each_server_rejects_web_pages_in_the_same_words(name: str) -> None:
    with serving(servers()[name]) as url:
        for headers, words in (
            ({"Host": "rebinding.example"}, "Unknown host 'rebinding.example'."),
            ({"Host": "127.0.0.1.example:80"}, "Unknown host '127.0.0.1.example'."),
            ({"Host": ""}, "Unknown host ''."),
            ({"Origin": "http://evil.example"}, "Requests from web pages of another origin are rejected."),
            ({"Origin": "http://localhost:3000"}, "Requests from web pages of another origin are rejected."),
            ({"Origin": "null"}, "Requests from web pages of another origin are rejected."),
            ({"Origin": "http://[::1"}, "Requests from web pages of another origin are rejected."),
        ):
            response = httpx.post(url, headers=headers)
            assert (response.status_code, response.text[: len(words)]) == (403, words), headers
        assert httpx.post(url).status_code != 403


@pytest.mark.parametrize(
    ("hosts", "accepted", "rejected"),
    [
        (Hosts(), ["127.0.0.1:80", "LOCALHOST", "[::1]:80"], ["192.0.2.1", "acme.example", "127.0.0.2"]),
        (
            Hosts.of_loopback(["Calls.Acme.example"]),
            ["localhost:1", "calls.acme.example"],
            ["192.0.2.1", "acme.example", "calls.acme.example.evil.example"],
        ),
        (
            Hosts.of_network(["calls.acme.example"]),
            ["192.0.2.1:80", "[2001:db8::1]:80", socket.gethostname(), "calls.acme.example:8443"],
            ["evil.example", "192.0.2.1.evil.example", "[", "user@evil.example"],
        ),
    ],
)  # fmt: skip
def test_hosts(hosts: Hosts, accepted: list[str], rejected: list[str]) -> None:
    with serving(app(hosts)) as url:
        for host, status in (*((each, 200) for each in accepted), *((each, 403) for each in rejected)):
            assert httpx.post(url, headers={"Host": host}).status_code == status, host


def test_two_hosts_are_none() -> None:
    host = (b"host", b"127.0.0.1")
    Hosts().check({"headers": [host]})
    with pytest.raises(RequestRejected):
        Hosts().check({"headers": [host, host]})


def test_a_large_or_slow_body_is_rejected_and_another_is_passed_on() -> None:
    def slowly() -> Iterator[bytes]:
        yield b"a"
        time.sleep(1)
        yield b"b"

    def in_parts() -> Iterator[bytes]:
        yield from (b"x" * 600, b"y" * 600)

    with serving(app()) as url:
        assert httpx.post(url, content=b"x" * 1000).text == "x" * 1000
        assert httpx.post(url, content=b"x" * 1001).status_code == 413
        assert httpx.post(url, content=in_parts()).status_code == 413
        assert httpx.post(url, content=slowly()).status_code == 408


def test_limits_of_the_answer_are_optional() -> None:
    async def slow(request: Request) -> PlainTextResponse:
        import asyncio

        await asyncio.sleep(0.5)
        return PlainTextResponse("done")

    for seconds, status in ((None, 200), (0.1, 504)):
        middleware = [Middleware(LimitedRequests, replace(LIMITS, request_seconds=seconds))]
        with serving(Starlette(routes=[Route("/", slow)], middleware=middleware)) as url:
            assert httpx.get(url).status_code == status


def test_the_error_of_an_application_is_its_own() -> None:
    async def failing(request: Request) -> PlainTextResponse:
        raise TimeoutError("of the application")

    middleware = [Middleware(LimitedRequests, replace(LIMITS, request_seconds=5))]
    with serving(Starlette(routes=[Route("/", failing)], middleware=middleware)) as url:
        assert httpx.get(url).status_code == 500


def test_a_compressed_statement_is_limited_after_decompression(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_api, "MAX_BODY_BYTES", 10_000)

    async def parse(request: Request) -> PlainTextResponse:
        return PlainTextResponse(json.dumps(await http_api._body(request)))

    headers = {"Content-Encoding": "gzip"}
    with serving(Starlette(routes=[Route("/", parse, methods=["POST"])])) as url:
        body = json.dumps({"sqlText": "select 1"}).encode()
        assert httpx.post(url, content=gzip.compress(body), headers=headers).json() == {"sqlText": "select 1"}
        for content, status in (
            (gzip.compress(b" " * 1_000_000), 413),
            (gzip.compress(body)[:-10], 400),
            (b"no gzip", 400),
            (gzip.compress(b"{"), 400),
            (gzip.compress(b"[]"), 400),
        ):
            assert httpx.post(url, content=content, headers=headers).status_code == status, content[:20]
