"""A small OAuth authorization server over HTTP: metadata, signing keys that rotate, and access tokens."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gong_assets_tests.serving import serving

RESOURCE = "https://calls.acme.example/mcp"


@dataclass
class AuthorizationServer:
    """The server. A test changes its attributes.

    Attributes:
        keys: signing keys by ID. The last one signs.
        fetches: number of requests for the keys.
        fails: the server answers with 500.
        page: the server answers with this text, and status 200.
    """

    issuer: str = ""
    named_issuer: str | None = None
    keys: dict[str, RSAPrivateKey] = field(default_factory=dict)
    fetches: int = 0
    fails: bool = False
    page: str | None = None

    def rotate(self) -> None:
        self.keys = {f"key-{len(self.keys) + time.monotonic_ns()}": generate_private_key(65537, 2048)}

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Return the claims of a valid token; a change to None removes one."""
        claims = {
            "iss": self.issuer, "aud": RESOURCE, "sub": "alice@acme.example", "client_id": "agent",
            "exp": int(time.time()) + 300, "scope": "openid calls:read", **changes,
        }  # fmt: skip
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, *, headers: dict[str, Any] | None = None, **changes: Any) -> str:
        key_id, key = list(self.keys.items())[-1]
        return jwt.encode(self.claims(**changes), key, "RS256", headers={"kid": key_id, **(headers or {})})

    def public_pem(self) -> bytes:
        key = list(self.keys.values())[-1].public_key()
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    async def metadata(self, request: Request) -> Response:
        issuer = self.named_issuer or self.issuer
        return JSONResponse(
            {
                "issuer": issuer,
                "jwks_uri": f"{self.issuer}/keys",
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "response_types_supported": ["code"],
            }
        )

    async def jwks(self, request: Request) -> Response:
        self.fetches += 1
        if self.fails:
            return Response(status_code=500)
        if self.page is not None:
            return Response(self.page)
        keys = [
            {**json.loads(RSAAlgorithm.to_jwk(key.public_key())), "kid": key_id, "use": "sig", "alg": "RS256"}
            for key_id, key in self.keys.items()
        ]
        return JSONResponse({"keys": keys})


@contextmanager
def authorization_server(metadata: str = "oauth-authorization-server") -> Iterator[AuthorizationServer]:
    """Serve on a free port, with its metadata at this well-known path."""
    server = AuthorizationServer()
    server.rotate()
    app = Starlette(routes=[Route(f"/.well-known/{metadata}", server.metadata), Route("/keys", server.jwks)])
    with serving(app) as url:
        server.issuer = url
        yield server
