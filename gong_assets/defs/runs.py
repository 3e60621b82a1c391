"""Runs of the instance: their states, assets, materializations and landings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg
from dagster._core.execution.backfill import PartitionBackfill

IN_FLIGHT = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
TERMINAL = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]

# A run may be stored a moment after its end, and by a machine with another clock.
OVERLAP = timedelta(minutes=10)


def assets_of_run(repository: dg.RepositoryDefinition | None, run: dg.DagsterRun) -> frozenset[dg.AssetKey]:
    """Return the assets of the run; none if its job belongs to another code location."""
    if run.asset_selection:
        return frozenset(run.asset_selection)
    return _assets_of_job(repository, run.job_name)


def assets_of_backfill(
    repository: dg.RepositoryDefinition | None, backfill: PartitionBackfill
) -> frozenset[dg.AssetKey]:
    """Return the assets of the backfill; none if its job belongs to another code location."""
    if backfill.asset_selection:
        return frozenset(backfill.asset_selection)
    return _assets_of_job(repository, backfill.job_name)


def _assets_of_job(repository: dg.RepositoryDefinition | None, name: str | None) -> frozenset[dg.AssetKey]:
    if repository is None or name is None or not repository.has_job(name):
        return frozenset()
    return frozenset(repository.get_job(name).asset_layer.executable_asset_keys)


def materializations_of_run(instance: dg.DagsterInstance, run_id: str) -> Iterator[dg.AssetMaterialization]:
    """Yield the materializations of the run, oldest first. A range of days has one for each day and asset."""
    events = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    for record in events.records:
        if record.asset_materialization is not None:
            yield record.asset_materialization


def unmaterialized_partitions(
    instance: dg.DagsterInstance, run_id: str
) -> dict[tuple[dg.AssetKey, str | None], str | None]:
    """Return what the run planned and did not materialize, each with the key of its step.

    The partition is None for an asset without any.
    """
    planned: dict[tuple[dg.AssetKey, str | None], str | None] = {}
    events = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED)
    for record in events.records:
        event = record.event_log_entry.dagster_event
        if event is not None and event.asset_key is not None:
            planned[event.asset_key, event.partition] = event.step_key
    for each in materializations_of_run(instance, run_id):
        planned.pop((each.asset_key, each.partition), None)
    return planned


def landings_of_run(
    instance: dg.DagsterInstance, run_id: str
) -> Iterator[dg.AssetMaterialization | dg.AssetObservation]:
    """Yield the materializations of the run, and the observations of records that it landed by ID."""
    yield from materializations_of_run(instance, run_id)
    events = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_OBSERVATION)
    for record in events.records:
        if record.asset_observation is not None:
            yield record.asset_observation
