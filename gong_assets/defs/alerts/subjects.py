"""Subjects of the problems of runs: assets with their partitions, and checks, that failed or succeeded.

A step succeeds again too early: one step of dbt builds all staged models, of which a later run may build
others, and a later run may have other days. A step or a job is a subject only if none of its assets and
checks failed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

import dagster as dg

from gong_assets.dates import parse_ranges
from gong_assets.defs.alerts.ledger import ALL, WHOLE, Subjects
from gong_assets.defs.partitions import DAYS_TAG
from gong_assets.defs.runs import materializations_of_run, unmaterialized_partitions


def subjects_by_step(
    instance: dg.DagsterInstance, run: dg.DagsterRun, failed_checks: Iterable[dg.DagsterEvent]
) -> dict[str, Subjects]:
    """Return the assets that the run planned and did not materialize, and its failed checks, by step."""
    partitions: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    days = _transformed_days(run)
    for (key, partition), step in unmaterialized_partitions(instance, run.run_id).items():
        if partition is None or days is None or partition in days:
            partitions[str(step)][_asset(key)].add(partition or ALL)
    for event in failed_checks:
        partitions[str(event.step_key)][_check(event)].add(ALL)
    return {
        step: {subject: frozenset(each) for subject, each in subjects.items()}
        for step, subjects in partitions.items()
    }


def of_steps(left: dict[str, Subjects], steps: Iterable[str]) -> Subjects:
    """Return the subjects of the steps: the step itself if none of its assets and checks failed."""
    return {
        subject: partitions
        for step in steps
        for subject, partitions in left.get(step, {f"step:{step}": WHOLE}).items()
    }


def of_whole_run(run: dg.DagsterRun, left: dict[str, Subjects]) -> Subjects:
    """Return the subjects of all steps of the run: its job if none of its assets and checks failed."""
    return of_steps(left, left) or {job_subject(run): WHOLE}


def job_subject(run: dg.DagsterRun) -> str:
    return f"job:{run.job_name}"


def succeeded(instance: dg.DagsterInstance, run: dg.DagsterRun, subjects: Collection[str]) -> Subjects:
    """Return which of the subjects succeeded in this run, with the partitions."""
    found: dict[str, set[str]] = defaultdict(set)
    days = _transformed_days(run)
    if any(subject.startswith("asset:") for subject in subjects):
        for each in materializations_of_run(instance, run.run_id):
            if each.partition is None or days is None or each.partition in days:
                found[_asset(each.asset_key)].add(each.partition or ALL)
    if any(subject.startswith("check:") for subject in subjects):
        for event in events_of_run(instance, run, dg.DagsterEventType.ASSET_CHECK_EVALUATION):
            if not is_failed_check(event):
                found[_check(event)].add(ALL)
    steps = [subject.removeprefix("step:") for subject in subjects if subject.startswith("step:")]
    if steps:
        for stats in instance.get_run_step_stats(run.run_id, steps):
            if stats.status and stats.status.name == "SUCCESS":
                found[f"step:{stats.step_key}"].add(ALL)
    if run.status is dg.DagsterRunStatus.SUCCESS:
        found[job_subject(run)].add(ALL)
    return {subject: frozenset(found[subject]) for subject in found.keys() & set(subjects)}


def events_of_run(
    instance: dg.DagsterInstance, run: dg.DagsterRun, *types: dg.DagsterEventType
) -> Iterator[dg.DagsterEvent]:
    for record in instance.get_records_for_run(run.run_id, of_type=set(types)).records:
        if event := record.event_log_entry.dagster_event:
            yield event


def is_failed_check(event: dg.DagsterEvent) -> bool:
    """Return True if the event is an evaluation that failed with severity ERROR."""
    if event.event_type is not dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        return False
    evaluation = event.asset_check_evaluation_data
    return not evaluation.passed and evaluation.severity is dg.AssetCheckSeverity.ERROR


def _transformed_days(run: dg.DagsterRun) -> set[str] | None:
    """Return the days that the run transforms, or None if these are all of its partitions."""
    named = run.tags.get(DAYS_TAG)
    return {day.isoformat() for days in parse_ranges(named) for day in days} if named else None


def _asset(key: dg.AssetKey) -> str:
    return f"asset:{key.to_user_string()}"


def _check(event: dg.DagsterEvent) -> str:
    evaluation = event.asset_check_evaluation_data
    return f"check:{evaluation.asset_key.to_user_string()}:{evaluation.check_name}"
