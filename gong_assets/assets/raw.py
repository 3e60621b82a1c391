"""The raw assets: what Gong sends, landed as it is.

Each asset reads one window of Gong's API into a spool on disk, however many partitions the run has, and hands the spool
to the Snowflake IO manager. What is asked of Gong is in `reading.py` and `streams.py`.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import dagster as dg
from pydantic import Field

from gong_assets.assets.attempts import days_to_read, stopped
from gong_assets.assets.progress import ProgressLog
from gong_assets.assets.reading import Calls, Reading, Source, Transcripts, read, request_metadata
from gong_assets.assets.streams import DAILY_STREAMS, WHOLE_STREAMS, Daily, Whole
from gong_assets.automation import RAW_FRESHNESS, SETTINGS_FRESHNESS
from gong_assets.failures import EXPECTED_ERRORS, failure
from gong_assets.gong import GongQuotaExhausted
from gong_assets.resources import GongResource, SnowflakeResource, query_tag
from gong_assets.settings import Settings
from gong_assets.warehouse.io_manager import land
from gong_assets.warehouse.queries import call_dates
from gong_assets.warehouse.tables import CALLS, TRANSCRIPTS, RawTable

# One run at a time calls Gong: its limits are the company's, and two runs would share them.
GONG_POOL = "gong_api"

# Where the daily quota ends in mid-run, it should have been spent on these.
BEFORE_THE_OTHERS = {"dagster/priority": "1"}

SCOPE_CHECK = "scope_is_granted"


class ReadConfig(dg.Config):
    """How a raw asset reads Gong."""

    confirm_deletions: bool = Field(
        default=False,
        description="Delete what Gong does not return any more, however much it is. Without it a run fails, and changes "
        "nothing, when more records vanished than GONG_MAX_VANISHED_SHARE allows, or all: a key that lost the right to "
        "see calls gets the answer of a company that has none.",
    )


def build_raw_assets(
    settings: Settings, partitions: dg.DailyPartitionsDefinition
) -> list[dg.AssetsDefinition]:
    common: dict[str, Any] = {
        "group_name": "raw",
        "owners": ["team:data-engineering"],
        "kinds": {"python", "gong", "snowflake"},
        "io_manager_key": "snowflake_io_manager",
        "dagster_type": dg.Any,  # A spool, whatever the function says that it returns.
        "pool": GONG_POOL,
        "freshness_policy": RAW_FRESHNESS,
    }
    daily: dict[str, Any] = {
        **common,
        "partitions_def": partitions,
        "backfill_policy": dg.BackfillPolicy.single_run(),
    }

    @dg.asset(
        description="Calls with participants, content, interaction and CRM context, one row per call: "
        "POST /v2/calls/extensive. Each run replaces its days whole.",
        tags={"layer": "raw", "gong_endpoint": "calls_extensive"},
        op_tags=BEFORE_THE_OTHERS,
        metadata=table_metadata(settings, CALLS),
        **daily,
    )
    def gong_calls_raw(
        context: dg.AssetExecutionContext,
        config: ReadConfig,
        gong: GongResource,
        snowflake: SnowflakeResource,
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]
        source = Calls(
            days_to_read(context),
            include_private=settings.gong_include_private_calls,
            workspace_id=settings.gong_workspace_id,
        )
        return materialized(context, config, gong, snowflake, source, settings)

    @dg.asset(
        description="Transcripts of the landed calls, one row per call: POST /v2/calls/transcript by call id. "
        "A call whose transcript Gong has not finished has no row yet; the sensor for missing transcripts asks again.",
        deps=[gong_calls_raw],
        tags={"layer": "raw", "gong_endpoint": "calls_transcript"},
        op_tags=BEFORE_THE_OTHERS,
        metadata=table_metadata(settings, TRANSCRIPTS),
        check_specs=[scope_check(TRANSCRIPTS)],
        **daily,
    )
    def gong_call_transcripts_raw(
        context: dg.AssetExecutionContext,
        config: ReadConfig,
        gong: GongResource,
        snowflake: SnowflakeResource,
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]
        days = days_to_read(context)
        try:
            with snowflake.get_connection() as connection:
                source = Transcripts(days, call_dates(connection, days))
        except EXPECTED_ERRORS as error:
            raise failure(error) from error
        return materialized(context, config, gong, snowflake, source, settings)

    def stream_asset(
        stream: Daily | Whole, source: Callable[[dg.AssetExecutionContext], Source], **options: Any
    ) -> Any:
        @dg.asset(
            name=stream.table.name.lower(),
            description=stream.description,
            tags={"layer": "raw", "gong_endpoint": stream.endpoint},
            metadata=table_metadata(settings, stream.table),
            check_specs=[scope_check(stream.table)],
            **options,
        )
        def read_stream(
            context: dg.AssetExecutionContext,
            config: ReadConfig,
            gong: GongResource,
            snowflake: SnowflakeResource,
        ) -> dg.MaterializeResult:  # type: ignore[type-arg]
            return materialized(context, config, gong, snowflake, source(context), settings)

        return read_stream

    def daily_asset(stream: Daily) -> Any:
        return stream_asset(stream, lambda context: stream.source(days_to_read(context)), **daily)

    def whole_asset(stream: Whole) -> Any:
        freshness = RAW_FRESHNESS if stream.is_people else SETTINGS_FRESHNESS
        options = {**common, "freshness_policy": freshness}
        return stream_asset(stream, lambda _: stream.source(settings.gong_workspace_id), **options)

    return [
        gong_calls_raw,
        gong_call_transcripts_raw,
        *map(daily_asset, DAILY_STREAMS),
        *map(whole_asset, WHOLE_STREAMS),
    ]


def materialized(
    context: dg.AssetExecutionContext,
    config: ReadConfig,
    gong: GongResource,
    snowflake: SnowflakeResource,
    source: Source,
    settings: Settings,
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Read the source; its spool is the asset's value, which the IO manager lands."""
    share = 1.0 if config.confirm_deletions else settings.gong_max_vanished_share
    log = ProgressLog(context.log.info, source.noun, total=source.total)
    try:
        reading = read(gong.client(), source, log.page, max_vanished_share=share)
    except EXPECTED_ERRORS as error:
        raise failure(error) from error
    if reading.stopped is not None:
        raise keep_finished(context, snowflake, source, reading, reading.stopped) from reading.stopped
    if source.days is not None:
        for key in context.partition_keys:
            rows = reading.spool.rows_by_day[date.fromisoformat(key)]
            context.add_asset_metadata({"dagster/partition_row_count": rows}, partition_key=key)
    unread = reading.spool.unread
    if unread is not None:
        context.log.error(unread)
    checks = [
        dg.AssetCheckResult(
            check_name=SCOPE_CHECK, passed=unread is None, metadata={"gong_says": unread} if unread else {}
        )
    ]
    return dg.MaterializeResult(
        value=reading.spool,
        metadata={**request_metadata(reading.stats), **source.metadata()},
        check_results=[] if source.table is CALLS else checks,
    )


def keep_finished(
    context: dg.AssetExecutionContext,
    snowflake: SnowflakeResource,
    source: Source,
    reading: Reading,
    quota: GongQuotaExhausted,
) -> dg.Failure:
    """Land the days that were read whole, as materialized partitions; what the run then fails with is returned."""
    finished = [day for span in reading.spool.days or () for day in span]
    if finished:
        warehouse = snowflake.warehouse(
            query_tag=query_tag(context.run_id, context.op_execution_context.op.name)
        )
        try:
            landed = land(warehouse, source.table, reading.spool, context.run_id)
        except EXPECTED_ERRORS as error:
            return failure(error)
        for day in finished:
            counts = {"dagster/partition_row_count": reading.spool.rows_by_day[day]}
            context.log_event(
                dg.AssetMaterialization(
                    context.asset_key, partition=day.isoformat(), metadata={**landed, **counts}
                )
            )
    else:
        reading.spool.discard()
    after = stopped(context, quota)
    of = len(context.partition_keys) if source.days is not None else 0
    kept = f"{len(finished):,} of {of:,} days were read before and are kept. " if of else ""
    told = failure(quota)
    return dg.Failure(
        description=f"{told.description}\n{kept}A run that continues this one from {after:%Y-%m-%d %H:%M} UTC on reads the rest.",
        metadata={
            **request_metadata(reading.stats),
            "days_finished": len(finished),
            "continue_after": dg.MetadataValue.timestamp(after),
        },
        allow_retries=False,
    )


def scope_check(table: RawTable) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        SCOPE_CHECK,
        asset=table.name.lower(),
        description="The key has the scope that this endpoint needs. Without it nothing is read, the table stays as it is, "
        "and the other assets go on.",
    )


def table_metadata(settings: Settings, table: RawTable) -> Mapping[str, Any]:
    """What the UI shows of the table before any run: its full name and its columns."""
    columns = [
        dg.TableColumn(
            column.name,
            column.type,
            description=column.description,
            constraints=dg.TableColumnConstraints(nullable=column.nullable, unique=column is table.key),
        )
        for column in table.columns
    ]
    return {
        "dagster/table_name": f"{settings.snowflake_database}.{settings.snowflake_schema}.{table.name}",
        "dagster/column_schema": dg.TableSchema(columns=columns),
    }
