"""Calls that Gong's webhook announced: their storage, the sensor that requests them, and the job that lands
them.

The receiver (`gong_assets/gong/webhook`) stores each announcement as an observation of the external asset
`gong_webhook`. So announcements are as durable as Dagster's storage, also where the receiver and the daemon
run on different machines, and the UI shows them.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg
from pydantic import Field

from gong_assets.defs.assets.ingestion import (
    GONG_POOL,
    land_and_record,
    read,
)
from gong_assets.defs.failures import failure
from gong_assets.defs.options import DATA_ENGINEERING, DEFAULT_OPTIONS, LAYER_TAG, GraphOptions
from gong_assets.defs.parts import Part
from gong_assets.defs.resources import GongResource, SnowflakeResource
from gong_assets.defs.runs import IN_FLIGHT
from gong_assets.ingestion.sources import CallsById, Transcripts
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse

ASSET = "gong_webhook"
JOB = "gong_announced_calls"
OP = "gong_land_announced_calls"
INTERVAL_SECONDS = 10
# A run reads this many calls at most, in ten requests for calls and ten for transcripts.
MAX_CALLS = 1_000
# Older announcements are not requested: the scheduled ingestion has read their calls.
MAX_AGE = timedelta(days=1)
# Gong may announce a call moments before its API returns it.
NOT_FOUND_RETRIES = 1
NOT_FOUND_SECONDS = 60

CALL_ID = "call_id"


class AnnouncedCalls(dg.Config):
    call_ids: list[str] = Field(
        default=[],
        description="Gong IDs of the calls. Empty: all calls that were announced in the last day.",
    )


def store_announcement(instance: dg.DagsterInstance, asset_key: dg.AssetKey, call_id: str) -> None:
    """Store the announcement of a call in Dagster's storage."""
    instance.report_runless_asset_event(dg.AssetObservation(asset_key, metadata={CALL_ID: call_id}))


def build_webhook(settings: Settings, options: GraphOptions = DEFAULT_OPTIONS) -> Part:
    """Return the external asset, the job and the sensor; nothing if no webhook is configured."""
    if not settings.receives_webhook:
        return Part()
    return Part(assets=[_asset(options)], jobs=[_job(settings, options)], sensors=[_sensor(options)])


def _asset(options: GraphOptions) -> dg.AssetSpec:
    attributes = options.asset_attributes("raw", owner=DATA_ENGINEERING)
    del attributes["tags"][LAYER_TAG]  # Jobs select what they materialize by it.
    return dg.AssetSpec(
        options.asset_key(ASSET),
        description="Calls that Gong's webhook announced to `gong-assets webhook`: one observation for each. "
        f"The sensor `{JOB}_sensor` requests their calls and transcripts.",
        kinds={"gong"},
        **attributes,
    )


def _job(settings: Settings, options: GraphOptions) -> dg.JobDefinition:
    @dg.op(
        name=OP,
        pool=GONG_POOL,
        description="Reads these calls and their transcripts by ID, and lands them. The rest of their days "
        "is not read.",
    )
    def land_announced_calls(
        context: dg.OpExecutionContext,
        config: AnnouncedCalls,
        gong: GongResource,
        gong_snowflake: SnowflakeResource,
    ) -> None:
        now, key = datetime.now(UTC), options.asset_key(ASSET)
        call_ids = config.call_ids or announced_since(context.instance, key, 0, now - MAX_AGE)[0]
        first_day = settings.first_day(now.date())
        private, workspace = settings.gong_include_private_calls, settings.gong_workspace_id
        calls = CallsById(call_ids, private, workspace, first_day=first_day)
        _land(context, gong, gong_snowflake.warehouse(), options, calls)
        if calls.call_dates:
            spoken = Transcripts([], calls.call_dates, calls.started)
            _land(context, gong, gong_snowflake.warehouse(), options, spoken)
        if calls.missing and context.retry_number < NOT_FOUND_RETRIES:
            raise dg.RetryRequested(NOT_FOUND_RETRIES, NOT_FOUND_SECONDS)
        _log_not_landed(context, calls)

    @dg.job(
        name=JOB,
        description="Lands calls that Gong's webhook announced, and their transcripts, by call ID. Started "
        f"by the sensor {JOB}_sensor.",
        executor_def=dg.in_process_executor,
    )
    def announced_calls() -> None:
        land_announced_calls()

    return announced_calls


def _log_not_landed(context: dg.OpExecutionContext, calls: CallsById) -> None:
    if calls.too_early:
        context.log.info(
            f"{len(calls.too_early):,} of the announced calls, such as {calls.too_early[0]}, started before "
            f"{calls.first_day}, the first partition, and were not landed."
        )
    if calls.missing:
        context.log.warning(
            f"Gong does not return {len(calls.missing):,} of the announced calls, such as "
            f"{calls.missing[0]}. The scheduled ingestion reads them once it does."
        )


def _land(
    context: dg.OpExecutionContext,
    gong: GongResource,
    warehouse: Warehouse,
    options: GraphOptions,
    source: CallsById | Transcripts,
) -> None:
    """Read the source and land what Gong returned.

    Raises:
        dagster.Failure: Gong or the warehouse refused, or Gong's quota is exhausted.
    """
    result = read(context, gong, source)
    # Transcripts that Gong has not finished are recorded too, for the sensor that requests them again.
    days = sorted(set(source.call_dates.values()) | set(filter(None, result.spool.rows_by_day)))
    if days:
        asset_key = options.asset_key(source.table.asset_name)
        land_and_record(context, warehouse, source, result, days, asset_key)
    else:
        result.spool.discard()
    if result.quota_error is not None:
        raise failure(result.quota_error) from result.quota_error


def _sensor(options: GraphOptions) -> dg.SensorDefinition:
    asset_key = options.asset_key(ASSET)

    @dg.sensor(
        name=f"{JOB}_sensor",
        job_name=JOB,
        minimum_interval_seconds=options.sensors.webhook.interval_seconds or INTERVAL_SECONDS,
        default_status=options.sensors.webhook.default_status,
        description="Requests one run for the calls that Gong's webhook announced since the last one.",
    )
    def announced_calls_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        if context.instance.get_runs_count(dg.RunsFilter(job_name=JOB, statuses=IN_FLIGHT)):
            return dg.SkipReason("The previous run has not finished.")
        seen = int(context.cursor) if context.cursor else 0
        call_ids, last = announced_since(context.instance, asset_key, seen, datetime.now(UTC) - MAX_AGE)
        if not call_ids:
            return dg.SensorResult(skip_reason="No call was announced.", cursor=str(last))
        run_config = dg.RunConfig(ops={OP: AnnouncedCalls(call_ids=call_ids)})
        request = dg.RunRequest(run_key=str(last), run_config=run_config)
        return dg.SensorResult(run_requests=[request], cursor=str(last))

    return announced_calls_sensor


def announced_since(
    instance: dg.DagsterInstance, asset_key: dg.AssetKey, seen: int, not_before: datetime
) -> tuple[list[str], int]:
    """Return the IDs of the calls announced since the observation `seen`, and the last observation.

    A call that was announced several times is returned once.
    """
    records = dg.AssetRecordsFilter(
        asset_key=asset_key, after_storage_id=seen, after_timestamp=not_before.timestamp()
    )
    found = instance.fetch_observations(records, limit=MAX_CALLS, ascending=True).records
    call_ids: dict[str, None] = {}
    for record in found:
        if (observation := record.asset_observation) is not None and CALL_ID in observation.metadata:
            call_ids[str(observation.metadata[CALL_ID].value)] = None
    return list(call_ids), max([seen, *(record.storage_id for record in found)])
