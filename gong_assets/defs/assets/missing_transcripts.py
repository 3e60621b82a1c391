"""Job that requests missing transcripts by call ID. The sensor in `sensors.py` decides which, and when."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from heapq import merge
from typing import Any

import dagster as dg
from pydantic import Field

from gong_assets.dates import DateRange
from gong_assets.defs.assets.ingestion import (
    ALSO_AWAITED_TRANSCRIPTS,
    ARRIVED_TRANSCRIPTS,
    AWAITED_TRANSCRIPTS,
    GONG_POOL,
    land_and_record,
    read,
)
from gong_assets.defs.failures import fail_step, failure
from gong_assets.defs.options import DEFAULT_OPTIONS, GraphOptions
from gong_assets.defs.resources import GongResource, SnowflakeResource
from gong_assets.ingestion.read import ReadResult
from gong_assets.ingestion.sources import Transcripts
from gong_assets.settings import Settings
from gong_assets.warehouse.errors import WarehouseError
from gong_assets.warehouse.queries import dates_of_calls
from gong_assets.warehouse.tables import TRANSCRIPTS

OP = "request_missing_transcripts"

_PAGE_SIZE = 500


class MissingTranscripts(dg.Config):
    call_dates: dict[str, str] = Field(
        default={},
        description="Calls whose transcripts are requested: the UTC date of each by its Gong ID. Empty: all "
        "calls whose transcripts had not arrived when their day was last read.",
    )


def build_missing_transcripts_job(
    settings: Settings, options: GraphOptions = DEFAULT_OPTIONS
) -> dg.JobDefinition:
    asset_key = options.asset_key(TRANSCRIPTS.asset_name)

    @dg.op(
        name=OP,
        pool=GONG_POOL,
        description="Reads the transcripts of these calls, 100 per request, and lands those that have "
        "arrived. The warehouse is used only if one has.",
    )
    def request_missing_transcripts(
        context: dg.OpExecutionContext,
        config: MissingTranscripts,
        gong: GongResource,
        gong_snowflake: SnowflakeResource,
    ) -> None:
        call_dates = {call_id: date.fromisoformat(day) for call_id, day in config.call_dates.items()}
        if not call_dates:
            days = retried_days(settings, datetime.now(UTC).date())
            awaited = awaited_transcripts(context.instance, asset_key, days)
            call_dates = {call_id: started.date() for call_id, started in awaited.items()}
        source, result = request_transcripts(context, gong, gong_snowflake, call_dates, asset_key)
        context.log.info(f"{len(source.found):,} of {len(source.call_dates):,} transcripts have arrived.")
        if result.skip_reason is not None:
            raise dg.Failure(description=result.skip_reason, allow_retries=False)

    @dg.job(
        description="Requests transcripts of calls that had none when they were read, by call ID. Started "
        "by the sensor gong_missing_transcripts.",
        executor_def=dg.in_process_executor,
    )
    def gong_transcripts() -> None:
        request_missing_transcripts()

    return gong_transcripts


def request_transcripts(
    context: dg.OpExecutionContext | dg.AssetExecutionContext,
    gong: GongResource,
    snowflake: SnowflakeResource,
    call_dates: dict[str, date],
    asset_key: dg.AssetKey,
) -> tuple[Transcripts, ReadResult]:
    """Read transcripts by call ID, and land those that have arrived.

    Args:
        call_dates: the day of each call.

    Raises:
        dagster.Failure: Gong or the warehouse refused, or the quota is exhausted. What has arrived is landed.
    """

    def landed(call_ids: Sequence[str]) -> Mapping[str, date]:
        with snowflake.get_connection() as connection:
            return dates_of_calls(connection, call_ids)

    source = Transcripts([], call_dates, landed=landed)
    try:
        result = read(context, gong, source)
    except WarehouseError as error:
        fail_step(error)
    days = sorted(filter(None, result.spool.rows_by_day))
    if days:
        land_and_record(context, snowflake.warehouse(), source, result, days, asset_key)
    else:
        result.spool.discard()
    if result.quota_error is not None:
        raise failure(result.quota_error) from result.quota_error
    return source, result


def retried_days(settings: Settings, today: date) -> DateRange:
    """Return the days whose missing transcripts are requested."""
    first = max(today - timedelta(days=settings.gong_transcript_retry_days), settings.first_day(today))
    return DateRange.inclusive(first, today)


def awaited_transcripts(
    instance: dg.DagsterInstance, asset_key: dg.AssetKey, days: Iterable[date]
) -> dict[str, datetime]:
    """Return the calls of these days whose transcripts have not arrived, by ID, with their start (UTC).

    They are in the metadata of the days' materializations, and of the observations of transcripts that were
    read by ID since. So the warehouse is not used.
    """
    unseen = {day.isoformat() for day in days}
    arrived: set[str] = set()
    awaited: dict[str, datetime] = {}
    records = dg.AssetRecordsFilter(asset_key=asset_key, asset_partitions=sorted(unseen))
    for partition, metadata in _newest_first(instance, records):
        if not unseen:
            break
        if partition not in unseen:
            continue
        arrived.update(_value(metadata, ARRIVED_TRANSCRIPTS) or ())
        when_read = _value(metadata, AWAITED_TRANSCRIPTS)
        if when_read is not None:
            unseen.remove(partition)
        missing = when_read or _value(metadata, ALSO_AWAITED_TRANSCRIPTS) or {}
        awaited |= {
            call_id: datetime.fromisoformat(started)
            for call_id, started in missing.items()
            if call_id not in arrived
        }
    return awaited


def _newest_first(
    instance: dg.DagsterInstance, records: dg.AssetRecordsFilter
) -> Iterator[tuple[str | None, Mapping[str, Any]]]:
    """Yield the partition and the metadata of each materialization and observation."""
    pages = [_events(instance.fetch_materializations, records), _events(instance.fetch_observations, records)]
    for record in merge(*pages, key=lambda record: record.storage_id, reverse=True):
        event = record.asset_materialization or record.asset_observation
        if event is not None:
            yield record.partition_key, event.metadata


def _events(fetch: Callable[..., Any], records: dg.AssetRecordsFilter) -> Iterator[dg.EventLogRecord]:
    cursor: str | None = None
    while True:
        found = fetch(records, limit=_PAGE_SIZE, cursor=cursor)
        yield from found.records
        if not found.has_more:
            return
        cursor = found.cursor


def _value(metadata: Mapping[str, Any], name: str) -> Any:
    return metadata[name].value if name in metadata else None
