"""Sensor that follows the tables of another product (GONG_SOURCE)."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from gong_assets.dates import DateRange, contiguous_ranges
from gong_assets.defs.assets.adopted import SOURCE_ASSET, product
from gong_assets.defs.failures import failure
from gong_assets.defs.options import DEFAULT_OPTIONS, GraphOptions
from gong_assets.defs.resources import SnowflakeResource
from gong_assets.error_advice import EXPECTED_ERRORS
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.settings import Settings
from gong_assets.warehouse.sources.adoption import changed_days, newest_extraction
from gong_assets.warehouse.sources.registry import open_source

# Each look is one statement, and may resume the warehouse. Connectors sync every few hours.
INTERVAL_SECONDS = 900
# Ranges with fewer days between them are one run: a day without changes costs next to nothing.
MAX_GAP = timedelta(days=7)


def build_source_sensor(settings: Settings, options: GraphOptions = DEFAULT_OPTIONS) -> dg.SensorDefinition:
    @dg.sensor(
        name="gong_source_sensor",
        job_name="gong_ingestion",
        minimum_interval_seconds=options.sensors.source.interval_seconds or INTERVAL_SECONDS,
        default_status=options.sensors.source.default_status,
        description=f"Observes the newest record in the tables of {product(settings)}. When they have newer "
        "ones, it materializes the raw assets for the days of those records, whatever their age.",
    )
    def gong_source_sensor(
        context: dg.SensorEvaluationContext, gong_snowflake: SnowflakeResource
    ) -> dg.SensorResult:
        since = datetime.fromisoformat(context.cursor) if context.cursor else None
        try:
            with gong_snowflake.get_connection() as connection:
                source = open_source(connection, settings)
                newest = newest_extraction(connection, source, RAW_TABLES)
                if newest is None or newest == since:
                    return dg.SensorResult(skip_reason=f"Nothing new since {since or 'the beginning'}.")
                days = changed_days(connection, source, RAW_TABLES, since)
        except EXPECTED_ERRORS as error:
            raise failure(error) from error
        ranges = ranges_to_land(settings, days, datetime.now(UTC).date(), is_first=since is None)
        return _result(options, newest, len(days), ranges)

    return gong_source_sensor


def _result(
    options: GraphOptions, newest: datetime, days: int, ranges: Sequence[DateRange]
) -> dg.SensorResult:
    """Return the observation of the tables, and a run for each range of days."""
    observation = dg.AssetObservation(
        options.asset_key(SOURCE_ASSET),
        metadata={
            "newest_extraction": dg.MetadataValue.timestamp(newest),
            "days_changed": days,
            "runs_requested": len(ranges),
        },
    )
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(run_key=f"{newest.isoformat()}:{each}", tags=each.as_run_tags()) for each in ranges
        ],
        asset_events=[observation],
        cursor=newest.isoformat(),
    )


def ranges_to_land(
    settings: Settings, days: Sequence[date], today: date, *, is_first: bool
) -> list[DateRange]:
    """Return the ranges of days to materialize.

    The first look requests the lookback days only: the history is landed by a backfill, because it is
    enriched by Cortex too.
    """
    first = DateRange.lookback(today, settings.gong_lookback_days, not_before=settings.gong_start_date).start
    start = first if is_first else settings.gong_start_date
    ranges: list[DateRange] = []
    for each in contiguous_ranges(day for day in days if start <= day <= today):
        if ranges and each.start - ranges[-1].end <= MAX_GAP:
            ranges[-1] = DateRange(ranges[-1].start, each.end)
        else:
            ranges.append(each)
    return ranges
