"""Which requests are Gong's, and which call they announce."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gong_assets.gong.webhook.signature import (
    Announcement,
    RejectedRequest,
    authenticator,
    body_digest,
    load_public_key,
    read_announcement,
)
from gong_assets_tests.gong.webhook.signing import TARGET, URL, payload, private_key, public_key, signed

BODY = payload()
CLAIMS = {"webhook_url": URL, "body_sha256": body_digest(BODY)}
NOW = datetime.now(UTC)
SOON = NOW + timedelta(days=1)  # later than any test of this module runs


def accept(authorization: str | None, body: bytes = BODY, target: str = TARGET, url: str = URL) -> None:
    authenticator(url, public_key()).authenticate(target, authorization).check_body(body_digest(body))


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"exp": SOON, "iat": NOW, "nbf": NOW, "aud": "anybody", "iss": "gong"},
        {"webhook_url": "https://HOOKS.example.com:443/gong/calls?team=sales#fragment"},
    ],
)
def test_a_request_signed_by_gong_is_accepted(claims: dict[str, Any]) -> None:
    accept(signed(BODY, **claims))
    accept(f"Bearer {signed(BODY, **claims)}")


@pytest.mark.parametrize("claim", ["exp", "nbf"])
def test_clocks_may_differ_by_a_minute(claim: str) -> None:
    now = datetime.now(UTC)
    by = timedelta(seconds=30) if claim == "nbf" else -timedelta(seconds=30)
    accept(signed(BODY, **{claim: now + by}))


REJECTED: list[tuple[str | None, str]] = [
    (None, "Authorization is missing"),
    ("", "Authorization is missing"),
    ("Bearer ", "Authorization is missing"),
    (f"Basic {signed(BODY)}", "Authorization is missing"),
    ("nonsense", "DecodeError"),
    (signed(BODY, key="another"), "InvalidSignatureError"),
    (jwt.encode(CLAIMS, None, "none"), "InvalidAlgorithm"),
    (jwt.encode(CLAIMS, "k" * 32, "HS256"), "InvalidAlgorithm"),
    (signed(BODY, exp=NOW - timedelta(minutes=5)), "ExpiredSignatureError"),
    (signed(BODY, nbf=SOON), "ImmatureSignatureError"),
    (signed(BODY, webhook_url=None), "MissingRequiredClaimError"),
    (signed(BODY, body_sha256=None), "MissingRequiredClaimError"),
    (signed(BODY, webhook_url="https://evil.example.com/gong/calls?team=sales"), "another URL"),
    (signed(BODY, webhook_url="http://hooks.example.com/gong/calls?team=sales"), "another URL"),
    (signed(BODY, webhook_url="https://hooks.example.com/gong/calls"), "another URL"),
    (signed(BODY, webhook_url="https://hooks.example.com:99999/"), "another URL"),
    (signed(payload("1")), "the body is not the signed one"),
]


@pytest.mark.parametrize(
    ("authorization", "reason"),
    REJECTED,
    ids=[f"{number} {reason}" for number, (_, reason) in enumerate(REJECTED)],
)
def test_any_other_request_is_rejected_with_a_reason(authorization: str | None, reason: str) -> None:
    with pytest.raises(RejectedRequest, match=reason) as rejected:
        accept(authorization)
    assert rejected.value.status == 401


def test_a_key_in_the_url_authenticates_the_exact_url_only() -> None:
    url = "https://hooks.example.com/gong?key=0123456789abcdef"
    in_url = authenticator(url, None)
    in_url.authenticate("/gong?key=0123456789abcdef", None).check_body("anything")
    for target in ("/gong", "/gong?key=", "/gong?key=0123456789abcdeg", "/gong?key=0123456789abcdef&more"):
        with pytest.raises(RejectedRequest, match="does not contain the key"):
            in_url.authenticate(target, None)
    assert "0123456789abcdef" not in repr(in_url)


@pytest.mark.parametrize("url", ["https://h.example", "https://h.example/gong", "https://h.example/?key=abc"])
def test_a_url_without_a_long_key_authenticates_nothing(url: str) -> None:
    with pytest.raises(ValueError, match="a key of 16 characters"):
        authenticator(url, None)


def test_a_public_key_is_read_as_gong_shows_it_and_as_pem() -> None:
    expected = private_key("gong").public_key().public_numbers()
    der, pem = public_key(), public_key(encoding=Encoding.PEM)
    for text in (der, f" {der[:40]}\n{der[40:]} ", pem, pem.replace("\n", "\\n")):
        assert load_public_key(text).public_numbers() == expected


def test_other_keys_are_refused() -> None:
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    pem = curve.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with pytest.raises(ValueError, match="not an RSA public key"):
        load_public_key(pem)
    for text in ("", "abc", "-----BEGIN PUBLIC KEY-----", public_key()[:-20]):
        with pytest.raises(ValueError, match="not a public key"):
            load_public_key(text)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (payload("77"), Announcement("77", is_test=False)),
        (payload(7782342274025937895), Announcement("7782342274025937895", is_test=False)),
        (payload("77", isTest=True, unknown=[1]), Announcement("77", is_test=True)),
    ],
)
def test_the_call_of_a_payload(body: bytes, expected: Announcement) -> None:
    assert read_announcement(body) == expected


MALFORMED = [b"", b"{", b"[]", b"{}", b'{"callData": null}', b'{"callData": {"metaData": {}}}', payload(None),
 payload(["1"]), payload(""), payload("1'; drop"), payload("1" * 65), payload("１"), b"\xff\xfe",
 b"[" * 100_000]  # fmt: skip


@pytest.mark.parametrize("body", MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_payload_is_rejected(body: bytes) -> None:
    with pytest.raises(RejectedRequest) as rejected:
        read_announcement(body)
    assert rejected.value.status == 400
