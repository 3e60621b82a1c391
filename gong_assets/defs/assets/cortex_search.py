"""Asset for a Cortex Search service over transcript segments: Snowflake only, enabled by GONG_CORTEX_SEARCH.

Its SQL is in `gong_assets/warehouse/cortex_search.py`; docs/agents.md describes what it is for and how to
query it.
"""

import dagster as dg

from gong_assets.defs.failures import fail_step
from gong_assets.defs.options import DEFAULT_OPTIONS, REVENUE_OPERATIONS, GraphOptions
from gong_assets.defs.resources import SnowflakeResource, query_tag
from gong_assets.provisioning.declaration import grants_on
from gong_assets.provisioning.objects import Layer
from gong_assets.security.texts import markdown_code
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse, fetch
from gong_assets.warehouse.cortex_search import (
    CREDITS_PER_GB_MONTH,
    NAME,
    REDACTED_TABLE,
    TABLES,
    TARGET_LAG,
    SearchService,
    apply,
    existing,
    newest_embedding_model,
    source_size,
)
from gong_assets.warehouse.errors import WarehouseError

# Columns of DESCRIBE CORTEX SEARCH SERVICE to show; Snowflake suspends a service after five failed refreshes
# in a row.
_STATE = ("indexing_state", "indexing_error", "serving_state", "data_timestamp", "service_query_url")


def build_search_service(
    settings: Settings, options: GraphOptions = DEFAULT_OPTIONS
) -> list[dg.AssetsDefinition]:
    """Return the asset, or nothing if GONG_CORTEX_SEARCH does not enable it."""
    if not settings.gong_cortex_search:
        return []
    deps = [table.lower() for table in (*TABLES, *[REDACTED_TABLE] * settings.gong_redact_transcripts)]

    # No automation condition: the service refreshes itself (TARGET_LAG). A run only replaces it if its
    # definition changed, with the settings, the embedding model or a release of this project.
    @dg.asset(
        key=options.asset_key("gong_call_search"),
        kinds={"snowflake"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        deps=[options.asset_key(name) for name in deps],
        metadata={
            "dagster/table_name": f"{settings.snowflake_database}.{settings.snowflake_schema}.{NAME}".upper()
        },
        description="Snowflake only. A Cortex Search service over the text and embedding of each segment, "
        f"for many searches at low latency. It refreshes itself within {TARGET_LAG}; a run creates it, or "
        "replaces it if its definition changed. It costs credits for each GB and month while it exists, "
        "whether or not it is searched.",
        **options.asset_attributes("enriched", owner=REVENUE_OPERATIONS),
    )
    def gong_call_search(
        context: dg.AssetExecutionContext, gong_snowflake: SnowflakeResource
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]
        warehouse = gong_snowflake.warehouse(
            query_tag=query_tag(context.run.run_id, "gong_call_search"), layer=Layer.TRANSFORMER
        )
        try:
            return _apply(context, warehouse, settings)
        except WarehouseError as error:
            fail_step(error)

    return [gong_call_search]


def _service(settings: Settings, embedding_model: str) -> SearchService:
    return SearchService(
        warehouse=settings.snowflake_warehouse or "",
        embedding_model=embedding_model,
        redacted=settings.gong_redact_transcripts,
        vars_file=settings.gong_dbt_vars_file,
    )


def _apply(
    context: dg.AssetExecutionContext, warehouse: Warehouse, settings: Settings
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Create or replace the service if its definition changed, and return its state as metadata."""
    with warehouse.connect() as connection:
        model = newest_embedding_model(connection)
        if model is None:
            raise dg.Failure(
                "No segment has an embedding yet: materialize cortex_gong_call_transcripts first.",
                allow_retries=False,
            )
        service = _service(settings, model)
        change = apply(connection, service)
        for grant in grants_on(settings, "CORTEX SEARCH SERVICE"):
            fetch(connection, grant)  # A replaced service has lost its grants.
        rows, size = source_size(connection, service)
        shown = existing(connection) or {}
    context.log.info(f"{NAME} was {change}: {rows:,} segments")
    if shown.get("indexing_error"):
        context.log.warning(f"{NAME} is not refreshed: {shown['indexing_error']}")
    gigabytes = size / 1e9
    return dg.MaterializeResult(
        metadata={
            "service": change,
            "definition": dg.MetadataValue.md(markdown_code(service.definition, "sql")),
            "embedding_model": model,
            "dagster/row_count": rows,
            "indexed_gigabytes": gigabytes,
            "standing_cost": (
                f"About {gigabytes * CREDITS_PER_GB_MONTH:,.2f} credits a month ({CREDITS_PER_GB_MONTH} per "
                "GB, from the example in Snowflake's documentation), whether or not it is searched, and the "
                f"warehouse's time for refreshes, until DROP CORTEX SEARCH SERVICE {NAME}."
            ),
            **{name: str(shown[name]) for name in _STATE if shown.get(name)},
        }
    )
