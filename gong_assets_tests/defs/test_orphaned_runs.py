"""Runs whose process died are failed and their pool slots freed; live runs never are."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import msgspec
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin

from gong_assets.defs import leases, orphaned_runs
from gong_assets.defs.jobs import JOB_NAMES, OPTIONAL_JOB_NAMES
from gong_assets.defs.leases import Lease
from gong_assets.defs.orphaned_runs import LeaseObserver, build_orphaned_runs_sensor
from gong_assets.defs.resources import SNOWFLAKE, SnowflakeResource
from gong_assets_tests.pools import held_pool

STARTED, FAILURE = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.FAILURE
POOL = "gong_api"

_processes = multiprocessing.get_context("spawn")


@dg.op(required_resource_keys={SNOWFLAKE}, pool=POOL)
def wait_for_the_end(context: dg.OpExecutionContext) -> None:
    Path(os.environ["STARTED"]).touch()
    time.sleep(600)


@dg.op(required_resource_keys={SNOWFLAKE}, pool=POOL)
def end() -> None: ...


def job(op: dg.OpDefinition) -> dg.JobDefinition:
    @dg.job(name="gong_ingestion", resource_defs={SNOWFLAKE: SnowflakeResource(local_home="unused")})
    def gong_ingestion() -> None:
        op()

    return gong_ingestion


def execute_until_killed(home: str, started: str) -> None:
    os.environ["STARTED"] = started
    with dg.DagsterInstance.from_config(home) as instance:
        job(wait_for_the_end).execute_in_process(instance=instance)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "dagster.yaml").write_text("concurrency: {pools: {default_limit: 1}}")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


def statuses(instance: dg.DagsterInstance) -> list[dg.DagsterRunStatus]:
    return [run.status for run in instance.get_runs()]


def slots(instance: dg.DagsterInstance) -> int:
    return instance.event_log_storage.get_concurrency_info(POOL).active_slot_count


@pytest.mark.slow
def test_the_run_of_a_killed_process_is_failed_at_once_and_the_next_run_gets_its_slot(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    process = _processes.Process(target=execute_until_killed, args=(str(tmp_path), str(tmp_path / "started")))
    process.start()
    while not (tmp_path / "started").exists():
        assert process.is_alive()
        time.sleep(0.1)
    assert LeaseObserver().fail_dead_runs(instance) == []
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert (statuses(instance), slots(instance)) == ([STARTED], 1)

    with dg.build_sensor_context(instance=instance) as context:
        result = build_orphaned_runs_sensor()(context)

    assert isinstance(result, dg.SkipReason)
    assert "(gong_ingestion)" in str(result.skip_message)
    assert (statuses(instance), slots(instance)) == ([FAILURE], 0)
    assert job(end).execute_in_process(instance=instance).success


def elsewhere(instance: dg.DagsterInstance, run_id: str, renewals: int, machine: str = "other") -> None:
    """Store the lease of a run in another container, where process 1 is something else."""
    lease = Lease(held=True, renewals=renewals, renewed_at="then", machine=machine, process="1/12345")
    value = msgspec.json.encode(lease).decode()
    instance.daemon_cursor_storage.set_cursor_values({f"gong_assets/lease/{run_id}": value})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [time.time()]
    monkeypatch.setattr(orphaned_runs, "time", lambda: now[0])
    return now


def test_a_run_in_another_container_is_dead_when_it_missed_three_renewals(
    instance: dg.DagsterInstance, clock: list[float]
) -> None:
    state = None
    with held_pool(instance, POOL) as run:
        for look in range(6):
            elsewhere(instance, run.run_id, renewals=min(look, 2))  # the last renewal is seen at look 2
            observer = LeaseObserver(state)  # in another process each time
            dead = observer.fail_dead_runs(instance)
            state = observer.state
            assert [each.run_id for each in dead] == ([run.run_id] if look == 5 else [])
            clock[0] += 31
        assert (statuses(instance), slots(instance)) == ([FAILURE], 0)


def test_steps_of_the_clock_and_a_suspended_machine_kill_no_live_run(
    instance: dg.DagsterInstance, clock: list[float]
) -> None:
    run = instance.create_run_for_job(job(end), status=STARTED)
    observer = LeaseObserver()
    for renewals, step in enumerate((31, -3600, 60, 7200, 31, 60, -31, 86_400)):
        elsewhere(instance, run.run_id, renewals)
        for _ in range(3):  # after each step the observer may look before the run renews
            assert observer.fail_dead_runs(instance) == []
            clock[0] += step
    assert statuses(instance) == [STARTED]


@pytest.mark.parametrize(("job_name", "age", "is_dead"), [
    ("gong_ingestion", 600, False), ("gong_ingestion", 1000, True), ("somebody_elses", 1000, False),
])  # fmt: skip
def test_a_run_that_died_before_its_lease_is_failed_after_a_grace_time(
    instance: dg.DagsterInstance, clock: list[float], job_name: str, age: float, is_dead: bool
) -> None:
    run = instance.create_run_for_job(_empty(job_name), status=dg.DagsterRunStatus.STARTING)
    clock[0] += age
    assert [each.run_id for each in LeaseObserver().fail_dead_runs(instance)] == [run.run_id] * is_dead


@pytest.mark.parametrize(("job_name", "age", "is_dead"), [
    ("gong_sync", 600, False), ("gong_sync", 1000, True), ("somebody_elses", 1000, False),
])  # fmt: skip
def test_a_run_that_was_created_and_never_started_is_failed_after_a_grace_time(
    instance: dg.DagsterInstance, clock: list[float], job_name: str, age: float, is_dead: bool
) -> None:
    run = instance.create_run_for_job(_empty(job_name))
    assert statuses(instance) == [dg.DagsterRunStatus.NOT_STARTED]
    clock[0] += age
    assert [each.run_id for each in LeaseObserver().fail_dead_runs(instance)] == [run.run_id] * is_dead
    assert (statuses(instance) == [FAILURE]) is is_dead


def test_a_queued_run_waits_for_the_daemon_however_long_it_takes(
    instance: dg.DagsterInstance, clock: list[float]
) -> None:
    location = RegisteredCodeLocationOrigin("gong_assets")
    origin = RemoteRepositoryOrigin(location, "__repository__").get_job_origin("gong_sync")
    queued = dg.DagsterRunStatus.QUEUED
    instance.create_run_for_job(_empty("gong_sync"), status=queued, remote_job_origin=origin)
    clock[0] += 86_400
    assert LeaseObserver().fail_dead_runs(instance) == []
    assert statuses(instance) == [queued]


def test_the_slot_of_a_run_that_dagster_failed_or_deleted_is_freed(instance: dg.DagsterInstance) -> None:
    with held_pool(instance, POOL, has_lease=False) as run:
        assert slots(instance) == 1
        instance.report_run_failed(run, "Dagster's code server saw that the process died.")
        assert LeaseObserver().fail_dead_runs(instance) == []
        assert slots(instance) == 0
    with held_pool(instance, POOL, has_lease=False) as run:
        assert slots(instance) == 1
        instance.delete_run(run.run_id)
        assert LeaseObserver().fail_dead_runs(instance) == []
        assert slots(instance) == 0


@pytest.mark.parametrize("is_deleted", [False, True])
def test_a_run_that_ended_or_was_deleted_no_longer_waits_for_a_slot(
    instance: dg.DagsterInstance, is_deleted: bool
) -> None:
    """Otherwise the slot is kept for it when it is free, and nobody else gets it."""
    storage = instance.event_log_storage
    with held_pool(instance, POOL) as holder:
        waiting = instance.create_run_for_job(job(end), status=dg.DagsterRunStatus.STARTED)
        if is_deleted:
            instance.delete_run(waiting.run_id)
        else:
            instance.report_run_failed(waiting)
        # Its process noticed nothing, and died later.
        assert not storage.claim_concurrency_slot(POOL, waiting.run_id, "waits").is_claimed
        assert LeaseObserver().fail_dead_runs(instance) == []
        # A step that has its slot is listed too.
        listed = storage.get_concurrency_info(POOL).pending_steps
        assert [step.run_id for step in listed] == [holder.run_id]
        assert slots(instance) == 1
    other = instance.create_run_for_job(job(end))
    assert storage.claim_concurrency_slot(POOL, other.run_id, "next").is_claimed


def test_a_run_that_was_marked_as_canceled_keeps_its_slot_while_its_process_works(
    instance: dg.DagsterInstance, clock: list[float]
) -> None:
    observer = LeaseObserver()
    with held_pool(instance, POOL) as run:
        instance.report_run_canceled(run)
        for renewals in range(10):
            elsewhere(instance, run.run_id, renewals)
            observer.fail_dead_runs(instance)
            assert slots(instance) == 1
            clock[0] += 31
        for _ in range(4):
            observer.fail_dead_runs(instance)
            clock[0] += 31
        assert slots(instance) == 0


@pytest.mark.parametrize("name", [*JOB_NAMES, *OPTIONAL_JOB_NAMES])
def test_a_dead_run_of_each_job_is_failed(
    instance: dg.DagsterInstance, clock: list[float], name: str
) -> None:
    created = instance.create_run_for_job(_empty(name))
    started = instance.create_run_for_job(_empty(name), status=STARTED)
    clock[0] += 1000
    dead = LeaseObserver().fail_dead_runs(instance)
    assert {run.run_id for run in dead} == {created.run_id, started.run_id}


def test_a_run_of_selected_assets_that_was_never_started_is_failed_if_they_are_the_graphs(
    instance: dg.DagsterInstance, clock: list[float]
) -> None:
    @dg.asset
    def own() -> None: ...

    @dg.asset
    def other() -> None: ...

    job = dg.Definitions([own, other]).resolve_implicit_global_asset_job_def()
    runs = {
        name: instance.create_run_for_job(job, asset_selection=frozenset(map(dg.AssetKey, name.split())))
        for name in ("own", "other", "own other")
    }
    started = instance.create_run_for_job(job, asset_selection=frozenset({own.key}), status=STARTED)
    clock[0] += 1000
    observer = LeaseObserver(keys={own.key})
    assert [run.run_id for run in observer.fail_dead_runs(instance)] == [runs["own"].run_id]
    assert instance.get_run_by_id(started.run_id).status is STARTED  # type: ignore[union-attr]


def _empty(name: str) -> dg.JobDefinition:
    @dg.job(name=name)
    def empty() -> None: ...

    return empty


@pytest.mark.slow
def test_the_lease_is_renewed_until_the_process_ends(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "RENEWAL_SECONDS", 0.05)
    monkeypatch.setattr(leases, "_kept", {})
    seen: list[Lease] = []

    @dg.op(required_resource_keys={SNOWFLAKE})
    def look(context: dg.OpExecutionContext) -> None:
        while not seen or seen[-1].renewals < 2:
            seen.append(leases.leases(context.instance, [context.run_id])[context.run_id])
            time.sleep(0.05)

    result = job(look).execute_in_process(instance=instance)
    assert result.success
    assert seen[-1].held
    assert seen[-1].ended_here() is False
    leases.release_leases()  # as at the end of a process
    (last,) = leases.leases(instance, [result.run_id]).values()
    assert not last.held


@pytest.mark.slow
def test_a_lease_that_could_not_be_stored_at_first_is_stored_by_a_renewal(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "RENEWAL_SECONDS", 0.05)
    monkeypatch.setattr(leases, "_kept", {})
    store, failures = leases._store, iter(range(3))

    def fail_at_first(*arguments: object, **options: object) -> None:
        if next(failures, None) is not None:
            raise OSError("database is locked")
        store(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(leases, "_store", fail_at_first)

    @dg.op(required_resource_keys={SNOWFLAKE})
    def wait_for_the_lease(context: dg.OpExecutionContext) -> None:
        while not leases.leases(context.instance, [context.run_id]):
            time.sleep(0.05)

    assert job(wait_for_the_lease).execute_in_process(instance=instance).success
    leases.release_leases()
