"""Read, land and record: the steps that every asset and op which reads Gong shares."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import dagster as dg
from pydantic import Field

from gong_assets.defs.failures import fail_step
from gong_assets.defs.resources import GongResource
from gong_assets.error_advice import EXPECTED_ERRORS
from gong_assets.gong import GongError, Page, TranscriptPage
from gong_assets.ingestion.landing_metadata import LandingMetadata
from gong_assets.ingestion.progress import ProgressLog
from gong_assets.ingestion.read import (
    ReadResult,
    land,
    read_calls_with_transcripts,
    read_source,
    request_metadata,
)
from gong_assets.ingestion.sources import Calls, Source, Transcripts
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse

# One step at a time calls Gong: its rate limits apply to the whole company, and two runs would share them.
GONG_POOL = "gong_api"

# Metadata of a day's materialization: the calls without a transcript when all of the day was read, with their
# start; and since then, the calls read by ID that have none, and those whose transcripts arrived.
AWAITED_TRANSCRIPTS = "awaited_transcripts"
ALSO_AWAITED_TRANSCRIPTS = "also_awaited_transcripts"
ARRIVED_TRANSCRIPTS = "arrived_transcripts"


_CONFIRM_DELETIONS = (
    "Delete every record that Gong no longer returns. Without it, a run fails and changes nothing if more "
    "records are missing than GONG_MAX_VANISHED_SHARE allows, or all of them: a key that lost access to "
    "calls gets the same answer as a company without calls."
)


class ReadConfig(dg.Config):
    """Run config of the assets that read Gong. A launchpad does not show it, as it has no default value."""

    confirm_deletions: bool | None = Field(default=None, description=_CONFIRM_DELETIONS)

    def max_deleted_fraction(self, settings: Settings) -> float:
        return 1.0 if self.confirm_deletions else settings.gong_max_vanished_share


class ReadCallsConfig(ReadConfig):
    """Run config of the assets that read calls, which every launchpad shows."""

    confirm_deletions: bool | None = Field(default=False, description=_CONFIRM_DELETIONS)


def read(
    context: dg.AssetExecutionContext | dg.OpExecutionContext,
    gong: GongResource,
    source: Source,
    *,
    max_deleted_fraction: float = 1.0,
) -> ReadResult:
    """Read the source, and log progress to the run.

    Raises:
        dagster.Failure: Gong refused or could not be reached; nothing was kept.
    """
    log = ProgressLog(context.log.info, source.noun, total=source.total)
    try:
        return read_source(gong.client(), source, log.page, max_deleted_fraction=max_deleted_fraction)
    except EXPECTED_ERRORS as error:
        fail_step(error)


def read_with_transcripts(
    context: dg.AssetExecutionContext,
    gong: GongResource,
    calls: Calls,
    *,
    max_deleted_fraction: float = 1.0,
) -> tuple[ReadResult, Transcripts, ReadResult | GongError]:
    """Read calls and their transcripts at the same time, and log the progress of both to the run.

    Raises:
        dagster.Failure: Gong refused the calls or could not be reached; nothing was kept.
    """
    logs = {
        False: ProgressLog(context.log.info, calls.noun),
        True: ProgressLog(context.log.info, "transcripts"),
    }

    def on_page(page: Page) -> None:
        logs[isinstance(page, TranscriptPage)].page(page)

    try:
        return read_calls_with_transcripts(
            gong.client(), calls, on_page, max_deleted_fraction=max_deleted_fraction
        )
    except EXPECTED_ERRORS as error:
        fail_step(error)


def land_and_record(
    context: dg.AssetExecutionContext | dg.OpExecutionContext,
    warehouse: Warehouse,
    source: Source,
    result: ReadResult,
    days: Iterable[date],
    asset_key: dg.AssetKey,
) -> LandingMetadata:
    """Land the result, and record it for these days of the asset. Returns the metadata of the landing.

    The transformation follows what is recorded. Days that were read completely are materialized; records that
    were read by ID are observations, which neither make the asset fresh nor a missing partition complete.

    Raises:
        dagster.Failure: the warehouse refused; nothing was changed.
    """
    try:
        landed = land(warehouse, source.table, result, context.run.run_id)
    except EXPECTED_ERRORS as error:
        fail_step(error)
    metadata: dict[str, Any] = {**request_metadata(result.stats), **source.metadata(), **landed.run}
    for day in days:
        of_day = {**partition_metadata(source, result, day), **landed.of_day(day)}
        event = dg.AssetMaterialization if source.ranges else dg.AssetObservation
        context.log_event(event(asset_key, partition=day.isoformat(), metadata={**metadata, **of_day}))
    return landed


def partition_metadata(source: Source, result: ReadResult, day: date) -> dict[str, Any]:
    """Return the metadata of one day, which the sensor for missing transcripts reads again."""
    rows = {"dagster/partition_row_count": result.spool.rows_by_day[day]}
    metadata: dict[str, Any] = {**rows, **source.metadata_of_day(day)}
    if not isinstance(source, Transcripts) or result.skip_reason is not None:
        return metadata
    awaited = {call_id: started.isoformat() for call_id, started in source.awaited(day).items()}
    if source.ranges:
        return {**metadata, AWAITED_TRANSCRIPTS: awaited}
    # Only calls that were just read have a known start; the others are awaited already.
    if source.started:
        metadata[ALSO_AWAITED_TRANSCRIPTS] = awaited
    arrived = [call_id for call_id in source.call_dates if call_id in source.found]
    return {**metadata, ARRIVED_TRANSCRIPTS: arrived}
