"""The dbt models as assets: staged tables, Cortex tables and views.

Names, descriptions and tests of the models are in the dbt project. This module adds what Dagster needs:
groups, partitions, freshness policies and automation conditions.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster_dbt import (
    DagsterDbtCliRuntimeError,
    DagsterDbtTranslator,
    DbtCliInvocation,
    DbtProject,
    dbt_assets,
)
from pydantic import Field

from gong_assets.dates import DateRange
from gong_assets.defs.automation import (
    DERIVED_FRESHNESS,
    HUBSPOT_FRESHNESS,
    follow_despite_holes,
    follow_each_day,
)
from gong_assets.defs.dbt.column_lineage import ColumnLineage
from gong_assets.defs.dbt.cortex_costs import with_cortex_costs
from gong_assets.defs.dbt.project import dbt_source_environment, keep_parse_state, prepared_project
from gong_assets.defs.dbt.resource import GongDbtResource
from gong_assets.defs.failures import explain_dbt, failure
from gong_assets.defs.options import DEFAULT_OPTIONS, REVENUE_OPERATIONS, GraphOptions
from gong_assets.defs.partitions import partition_date_range
from gong_assets.defs.resources import SnowflakeResource, query_tag
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse
from gong_assets.warehouse.errors import WarehouseError
from gong_assets.warehouse.queries import unanswered_batches
from gong_assets.warehouse.tables import create_raw_tables

# Keeps two runs from replacing the same tables at once. The limit of 1 is set in dagster.yaml.
DBT_POOL = "gong_dbt"

# A text that fails makes its whole batch fail. A retry sends the texts of that batch in smaller batches, and
# finally one by one: three attempts for such a text, as many for its dialogue, and one for each other text.
# See macros/cortex_sending.sql.
CORTEX_RETRIES = 20


class DailyModelsConfig(dg.Config):
    """Run config of the partitioned models."""

    cortex_token_budget: int | None = Field(
        default=None,
        ge=0,
        description="Tokens that this run may send to Cortex, instead of GONG_CORTEX_TOKEN_BUDGET. With 0 "
        "the run sends nothing and reports the estimated cost.",
    )


def build_command(days: DateRange | None) -> list[str]:
    """Return the dbt command. The partitioned models replace `days` only.

    The days are event-time flags and not --vars, because dbt parses the whole project again when a variable
    changes. Unit tests run in CI only: in a build they would fail the step without appearing as a check.
    """
    command = ["build", "--exclude-resource-type", "unit_test"]
    return command if days is None else [*command, *days.dbt_flags()]


class GongDbtTranslator(DagsterDbtTranslator):
    """Translator that adds key prefix, group (the folder), freshness policy and automation condition."""

    def __init__(self, settings: Settings, options: GraphOptions) -> None:
        super().__init__()
        self._lookback_days = settings.gong_lookback_days
        self._options = options

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        key = super().get_asset_key(dbt_resource_props)
        return dg.AssetKey([*self._options.prefix_parts, *key.path])

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetSpec:
        spec = super().get_asset_spec(manifest, unique_id, project)
        properties = self.get_resource_props(manifest, unique_id)
        if properties["resource_type"] != "model":
            return spec
        hubspot = properties["name"].startswith("stg_hubspot_")
        layer: Any = "hubspot" if hubspot else _folder(properties)
        attributes = self._options.asset_attributes(layer, owner=REVENUE_OPERATIONS)
        return spec.replace_attributes(
            description=properties["description"],  # dagster-dbt appends the SQL, which is in the repository.
            group_name=attributes["group_name"],
            tags={**spec.tags, **attributes["tags"]},
            owners=attributes["owners"],
            # In upper case, as Snowflake shows it.
            metadata={**spec.metadata, "dagster/table_name": _table_name(properties)},
            freshness_policy=HUBSPOT_FRESHNESS if hubspot else DERIVED_FRESHNESS,
            automation_condition=self._condition(properties, hubspot=hubspot),
        )

    def _condition(
        self, properties: Mapping[str, Any], *, hubspot: bool
    ) -> dg.AutomationCondition[Any] | None:
        if hubspot:
            return None  # HubSpot's tables change outside the graph, so a schedule rebuilds these models.
        return follow_each_day(self._lookback_days) if _is_partitioned(properties) else follow_despite_holes()


def _table_name(properties: Mapping[str, Any]) -> str:
    return f"{properties['database']}.{properties['schema']}.{properties['alias']}".upper()


def _folder(properties: Mapping[str, Any]) -> str:
    return str(properties["fqn"][1])


def _is_partitioned(properties: Mapping[str, Any]) -> bool:
    return "partitioned" in properties["tags"]


@dataclass(frozen=True)
class ModelRunner:
    """Runs dbt for the selected models of a step.

    Attributes:
        cortex_models: names of the models that send texts to Cortex, by output name.
    """

    settings: Settings
    project: DbtProject
    cortex_models: Mapping[str, str]

    def run(
        self,
        context: dg.AssetExecutionContext,
        dbt: GongDbtResource,
        snowflake: SnowflakeResource,
        days: DateRange | None = None,
        token_budget: int | None = None,
    ) -> Iterator[Any]:
        """Build the selected models, for `days` if they are partitioned, and yield their events.

        Raises:
            dagster.Failure: the warehouse or dbt failed.
        """
        tag = query_tag(context.run.run_id, context.op_execution_context.op.name)
        warehouse = snowflake.warehouse(query_tag=tag)
        try:
            with warehouse.connect() as connection:
                create_raw_tables(connection, RAW_TABLES)  # dbt fails on a source that does not exist.
        except WarehouseError as error:
            raise failure(error) from error
        environment = {
            **dbt_source_environment(self.settings),
            "GONG_CORTEX_TOKEN_BUDGET": "" if token_budget is None else str(token_budget),
        }
        command = build_command(days)
        if context.retry_number:  # The previous attempt built them.
            command += ["--exclude", "path:models/staging"]
        with dbt.connected(warehouse, self.project, environment):
            invocation = dbt.cli(command, context=context)
            lineage = ColumnLineage(self.project.target_path)
            events = lineage.stream(invocation, context.selected_asset_keys)
            try:
                yield from with_cortex_costs(events, self.cortex_models, warehouse)
            except DagsterDbtCliRuntimeError as error:
                raise self._failure(context, error, invocation, warehouse) from error
        keep_parse_state(self.project, invocation.target_path)

    def _failure(
        self,
        context: dg.AssetExecutionContext,
        error: DagsterDbtCliRuntimeError,
        invocation: DbtCliInvocation,
        warehouse: Warehouse,
    ) -> dg.Failure | dg.RetryRequested:
        """Return a retry if only Cortex models failed and Cortex left batches unanswered, else a failure."""
        explained = explain_dbt(str(error))
        only_cortex = failed_nodes(invocation) <= set(self.cortex_models.values())
        unanswered = _unanswered_batches(warehouse) if only_cortex else 0
        if context.retry_number >= min(unanswered, CORTEX_RETRIES):
            return dg.Failure(description=explained, allow_retries=False)
        context.log.warning(
            f"{explained}\nCortex did not answer a batch. Its texts are sent again in smaller batches."
        )
        return dg.RetryRequested(max_retries=CORTEX_RETRIES)


def build_dbt_assets(
    settings: Settings, partitions: dg.DailyPartitionsDefinition, options: GraphOptions = DEFAULT_OPTIONS
) -> tuple[DbtProject, list[dg.AssetsDefinition | dg.AssetSpec]]:
    """Return the project, and its models and HubSpot's tables as assets.

    Raises:
        DbtParseError: the dbt project does not parse.
    """
    project = prepared_project(settings)
    translator = GongDbtTranslator(settings, options)
    manifest = json.loads(project.manifest_path.read_bytes())
    cortex_models = {
        translator.get_asset_key(node).to_python_identifier(): node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and _folder(node) == "cortex"
    }
    runner = ModelRunner(settings, project, cortex_models)
    common: dict[str, Any] = {
        "manifest": manifest,
        "project": project,
        "dagster_dbt_translator": translator,
        "pool": DBT_POOL,
    }
    return project, [
        *_hubspot_tables(manifest, translator, options),
        _daily_models(runner, options, partitions, common),
        _other_models(runner, options, common),
    ]


def _daily_models(
    runner: ModelRunner,
    options: GraphOptions,
    partitions: dg.DailyPartitionsDefinition,
    common: dict[str, Any],
) -> dg.AssetsDefinition:
    """Return the models that share the daily partitions of the raw assets."""

    @dbt_assets(
        select="tag:partitioned",
        name=options.op_name("gong_dbt_daily_models"),
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        **common,
    )
    def daily_models(
        context: dg.AssetExecutionContext,
        config: DailyModelsConfig,
        gong_dbt: GongDbtResource,
        gong_snowflake: SnowflakeResource,
    ) -> Iterator[Any]:
        days = partition_date_range(context.partition_time_window)
        budget = config.cortex_token_budget
        if budget is None:
            budget = runner.settings.gong_cortex_token_budget
        yield from runner.run(context, gong_dbt, gong_snowflake, days, budget)

    return daily_models


def _other_models(runner: ModelRunner, options: GraphOptions, common: dict[str, Any]) -> dg.AssetsDefinition:
    @dbt_assets(exclude="tag:partitioned", name=options.op_name("gong_dbt_models"), **common)
    def other_models(
        context: dg.AssetExecutionContext, gong_dbt: GongDbtResource, gong_snowflake: SnowflakeResource
    ) -> Iterator[Any]:
        yield from runner.run(context, gong_dbt, gong_snowflake)

    return other_models


def failed_nodes(invocation: DbtCliInvocation) -> set[str]:
    """Return the names of the models and tests that failed, without those that were skipped."""
    if not (invocation.target_path / "run_results.json").exists():
        return {"dbt"}  # The command failed before it ran any node.
    results = invocation.get_artifact("run_results.json")["results"]
    return {result["unique_id"].split(".")[2] for result in results if result["status"] in ("error", "fail")}


def _unanswered_batches(warehouse: Warehouse) -> int:
    """Return the number of batches of this run that Cortex did not answer."""
    try:
        return int(warehouse.query(unanswered_batches(), (warehouse.query_tag,))[0]["BATCHES"])
    except WarehouseError:
        return 0  # The table does not exist until the first texts are sent.


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
