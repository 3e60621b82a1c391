"""Reconciliation asset. The comparison itself is in `gong_assets/ingestion/reconciliation.py`."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from gong_assets.dates import DateRange, contiguous_ranges
from gong_assets.defs.assets.ingestion import GONG_POOL, ReadCallsConfig, land_and_record, read
from gong_assets.defs.assets.missing_transcripts import request_transcripts
from gong_assets.defs.failures import fail_step, failure
from gong_assets.defs.freshness import reconciliation_freshness
from gong_assets.defs.options import DATA_ENGINEERING, DEFAULT_OPTIONS, GraphOptions
from gong_assets.defs.partitions import days_to_read
from gong_assets.defs.resources import GongResource, SnowflakeResource
from gong_assets.error_advice import EXPECTED_ERRORS
from gong_assets.ingestion.read import request_metadata
from gong_assets.ingestion.reconciliation import (
    FIELDS,
    BasicCall,
    CallListing,
    Difference,
    difference_metadata,
    differences,
)
from gong_assets.ingestion.sources import Calls, Source, Transcripts
from gong_assets.settings import Settings
from gong_assets.warehouse.deletions import DeletionPolicy, check_deletions
from gong_assets.warehouse.erasures import erased_calls
from gong_assets.warehouse.queries import call_dates, landed_calls, unmatched_transcripts
from gong_assets.warehouse.tables import CALLS, TRANSCRIPTS, create_raw_table

if TYPE_CHECKING:
    from gong_assets.warehouse.connection import Warehouse


def build_reconciliation(
    settings: Settings, partitions: dg.DailyPartitionsDefinition, options: GraphOptions = DEFAULT_OPTIONS
) -> dg.AssetsDefinition:
    @dg.asset(
        key=options.asset_key("gong_call_reconciliation"),
        kinds={"python", "gong", "snowflake"},
        pool=GONG_POOL,
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        freshness_policy=reconciliation_freshness(settings, options),
        deps=[options.asset_key(table.asset_name) for table in (CALLS, TRANSCRIPTS)],
        description="Days whose landed calls were compared with Gong's list of IDs and basic fields (GET "
        "/v2/calls). Calls and transcripts of a day that differs are read again, which materializes it in "
        "both raw assets. Transcripts that are missing on other days are requested by call ID.",
        **options.asset_attributes("raw", owner=DATA_ENGINEERING, gong_endpoint="calls"),
    )
    def gong_call_reconciliation(
        context: dg.AssetExecutionContext,
        config: ReadCallsConfig,
        gong: GongResource,
        gong_snowflake: SnowflakeResource,
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]
        warehouse = gong_snowflake.warehouse()
        days = days_to_read(context, settings)
        fraction = config.max_deleted_fraction(settings)
        listing = CallListing(days, settings.gong_include_private_calls, settings.gong_workspace_id)
        listed = read(context, gong, listing)
        if listed.quota_error is not None:
            raise failure(listed.quota_error) from listed.quota_error
        landed = _landed(warehouse, listing, fraction)
        found = differences(listing.calls, landed.calls, landed.transcripts_without_call)
        again = _read_again(
            context, gong, warehouse, settings, options, contiguous_ranges(found), listing, fraction
        )
        requested = _request_transcripts(context, gong, gong_snowflake, options, landed, found)
        _add_metadata_of_days(context, listing, landed.calls, found)
        of_run = {**request_metadata(listed.stats), **listing.metadata(), "run/days_that_differ": len(found)}
        return dg.MaterializeResult(metadata={**of_run, **again, **requested})

    return gong_call_reconciliation  # type: ignore[no-any-return]


def _add_metadata_of_days(
    context: dg.AssetExecutionContext,
    listing: CallListing,
    landed: Mapping[str, BasicCall],
    found: Mapping[date, Difference],
) -> None:
    """Add to each day what was compared, and how it differs."""
    landed_by_day = Counter(call.day for call in landed.values())
    for partition in context.partition_keys:
        day = date.fromisoformat(partition)
        compared = {**listing.metadata_of_day(day), "calls_landed": landed_by_day[day]}
        difference = difference_metadata(found.get(day, Difference()))
        context.add_asset_metadata({**compared, **difference}, partition_key=partition)


@dataclass(frozen=True)
class _Landed:
    """What is landed of the listed days. Transcripts and calls without the other are given with their day."""

    calls: dict[str, BasicCall]
    transcripts_without_call: dict[str, date]
    calls_without_transcript: dict[str, date]


def _landed(warehouse: "Warehouse", listing: CallListing, fraction: float) -> _Landed:
    """Return what is landed of the listed days, and take the erased calls off the listing.

    Raises:
        dagster.Failure: the listing lacks more of them than may be deleted, or the warehouse refused.
    """
    days = listing.days
    try:
        with warehouse.connect() as connection:
            create_raw_table(connection, CALLS)
            found = {
                call_id: BasicCall(day, fields)
                for call_id, (day, fields, _, is_valid) in landed_calls(connection, days, FIELDS).items()
                if is_valid
            }
            unmatched = unmatched_transcripts(connection, days)
            for call_id in erased_calls(connection, listing.calls):
                del listing.calls[call_id]
        missing = [
            call_id
            for call_id in found.keys() - listing.calls.keys()
            if not listing.is_expected_deletion(call_id)
        ]
        policy = DeletionPolicy(fraction)
        check_deletions(CALLS, [days], existing=len(found), missing=len(missing), policy=policy)
    except EXPECTED_ERRORS as error:
        fail_step(error)
    return _Landed(found, *unmatched)


def _read_again(
    context: dg.AssetExecutionContext,
    gong: GongResource,
    warehouse: "Warehouse",
    settings: Settings,
    options: GraphOptions,
    ranges: list[DateRange],
    listing: CallListing,
    fraction: float,
) -> dict[str, Any]:
    """Read these days again as calls and transcripts, and return the number of requests.

    Calls that the listing lacks are expected deletions: whether it lacks too many was checked over all days.
    A check of these days alone would refuse to delete the only call of a day.
    """
    if not ranges:
        return {}

    def is_expected_deletion(key: str) -> bool:
        return key not in listing.calls

    def read_and_land(source: Source) -> int:
        result = read(context, gong, source, max_deleted_fraction=fraction)
        result = replace(result, deletions=DeletionPolicy(fraction, is_expected_deletion))
        asset_key = options.asset_key(source.table.asset_name)
        land_and_record(context, warehouse, source, result, result.completed_days, asset_key)
        if result.quota_error is not None:
            raise failure(result.quota_error) from result.quota_error
        return result.stats.requests

    calls = Calls(ranges, settings.gong_include_private_calls, settings.gong_workspace_id)
    requests = read_and_land(calls)
    try:
        with warehouse.connect() as connection:
            transcripts = Transcripts(ranges, call_dates(connection, ranges))
    except EXPECTED_ERRORS as error:
        fail_step(error)
    return {"run/gong_requests_to_read_again": requests + read_and_land(transcripts)}


def _request_transcripts(
    context: dg.AssetExecutionContext,
    gong: GongResource,
    snowflake: SnowflakeResource,
    options: GraphOptions,
    landed: _Landed,
    read_again: Collection[date],
) -> dict[str, Any]:
    """Request the transcripts that are missing, by call ID, and return how many, and how many have arrived.

    They came after the last request of their sensor, or the run that landed their calls failed. Days that
    were only read by `gong_calls`, without transcripts, stay as they are.
    """
    asset_key = options.asset_key(TRANSCRIPTS.asset_name)
    read_days = context.instance.get_materialized_partitions(asset_key)
    call_dates = {
        call_id: day
        for call_id, day in landed.calls_without_transcript.items()
        if day not in read_again and day.isoformat() in read_days
    }
    if not call_dates:
        return {}
    transcripts, result = request_transcripts(context, gong, snowflake, call_dates, asset_key)
    if result.skip_reason is not None:
        context.log.error(result.skip_reason)
    return {
        "run/transcripts_requested": len(call_dates),
        "run/transcripts_arrived": len(transcripts.found),
        "run/gong_requests_of_transcripts": result.stats.requests,
    }
