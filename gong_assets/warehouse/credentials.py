"""Arguments of the Snowflake connector for each way to sign in. Pure functions; nothing here connects.

https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-api#connect
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gong_assets.settings import Settings, SettingsError


def connection_arguments(settings: Settings) -> dict[str, Any]:
    """Return the connector's arguments for target `snowflake`, without secrets (see `sign_in_arguments`).

    Raises:
        SettingsError: the private key cannot be read.
    """
    secrets = {**settings.snowflake_secrets}
    arguments = {
        "account": settings.snowflake_account,
        "user": settings.snowflake_user,
        "role": settings.snowflake_role,
        "warehouse": settings.snowflake_warehouse,
        **settings.place,
        "host": settings.snowflake_host,
        "port": settings.snowflake_port,
        "protocol": settings.snowflake_protocol,
        "authenticator": _authenticator(settings),
        "workload_identity_provider": settings.snowflake_workload_identity_provider,
        "private_key_file": settings.snowflake_private_key_path and str(settings.snowflake_private_key_path),
    }
    if settings.snowflake_private_key or settings.snowflake_private_key_path:
        # An unreadable key fails here, when the graph is loaded, instead of in the first run.
        try:
            load_private_key(
                key=secrets["private_key"],
                path=settings.snowflake_private_key_path,
                passphrase=secrets["private_key_passphrase"],
            )
        except ValueError as error:
            raise SettingsError(str(error)) from None
    return {name: value for name, value in arguments.items() if value is not None}


def _authenticator(settings: Settings) -> str | None:
    if settings.snowflake_authenticator:
        given = settings.snowflake_authenticator
        return given if given.startswith("https://") else given.upper()
    if settings.snowflake_private_key or settings.snowflake_private_key_path:
        return "SNOWFLAKE_JWT"
    if settings.snowflake_token:
        return "PROGRAMMATIC_ACCESS_TOKEN"
    return None


def sign_in_arguments(
    arguments: Mapping[str, Any],
    *,
    password: str | None = None,
    token: str | None = None,
    private_key: str | None = None,
    private_key_passphrase: str | None = None,
) -> dict[str, Any]:
    """Return the secret arguments of the connector for the sign-in that `arguments` describe.

    Raises:
        ValueError: the private key cannot be read; the message names the variable and never shows the key.
    """
    if private_key is not None:
        return {
            "private_key": load_private_key(key=private_key, path=None, passphrase=private_key_passphrase)
        }
    if "private_key_file" in arguments:
        return {"private_key_file_pwd": private_key_passphrase} if private_key_passphrase else {}
    if token is not None:
        return {"token": token}
    return {"password": password} if password is not None else {}


def load_private_key(*, key: str | None, path: Path | None, passphrase: str | None) -> bytes:
    """Return the key as unencrypted PKCS#8 DER, the form that the connector's `private_key` accepts.

    Accepts PEM with real or escaped newlines, base64 of a PEM (`base64 -w0 key.p8`) and base64 of DER (a
    PEM's body).

    Raises:
        ValueError: the key cannot be read; the message names the variable and never shows the key.
    """
    from cryptography.hazmat.primitives import serialization

    variable = "SNOWFLAKE_PRIVATE_KEY" if key is not None else "SNOWFLAKE_PRIVATE_KEY_PATH"
    data = _key_data(variable, key, path)
    password = passphrase.encode() if passphrase else None
    load = serialization.load_pem_private_key if b"-----BEGIN" in data else serialization.load_der_private_key
    try:
        private_key = load(data, password)
    except TypeError:
        hint = "is not needed" if password else "is needed: the key is encrypted"
        raise ValueError(f"{variable}: SNOWFLAKE_PRIVATE_KEY_PASSPHRASE {hint}") from None
    except Exception:
        raise ValueError(
            f"{variable}: not a readable private key (PEM, or base64 of PEM or DER), or its passphrase is "
            "wrong"
        ) from None
    return private_key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _key_data(variable: str, key: str | None, path: Path | None) -> bytes:
    if key is not None:
        return _decoded(key)
    if path is None:
        raise ValueError(f"{variable}: no key is given")
    try:
        return path.expanduser().read_bytes()
    except OSError as error:
        raise ValueError(f"{variable}: {path} cannot be read ({error.strerror})") from None


def _decoded(key: str) -> bytes:
    text = key.strip().replace("\\n", "\n")
    if text.startswith("-----BEGIN"):
        return text.encode()
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error:
        return text.encode()
