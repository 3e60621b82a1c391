"""Rotation of the key pair: at each moment the stored key signs in, and an interrupted rotation continues."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gong_assets.warehouse import key_rotation
from gong_assets.warehouse.credentials import load_private_key
from gong_assets.warehouse.errors import WarehouseSignInFailed
from gong_assets.warehouse.key_rotation import KeyPair, Rotation, RotationError, replace_file

pytestmark = [pytest.mark.extended, pytest.mark.slow]


class Killed(BaseException):
    """Stands for SIGKILL: nothing is cleaned up after it."""


@dataclass
class Account:
    """A user with two slots, which dies after some operations."""

    slots: dict[str, str] = field(default_factory=dict)
    operations_left: int = 1000
    refuses_new_keys: bool = False

    def operate(self) -> None:
        self.operations_left -= 1
        if self.operations_left < 0:
            raise Killed

    def signs_in(self, der: bytes) -> bool:
        public = base64.b64encode(key_rotation._public_der(der)).decode()
        return public in self.slots.values()


@dataclass
class Cursor:
    account: Account

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *_: object) -> None: ...

    def execute(self, sql: str) -> None:
        if found := re.fullmatch(r"ALTER USER LOADER SET (RSA_PUBLIC_KEY(?:_2)?) = '([\w+/=]+)'", sql):
            self.account.slots[found[1]] = found[2]
        elif found := re.fullmatch(r"ALTER USER LOADER UNSET (RSA_PUBLIC_KEY(?:_2)?)", sql):
            del self.account.slots[found[1]]
        else:
            raise AssertionError(sql)
        self.account.operate()


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    account = Account()

    class Warehouse:
        def __init__(self, arguments: dict[str, Any]) -> None:
            key = arguments.get("private_key")
            path = arguments.get("private_key_file")
            self._key = key or load_private_key(
                key=None, path=Path(path), passphrase=arguments.get("private_key_file_pwd")
            )

        @contextmanager
        def connect(self) -> Iterator[Warehouse]:
            account.operate()
            if not account.signs_in(self._key):
                raise WarehouseSignInFailed("JWT token is invalid.")
            yield self

        def cursor(self) -> Cursor:
            return Cursor(account)

        def check(self) -> None:
            if account.refuses_new_keys:
                raise WarehouseSignInFailed("JWT token is invalid.")
            with self.connect():
                pass

    def fetch(connection: Any, sql: str) -> list[dict[str, Any]]:
        assert sql == "DESCRIBE USER LOADER"
        fingerprints = {
            f"{slot}_FP": key_rotation._fingerprint(base64.b64decode(key))
            for slot, key in account.slots.items()
        }
        slots = [f"{slot}_FP" for slot in key_rotation.SLOTS]
        return [{"property": slot, "value": fingerprints.get(slot, "null")} for slot in slots]

    monkeypatch.setattr(key_rotation, "Warehouse", Warehouse)
    monkeypatch.setattr(key_rotation, "fetch", fetch)
    return account


@dataclass
class Deployment:
    account: Account
    home: Path
    passphrase: str | None = None

    @property
    def key_file(self) -> Path:
        return self.home / "key.p8"

    def install(self) -> None:
        pair = KeyPair.generate()
        self.key_file.write_bytes(pair.encrypted(self.passphrase))
        self.account.slots["RSA_PUBLIC_KEY"] = base64.b64encode(pair.public_der).decode()

    def rotation(self) -> Rotation:
        arguments = {"user": "LOADER", "private_key_file": str(self.key_file)}
        if self.passphrase:
            arguments["private_key_file_pwd"] = self.passphrase
        return Rotation(arguments, self.home / "rotating", lambda line: None)

    def rotate(self, **options: Any) -> None:
        self.rotation().rotate(replace_file(self.key_file, self.passphrase), **options)

    def signs_in(self) -> bool:
        key = load_private_key(key=None, path=self.key_file, passphrase=self.passphrase)
        return self.account.signs_in(key)


@pytest.fixture
def deployment(account: Account, tmp_path: Path) -> Deployment:
    deployment = Deployment(account, tmp_path)
    deployment.install()
    return deployment


def test_keys_alternate_between_the_two_slots(deployment: Deployment) -> None:
    files = set()
    for slots in (["RSA_PUBLIC_KEY_2"], ["RSA_PUBLIC_KEY"], ["RSA_PUBLIC_KEY_2"]):
        deployment.rotate()
        assert len(deployment.account.slots) == 2
        assert deployment.signs_in()
        deployment.rotation().finish()
        assert list(deployment.account.slots) == slots
        assert deployment.signs_in()
        files.add(deployment.key_file.read_bytes())
        assert deployment.key_file.stat().st_mode & 0o777 == 0o600
    assert len(files) == 3
    assert [file.name for file in deployment.home.iterdir()] == ["key.p8"]


@pytest.mark.parametrize("kill_writes", [False, True], ids=["in Snowflake", "in files"])
def test_a_rotation_that_is_killed_at_any_point_continues(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kill_writes: bool
) -> None:
    replace, operations = key_rotation.os.replace, 12
    for point in range(operations):
        home = tmp_path / str(point)
        home.mkdir()
        account.slots.clear()
        account.operations_left = 1000
        deployment = Deployment(account, home)
        deployment.install()
        old = deployment.key_file.read_bytes()
        if kill_writes:
            left = [point]

            def dying(source: Any, target: Any, left: list[int] = left, late: bool = bool(point % 2)) -> None:
                """Die before or after the file is replaced."""
                left[0] -= 2
                if late or left[0] >= 0:
                    replace(source, target)
                if left[0] < 0:
                    raise Killed

            monkeypatch.setattr(key_rotation.os, "replace", dying)
        else:
            account.operations_left = point
        try:
            deployment.rotate()
            killed = False
        except Killed:
            killed = True
        assert killed or point > 3, "the rotation was not killed"
        account.operations_left = 1000
        monkeypatch.setattr(key_rotation.os, "replace", replace)
        assert deployment.signs_in(), f"locked out after {point} operations"
        deployment.rotate() if deployment.key_file.read_bytes() == old or killed else None
        assert deployment.signs_in()
        assert deployment.key_file.read_bytes() != old
        deployment.rotation().finish()
        assert (len(account.slots), deployment.signs_in()) == (1, True)


def test_a_key_of_another_process_in_the_second_slot_is_kept(deployment: Deployment) -> None:
    other = base64.b64encode(KeyPair.generate().public_der).decode()
    deployment.account.slots["RSA_PUBLIC_KEY_2"] = other
    with pytest.raises(RotationError, match="RSA_PUBLIC_KEY_2 has a key that another process"):
        deployment.rotate()
    assert deployment.account.slots["RSA_PUBLIC_KEY_2"] == other
    deployment.rotate(replace_other=True)
    assert deployment.signs_in()


def test_a_new_key_that_does_not_sign_in_is_not_stored(deployment: Deployment) -> None:
    old = deployment.key_file.read_bytes()
    deployment.account.refuses_new_keys = True
    with pytest.raises(RotationError, match="does not sign in"):
        deployment.rotate()
    assert (deployment.key_file.read_bytes(), deployment.signs_in()) == (old, True)
    with pytest.raises(RotationError, match="interrupted"):
        deployment.rotation().finish()
    deployment.account.refuses_new_keys = False
    deployment.rotate()
    assert (deployment.key_file.read_bytes() != old, deployment.signs_in()) == (True, True)


def test_an_encrypted_key_stays_encrypted(account: Account, tmp_path: Path) -> None:
    deployment = Deployment(account, tmp_path, passphrase="open sesame")
    deployment.install()
    deployment.rotate()
    assert b"ENCRYPTED" in deployment.key_file.read_bytes()
    assert deployment.signs_in()


def test_a_key_that_is_not_the_users_is_refused(deployment: Deployment) -> None:
    stranger = KeyPair.generate()
    rotation = Rotation(
        {"user": "LOADER", "private_key": stranger.der}, deployment.home / "p", lambda line: None
    )
    deployment.account.slots["RSA_PUBLIC_KEY_2"] = base64.b64encode(stranger.public_der).decode()
    rotation.finish()  # It is in a slot: the other one is unset.
    assert list(deployment.account.slots) == ["RSA_PUBLIC_KEY_2"]
    with pytest.raises(RotationError, match="without a key pair"):
        Rotation({"user": "LOADER"}, deployment.home / "p", lambda line: None)._key_in_use()
