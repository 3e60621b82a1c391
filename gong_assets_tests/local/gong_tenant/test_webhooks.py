"""The tenant's automation rule, against the receiver of the project."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest

from gong_assets.gong.webhook.receiver import Receiver, build_app
from gong_assets.gong.webhook.signature import authenticator
from gong_assets.security.http_requests import Hosts
from gong_assets_tests.serving import serving

from .conftest import NOW, serve

URL = "/gong"
# Replaced when the address of the receiver is known.
PLACEHOLDER = authenticator("http://placeholder.example/0123456789abcdef", None)


@pytest.fixture
def gong() -> Iterator[httpx.Client]:
    with serve() as client:
        yield client


def register(gong: httpx.Client, url: str) -> str:
    gong.post("/simulator/webhook", json={"url": url}).raise_for_status()
    return str(gong.get("/simulator/webhook").raise_for_status().json()["publicKey"])


def test_an_added_call_is_announced_and_served_with_its_transcript(gong: httpx.Client) -> None:
    stored: list[str] = []
    receiver = Receiver(
        authenticator("http://placeholder.example/gong-0123456789abcdef", None), stored.append
    )
    with serving(build_app(receiver, Hosts())) as base:
        receiver.authenticator = authenticator(base + URL, register(gong, base + URL))
        call_id = gong.post("/simulator/calls").json()["id"]
        other = gong.post("/simulator/calls").json()["id"]
    assert stored == [call_id, other]
    assert receiver.rejected == 0
    body = {"filter": {"callIds": [call_id]}}
    (call,) = gong.post("/v2/calls/extensive", json=body).json()["calls"]
    assert call["metaData"]["id"] == call_id
    (transcript,) = gong.post("/v2/calls/transcript", json=body).json()["callTranscripts"]
    assert transcript["callId"] == call_id
    day = {"fromDateTime": "2026-03-14T00:00:00Z", "toDateTime": "2026-03-15T00:00:00Z"}
    listed = [each["id"] for each in gong.get("/v2/calls", params=day).json()["calls"]]
    assert {call_id, other} <= set(listed)


def test_calls_are_announced_when_their_processing_ends() -> None:
    stored: list[str] = []
    with serve() as gong:
        receiver = Receiver(
            authenticator("http://placeholder.example/gong-0123456789abcdef", None), stored.append
        )
        with serving(build_app(receiver, Hosts())) as base:
            receiver.authenticator = authenticator(base + URL, register(gong, base + URL))
            time.sleep(0.2)
            # On Monday evening the calls of the day have been processed.
            later = NOW.replace(day=17, hour=6)
            gong.post("/simulator/clock", json={"now": later.isoformat()}).raise_for_status()
            day = {"fromDateTime": "2026-03-16T00:00:00Z", "toDateTime": "2026-03-17T06:00:00Z"}
            listed = {each["id"] for each in gong.get("/v2/calls", params=day).json()["calls"]}
            assert listed
            for _ in range(300):
                if listed <= set(stored):
                    break
                time.sleep(0.1)
    assert listed <= set(stored)


def test_a_receiver_that_does_not_answer_fails_nothing(gong: httpx.Client) -> None:
    register(gong, "http://127.0.0.1:9/gong")
    assert gong.post("/simulator/calls").status_code == 200


def test_the_webhook_needs_the_key_of_the_tenant(gong: httpx.Client) -> None:
    for request in (("GET", "/simulator/webhook"), ("POST", "/simulator/calls")):
        assert gong.request(*request, auth=("local", "wrong")).status_code == 401
