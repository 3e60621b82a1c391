"""Schedules of the graph. Models run when their sources change: see `automation.py`."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import dagster as dg

from gong_assets.dates import DateRange
from gong_assets.defs.options import DEFAULT_OPTIONS, GraphOptions, ScheduleOptions
from gong_assets.settings import Settings


def build_schedules(
    settings: Settings, options: GraphOptions = DEFAULT_OPTIONS
) -> list[dg.ScheduleDefinition]:
    return [
        _ingestion(settings, options.schedules.ingestion),
        _reconciliation(settings, options.schedules.reconciliation),
        dg.ScheduleDefinition(
            name="gong_reference_data_schedule",
            job_name="gong_reference_data",
            description="Reads reference data, such as trackers and scorecards, which rarely changes.",
            **_timing(options.schedules.reference_data, "45 0 * * *"),
        ),
        dg.ScheduleDefinition(
            name="hubspot_schedule",
            job_name="hubspot_refresh",
            description="Rebuilds the HubSpot tables. HubSpot updates its share hourly (V2_LIVE) or daily "
            "(V2_DAILY).",
            **_timing(options.schedules.hubspot, "5 * * * *"),
        ),
    ]


def _ingestion(settings: Settings, options: ScheduleOptions) -> dg.ScheduleDefinition:
    @dg.schedule(
        name="gong_ingestion_schedule",
        job_name="gong_ingestion",
        description=f"Reads the last {settings.gong_lookback_days} days again in one run, because calls, "
        "transcripts and statistics arrive late and Gong has no filter for changes.",
        **_timing(options, "0 */4 * * *"),
    )
    def gong_ingestion_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return _run_request(context, _lookback(context, settings))

    return gong_ingestion_schedule


def _reconciliation(settings: Settings, options: ScheduleOptions) -> dg.ScheduleDefinition:
    @dg.schedule(
        name="gong_reconciliation_schedule",
        job_name="gong_reconciliation",
        description=f"Compares the last {settings.gong_reconciliation_days} days with Gong's list of calls, "
        "except for the lookback days, which every ingestion run reads.",
        **_timing(options, "30 1 * * 0"),
    )
    def gong_reconciliation_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        today = context.scheduled_execution_time.astimezone(UTC).date()
        first = max(today - timedelta(days=settings.gong_reconciliation_days), settings.gong_start_date)
        end = _lookback(context, settings).start
        if first >= end:
            return dg.SkipReason("Every ingestion run reads all days since the first partition.")
        return _run_request(context, DateRange(first, end))

    return gong_reconciliation_schedule


def _lookback(context: dg.ScheduleEvaluationContext, settings: Settings) -> DateRange:
    today = context.scheduled_execution_time.astimezone(UTC).date()
    return DateRange.lookback(today, settings.gong_lookback_days, not_before=settings.gong_start_date)


def _run_request(context: dg.ScheduleEvaluationContext, days: DateRange) -> dg.RunRequest:
    # A schedule requests a run key once, for ever: without the time, the next run over the same days would be
    # skipped.
    time = context.scheduled_execution_time.astimezone(UTC)
    return dg.RunRequest(run_key=f"{days.start}..{days.end}@{time:%Y-%m-%dT%H:%M}", tags=days.as_run_tags())


def _timing(options: ScheduleOptions, default_cron: str) -> dict[str, Any]:
    return {
        "cron_schedule": options.cron or default_cron,
        "execution_timezone": options.timezone,
        "default_status": options.default_status,
    }
