"""Authentication of a webhook request, and the call that it announces.

Gong signs a request with a JWT (RS256) in the header `Authorization`, without the word Bearer. Its claims are
`webhook_url` and `body_sha256`, the hexadecimal SHA-256 of the body. The rule editor shows the public key as
base64 of DER, without the lines of PEM. The other mode of an automation rule is a URL that contains a key;
then the URL is the only secret.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

# Clocks of Gong and of the receiver may differ by this much when `exp`, `nbf` and `iat` are checked.
LEEWAY_SECONDS = 60
# Shorter keys in a URL can be guessed.
MIN_URL_KEY_LENGTH = 16
MAX_CALL_ID_LENGTH = 64


class RejectedRequest(Exception):
    """The request is not a webhook of Gong's. `status` is the HTTP status of the response."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Announcement:
    """A processed call. `is_test` is True for the test request of the rule editor."""

    call_id: str
    is_test: bool


@dataclass(frozen=True)
class Claims:
    """What an accepted header says about the body; None if it says nothing."""

    body_sha256: str | None

    def check_body(self, digest: str) -> None:
        """Raise RejectedRequest if the body is not the one that was signed."""
        if self.body_sha256 is not None and not hmac.compare_digest(self.body_sha256.lower(), digest):
            raise RejectedRequest(401, "the body is not the signed one")


class Authenticator(Protocol):
    """Accepts or rejects a request before its body is read."""

    def authenticate(self, target: str, authorization: str | None) -> Claims:
        """Check a request for `target`, its path and query.

        Raises:
            RejectedRequest: the request is not one of Gong's.
        """


@dataclass(frozen=True)
class SignedRequests:
    """Requests signed by Gong.

    Args:
        url: the URL in Gong's rule.
        public_key: key from the rule editor.
    """

    url: str
    public_key: RSAPublicKey = field(repr=False)

    def authenticate(self, target: str, authorization: str | None) -> Claims:
        scheme, _, token = (authorization or "").strip().rpartition(" ")
        if scheme.lower() not in ("", "bearer") or token.lower() == "bearer":
            token = ""
        if not token:
            raise RejectedRequest(401, "the header Authorization is missing")
        try:
            claims = jwt.decode(
                token,
                self.public_key,
                algorithms=["RS256"],
                leeway=LEEWAY_SECONDS,
                options={"require": ["webhook_url", "body_sha256"], "verify_aud": False},
            )
        except jwt.PyJWTError as error:
            raise RejectedRequest(401, f"the signature is invalid: {type(error).__name__}") from error
        if not _is_same_url(str(claims["webhook_url"]), self.url):
            raise RejectedRequest(401, "the request was signed for another URL")
        return Claims(body_sha256=str(claims["body_sha256"]))


@dataclass(frozen=True)
class KeyInUrl:
    """Requests to a URL that only Gong knows: anybody who learns it can announce calls."""

    url: str = field(repr=False)

    def authenticate(self, target: str, authorization: str | None) -> Claims:
        if not hmac.compare_digest(target.encode(), _target(self.url).encode()):
            raise RejectedRequest(401, "the URL does not contain the key")
        return Claims(body_sha256=None)


def authenticator(url: str, public_key: str | None) -> Authenticator:
    """Return the authenticator for the URL in Gong's rule, and for its public key if it signs requests.

    Raises:
        ValueError: the key cannot be read, or the URL contains no key either.
    """
    if public_key is not None:
        return SignedRequests(url, load_public_key(public_key))
    key = max((part for part in _target(url).replace("=", "/").replace("&", "/").split("/")), key=len)
    if len(key) < MIN_URL_KEY_LENGTH:
        raise ValueError(f"a URL that authenticates requests needs a key of {MIN_URL_KEY_LENGTH} characters")
    return KeyInUrl(url)


def load_public_key(text: str) -> RSAPublicKey:
    """Return an RSA public key given as PEM, or as base64 of DER as in Gong's rule editor.

    Raises:
        ValueError: it is neither.
    """
    try:
        if "-----BEGIN" in text:
            key = load_pem_public_key(text.replace("\\n", "\n").encode())
        else:
            key = load_der_public_key(b64decode("".join(text.split()), validate=True))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError("not a public key in PEM, or in base64 as Gong's rule editor shows it") from error
    if not isinstance(key, RSAPublicKey):
        raise ValueError("not an RSA public key")
    return key


class _MetaData(msgspec.Struct):
    id: str | int


class _CallData(msgspec.Struct):
    meta_data: _MetaData = msgspec.field(name="metaData")


class _Payload(msgspec.Struct):
    call_data: _CallData = msgspec.field(name="callData")
    is_test: bool = msgspec.field(name="isTest", default=False)


_DECODER = msgspec.json.Decoder(_Payload)


def read_announcement(body: bytes) -> Announcement:
    """Return the call that an authenticated body announces.

    Raises:
        RejectedRequest: the body is not Gong's payload.
    """
    try:
        payload = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RejectedRequest(400, "the body is not the payload of a call") from error
    call_id = str(payload.call_data.meta_data.id)
    if not (call_id.isascii() and call_id.isalnum() and len(call_id) <= MAX_CALL_ID_LENGTH):
        raise RejectedRequest(400, "the ID of the call is invalid")
    return Announcement(call_id, payload.is_test)


def body_digest(body: bytes) -> str:
    """Return the hexadecimal SHA-256 of a body."""
    return hashlib.sha256(body).hexdigest()


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _is_same_url(first: str, second: str) -> bool:
    """Return True if origin, path and query are the same; a fragment is not sent."""
    return _origin(first) == _origin(second) and _target(first) == _target(second)


def _origin(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return ("", url, None)
    return parts.scheme, (parts.hostname or "").lower(), port
