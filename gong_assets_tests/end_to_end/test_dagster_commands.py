"""Dagster's own commands, as its users run them: in an empty directory and with no variable set at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gong_assets_tests.cli.command_line import CommandLine

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("definitions")]

# Python runs a module of this name first in every process, those that commands start included. It notes each connection and
# each name that is looked up; a socket of the file system is no network.
WATCH_NETWORK = """
import os, sys

def note(event, arguments):
    target = arguments[1] if event == "socket.connect" else arguments[0] if event == "socket.getaddrinfo" else None
    if target is not None and not isinstance(target, (str, bytes)) or event == "socket.getaddrinfo":
        with open(os.environ["NETWORK_LOG"], "a") as log:
            print(event, target, file=log)

sys.addaudithook(note)
"""


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """An empty directory, which becomes a project by the first command."""
    command_line = CommandLine(tmp_path_factory.mktemp("empty"))
    yield command_line
    command_line.gong_assets("local", "down").succeeded()


def test_definitions_validate_without_network_and_without_a_variable(
    empty: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(WATCH_NETWORK)
    log = tmp_path / "network.log"
    log.touch()
    watched = empty.with_variables(PYTHONPATH=str(tmp_path), NETWORK_LOG=str(log))
    outcome = watched.run("dagster", "definitions", "validate", "-m", "gong_assets.definitions").succeeded()
    assert "All code locations passed validation" in outcome.stdout + outcome.stderr
    assert log.read_text() == ""
    assert empty.gong_assets("local", "status").code == 1, "loading the definitions started the local stack"


def test_materializing_a_raw_day_starts_the_local_stack_by_itself(empty: CommandLine) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    select = ("--select", "gong_calls_raw", "--partition", yesterday)
    empty.run("dagster", "asset", "materialize", "-m", "gong_assets.definitions", *select).succeeded()
    (row,) = (
        empty.gong_assets(
            "sql",
            "SELECT COUNT(*) AS N, MIN(CALL_DATE) AS FIRST, MAX(CALL_DATE) AS LAST FROM GONG_CALLS_RAW",
            "--format",
            "json",
        )
        .succeeded()
        .json
    )
    assert row["N"] == 0 or (row["FIRST"], row["LAST"]) == (yesterday, yesterday)


def test_the_stack_that_was_started_is_the_one_that_is_shown(empty: CommandLine) -> None:
    status = empty.gong_assets("local", "status", "--json").succeeded().json
    assert status["snowflake"]["host"] == "127.0.0.1"
    assert status["gong"]["base_url"].startswith("http://127.0.0.1:")
    assert json.loads((empty.directory / ".gong_assets" / "stack.json").read_text())["gong"]["port"]
