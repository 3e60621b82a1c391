"""Schedules of the graph. Models run when their sources change: see `transformation_sensor.py`."""

from collections.abc import Sequence
from datetime import UTC, date, timedelta
from typing import Any

import dagster as dg

from gong_assets.dates import DateRange
from gong_assets.defs.failures import failure
from gong_assets.defs.options import DEFAULT_OPTIONS, GraphOptions, ScheduleOptions
from gong_assets.defs.resources import SnowflakeResource
from gong_assets.defs.resumption import materialized_since
from gong_assets.settings import Settings
from gong_assets.warehouse.errors import WarehouseError
from gong_assets.warehouse.hubspot_tables import source_version
from gong_assets.warehouse.tables import CALLS, TRANSCRIPTS

INGESTION_CRON = "0 */4 * * *"
# So many scheduled runs are searched for the newest one that landed all calls.
MAX_SEARCHED_RUNS = 50
RECONCILIATION_CRON = "30 1 * * 0"
REFERENCE_DATA_CRON = "45 0 * * *"
STANDING_CHECKS_CRON = "30 6 * * *"

# On a run that refreshes HubSpot's tables: the version of the source tables.
HUBSPOT_VERSION_TAG = "gong_assets/hubspot_version"


def build_schedules(
    settings: Settings, options: GraphOptions = DEFAULT_OPTIONS
) -> list[dg.ScheduleDefinition]:
    return [
        _ingestion(settings, options),
        _reconciliation(settings, options.schedules.reconciliation),
        dg.ScheduleDefinition(
            name="gong_reference_data_schedule",
            job_name="gong_reference_data",
            description="Reads reference data, such as trackers and scorecards, which rarely changes.",
            **timing(options.schedules.reference_data, REFERENCE_DATA_CRON),
        ),
        _hubspot(settings, options),
    ]


def hubspot_cron(settings: Settings) -> str:
    """Return the default schedule: once a day for the schema V2_DAILY of HubSpot's share, else hourly."""
    is_daily = settings.hubspot_shape == "share" and settings.hubspot_schema.upper() == "V2_DAILY"
    return "5 6 * * *" if is_daily else "5 * * * *"


def _hubspot(settings: Settings, options: GraphOptions) -> dg.ScheduleDefinition:
    calls = options.asset_key("stg_gong_calls")

    @dg.schedule(
        name="hubspot_schedule",
        job_name="hubspot_refresh",
        description="Rebuilds the HubSpot tables: daily for the share's schema V2_DAILY, hourly for V2_LIVE, "
        "and after a change for tables of Fivetran, Airbyte or your own.",
        **timing(options.schedules.hubspot, hubspot_cron(settings)),
    )
    def hubspot_schedule(
        context: dg.ScheduleEvaluationContext, gong_snowflake: SnowflakeResource
    ) -> dg.RunRequest | dg.SkipReason:
        if context.instance.get_latest_materialization_event(calls) is None:
            return dg.SkipReason("The first transformation after a landing builds the HubSpot tables too.")
        version = _hubspot_version(gong_snowflake, settings)
        if version is not None and version == _refreshed_version(context.instance):
            return dg.SkipReason("HubSpot's tables have not changed since the last refresh.")
        time = context.scheduled_execution_time.astimezone(UTC)
        tags = {HUBSPOT_VERSION_TAG: version} if version else {}
        return dg.RunRequest(run_key=f"{time:%Y-%m-%dT%H:%M}", tags=tags)

    return hubspot_schedule


def _hubspot_version(snowflake: SnowflakeResource, settings: Settings) -> str | None:
    """Return a value that changes with HubSpot's tables, or None if Snowflake does not know their changes.

    The views of HubSpot's share have no time of their last change.
    """
    if settings.hubspot_shape == "share":
        return None
    try:
        with snowflake.get_connection() as connection:
            return source_version(
                connection, settings.hubspot_shape, settings.hubspot_database, settings.hubspot_schema
            )
    except WarehouseError as error:
        raise failure(error) from error


def _refreshed_version(instance: dg.DagsterInstance) -> str | None:
    refreshed = dg.RunsFilter(job_name="hubspot_refresh", statuses=[dg.DagsterRunStatus.SUCCESS])
    for run in instance.get_runs(refreshed, limit=1):
        return run.tags.get(HUBSPOT_VERSION_TAG)
    return None


def _ingestion(settings: Settings, options: GraphOptions) -> dg.ScheduleDefinition:
    keys = [options.asset_key(table.asset_name) for table in (CALLS, TRANSCRIPTS)]

    @dg.schedule(
        name="gong_ingestion_schedule",
        job_name="gong_ingestion",
        description=f"Reads the last {settings.gong_lookback_days} days again in one run, because calls, "
        "transcripts and statistics arrive late and Gong has no filter for changes. Days that the last run "
        "did not land are read again too.",
        **timing(options.schedules.ingestion, INGESTION_CRON),
    )
    def gong_ingestion_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        today = context.scheduled_execution_time.astimezone(UTC).date()
        last_landing, unread = _last_landing(context.instance, keys)
        return _run_request(context, days_to_ingest(settings, today, last_landing, unread))

    return gong_ingestion_schedule


def days_to_ingest(
    settings: Settings, today: date, last_landing: date | None, unread: DateRange | None = None
) -> DateRange:
    """Return the lookback days; after an outage, also those that were recent when calls last landed.

    Args:
        unread: days of the previous run if not all of them landed. The first may have left the lookback.
    """
    outage = max(0, (today - last_landing).days) if last_landing else 0
    days = settings.gong_lookback_days + max(0, outage - 1)
    first = settings.first_day(today)
    lookback = DateRange.lookback(today, days, not_before=first)
    return DateRange(max(first, min(lookback.start, unread.start)), lookback.end) if unread else lookback


def _last_landing(
    instance: dg.DagsterInstance, keys: Sequence[dg.AssetKey]
) -> tuple[date | None, DateRange | None]:
    """Return the last day of the newest scheduled ingestion after whose request all of its days landed.

    Also returns the days of the newest one if that is not it. A run whose days landed may have failed at
    another asset, or another run has resumed it: then it does not count as an outage. Of the runs before the
    searched ones, those count that succeeded.

    Args:
        keys: the assets of calls and transcripts.
    """
    tags = {"dagster/schedule_name": "gong_ingestion_schedule"}
    scheduled = dg.RunsFilter(job_name="gong_ingestion", tags=tags)
    succeeded = dg.RunsFilter(job_name="gong_ingestion", tags=tags, statuses=[dg.DagsterRunStatus.SUCCESS])
    unread: DateRange | None = None
    for record in [
        *instance.get_run_records(scheduled, limit=MAX_SEARCHED_RUNS),
        *instance.get_run_records(succeeded, limit=1),
    ]:
        days = DateRange.from_run_tags(record.dagster_run.tags)
        if days is not None and (
            record.dagster_run.is_success
            or all(set(days).issubset(materialized_since(instance, key, record)) for key in keys)
        ):
            return days.last, unread
        unread = unread or days
    return None, unread


def _reconciliation(settings: Settings, options: ScheduleOptions) -> dg.ScheduleDefinition:
    @dg.schedule(
        name="gong_reconciliation_schedule",
        job_name="gong_reconciliation",
        description=f"Compares the last {settings.gong_reconciliation_days} days with Gong's list of calls, "
        "except for the lookback days, which every ingestion run reads.",
        **timing(options, RECONCILIATION_CRON),
    )
    def gong_reconciliation_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        days = days_to_reconcile(settings, context.scheduled_execution_time.astimezone(UTC).date())
        if not days:
            return dg.SkipReason("Every ingestion run reads all days since the first partition.")
        return _run_request(context, days)

    return gong_reconciliation_schedule


def days_to_reconcile(settings: Settings, today: date) -> DateRange:
    """Return the days before the lookback; none if the lookback begins with the first partition."""
    first_day = settings.first_day(today)
    first = max(today - timedelta(days=settings.gong_reconciliation_days), first_day)
    lookback = DateRange.lookback(today, settings.gong_lookback_days, not_before=first_day)
    # What another product has loaded is not compared with Gong by its own runs.
    return DateRange(first, today if settings.is_adopted else lookback.start)


def _run_request(context: dg.ScheduleEvaluationContext, days: DateRange) -> dg.RunRequest:
    # A schedule requests a run key once, for ever: without the time, the next run over the same days would be
    # skipped.
    time = context.scheduled_execution_time.astimezone(UTC)
    return dg.RunRequest(run_key=f"{days.start}..{days.end}@{time:%Y-%m-%dT%H:%M}", tags=days.as_run_tags())


def timing(options: ScheduleOptions, default_cron: str) -> dict[str, Any]:
    """Return the arguments of a schedule that its options determine."""
    return {
        "cron_schedule": options.cron or default_cron,
        "execution_timezone": options.timezone,
        "default_status": options.default_status,
    }
