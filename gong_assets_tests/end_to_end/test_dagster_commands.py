"""Dagster's own commands in an empty directory, without any variable set."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gong_assets_tests.cli.command_line import CommandLine
from gong_assets_tests.cli.network import NetworkLog

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("definitions")]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """An empty directory, in which the first command creates a project."""
    command_line = CommandLine(tmp_path_factory.mktemp("empty"))
    yield command_line
    command_line.gong_assets("local", "down").succeeded()


def test_definitions_validate_without_network_and_without_any_variable(
    empty: CommandLine, tmp_path: Path
) -> None:
    log = NetworkLog(tmp_path)
    outcome = (
        log.record(empty)
        .run("dagster", "definitions", "validate", "-m", "gong_assets.definitions")
        .succeeded()
    )
    assert "All code locations passed validation" in outcome.stdout + outcome.stderr
    assert log.hosts == set()
    assert empty.gong_assets("local", "status").code == 1, "loading the definitions started the local stack"


def test_materializing_a_raw_partition_starts_the_local_stack(empty: CommandLine) -> None:
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


def test_local_status_shows_the_stack_that_dagster_started(empty: CommandLine) -> None:
    status = empty.gong_assets("local", "status", "--json").succeeded().json
    assert status["snowflake"]["host"] == "127.0.0.1"
    assert status["gong"]["base_url"].startswith("http://127.0.0.1:")
    assert json.loads((empty.directory / ".gong_assets" / "stack.json").read_text())["gong"]["port"]
