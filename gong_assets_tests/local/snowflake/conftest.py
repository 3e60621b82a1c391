"""The real server on a free port, and connections with the real connector."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector
from snowflake.connector import SnowflakeConnection
from snowflake.connector.cursor import SnowflakeCursor

START_SECONDS = 60
PASSWORD = "the password of the tests"


class ServerProcess:
    """A process of ``python -m gong_assets.local.snowflake`` that can be stopped, killed and restarted.

    Args:
        wrapper: a command that executes the command after it.
    """

    def __init__(self, data: Path, wrapper: Sequence[str] = ()) -> None:
        self.data = data
        self.wrapper = wrapper
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        self.log = (self.data / "server.log").open("ab")
        command = [*self.wrapper, sys.executable, "-m", "gong_assets.local.snowflake"]
        self.process = subprocess.Popen(
            [*command, "--data", str(self.data), "--port", str(self.port)],
            stdin=subprocess.PIPE, stdout=self.log, stderr=self.log,
        )  # fmt: skip
        assert self.process.stdin is not None
        self.process.stdin.write(f"{PASSWORD}\n".encode())
        self.process.stdin.close()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self.health()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError((self.data / "server.log").read_text())

    def health(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) as response:
            body: dict[str, Any] = json.load(response)
            return body

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        code = self.process.wait(30)
        self.log.close()
        return code

    def arguments(self, **changes: Any) -> dict[str, Any]:
        """Return the arguments of ``snowflake.connector.connect``."""
        return {
            "account": "local",
            "user": "tester",
            "password": PASSWORD,
            "host": "127.0.0.1",
            "port": self.port,
            "protocol": "http",
            "database": "TESTS",
            "schema": "PUBLIC",
            "network_timeout": 60,
            **changes,
        }

    def connect(self, **changes: Any) -> SnowflakeConnection:
        return snowflake.connector.connect(**self.arguments(**changes))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server for all tests that do not stop it."""
    running = ServerProcess(tmp_path_factory.mktemp("snowflake"))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def connection_arguments(server: ServerProcess) -> dict[str, Any]:
    return server.arguments()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that the test may stop, kill and restart."""
    running = ServerProcess(tmp_path)
    yield running
    if running.process is not None and running.process.poll() is None:
        running.stop()


@pytest.fixture
def schema(request: pytest.FixtureRequest) -> str:
    """A schema that no other test uses."""
    name: str = request.node.name
    return "".join(c if c.isalnum() else "_" for c in name).upper()[:200]


@pytest.fixture
def connect(server: ServerProcess, schema: str) -> Iterator[Callable[..., SnowflakeConnection]]:
    """A function that opens a connection with the test's schema; all are closed after the test."""
    opened: list[SnowflakeConnection] = []

    def open_connection(**changes: Any) -> SnowflakeConnection:
        opened.append(server.connect(**{"schema": schema, **changes}))
        return opened[-1]

    yield open_connection
    for connection in opened:
        connection.close()


@pytest.fixture
def cursor(connect: Callable[..., SnowflakeConnection]) -> SnowflakeCursor:
    return connect().cursor()


@pytest.fixture
def query(cursor: SnowflakeCursor) -> Callable[..., list[Any]]:
    """A function that runs a statement and returns all rows."""

    def run(sql: str, parameters: Any = None) -> list[Any]:
        return cursor.execute(sql, parameters).fetchall()

    return run
