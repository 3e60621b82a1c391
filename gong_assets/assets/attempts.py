"""Runs that go on where an earlier one was stopped.

A run that Gong's daily quota stops keeps the days that it has read whole, marks them as materialized partitions, and says
when the quota is back. A run that continues it leaves those days out. Which runs are started, and when, is decided in
`sensors.py` (by itself), in Dagster's UI (re-execution) and in `sync.py` (the same command again).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from gong_assets.gong import GongQuotaExhausted
from gong_assets.partitions import PARTITION_TAGS, days_of, spans
from gong_assets.warehouse.landing import Days

# On a run that goes on: the first of the runs that it continues.
CONTINUES_TAG = "gong_assets/continues"
# On a run that was stopped: by what, and when it may be continued.
STOPPED_BY_TAG = "gong_assets/stopped_by"
CONTINUE_AFTER_TAG = "gong_assets/continue_after"
GONG_QUOTA = "gong_quota"

# The attempt that is continued may be so old. By then too much of what it and those before it read has changed in Gong.
GOOD_FOR = timedelta(days=7)

_PAGE = 1000


def days_to_read(context: dg.AssetExecutionContext) -> Sequence[Days]:
    """The days of the run, without those that the runs which it continues have finished."""
    days = days_of(context.partition_time_window)
    first = first_attempt(context.instance, context.run)
    if first is None:
        return [days]
    finished = set(_finished_since(context.instance, context.asset_key, first))
    left = spans(day for day in days if day not in finished)
    context.log.info(
        f"continuing run {first.dagster_run.run_id}: {sum(1 for span in left for _ in span):,} of "
        f"{sum(1 for _ in days):,} days are left to read"
    )
    return left


def first_attempt(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.RunRecord | None:
    """The first of the runs that this one continues: by its tag, or as a re-execution of one that did not succeed."""
    run_id = run.tags.get(CONTINUES_TAG)
    if run_id is None and run.parent_run_id is not None:
        parent = instance.get_run_record_by_id(run.parent_run_id)
        if parent is not None and may_be_continued(parent):
            run_id = _first_attempt_id(parent.dagster_run)
    return instance.get_run_record_by_id(run_id) if run_id else None


def may_be_continued(attempt: dg.RunRecord) -> bool:
    """Whether a run did not succeed, and that not too long ago."""
    ended = attempt.dagster_run.status in (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
    return ended and datetime.now(UTC) - attempt.create_timestamp <= GOOD_FOR


def _finished_since(
    instance: dg.DagsterInstance, asset_key: dg.AssetKey, attempt: dg.RunRecord
) -> Iterator[date]:
    """The days of an asset that were materialized since then."""
    records = dg.AssetRecordsFilter(asset_key=asset_key, after_timestamp=attempt.create_timestamp.timestamp())
    cursor: str | None = None
    while True:
        found = instance.fetch_materializations(records, limit=_PAGE, cursor=cursor)
        yield from (date.fromisoformat(each.partition_key) for each in found.records if each.partition_key)
        if not found.has_more:
            return
        cursor = found.cursor


def stopped(context: dg.AssetExecutionContext, error: GongQuotaExhausted) -> datetime:
    """Note on the run when it may be continued."""
    after = datetime.now(UTC) + timedelta(seconds=error.retry_after)
    tags = {STOPPED_BY_TAG: GONG_QUOTA, CONTINUE_AFTER_TAG: after.isoformat(timespec="seconds")}
    context.instance.add_run_tags(context.run_id, tags)
    return after


def stopped_runs(instance: dg.DagsterInstance, now: datetime) -> list[dg.RunRecord]:
    """The runs that the quota stopped, that may be continued by now, and that no later run continues."""
    stopped = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.FAILURE],
        tags={STOPPED_BY_TAG: GONG_QUOTA},
        created_after=now - GOOD_FOR,
    )
    return [
        record
        for record in instance.get_run_records(stopped)
        if datetime.fromisoformat(record.dagster_run.tags[CONTINUE_AFTER_TAG]) <= now
        and _is_latest_attempt(instance, record.dagster_run)
    ]


def _is_latest_attempt(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    attempts = dg.RunsFilter(tags={CONTINUES_TAG: _first_attempt_id(run)})
    later = instance.get_runs(attempts, limit=1)  # The newest comes first.
    return not later or later[0].run_id == run.run_id


def continuing_tags(run: dg.DagsterRun) -> dict[str, str]:
    """The tags of a run that continues this one."""
    days = {name: run.tags[name] for name in PARTITION_TAGS if name in run.tags}
    return {**days, CONTINUES_TAG: _first_attempt_id(run)}


def _first_attempt_id(run: dg.DagsterRun) -> str:
    return run.tags.get(CONTINUES_TAG) or run.root_run_id or run.run_id
