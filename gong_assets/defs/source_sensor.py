"""Sensor that follows the tables of another product (GONG_SOURCE)."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
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
from gong_assets.warehouse.sources.adoption import Extraction, changed_days, extractions
from gong_assets.warehouse.sources.registry import open_source

# Each evaluation is one statement, and may resume the warehouse. Connectors sync every few hours.
INTERVAL_SECONDS = 900
# Between two queries of the tables, Dagster's own storage shows whether Dagster has loaded them.
UPSTREAM_INTERVAL_SECONDS = 30
# Runs of which one failed are requested again after this time, or with the next change of the source.
RETRY_AFTER = timedelta(hours=1)
# On the runs of one tick: what they have in common.
TICK_TAG = "gong_assets/source_tick"
NAME = "gong_source_sensor"
# Ranges with fewer days between them are one run: a day without changes costs next to nothing.
MAX_GAP = timedelta(days=7)
# A sync commits records in no order for up to this time: after a change, those that were extracted this long
# before the newest one of the last evaluation are read too.
OVERLAP = timedelta(hours=6)


@dataclass(frozen=True)
class _TableState:
    """State of a table at the last evaluation.

    Attributes:
        since: the time after which records are read when the table changes.
        checksum: of the table's extractions. Cursors of version 0.1 have none.
    """

    since: str
    checksum: int | None = None


@dataclass(frozen=True)
class _Cursor:
    """State of each table that had records, and the time at which the tables were last queried."""

    tables: Mapping[str, _TableState] = field(default_factory=dict)
    looked_at: float = 0.0

    @classmethod
    def parse(cls, text: str | None) -> "_Cursor":
        found = json.loads(text) if text else {}
        tables = {name: _TableState(**state) for name, state in found.get("tables", {}).items()}
        if newest := found.get("newest"):  # Earlier versions kept one time for all tables.
            tables = {table.name: _TableState(newest) for table in RAW_TABLES}
        return cls(tables, found.get("looked_at", 0.0))

    def since(self, table: str) -> datetime | None:
        return datetime.fromisoformat(self.tables[table].since) if table in self.tables else None

    def has_changed(self, table: str, found: Extraction) -> bool:
        return table not in self.tables or self.tables[table].checksum != found.checksum

    def after(self, found: Mapping[str, Extraction], now: datetime) -> "_Cursor":
        """Return the cursor after an evaluation. The records of a table's first one are not read again."""

        def state(table: str, extraction: Extraction) -> _TableState:
            first = self.since(table)
            since = max(first, extraction.newest - OVERLAP) if first else extraction.newest
            return _TableState(since.isoformat(), extraction.checksum)

        tables = {table: state(table, extraction) for table, extraction in found.items()}
        return _Cursor({**self.tables, **tables}, now.timestamp())

    def __str__(self) -> str:
        return json.dumps(asdict(self))


def build_source_sensor(
    settings: Settings, options: GraphOptions = DEFAULT_OPTIONS, upstream: Collection[dg.AssetKey] = ()
) -> dg.SensorDefinition:
    """Return the sensor. It queries the tables at once after an `upstream` asset, which loads them."""
    interval = options.sensors.source.interval_seconds or INTERVAL_SECONDS

    @dg.sensor(
        name=NAME,
        job_name="gong_ingestion",
        minimum_interval_seconds=min(interval, UPSTREAM_INTERVAL_SECONDS) if upstream else interval,
        default_status=options.sensors.source.default_status,
        description=f"Observes the newest record in the tables of {product(settings)}. When records of "
        "a table change, it materializes the raw assets for the days of those that were extracted since the "
        "last evaluation or up to six hours before it, whatever their age. Days whose run failed are "
        "requested again after an hour, or with the next change.",
    )
    def gong_source_sensor(
        context: dg.SensorEvaluationContext, gong_snowflake: SnowflakeResource
    ) -> dg.SensorResult:
        cursor = _Cursor.parse(context.cursor)
        now = datetime.now(UTC)
        is_early = now.timestamp() - cursor.looked_at < interval
        if upstream and is_early and not _loaded_since(context.instance, upstream, cursor.looked_at):
            return dg.SensorResult(skip_reason="No sync has ended in Dagster since the last evaluation.")
        last = _last_tick(context.instance)
        if any(record.dagster_run.status in IN_FLIGHT for record in last):
            return dg.SensorResult(skip_reason="The previous runs have not finished.")
        failed = [record for record in last if record.dagster_run.status is dg.DagsterRunStatus.FAILURE]
        try:
            with gong_snowflake.get_connection() as connection:
                return _evaluate(connection, settings, options, cursor, failed, now)
        except EXPECTED_ERRORS as error:
            raise failure(error) from error

    return gong_source_sensor


def _evaluate(
    connection: Any,
    settings: Settings,
    options: GraphOptions,
    cursor: _Cursor,
    failed: Sequence[dg.RunRecord],
    now: datetime,
) -> dg.SensorResult:
    """Query the tables, and request the days that changed, or again those of runs that failed."""
    is_due = any(record.update_timestamp <= now - RETRY_AFTER for record in failed)
    source = open_source(connection, settings)
    found = extractions(connection, source, RAW_TABLES)
    newest = max((each.newest for each in found.values()), default=None)
    changed = [
        table
        for table in RAW_TABLES
        if table.name in found and cursor.has_changed(table.name, found[table.name])
    ]
    if newest is None or not (changed or is_due):
        reason = f"Nothing new since {newest or 'the beginning'}."
        return dg.SensorResult(skip_reason=reason, cursor=str(replace(cursor, looked_at=now.timestamp())))
    days = {day for record in failed for day in DateRange.from_run_tags(record.dagster_run.tags) or ()}
    for table in changed:
        days.update(changed_days(connection, source, [table], cursor.since(table.name)))
    ranges = ranges_to_land(settings, sorted(days), now.date(), is_first=not cursor.tables)
    return _result(options, newest, len(days), ranges, now, cursor.after(found, now))


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


def _result(
    options: GraphOptions,
    newest: datetime,
    days: int,
    ranges: Sequence[DateRange],
    now: datetime,
    cursor: _Cursor,
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
    tick = now.isoformat()
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(run_key=f"{tick}:{each}", tags={**each.as_run_tags(), TICK_TAG: tick})
            for each in ranges
        ],
        asset_events=[observation],
        cursor=str(cursor),
    )


def ranges_to_land(
    settings: Settings, days: Sequence[date], today: date, *, is_first: bool
) -> list[DateRange]:
    """Return the ranges of days to materialize.

    The first evaluation requests the lookback days only: the history is landed by a backfill, because it is
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
