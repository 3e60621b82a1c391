"""Runs whose process died: they are failed, and the pool slots that they would keep for ever are freed.

A run that was created and never started has no slot, but sensors wait for it as for any run in flight. A run
that has ended can have a slot, or wait for one: somebody else, such as Dagster's code server, failed it when
its process died, or it was marked as canceled in the UI.

Dagster's run monitoring does not do this: DefaultRunLauncher has no health check, and `max_runtime_seconds`
cannot tell a dead run from a long backfill. Launchers with a health check (Docker, Kubernetes) cover the runs
that they launched, and neither those of the command line nor those that a vanished daemon left.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from time import time
from typing import Any

import dagster as dg

from gong_assets.defs.assets.ingestion import GONG_POOL
from gong_assets.defs.dbt.assets import DBT_POOL
from gong_assets.defs.jobs import JOB_NAMES, OPTIONAL_JOB_NAMES
from gong_assets.defs.leases import RENEWAL_SECONDS, Lease, leases
from gong_assets.defs.options import DEFAULT_OPTIONS, GraphOptions

SENSOR = "gong_orphaned_runs"
INTERVAL_SECONDS = 60
# A run is dead if its lease is the same at four looks, each at least one renewal after the one before.
LOOKS = 4
# A run is started when it is created, and gets its lease within seconds. Importing everything on a busy
# machine takes a minute, and the clocks of two machines may differ by several.
START_GRACE_SECONDS = 900

# Queued runs wait for the daemon, which starts them whenever it runs.
_STATUSES = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


class LeaseObserver:
    """What an observer has seen so far: for each run its lease, the number of looks, and the last look.

    Args:
        state: that of an earlier observer.
        keys: the graph's assets. Their runs by the UI's "Materialize" have no job of the graph.
    """

    def __init__(self, state: str | None = None, keys: Collection[dg.AssetKey] = ()) -> None:
        self._seen: dict[str, list[Any]] = json.loads(state) if state else {}
        self._keys = frozenset(keys)

    @property
    def state(self) -> str:
        """Return what has been seen, for an observer that continues in another process."""
        return json.dumps(self._seen)

    def fail_dead_runs(self, instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
        """Fail the graph's runs whose process died, free their pool slots, and return them."""
        records = instance.get_run_records(dg.RunsFilter(statuses=_STATUSES))
        ended = list(_ended_in_pools(instance))
        run_ids = [*(record.dagster_run.run_id for record in records), *ended]
        known = leases(instance, run_ids)
        self._seen = {run_id: seen for run_id, seen in self._seen.items() if run_id in known}
        dead = []
        for record in records:
            run = record.dagster_run
            lease = known.get(run.run_id)
            reason = self._reason(run.run_id, lease) if lease else self._never_leased(record)
            if reason is not None and _fail(instance, run.run_id, reason):
                dead.append(run)
        for run_id in ended:
            lease = known.get(run_id)
            # The process of a run that was marked as canceled may still work.
            if lease is None or not lease.held or self._reason(run_id, lease):
                instance.event_log_storage.free_concurrency_slots_for_run(run_id)
        return dead

    def _reason(self, run_id: str, lease: Lease) -> str | None:
        """Return why the run is dead, or None if it is not known to be."""
        ended = lease.ended_here() if lease.held else False
        if ended is not None:
            self._seen.pop(run_id, None)
            return "The process that executed this run was killed." if ended else None
        now = time()
        value = [lease.renewals, lease.process]
        seen, looks, last = self._seen.get(run_id, (None, 0, 0.0))
        if seen != value:
            looks, last = 1, now
        elif abs(now - last) >= RENEWAL_SECONDS:
            looks, last = looks + 1, now
        self._seen[run_id] = [value, looks, last]
        if looks < LOOKS:
            return None
        return (
            "The process that executed this run died, or its machine or container ended: the run has not "
            f"renewed its lease since {lease.renewed_at}."
        )

    def _never_leased(self, record: dg.RunRecord) -> str | None:
        """Return why a run without a lease is dead, or None if it may still get one or is not the graph's."""
        run = record.dagster_run
        began = record.start_time or record.update_timestamp.timestamp()
        if time() - began < START_GRACE_SECONDS:
            return None
        minutes = START_GRACE_SECONDS // 60
        is_own_job = run.job_name in (*JOB_NAMES, *OPTIONAL_JOB_NAMES)
        selected = run.asset_selection or frozenset()
        if run.status is dg.DagsterRunStatus.NOT_STARTED and (
            is_own_job or (selected and selected <= self._keys)
        ):
            return f"This run was created more than {minutes} min ago and has not started."
        # Another job may start a process for each step, and has no lease while a step waits for its slot.
        if run.status is not dg.DagsterRunStatus.NOT_STARTED and is_own_job:
            return f"The process of this run died before its first step, more than {minutes} min ago."
        return None


def _ended_in_pools(instance: dg.DagsterInstance) -> Iterator[str]:
    """Yield the runs that have ended, or were deleted, and still have or await a slot of the graph's pools.

    Dagster offers a free slot to the step that waits longest, and starts no run while as many steps wait.
    """
    storage = instance.event_log_storage
    pools = storage.get_concurrency_keys() & {GONG_POOL, DBT_POOL}
    run_ids: set[str] = set()
    for info in map(storage.get_concurrency_info, pools):
        run_ids |= info.active_run_ids | info.assigned_run_ids | info.pending_run_ids
    for run_id in run_ids:
        run = instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            yield run_id


def _fail(instance: dg.DagsterInstance, run_id: str, reason: str) -> bool:
    run = instance.get_run_by_id(run_id)
    if run is None or run.status not in _STATUSES:
        return False  # it has finished meanwhile
    if run.status is dg.DagsterRunStatus.CANCELING:
        instance.report_run_canceled(run, reason)
    else:
        instance.report_run_failed(run, reason)
    instance.event_log_storage.free_concurrency_slots_for_run(run_id)
    return True


def build_orphaned_runs_sensor(
    options: GraphOptions = DEFAULT_OPTIONS, keys: Collection[dg.AssetKey] = ()
) -> dg.SensorDefinition:
    """Return the sensor that fails dead runs of these assets. It needs no job, as it requests no runs."""

    @dg.sensor(
        name=SENSOR,
        minimum_interval_seconds=options.sensors.orphaned_runs.interval_seconds or INTERVAL_SECONDS,
        default_status=options.sensors.orphaned_runs.default_status,
        description="Fails runs of the graph whose process, container or machine died, and frees their pool "
        "slots, which would block all later runs. Dagster's run retries then start a failed run again.",
    )
    def gong_orphaned_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        observer = LeaseObserver(context.cursor, keys)
        dead = observer.fail_dead_runs(context.instance)
        context.update_cursor(observer.state)
        names = ", ".join(f"{run.run_id} ({run.job_name})" for run in dead)
        return dg.SkipReason(f"Failed the dead runs {names}." if dead else "No run is dead.")

    return gong_orphaned_runs
