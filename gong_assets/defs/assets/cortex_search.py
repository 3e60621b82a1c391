"""A Cortex Search service over the segments: an asset of its own, on Snowflake only, where GONG_CORTEX_SEARCH asks for it.

Its SQL is in `gong_assets/warehouse/search_service.py`; what it is for, and how to query it, in docs/agents.md.
"""

import dagster as dg

from gong_assets.defs.failures import failure
from gong_assets.defs.options import DEFAULT_OPTIONS, REVENUE_OPERATIONS, GraphOptions
from gong_assets.defs.resources import SnowflakeResource, query_tag
from gong_assets.settings import Settings
from gong_assets.warehouse.cortex_search import (
    CREDITS_PER_GB_MONTH,
    NAME,
    TARGET_LAG,
    SearchService,
    apply,
    existing,
    newest_embedding_model,
    source_size,
)
from gong_assets.warehouse.errors import WarehouseError

# What Snowflake says of a service's condition; five refreshes that fail in a row suspend it.
_STATE = ("indexing_state", "indexing_error", "serving_state", "data_timestamp", "service_query_url")


def build_search_service(
    settings: Settings, options: GraphOptions = DEFAULT_OPTIONS
) -> list[dg.AssetsDefinition]:
    """Return the asset of the search service, or nothing unless GONG_CORTEX_SEARCH is set."""
    if not settings.gong_cortex_search:
        return []
    deps = ["cortex_gong_call_transcripts", "stg_gong_call_transcripts", "stg_gong_calls"]
    if settings.gong_redact_transcripts:
        deps.append("cortex_gong_redacted_transcripts")

    # No automation condition: the service follows its tables by itself (TARGET_LAG). A run finds out whether its definition
    # changed, with the settings, the embedding model or a release of this project; `gong_sync` is one.
    @dg.asset(
        key=options.asset_key("gong_call_search"),
        kinds={"snowflake"},
        deps=[options.asset_key(name) for name in deps],
        metadata={
            "dagster/table_name": f"{settings.snowflake_database}.{settings.snowflake_schema}.{NAME}".upper()
        },
        description="Snowflake only. A Cortex Search service over the text and the embedding of each segment, for many searches at "
        f"low latency. It refreshes itself within {TARGET_LAG}: a run creates it, and replaces it if its definition changed. It "
        "costs credits for each GB and month as long as it is there, searched or not.",
        **options.asset_attributes("enriched", owner=REVENUE_OPERATIONS),
    )
    def gong_call_search(
        context: dg.AssetExecutionContext, gong_snowflake: SnowflakeResource
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]
        warehouse = gong_snowflake.warehouse(query_tag=query_tag(context.run_id, "gong_call_search"))
        try:
            with warehouse.connect() as connection:
                model = newest_embedding_model(connection)
                if model is None:
                    raise dg.Failure(
                        "No segment has an embedding yet: materialize cortex_gong_call_transcripts first.",
                        allow_retries=False,
                    )
                service = SearchService(
                    warehouse=settings.snowflake_warehouse or "",
                    embedding_model=model,
                    redacted=settings.gong_redact_transcripts,
                )
                change = apply(connection, service)
                rows, size = source_size(connection, service)
                shown = existing(connection) or {}
        except WarehouseError as error:
            raise failure(error) from error
        context.log.info(f"{NAME} was {change}: {rows:,} segments")
        if shown.get("indexing_error"):
            context.log.warning(f"{NAME} is not refreshed: {shown['indexing_error']}")
        gigabytes = size / 1e9
        return dg.MaterializeResult(
            metadata={
                "service": change,
                "definition": dg.MetadataValue.md(f"```sql\n{service.definition}\n```"),
                "embedding_model": model,
                "dagster/row_count": rows,
                "indexed_gigabytes": gigabytes,
                "standing_cost": (
                    f"about {gigabytes * CREDITS_PER_GB_MONTH:,.2f} credits a month ({CREDITS_PER_GB_MONTH} for each GB, the example "
                    "of Snowflake's documentation), searched or not, and the warehouse's time for refreshes; until "
                    f"DROP CORTEX SEARCH SERVICE {NAME}"
                ),
                **{name: str(shown[name]) for name in _STATE if shown.get(name)},
            }
        )

    return [gong_call_search]
