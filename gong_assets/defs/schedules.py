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
    schedules = options.schedules

    @dg.schedule(
        name="gong_ingestion_schedule",
        job_name="gong_ingestion",
        description=f"Reads the last {settings.gong_lookback_days} days again in one run, because calls, transcripts and "
        "statistics arrive late and Gong has no filter for changes.",
        **_timing(schedules.ingestion, "0 */4 * * *"),
    )
    def gong_ingestion_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        now = context.scheduled_execution_time.astimezone(UTC)
        days = DateRange.lookback(
            now.date(), settings.gong_lookback_days, not_before=settings.gong_start_date
        )
        # A run key is requested once, for ever: without the time, the next run over the same days would be skipped.
        return dg.RunRequest(
            run_key=f"{days.start}..{days.end}@{now:%Y-%m-%dT%H:%M}", tags=days.as_run_tags()
        )

    @dg.schedule(
        name="gong_reconciliation_schedule",
        job_name="gong_reconciliation",
        description=f"Compares the last {settings.gong_reconciliation_days} days with Gong's list of calls, except for the "
        "lookback days, which every ingestion run reads.",
        **_timing(schedules.reconciliation, "30 1 * * 0"),
    )
    def gong_reconciliation_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        now = context.scheduled_execution_time.astimezone(UTC)
        first = max(now.date() - timedelta(days=settings.gong_reconciliation_days), settings.gong_start_date)
        lookback = DateRange.lookback(
            now.date(), settings.gong_lookback_days, not_before=settings.gong_start_date
        )
        end = lookback.start
        if first >= end:
            return dg.SkipReason("Every ingestion run reads all days since the first partition.")
        return dg.RunRequest(
            run_key=f"{first}..{end}@{now:%Y-%m-%dT%H:%M}", tags=DateRange(first, end).as_run_tags()
        )

    reference_data_schedule = dg.ScheduleDefinition(
        name="gong_reference_data_schedule",
        job_name="gong_reference_data",
        description="Reads reference data, such as trackers and scorecards, which rarely changes.",
        **_timing(schedules.reference_data, "45 0 * * *"),
    )
    hubspot_schedule = dg.ScheduleDefinition(
        name="hubspot_schedule",
        job_name="hubspot_refresh",
        description="Rebuilds the HubSpot tables. HubSpot updates its share hourly (V2_LIVE) or daily (V2_DAILY).",
        **_timing(schedules.hubspot, "5 * * * *"),
    )
    return [gong_ingestion_schedule, gong_reconciliation_schedule, reference_data_schedule, hubspot_schedule]


def _timing(options: ScheduleOptions, default_cron: str) -> dict[str, Any]:
    return {
        "cron_schedule": options.cron or default_cron,
        "execution_timezone": options.timezone,
        "default_status": options.default_status,
    }
