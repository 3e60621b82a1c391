"""Sensors: missing transcripts, runs that the quota stopped, and failed runs. Decisions are pure functions, and the sensors only carry them out."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import log

import dagster as dg

from gong_assets.dates import DateRange
from gong_assets.defs.assets.missing_transcripts import (
    MissingTranscripts,
    gong_transcripts,
    request_missing_transcripts,
)
from gong_assets.defs.jobs import JOBS
from gong_assets.defs.resources import SnowflakeResource
from gong_assets.defs.resumption import resume_tags, runs_awaiting_quota
from gong_assets.settings import Settings
from gong_assets.warehouse.errors import WarehouseError, is_unknown_object
from gong_assets.warehouse.queries import calls_awaiting_transcripts

# Gong has most transcripts within the hour, and each request costs a part of the company's daily quota.
TRANSCRIPT_SENSOR_SECONDS = 900
FIRST_QUESTION = timedelta(minutes=30)
ONCE_A_DAY_FROM = timedelta(days=2)

CONTINUE_SENSOR_SECONDS = 300

_IN_FLIGHT = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def due(waiting: Mapping[str, datetime], last: datetime | None, now: datetime) -> list[str]:
    """The calls, by id, whose transcripts are asked for now, `last` having been the time before."""
    return [
        call_id
        for call_id, started in waiting.items()
        if times_asked(now - started) > (times_asked(last - started) if last else 0)
    ]


def times_asked(age: timedelta) -> int:
    """How often a transcript has been asked for when its call is so old: the older, the less often, as it may never come.

    After 30 minutes, then each time that the age has grown by half; once a day from the second day on.
    """
    if age < FIRST_QUESTION:
        return 0
    if age <= ONCE_A_DAY_FROM:
        return 1 + int(log(age / FIRST_QUESTION) / log(1.5))
    return times_asked(ONCE_A_DAY_FROM) + (age - ONCE_A_DAY_FROM) // timedelta(days=1)


def build_sensors(settings: Settings) -> list[dg.SensorDefinition]:
    @dg.sensor(
        name="gong_missing_transcripts",
        job=gong_transcripts,
        minimum_interval_seconds=TRANSCRIPT_SENSOR_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Asks again, by call id, for transcripts that Gong had not finished when their call was read: often at "
        f"first, then less and less, until the call is {settings.gong_transcript_retry_days} days old.",
    )
    def gong_missing_transcripts(
        context: dg.SensorEvaluationContext, snowflake: SnowflakeResource
    ) -> dg.SensorResult | dg.SkipReason:
        now = datetime.now(UTC)
        since = max(
            now.date() - timedelta(days=settings.gong_transcript_retry_days), settings.gong_start_date
        )
        asking = dg.RunsFilter(job_name=gong_transcripts.name, statuses=_IN_FLIGHT)
        if context.instance.get_runs_count(asking):
            return dg.SkipReason("the run of the time before is not done")
        try:
            with snowflake.get_connection() as connection:
                waiting = calls_awaiting_transcripts(connection, since)
        except WarehouseError as error:
            if is_unknown_object(error):
                return dg.SkipReason(f"Calls and transcripts have not both landed yet: {error}")
            # A failed read is not an empty warehouse: the tick must show as failed.
            raise dg.Failure(description=str(error)) from error
        call_ids = due(waiting, datetime.fromisoformat(context.cursor) if context.cursor else None, now)
        if not call_ids:
            return dg.SensorResult(
                skip_reason=f"of {len(waiting):,} missing transcripts none is due to be asked for",
                cursor=now.isoformat(),
            )
        return dg.SensorResult(
            run_requests=[
                dg.RunRequest(
                    run_key=f"{now:%Y-%m-%dT%H:%M}",
                    run_config=dg.RunConfig(
                        ops={request_missing_transcripts.name: MissingTranscripts(call_ids=call_ids)}
                    ),
                )
            ],
            cursor=now.isoformat(),
        )

    @dg.sensor(
        name="gong_continue_stopped_runs",
        target=dg.AssetSelection.all(),
        minimum_interval_seconds=CONTINUE_SENSOR_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts a run again that Gong's daily quota stopped, once there is a quota again: it reads the days that "
        "were not finished, and only those.",
    )
    def gong_continue_stopped_runs(
        context: dg.SensorEvaluationContext,
    ) -> list[dg.RunRequest] | dg.SkipReason:
        now = datetime.now(UTC)
        requests = [
            # A run is continued once: what stops the next one is noted on that one.
            dg.RunRequest(
                run_key=f"continues-{record.dagster_run.run_id}",
                asset_selection=_assets_of(context, record.dagster_run),
                run_config=record.dagster_run.run_config,
                tags=resume_tags(record.dagster_run),
            )
            for record in runs_awaiting_quota(context.instance, now)
        ]
        return requests or dg.SkipReason("no run waits for Gong's quota")

    @dg.run_failure_sensor(
        name="gong_run_failure",
        monitored_jobs=JOBS,
        monitor_all_code_locations=False,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Logs each failed run in one line, and posts it to GONG_ASSETS_ALERT_WEBHOOK_URL if that is set.",
    )
    def gong_run_failure(context: dg.RunFailureSensorContext) -> None:
        line = failure_line(context.dagster_run, context.failure_event.message or "")
        context.log.error(line)
        if settings.gong_assets_alert_webhook_url:
            import httpx

            url = settings.gong_assets_alert_webhook_url.get_secret_value()
            httpx.post(url, json={"text": line}, timeout=10).raise_for_status()

    return [gong_missing_transcripts, gong_continue_stopped_runs, gong_run_failure]


def _assets_of(context: dg.SensorEvaluationContext, run: dg.DagsterRun) -> list[dg.AssetKey]:
    if run.asset_selection:
        return sorted(run.asset_selection)
    if context.repository_def is None:
        raise ValueError("the sensor is evaluated without its code location")
    job = context.repository_def.get_job(run.job_name)
    return sorted(job.asset_layer.executable_asset_keys)


def failure_line(run: dg.DagsterRun, message: str) -> str:
    days = DateRange.from_run_tags(run.tags)
    return f"{run.job_name}{f' for {days}' if days else ''} failed (run {run.run_id}): {' '.join(message.split())}"
