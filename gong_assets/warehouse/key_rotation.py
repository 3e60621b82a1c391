"""Rotation of the key pair with which the user signs in to Snowflake.

A user has two slots for public keys. The new key goes into the slot that the key in use does not have, signs
in, and only then replaces the stored key; the old one is unset by a later command. The new private key is on
disk before its public key is in Snowflake, so a rotation that was killed at any point continues when it is
started again, and at each point the stored key signs in.

https://docs.snowflake.com/en/user-guide/key-pair-auth#configuring-key-pair-rotation
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gong_assets.security.private_files import create_private_directory
from gong_assets.warehouse.connection import Warehouse, fetch
from gong_assets.warehouse.credentials import load_private_key
from gong_assets.warehouse.errors import WarehouseError

SLOTS = ("RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2")
_SIMPLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")


class RotationError(Exception):
    """The key was not rotated. The message says why, and what to do."""


@dataclass(frozen=True)
class KeyPair:
    """A private key, and its public key as Snowflake has it."""

    pem: bytes

    @classmethod
    def generate(cls) -> KeyPair:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        return cls(key.private_bytes(encoding, form, serialization.NoEncryption()))

    def encrypted(self, passphrase: str | None) -> bytes:
        """Return the PEM, encrypted if there is a passphrase."""
        if not passphrase:
            return self.pem
        key = serialization.load_der_private_key(self.der, None)
        encryption = serialization.BestAvailableEncryption(passphrase.encode())
        return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)

    @property
    def der(self) -> bytes:
        return load_private_key(key=self.pem.decode(), path=None, passphrase=None)

    @property
    def public_der(self) -> bytes:
        return _public_der(self.der)

    @property
    def fingerprint(self) -> str:
        return _fingerprint(self.public_der)


@dataclass(frozen=True)
class Rotation:
    """The rotation of one user's key.

    Attributes:
        arguments: the connector's arguments with the key in use.
        pending: file of the new key until it is stored. Its directory is not readable by others.
        log: receives a line for each step.
    """

    arguments: Mapping[str, Any]
    pending: Path
    log: Callable[[str], None]

    def rotate(self, store: Callable[[KeyPair], None], *, replace_other: bool = False) -> None:
        """Set a new key in the free slot, sign in with it, and store it.

        Args:
            replace_other: use the other slot although it has a key that is not of this rotation.

        Raises:
            RotationError: nothing was changed, or the new key does not sign in and is not stored.
            WarehouseError: Snowflake refused. The key in use is as it was.
        """
        pair = self._pending_pair()
        fingerprints = self._fingerprints()
        own = self._own_slot(fingerprints)
        if pair is not None and fingerprints[own] == pair.fingerprint:
            # It was stored, and the process died before it removed the file.
            self.pending.unlink()
            self.log(f"the key of {own} is in use already; `rotate-key --finish` unsets the other one")
            return
        other = SLOTS[1 - SLOTS.index(own)]
        is_ours = pair is not None and fingerprints[other] == pair.fingerprint
        if fingerprints[other] and not is_ours and not replace_other:
            raise RotationError(
                f"{other} has a key that another process may sign in with. If none does, remove it with "
                "`gong-assets rotate-key --finish`, or replace it with --replace-other. Nothing was changed."
            )
        pair = pair or self._new_pending_pair()
        if not is_ours:
            self._alter(f"SET {other} = '{base64.b64encode(pair.public_der).decode()}'")
            self.log(f"the new key is in {other}")
        self._sign_in(pair)
        store(pair)
        self.pending.unlink(missing_ok=True)
        self.log(
            f"the new key signs in and is stored; the old one stays in {own} until `rotate-key --finish`"
        )

    def finish(self) -> None:
        """Unset the slot that the key in use does not have.

        Raises:
            RotationError: a rotation has not stored its key yet. Nothing was changed.
            WarehouseError: Snowflake refused.
        """
        if self.pending.exists():
            raise RotationError(
                "a rotation was interrupted: complete it with `gong-assets rotate-key` first. Nothing was "
                "changed."
            )
        fingerprints = self._fingerprints()
        other = SLOTS[1 - SLOTS.index(self._own_slot(fingerprints))]
        if not fingerprints[other]:
            self.log(f"{other} has no key")
            return
        self._alter(f"UNSET {other}")
        self.log(f"the old key is unset in {other}")

    @property
    def _user(self) -> str:
        user = str(self.arguments["user"])
        return user if _SIMPLE_NAME.fullmatch(user) else '"' + user.replace('"', '""') + '"'

    def _pending_pair(self) -> KeyPair | None:
        try:
            return KeyPair(self.pending.read_bytes())
        except FileNotFoundError:
            return None

    def _new_pending_pair(self) -> KeyPair:
        pair = KeyPair.generate()
        write_private(self.pending, pair.pem)
        return pair

    def _own_slot(self, fingerprints: Mapping[str, str | None]) -> str:
        """Return the slot with the public key of the key in use."""
        own = _fingerprint(_public_der(self._key_in_use()))
        for slot in SLOTS:
            if fingerprints[slot] == own:
                return slot
        raise RotationError(f"neither key of {self._user} is the one in use. Nothing was changed.")

    def _key_in_use(self) -> bytes:
        if "private_key" in self.arguments:
            return bytes(self.arguments["private_key"])
        if "private_key_file" not in self.arguments:
            raise RotationError("the settings sign in without a key pair, so there is no key to rotate")
        file = Path(self.arguments["private_key_file"])
        passphrase = self.arguments.get("private_key_file_pwd")
        return load_private_key(key=None, path=file, passphrase=passphrase)

    def _fingerprints(self) -> dict[str, str | None]:
        with Warehouse(self.arguments).connect() as connection:
            rows = fetch(connection, f"DESCRIBE USER {self._user}")
        values = {str(row["property"]): row["value"] for row in rows}
        found = {slot: values.get(f"{slot}_FP") for slot in SLOTS}
        return {slot: None if value in (None, "", "null") else str(value) for slot, value in found.items()}

    def _alter(self, change: str) -> None:
        with Warehouse(self.arguments).connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"ALTER USER {self._user} {change}")

    def _sign_in(self, pair: KeyPair) -> None:
        keys = ("private_key", "private_key_file", "private_key_file_pwd")
        others = {name: value for name, value in self.arguments.items() if name not in keys}
        try:
            Warehouse({**others, "private_key": pair.der}).check()
        except WarehouseError as error:
            raise RotationError(
                f"the new key does not sign in, so it is not stored: {error}\nThe key in use is unchanged. "
                "Start the rotation again to retry."
            ) from error


def replace_file(path: Path, passphrase: str | None) -> Callable[[KeyPair], None]:
    """Return a function that replaces the file with the private key, encrypted if there is a passphrase."""
    return lambda pair: write_private(path, pair.encrypted(passphrase))


def write_private(path: Path, data: bytes) -> None:
    """Replace a file atomically with one that only we can read, and wait until it is on disk."""
    create_private_directory(path.parent)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def _public_der(private_der: bytes) -> bytes:
    key = serialization.load_der_private_key(private_der, None)
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(encoding, form)


def _fingerprint(public_der: bytes) -> str:
    return f"SHA256:{base64.b64encode(hashlib.sha256(public_der).digest()).decode()}"
