"""Access tokens of an OAuth authorization server, for the MCP server as a resource server.

https://modelcontextprotocol.io/specification/2025-06-18/basic/authorization. A token is a JWT (RFC 9068) that
the server named by `issuer` signed for the audience `resource` (RFC 8707). Its keys are found by the metadata
of that server (RFC 8414, OpenID Connect Discovery), and are fetched again when they expire or when a token
names an unknown one.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt

# Signatures by a private key. With HS256, the public key would be a password that everybody knows.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
LEEWAY_SECONDS = 30
FETCH_SECONDS = 5
# After a fetch, tokens with unknown keys cause no other one for this time.
COOLDOWN_SECONDS = 30.0
# After a fetch that failed. Otherwise each token would wait for a server that does not answer.
RETRY_SECONDS = 5.0
KEYS_LIFESPAN_SECONDS = 300


class InvalidToken(Exception):
    """An access token is not valid for this server. The message is for the log."""


class InsufficientScope(Exception):
    """An access token is valid, and has not every required scope."""


class AuthorizationServerUnreachable(Exception):
    """The keys of the authorization server cannot be read, so no token can be verified."""


@dataclass(frozen=True)
class OAuth:
    """The authorization server whose tokens are accepted, and this server's own URL.

    Attributes:
        issuer: URL of the authorization server, exactly as in its tokens.
        resource: URL of this MCP server, by which clients reach it and for which tokens are issued.
        scopes: scopes that each token needs.
        jwks_url: URL of the signing keys; None to find it by the metadata of the authorization server.
    """

    issuer: str
    resource: str
    scopes: tuple[str, ...] = ()
    jwks_url: str | None = None

    def __post_init__(self) -> None:
        for url in (self.issuer, self.resource, self.jwks_url):
            if url is not None:
                check_url(url)


def check_url(url: str) -> None:
    """Check that a URL can be trusted to be the one that it names.

    Raises:
        ValueError: it is no https URL, and no http URL of this machine.
    """
    parts = urlsplit(url)
    is_secure = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or ""))
    if not (is_secure and parts.hostname) or parts.fragment or parts.username:
        raise ValueError(f"{url} should be an https URL without user and fragment")


class _Keys(jwt.PyJWKClient):
    """The signing keys. After a fetch that failed, another one fails at once for a while."""

    def __init__(self, url: str, cooldown_seconds: float) -> None:
        super().__init__(
            url,
            lifespan=KEYS_LIFESPAN_SECONDS,
            timeout=FETCH_SECONDS,
            cooldown_duration=cooldown_seconds,
        )
        self._pause, self._paused_until = min(RETRY_SECONDS, cooldown_seconds), 0.0

    def fetch_data(self) -> Any:
        if time.monotonic() < self._paused_until:
            raise jwt.PyJWKClientConnectionError("the last fetch failed; it is tried again in a few seconds")
        try:
            return super().fetch_data()
        except (jwt.PyJWTError, OSError, ValueError) as error:
            # The others are a connection that was reset within the body, and a body that is not JSON.
            self._paused_until = time.monotonic() + self._pause
            raise jwt.PyJWKClientConnectionError(f"the keys cannot be read: {error}") from error


@dataclass
class AccessTokens:
    """Verification of access tokens. It blocks while keys are fetched."""

    oauth: OAuth
    cooldown_seconds: float = COOLDOWN_SECONDS
    _keys: _Keys | None = None
    _paused_until: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def subject_of(self, token: str) -> str:
        """Return the subject of a valid token, or its client if it has no subject.

        Raises:
            InvalidToken: it is not valid, or not for this server.
            InsufficientScope: it lacks a required scope.
            AuthorizationServerUnreachable: it cannot be verified.
        """
        claims = self._claims(token)
        if not set(self.oauth.scopes) <= _scopes(claims):
            raise InsufficientScope
        subject = claims.get("sub") or claims.get("client_id") or claims.get("azp") or "unknown"
        return str(subject)[:200]

    def _claims(self, token: str) -> Mapping[str, Any]:
        resource = self.oauth.resource.rstrip("/")
        try:
            if jwt.get_unverified_header(token).get("alg") not in ALGORITHMS:
                raise InvalidToken("the algorithm is not accepted")
            claims: Mapping[str, Any] = jwt.decode(
                token,
                self._client().get_signing_key_from_jwt(token),
                algorithms=list(ALGORITHMS),
                audience=[resource, f"{resource}/"],
                issuer=self.oauth.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["iss", "aud", "exp"]},
            )
        except jwt.PyJWKClientConnectionError as error:
            raise AuthorizationServerUnreachable(str(error)) from error
        except jwt.PyJWTError as error:
            raise InvalidToken(f"{type(error).__name__}: {error}") from error
        return claims

    def _client(self) -> _Keys:
        with self._lock:
            if self._keys is None:
                if time.monotonic() < self._paused_until:
                    raise AuthorizationServerUnreachable("its metadata could not be read a moment ago")
                try:
                    url = self.oauth.jwks_url or find_jwks_url(self.oauth.issuer)
                except AuthorizationServerUnreachable:
                    self._paused_until = time.monotonic() + min(RETRY_SECONDS, self.cooldown_seconds)
                    raise
                self._keys = _Keys(url, self.cooldown_seconds)
            return self._keys


def _scopes(claims: Mapping[str, Any]) -> set[str]:
    """Return the scopes of a token: `scope` of RFC 9068, or `scp`, which Entra ID and Okta use."""
    granted = claims.get("scope") or claims.get("scp") or ()
    return set(granted.split() if isinstance(granted, str) else map(str, granted))


def find_jwks_url(issuer: str) -> str:
    """Return the URL of the signing keys, by the metadata of the authorization server.

    Raises:
        AuthorizationServerUnreachable: it has no metadata, or those of another issuer.
    """
    reason = "it has none"
    for url in _metadata_urls(issuer):
        try:
            response = httpx.get(url, timeout=FETCH_SECONDS)
            if response.status_code != 200:
                continue
            metadata = response.json()
            if metadata["issuer"] != issuer:
                reason = f"{url} names another issuer"
                continue
            check_url(metadata["jwks_uri"])
            return str(metadata["jwks_uri"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            reason = f"{type(error).__name__}: {error}"
    raise AuthorizationServerUnreachable(f"the metadata of {issuer} cannot be read: {reason}")


def _metadata_urls(issuer: str) -> Iterator[str]:
    parts = urlsplit(issuer)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    yield f"{origin}/.well-known/oauth-authorization-server{path}"
    yield f"{origin}{path}/.well-known/openid-configuration"
    if path:
        yield f"{origin}/.well-known/openid-configuration{path}"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
