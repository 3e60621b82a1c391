"""The dbt models as assets: staged tables, Cortex-enriched tables and views.

What a model is called, means and tests is in the dbt project; here is only what Dagster adds to it.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliInvocation, DbtProject, dbt_assets
from dagster_dbt.errors import DagsterDbtCliRuntimeError
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
from gong_assets.defs.failures import explain_dbt, failure
from gong_assets.defs.partitions import partition_date_range
from gong_assets.defs.resources import GongDbtResource, SnowflakeResource, query_tag
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse
from gong_assets.warehouse.errors import WarehouseError
from gong_assets.warehouse.queries import unanswered_batches
from gong_assets.warehouse.tables import create_raw_tables

# Pools keep two runs from replacing the same tables at once; the limit of 1 is set in dagster.yaml.
DBT_POOL = "dbt"

# A text that fails takes its batch with it. A retry sends those texts in smaller batches, in the end alone: three attempts for
# one such text, as many for its dialogue, and one more for each other text. See macros/cortex_sending.sql.
CORTEX_RETRIES = 20


class DailyModelsConfig(dg.Config):
    """What a run over days may be told in the launchpad."""

    cortex_token_budget: int | None = Field(
        default=None,
        ge=0,
        description="Tokens that this run may send to Cortex, instead of GONG_CORTEX_TOKEN_BUDGET; 0 sends nothing and "
        "only says what it would cost.",
    )


def build_command(days: DateRange | None) -> list[str]:
    """dbt's command line; `days` are the only ones that the partitioned models replace.

    The event-time flags, not --vars: other values of a variable make dbt parse the whole project again. Unit tests are
    run in CI: in a build they fail the step without showing as a check.
    """
    command = ["build", "--exclude-resource-type", "unit_test"]
    return command if days is None else [*command, *days.dbt_flags()]


class GongDbtTranslator(DagsterDbtTranslator):
    """Adds to each model its group (the folder it is in), freshness policy and automation condition."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._lookback_days = settings.gong_lookback_days

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetSpec:
        spec = super().get_asset_spec(manifest, unique_id, project)
        properties = self.get_resource_props(manifest, unique_id)
        if properties["resource_type"] != "model":
            return spec
        hubspot = properties["name"].startswith("stg_hubspot_")
        group = "hubspot" if hubspot else _folder(properties)
        return spec.replace_attributes(
            description=properties["description"],  # Without the SQL, which is in the repository.
            group_name=group,
            tags={**spec.tags, "layer": group},
            owners=["team:revenue-operations"],
            # As Snowflake shows it, and as the raw tables are called.
            metadata={**spec.metadata, "dagster/table_name": _table_name(properties)},
            freshness_policy=HUBSPOT_FRESHNESS if hubspot else DERIVED_FRESHNESS,
            automation_condition=self._condition(properties, hubspot=hubspot),
        )

    def _condition(
        self, properties: Mapping[str, Any], *, hubspot: bool
    ) -> dg.AutomationCondition[Any] | None:
        if hubspot:
            return None  # HubSpot's tables are filled from outside the graph: a schedule reads them.
        return follow_each_day(self._lookback_days) if _is_partitioned(properties) else follow_despite_holes()


def _table_name(properties: Mapping[str, Any]) -> str:
    return f"{properties['database']}.{properties['schema']}.{properties['alias']}".upper()


def _folder(properties: Mapping[str, Any]) -> str:
    return str(properties["fqn"][1])


def _is_partitioned(properties: Mapping[str, Any]) -> bool:
    return "partitioned" in properties["tags"]


def build_dbt_assets(
    settings: Settings, partitions: dg.DailyPartitionsDefinition
) -> tuple[DbtProject, list[dg.AssetsDefinition | dg.AssetSpec]]:
    """One definition for the models that share the raw assets' daily partitions, one for the rest; and HubSpot's tables.

    Raises:
        DbtParseError: the dbt project does not parse.
    """
    project = prepared_project(settings)
    translator = GongDbtTranslator(settings)
    manifest = json.loads(project.manifest_path.read_bytes())
    cortex_models = {
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and _folder(node) == "cortex"
    }

    @dbt_assets(
        manifest=manifest,
        project=project,
        select="tag:partitioned",
        name="dbt_daily_models",
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        dagster_dbt_translator=translator,
        pool=DBT_POOL,
    )
    def dbt_daily_models(
        context: dg.AssetExecutionContext,
        config: DailyModelsConfig,
        dbt: GongDbtResource,
        snowflake: SnowflakeResource,
    ) -> Iterator[Any]:
        budget = config.cortex_token_budget
        yield from _build(
            context,
            dbt,
            snowflake,
            partition_date_range(context.partition_time_window),
            settings.gong_cortex_token_budget if budget is None else budget,
        )

    @dbt_assets(
        manifest=manifest,
        project=project,
        exclude="tag:partitioned",
        name="dbt_models",
        dagster_dbt_translator=translator,
        pool=DBT_POOL,
    )
    def dbt_models(
        context: dg.AssetExecutionContext, dbt: GongDbtResource, snowflake: SnowflakeResource
    ) -> Iterator[Any]:
        yield from _build(context, dbt, snowflake, None)

    def _build(
        context: dg.AssetExecutionContext,
        dbt: GongDbtResource,
        snowflake: SnowflakeResource,
        days: DateRange | None,
        token_budget: int | None = None,
    ) -> Iterator[Any]:
        tag = query_tag(context.run_id, context.op_execution_context.op.name)
        warehouse = snowflake.warehouse(query_tag=tag)
        try:
            with warehouse.connect() as connection:
                create_raw_tables(connection)  # A source that was never read is empty, and no error.
        except WarehouseError as error:
            raise failure(error) from error
        environment = {
            **dbt_source_environment(settings),
            "GONG_CORTEX_TOKEN_BUDGET": "" if token_budget is None else str(token_budget),
        }
        with dbt.connected(warehouse, project, environment):
            command = build_command(days)
            if context.retry_number:  # The attempt before this one got past them.
                command += ["--exclude", "path:models/staging"]
            invocation = dbt.cli(command, context=context)
            selected = {key.to_user_string() for key in context.selected_asset_keys}
            events = ColumnLineage(project.target_path).stream(invocation, selected)
            try:
                yield from with_cortex_costs(events, cortex_models, warehouse)
            except DagsterDbtCliRuntimeError as error:
                explained = explain_dbt(str(error))
                # Each attempt left a batch without an answer, or it ended for another reason.
                unanswered = (
                    _unanswered_batches(warehouse) if failed_nodes(invocation) <= cortex_models else 0
                )
                if context.retry_number < min(unanswered, CORTEX_RETRIES):
                    context.log.warning(
                        f"{explained}\nCortex did not answer a batch: its texts are sent in smaller ones."
                    )
                    raise dg.RetryRequested(max_retries=CORTEX_RETRIES) from error
                raise dg.Failure(description=explained, allow_retries=False) from error
        keep_parse_state(project, invocation.target_path)

    return project, [*_hubspot_tables(manifest, translator), dbt_daily_models, dbt_models]


def failed_nodes(invocation: DbtCliInvocation) -> set[str]:
    """The models and tests that failed, by name; those behind them, which were skipped, are not among them."""
    if not (invocation.target_path / "run_results.json").exists():
        return {"dbt"}  # It ended before it came to any of them.
    results = invocation.get_artifact("run_results.json")["results"]
    return {result["unique_id"].split(".")[2] for result in results if result["status"] in ("error", "fail")}


def _unanswered_batches(warehouse: Warehouse) -> int:
    """How many batches Cortex did not answer of those that this run sent."""
    try:
        return int(warehouse.query(unanswered_batches(), (warehouse.query_tag,))[0]["BATCHES"])
    except WarehouseError:
        return 0  # The table is made when the first texts are sent.


def _hubspot_tables(manifest: Mapping[str, Any], translator: GongDbtTranslator) -> Iterator[dg.AssetSpec]:
    """HubSpot's own tables, of the shape that is read: nothing here makes them, and the UI should say what they are."""
    for unique_id, properties in manifest["sources"].items():
        if properties["source_name"] == "hubspot" and manifest["child_map"][unique_id]:
            yield dg.AssetSpec(
                translator.get_asset_key(properties),
                description=properties["description"],
                group_name="hubspot",
                tags={"layer": "hubspot"},
                owners=["team:revenue-operations"],
                kinds={"hubspot", "snowflake"},
                metadata={"dagster/table_name": properties["relation_name"]},
            )
