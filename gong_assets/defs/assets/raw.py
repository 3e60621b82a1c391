"""Raw assets: Gong's records, landed unchanged.

Each asset reads one window of Gong's API into a spool on disk, however many partitions the run has, and hands it to the
Snowflake IO manager. What is requested is in `gong_assets/ingestion/sources.py` and `streams.py`.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import dagster as dg

from gong_assets.defs.assets.ingestion import GONG_POOL, ReadConfig, land_and_record, read
from gong_assets.defs.automation import RAW_FRESHNESS, REFERENCE_DATA_FRESHNESS
from gong_assets.defs.failures import failure
from gong_assets.defs.options import DATA_ENGINEERING, DEFAULT_OPTIONS, GraphOptions
from gong_assets.defs.resources import IO_MANAGER, GongResource, SnowflakeResource, query_tag
from gong_assets.defs.resumption import mark_quota_stop, ranges_to_read
from gong_assets.gong import GongQuotaExhausted
from gong_assets.ingestion.read import ReadResult, request_metadata
from gong_assets.ingestion.sources import Calls, Source, Transcripts
from gong_assets.ingestion.stream_types import Cadence, PartitionedStream, RawStream, SnapshotStream
from gong_assets.ingestion.streams import (
    CALL_STREAM,
    PARTITIONED_STREAMS,
    SNAPSHOT_STREAMS,
    TRANSCRIPT_STREAM,
)
from gong_assets.settings import Settings
from gong_assets.warehouse.errors import WarehouseError
from gong_assets.warehouse.queries import call_dates
from gong_assets.warehouse.tables import CALLS, TRANSCRIPTS, RawTable, create_raw_table

# Run calls and transcripts first, so that they get the quota if it runs out mid-run.
HIGH_PRIORITY_TAGS = {"dagster/priority": "1"}

SCOPE_CHECK = "scope_is_granted"


def build_raw_assets(
    settings: Settings, partitions: dg.DailyPartitionsDefinition, options: GraphOptions = DEFAULT_OPTIONS
) -> list[dg.AssetsDefinition]:
    common: dict[str, Any] = {
        "kinds": {"python", "gong", "snowflake"},
        "io_manager_key": IO_MANAGER,
        "dagster_type": dg.Any,  # The value is a ReadResult, whatever the return annotation says.
        "pool": GONG_POOL,
        "freshness_policy": RAW_FRESHNESS,
    }
    partitioned: dict[str, Any] = {
        **common,
        "partitions_def": partitions,
        "backfill_policy": dg.BackfillPolicy.single_run(),
    }

    def attributes(stream: RawStream) -> dict[str, Any]:
        return {
            "key": options.asset_key(stream.table.asset_name),
            "description": stream.description,
            "metadata": table_metadata(settings, stream.table),
            **options.asset_attributes("raw", owner=DATA_ENGINEERING, gong_endpoint=stream.endpoint_tag),
        }

    @dg.asset(op_tags=HIGH_PRIORITY_TAGS, **attributes(CALL_STREAM), **partitioned)
    def gong_calls_raw(
        context: dg.AssetExecutionContext,
        config: ReadConfig,
        gong: GongResource,
        gong_snowflake: SnowflakeResource,
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]
        source = Calls(
            ranges_to_read(context, context.asset_key),
            include_private=settings.gong_include_private_calls,
            workspace_id=settings.gong_workspace_id,
        )
        return _materialize(context, config, gong, gong_snowflake, source, settings)

    @dg.asset(
        deps=[gong_calls_raw],
        op_tags=HIGH_PRIORITY_TAGS,
        check_specs=[scope_check(options, TRANSCRIPTS)],
        **attributes(TRANSCRIPT_STREAM),
        **partitioned,
    )
    def gong_call_transcripts_raw(
        context: dg.AssetExecutionContext,
        config: ReadConfig,
        gong: GongResource,
        gong_snowflake: SnowflakeResource,
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]
        ranges = ranges_to_read(context, context.asset_key)
        try:
            with gong_snowflake.get_connection() as connection:
                create_raw_table(connection, CALLS)
                source = Transcripts(ranges, call_dates(connection, ranges))
        except WarehouseError as error:
            raise failure(error) from error
        return _materialize(context, config, gong, gong_snowflake, source, settings)

    def stream_asset(
        stream: RawStream,
        source: Callable[[dg.AssetExecutionContext], Source],
        **arguments: Any,
    ) -> Any:
        @dg.asset(check_specs=[scope_check(options, stream.table)], **attributes(stream), **arguments)
        def raw_stream(
            context: dg.AssetExecutionContext,
            config: ReadConfig,
            gong: GongResource,
            gong_snowflake: SnowflakeResource,
        ) -> dg.MaterializeResult:  # type: ignore[type-arg]
            return _materialize(context, config, gong, gong_snowflake, source(context), settings)

        return raw_stream

    def partitioned_asset(stream: PartitionedStream) -> Any:
        return stream_asset(
            stream, lambda context: stream.source(ranges_to_read(context, context.asset_key)), **partitioned
        )

    def snapshot_asset(stream: SnapshotStream) -> Any:
        freshness = RAW_FRESHNESS if stream.cadence is Cadence.WITH_CALLS else REFERENCE_DATA_FRESHNESS
        arguments = {**common, "freshness_policy": freshness}
        return stream_asset(stream, lambda _: stream.source(settings.gong_workspace_id), **arguments)

    return [
        gong_calls_raw,
        gong_call_transcripts_raw,
        *map(partitioned_asset, PARTITIONED_STREAMS),
        *map(snapshot_asset, SNAPSHOT_STREAMS),
    ]


def _materialize(
    context: dg.AssetExecutionContext,
    config: ReadConfig,
    gong: GongResource,
    snowflake: SnowflakeResource,
    source: Source,
    settings: Settings,
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Read the source, and return the result as the asset's value, which the IO manager lands."""
    result = read(context, gong, source, max_deleted_fraction=config.max_deleted_fraction(settings))
    if result.quota_error is not None:
        quota_error = result.quota_error
        raise _land_completed_days(context, snowflake, source, result, quota_error) from quota_error
    if source.ranges is not None:
        for key in context.partition_keys:
            rows = result.spool.rows_by_day[date.fromisoformat(key)]
            context.add_asset_metadata({"dagster/partition_row_count": rows}, partition_key=key)
    reason = result.skip_reason
    if reason is not None:
        context.log.error(reason)
    check = dg.AssetCheckResult(
        check_name=SCOPE_CHECK,
        passed=reason is None,
        metadata={"error": reason} if reason else {},
    )
    return dg.MaterializeResult(
        value=result,
        metadata={**request_metadata(result.stats), **source.metadata()},
        check_results=[] if source.table is CALLS else [check],
    )


def _land_completed_days(
    context: dg.AssetExecutionContext,
    snowflake: SnowflakeResource,
    source: Source,
    result: ReadResult,
    quota_error: GongQuotaExhausted,
) -> dg.Failure:
    """Land the days that were read completely, and return the failure with which the run stops."""
    completed = result.completed_days
    if completed:
        tag = query_tag(context.run.run_id, context.op_execution_context.op.name)
        warehouse = snowflake.warehouse(query_tag=tag)
        land_and_record(context, warehouse, source, result, completed, context.asset_key)
    else:
        result.spool.discard()
    after = mark_quota_stop(context, quota_error)
    total = len(context.partition_keys) if source.ranges is not None else 0
    kept = f"{len(completed):,} of {total:,} days were read and landed. " if total else ""
    return dg.Failure(
        description=f"{failure(quota_error).description}\n"
        f"{kept}Resume after {after:%Y-%m-%d %H:%M} UTC to read the rest.",
        metadata={
            **request_metadata(result.stats),
            "days_completed": len(completed),
            "resume_after": dg.MetadataValue.timestamp(after),
        },
        allow_retries=False,
    )


def scope_check(options: GraphOptions, table: RawTable) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        SCOPE_CHECK,
        asset=options.asset_key(table.asset_name),
        description="The Gong key has the scope that this endpoint requires. Without it nothing is read, the table stays as "
        "it is, and other assets continue.",
    )


def table_metadata(settings: Settings, table: RawTable) -> Mapping[str, Any]:
    """Return the table's full name and columns, which the UI shows before the first run."""
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
