"""Asking again for transcripts by call id. Which ids, and when, is decided by the sensor in `sensors.py`."""

import dagster as dg
from pydantic import Field

from gong_assets.assets.progress import ProgressLog
from gong_assets.assets.raw import GONG_POOL
from gong_assets.assets.reading import Transcripts, read, request_metadata
from gong_assets.failures import EXPECTED_ERRORS, failure
from gong_assets.resources import GongResource, SnowflakeResource, query_tag
from gong_assets.warehouse.io_manager import land
from gong_assets.warehouse.queries import dates_of_calls
from gong_assets.warehouse.tables import TRANSCRIPTS


class MissingTranscripts(dg.Config):
    call_ids: list[str] = Field(description="Gong's ids of landed calls whose transcripts are asked for.")


@dg.op(
    pool=GONG_POOL,
    description="Reads the transcripts of these calls, 100 to a request, lands those that have arrived, and marks their "
    "days as materialized, so that what follows runs for those days only.",
)
def request_missing_transcripts(
    context: dg.OpExecutionContext,
    config: MissingTranscripts,
    gong: GongResource,
    snowflake: SnowflakeResource,
) -> None:
    warehouse = snowflake.warehouse(query_tag=query_tag(context.run_id, context.op.name))
    try:
        with warehouse.connect() as connection:
            source = Transcripts([], dates_of_calls(connection, config.call_ids))
        log = ProgressLog(context.log.info, source.noun, total=source.total)
        reading = read(gong.client(), source, log.page)
        arrived = sorted(day for day in reading.spool.rows_by_day if day)
        landed = land(warehouse, TRANSCRIPTS, reading.spool, context.run_id)
    except EXPECTED_ERRORS as error:
        raise failure(error) from error
    metadata = {**request_metadata(reading.stats), **source.metadata(), **landed}
    for day in arrived:
        context.log_event(
            dg.AssetMaterialization(TRANSCRIPTS.name.lower(), partition=day.isoformat(), metadata=metadata)
        )
    context.log.info(f"{len(source.found):,} of {len(source.call_dates):,} transcripts have arrived")
    if reading.stopped is not None:
        raise failure(reading.stopped) from reading.stopped
    if reading.spool.unread is not None:
        raise dg.Failure(description=reading.spool.unread, allow_retries=False)


@dg.job(
    description="Transcripts of calls that had none when they were read, by call id: what the sensor for missing "
    "transcripts starts."
)
def gong_transcripts() -> None:
    request_missing_transcripts()
