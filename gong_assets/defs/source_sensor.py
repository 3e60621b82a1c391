"""Sensor that follows the tables of another product (GONG_SOURCE)."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg

from gong_assets.dates import DateRange, contiguous_ranges
from gong_assets.defs.assets.adopted import SOURCE_ASSET, product
from gong_assets.defs.failures import failure
from gong_assets.defs.options import DEFAULT_OPTIONS, GraphOptions
from gong_assets.defs.resources import SnowflakeResource
from gong_assets.defs.runs import IN_FLIGHT
from gong_assets.error_advice import EXPECTED_ERRORS
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.settings import Settings
from gong_assets.warehouse.sources.adoption import changed_days, newest_extraction
from gong_assets.warehouse.sources.registry import open_source

# Each look is one statement, and may resume the warehouse. Connectors sync every few hours.
INTERVAL_SECONDS = 900
# Between two looks, whether Dagster itself has loaded the tables is seen in its own storage.
UPSTREAM_INTERVAL_SECONDS = 30
# Runs of which one failed are requested again after this time, or with the next change of the source.
RETRY_AFTER = timedelta(hours=1)
# On the runs of one tick: what they have in common, and the time since which they land changes; empty for the
# first look.
TICK_TAG = "gong_assets/source_tick"
SINCE_TAG = "gong_assets/source_since"
NAME = "gong_source_sensor"
# Ranges with fewer days between them are one run: a day without changes costs next to nothing.
MAX_GAP = timedelta(days=7)


@dataclass(frozen=True)
class _Cursor:
    """The newest record that a look found, and the time of that look."""

    newest: str | None = None
    looked_at: float = 0.0

    @property
    def seen(self) -> datetime | None:
        return datetime.fromisoformat(self.newest) if self.newest else None

    def __str__(self) -> str:
        return json.dumps(asdict(self))


def build_source_sensor(
    settings: Settings, options: GraphOptions = DEFAULT_OPTIONS, upstream: Collection[dg.AssetKey] = ()
) -> dg.SensorDefinition:
    """Return the sensor. It looks at once after one of the `upstream` assets, which load the tables."""
    interval = options.sensors.source.interval_seconds or INTERVAL_SECONDS

    @dg.sensor(
        name=NAME,
        job_name="gong_ingestion",
        minimum_interval_seconds=min(interval, UPSTREAM_INTERVAL_SECONDS) if upstream else interval,
        default_status=options.sensors.source.default_status,
        description=f"Observes the newest record in the tables of {product(settings)}. When they have newer "
        "ones, it materializes the raw assets for the days of those records, whatever their age. Days whose "
        "run failed are requested again after an hour, or with the next change.",
    )
    def gong_source_sensor(
        context: dg.SensorEvaluationContext, gong_snowflake: SnowflakeResource
    ) -> dg.SensorResult:
        cursor = _Cursor(**json.loads(context.cursor)) if context.cursor else _Cursor()
        now = datetime.now(UTC)
        is_early = now.timestamp() - cursor.looked_at < interval
        if upstream and is_early and not _loaded_since(context.instance, upstream, cursor.looked_at):
            return dg.SensorResult(skip_reason="No sync has ended in Dagster since the last look.")
        last = _last_tick(context.instance)
        if any(record.dagster_run.status in IN_FLIGHT for record in last):
            return dg.SensorResult(skip_reason="The previous runs have not finished.")
        failed = [record for record in last if record.dagster_run.status is dg.DagsterRunStatus.FAILURE]
        try:
            with gong_snowflake.get_connection() as connection:
                return _look(connection, settings, options, cursor, failed, now)
        except EXPECTED_ERRORS as error:
            raise failure(error) from error

    return gong_source_sensor


def _look(
    connection: Any,
    settings: Settings,
    options: GraphOptions,
    cursor: _Cursor,
    failed: Sequence[dg.RunRecord],
    now: datetime,
) -> dg.SensorResult:
    """Look at the tables, and request the days that changed, or again those of runs that failed."""
    is_due = any(record.update_timestamp <= now - RETRY_AFTER for record in failed)
    since = _since(failed[0]) if failed else cursor.seen
    source = open_source(connection, settings)
    newest = newest_extraction(connection, source, RAW_TABLES)
    if newest is None or (newest == cursor.seen and not is_due):
        reason = f"Nothing new since {cursor.seen or 'the beginning'}."
        return dg.SensorResult(skip_reason=reason, cursor=str(_Cursor(cursor.newest, now.timestamp())))
    days = changed_days(connection, source, RAW_TABLES, since)
    ranges = ranges_to_land(settings, days, now.date(), is_first=since is None)
    tags = {TICK_TAG: now.isoformat(), SINCE_TAG: since.isoformat() if since else ""}
    return _result(options, newest, len(days), ranges, tags)


def _loaded_since(instance: dg.DagsterInstance, upstream: Collection[dg.AssetKey], time: float) -> bool:
    """Return whether one of the assets that load the tables was materialized since then."""
    return any(
        record.asset_entry.last_materialization_record is not None
        and record.asset_entry.last_materialization_record.timestamp >= time
        for record in instance.get_asset_records(list(upstream))
    )


def _last_tick(instance: dg.DagsterInstance) -> list[dg.RunRecord]:
    """Return the runs of the last tick that requested any."""
    sensor = {"dagster/sensor_name": NAME}
    for record in instance.get_run_records(dg.RunsFilter(tags=sensor), limit=1):
        tick = record.dagster_run.tags.get(TICK_TAG, "")
        return list(instance.get_run_records(dg.RunsFilter(tags={**sensor, TICK_TAG: tick})))
    return []


def _since(record: dg.RunRecord) -> datetime | None:
    since = record.dagster_run.tags[SINCE_TAG]
    return datetime.fromisoformat(since) if since else None


def _result(
    options: GraphOptions,
    newest: datetime,
    days: int,
    ranges: Sequence[DateRange],
    tags: Mapping[str, str],
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
            dg.RunRequest(run_key=f"{tags[TICK_TAG]}:{each}", tags={**each.as_run_tags(), **tags})
            for each in ranges
        ],
        asset_events=[observation],
        cursor=str(_Cursor(newest.isoformat(), datetime.fromisoformat(tags[TICK_TAG]).timestamp())),
    )


def ranges_to_land(
    settings: Settings, days: Sequence[date], today: date, *, is_first: bool
) -> list[DateRange]:
    """Return the ranges of days to materialize.

    The first look requests the lookback days only: the history is landed by a backfill, because it is
    enriched by Cortex too.
    """
    kept = settings.first_day(today)
    first = DateRange.lookback(today, settings.gong_lookback_days, not_before=kept).start
    start = first if is_first else kept
    ranges: list[DateRange] = []
    for each in contiguous_ranges(day for day in days if start <= day <= today):
        if ranges and each.start - ranges[-1].end <= MAX_GAP:
            ranges[-1] = DateRange(ranges[-1].start, each.end)
        else:
            ranges.append(each)
    return ranges
