"""The receiver behind a real HTTP server: what it stores and how it responds."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from gong_assets.gong.webhook import receiver as module
from gong_assets.gong.webhook.receiver import Receiver, build_app
from gong_assets.gong.webhook.signature import authenticator
from gong_assets.security.http_requests import Hosts
from gong_assets_tests.gong.webhook.signing import TARGET, URL, payload, public_key, signed
from gong_assets_tests.serving import serving

HOSTS = Hosts.of_network(["hooks.example.com"])


@dataclass
class Served:
    """A receiver, its address, and the calls that it stored."""

    receiver: Receiver
    url: str = ""
    stored: list[str] = field(default_factory=list)

    def post(self, body: bytes, authorization: str | None = None, target: str = TARGET) -> int:
        headers = {"authorization": signed(body) if authorization is None else authorization}
        return httpx.post(self.url + target, content=body, headers=headers).status_code


@pytest.fixture
def served() -> Iterator[Served]:
    stored: list[str] = []
    receiver = Receiver(authenticator(URL, public_key()), stored.append)
    with serving(build_app(receiver, HOSTS)) as url:
        yield Served(receiver, url, stored)


def test_an_announcement_is_stored_before_the_response(served: Served) -> None:
    assert served.post(payload("77")) == 200
    assert served.stored == ["77"]
    assert httpx.get(f"{served.url}/health").json() == {
        "status": "ok", "stored": 1, "repeated": 0, "rejected": 0, "tests": 0,
    }  # fmt: skip


def test_a_repeated_request_is_not_stored_again(served: Served) -> None:
    body = payload("77")
    header = signed(body)
    assert [served.post(body, header) for _ in range(3)] == [200, 200, 200]
    assert (served.stored, served.receiver.repeated) == (["77"], 2)
    # The call changed: Gong announces it again.
    assert served.post(payload("77", more=1)) == 200
    assert served.stored == ["77", "77"]


def test_the_test_request_of_the_rule_editor_is_not_stored(served: Served) -> None:
    assert served.post(payload("77", isTest=True)) == 200
    assert (served.stored, served.receiver.tests) == ([], 1)


def test_web_pages_and_unknown_hosts_are_rejected(served: Served) -> None:
    body = payload("77")
    for headers, status in (
        ({"Host": "hooks.example.com"}, 200),
        ({"Host": "rebinding.example"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://["}, 403),
    ):
        signature = {"authorization": signed(body), **headers}
        assert httpx.post(served.url + TARGET, content=body, headers=signature).status_code == status
    assert served.stored == ["77"]


def test_a_forged_request_is_rejected_before_its_body_is_read(served: Served) -> None:
    body = payload("77")
    assert served.post(body, signed(body, key="another")) == 401
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(
            f"POST {TARGET} HTTP/1.1\r\nHost: localhost\r\nAuthorization: forged\r\n"
            "Content-Length: 5000000\r\n\r\n".encode()
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 401")
    assert (served.stored, served.receiver.rejected) == ([], 2)


def test_a_large_or_slow_body_is_rejected(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BODY_BYTES", 1000)
    monkeypatch.setattr(module, "BODY_SECONDS", 0.3)
    large = payload("77", more="x" * 2000)
    assert served.post(large) == 413

    def slowly() -> Iterator[bytes]:
        yield payload("77")[:5]
        time.sleep(1)
        yield payload("77")[5:]

    slow = httpx.post(served.url + TARGET, content=slowly(), headers={"authorization": signed(payload("77"))})
    assert slow.status_code == 408
    assert served.stored == []


def test_other_methods_and_malformed_payloads_are_rejected(served: Served) -> None:
    assert httpx.get(served.url + TARGET).status_code == 405
    assert served.post(b"{}") == 400
    assert served.stored == []


def test_an_announcement_that_could_not_be_stored_is_stored_when_it_is_repeated() -> None:
    stored: list[str] = []
    failures = [OSError("disk full")]

    def store(call_id: str) -> None:
        if failures:
            raise failures.pop()
        stored.append(call_id)

    with serving(build_app(Receiver(authenticator(URL, public_key()), store), HOSTS)) as url:
        body = payload("77")
        headers = {"authorization": signed(body)}
        responses = [httpx.post(url + TARGET, content=body, headers=headers) for _ in range(2)]
    assert [response.status_code for response in responses] == [503, 200]
    assert responses[0].headers["retry-after"] == "60"
    assert stored == ["77"]


def test_the_log_has_neither_the_key_nor_the_payload(caplog: pytest.LogCaptureFixture) -> None:
    url = "https://hooks.example.com/?key=0123456789abcdef-secret"
    with serving(build_app(Receiver(authenticator(url, None), [].append), HOSTS)) as base:
        body = payload("transcript-text")
        httpx.post(f"{base}/?key=0123456789abcdef-secre", content=body)
        httpx.post(f"{base}/?key=0123456789abcdef-secret", content=b"confidential")
    text = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("gong_"))
    assert text.count("Rejected a request") == 2
    assert "0123456789" not in text
    assert "confidential" not in text
