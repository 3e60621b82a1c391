"""Job that requests missing transcripts by call ID. Which IDs, and when, is decided by the sensor in `sensors.py`."""

import dagster as dg
from pydantic import Field

from gong_assets.defs.assets.ingestion import GONG_POOL, land_and_record, read
from gong_assets.defs.failures import failure
from gong_assets.defs.resources import GongResource, SnowflakeResource, query_tag
from gong_assets.ingestion.sources import Transcripts
from gong_assets.warehouse.errors import WarehouseError
from gong_assets.warehouse.queries import dates_of_calls


class MissingTranscripts(dg.Config):
    call_ids: list[str] = Field(description="Gong IDs of landed calls whose transcripts are requested.")


@dg.op(
    pool=GONG_POOL,
    description="Reads the transcripts of these calls, 100 per request, lands those that have arrived, and records their "
    "days as materialized, so that only those days are transformed.",
)
def request_missing_transcripts(
    context: dg.OpExecutionContext,
    config: MissingTranscripts,
    gong: GongResource,
    snowflake: SnowflakeResource,
) -> None:
    warehouse = snowflake.warehouse(query_tag=query_tag(context.run.run_id, context.op.name))
    try:
        with warehouse.connect() as connection:
            source = Transcripts([], dates_of_calls(connection, config.call_ids))
    except WarehouseError as error:
        raise failure(error) from error
    result = read(context, gong, source)
    land_and_record(context, warehouse, source, result, sorted(filter(None, result.spool.rows_by_day)))
    context.log.info(f"{len(source.found):,} of {len(source.call_dates):,} transcripts have arrived.")
    if result.quota_error is not None:
        raise failure(result.quota_error) from result.quota_error
    if result.skip_reason is not None:
        raise dg.Failure(description=result.skip_reason, allow_retries=False)


@dg.job(
    description="Transcripts of calls that had none when they were read, by call ID. Started by the sensor for missing "
    "transcripts."
)
def gong_transcripts() -> None:
    request_missing_transcripts()
