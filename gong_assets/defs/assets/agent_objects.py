"""Assets for a semantic view, a Cortex Agent and an MCP server, enabled by GONG_AGENT_OBJECTS.

They are available on Snowflake only. Their SQL is in `gong_assets/warehouse/agent_objects`;
docs/agents.md describes what they are for.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from gong_assets.defs.failures import fail_step
from gong_assets.defs.options import DEFAULT_OPTIONS, REVENUE_OPERATIONS, GraphOptions, layers
from gong_assets.defs.parts import Part
from gong_assets.defs.resources import SnowflakeResource, query_tag
from gong_assets.defs.schedules import timing
from gong_assets.provisioning.declaration import agents_search, grants_on
from gong_assets.provisioning.objects import Layer
from gong_assets.security.texts import markdown_code
from gong_assets.settings import Settings
from gong_assets.warehouse.agent_objects.agent import AGENT, MCP_SERVER, Agent, McpServer
from gong_assets.warehouse.agent_objects.changes import AgentObject, apply, definition
from gong_assets.warehouse.agent_objects.declaration import declared_models
from gong_assets.warehouse.agent_objects.models import SemanticModels
from gong_assets.warehouse.agent_objects.semantic_view import NAME as SEMANTIC_VIEW
from gong_assets.warehouse.agent_objects.semantic_view import SemanticView
from gong_assets.warehouse.cortex_search import newest_embedding_model
from gong_assets.warehouse.embedding_models import embedding_models
from gong_assets.warehouse.errors import WarehouseError

_DESCRIPTIONS = {
    SEMANTIC_VIEW: "Snowflake only. A semantic view over calls, deals, reps and risks, with the descriptions "
    "of the dbt models, metrics, synonyms and the tested queries of the cookbook.",
    AGENT: "Snowflake only. A Cortex Agent over the semantic view and, with GONG_CORTEX_SEARCH, the search "
    "service. Each answer costs credits.",
    MCP_SERVER: "Snowflake only. An MCP server managed by Snowflake, with the agent as its tool.",
}

JOB_NAME = "gong_agent_objects"
# After HubSpot's daily share and the models that follow it.
CRON = "45 6 * * *"

Wanted = Callable[[Any], AgentObject]


class AgentObjects:
    """Builds the desired objects from the settings and dbt's manifest."""

    def __init__(self, settings: Settings, manifest: Path) -> None:
        self._settings = settings
        self._manifest = manifest
        self._place = f"{settings.place['database']}.{settings.place['schema']}".upper()

    def semantic_view(self, _: Any = None) -> SemanticView:
        models = SemanticModels(
            json.loads(self._manifest.read_bytes()),
            personal_data=self._settings.gong_provision_agents_see_personal_data,
            private_calls=self._settings.gong_include_private_calls,
        )
        return SemanticView(self._place, models)

    def agent(self, connection: Any) -> Agent:
        questions = tuple(query.question for query in self.semantic_view().verified_queries())
        return Agent(self._place, questions, self._searches(connection))

    def mcp_server(self, _: Any) -> McpServer:
        return McpServer(self._place)

    def _searches(self, connection: Any) -> bool:
        """Return whether the service embeds questions itself, because an agent sends no vectors."""
        if not agents_search(self._settings):
            return False
        models = embedding_models(self._settings.gong_dbt_vars_file)
        model = models.get(newest_embedding_model(connection) or "")
        return model is not None and model.embeds_search_queries


def build_agent_objects(
    settings: Settings, manifest: Path, options: GraphOptions = DEFAULT_OPTIONS
) -> list[dg.AssetsDefinition]:
    """Return the assets, or nothing if GONG_AGENT_OBJECTS does not enable them.

    Args:
        manifest: file of dbt's manifest, which is read in the runs.
    """
    if not settings.gong_agent_objects:
        return []
    objects = AgentObjects(settings, manifest)
    models = [model.name for model in declared_models(private_calls=settings.gong_include_private_calls)]
    search = ["gong_call_search"] if agents_search(settings) else []
    return [
        _asset(settings, options, SEMANTIC_VIEW, models, objects.semantic_view),
        _asset(settings, options, AGENT, [SEMANTIC_VIEW.lower(), *search], objects.agent),
        _asset(settings, options, MCP_SERVER, [AGENT.lower()], objects.mcp_server),
    ]


def build_agent_objects_schedule(settings: Settings, options: GraphOptions = DEFAULT_OPTIONS) -> Part:
    """Return the job of the assets and its daily schedule; none without GONG_AGENT_OBJECTS.

    The sensor of the transformation requests models only, and these objects follow the definitions of models.
    """
    if not settings.gong_agent_objects:
        return Part()
    job = dg.define_asset_job(
        JOB_NAME,
        layers("agents"),
        description="Creates the semantic view, the agent and the MCP server, or replaces those whose "
        "definition changed.",
        executor_def=dg.in_process_executor,
    )
    models = declared_models(private_calls=settings.gong_include_private_calls)
    views = [options.asset_key(model.name) for model in models]

    @dg.schedule(
        name=f"{JOB_NAME}_schedule",
        job_name=JOB_NAME,
        description="Replaces the objects for agents whose definition changed.",
        **timing(options.schedules.agent_objects, CRON),
    )
    def agent_objects_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        missing = [key for key in views if context.instance.get_latest_materialization_event(key) is None]
        if missing:
            return dg.SkipReason(f"{missing[0].to_user_string()} is not built yet.")
        return dg.RunRequest()

    return Part(jobs=[job], schedules=[agent_objects_schedule])


def _asset(
    settings: Settings, options: GraphOptions, name: str, deps: Sequence[str], wanted: Wanted
) -> dg.AssetsDefinition:
    # A run only replaces an object if its definition changed, with the settings, the models or a release.
    @dg.asset(
        key=options.asset_key(name.lower()),
        kinds={"snowflake"},
        backfill_policy=dg.BackfillPolicy.single_run(),
        deps=[options.asset_key(each) for each in deps],
        metadata={
            "dagster/table_name": f"{settings.snowflake_database}.{settings.snowflake_schema}.{name}".upper()
        },
        description=f"{_DESCRIPTIONS[name]} A run creates it, or replaces it if its definition changed.",
        **options.asset_attributes("agents", owner=REVENUE_OPERATIONS),
    )
    def agent_object(
        context: dg.AssetExecutionContext, gong_snowflake: SnowflakeResource
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]
        tag = query_tag(context.run.run_id, name.lower())
        warehouse = gong_snowflake.warehouse(query_tag=tag, layer=Layer.ENRICHER)
        try:
            with warehouse.connect() as connection:
                target = wanted(connection)
                change = apply(connection, target, grants_on(settings, target.kind))
        except WarehouseError as error:
            fail_step(error)
        context.log.info(f"{name} was {change}")
        metadata: dict[str, Any] = {
            "change": change,
            "definition": dg.MetadataValue.md(markdown_code(definition(target), "sql")),
        }
        if isinstance(target, Agent):
            metadata["searches"] = target.searches
        return dg.MaterializeResult(metadata=metadata)

    return agent_object  # type: ignore[no-any-return]
