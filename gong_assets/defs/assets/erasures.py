"""The asset that applies the erasures to every table, and its job.

Neither has run config, because Dagster stores it: `gong-assets erase` stores the tombstones in the warehouse,
and launches this job. After a run that died, launching the job again completes the erasure.
"""

from typing import Any

import dagster as dg

from gong_assets.cortex.sending import drop_queues
from gong_assets.defs.dbt.assets import DBT_POOL
from gong_assets.defs.failures import fail_step
from gong_assets.defs.options import DATA_ENGINEERING, DEFAULT_OPTIONS, GraphOptions
from gong_assets.defs.own_tables import model_tables
from gong_assets.defs.resources import SnowflakeResource
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.provisioning.objects import Layer
from gong_assets.warehouse.erase import erase
from gong_assets.warehouse.errors import WarehouseError

ASSET = "gong_erasures"
JOB = "gong_erasure"
RECEIPT = "receipt"


def build_erasures(options: GraphOptions = DEFAULT_OPTIONS) -> dg.AssetsDefinition:
    @dg.asset(
        key=options.asset_key(ASSET),
        kinds={"python", "snowflake"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        # No run may build models meanwhile: it would insert the rows again that it has read before.
        pool=DBT_POOL,
        description="Removes the persons and calls that `gong-assets erase` was given from every table. Each "
        "materialization has a receipt: the number of rows by table, without personal data.",
        **options.asset_attributes("health", owner=DATA_ENGINEERING),
    )
    def gong_erasures(
        context: dg.AssetExecutionContext, gong_snowflake: SnowflakeResource
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]
        try:
            with gong_snowflake.get_connection(Layer.ENRICHER) as connection:
                drop_queues(connection)
            with gong_snowflake.get_connection() as connection:
                receipt = erase(connection, RAW_TABLES, model_tables(), context.run.run_id)
        except WarehouseError as error:
            fail_step(error)
        return dg.MaterializeResult(
            metadata={
                "calls": receipt.calls,
                "rows_deleted": receipt.deleted.total(),
                "rows_redacted": receipt.redacted.total(),
                RECEIPT: dg.MetadataValue.json(receipt.as_json()),
            }
        )

    return gong_erasures  # type: ignore[no-any-return]


def build_erasure_job(options: GraphOptions = DEFAULT_OPTIONS) -> Any:
    return dg.define_asset_job(
        JOB,
        dg.AssetSelection.assets(options.asset_key(ASSET)),
        description="Applies all erasures to every table. Started by `gong-assets erase`; launch it again if "
        "a run of it did not finish.",
        executor_def=dg.in_process_executor,
    )
