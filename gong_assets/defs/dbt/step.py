"""The step that runs dbt for the selected models: its days, its command and its failure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster_dbt import DbtProject

from gong_assets.dates import DateRange, format_ranges
from gong_assets.defs.dbt.cortex_costs import CortexBatches
from gong_assets.defs.dbt.events import NodeEvents
from gong_assets.defs.dbt.invocation import DbtInvocation, environment
from gong_assets.defs.dbt.models import DbtModels
from gong_assets.defs.dbt.project import (
    INVOCATIONS,
    command_options,
    dbt_environment,
    dbt_source_environment,
    keep_output,
    parsed_manifest,
    remove_old_invocations,
)
from gong_assets.defs.failures import explain_dbt, failure
from gong_assets.defs.partitions import days_of_run
from gong_assets.defs.resources import SnowflakeResource, query_tag
from gong_assets.defs.transformation import Models, settled_changes
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse
from gong_assets.warehouse.errors import WarehouseError
from gong_assets.warehouse.pending_changes import PENDING_CHANGES_TABLE
from gong_assets.warehouse.queries import existing_tables
from gong_assets.warehouse.tables import LANDINGS_TABLE, create_raw_tables

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult
    from snowflake.connector import SnowflakeConnection

# A text that fails makes its whole batch fail. A retry sends the texts of that batch in smaller batches, and
# finally one by one: three attempts for such a text, as many for its dialogue, and one for each other text.
# See macros/cortex_sending.sql.
CORTEX_RETRIES = 20


@dataclass(frozen=True)
class DbtStep:
    """One attempt of the step.

    Attributes:
        models: the models and tests of the dbt project.
        graph: the same models, with the raw tables that they depend on.
        token_budget: tokens that the run may send to Cortex; None for the budget of the dbt project.
    """

    context: dg.AssetExecutionContext
    settings: Settings
    project: DbtProject
    models: DbtModels
    graph: Models
    token_budget: int | None

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
            # The run's own connection. dbt signs in by itself.
            with snowflake.get_connection() as connection:
                _create_missing_sources(connection)  # dbt fails on a source that does not exist.
                cortex = CortexBatches(connection, warehouse.query_tag)
                settled = settled_changes(
                    self.context, connection, self.graph, days or [], sends_to_cortex=self.token_budget != 0
                )
                with settled, environment(self._environment(warehouse, days)):
                    yield from self._run_dbt(cortex, target_path)
        except WarehouseError as error:
            raise failure(error) from error

    def _days(self) -> list[DateRange] | None:
        """Return the days of the run; None if it builds no model with days, or only runs checks."""
        partitioned = self.context.selected_asset_keys & self.graph.partitioned
        if not partitioned:
            return None
        if self.context.has_partition_key or self.context.has_partition_key_range:
            return days_of_run(self.context)
        names = ", ".join(sorted(key.to_user_string() for key in partitioned))
        raise dg.Failure(
            f"The run has no partitions, and would replace all days of {names}. Nothing was changed. "
            "Launch it with a partition or a range of partitions.",
            allow_retries=False,
        )

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

    def _run_dbt(self, cortex: CortexBatches, target_path: Path) -> Iterator[Any]:
        remove_old_invocations(self.project.target_path)
        # Unit tests run in CI only: in a build they would fail the step without appearing as a check.
        command = ["build", "--exclude-resource-type", "unit_test", *self.models.selection(self.context)]
        if self.context.retry_number:  # The previous attempt built them.
            command += ["--exclude", "path:models/staging"]
        command += ["--no-write-json", *command_options(self.settings, target_path)]
        invocation = DbtInvocation(command, parsed_manifest(self.project.target_path))
        events = NodeEvents(self.context, self.project, self.models, cortex, target_path)
        for event in invocation.events():
            yield from events.of_dbt(event)
        if not invocation.result.success:
            raise self._failure(invocation.result, cortex)
        keep_output(self.project.target_path, target_path)

    def _failure(self, result: dbtRunnerResult, cortex: CortexBatches) -> dg.Failure | dg.RetryRequested:
        """Return a retry if only Cortex models failed and Cortex left batches unanswered, else a failure."""
        explained = explain_dbt(result)
        only_cortex = failed_nodes(result) <= set(self.models.cortex.values())
        unanswered = cortex.unanswered() if only_cortex else 0
        if self.context.retry_number >= min(unanswered, CORTEX_RETRIES):
            return dg.Failure(description=explained, allow_retries=False)
        self.context.log.warning(
            f"{explained}\nCortex did not answer a batch. Its texts are sent again in smaller batches."
        )
        return dg.RetryRequested(max_retries=CORTEX_RETRIES)


def failed_nodes(result: dbtRunnerResult) -> set[str]:
    """Return the names of the models and tests that failed, without those that were skipped.

    The command itself is `dbt`, if it failed before it ran any node.
    """
    results = getattr(result.result, "results", None)
    if not results:
        return {"dbt"}
    return {str(each.node.name) for each in results if each.status in ("error", "fail")}


def _create_missing_sources(connection: SnowflakeConnection) -> None:
    """Create the raw tables that do not exist; one statement if they do."""
    existing = existing_tables(connection)
    missing = [table for table in RAW_TABLES if table.name not in existing]
    if missing or not {LANDINGS_TABLE, PENDING_CHANGES_TABLE} <= existing:
        create_raw_tables(connection, missing)
