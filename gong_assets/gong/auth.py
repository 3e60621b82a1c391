"""Credentials that do not change: an access key, or an OAuth access token. `oauth.py` renews tokens.

Requests with equal credentials count against the same limit and share a rate limiter. No repr shows a secret.
"""

from __future__ import annotations

import base64
from collections.abc import Generator
from dataclasses import dataclass, field

import httpx


@dataclass(frozen=True)
class BasicAuth(httpx.Auth):
    """An access key and its secret, as a Gong technical administrator creates them."""

    access_key: str = field(repr=False)
    access_key_secret: str = field(repr=False)

    @property
    def identity(self) -> str:
        """The key, whose secret may be replaced: requests count against it."""
        return self.access_key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        pair = f"{self.access_key}:{self.access_key_secret}".encode()
        request.headers["Authorization"] = "Basic " + base64.b64encode(pair).decode("ascii")
        yield request


@dataclass(frozen=True)
class BearerAuth(httpx.Auth):
    """An OAuth access token."""

    access_token: str = field(repr=False)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self.access_token}"
        yield request
