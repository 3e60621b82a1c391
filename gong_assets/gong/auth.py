"""How a request proves who sends it. Only that: where it goes and how often is not known here.

Both are `httpx.Auth`, whose `auth_flow` may send requests of its own: a token that refreshes itself fits in
as a third class. Equal credentials are the same customer of Gong, and share a pacer. No repr shows a secret.
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
