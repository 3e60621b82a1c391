"""Executing a job in this process as an ordinary Dagster run, with its progress and a report.

The run appears in the Dagster UI with its events, metadata and materialized partitions.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import TextIOBase
from typing import TYPE_CHECKING, Any, Protocol

from gong_assets.cli.interruption import Interrupted, children_without_ctrl_c
from gong_assets.dates import DateRange

if TYPE_CHECKING:
    import dagster as dg

# While the run waits for a pool slot.
SECONDS_BETWEEN_LOOKS = 5.0


class RunFailed(Exception):
    """A run failed. The message is the reason, in one or two lines.

    Attributes:
        unaffected: assets of steps that did not start, if only raw assets failed and others landed.
    """

    def __init__(self, message: str, *, unaffected: Sequence[dg.AssetKey] = ()) -> None:
        super().__init__(message)
        self.unaffected = unaffected


class RunListener(Protocol):
    """Receives the progress of a run; see `progress.py`."""

    def run_started(self, days: DateRange) -> None: ...
    def message(self, text: str) -> None: ...
    def records_read(self, noun: str, done: int, total: int | None) -> None:
        """Receive the number of records read so far, and the expected total if Gong reported one."""


@dataclass
class AssetReport:
    """One asset in a run: how long it took, and how many rows its table has now."""

    group: str
    seconds: float = 0.0
    rows: int | None = None
    step_key: str | None = None


@dataclass
class RunReport:
    run_id: str
    days: DateRange | None
    seconds: float
    assets: dict[str, AssetReport] = field(default_factory=dict)
    failed_checks: list[str] = field(default_factory=list)


def execute(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    days: DateRange | None,
    groups: Mapping[str, str],
    listener: RunListener,
    *,
    tags: Mapping[str, str],
    confirm_deletions: bool = False,
    assets: Sequence[dg.AssetKey] | None = None,
) -> RunReport:
    """Execute the job, or some of its assets, for `days` if it has partitions.

    `groups` has the group of each asset by name.

    Raises:
        Interrupted: a signal interrupted the run. It is marked as canceled.
        RunFailed: a step failed.
    """
    run_id, started = str(uuid.uuid4()), datetime.now(UTC)
    with _watched(instance, run_id, listener):
        result = job.execute_in_process(
            instance=instance,
            run_id=run_id,
            tags={**(days.as_run_tags() if days else {}), **tags},
            run_config=_run_config(job, confirm_deletions=confirm_deletions),
            asset_selection=assets,
            raise_on_error=False,
        )
    report = RunReport(run_id, days, (datetime.now(UTC) - started).total_seconds())
    for event in result.all_events:
        _add_to_report(report, event, groups)
    if not result.success:
        raise _run_failed(instance, result, groups)
    return report


def _run_failed(
    instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult, groups: Mapping[str, str]
) -> RunFailed:
    reason = _failure_reason(result.all_events)
    landed = any(event.is_step_materialization for event in result.all_events)
    return RunFailed(
        reason or f"run {result.run_id} failed; its events are in the Dagster UI",
        unaffected=_unaffected(instance, result.run_id, groups) if landed else (),
    )


def _unaffected(instance: dg.DagsterInstance, run_id: str, groups: Mapping[str, str]) -> list[dg.AssetKey]:
    """Return the assets that did not start because a raw asset failed; none if other assets failed too."""
    import dagster as dg

    events = [entry.dagster_event for entry in instance.all_logs(run_id) if entry.dagster_event]
    started = {event.step_key for event in events if event.is_step_start}
    failed = {event.step_key for event in events if event.is_step_failure}
    planned = [
        (event.asset_key, event.step_key)
        for event in events
        if event.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED and event.asset_key
    ]
    if any(groups.get(key.to_user_string()) != "raw" for key, step in planned if step in failed):
        return []
    return sorted(key for key, step in planned if step not in started)


def _run_config(job: dg.JobDefinition, *, confirm_deletions: bool) -> dict[str, Any]:
    """Return the run config, which may confirm the deletions of each op that reads from Gong."""
    from gong_assets.defs.assets.ingestion import GONG_POOL

    confirmed = {"config": {"confirm_deletions": True}}
    readers = [node.name for node in job.graph.nodes if GONG_POOL in node.definition.pools]
    return {
        # The instance stores the events, and the listener prints those that matter to the user.
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
        "ops": dict.fromkeys(readers, confirmed) if confirm_deletions else {},
    }


class _DbtOutput(TextIOBase):
    """Replacement for stdout during a run: dagster-dbt prints dbt's log, and our stdout is for results.

    It reports each model that dbt starts.
    """

    def __init__(self, listener: RunListener) -> None:
        self._listener = listener

    def write(self, text: str) -> int:
        if started := re.search(r"\d+ of \d+ START sql (.*?) \.", text):
            self._listener.message(f"dbt: {started[1]}")
        return len(text)


@contextmanager
def _watched(instance: dg.DagsterInstance, run_id: str, listener: RunListener) -> Iterator[None]:
    """Report the progress of the run that the block executes; raises Interrupted after a signal."""
    from gong_assets.defs.pool_waits import wait_hooks
    from gong_assets.ingestion.progress import progress_listener

    watch = _RunWatch(instance, run_id, listener)
    instance.add_event_listener(run_id, watch.handle)
    try:
        with (
            wait_hooks(watch),
            _log_capture_without_ctrl_c(instance),
            redirect_stdout(_DbtOutput(listener)),
            progress_listener(listener.records_read),
        ):
            yield
    except KeyboardInterrupt:  # Dagster did not execute the run yet, or no longer.
        watch.canceled()
        if not watch.is_interrupted:
            raise
    finally:
        # Dagster frees the slot of a step that ends, and not that of an interrupted one.
        instance.event_log_storage.free_concurrency_slots_for_run(run_id)
    if watch.is_interrupted:
        raise Interrupted(f"interrupted: run {run_id} is canceled, and days that it landed are complete")


@contextmanager
def _log_capture_without_ctrl_c(instance: dg.DagsterInstance) -> Iterator[None]:
    """Keep Ctrl-C from the processes that copy the output of steps. Each would print a traceback.

    They end with the capture, or if this process dies.
    """
    manager = instance.compute_log_manager
    capture_logs = manager.capture_logs

    @contextmanager
    def capture(log_key: Sequence[str]) -> Iterator[Any]:
        with ExitStack() as stack:
            with children_without_ctrl_c():
                captured = stack.enter_context(capture_logs(log_key))
            yield captured

    manager.capture_logs = capture  # type: ignore[method-assign]
    try:
        yield
    finally:
        del manager.capture_logs


class _RunWatch:
    """Reports the progress of a run to the listener, and marks an interrupted run as being canceled.

    Dagster calls it in the thread of the run, so the marker is stored before Dagster decides whether the run
    failed or was canceled.
    """

    def __init__(self, instance: dg.DagsterInstance, run_id: str, listener: RunListener) -> None:
        from gong_assets.defs.orphaned_runs import LeaseObserver

        self.is_interrupted = False
        self._instance = instance
        self._run_id = run_id
        self._listener = listener
        self._observer = LeaseObserver()
        self._next_look = 0.0

    def handle(self, entry: dg.EventLogEntry) -> None:
        """Receive an event of the run."""
        if text := _progress_text(entry):
            self._listener.message(text)
        event = entry.dagster_event
        if event is not None and event.is_step_failure and _is_interruption(event):
            self.interrupted()
        elif event is not None and _failed_by_a_signal(event):
            self.canceled()

    def waiting(self) -> None:
        """Say for which runs this one waits, and fail those that are dead. Called once a second."""
        from gong_assets.defs.pool_waits import pool_waits

        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + SECONDS_BETWEEN_LOOKS
        for dead in self._observer.fail_dead_runs(self._instance):
            self._listener.message(f"run {dead.run_id} was dead and is marked as failed")
        for wait in pool_waits(self._instance, self._run_id):
            self._listener.message(str(wait))

    def canceled(self) -> None:
        """Receive that a signal arrived while no step could receive it."""
        import dagster as dg

        run = self._instance.get_run_by_id(self._run_id)
        if run is not None and run.status is not dg.DagsterRunStatus.SUCCESS:
            self._instance.report_run_canceled(run)
            self.is_interrupted = True

    def interrupted(self) -> None:
        """Receive that a signal ended a step, or the wait for one."""
        run = self._instance.get_run_by_id(self._run_id)
        if run is not None and not run.is_finished and not self.is_interrupted:
            self.is_interrupted = True
            self._instance.report_run_canceling(run, "The command was interrupted.")


def _is_interruption(event: dg.DagsterEvent) -> bool:
    from gong_assets.defs.failures import error_chain

    interruptions = ("DagsterExecutionInterruptedError", "KeyboardInterrupt")
    return any(error.cls_name in interruptions for error in error_chain(event.step_failure_data.error))


def _failed_by_a_signal(event: dg.DagsterEvent) -> bool:
    """Return whether Dagster failed the run for a signal that no step has received."""
    reason = event.job_failure_data.failure_reason if event.is_job_failure else None
    return reason is not None and reason.name == "UNEXPECTED_TERMINATION"


def _progress_text(entry: dg.EventLogEntry) -> str | None:
    event = entry.dagster_event
    if event is not None and event.is_step_up_for_retry:
        seconds = event.step_retry_data.seconds_to_wait or 0
        return f"{event.step_key} failed and is retried in {seconds:.0f} s"
    if event is not None:
        return str(event.step_key).replace("__", " ") if event.is_step_start else None
    # For a dbt step, `_DbtOutput` reports the models instead.
    is_dbt = "gong_dbt_" in (entry.step_key or "")
    return entry.user_message if int(entry.level) >= logging.INFO and not is_dbt else None


def _add_to_report(report: RunReport, event: dg.DagsterEvent, groups: Mapping[str, str]) -> None:
    import dagster as dg

    if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION and event.asset_key:
        name = event.asset_key.to_user_string()
        asset = report.assets.setdefault(name, AssetReport(groups.get(name, ""), step_key=event.step_key))
        # dbt repeats a model's seconds with each partition of the range, so they are not added up.
        seconds = event.materialization.metadata.get("Execution Duration")
        if seconds is not None and isinstance(seconds.value, int | float):
            asset.seconds = float(seconds.value)
    elif event.event_type == dg.DagsterEventType.STEP_SUCCESS:
        # Calls and transcripts share a step, and therefore its seconds.
        for asset in report.assets.values():
            if asset.step_key == event.step_key and not asset.seconds:
                asset.seconds = event.step_success_data.duration_ms / 1000
    elif event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        check = event.asset_check_evaluation_data
        if not check.passed:
            name = f"{check.asset_key.to_user_string()}: {check.check_name}"
            report.failed_checks.append(f"{name}{_numbers(check)}")


def _numbers(check: dg.AssetCheckEvaluation) -> str:
    """Return the counts in the metadata of a failed check, in parentheses; empty if it has none."""
    counts = [
        f"{label.replace('_', ' ')}: {entry.value:,}"
        for label, entry in check.metadata.items()
        if isinstance(entry.value, int) and not isinstance(entry.value, bool)
    ]
    return f" ({', '.join(counts)})" if counts else ""


def _failure_reason(events: Sequence[dg.DagsterEvent]) -> str | None:
    """Return the reason of the first step failure.

    It is the description of a `dg.Failure`, or the message of the exception at the root of the chain.
    """
    failed = next((event for event in events if event.is_step_failure), None)
    if failed is None:
        return None
    failure = failed.step_failure_data
    if failure.user_failure_data and failure.user_failure_data.description:
        return str(failure.user_failure_data.description)
    from gong_assets.defs.failures import error_chain

    chain = list(error_chain(failure.error))
    return f"{failed.step_key}: {chain[-1].message.strip()}" if chain else None
