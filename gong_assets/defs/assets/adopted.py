"""Raw assets whose records another product has loaded into Snowflake (GONG_SOURCE), and its tables.

They have the keys, partitions and metadata of the assets that read Gong's API. What the source lacks is an
empty table, which a check reports.
"""

from collections.abc import Collection
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from gong_assets.dates import DateRange
from gong_assets.defs.assets.ingestion import AWAITED_TRANSCRIPTS, GONG_POOL, ReadCallsConfig
from gong_assets.defs.assets.missing_transcripts import retried_days
from gong_assets.defs.assets.raw import table_metadata
from gong_assets.defs.failures import fail_step
from gong_assets.defs.freshness import ingestion_freshness, reference_data_freshness
from gong_assets.defs.options import DATA_ENGINEERING, DEFAULT_OPTIONS, GraphOptions
from gong_assets.defs.partitions import days_to_read
from gong_assets.defs.resources import SnowflakeResource
from gong_assets.error_advice import EXPECTED_ERRORS
from gong_assets.ingestion.adopted import land_from_source
from gong_assets.ingestion.stream_types import Cadence, RawStream
from gong_assets.ingestion.streams import RAW_STREAMS
from gong_assets.settings import Settings
from gong_assets.warehouse.sources.adoption import calls_without_transcripts
from gong_assets.warehouse.tables import CALLS, TRANSCRIPTS, RawTable

SOURCE_CHECK = "source_has_table"
# The external asset that stands for the tables of the source.
SOURCE_ASSET = "gong_source_tables"

_PRODUCTS = {"airbyte": "Airbyte", "fivetran": "Fivetran", "data_cloud": "Gong's share"}


def product(settings: Settings) -> str:
    """Return the name of the product that is the source."""
    return _PRODUCTS[settings.gong_source]


def source_check(settings: Settings, options: GraphOptions, table: RawTable) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        SOURCE_CHECK,
        asset=options.asset_key(table.asset_name),
        description=f"{product(settings)} has the tables that fill this one. Otherwise the table stays as it "
        "is, and the models that read it have no rows.",
    )


def build_source_tables(
    settings: Settings, options: GraphOptions = DEFAULT_OPTIONS, upstream: Collection[dg.AssetKey] = ()
) -> dg.AssetSpec:
    """Return the external asset for the tables of the source, which the sensor observes.

    `upstream` are the assets that load the tables.
    """
    database = settings.gong_source_database or settings.snowflake_database
    return dg.AssetSpec(
        options.asset_key(SOURCE_ASSET),
        deps=upstream,
        description=f"Tables of {product(settings)} in {database}.{settings.source_schema}. The sensor "
        "gong_source_sensor observes the time of their newest record.",
        kinds={"snowflake", *({settings.gong_source} & {"airbyte", "fivetran"})},
        metadata={"source": settings.gong_source, "schema": f"{database}.{settings.source_schema}"},
        group_name=f"{options.group_prefix}source",
        owners=[DATA_ENGINEERING] if options.owners is None else options.owners,
        tags=options.tags or {},
    )


def build_adopted_assets(
    settings: Settings, partitions: dg.DailyPartitionsDefinition, options: GraphOptions = DEFAULT_OPTIONS
) -> list[dg.AssetsDefinition]:
    """Return a raw asset for each table, also for those that the source lacks."""
    return [_adopted(stream, settings, partitions, options) for stream in RAW_STREAMS]


def _adopted(
    stream: RawStream,
    settings: Settings,
    partitions: dg.DailyPartitionsDefinition,
    options: GraphOptions,
) -> Any:
    table = stream.table
    deps = [options.asset_key(SOURCE_ASSET)]
    if table is TRANSCRIPTS:
        deps.append(options.asset_key(CALLS.asset_name))

    @dg.asset(
        deps=deps,
        partitions_def=None if table.partition is None else partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=GONG_POOL,
        check_specs=[source_check(settings, options, table)],
        **_attributes(stream, settings, options),
    )
    def adopted_table(
        context: dg.AssetExecutionContext, config: ReadCallsConfig, gong_snowflake: SnowflakeResource
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]
        fraction = config.max_deleted_fraction(settings)
        return _land(context, gong_snowflake, settings, table, fraction)

    return adopted_table


def _attributes(stream: RawStream, settings: Settings, options: GraphOptions) -> dict[str, Any]:
    is_reference = stream.cadence is Cadence.DAILY
    return {
        "key": options.asset_key(stream.table.asset_name),
        "description": f"{stream.table.name} from the tables of {product(settings)}, as records of Gong's "
        "API. A run lands only what differs.",
        "metadata": table_metadata(settings, stream.table),
        "kinds": {"gong", "snowflake"},
        "freshness_policy": reference_data_freshness(options)
        if is_reference
        else ingestion_freshness(options),
        **options.asset_attributes("raw", owner=DATA_ENGINEERING, gong_endpoint=stream.endpoint_tag),
    }


def _land(
    context: dg.AssetExecutionContext,
    snowflake: SnowflakeResource,
    settings: Settings,
    table: RawTable,
    max_deleted_fraction: float,
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Land the days of the run, or the whole table, and report a table that the source lacks."""
    ranges = [days_to_read(context, settings)] if table.partition is not None else None
    try:
        landing = land_from_source(
            snowflake.warehouse(),
            settings,
            table,
            ranges,
            context.run.run_id,
            max_deleted_fraction=max_deleted_fraction,
        )
    except EXPECTED_ERRORS as error:
        fail_step(error)
    for partition in context.partition_keys if ranges else ():
        of_day = landing.of_day(date.fromisoformat(partition))
        rows = {"dagster/partition_row_count": of_day.get("records", 0)}
        context.add_asset_metadata({**of_day, **rows}, partition_key=partition)
    if table is TRANSCRIPTS and settings.requests_missing_transcripts:
        _record_awaited_transcripts(context, snowflake, settings)
    reason = landing.run.get("skip_reason")
    whole_table = {} if ranges else landing.of_day(None)
    check = dg.AssetCheckResult(
        check_name=SOURCE_CHECK,
        passed=reason is None,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"reason": reason} if reason else {},
    )
    return dg.MaterializeResult(metadata={**landing.run, **whole_table}, check_results=[check])


def _record_awaited_transcripts(
    context: dg.AssetExecutionContext, snowflake: SnowflakeResource, settings: Settings
) -> None:
    """Record the recent calls that have no transcript yet, for the sensor that requests them of Gong."""
    retried = retried_days(settings, datetime.now(UTC).date())
    days = [day for day in days_to_read(context, settings) if day in retried]
    if not days:
        return
    try:
        with snowflake.get_connection() as connection:
            found = calls_without_transcripts(connection, DateRange.inclusive(days[0], days[-1]))
    except EXPECTED_ERRORS as error:
        fail_step(error)
    for each in days:
        awaited = {
            call_id: started.astimezone(UTC).isoformat()
            for call_id, (day, started) in found.items()
            if day == each
        }
        context.add_asset_metadata({AWAITED_TRANSCRIPTS: awaited}, partition_key=each.isoformat())
