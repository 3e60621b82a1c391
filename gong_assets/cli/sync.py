"""`gong-assets sync`: which days to materialize, and the run that does it.

The run itself is executed in `graph_run.py` and printed by `output.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Literal

from gong_assets.cli.dagster_home import ensure_dagster_home
from gong_assets.cli.graph_run import RunFailed, RunListener, RunReport, execute
from gong_assets.cli.interruption import leaving
from gong_assets.cortex.enrichments import ENRICHMENTS
from gong_assets.dates import DateRange
from gong_assets.defs.first_partition import including, is_explicit, look_up_first_partition
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.settings import FIRST_POSSIBLE_CALL_DATE, Settings
from gong_assets.settings.account_checks import check_accounts
from gong_assets.warehouse.connection import Warehouse, open_warehouse
from gong_assets.warehouse.migration import check_tables
from gong_assets.warehouse.queries import row_counts

if TYPE_CHECKING:
    import dagster as dg

Mode = Literal["incremental", "full", "backfill"]


class InvalidDateRange(Exception):
    """The dates of a sync are invalid. The message names the option and the reason."""


def days_to_sync(
    settings: Settings, mode: Mode, first: date | None, last: date | None, today: date
) -> DateRange | None:
    """Return the days to sync, or None if they start with the first call, which only Gong knows.

    Raises:
        InvalidDateRange: the options contradict each other or the settings.
    """
    if mode == "backfill" and first is None:
        raise InvalidDateRange("--mode backfill needs --from-date")
    for option, day in (("--from-date", first), ("--to-date", last)):
        if day is not None and day > today:
            raise InvalidDateRange(f"{option} {day} is in the future (today is {today}, UTC)")
    last = last or today
    start, kept = settings.first_day(today), settings.first_kept_day(today)
    earliest = start if is_explicit(settings) else max(FIRST_POSSIBLE_CALL_DATE, kept or date.min)
    if first is None:
        if mode == "full" and not is_explicit(settings) and kept is None:
            return None
        lookback = DateRange.lookback(last, settings.gong_lookback_days, not_before=start)
        first = start if mode == "full" else lookback.start
    if first > last:
        raise InvalidDateRange(f"--from-date {first} is after --to-date {last}")
    if first < earliest and earliest == kept:
        raise InvalidDateRange(
            f"--from-date {first} is before {kept}, the first day that GONG_RETENTION_DAYS keeps"
        )
    if first < earliest:
        raise InvalidDateRange(
            f"--from-date {first} is before the first partition, {earliest}: set an earlier GONG_START_DATE"
        )
    return DateRange.inclusive(first, last)


def run_sync(
    settings: Settings,
    days: DateRange | None,
    *,
    listener: RunListener,
    last: date | None = None,
    transcripts: bool = True,
    resume: bool = False,
    confirm_deletions: bool = False,
) -> RunReport:
    """Materialize the graph for `days` in one run and return its report.

    Args:
        days: None for every day from Gong's first call to `last`.
        last: used if `days` is None; None for today.
        resume: resume the latest run for the same days if it did not finish.
        confirm_deletions: apply all deletions, however many.

    Raises:
        Interrupted: a signal arrived.
        InvalidDateRange: the first call is after `last`.
        OutdatedTables: the schema has tables of an earlier system or version.
        RunFailed: the run failed.
        WarehouseError: the warehouse cannot be reached.
    """
    with leaving("the run had not started, and nothing was changed"):
        ensure_dagster_home(settings)
        listener.message("loading the graph")
        from gong_assets.defs.build import build_defs

        check_accounts(settings)
        days = days or _days_since_first_call(settings, last, listener)
        settings = including(settings, days.start)
        definitions = build_defs(settings)
        # Spend no Gong request before the warehouse is known to be reachable, with tables of this version.
        warehouse = _checked_warehouse(settings, listener)
    job = "gong_sync" if transcripts else "gong_calls"
    report = run_job(definitions, job, days, listener, resume=resume, confirm_deletions=confirm_deletions)
    with leaving(f"run {report.run_id} succeeded"):
        return _with_rows(report, warehouse)


def _checked_warehouse(settings: Settings, listener: RunListener) -> Warehouse:
    warehouse = open_warehouse(settings)
    listener.message("connecting to the warehouse")
    with warehouse.connect() as connection:
        check_tables(connection, RAW_TABLES)
    return warehouse


def _with_rows(report: RunReport, warehouse: Warehouse) -> RunReport:
    # The answers of all enrichments are in one table.
    answers = {enrichment.asset_name for enrichment in ENRICHMENTS.values()}
    tables = [name for name in report.assets if name.lower() not in answers]
    for name, rows in row_counts(warehouse, tables).items():
        report.assets[name].rows = rows
    return report


def run_job(
    definitions: dg.Definitions,
    job_name: str,
    days: DateRange,
    listener: RunListener,
    *,
    resume: bool,
    confirm_deletions: bool,
) -> RunReport:
    import dagster as dg

    from gong_assets.defs.orphaned_runs import LeaseObserver

    job = definitions.resolve_job_def(job_name)
    specs = definitions.resolve_all_asset_specs()
    groups = {spec.key.to_user_string(): spec.group_name or "" for spec in specs}
    with dg.DagsterInstance.get() as instance:
        LeaseObserver().fail_dead_runs(instance)
        tags = tags_to_resume(instance, job, days, listener) if resume else {}
        listener.run_started(days)
        run = partial(execute, instance=instance, days=days, groups=groups, listener=listener)
        try:
            return run(job, tags=tags, confirm_deletions=confirm_deletions)
        except RunFailed as error:
            if not error.unaffected:
                raise
            # Dagster skips every step after a failed one, also the models that do not read its table.
            listener.message("materializing the models with what has landed")
            try:
                run(definitions.resolve_implicit_global_asset_job_def(), tags={}, assets=error.unaffected)
            except RunFailed as another:
                raise RunFailed(f"{error}\n{another}") from error
            raise


def tags_to_resume(
    instance: dg.DagsterInstance, job: dg.JobDefinition, days: DateRange, listener: RunListener
) -> Mapping[str, str]:
    """Return the tags of a run that resumes the job's latest run for these days; empty if that succeeded."""
    import dagster as dg

    from gong_assets.defs.resumption import is_resumable, resume_tags

    same_days = dg.RunsFilter(job_name=job.name, tags=days.as_run_tags())
    latest = instance.get_run_records(same_days, limit=1)  # Newest first.
    if not latest or not is_resumable(latest[0]):
        return {}
    run = latest[0].dagster_run
    listener.message(f"resuming run {run.run_id}")
    return resume_tags(run)


def _days_since_first_call(settings: Settings, last: date | None, listener: RunListener) -> DateRange:
    listener.message("looking up the first call in Gong")
    last = last or datetime.now(UTC).date()
    first = look_up_first_partition(settings) or last
    if first > last:
        raise InvalidDateRange(f"--to-date {last} is before {first}, the day of the first call")
    return DateRange.inclusive(first, last)
