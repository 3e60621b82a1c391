"""Runs that resume an earlier run which did not finish.

A run that Gong's daily quota stops keeps the days that it has read completely, records them as materialized
partitions, and tags itself with the time at which the quota is back. A run that resumes it skips those days.
Resuming runs are started by a sensor (`sensors.py`), by re-execution in the Dagster UI, and by the same
command again (`cli/sync.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from gong_assets.dates import PARTITION_TAGS, DateRange, contiguous_ranges
from gong_assets.defs.partitions import days_to_read
from gong_assets.gong import GongQuotaExhausted
from gong_assets.settings import Settings

# On a resuming run: the first of the runs that it resumes.
RESUMES_TAG = "gong_assets/continues"
# On a stopped run: the reason, and the time from which it can be resumed.
STOPPED_BY_TAG = "gong_assets/stopped_by"
RESUME_AFTER_TAG = "gong_assets/continue_after"
GONG_QUOTA = "gong_quota"

# Runs older than this are restarted instead of resumed: the data they read may be stale.
MAX_RESUME_AGE = timedelta(days=7)

_PAGE_SIZE = 1000


def ranges_to_read(
    context: dg.AssetExecutionContext, asset_key: dg.AssetKey, settings: Settings
) -> Sequence[DateRange]:
    """Return the days of the run, without those that the runs it resumes have materialized for the asset."""
    days = days_to_read(context, settings)
    first = first_attempt(context.instance, context.run)
    if first is None:
        return [days]
    completed = set(materialized_since(context.instance, asset_key, first))
    remaining = contiguous_ranges(day for day in days if day not in completed)
    context.log.info(
        f"Resuming run {first.dagster_run.run_id}: "
        f"{sum(map(len, remaining)):,} of {len(days):,} days are left to read."
    )
    return remaining


def first_attempt(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.RunRecord | None:
    """Return the first run that this one resumes, named by its tag or re-executed after a failure."""
    run_id = run.tags.get(RESUMES_TAG)
    if run_id is None and run.parent_run_id is not None:
        parent = instance.get_run_record_by_id(run.parent_run_id)
        if parent is not None and is_resumable(parent):
            run_id = _first_attempt_id(parent.dagster_run)
    return instance.get_run_record_by_id(run_id) if run_id else None


def is_resumable(attempt: dg.RunRecord) -> bool:
    """Return True if the run ended without success, and recently enough."""
    ended = attempt.dagster_run.status in (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
    return ended and datetime.now(UTC) - attempt.create_timestamp <= MAX_RESUME_AGE


def materialized_since(
    instance: dg.DagsterInstance, asset_key: dg.AssetKey, attempt: dg.RunRecord
) -> Iterator[date]:
    """Yield the days of the asset that were materialized since the run was created."""
    records = dg.AssetRecordsFilter(asset_key=asset_key, after_timestamp=attempt.create_timestamp.timestamp())
    cursor: str | None = None
    while True:
        found = instance.fetch_materializations(records, limit=_PAGE_SIZE, cursor=cursor)
        yield from (date.fromisoformat(each.partition_key) for each in found.records if each.partition_key)
        if not found.has_more:
            return
        cursor = found.cursor


def mark_quota_stop(context: dg.AssetExecutionContext, error: GongQuotaExhausted) -> datetime:
    """Tag the run as stopped by the quota, and return the time from which it can be resumed."""
    after = datetime.now(UTC) + timedelta(seconds=error.retry_after)
    tags = {STOPPED_BY_TAG: GONG_QUOTA, RESUME_AFTER_TAG: after.isoformat(timespec="seconds")}
    context.instance.add_run_tags(context.run.run_id, tags)
    return after


def runs_awaiting_quota(instance: dg.DagsterInstance, now: datetime) -> list[dg.RunRecord]:
    """Return the runs that the quota stopped, that can be resumed by now, and that no later run resumes."""
    stopped = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.FAILURE],
        tags={STOPPED_BY_TAG: GONG_QUOTA},
        created_after=now - MAX_RESUME_AGE,
    )
    return [
        record
        for record in instance.get_run_records(stopped)
        if datetime.fromisoformat(record.dagster_run.tags[RESUME_AFTER_TAG]) <= now
        and _is_latest_attempt(instance, record.dagster_run)
    ]


def _is_latest_attempt(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    attempts = dg.RunsFilter(tags={RESUMES_TAG: _first_attempt_id(run)})
    later = instance.get_runs(attempts, limit=1)  # Newest first.
    return not later or later[0].run_id == run.run_id


def resume_tags(run: dg.DagsterRun) -> dict[str, str]:
    """Return the tags of a run that resumes this one."""
    days = {name: run.tags[name] for name in PARTITION_TAGS if name in run.tags}
    return {**days, RESUMES_TAG: _first_attempt_id(run)}


def _first_attempt_id(run: dg.DagsterRun) -> str:
    return run.tags.get(RESUMES_TAG) or run.root_run_id or run.run_id
