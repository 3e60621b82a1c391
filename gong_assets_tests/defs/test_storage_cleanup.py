"""The cleanup deletes old runs whose partitions later runs have materialized, and nothing that is needed."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from gong_assets.defs.checks.standing import StandingChecks
from gong_assets.defs.jobs import JOB_NAMES, OPTIONAL_JOB_NAMES
from gong_assets.defs.options import DEFAULT_OPTIONS
from gong_assets.defs.parts import Part
from gong_assets.defs.storage_cleanup import (
    build_storage_cleanup,
    delete_logs,
    delete_superseded_runs,
)
from gong_assets.settings import Settings
from gong_assets_tests.instances import local_instance

DAYS = dg.DailyPartitionsDefinition("2026-03-01")
KEY = dg.AssetKey("gong_calls_raw")


FAILS = "fails"


@dg.asset(partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run(), name=KEY.path[0])
def calls() -> None:
    if FAILS in dg.AssetExecutionContext.get().run.tags:
        raise RuntimeError("failed")


@dg.asset
def orders() -> None:
    """An asset of the project that is not the graph's."""


@dg.op
def failing() -> None:
    raise RuntimeError("failed")


@dg.job
def gong_transcripts() -> None:
    failing()


def materialize(instance: dg.DagsterInstance, first: str, last: str, **tags: str) -> str:
    days = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    job = dg.Definitions([calls]).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        instance=instance, tags=days | tags, asset_selection=[KEY], raise_on_error=False
    ).run_id


@pytest.fixture
def instance(tmp_path: Path) -> dg.DagsterInstance:
    return local_instance(tmp_path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::dagster.BetaWarning")
def test_only_runs_whose_partitions_were_materialized_later_are_deleted(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    last_of_first_day = materialize(instance, "2026-03-01", "2026-03-02")
    superseded = materialize(instance, "2026-03-02", "2026-03-03")
    of_the_project = dg.materialize([orders], instance=instance).run_id
    failed = gong_transcripts.execute_in_process(instance=instance, raise_on_error=False).run_id
    last_of_old_runs = materialize(instance, "2026-03-03", "2026-03-04")
    before = datetime.now(UTC)
    newest = materialize(instance, "2026-03-02", "2026-03-03")

    assert delete_logs(instance, {KEY}, before) == 4
    assert delete_superseded_runs(instance, {KEY}, before) == 2
    remaining = {run.run_id for run in instance.get_runs()}
    assert remaining == {last_of_first_day, of_the_project, last_of_old_runs, newest}
    assert not list(tmp_path.rglob(f"{superseded}.db*"))
    assert not list(tmp_path.rglob(f"{failed}.db*"))
    days = {f"2026-03-0{day}" for day in range(1, 5)}
    assert instance.get_materialized_partitions(KEY) == days
    assert delete_superseded_runs(instance, {KEY}, before) == 0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::dagster.BetaWarning")
def test_the_last_failure_of_a_partition_is_kept_until_the_partition_is_materialized(
    instance: dg.DagsterInstance,
) -> None:
    failed = {FAILS: ""}
    healthy = materialize(instance, "2026-03-01", "2026-03-03")
    repeated = materialize(instance, "2026-03-01", "2026-03-02", **failed)
    last_failure = materialize(instance, "2026-03-01", "2026-03-03", **failed)
    materialize(instance, "2026-03-03", "2026-03-03")

    def remaining() -> list[str]:
        delete_superseded_runs(instance, {KEY}, datetime.now(UTC))
        return [run.run_id for run in instance.get_runs()]

    assert repeated not in remaining()
    assert {healthy, last_failure} <= set(remaining())
    checks = StandingChecks(None, instance, Settings(), DEFAULT_OPTIONS)  # type: ignore[arg-type]
    assert checks.failed_days_are_repaired().ids == [f"{KEY.path[0]} 2026-03-0{day}" for day in (1, 2)]
    newest = materialize(instance, "2026-03-01", "2026-03-03")
    assert remaining() == [newest]


def aged(path: Path, when: float) -> None:
    """Create a directory with one file, both last modified at this time."""
    path.mkdir(parents=True)
    (path / "manifest.json").touch()
    for each in (path / "manifest.json", path):
        os.utime(each, (when, when))


def test_the_job_deletes_old_output_of_dbt_and_nothing_else(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    old = (datetime.now(UTC) - timedelta(days=60)).timestamp()
    home = tmp_path / "home"
    project = home / "dbt" / f"local-{'a' * 12}"
    expired = [project / "runs" / "failed", home / "dbt" / f"local-{'b' * 12}"]
    kept = [
        project / "column_lineage",
        home / "dbt" / "notes",
        home / "erasures",
        home / "dagster",
        tmp_path / "docs",
        tmp_path / ".git",
    ]
    for directory in (*expired, *kept):
        aged(directory, old)
    used = home / "dbt" / f"snowflake-{'c' * 12}"
    aged(used, old)
    (used / "runs").mkdir()
    (project / "runs" / "running").mkdir()
    settings = Settings(gong_assets_home=home)
    part = build_storage_cleanup(settings, DEFAULT_OPTIONS, {KEY}, project)
    (job,), (schedule,) = part.jobs, part.schedules
    assert job.execute_in_process(instance=instance).success
    assert not [path for path in expired if path.exists()]
    for directory in (*kept, used, project / "runs" / "running"):
        assert directory.is_dir(), directory
    assert all((directory / "manifest.json").exists() for directory in (*kept, used))
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING


def test_the_cleanup_is_off_if_the_retention_is_0(tmp_path: Path) -> None:
    without = Settings(gong_assets_run_retention_days=0)
    assert build_storage_cleanup(without, DEFAULT_OPTIONS, {KEY}, tmp_path) == Part()


def test_a_run_that_was_created_before_the_time_and_ended_after_it_is_kept(
    instance: dg.DagsterInstance,
) -> None:
    record = instance.get_run_record_by_id(materialize(instance, "2026-03-01", "2026-03-02"))
    assert record is not None
    assert record.end_time is not None
    created = record.create_timestamp.timestamp()
    before = datetime.fromtimestamp((created + record.end_time) / 2, UTC)
    assert delete_superseded_runs(instance, {KEY}, before) == 0
    assert instance.get_materialized_partitions(KEY) == {"2026-03-01", "2026-03-02"}


@pytest.mark.parametrize("name", [*JOB_NAMES, *OPTIONAL_JOB_NAMES, "somebody_elses"])
def test_old_runs_of_every_job_of_the_graph_are_deleted(instance: dg.DagsterInstance, name: str) -> None:
    @dg.job(name=name)
    def job() -> None: ...

    instance.create_run_for_job(job, status=dg.DagsterRunStatus.SUCCESS)
    deleted = delete_superseded_runs(instance, {KEY}, datetime.now(UTC) + timedelta(minutes=1))
    assert deleted == (name != "somebody_elses")


def test_old_runs_of_checks_alone_are_deleted(instance: dg.DagsterInstance) -> None:
    for key in (KEY, dg.AssetKey("somebody_elses")):
        selection = frozenset({dg.AssetCheckKey(key, "check")})
        run = dg.DagsterRun("__ASSET_JOB", status=dg.DagsterRunStatus.SUCCESS)
        instance.add_run(run._replace(asset_check_selection=selection))
    assert delete_superseded_runs(instance, {KEY}, datetime.now(UTC) + timedelta(minutes=1)) == 1
