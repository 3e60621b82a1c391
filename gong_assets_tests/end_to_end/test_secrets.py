"""Every secret is a sentinel: after runs that succeed and fail, none is in a file, an output or a process."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from gong_assets.ingestion.spool import PREFIX
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.cli.command_line import CommandLine
from gong_assets_tests.end_to_end.company import call, moment, transcript
from gong_assets_tests.end_to_end.gong_records import stored
from gong_assets_tests.end_to_end.gong_server import Gong

pytestmark = [pytest.mark.extended, pytest.mark.slow]

DAYS = ("--mode", "backfill", "--from-date", "2025-03-03", "--to-date", "2025-03-03")
ALERTS = "sentinel-alert-url-4d1f"


@pytest.fixture
def gong() -> Iterator[Gong]:
    gong = Gong(access_key="SENTINEL-KEY-9a17", access_key_secret="sentinel-secret-77c0")
    gong.calls = [stored(call("660000000000000001", moment(3)))]
    gong.transcripts = [
        transcript("660000000000000001", ("6432345678555530067", None, ["Hello, how are you?"]))
    ]
    with gong.served():
        yield gong


def project(directory: Path, warehouse: Warehouse, gong: Gong) -> CommandLine:
    account = {f"SNOWFLAKE_{name.upper()}": str(value) for name, value in warehouse.arguments.items()}
    variables = {
        **account,
        **gong.environment,
        "GONG_ASSETS_HOME": str(directory / "home"),
        "GONG_ASSETS_ALERT_WEBHOOK_URL": f"http://127.0.0.1:9/{ALERTS}",
    }
    if "PYTHONPATH" in os.environ:
        variables["PYTHONPATH"] = os.environ["PYTHONPATH"]
    return CommandLine(directory, variables)


def secrets_of(command_line: CommandLine) -> list[str]:
    values = command_line.variables
    key, secret = values["GONG_ACCESS_KEY"], values["GONG_ACCESS_KEY_SECRET"]
    header = base64.b64encode(f"{key}:{secret}".encode()).decode()
    return [key, secret, header, values["SNOWFLAKE_PASSWORD"], ALERTS]


def run(command_line: CommandLine, *arguments: str) -> tuple[int, str]:
    """Run a command; return its exit code, and its output with the command lines of its processes."""
    process = subprocess.Popen(
        [Path(sys.executable).with_name("gong-assets"), *arguments],
        cwd=command_line.directory,
        env=command_line.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    seen: set[str] = set()
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.1):
            try:
                parent = psutil.Process(process.pid)
                seen.update(" ".join(each.cmdline()) for each in [parent, *parent.children(recursive=True)])
            except psutil.Error:
                continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    output, _ = process.communicate(timeout=600)
    ended.set()
    watcher.join()
    assert seen
    return process.returncode, output + "\n".join(seen)


def leaks(command_line: CommandLine, output: str) -> list[str]:
    directories = [command_line.directory, *Path(tempfile.gettempdir()).glob(f"{PREFIX}*")]
    files = [file for directory in directories for file in directory.rglob("*") if file.is_file()]
    assert len(files) > 10
    texts = {"output": output.encode(), **{str(file): file.read_bytes() for file in files}}
    return [
        f"{secret} in {name}"
        for name, text in texts.items()
        for secret in secrets_of(command_line)
        if secret.encode() in text
    ]


def test_no_secret_is_left_behind_by_runs(warehouse: Warehouse, gong: Gong, tmp_path: Path) -> None:
    own = project(tmp_path, warehouse, gong)
    code, output = run(own, "sync", *DAYS)
    assert code == 0, output
    assert leaks(own, output) == []

    # Gong refuses the key, Gong's answers are broken, and Snowflake refuses the password.
    refused = own.with_variables(GONG_ACCESS_KEY_SECRET="sentinel-wrong-secret-1c2d")
    broken = own.with_variables(GONG_BASE_URL=f"{gong.base_url}/nowhere")
    locked = own.with_variables(SNOWFLAKE_PASSWORD="sentinel-wrong-password-88b3")
    for command_line in (refused, broken, locked):
        code, output = run(command_line, "sync", *DAYS)
        assert code == 1, output
        code, shown = run(command_line, "--verbose", "doctor")
        assert code == 1, shown
        assert leaks(command_line, output + shown) == []
