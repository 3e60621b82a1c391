"""Raw assets: Gong's records, landed unchanged.

Each step reads its days from Gong's API into a spool on disk, however many partitions the run has, and hands
it to the Snowflake IO manager. Requests are defined in `gong_assets/ingestion/sources.py` and `streams.py`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import dagster as dg

from gong_assets.defs.assets.ingestion import (
    GONG_POOL,
    ReadCallsConfig,
    ReadConfig,
    land_and_record,
    partition_metadata,
    read,
    read_with_transcripts,
)
from gong_assets.defs.failures import fail_step, failure
from gong_assets.defs.freshness import ingestion_freshness, reference_data_freshness
from gong_assets.defs.options import DATA_ENGINEERING, DEFAULT_OPTIONS, GraphOptions
from gong_assets.defs.resources import IO_MANAGER, GongResource, SnowflakeResource
from gong_assets.defs.resumption import mark_quota_stop, ranges_to_read
from gong_assets.gong import GongError, GongQuotaExhausted
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

CALLS_AND_TRANSCRIPTS_OP = "gong_calls_and_transcripts"
SCOPE_CHECK = "scope_is_granted"

# Run calls and transcripts first, so that they get the quota if it runs out mid-run.
_HIGH_PRIORITY_TAGS = {"dagster/priority": "1"}

Result = dg.MaterializeResult[Any]


def build_raw_assets(
    settings: Settings, partitions: dg.DailyPartitionsDefinition, options: GraphOptions = DEFAULT_OPTIONS
) -> list[dg.AssetsDefinition]:
    daily: dict[str, Any] = {
        "partitions_def": partitions,
        "backfill_policy": dg.BackfillPolicy.single_run(),
        "pool": GONG_POOL,
    }
    return [
        _calls_and_transcripts(settings, options, daily),
        *(_partitioned(stream, settings, options, daily) for stream in PARTITIONED_STREAMS),
        *(_snapshot(stream, settings, options) for stream in SNAPSHOT_STREAMS),
    ]


def _calls_and_transcripts(
    settings: Settings, options: GraphOptions, daily: Mapping[str, Any]
) -> dg.AssetsDefinition:
    """Return one step for both assets, since transcripts are requested while calls are still being read."""
    outs = {
        stream.table.asset_name: dg.AssetOut(is_required=False, **_attributes(settings, options, stream))
        for stream in (CALL_STREAM, TRANSCRIPT_STREAM)
    }

    @dg.multi_asset(
        name=options.op_name(CALLS_AND_TRANSCRIPTS_OP),
        outs=outs,
        internal_asset_deps={
            CALLS.asset_name: set(),
            TRANSCRIPTS.asset_name: {options.asset_key(CALLS.asset_name)},
        },
        check_specs=[scope_check(options, TRANSCRIPTS)],
        can_subset=True,
        op_tags=_HIGH_PRIORITY_TAGS,
        **daily,
    )
    def gong_calls_and_transcripts(
        context: dg.AssetExecutionContext,
        config: ReadCallsConfig,
        gong: GongResource,
        gong_snowflake: SnowflakeResource,
    ) -> Iterator[Result]:
        yield from _Step(context, config, gong, gong_snowflake, settings, options).calls_and_transcripts()

    return gong_calls_and_transcripts


def _partitioned(
    stream: PartitionedStream, settings: Settings, options: GraphOptions, daily: Mapping[str, Any]
) -> Any:
    @dg.asset(
        check_specs=[scope_check(options, stream.table)],
        **_attributes(settings, options, stream),
        **daily,
    )
    def partitioned_stream(
        context: dg.AssetExecutionContext,
        config: ReadConfig,
        gong: GongResource,
        gong_snowflake: SnowflakeResource,
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]
        step = _Step(context, config, gong, gong_snowflake, settings, options)
        return step.materialize(stream.source(ranges_to_read(context, context.asset_key, settings)))

    return partitioned_stream


def _snapshot(stream: SnapshotStream, settings: Settings, options: GraphOptions) -> Any:
    @dg.asset(
        check_specs=[scope_check(options, stream.table)],
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=GONG_POOL,
        **_attributes(settings, options, stream),
    )
    def snapshot_stream(
        context: dg.AssetExecutionContext,
        config: ReadConfig,
        gong: GongResource,
        gong_snowflake: SnowflakeResource,
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]
        step = _Step(context, config, gong, gong_snowflake, settings, options)
        return step.materialize(stream.source(settings.gong_workspace_id))

    return snapshot_stream


@dataclass(frozen=True)
class _Step:
    """One execution of a step that reads Gong."""

    context: dg.AssetExecutionContext
    config: ReadConfig
    gong: GongResource
    snowflake: SnowflakeResource
    settings: Settings
    options: GraphOptions

    def calls_and_transcripts(self) -> Iterator[Result]:
        keys = {table: self.options.asset_key(table.asset_name) for table in (CALLS, TRANSCRIPTS)}
        ranges = {
            table: ranges_to_read(self.context, key, self.settings)
            for table, key in keys.items()
            if key in self.context.selected_asset_keys
        }
        # After a quota stop the two may have different days left; then they are read one after the other.
        if len(ranges) == 2 and ranges[CALLS] == ranges[TRANSCRIPTS]:
            yield from self._calls_with_transcripts(self._calls(ranges[CALLS]))
            return
        if CALLS in ranges:
            yield self.materialize(self._calls(ranges[CALLS]))
        if TRANSCRIPTS in ranges:
            yield self.materialize(self._transcripts(ranges[TRANSCRIPTS]))

    def _calls(self, ranges: Any) -> Calls:
        settings = self.settings
        return Calls(ranges, settings.gong_include_private_calls, settings.gong_workspace_id)

    def _transcripts(self, ranges: Any) -> Transcripts:
        try:
            with self.snowflake.get_connection() as connection:
                create_raw_table(connection, CALLS)
                return Transcripts(ranges, call_dates(connection, ranges))
        except WarehouseError as error:
            fail_step(error)

    def _calls_with_transcripts(self, calls: Calls) -> Iterator[Result]:
        fraction = self.config.max_deleted_fraction(self.settings)
        result, transcripts, read_transcripts = read_with_transcripts(
            self.context, self.gong, calls, max_deleted_fraction=fraction
        )
        if result.quota_error is not None:
            sources: list[tuple[Source, ReadResult]] = [(calls, result)]
            if isinstance(read_transcripts, ReadResult):
                sources.append((transcripts, read_transcripts))
            else:
                self.context.log.error(f"No transcript was read: {failure(read_transcripts).description}")
            raise self._stopped(result.quota_error, sources) from result.quota_error
        follow = isinstance(read_transcripts, ReadResult) and read_transcripts.skip_reason is None
        deletions = replace(result.deletions, with_dependents=not follow)
        yield self._materialized(calls, replace(result, deletions=deletions))
        if isinstance(read_transcripts, GongError):
            fail_step(read_transcripts)
        yield self._materialized(transcripts, read_transcripts)

    def materialize(self, source: Source) -> Result:
        """Read the source, and return the result as the asset's value, which the IO manager lands."""
        fraction = self.config.max_deleted_fraction(self.settings)
        result = read(self.context, self.gong, source, max_deleted_fraction=fraction)
        if result.quota_error is not None:
            raise self._stopped(result.quota_error, [(source, result)]) from result.quota_error
        return self._materialized(source, result)

    def _materialized(self, source: Source, result: ReadResult) -> Result:
        key = self.options.asset_key(source.table.asset_name)
        if source.ranges is not None:
            for partition in self.context.partition_keys:
                of_day = partition_metadata(source, result, date.fromisoformat(partition))
                self.context.add_asset_metadata(of_day, asset_key=key, partition_key=partition)
        reason = result.skip_reason
        if reason is not None:
            self.context.log.error(reason)
        check = dg.AssetCheckResult(
            asset_key=key,
            check_name=SCOPE_CHECK,
            passed=reason is None,
            metadata={"error": reason} if reason else {},
        )
        return dg.MaterializeResult(
            asset_key=key,
            value=result,
            metadata={**request_metadata(result.stats), **source.metadata()},
            check_results=[] if source.table is CALLS else [check],
        )

    def _stopped(
        self, quota_error: GongQuotaExhausted, results: list[tuple[Source, ReadResult]]
    ) -> dg.Failure:
        """Land the days that were read completely, and return the failure with which the run stops."""
        kept = ""
        for source, result in results:
            if result.skip_reason is not None or not result.completed_days:
                result.spool.discard()
            else:
                key = self.options.asset_key(source.table.asset_name)
                warehouse = self.snowflake.warehouse()
                land_and_record(self.context, warehouse, source, result, result.completed_days, key)
            if source.ranges is not None:
                total = len(self.context.partition_keys)
                kept += (
                    f"{source.noun}: {len(result.completed_days):,} of {total:,} days were read and landed. "
                )
        after = mark_quota_stop(self.context, quota_error)
        return dg.Failure(
            description=f"{failure(quota_error).description}\n"
            f"{kept}Resume after {after:%Y-%m-%d %H:%M} UTC to read the rest.",
            metadata={
                **request_metadata(results[0][1].stats),
                "days_completed": {source.noun: len(result.completed_days) for source, result in results},
                "resume_after": dg.MetadataValue.timestamp(after),
            },
            allow_retries=False,
        )


def scope_check(options: GraphOptions, table: RawTable) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        SCOPE_CHECK,
        asset=options.asset_key(table.asset_name),
        description="The Gong key has the scope that this endpoint requires. Without it nothing is read, "
        "the table stays as it is, and other assets continue.",
    )


def _attributes(settings: Settings, options: GraphOptions, stream: RawStream) -> dict[str, Any]:
    is_daily = stream.cadence is Cadence.DAILY
    return {
        "key": options.asset_key(stream.table.asset_name),
        "description": stream.description,
        "metadata": table_metadata(settings, stream.table),
        "kinds": {"python", "gong", "snowflake"},
        "io_manager_key": IO_MANAGER,
        "dagster_type": dg.Any,  # The value is a ReadResult, whatever the return annotation says.
        "freshness_policy": reference_data_freshness(options) if is_daily else ingestion_freshness(options),
        **options.asset_attributes("raw", owner=DATA_ENGINEERING, gong_endpoint=stream.endpoint_tag),
    }


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
