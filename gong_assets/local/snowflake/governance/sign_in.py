"""Verification of sign-ins by password, key pair and programmatic access token."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from datetime import UTC, datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from gong_assets.local.snowflake.errors import SnowflakeError
from gong_assets.local.snowflake.governance.state import ADMINISTRATOR, Governance

WRONG_PASSWORD = SnowflakeError(390100, "08001", "Incorrect username or password was specified.")
_INVALID_JWT = SnowflakeError(390144, "08001", "JWT token is invalid.")
_INVALID_TOKEN = SnowflakeError(394400, "08001", "Programmatic access token is invalid.")
_DISABLED = SnowflakeError(390101, "08001", "User access disabled. Contact your local system administrator.")


def public_key(text: str) -> bytes:
    """Return the DER of a user's RSA key, which is given as base64 without the lines of a PEM.

    Raises:
        SnowflakeError: it is no RSA public key.
    """
    try:
        der = base64.b64decode("".join(text.split()), validate=True)
        if isinstance(load_der_public_key(der), RSAPublicKey):
            return der
    except (binascii.Error, ValueError):
        pass
    raise SnowflakeError(2016, "22000", "SQL compilation error: New public key rejected by current policy.")


def fingerprint(text: str) -> str:
    """Return the fingerprint of a public key, as DESCRIBE USER shows it."""
    digest = hashlib.sha256(public_key(text)).digest()
    return f"SHA256:{base64.b64encode(digest).decode()}"


def verify(governance: Governance, server_password: str, data: dict[str, Any]) -> str | None:
    """Verify a login request, and return the only role that a token allows, or None.

    Before users are provisioned, and for the administrator afterwards, the server's password is accepted from
    anybody. Raises SnowflakeError if the sign-in fails.
    """
    user = str(data.get("LOGIN_NAME") or "").upper()
    secret = str(data.get("PASSWORD") or data.get("TOKEN") or "")
    found = governance.of_kind("USER").get(user)
    if not governance.is_enforced or (user == ADMINISTRATOR and found is None):
        if not secrets.compare_digest(secret.encode(), server_password.encode()):
            raise WRONG_PASSWORD
        return None
    method = str(data.get("AUTHENTICATOR") or "").upper()
    if found is None:
        raise _INVALID_JWT if method == "SNOWFLAKE_JWT" else WRONG_PASSWORD
    if found.get("DISABLED") in (True, "TRUE"):
        raise _DISABLED
    if method == "SNOWFLAKE_JWT":
        _verify_jwt(found, user, secret)
        return None
    hashed = hashlib.sha256(secret.encode()).hexdigest()
    now = datetime.now(UTC)
    for token in found.get("tokens", {}).values():
        if secrets.compare_digest(token["hash"], hashed) and datetime.fromisoformat(token["expires"]) > now:
            role: str | None = token["role"]
            return role
    if method == "PROGRAMMATIC_ACCESS_TOKEN":
        raise _INVALID_TOKEN
    # A service user cannot sign in with a password:
    # https://docs.snowflake.com/en/sql-reference/sql/create-user#optional-object-properties-objectproperties
    is_person = str(found.get("TYPE", "PERSON")).upper() in ("PERSON", "LEGACY_SERVICE", "NULL")
    if is_person and secrets.compare_digest(str(found.get("PASSWORD", "")), hashed):
        return None
    raise WRONG_PASSWORD


def _verify_jwt(user: dict[str, Any], name: str, token: str) -> None:
    """Verify the token of a key pair with the key of either slot.

    https://docs.snowflake.com/en/user-guide/key-pair-auth: the issuer is ACCOUNT.USER.FINGERPRINT, the
    subject ACCOUNT.USER.
    """
    for slot in ("RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2"):
        if not (key := user.get(slot)):
            continue
        try:
            claims = jwt.decode(
                token,
                load_der_public_key(public_key(key)),  # type: ignore[arg-type]  # an RSA key
                algorithms=["RS256"],
                options={"require": ["exp", "iat", "iss", "sub"]},
                leeway=60,
            )
        except jwt.PyJWTError:
            continue
        subject = str(claims["sub"])
        if subject.rpartition(".")[2] == name and claims["iss"] == f"{subject}.{fingerprint(key)}":
            return
    raise _INVALID_JWT
