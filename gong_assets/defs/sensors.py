"""Sensors for missing transcripts, and for runs that the quota stopped. Those of alerts are in `alerts/`.

What a sensor decides is a pure function in this module or in `resumption.py`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import log
from typing import Any

import dagster as dg

from gong_assets.defs.assets.missing_transcripts import (
    OP,
    MissingTranscripts,
    awaited_transcripts,
    retried_days,
)
from gong_assets.defs.options import DEFAULT_OPTIONS, GraphOptions
from gong_assets.defs.resumption import resume_tags, runs_awaiting_quota
from gong_assets.defs.runs import IN_FLIGHT, assets_of_run
from gong_assets.settings import Settings
from gong_assets.warehouse.tables import TRANSCRIPTS

# Gong finishes most transcripts within an hour, and each request counts against the company's daily quota.
TRANSCRIPT_INTERVAL_SECONDS = 900
FIRST_REQUEST_AFTER = timedelta(minutes=30)
DAILY_FROM = timedelta(days=2)

RESUME_INTERVAL_SECONDS = 300


def due_calls(awaiting: Mapping[str, datetime], last_tick: datetime | None, now: datetime) -> list[str]:
    """Return the IDs of the calls whose transcripts became due for a request since the last tick."""
    return [
        call_id
        for call_id, started in awaiting.items()
        if requests_due(now - started) > (requests_due(last_tick - started) if last_tick else 0)
    ]


def requests_due(age: timedelta) -> int:
    """Return how many times the transcript of a call of this age should have been requested.

    The first request is due after 30 minutes, the next ones each time the age has grown by half, and from the
    second day on one a day, because some transcripts never arrive.
    """
    if age < FIRST_REQUEST_AFTER:
        return 0
    if age <= DAILY_FROM:
        return 1 + int(log(age / FIRST_REQUEST_AFTER) / log(1.5))
    return requests_due(DAILY_FROM) + (age - DAILY_FROM) // timedelta(days=1)


def build_sensors(
    settings: Settings, jobs: Mapping[str, Any], options: GraphOptions = DEFAULT_OPTIONS
) -> list[dg.SensorDefinition]:
    return [
        *([_missing_transcripts(settings, options)] if settings.requests_missing_transcripts else []),
        _resume(jobs["gong_resume"], options),
    ]


def _missing_transcripts(settings: Settings, options: GraphOptions) -> dg.SensorDefinition:
    @dg.sensor(
        name="gong_missing_transcripts",
        job_name="gong_transcripts",
        minimum_interval_seconds=options.sensors.missing_transcripts.interval_seconds
        or TRANSCRIPT_INTERVAL_SECONDS,
        default_status=options.sensors.missing_transcripts.default_status,
        description="Requests the transcripts that Gong had not finished when their calls were read, by "
        f"call ID: often at first, then less often, until the call is {settings.gong_transcript_retry_days} "
        "days old. Afterwards, the reconciliation requests them.",
    )
    def gong_missing_transcripts(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        running = dg.RunsFilter(job_name="gong_transcripts", statuses=IN_FLIGHT)
        if context.instance.get_runs_count(running):
            return dg.SkipReason("The previous run has not finished.")
        now = datetime.now(UTC)
        days = retried_days(settings, now.date())
        asset_key = options.asset_key(TRANSCRIPTS.asset_name)
        return _request_due(context.cursor, awaited_transcripts(context.instance, asset_key, days), now)

    return gong_missing_transcripts


def _request_due(cursor: str | None, awaiting: Mapping[str, datetime], now: datetime) -> dg.SensorResult:
    """Return a run that requests the transcripts which became due since the last tick."""
    call_ids = due_calls(awaiting, datetime.fromisoformat(cursor) if cursor else None, now)
    if not call_ids:
        return dg.SensorResult(
            skip_reason=f"{len(awaiting):,} transcripts are missing, and none is due for a request.",
            cursor=now.isoformat(),
        )
    call_dates = {call_id: awaiting[call_id].date().isoformat() for call_id in call_ids}
    run_config = dg.RunConfig(ops={OP: MissingTranscripts(call_dates=call_dates)})
    return dg.SensorResult(
        run_requests=[dg.RunRequest(run_key=now.isoformat(), run_config=run_config)],
        cursor=now.isoformat(),
    )


def _resume(job: Any, options: GraphOptions) -> dg.SensorDefinition:
    @dg.sensor(
        name="gong_continue_stopped_runs",
        job=job,
        minimum_interval_seconds=options.sensors.resume.interval_seconds or RESUME_INTERVAL_SECONDS,
        default_status=options.sensors.resume.default_status,
        description="Resumes a run that Gong's daily quota stopped, once the quota is back. The new run "
        "reads the days that were not finished.",
    )
    def gong_continue_stopped_runs(
        context: dg.SensorEvaluationContext,
    ) -> list[dg.RunRequest] | dg.SkipReason:
        if context.repository_def is None:
            raise ValueError("the sensor is evaluated without its code location")
        repository = context.repository_def
        own = set(repository.get_job(job.name).asset_layer.executable_asset_keys)
        requests = [
            # Each run is resumed once. If the resuming run is stopped too, it is resumed in turn.
            dg.RunRequest(
                run_key=f"continues-{run.run_id}",
                asset_selection=assets,
                # The job has an executor of its own, and resources without config.
                run_config={
                    name: value
                    for name, value in run.run_config.items()
                    if name not in ("execution", "resources")
                },
                tags=resume_tags(run),
            )
            for run in (
                record.dagster_run for record in runs_awaiting_quota(context.instance, datetime.now(UTC))
            )
            if (assets := sorted(own & assets_of_run(repository, run)))
        ]
        return requests or dg.SkipReason("No run is waiting for Gong's quota.")

    return gong_continue_stopped_runs
