"""Job that requests missing transcripts by call ID. The sensor in `sensors.py` decides which, and when."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from gong_assets.defs.assets.ingestion import GONG_POOL, land_and_record, read
from gong_assets.defs.failures import fail_step, failure
from gong_assets.defs.options import DEFAULT_OPTIONS, GraphOptions
from gong_assets.defs.resources import GongResource, SnowflakeResource, query_tag
from gong_assets.ingestion.sources import Transcripts
from gong_assets.warehouse.connection import fetch
from gong_assets.warehouse.errors import WarehouseError
from gong_assets.warehouse.queries import calls_without_transcript, dates_of_calls
from gong_assets.warehouse.tables import CALLS, TRANSCRIPTS, create_raw_tables

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

OP = "request_missing_transcripts"


class MissingTranscripts(dg.Config):
    call_ids: list[str] = Field(
        default=[],
        description="Gong IDs of landed calls whose transcripts are requested. If empty, all landed calls "
        "without a transcript.",
    )


def _calls_without_transcript(connection: "SnowflakeConnection") -> list[str]:
    rows = fetch(connection, calls_without_transcript(), (datetime.now(UTC).date(),))
    return [row["CALL_ID"] for row in rows]


def build_missing_transcripts_job(options: GraphOptions = DEFAULT_OPTIONS) -> dg.JobDefinition:
    @dg.op(
        name=OP,
        pool=GONG_POOL,
        description="Reads the transcripts of these calls, 100 per request, lands those that have arrived, "
        "and records their days as materialized, so that only those days are transformed.",
    )
    def request_missing_transcripts(
        context: dg.OpExecutionContext,
        config: MissingTranscripts,
        gong: GongResource,
        gong_snowflake: SnowflakeResource,
    ) -> None:
        warehouse = gong_snowflake.warehouse(query_tag=query_tag(context.run.run_id, context.op.name))
        try:
            with warehouse.connect() as connection:
                create_raw_tables(connection, (CALLS, TRANSCRIPTS))
                call_ids = config.call_ids or _calls_without_transcript(connection)
                source = Transcripts([], dates_of_calls(connection, call_ids))
        except WarehouseError as error:
            fail_step(error)
        result = read(context, gong, source)
        days = sorted(filter(None, result.spool.rows_by_day))
        asset_key = options.asset_key(source.table.asset_name)
        land_and_record(context, warehouse, source, result, days, asset_key)
        context.log.info(f"{len(source.found):,} of {len(source.call_dates):,} transcripts have arrived.")
        if result.quota_error is not None:
            raise failure(result.quota_error) from result.quota_error
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
