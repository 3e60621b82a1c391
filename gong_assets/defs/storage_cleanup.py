"""Deletion of what the graph's own runs left in Dagster's storage and in the home.

Dagster itself deletes old ticks only (`retention` in `dagster.yaml`). A run is deleted if it is old, and if
later runs have materialized all of its partitions: Dagster takes the state of a partition from the events of
its last run. For the same reason, the last run that failed to materialize a partition is kept until another
run does. The logs of all old runs are deleted, and so are old directories of dbt.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg

from gong_assets.defs.dbt.project import delete_old_output
from gong_assets.defs.jobs import JOB_NAMES, OPTIONAL_JOB_NAMES
from gong_assets.defs.jobs import STORAGE_CLEANUP_JOB as NAME
from gong_assets.defs.leases import keep_lease
from gong_assets.defs.options import GraphOptions
from gong_assets.defs.parts import Part
from gong_assets.defs.runs import TERMINAL, materializations_of_run, unmaterialized_partitions
from gong_assets.defs.schedules import timing
from gong_assets.settings import Settings

CRON = "20 3 * * *"
# A run of the cleanup deletes at most this many runs, so that it ends in minutes in an old deployment too.
MAX_DELETED_RUNS = 500

_Partitions = dict[dg.AssetKey, set[str | None]]


def build_storage_cleanup(
    settings: Settings, options: GraphOptions, keys: Collection[dg.AssetKey], parsed_project: Path
) -> Part:
    """Return the job and its daily schedule; none if GONG_ASSETS_RUN_RETENTION_DAYS is 0.

    Args:
        keys: the graph's own assets. Runs of other assets are not deleted.
        parsed_project: directory of the parsed dbt project in use.
    """
    days = settings.gong_assets_run_retention_days
    if days == 0:
        return Part()

    @dg.op(name=f"{NAME}_op", description=f"Deletes what runs left that are older than {days} days.")
    def clean_up(context: dg.OpExecutionContext) -> None:
        keep_lease(context.instance, context.run)
        before = datetime.now(UTC) - timedelta(days=days)
        kept = settings.first_kept_day(datetime.now(UTC).date())
        deleted = delete_superseded_runs(context.instance, keys, before, first_day=kept)
        logs = delete_logs(context.instance, keys, before)
        directories = delete_old_output(parsed_project, before)
        context.log.info(f"Deleted {deleted} runs, logs of {logs} runs, {directories} dbt directories.")

    @dg.job(
        name=NAME,
        description=f"Deletes the runs of the graph that are older than {days} days, if later runs have "
        "materialized their partitions, and old logs.",
        executor_def=dg.in_process_executor,
    )
    def storage_cleanup() -> None:
        clean_up()

    schedule = dg.ScheduleDefinition(
        name=f"{NAME}_schedule",
        job=storage_cleanup,
        description="Keeps Dagster's storage small.",
        **timing(options.schedules.storage_cleanup, CRON),
    )
    return Part(jobs=[storage_cleanup], schedules=[schedule])


def delete_superseded_runs(
    instance: dg.DagsterInstance,
    keys: Collection[dg.AssetKey],
    before: datetime,
    *,
    first_day: date | None = None,
) -> int:
    """Delete the finished runs from before a time whose partitions later runs have materialized.

    A partition that a run planned and did not materialize is also superseded by a later failure.

    Returns the number of deleted runs.

    Args:
        first_day: partitions of earlier days have expired, and no later run has to have materialized them.
    """
    materialized = _materialized_since(instance, keys, before)
    attempted: _Partitions = {}
    deleted = 0
    for run in _own_runs(instance, keys, before):
        landed = {(each.asset_key, each.partition) for each in materializations_of_run(instance, run.run_id)}
        missed = _missed_partitions(instance, keys, run)
        if _are_covered(landed, first_day, materialized) and _are_covered(
            missed, first_day, materialized, attempted
        ):
            instance.delete_run(run.run_id)
            _delete_event_file(instance, run.run_id)
            deleted += 1
            if deleted == MAX_DELETED_RUNS:
                break
        for covered, partitions in ((materialized, landed), (attempted, missed)):
            for key, partition in partitions:
                covered.setdefault(key, set()).add(partition)
    return deleted


def _missed_partitions(
    instance: dg.DagsterInstance, keys: Collection[dg.AssetKey], run: dg.DagsterRun
) -> set[tuple[dg.AssetKey, str | None]]:
    """Return the partitions of the graph's assets that a failed or canceled run did not materialize."""
    if run.status is dg.DagsterRunStatus.SUCCESS:
        return set()
    missed = unmaterialized_partitions(instance, run.run_id)
    return {(key, partition) for key, partition in missed if key in keys}


def _are_covered(
    partitions: Iterable[tuple[dg.AssetKey, str | None]], first_day: date | None, *later: _Partitions
) -> bool:
    """Return whether each partition has expired, or is in one of `later`."""
    return all(
        _has_expired(partition, first_day) or any(partition in each.get(key, ()) for each in later)
        for key, partition in partitions
    )


def _has_expired(partition: str | None, first_day: date | None) -> bool:
    return partition is not None and first_day is not None and partition < first_day.isoformat()


def _materialized_since(
    instance: dg.DagsterInstance, keys: Collection[dg.AssetKey], since: datetime
) -> _Partitions:
    """Return the partitions that were materialized since a time; None stands for an asset without any."""
    covered: _Partitions = {}
    for key in keys:
        later = dg.AssetRecordsFilter(asset_key=key, after_timestamp=since.timestamp())
        if first := instance.fetch_materializations(later, limit=1, ascending=True).records:
            cursor = first[0].storage_id - 1
            covered[key] = {None, *instance.get_materialized_partitions(key, after_cursor=cursor)}
    return covered


def _own_runs(
    instance: dg.DagsterInstance, keys: Collection[dg.AssetKey], before: datetime
) -> Iterator[dg.DagsterRun]:
    """Yield the runs of the graph that were created and ended before a time, newest first.

    A run that ended after it materialized partitions since then, and would supersede itself.
    """
    own = set(keys)
    records = instance.get_run_records(dg.RunsFilter(statuses=TERMINAL, created_before=before))
    for record in records:
        run = record.dagster_run
        if (record.end_time or record.update_timestamp.timestamp()) >= before.timestamp():
            continue
        checked = {check.asset_key for check in run.asset_check_selection or ()}
        selected = checked.union(run.asset_selection or ())
        if run.job_name in (*JOB_NAMES, *OPTIONAL_JOB_NAMES) or (selected and selected <= own):
            yield run


def _delete_event_file(instance: dg.DagsterInstance, run_id: str) -> None:
    """Delete the file of a run's events in SQLite: Dagster deletes the rows and leaves the file."""
    path_of = getattr(instance.event_log_storage, "path_for_shard", None)
    if path_of is not None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{path_of(run_id)}{suffix}").unlink(missing_ok=True)


def delete_logs(instance: dg.DagsterInstance, keys: Collection[dg.AssetKey], before: datetime) -> int:
    """Delete the logs of the steps of the graph's old runs, and return the number of runs."""
    runs = 0
    for run in _own_runs(instance, keys, before):
        with suppress(OSError, NotImplementedError):
            instance.compute_log_manager.delete_logs(prefix=[run.run_id])
            runs += 1
    return runs
