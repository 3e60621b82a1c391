"""Dagster's own commands in an empty directory, without any variable set."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from gong_assets.cli.dagster_home import WORKSPACE
from gong_assets_tests.cli.command_line import CommandLine
from gong_assets_tests.cli.network import NetworkLog

pytestmark = [pytest.mark.extended, pytest.mark.slow, pytest.mark.xdist_group("definitions")]


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


def test_materializing_raw_partitions_starts_the_local_stack(empty: CommandLine) -> None:
    today = datetime.now(UTC).date()
    first, yesterday = (str(today - timedelta(days=age)) for age in (7, 1))
    select = ("--select", "gong_calls_raw", "--partition-range", f"{first}...{yesterday}")
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
    assert row["N"]
    assert first <= row["FIRST"] <= row["LAST"] <= yesterday


def test_a_job_is_executed_or_queued_for_the_daemon(empty: CommandLine) -> None:
    home = empty.directory / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    workspace = home / "workspace.yaml"
    workspace.write_text(WORKSPACE)
    shared = empty.with_variables(DAGSTER_HOME=str(home))
    job = ("-j", "gong_reference_data")
    shared.run("dagster", "job", "execute", "-m", "gong_assets.definitions", *job).succeeded()
    shared.run("dagster", "job", "launch", "-w", str(workspace), *job).succeeded()
    with dg.DagsterInstance.from_config(str(home)) as instance:
        queued, executed = instance.get_runs()
    assert executed.status is dg.DagsterRunStatus.SUCCESS
    assert queued.status is dg.DagsterRunStatus.QUEUED
    # A daemon with this workspace finds the job.
    assert queued.remote_job_origin is not None
    assert queued.remote_job_origin.location_name == "gong_assets"


def test_local_status_shows_the_stack_that_dagster_started(empty: CommandLine) -> None:
    status = empty.gong_assets("local", "status", "--json").succeeded().json
    assert status["snowflake"]["host"] == "127.0.0.1"
    assert status["gong"]["base_url"].startswith("http://127.0.0.1:")
    assert (empty.directory / ".gong_assets" / "stack.json").exists()
