"""Ctrl-C, SIGTERM and SIGHUP end each command with one line and 130, and nothing is left behind."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from gong_assets.local import stack
from gong_assets.local.processes import find_by_home
from gong_assets_tests.cli.command_line import CommandLine

pytestmark = [pytest.mark.extended, pytest.mark.slow]

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
START_SECONDS = 120
END_SECONDS = 30
KEY_FILE = "key.p8"

# Each of them is waiting for the warehouse when the signal arrives.
COMMANDS = {
    "sync": ["sync"],
    "audit": ["audit"],
    "erase": ["erase", "--email", "a@b.example"],
    "erase, dry run": ["erase", "--email", "a@b.example", "--dry-run"],
    "demo": ["demo"],
    "report": ["report"],
    "cost": ["cost"],
    "doctor": ["doctor"],
    "migrate": ["migrate"],
    "search": ["search", "price"],
    "coach": ["coach"],
    "sql": ["sql", "SELECT 1"],
    "provision": ["provision", "check"],
}


@contextmanager
def silent_warehouse() -> Iterator[tuple[int, Callable[[], bool]]]:
    """Yield the port of a server that accepts connections and never answers, and whether there was one."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        accepted: list[socket.socket] = []

        def is_connected() -> bool:
            try:
                accepted.append(server.accept()[0])
            except TimeoutError:
                return bool(accepted)
            return True

        yield server.getsockname()[1], is_connected
        for connection in accepted:
            connection.close()


def start(
    project: CommandLine, arguments: list[str], *, on_interrupt: Any = signal.default_int_handler
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(Path(sys.executable).with_name("gong-assets")), *arguments],
        cwd=project.directory,
        env=project.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # As for a command in a terminal: a test runner in the background ignores SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, on_interrupt),
    )


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def end(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str, str]:
    """Return the exit code, stdout and stderr."""
    process.send_signal(number)
    try:
        stdout, stderr = process.communicate(timeout=END_SECONDS)
    finally:
        process.kill()
    return process.returncode, stdout, stderr


@pytest.mark.parametrize(
    ("command", "number"),
    [*((command, signal.SIGTERM) for command in COMMANDS), ("sync", signal.SIGHUP), ("sql", signal.SIGINT)],
)
def test_a_command_that_waits_for_the_warehouse_ends_with_one_line(
    command: str, number: signal.Signals, tmp_path: Path
) -> None:
    with silent_warehouse() as (port, is_connected):
        account = {
            "SNOWFLAKE_ACCOUNT": "account",
            "SNOWFLAKE_USER": "user",
            "SNOWFLAKE_PASSWORD": "password",
            "SNOWFLAKE_HOST": "127.0.0.1",
            "SNOWFLAKE_PORT": str(port),
            "SNOWFLAKE_PROTOCOL": "http",
            "GONG_ACCESS_KEY": "key",
            "GONG_ACCESS_KEY_SECRET": "secret",
            "GONG_BASE_URL": f"http://127.0.0.1:{port}",
            "GONG_START_DATE": "2026-11-01",
        }
        project = CommandLine(tmp_path, {"GONG_ASSETS_HOME": str(tmp_path / "home"), **account})
        process = start(project, COMMANDS[command])
        wait_until(is_connected, process)
        code, stdout, stderr = end(process, number)
    assert code == 130, stderr
    assert stderr.splitlines()[-1].startswith("error: interrupted"), stderr
    assert "Traceback" not in stdout + stderr


def responds(port: int) -> bool:
    try:
        httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False)
    except httpx.TransportError:
        return False
    return True


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize(
    "arguments", [pytest.param(["webhook"], id="webhook"), pytest.param(["mcp", "--http"], id="mcp")]
)
def test_a_server_is_stopped_in_order(arguments: list[str], number: signal.Signals, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = start(CommandLine(tmp_path, {"GONG_ASSETS_HOME": str(home)}), [*arguments, "--port", str(port)])
    try:
        wait_until(lambda: responds(port), process)
        code, stdout, stderr = end(process, number)
    finally:
        stack.down(home)
    assert (code, stdout, stderr.splitlines()[-1]) == (130, "", "Stopped.")
    assert "Traceback" not in stderr


def test_the_ui_that_a_script_started_in_the_background_is_stopped_by_sigterm(tmp_path: Path) -> None:
    """A shell lets its background jobs ignore SIGINT."""
    home = tmp_path / "home"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    project = CommandLine(tmp_path, {"GONG_ASSETS_HOME": str(home)})
    process = start(project, ["dev", "--port", str(port)], on_interrupt=signal.SIG_IGN)
    try:
        wait_until(lambda: responds(port), process)
        variables = psutil.Process(process.pid).environ()
        _, _, stderr = end(process, signal.SIGTERM)
        assert not responds(port)
    finally:
        stack.down(home)
    assert variables["GONG_ASSETS_WEBSERVER_URL"] == f"http://127.0.0.1:{port}"
    assert "SupersessionWarning" not in stderr


@pytest.mark.parametrize("number", SIGNALS)
def test_an_interrupted_start_of_the_local_stack_leaves_no_server(
    number: signal.Signals, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    process = start(CommandLine(tmp_path, {"GONG_ASSETS_HOME": str(home)}), ["local", "up"])
    try:
        wait_until(lambda: bool(list(find_by_home(home))), process)
        code, _, stderr = end(process, number)
        assert (code, stderr.splitlines()[-1]) == (130, "error: interrupted")
        assert list(find_by_home(home)) == []
    finally:
        stack.down(home)
