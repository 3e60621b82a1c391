"""Dagster's own commands in an empty directory, without any variable set."""

from __future__ import annotations

import json
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


def test_a_range_of_days_is_launched_with_an_asset_that_has_none(empty: CommandLine) -> None:
    today = datetime.now(UTC).date()
    days = "...".join(str(today - timedelta(days=age)) for age in (9, 8))
    selected = ("--assets", "gong_users_raw,gong_calls_raw", "--partition-range", days)
    empty.run("dg", "launch", "-m", "gong_assets.definitions", *selected).succeeded()
    count = f"SELECT COUNT(*) AS N FROM GONG_CALLS_RAW WHERE CALL_DATE < '{today - timedelta(days=7)}'"
    for sql in (count, "SELECT COUNT(*) AS N FROM GONG_USERS_RAW"):
        (row,) = empty.gong_assets("sql", sql, "--format", "json").succeeded().json
        assert row["N"], sql


@pytest.fixture
def shared(empty: CommandLine, tmp_path: Path) -> CommandLine:
    """The same directory with an instance of its own, in which runs are queued for a daemon."""
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    (tmp_path / "workspace.yaml").write_text(WORKSPACE)
    return empty.with_variables(DAGSTER_HOME=str(tmp_path))


def runs(shared: CommandLine) -> list[dg.DagsterRun]:
    """Return all runs, the latest first."""
    with dg.DagsterInstance.from_config(shared.variables["DAGSTER_HOME"]) as instance:
        return list(instance.get_runs())


def test_a_job_is_executed_or_queued_for_the_daemon(shared: CommandLine, tmp_path: Path) -> None:
    job = ("-j", "gong_reference_data")
    shared.run("dagster", "job", "execute", "-m", "gong_assets.definitions", *job).succeeded()
    shared.run("dagster", "job", "launch", "-w", str(tmp_path / "workspace.yaml"), *job).succeeded()
    queued, executed = runs(shared)
    assert executed.status is dg.DagsterRunStatus.SUCCESS
    assert queued.status is dg.DagsterRunStatus.QUEUED
    # A daemon with this workspace finds the job.
    assert queued.remote_job_origin is not None
    assert queued.remote_job_origin.location_name == "gong_assets"


def test_days_of_a_job_are_queued_for_the_daemon(shared: CommandLine, tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    first, second = (str(today - timedelta(days=age)) for age in (3, 2))
    job = ("-w", str(tmp_path / "workspace.yaml"), "-j", "gong_calls")
    tags = json.dumps({"dagster/partition": first})
    shared.run("dagster", "job", "launch", *job, "--tags", tags).succeeded()
    days = ("--partitions", f"{first},{second}", "--noprompt")
    shared.run("dagster", "job", "backfill", *job, *days).succeeded()
    *backfilled, launched = runs(shared)
    assert {run.status for run in (*backfilled, launched)} == {dg.DagsterRunStatus.QUEUED}
    assert launched.tags["dagster/partition"] == first
    assert sorted(run.tags["dagster/partition"] for run in backfilled) == [first, second]
    assert len({run.tags["dagster/backfill"] for run in backfilled}) == 1


def test_local_status_shows_the_stack_that_dagster_started(empty: CommandLine) -> None:
    status = empty.gong_assets("local", "status", "--json").succeeded().json
    assert status["snowflake"]["host"] == "127.0.0.1"
    assert status["gong"]["base_url"].startswith("http://127.0.0.1:")
    assert (empty.directory / ".gong_assets" / "stack.json").exists()
