"""Reading the private key of a key-pair sign-in in each of the forms that people put into a variable."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path


def load_private_key(*, key: str | None, path: Path | None, passphrase: str | None) -> bytes:
    """The key as unencrypted PKCS#8 DER, the form that the connector's `private_key` takes.

    Accepts PEM with real or escaped newlines, base64 of a PEM (`base64 -w0 key.p8`) and base64 of DER (a PEM's body).

    Raises:
        ValueError: the key cannot be read; the text names the variable and never shows the key.
    """
    from cryptography.hazmat.primitives import serialization

    variable = "SNOWFLAKE_PRIVATE_KEY" if key is not None else "SNOWFLAKE_PRIVATE_KEY_PATH"
    if key is None:
        if path is None:
            raise ValueError(f"{variable}: no key is given")
        try:
            data = path.expanduser().read_bytes()
        except OSError as error:
            raise ValueError(f"{variable}: {path} cannot be read ({error.strerror})") from None
    else:
        data = _decoded(key)
    password = passphrase.encode() if passphrase else None
    load = serialization.load_pem_private_key if b"-----BEGIN" in data else serialization.load_der_private_key
    try:
        private_key = load(data, password)
    except TypeError:
        hint = "is not needed" if password else "is needed: the key is encrypted"
        raise ValueError(f"{variable}: SNOWFLAKE_PRIVATE_KEY_PASSPHRASE {hint}") from None
    except Exception:
        raise ValueError(
            f"{variable}: is no private key that can be read (PEM, or base64 of PEM or DER), or its passphrase is wrong"
        ) from None
    return private_key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _decoded(key: str) -> bytes:
    text = key.strip().replace("\\n", "\n")
    if text.startswith("-----BEGIN"):
        return text.encode()
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error:
        return text.encode()
