"""Dagster's events of the models and tests that dbt ran."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DbtProject
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from gong_assets.defs.dbt.column_lineage import ColumnLineage
from gong_assets.defs.dbt.invocation import FINISHED_EVENT, DbtInvocation
from gong_assets.defs.dbt.models import DbtModels
from gong_assets.defs.dbt.test_groups import of_test
from gong_assets.defs.dbt.translator import is_partitioned
from gong_assets.security.texts import markdown_code

NO_GROUPS: Mapping[str, list[str]] = {}


class NodeEvents:
    """The events of one dbt command: dagster-dbt's, with what it does not know.

    Args:
        target_path: output directory of the command.
        groups: the tests that dbt runs as one, by the first of them.

    Attributes:
        not_passed: the tests of groups that did not pass. Which of them failed is not known.
    """

    def __init__(
        self,
        context: dg.AssetExecutionContext,
        project: DbtProject,
        models: DbtModels,
        target_path: Path,
        groups: Mapping[str, list[str]] = NO_GROUPS,
    ) -> None:
        self._context = context
        self._project = project
        self._models = models
        self._target_path = target_path
        self._lineage = ColumnLineage(project, models.manifest, models.translator)
        self._groups = groups
        self._results: dict[str, dict[str, Any]] = {}
        self.not_passed: list[str] = []

    def of_command(self, command: DbtInvocation) -> Iterator[Any]:
        """Run the command, and yield Dagster's events while dbt works."""
        for event in command.events():
            yield from self._of_event(event)

    def _of_event(self, event: dict[str, Any]) -> Iterator[Any]:
        """Yield the Dagster events of a node that ended.

        dbt reports it twice: with its status, which dagster-dbt reads, and then with the warehouse's answer.
        """
        unique_id = event["data"]["node_info"]["unique_id"]
        if event["info"]["name"] != FINISHED_EVENT:
            self._results[unique_id] = event
        elif (result := self._results.pop(unique_id, None)) is None:
            return
        elif len(self._groups.get(unique_id, ())) < 2:
            yield from self._of_node(result, event)
        elif result["data"]["status"] == "pass":
            for test in self._groups[unique_id]:
                yield from self._of_node(of_test(result, test), event)
        else:
            self.not_passed += self._groups[unique_id]

    def _of_node(self, result: dict[str, Any], finished: Mapping[str, Any]) -> Iterator[Any]:
        message = DbtCoreCliEventMessage(raw_event=result, event_history_metadata={})
        for each in message.to_default_asset_events(
            self._models.manifest,
            self._models.translator,
            self._context,
            self._target_path,
            self._project,
        ):
            if isinstance(each, dg.Output):
                each = each.with_metadata({**each.metadata, **self._metadata(result, finished)})
            elif isinstance(each, dg.AssetCheckResult) and not each.passed:
                each = each._replace(metadata={**each.metadata, **self._query(result)})
            yield each

    def _query(self, result: Mapping[str, Any]) -> dict[str, dg.MetadataValue]:
        """Return the query of a test, which finds the rows that fail it; none if dbt did not compile it."""
        node = self._models.manifest["nodes"][result["data"]["node_info"]["unique_id"]]
        file = self._target_path / "compiled" / node["package_name"] / node["original_file_path"]
        if file.suffix != ".sql":  # A generic test is in the file of its model's properties.
            file /= node["path"]
        if not file.exists():
            return {}
        return {"query": dg.MetadataValue.md(markdown_code(file.read_text("utf-8").strip(), "sql"))}

    def _metadata(self, result: Mapping[str, Any], finished: Mapping[str, Any]) -> dict[str, Any]:
        node = self._models.manifest["nodes"][result["data"]["node_info"]["unique_id"]]
        # The file has this path when the command has ended.
        compiled = self._project.target_path / "compiled" / node["package_name"] / node["original_file_path"]
        return {
            **_row_count(node, finished),
            **self._lineage.metadata(result, self._target_path),
            "compiled_sql": dg.MetadataValue.path(str(compiled)),
        }


def _row_count(node: Mapping[str, Any], finished: Mapping[str, Any]) -> dict[str, dg.MetadataValue]:
    """Return the number of rows that the model's statement wrote: of the table, or of the days of the run.

    The answer to a statement that created the table has none; see `create_table`.
    """
    answer = finished["data"]["run_result"]["adapter_response"]
    if node["config"]["materialized"] == "view" or "rows_affected" not in answer:
        return {}
    name = "run/rows_written" if is_partitioned(node) else "dagster/row_count"
    return {name: dg.MetadataValue.int(int(float(answer["rows_affected"])))}
