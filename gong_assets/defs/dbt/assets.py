"""The dbt models as assets: staged tables, Cortex tables and views.

Names, descriptions and tests of the models are in the dbt project. `translator.py` adds what Dagster needs.
One op builds the staged models and another one all others, because the texts are sent to Cortex in between.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DbtProject, dbt_assets

from gong_assets.defs.dbt.check_names import describe_checks
from gong_assets.defs.dbt.code_versions import CodeVersions
from gong_assets.defs.dbt.models import DbtModels
from gong_assets.defs.dbt.project import dbt_source_environment, prepared_project
from gong_assets.defs.dbt.step import DbtStep
from gong_assets.defs.dbt.translator import GongDbtTranslator
from gong_assets.defs.options import DEFAULT_OPTIONS, REVENUE_OPERATIONS, GraphOptions
from gong_assets.defs.resources import SnowflakeResource
from gong_assets.defs.transformation import Models
from gong_assets.settings import Settings
from gong_assets.settings.dbt_vars import merged_vars

# A test of a model that is excluded by its parent would not be a check, so nothing is excluded.
STAGING = "path:models/staging"
OTHERS = "path:models/cortex path:models/enriched path:models/monitoring"

# Keeps two runs from replacing the same tables at once. The limit of 1 is set in dagster.yaml.
DBT_POOL = "gong_dbt"


def build_dbt_assets(
    settings: Settings, partitions: dg.DailyPartitionsDefinition, options: GraphOptions = DEFAULT_OPTIONS
) -> tuple[DbtProject, Models, list[dg.AssetsDefinition | dg.AssetSpec]]:
    """Return the project, its models, and these and HubSpot's tables as assets.

    Raises:
        DbtParseError: the dbt project does not parse.
    """
    project = prepared_project(settings)
    manifest = json.loads(project.manifest_path.read_bytes())
    code_versions = CodeVersions(
        manifest, merged_vars(settings.gong_dbt_vars_file), dbt_source_environment(settings)
    )
    translator = GongDbtTranslator(settings, options, partitions, code_versions)
    models = Models.from_manifest(manifest, lambda node: translator.get_asset_spec(manifest, node, project))
    dbt_models = DbtModels.of_manifest(manifest, translator)
    describe_checks(manifest)

    def op(name: str, select: str) -> dg.AssetsDefinition:
        # Each model has its own partitions: none of the decorator's, which would be those of every model.
        @dbt_assets(
            manifest=manifest,
            project=project,
            dagster_dbt_translator=translator,
            name=options.op_name(name),
            backfill_policy=dg.BackfillPolicy.single_run(),
            pool=DBT_POOL,
            select=select,
        )
        def build_models(
            context: dg.AssetExecutionContext, gong_snowflake: SnowflakeResource
        ) -> Iterator[Any]:
            yield from DbtStep(context, settings, project, dbt_models, models).run(gong_snowflake)

        return build_models

    ops = [op("gong_dbt_staging", STAGING), op("gong_dbt_models", OTHERS)]
    return project, models, [*_hubspot_tables(manifest, translator, options), *ops]


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
