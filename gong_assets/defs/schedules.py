"""When the graph runs by the clock. What follows ingestion runs by conditions: see `automation.py`."""

from datetime import UTC, timedelta

import dagster as dg

from gong_assets.dates import DateRange
from gong_assets.defs.jobs import gong_ingestion, gong_reconciliation, gong_reference_data, hubspot_refresh
from gong_assets.settings import Settings


def build_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    @dg.schedule(
        name="gong_ingestion_schedule",
        job=gong_ingestion,
        cron_schedule="0 */4 * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Reads the last {settings.gong_lookback_days} days again, in one run: calls, transcripts and "
        "enrichment arrive late, and Gong has no filter for what changed.",
    )
    def gong_ingestion_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        today = context.scheduled_execution_time.astimezone(UTC).date()
        days = DateRange.lookback(today, settings.gong_lookback_days, not_before=settings.gong_start_date)
        # The hour is part of the key: a key that names only the days would be requested once in history.
        return dg.RunRequest(
            run_key=f"{days.start}..{days.end}@{context.scheduled_execution_time:%Y-%m-%dT%H}",
            tags=days.as_run_tags(),
        )

    @dg.schedule(
        name="gong_reconciliation_schedule",
        job=gong_reconciliation,
        cron_schedule="30 1 * * 0",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Compares the last {settings.gong_reconciliation_days} days, but those that each sync reads anyway, "
        "with what Gong lists.",
    )
    def gong_reconciliation_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        today = context.scheduled_execution_time.astimezone(UTC).date()
        first = max(today - timedelta(days=settings.gong_reconciliation_days), settings.gong_start_date)
        end = DateRange.lookback(
            today, settings.gong_lookback_days, not_before=settings.gong_start_date
        ).start
        if first >= end:
            return dg.SkipReason("each sync reads all days since the first partition")
        return dg.RunRequest(run_key=f"{first}..{end}", tags=DateRange(first, end).as_run_tags())

    reference_data_schedule = dg.ScheduleDefinition(
        name="gong_reference_data_schedule",
        job=gong_reference_data,
        cron_schedule="45 0 * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Workspaces, scorecards, trackers and the library change seldom.",
    )
    hubspot_schedule = dg.ScheduleDefinition(
        name="hubspot_schedule",
        job=hubspot_refresh,
        cron_schedule="5 * * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="HubSpot refreshes its share during the hour (V2_LIVE) or once a day (V2_DAILY).",
    )
    return [gong_ingestion_schedule, gong_reconciliation_schedule, reference_data_schedule, hubspot_schedule]
