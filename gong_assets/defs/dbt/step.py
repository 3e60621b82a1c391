"""The step that runs dbt for the selected models: its days, its command and its failure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster_dbt import DbtProject

from gong_assets.cortex.sending import create_tables as create_cortex_tables
from gong_assets.dates import DateRange, format_ranges
from gong_assets.defs.cortex_budget import functions_of, sends_texts
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
from gong_assets.defs.dbt.test_groups import group_tests
from gong_assets.defs.failures import (
    STEP_RETRIES,
    STEP_RETRY_SECONDS,
    explain_dbt,
    fail_step,
    is_transient_dbt,
)
from gong_assets.defs.partitions import days_of_run
from gong_assets.defs.resources import SnowflakeResource, query_tag
from gong_assets.defs.transformation import Models, settled_changes
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.provisioning.objects import Layer
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse
from gong_assets.warehouse.errors import WarehouseError
from gong_assets.warehouse.pending_changes import PENDING_CHANGES_TABLE
from gong_assets.warehouse.queries import existing_tables
from gong_assets.warehouse.tables import ERASURES_TABLE, LANDINGS_TABLE, create_raw_tables

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest
    from snowflake.connector import SnowflakeConnection


@dataclass(frozen=True)
class DbtStep:
    """One attempt of the step.

    Attributes:
        models: the models and tests of the dbt project.
        graph: the same models, with the raw tables that they depend on.
    """

    context: dg.AssetExecutionContext
    settings: Settings
    project: DbtProject
    models: DbtModels
    graph: Models

    def run(self, snowflake: SnowflakeResource) -> Iterator[Any]:
        """Build the selected models and yield their events while dbt works.

        Raises:
            dagster.Failure: the warehouse or dbt failed.
            dagster.RetryRequested: the warehouse did not answer.
        """
        days = self._days()
        run_id, op = self.context.run.run_id, self.context.op_execution_context.op.name
        warehouse = snowflake.warehouse(query_tag=query_tag(run_id, op), layer=Layer.TRANSFORMER)
        target_path = self.project.target_path / INVOCATIONS / f"{run_id}-{self.context.retry_number}"
        try:
            # The run's own connection. dbt signs in by itself.
            with snowflake.get_connection() as connection:
                # dbt fails on a source or a model that does not exist.
                existing = existing_tables(connection)
                self._create_missing_sources(connection, snowflake, existing)
                postponed = self._postponed(existing)
                settled = settled_changes(
                    self.context,
                    connection,
                    self.graph,
                    days or [],
                    sends_to_cortex=sends_texts(self.context, self.settings),
                )
                with settled, environment(self._environment(warehouse, days)):
                    yield from self._run_dbt(target_path, postponed)
        except WarehouseError as error:
            fail_step(error)

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

    def _postponed(self, existing: Collection[str]) -> frozenset[dg.AssetKey]:
        """Return the selected models that read what the first transformation after a landing creates.

        That transformation builds all models that were never built. If one that was built is lost, nothing is
        postponed, and dbt fails on it.

        Args:
            existing: names of the tables and views of the schema.
        """
        selected = self.context.selected_asset_keys
        exist = {key for key, name in self.models.names.items() if name.upper() in existing}
        if not self.graph.without_parents(selected, exist):
            return frozenset()
        unbuilt = self.graph.unbuilt_in(self.context.instance)
        postponed = unbuilt & self.graph.without_parents(selected, exist | (self.graph.keys - unbuilt))
        if postponed:
            names = ", ".join(sorted(key.to_user_string() for key in postponed))
            self.context.log.warning(
                f"These models read tables that do not exist yet, and were not built: {names}. The first "
                "transformation after a landing builds them too."
            )
        return postponed

    def _environment(self, warehouse: Warehouse, days: list[DateRange] | None) -> dict[str, str]:
        return {
            **dbt_environment(warehouse.arguments),
            **dbt_source_environment(self.settings),
            # Read when a model is built, so that dbt need not parse the project again.
            "GONG_ASSETS_DAYS": "" if days is None else format_ranges(days),
            "GONG_ASSETS_QUERY_TAG": warehouse.query_tag,
        }

    def _run_dbt(self, target_path: Path, postponed: Collection[dg.AssetKey]) -> Iterator[Any]:
        remove_old_invocations(self.project.target_path)
        assets = self.context.selected_asset_keys.difference(postponed)
        selected = self.models.selected_tests(self.context)
        tests = {test: asset for test, asset in selected.items() if asset not in postponed}
        if not assets and not tests:
            return
        manifest = parsed_manifest(self.project.target_path)
        groups = group_tests(manifest, tests)
        build = self._command(manifest, assets, {first: tests[first] for first in groups}, target_path)
        events = NodeEvents(self.context, self.project, self.models, target_path, groups)
        yield from events.of_command(build)
        done = [build.result]
        if events.not_passed and not is_transient_dbt(*done):
            manifest = parsed_manifest(self.project.target_path)
            again = self._command(
                manifest, (), {test: tests[test] for test in events.not_passed}, target_path
            )
            yield from NodeEvents(self.context, self.project, self.models, target_path).of_command(again)
            done.append(again.result)
        if not all(result.success for result in done):
            failed = dg.Failure(description=explain_dbt(*done), allow_retries=False)
            if is_transient_dbt(*done):
                raise dg.RetryRequested(STEP_RETRIES, STEP_RETRY_SECONDS) from failed
            raise failed
        keep_output(self.project.target_path, target_path)

    def _command(
        self,
        manifest: Manifest,
        assets: Collection[dg.AssetKey],
        tests: Mapping[str, dg.AssetKey],
        target_path: Path,
    ) -> DbtInvocation:
        # Unit tests run in CI only: in a build they would fail the step without appearing as a check.
        command = ["build", "--exclude-resource-type", "unit_test", *self.models.selection(assets, tests)]
        command += ["--no-write-json", *command_options(self.settings, target_path)]
        return DbtInvocation(command, manifest)

    def _create_missing_sources(
        self, connection: SnowflakeConnection, snowflake: SnowflakeResource, existing: Collection[str]
    ) -> None:
        """Create the raw tables and those of Cortex that do not exist."""
        missing = [table for table in RAW_TABLES if table.name not in existing]
        if missing or not {LANDINGS_TABLE, PENDING_CHANGES_TABLE, ERASURES_TABLE} <= set(existing):
            create_raw_tables(connection, missing)
        own = snowflake.get_connection(Layer.ENRICHER) if snowflake.layers else nullcontext(connection)
        with own as owner:
            create_cortex_tables(owner, functions_of(self.settings), existing)
