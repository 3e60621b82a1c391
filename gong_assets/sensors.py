"""Sensors: missing transcripts, and failed runs. Decisions are pure functions, and the sensors only carry them out."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

import dagster as dg
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

from gong_assets.jobs import JOBS, gong_transcripts
from gong_assets.resources import SnowflakeResource
from gong_assets.settings import Settings
from gong_assets.warehouse.errors import WarehouseError
from gong_assets.warehouse.queries import days_without_transcripts

# Gong has most transcripts within the hour, and each request costs a part of the company's daily quota.
TRANSCRIPT_SENSOR_SECONDS = 1800

_IN_FLIGHT = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def days_to_request(
    missing: Mapping[date, int], in_flight: set[date], asked: Mapping[date, datetime], now: datetime
) -> list[date]:
    """The days whose transcripts are asked for now: those that lack some, that no run is working on, and that were not
    asked for too recently. The older a call, the less often: its transcript may never come.
    """
    return sorted(
        day
        for day, count in missing.items()
        if count
        and day not in in_flight
        and (day not in asked or now - asked[day] >= pause_before_asking_again(now.date() - day))
    )


def pause_before_asking_again(age: timedelta) -> timedelta:
    if age <= timedelta(days=1):
        return timedelta(seconds=TRANSCRIPT_SENSOR_SECONDS)
    return timedelta(hours=4) if age <= timedelta(days=3) else timedelta(days=1)


def days_of_runs(tags: Iterable[Mapping[str, str]]) -> set[date]:
    """The days that runs with these tags work on, be it one partition or a range."""
    days: set[date] = set()
    for run in tags:
        if PARTITION_NAME_TAG in run:
            days.add(date.fromisoformat(run[PARTITION_NAME_TAG]))
        elif ASSET_PARTITION_RANGE_START_TAG in run and ASSET_PARTITION_RANGE_END_TAG in run:
            first = date.fromisoformat(run[ASSET_PARTITION_RANGE_START_TAG])
            last = date.fromisoformat(run[ASSET_PARTITION_RANGE_END_TAG])
            days |= {first + timedelta(days=offset) for offset in range((last - first).days + 1)}
    return days


def build_sensors(settings: Settings) -> list[dg.SensorDefinition]:
    @dg.sensor(
        name="gong_missing_transcripts",
        job=gong_transcripts,
        minimum_interval_seconds=TRANSCRIPT_SENSOR_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Asks again for transcripts that Gong had not finished when their call was read, until the call is "
        f"{settings.gong_transcript_retry_days} days old.",
    )
    def gong_missing_transcripts(
        context: dg.SensorEvaluationContext, snowflake: SnowflakeResource
    ) -> dg.SensorResult | dg.SkipReason:
        now = datetime.now(UTC)
        since = max(
            now.date() - timedelta(days=settings.gong_transcript_retry_days), settings.gong_start_date
        )
        try:
            with snowflake.get_connection() as connection:
                missing = days_without_transcripts(connection, since)
        except WarehouseError as error:
            # A failed read is not an empty warehouse: the tick must show as failed.
            raise dg.Failure(description=str(error)) from error
        runs = context.instance.get_runs(dg.RunsFilter(statuses=_IN_FLIGHT))
        asked = _times_by_day(context.cursor)
        days = days_to_request(missing, days_of_runs(run.tags for run in runs), asked, now)
        if not days:
            return dg.SkipReason(f"no transcript since {since} is missing that was not asked for recently")
        # The minute is part of the key: a key that names only the day would be requested once in history.
        return dg.SensorResult(
            run_requests=[
                dg.RunRequest(run_key=f"{day}@{now:%Y-%m-%dT%H:%M}", partition_key=day.isoformat())
                for day in days
            ],
            cursor=_cursor({**asked, **dict.fromkeys(days, now)}, since),
        )

    @dg.run_failure_sensor(
        name="gong_run_failure",
        monitored_jobs=list(JOBS),
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

    return [gong_missing_transcripts, gong_run_failure]


def _times_by_day(cursor: str | None) -> dict[date, datetime]:
    times = json.loads(cursor) if cursor else {}
    return {date.fromisoformat(day): datetime.fromisoformat(time) for day, time in times.items()}


def _cursor(asked: Mapping[date, datetime], since: date) -> str:
    return json.dumps({day.isoformat(): time.isoformat() for day, time in asked.items() if day >= since})


def failure_line(run: dg.DagsterRun, message: str) -> str:
    days = sorted(days_of_runs([run.tags]))
    span = f" for {days[0]}" + (f" to {days[-1]}" if len(days) > 1 else "") if days else ""
    return f"{run.job_name}{span} failed (run {run.run_id}): {' '.join(message.split())}"
