"""A server whose users are provisioned, and sessions of its users."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import Error

from gong_assets_tests.local.snowflake.conftest import ServerProcess
from gong_assets_tests.private_keys import pem

Run = Callable[..., list[Any]]
_NUMBERS = itertools.count(1)


def key_pair() -> tuple[bytes, str]:
    """Return a private key for the connector, and the public key as CREATE USER takes it."""
    key = load_pem_private_key(pem().encode(), None)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return private, "".join(line for line in public.splitlines() if not line.startswith("-"))


class Account:
    """The administrator's session, and sessions of a role of its own."""

    def __init__(self, server: ServerProcess, name: str) -> None:
        self.server = server
        self.name = name
        self.role = f"{name}_ROLE"
        self.user = f"{name}_USER"
        self._opened: list[SnowflakeConnection] = []
        self.admin = self.run(self.connect(user="local"))
        self.admin("create database if not exists tests")
        self.admin(f"create schema if not exists tests.{name}")
        self.admin(f"use schema tests.{name}")
        self.admin("use role accountadmin")
        self.admin(f"create role {self.role}")
        self.admin(f"create user {self.user} password = 'secret' default_secondary_roles = ()")
        self.admin(f"grant role {self.role} to user {self.user}")

    def connect(self, **changes: Any) -> SnowflakeConnection:
        self._opened.append(self.server.connect(**{"schema": self.name, **changes}))
        return self._opened[-1]

    def run(self, connection: SnowflakeConnection) -> Run:
        cursor = connection.cursor()
        return lambda sql, parameters=None: cursor.execute(sql, parameters).fetchall()

    def session(self, **changes: Any) -> Run:
        """A session of the user, with the role unless another is given."""
        defaults = {"user": self.user, "password": "secret", "role": self.role, "warehouse": "COMPUTE_WH"}
        return self.run(self.connect(**{**defaults, **changes}))

    def use_schema(self) -> None:
        self.admin(f"grant usage on database tests to role {self.role}")
        self.admin(f"grant usage on schema tests.{self.name} to role {self.role}")

    def close(self) -> None:
        for connection in self._opened:
            connection.close()


@pytest.fixture(scope="module")
def governed_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    running = ServerProcess(tmp_path_factory.mktemp("governed"))
    yield running
    running.stop()


@pytest.fixture
def account(governed_server: ServerProcess) -> Iterator[Account]:
    opened = Account(governed_server, f"T{next(_NUMBERS)}")
    yield opened
    opened.close()


def failure(run: Run, sql: str) -> tuple[int, str]:
    """Return the code and message of the error of a statement."""
    with pytest.raises(Error) as raised:
        run(sql)
    return int(raised.value.errno or 0), str(raised.value.raw_msg)
