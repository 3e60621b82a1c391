"""Signatures as Gong makes them, with a key of the tests."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

URL = "https://hooks.example.com/gong/calls?team=sales"
TARGET = "/gong/calls?team=sales"


@cache
def private_key(name: str = "gong") -> rsa.RSAPrivateKey:
    """Return a key for each name."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_key(name: str = "gong", encoding: Encoding = Encoding.DER) -> str:
    """Return the public key as base64 of DER, or as PEM."""
    encoded = private_key(name).public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
    return encoded.decode() if encoding is Encoding.PEM else b64encode(encoded).decode()


def payload(call_id: Any = "7782342274025937895", **more: Any) -> bytes:
    return json.dumps({"callData": {"metaData": {"id": call_id, "title": "x"}}, **more}).encode()


def signed(body: bytes, key: str = "gong", **claims: Any) -> str:
    """Return the header of a request with this body. A claim of None is left out."""
    given = {"webhook_url": URL, "body_sha256": hashlib.sha256(body).hexdigest(), **claims}
    given = {name: value for name, value in given.items() if value is not None}
    return jwt.encode(given, private_key(key), algorithm="RS256")
