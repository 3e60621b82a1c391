"""The asset that deletes expired rows in every layer, with its job and its monthly schedule."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from gong_assets.cortex.sending import drop_queues
from gong_assets.defs.dbt.assets import DBT_POOL
from gong_assets.defs.failures import fail_step
from gong_assets.defs.freshness import freshness
from gong_assets.defs.options import DATA_ENGINEERING, DEFAULT_OPTIONS, GraphOptions
from gong_assets.defs.own_tables import model_tables
from gong_assets.defs.parts import Part
from gong_assets.defs.resources import SnowflakeResource
from gong_assets.defs.schedules import timing
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.provisioning.objects import Layer
from gong_assets.settings import Settings
from gong_assets.settings.retention_settings import first_of_last
from gong_assets.warehouse.errors import WarehouseError
from gong_assets.warehouse.pending_changes import PENDING_CHANGES_TABLE
from gong_assets.warehouse.retention import day_columns, delete_expired

NAME = "gong_retention"
# A job may not have the name of an asset's op: the code location would not load.
JOB_NAME = "gong_expiry"
CRON = "10 4 1 * *"


def build_retention(settings: Settings, options: GraphOptions = DEFAULT_OPTIONS) -> Part:
    """Return the asset, its job and its schedule; none without GONG_RETENTION_DAYS."""
    days = settings.gong_retention_days
    if days is None:
        return Part()
    job = dg.define_asset_job(
        JOB_NAME,
        dg.AssetSelection.assets(options.asset_key(NAME)),
        description="Deletes the rows that GONG_RETENTION_DAYS no longer keeps.",
        executor_def=dg.in_process_executor,
    )
    schedule = dg.ScheduleDefinition(
        name=f"{JOB_NAME}_schedule",
        job_name=JOB_NAME,
        description="Deletes the rows that GONG_RETENTION_DAYS no longer keeps.",
        **timing(options.schedules.retention, CRON),
    )
    return Part(assets=[_asset(days, options)], jobs=[job], schedules=[schedule])


def _asset(days: int, options: GraphOptions) -> dg.AssetsDefinition:
    @dg.asset(
        key=options.asset_key(NAME),
        kinds={"python", "snowflake"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        # No run may build models meanwhile: it would insert the rows again that it has read before.
        pool=DBT_POOL,
        freshness_policy=freshness(options.schedules.retention, CRON),
        deps=[options.asset_key(table.asset_name) for table in RAW_TABLES if table.partition],
        description=f"Deletes the rows of days before the last {days} (GONG_RETENTION_DAYS) in every layer: "
        "raw, staged, redacted and Cortex tables, with the answers and attempts. The metadata has the number "
        "of rows by table.",
        **options.asset_attributes("health", owner=DATA_ENGINEERING),
    )
    def gong_retention(
        context: dg.AssetExecutionContext, gong_snowflake: SnowflakeResource
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]
        first_day = first_of_last(days, datetime.now(UTC).date())
        try:
            with gong_snowflake.get_connection(Layer.ENRICHER) as connection:
                drop_queues(connection)
            with gong_snowflake.get_connection() as connection:
                # Raw rows go first: a run that dies in between leaves nothing that is staged or sent again.
                raw = [table.name for table in RAW_TABLES]
                columns = day_columns(connection, [*raw, *model_tables(), PENDING_CHANGES_TABLE])
                deleted = delete_expired(connection, columns, first_day)
        except WarehouseError as error:
            fail_step(error)
        context.log.info(f"{sum(deleted.values()):,} rows from before {first_day} were deleted.")
        return dg.MaterializeResult(metadata=_metadata(first_day, deleted))

    return gong_retention  # type: ignore[no-any-return]


def _metadata(first_day: date, deleted: Mapping[str, int]) -> dict[str, Any]:
    records = [dg.TableRecord({"table": table, "rows": rows}) for table, rows in deleted.items()]
    return {
        "first_day": str(first_day),
        "rows_deleted": sum(deleted.values()),
        **({"rows_by_table": dg.MetadataValue.table(records)} if records else {}),
    }
