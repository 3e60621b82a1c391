"""Problems of runs: steps that failed, runs that were canceled, and runs whose process died.

Every run of the code location counts, whatever started it: jobs, backfills, automation, sensors, the asset
page of the UI (`__ASSET_JOB`) and the command line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from gong_assets.dates import PARTITION_TAG, RANGE_END_TAG, RANGE_START_TAG
from gong_assets.defs.alerts.causes import cause_of, error_text, fingerprint
from gong_assets.defs.alerts.ledger import WHOLE, Cursor, Ledger, Problem, Subjects
from gong_assets.defs.alerts.subjects import (
    events_of_run,
    is_failed_check,
    job_subject,
    of_steps,
    of_whole_run,
    subjects_by_step,
    succeeded,
)
from gong_assets.defs.failures import error_chain
from gong_assets.defs.partitions import SELECT_DAYS
from gong_assets.defs.runs import OVERLAP, TERMINAL
from gong_assets.error_advice import advice_for
from gong_assets.security.redaction import first_lines, redact

# The first tick looks at the runs of this time, so that problems from before the sensor existed are known.
FIRST_LOOK = timedelta(days=1)

# Dagster's message for a run that it, or a repair, ended from outside.
_DEAD_ADVICE = (
    "The process or machine of this run died, or did not start. Such a run is started again once. If it dies "
    "again, look at the memory and the logs of the machine."
)
_STEP_ADVICE = "The run has the whole error. Launch it again once the cause is gone."
# Dagster's message for an asset with partitions that reads one with partitions. Its step does not begin.
_WITHOUT_PARTITIONS = "Cannot access partition_key for a non-partitioned run"
_CANCELED_ADVICE = "Somebody or a time limit canceled this run. Launch it again to process its partitions."


@dataclass(frozen=True)
class Texts:
    """What may be shown of an error: names of assets that may be quoted, and secrets."""

    names: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()

    def shown(self, text: str) -> str:
        return first_lines(redact(text, names=self.names, secrets=self.secrets))


def record_runs(
    instance: dg.DagsterInstance, cursor: Cursor, location: str | None, texts: Texts, now: datetime
) -> None:
    """Open problems for the runs that failed since the last tick, and close those that have succeeded.

    Args:
        location: name of the code location whose runs count, or None for all.
    """
    horizon = (cursor.since or now - FIRST_LOOK) - OVERLAP
    records = instance.get_run_records(
        dg.RunsFilter(statuses=TERMINAL, updated_after=horizon), order_by="update_timestamp", ascending=True
    )
    new = [
        record
        for record in records
        if (record.end_time or 0) >= horizon.timestamp()
        and record.dagster_run.run_id not in cursor.seen
        and is_of_location(record.dagster_run, location)
    ]
    for record in sorted(new, key=lambda each: each.end_time or 0):
        _record(instance, cursor.ledger, record, texts)
        cursor.seen[record.dagster_run.run_id] = record.end_time or 0
    oldest = (now - OVERLAP).timestamp()
    cursor.seen = {run_id: end for run_id, end in cursor.seen.items() if end >= oldest}


def is_of_location(run: dg.DagsterRun, location: str | None) -> bool:
    """Return True if the code location launched the run. A command's own run has no location, and counts."""
    origin = run.remote_job_origin
    if origin is None or location is None:
        return True
    return bool(origin.repository_origin.code_location_origin.location_name == location)


def _record(instance: dg.DagsterInstance, ledger: Ledger, record: dg.RunRecord, texts: Texts) -> None:
    run, end = record.dagster_run, datetime.fromtimestamp(record.end_time or 0, UTC)
    try:
        ledger.succeed(succeeded(instance, run, ledger.open_subjects()), end)
        problems = problems_of_run(instance, run, texts)
    except Exception as error:  # One run with odd events must not silence the alerts about all others.
        reason = f"Its events could not be read ({type(error).__name__})."
        problems = [_problem(run, {job_subject(run): WHOLE}, "failed", reason, "")]
    if run.status is not dg.DagsterRunStatus.SUCCESS:
        for problem in problems:
            ledger.open(problem, end)


def problems_of_run(instance: dg.DagsterInstance, run: dg.DagsterRun, texts: Texts) -> list[Problem]:
    """Return a problem for each cause for which steps of the run failed, or one for the run itself."""
    if run.status is dg.DagsterRunStatus.SUCCESS:
        return []
    events = list(
        events_of_run(
            instance,
            run,
            dg.DagsterEventType.STEP_FAILURE,
            dg.DagsterEventType.ASSET_CHECK_EVALUATION,
            dg.DagsterEventType.RUN_FAILURE,
        )
    )
    checked = [event for event in events if is_failed_check(event)]
    left = subjects_by_step(instance, run, checked)
    if run.status is dg.DagsterRunStatus.CANCELED:
        return [_problem(run, of_whole_run(run, left), "was canceled", "", _CANCELED_ADVICE)]
    failed = [event for event in events if event.event_type is dg.DagsterEventType.STEP_FAILURE]
    if not failed:
        ended = [event for event in events if event.event_type is dg.DagsterEventType.RUN_FAILURE]
        reason = texts.shown((ended[0].message if ended else "") or "")
        return [_problem(run, of_whole_run(run, left), "failed", reason, _DEAD_ADVICE)]
    checked_steps = {event.step_key for event in checked}
    causes: dict[str, tuple[str, str, list[str]]] = {}
    for event in failed:
        if event.step_key in checked_steps and _is_about_checks(event):
            continue  # The failed check is a problem of its own, with its description.
        chain = list(error_chain(event.step_failure_data.error))
        text, advice = explained(event, chain)
        reason = texts.shown(text)
        cause = cause_of(chain, text, reason)
        causes.setdefault(cause, (reason, advice, []))[2].append(str(event.step_key))
    return [
        _problem(run, of_steps(left, steps), _failed(steps), reason, advice or _STEP_ADVICE, cause)
        for cause, (reason, advice, steps) in causes.items()
    ]


def _failed(steps: Sequence[str]) -> str:
    shown = ", ".join(step.replace("__", "/") for step in steps[:5])
    more = f" and {len(steps) - 5} more" if len(steps) > 5 else ""
    return f"failed in {shown}{more}"


def _problem(
    run: dg.DagsterRun, subjects: Subjects, what: str, reason: str, advice: str, cause: str = ""
) -> Problem:
    """Return the problem. Without a failed step the reason is Dagster's own, the same for every job."""
    job = "A run of assets" if run.job_name.startswith("__") else run.job_name
    partitions = _partitions(run)
    return Problem(
        key=f"run:{fingerprint(cause or f'{run.job_name} {what}')}",
        kind="run",
        name=f"{job}{f' for {partitions}' if partitions else ''}",
        failure=what,
        reason=reason,
        advice=advice,
        path=f"/runs/{run.run_id}",
        subjects=subjects,
    )


def _partitions(run: dg.DagsterRun) -> str:
    """Return the partitions of the run as text. Other assets of the code location may have any keys."""
    first, last = run.tags.get(RANGE_START_TAG), run.tags.get(RANGE_END_TAG)
    if first and last:
        return first if first == last else f"{first} to {last}"
    return run.tags.get(PARTITION_TAG, "")


def _is_about_checks(event: dg.DagsterEvent) -> bool:
    """Return True if the step failed only because checks failed."""
    failure = event.step_failure_data
    description = failure.user_failure_data.description if failure.user_failure_data else ""
    if description:
        lines = [line for line in description.splitlines() if line.startswith("dbt: ")]
        return bool(lines) and all("Failure in test" in line for line in lines)
    return any(error.cls_name == "DagsterAssetCheckFailedError" for error in error_chain(failure.error))


def explained(event: dg.DagsterEvent, chain: Sequence[Any]) -> tuple[str, str]:
    """Return the text of a step's failure, and advice on its error and the causes of that."""
    failure = event.step_failure_data
    advice = advice_for(error.cls_name or "" for error in chain)
    if failure.user_failure_data and failure.user_failure_data.description:
        text = str(failure.user_failure_data.description)
        # `explain` adds the advice as a line of its own.
        return text.replace(f"\n{advice}", "") if advice else text, advice
    text = error_text(chain) or str(event.message)
    return text, SELECT_DAYS if _WITHOUT_PARTITIONS in text else advice
