"""The step that runs dbt for the selected models: its command, its events and its failure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster_dbt import DbtProject
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from gong_assets.dates import DateRange, format_ranges
from gong_assets.defs.dbt.check_names import dbt_test_names
from gong_assets.defs.dbt.column_lineage import ColumnLineage
from gong_assets.defs.dbt.cortex_costs import cost_metadata
from gong_assets.defs.dbt.invocation import FINISHED_EVENT, DbtInvocation, environment
from gong_assets.defs.dbt.project import (
    INVOCATIONS,
    command_options,
    dbt_environment,
    dbt_source_environment,
    keep_output,
    remove_old_invocations,
)
from gong_assets.defs.dbt.translator import GongDbtTranslator, folder, is_partitioned
from gong_assets.defs.failures import explain_dbt, failure
from gong_assets.defs.partitions import days_of_run
from gong_assets.defs.resources import SnowflakeResource, query_tag
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse, fetch
from gong_assets.warehouse.errors import WarehouseError
from gong_assets.warehouse.queries import cortex_batches, table_names, unanswered_batches
from gong_assets.warehouse.tables import create_raw_tables

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

# A text that fails makes its whole batch fail. A retry sends the texts of that batch in smaller batches, and
# finally one by one: three attempts for such a text, as many for its dialogue, and one for each other text.
# See macros/cortex_sending.sql.
CORTEX_RETRIES = 20


@dataclass(frozen=True)
class DbtModels:
    """The models and tests of the project, by the names that Dagster has for them.

    Attributes:
        manifest: dbt's manifest, in which checks have their short names.
        names: dbt's name of each model, by asset key.
        partitioned: asset keys of the models that are rebuilt by day.
        cortex: names of the models that send texts to Cortex, by asset key.
        tests: dbt's name of each test, by its unique ID.
    """

    manifest: Mapping[str, Any]
    translator: GongDbtTranslator
    names: Mapping[dg.AssetKey, str]
    partitioned: frozenset[dg.AssetKey]
    cortex: Mapping[dg.AssetKey, str]
    tests: Mapping[str, str]

    @classmethod
    def of_manifest(cls, manifest: Mapping[str, Any], translator: GongDbtTranslator) -> DbtModels:
        models = {
            translator.get_asset_key(node): node
            for node in manifest["nodes"].values()
            if node["resource_type"] == "model"
        }
        return cls(
            manifest,
            translator,
            names={key: node["name"] for key, node in models.items()},
            partitioned=frozenset(key for key, node in models.items() if is_partitioned(node)),
            cortex={key: node["name"] for key, node in models.items() if folder(node) == "cortex"},
            tests=dbt_test_names(manifest),
        )

    def selection(self, context: dg.AssetExecutionContext) -> list[str]:
        """Return dbt's arguments for the selected models, their selected checks, and other selected checks."""
        of_check = {
            spec.key: self.tests[spec.metadata["dagster_dbt/unique_id"]]
            for spec in context.assets_def.node_check_specs_by_output_name.values()
        }
        assets, checks = context.selected_asset_keys, context.selected_asset_check_keys
        selected = [self.names[key] for key in assets]
        selected += [of_check[key] for key in checks if key.asset_key not in assets]
        excluded = [name for key, name in of_check.items() if key.asset_key in assets and key not in checks]
        # Run a test of two models only if both are built or exist. The default of dbt fails on tables that
        # do not exist yet.
        arguments = ["--indirect-selection", "buildable" if assets else "empty"]
        if len(assets) < len(self.names):
            arguments += ["--select", *sorted(selected)]
        return [*arguments, "--exclude", *sorted(excluded)] if excluded else arguments


@dataclass
class DbtStep:
    """One attempt of the step.

    Attributes:
        token_budget: tokens that the run may send to Cortex; None for the budget of the dbt project.
    """

    context: dg.AssetExecutionContext
    settings: Settings
    project: DbtProject
    models: DbtModels
    token_budget: int | None
    _results: dict[str, dict[str, Any]] = field(default_factory=dict, init=False)

    def run(self, snowflake: SnowflakeResource) -> Iterator[Any]:
        """Build the selected models and yield their events while dbt works.

        Raises:
            dagster.Failure: the warehouse or dbt failed.
            dagster.RetryRequested: Cortex did not answer a batch, which is sent again in smaller batches.
        """
        days = self._days()
        run_id, op = self.context.run.run_id, self.context.op_execution_context.op.name
        warehouse = snowflake.warehouse(query_tag=query_tag(run_id, op))
        target_path = self.project.target_path / INVOCATIONS / f"{run_id}-{self.context.retry_number}"
        try:
            with warehouse.connect() as connection:
                _create_missing_sources(connection)  # dbt fails on a source that does not exist.
                with environment(self._environment(warehouse, days)):
                    yield from self._run_dbt(connection, warehouse, target_path)
        except WarehouseError as error:
            raise failure(error) from error

    def _days(self) -> list[DateRange] | None:
        """Return the days of the run; None if it has no partitions, as for views, or a check of all days."""
        if self.context.has_partition_key or self.context.has_partition_key_range:
            return days_of_run(self.context)
        if days := self.context.selected_asset_keys & self.models.partitioned:
            names = ", ".join(sorted(key.to_user_string() for key in days))
            raise dg.Failure(
                f"The run has no partitions, and would replace all days of {names}. Nothing was changed. "
                "Launch it with a partition or a range of partitions.",
                allow_retries=False,
            )
        return None

    def _environment(self, warehouse: Warehouse, days: list[DateRange] | None) -> dict[str, str]:
        budget = self.token_budget
        return {
            **dbt_environment(warehouse.arguments),
            **dbt_source_environment(self.settings),
            "GONG_CORTEX_TOKEN_BUDGET": "" if budget is None else str(budget),
            # Read when a model is built, so that dbt need not parse the project again.
            "GONG_ASSETS_DAYS": "" if days is None else format_ranges(days),
            "GONG_ASSETS_QUERY_TAG": warehouse.query_tag,
        }

    def _run_dbt(
        self, connection: SnowflakeConnection, warehouse: Warehouse, target_path: Path
    ) -> Iterator[Any]:
        # Unit tests run in CI only: in a build they would fail the step without appearing as a check.
        command = ["build", "--exclude-resource-type", "unit_test", *self.models.selection(self.context)]
        if self.context.retry_number:  # The previous attempt built them.
            command += ["--exclude", "path:models/staging"]
        options = command_options(self.settings, self.project.target_path, target_path)
        invocation = DbtInvocation([*command, "--no-write-json", *options])
        lineage = ColumnLineage(self.project, self.models.manifest, self.models.translator)
        for event in invocation.events():
            unique_id = event["data"]["node_info"]["unique_id"]
            if event["info"]["name"] != FINISHED_EVENT:
                self._results[unique_id] = event
            elif result := self._results.pop(unique_id, None):
                yield from self._dagster_events(result, event, lineage, target_path, connection, warehouse)
        assert invocation.result is not None
        if not invocation.result.success:
            remove_old_invocations(self.project.target_path)
            raise self._failure(invocation, connection, warehouse)
        keep_output(self.project.target_path, target_path)

    def _dagster_events(
        self,
        result: Mapping[str, Any],
        finished: Mapping[str, Any],
        lineage: ColumnLineage,
        target_path: Path,
        connection: SnowflakeConnection,
        warehouse: Warehouse,
    ) -> Iterator[Any]:
        """Yield the Dagster events of a node: dagster-dbt's, with what it does not know."""
        node = self.models.manifest["nodes"][result["data"]["node_info"]["unique_id"]]
        message = DbtCoreCliEventMessage(raw_event=dict(result), event_history_metadata={})
        for event in message.to_default_asset_events(
            self.models.manifest, self.models.translator, self.context, target_path, self.project
        ):
            if isinstance(event, dg.Output):
                key = self.models.translator.get_asset_key(node)
                metadata = {
                    **event.metadata,
                    **_row_count(node, finished),
                    **lineage.metadata(result, target_path),
                    "compiled_sql": dg.MetadataValue.path(str(compiled_path(self.project.target_path, node))),
                }
                if name := self.models.cortex.get(key):
                    batches = fetch(connection, cortex_batches(), (warehouse.query_tag, name))
                    metadata |= cost_metadata(batches)
                event = event.with_metadata(metadata)
            yield event

    def _failure(
        self, invocation: DbtInvocation, connection: SnowflakeConnection, warehouse: Warehouse
    ) -> dg.Failure | dg.RetryRequested:
        """Return a retry if only Cortex models failed and Cortex left batches unanswered, else a failure."""
        explained = explain_dbt(invocation.result)
        only_cortex = failed_nodes(invocation.result) <= set(self.models.cortex.values())
        unanswered = _unanswered_batches(connection, warehouse) if only_cortex else 0
        if self.context.retry_number >= min(unanswered, CORTEX_RETRIES):
            return dg.Failure(description=explained, allow_retries=False)
        self.context.log.warning(
            f"{explained}\nCortex did not answer a batch. Its texts are sent again in smaller batches."
        )
        return dg.RetryRequested(max_retries=CORTEX_RETRIES)


def compiled_path(target_path: Path, node: Mapping[str, Any]) -> Path:
    """Return the file that dbt writes the compiled SQL of a model to."""
    return target_path / "compiled" / node["package_name"] / node["original_file_path"]


def failed_nodes(result: Any) -> set[str]:
    """Return the names of the models and tests that failed, without those that were skipped.

    The command itself is `dbt`, if it failed before it ran any node.
    """
    results = getattr(result.result, "results", None)
    if not results:
        return {"dbt"}
    return {str(each.node.name) for each in results if each.status in ("error", "fail")}


def _row_count(node: Mapping[str, Any], finished: Mapping[str, Any]) -> dict[str, dg.MetadataValue]:
    """Return the number of rows that the model's statement wrote: of the table, or of the days of the run."""
    answer = finished["data"]["run_result"]["adapter_response"]
    if node["config"]["materialized"] == "view" or "rows_affected" not in answer:
        return {}
    name = "gong_assets/rows_written" if is_partitioned(node) else "dagster/row_count"
    return {name: dg.MetadataValue.int(int(float(answer["rows_affected"])))}


def _create_missing_sources(connection: SnowflakeConnection) -> None:
    """Create the raw tables that do not exist; one statement if they do."""
    existing = {row["TABLE_NAME"] for row in fetch(connection, table_names())}
    missing = [table for table in RAW_TABLES if table.name not in existing]
    if missing:
        create_raw_tables(connection, missing)


def _unanswered_batches(connection: SnowflakeConnection, warehouse: Warehouse) -> int:
    """Return the number of batches of this run that Cortex did not answer."""
    from snowflake.connector.errors import ProgrammingError

    try:
        return int(fetch(connection, unanswered_batches(), (warehouse.query_tag,))[0]["BATCHES"])
    except ProgrammingError:
        return 0  # The table does not exist until the first texts are sent.
