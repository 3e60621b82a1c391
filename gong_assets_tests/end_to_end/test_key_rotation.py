"""`gong-assets rotate-key` as a process, with the user that `provision` declares, killed at any moment.

KILLS is the number of kills (3 by default); more take about five seconds each.
"""

from __future__ import annotations

import base64
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gong_assets.provisioning.apply import apply
from gong_assets.provisioning.declaration import declare
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse, fetch
from gong_assets.warehouse.credentials import load_private_key
from gong_assets.warehouse.key_rotation import KeyPair
from gong_assets_tests.cli.command_line import CommandLine
from gong_assets_tests.local.snowflake.conftest import ServerProcess

pytestmark = [pytest.mark.extended, pytest.mark.slow]

USER = "GONG_ASSETS"
PASSPHRASE = "open sesame"


@dataclass
class Deployment:
    """A user with a key, and the commands of the deployment that signs in with it."""

    server: ServerProcess
    commands: CommandLine
    key_file: Path

    def signs_in(self) -> bool:
        key = load_private_key(key=None, path=self.key_file, passphrase=PASSPHRASE)
        names = ("SNOWFLAKE_ACCOUNT", "SNOWFLAKE_HOST", "SNOWFLAKE_PORT", "SNOWFLAKE_PROTOCOL")
        place = {name.removeprefix("SNOWFLAKE_").lower(): self.commands.variables[name] for name in names}
        Warehouse({**place, "port": int(place["port"]), "user": USER, "private_key": key}).check()
        return True

    def slots(self) -> list[str]:
        with self.server.connect(user="local") as connection:
            fetch(connection, "USE ROLE ACCOUNTADMIN")
            shown = {row["property"]: row["value"] for row in fetch(connection, f"DESCRIBE USER {USER}")}
        return [name for name in ("RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2") if shown[f"{name}_FP"] != "null"]

    def start(self) -> subprocess.Popen[bytes]:
        """Start a rotation, whatever is left of an earlier one."""
        command = [Path(sys.executable).with_name("gong-assets"), "rotate-key", "--replace-other"]
        return subprocess.Popen(
            command,
            cwd=self.commands.directory,
            env=self.commands.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    pair = KeyPair.generate()
    (tmp_path / "keys").mkdir()
    key_file = tmp_path / "key.p8"
    key_file.write_bytes(pair.encrypted(PASSPHRASE))
    public_key = base64.b64encode(pair.public_der).decode()
    (tmp_path / "keys/pipeline.pub").write_text(public_key)
    (tmp_path / "account").mkdir()
    server = ServerProcess(tmp_path / "account")
    try:
        with server.connect(user="local", database="SOPHIA_AI", schema="GONG_DATA") as connection:
            fetch(connection, "CREATE DATABASE HUBSPOT_SHARE")
            list(apply(connection, declare(Settings(gong_provision_public_keys=tmp_path / "keys"))))
        variables = {
            "GONG_ASSETS_HOME": str(tmp_path / "home"),
            "SNOWFLAKE_ACCOUNT": "local",
            "SNOWFLAKE_USER": USER,
            "SNOWFLAKE_HOST": "127.0.0.1",
            "SNOWFLAKE_PORT": str(server.port),
            "SNOWFLAKE_PROTOCOL": "http",
            "SNOWFLAKE_PRIVATE_KEY_PATH": str(key_file),
            "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": PASSPHRASE,
        }
        if path := os.environ.get("PYTHONPATH"):
            variables["PYTHONPATH"] = path
        yield Deployment(server, CommandLine(tmp_path, variables), key_file)
    finally:
        server.stop()


def test_keys_rotate_and_a_killed_rotation_never_leaves_the_user_without_one(deployment: Deployment) -> None:
    assert deployment.signs_in()
    old, started = deployment.key_file.read_bytes(), time.monotonic()
    outcome = deployment.commands.gong_assets("rotate-key").succeeded()
    duration = time.monotonic() - started
    assert "the new key is in RSA_PUBLIC_KEY_2" in outcome.stderr
    assert deployment.key_file.read_bytes() != old
    assert b"ENCRYPTED" in deployment.key_file.read_bytes()
    assert (deployment.signs_in(), len(deployment.slots())) == (True, 2)
    deployment.commands.gong_assets("rotate-key", "--finish").succeeded()
    assert (deployment.signs_in(), deployment.slots()) == (True, ["RSA_PUBLIC_KEY_2"])

    chance = random.Random(7)
    for _ in range(int(os.environ.get("KILLS", "3"))):
        rotating = deployment.start()
        time.sleep(chance.uniform(0.4, 1.0) * duration)
        rotating.send_signal(signal.SIGKILL)
        rotating.wait()
        assert deployment.signs_in()

    old = deployment.key_file.read_bytes()
    deployment.commands.gong_assets("rotate-key", "--replace-other").succeeded()
    if "in use already" not in deployment.commands.gong_assets("rotate-key", "--finish").succeeded().stderr:
        assert deployment.signs_in()
    assert len(deployment.slots()) == 1
    assert not list((deployment.commands.directory / "home").glob("rotating*"))


def test_the_privilege_that_lacks_is_named(deployment: Deployment) -> None:
    with deployment.server.connect(user="local") as connection:
        fetch(connection, "USE ROLE ACCOUNTADMIN")
        privilege = "MODIFY PROGRAMMATIC AUTHENTICATION METHODS"
        fetch(connection, f"REVOKE {privilege} ON USER {USER} FROM ROLE GONG_ASSETS_LOADER")

    refused = deployment.commands.gong_assets("rotate-key")

    assert refused.code == 1
    assert "Insufficient privileges to operate on user" in refused.stderr
    assert deployment.signs_in()
