"""The dbt models as assets: staged tables, Cortex tables and views.

Names, descriptions and tests of the models are in the dbt project. `translator.py` adds what Dagster needs.
One op builds all models, so that a run starts dbt once, whichever models are selected.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dbt import dbt_assets
from pydantic import Field

from gong_assets.dbt.vars import merged_vars
from gong_assets.defs.dbt.check_names import describe_checks
from gong_assets.defs.dbt.code_versions import CodeVersions
from gong_assets.defs.dbt.models import DbtModels
from gong_assets.defs.dbt.project import dbt_source_environment, prepared_project
from gong_assets.defs.dbt.step import DbtStep
from gong_assets.defs.dbt.translator import GongDbtTranslator
from gong_assets.defs.options import DEFAULT_OPTIONS, REVENUE_OPERATIONS, GraphOptions
from gong_assets.defs.resources import SnowflakeResource
from gong_assets.settings import Settings

# Keeps two runs from replacing the same tables at once. The limit of 1 is set in dagster.yaml.
DBT_POOL = "gong_dbt"


class DbtModelsConfig(dg.Config):
    """Run config of the dbt models."""

    cortex_token_budget: int | None = Field(
        default=None,
        ge=0,
        description="Tokens that this run may send to Cortex, instead of GONG_CORTEX_TOKEN_BUDGET. With 0 "
        "the run sends nothing and reports the estimated cost.",
    )


def build_dbt_assets(
    settings: Settings, partitions: dg.DailyPartitionsDefinition, options: GraphOptions = DEFAULT_OPTIONS
) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """Return the models and HubSpot's tables as assets.

    Raises:
        DbtParseError: the dbt project does not parse.
    """
    project = prepared_project(settings)
    manifest = json.loads(project.manifest_path.read_bytes())
    code_versions = CodeVersions(
        manifest, merged_vars(settings.gong_dbt_vars_file), dbt_source_environment(settings)
    )
    translator = GongDbtTranslator(settings, options, partitions, code_versions)
    models = DbtModels.of_manifest(manifest, translator)
    describe_checks(manifest)

    # Each model has its own partitions: none of the decorator's, which would be those of every model.
    @dbt_assets(
        manifest=manifest,
        project=project,
        dagster_dbt_translator=translator,
        name=options.op_name("gong_dbt_models"),
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=DBT_POOL,
    )
    def gong_dbt_models(
        context: dg.AssetExecutionContext, config: DbtModelsConfig, gong_snowflake: SnowflakeResource
    ) -> Iterator[Any]:
        budget = config.cortex_token_budget
        if budget is None:
            budget = settings.gong_cortex_token_budget
        step = DbtStep(context, settings, project, models, budget)
        yield from step.run(gong_snowflake)

    return [*_hubspot_tables(manifest, translator, options), gong_dbt_models]


def _hubspot_tables(
    manifest: Mapping[str, Any], translator: GongDbtTranslator, options: GraphOptions
) -> Iterator[dg.AssetSpec]:
    """Yield external assets for HubSpot's tables of the configured shape."""
    for unique_id, properties in manifest["sources"].items():
        if properties["source_name"] == "hubspot" and manifest["child_map"][unique_id]:
            yield dg.AssetSpec(
                translator.get_asset_key(properties),
                description=properties["description"],
                kinds={"hubspot", "snowflake"},
                metadata={"dagster/table_name": properties["relation_name"]},
                **options.asset_attributes("hubspot", owner=REVENUE_OPERATIONS),
            )
