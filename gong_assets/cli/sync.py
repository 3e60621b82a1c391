"""Running the graph for a span of days, as Dagster runs in this process.

The runs are ordinary ones: they show in the Dagster UI with their events, metadata and materialized partitions. Which
days are run is decided by pure functions; what is printed of a run is in `cli/output.py`.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import uuid
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from io import TextIOBase
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Literal, Protocol

from gong_assets.dates import DateRange
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import open_warehouse
from gong_assets.warehouse.queries import row_counts

if TYPE_CHECKING:
    import dagster as dg

Mode = Literal["incremental", "full", "backfill"]

SECONDS_BETWEEN_POLLS = 0.5


class DateRangeError(Exception):
    """The dates asked for make no sense; the text says which and why."""


class SyncError(Exception):
    """A run failed; the text is the reason, in a line or two."""


class Watcher(Protocol):
    """Gets what happens while runs go on; see `gong_assets.cli.output`."""

    def run_started(self, days: DateRange) -> None: ...
    def message(self, text: str) -> None: ...
    def reading(self, noun: str, done: int, total: int | None) -> None:
        """So many records have been read from Gong, of about so many."""


@dataclass
class AssetReport:
    """What a run did to one asset: the seconds that it took, and the rows that its table holds now."""

    group: str
    seconds: float = 0.0
    rows: int | None = None


@dataclass
class RunReport:
    run_id: str
    days: DateRange
    seconds: float
    assets: dict[str, AssetReport] = field(default_factory=dict)
    failed_checks: list[str] = field(default_factory=list)


def days_to_sync(
    settings: Settings, mode: Mode, first: date | None, last: date | None, today: date
) -> DateRange | None:
    """The days of `gong-assets sync`; None where the first day is not known before Gong is asked.

    Raises:
        DateRangeError: before any request.
    """
    last = last or today
    if mode == "backfill" and first is None:
        raise DateRangeError("--mode backfill needs --from-date")
    for option, day in (("--from-date", first), ("--to-date", last)):
        if day is not None and day > today:
            raise DateRangeError(f"{option} {day} is in the future (today is {today}, UTC)")
    if first is None:
        if mode == "full":
            if "gong_start_date" not in settings.model_fields_set:
                return None
            first = settings.gong_start_date
        else:
            first = max(last - timedelta(days=settings.gong_lookback_days - 1), settings.gong_start_date)
    if first > last:
        raise DateRangeError(f"--from-date {first} is after --to-date {last}")
    if first < settings.gong_start_date:
        raise DateRangeError(
            f"--from-date {first} is before the first partition, {settings.gong_start_date}: set GONG_START_DATE"
        )
    return DateRange.inclusive(first, last)


def ensure_dagster_home(settings: Settings) -> Path:
    """Point Dagster at its home, in this process and those that it starts; our own gets our `dagster.yaml`."""
    if settings.dagster_home is not None:
        return settings.dagster_home
    home = settings.home / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(Path(__file__).with_name("dagster.yaml"), home / "dagster.yaml")
    # Names the code location as a checkout's workspace.yaml does: schedules and sensors are remembered under its name.
    (home / "workspace.yaml").write_text(
        "load_from:\n"
        "  - python_module:\n"
        "      module_name: gong_assets.definitions\n"
        "      location_name: gong_assets\n"
    )
    os.environ["DAGSTER_HOME"] = str(home)
    return home


def run_sync(
    settings: Settings,
    days: DateRange | None,
    *,
    watcher: Watcher,
    transcripts: bool = True,
    resume: bool = False,
    confirm_deletions: bool = False,
) -> RunReport:
    """Materialize the graph for `days` in one run, and report on it.

    Args:
        days: None for all since Gong's first call.
        resume: go on where an earlier run for the same days was stopped, if there is one.
        confirm_deletions: delete what Gong does not return any more, however much it is.

    Raises:
        SyncError: the run failed.
        WarehouseError: the warehouse cannot be reached.
    """
    ensure_dagster_home(settings)
    watcher.message("loading the graph")
    import dagster as dg

    from gong_assets.defs.build import build_defs
    from gong_assets.defs.orphaned_runs import fail_orphaned_runs

    definitions = build_defs(settings)
    job = definitions.resolve_job_def("gong_sync" if transcripts else "gong_calls")
    span = days if days is not None else _all_days(settings, watcher)
    groups = {
        spec.key.to_user_string(): spec.group_name or "" for spec in definitions.resolve_all_asset_specs()
    }
    warehouse = open_warehouse(settings)
    # Nothing is asked of Gong before the warehouse is known to take it.
    watcher.message("connecting to the warehouse")
    warehouse.check()
    with dg.DagsterInstance.get() as instance:
        fail_orphaned_runs(instance)
        tags = tags_to_continue(instance, job, span, watcher) if resume else {}
        watcher.run_started(span)
        report = _run(job, instance, span, groups, watcher, tags, confirm_deletions=confirm_deletions)
    for name, rows in row_counts(warehouse, list(report.assets)).items():
        report.assets[name].rows = rows
    return report


def tags_to_continue(
    instance: dg.DagsterInstance, job: dg.JobDefinition, days: DateRange, watcher: Watcher
) -> Mapping[str, str]:
    """The tags with which a run continues the latest one for the same days, if that did not succeed."""
    import dagster as dg

    from gong_assets.defs.resumption import is_resumable, resume_tags

    same_days = dg.RunsFilter(job_name=job.name, tags=days.as_run_tags())
    earlier = instance.get_run_records(same_days, limit=1)  # The newest comes first.
    if not earlier or not is_resumable(earlier[0]):
        return {}
    run = earlier[0].dagster_run
    watcher.message(f"continuing run {run.run_id}")
    return resume_tags(run)


def _all_days(settings: Settings, watcher: Watcher) -> DateRange:
    import asyncio

    from gong_assets.defs.resources import GongResource
    from gong_assets.gong import Window, first_call_date
    from gong_assets.settings import FIRST_POSSIBLE_CALL_DATE

    today = datetime.now(UTC).date()
    days = DateRange.inclusive(FIRST_POSSIBLE_CALL_DATE, today)
    watcher.message("asking Gong for the first call")

    gong = GongResource.from_settings(settings).process_config_and_initialize()

    async def ask() -> date | None:
        async with gong.client() as client:
            return await first_call_date(client, Window(*days.utc_bounds()))

    return DateRange(asyncio.run(ask()) or today, days.end)


def _run(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    days: DateRange,
    groups: Mapping[str, str],
    watcher: Watcher,
    tags: Mapping[str, str],
    *,
    confirm_deletions: bool,
) -> RunReport:
    from gong_assets.defs.orphaned_runs import process_tags
    from gong_assets.ingestion.progress import progress_listener

    run_id = str(uuid.uuid4())
    done = Event()
    follower = Thread(target=_follow, args=(instance, run_id, watcher, done), daemon=True)
    started = datetime.now(UTC)
    follower.start()
    try:
        with redirect_stdout(_DbtLines(watcher)), progress_listener(watcher.reading):
            result = job.execute_in_process(
                instance=instance,
                run_id=run_id,
                tags={**days.as_run_tags(), **process_tags(), **tags},
                run_config={
                    # The events are in the instance; what the user should see is printed by the watcher.
                    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                    "ops": _confirmed(job) if confirm_deletions else {},
                },
                raise_on_error=False,
            )
    finally:
        done.set()
        follower.join()
    seconds = (datetime.now(UTC) - started).total_seconds()
    report = RunReport(run_id, days, seconds)
    for event in result.all_events:
        _add(report, event, groups)
    if not result.success:
        raise SyncError(_reason(result.all_events) or f"run {run_id} failed; see it in the Dagster UI")
    return report


def _confirmed(job: dg.JobDefinition) -> dict[str, Any]:
    """The run config of each op that reads Gong, with its deletions confirmed."""
    from gong_assets.defs.assets.ingestion import GONG_POOL

    config = {"config": {"confirm_deletions": True}}
    return {node.name: config for node in job.graph.nodes if GONG_POOL in node.definition.pools}


class _DbtLines(TextIOBase):
    """Takes dbt's lines, which dagster-dbt writes to stdout: what dbt starts with is told, and stdout is for results."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def write(self, text: str) -> int:
        if started := re.search(r"\d+ of \d+ START sql (.*?) \.", text):
            self._watcher.message(f"dbt: {started[1]}")
        return len(text)


def _follow(instance: dg.DagsterInstance, run_id: str, watcher: Watcher, done: Event) -> None:
    """Hand the run's log lines to the watcher while the run goes on."""
    cursor: str | None = None
    while True:
        finished = done.wait(SECONDS_BETWEEN_POLLS)
        connection = instance.get_records_for_run(run_id, cursor=cursor)
        cursor = connection.cursor
        for record in connection.records:
            entry = record.event_log_entry
            event = entry.dagster_event
            # Of a dbt step, `_DbtLines` tells what matters.
            if (
                event is None
                and int(entry.level) >= logging.INFO
                and not (entry.step_key or "").startswith("dbt_")
            ):
                watcher.message(entry.user_message)
            elif event is not None and event.is_step_start:
                watcher.message(str(event.step_key).replace("__", " "))
        if finished:
            return


def _add(report: RunReport, event: dg.DagsterEvent, groups: Mapping[str, str]) -> None:
    from dagster import DagsterEventType

    if event.event_type == DagsterEventType.ASSET_MATERIALIZATION and event.asset_key:
        name = event.asset_key.to_user_string()
        asset = report.assets.setdefault(name, AssetReport(groups.get(name, "")))
        metadata = {key: value.value for key, value in event.materialization.metadata.items()}
        seconds = metadata.get("Execution Duration")
        # dbt reports a model's seconds with each partition of the range; they are the same ones.
        asset.seconds = float(seconds) if isinstance(seconds, int | float) else asset.seconds
    elif event.event_type == DagsterEventType.STEP_SUCCESS and event.step_key and event.step_key in groups:
        duration: Any = getattr(event.step_success_data, "duration_ms", 0) or 0
        report.assets.setdefault(event.step_key, AssetReport(groups[event.step_key])).seconds = (
            duration / 1000
        )
    elif event.event_type == DagsterEventType.ASSET_CHECK_EVALUATION:
        check = event.asset_check_evaluation_data
        if not check.passed:
            report.failed_checks.append(f"{check.asset_key.to_user_string()}: {check.check_name}")


def _reason(events: Sequence[dg.DagsterEvent]) -> str | None:
    """The first step failure's own words: a `dg.Failure` says what to do, another exception what it is."""
    for event in events:
        if event.is_step_failure:
            failure = event.step_failure_data
            if failure.user_failure_data and failure.user_failure_data.description:
                return str(failure.user_failure_data.description)
            error = failure.error
            while error is not None and error.cause is not None:
                error = error.cause
            if error is not None:
                return f"{event.step_key}: {error.message.strip()}"
    return None
