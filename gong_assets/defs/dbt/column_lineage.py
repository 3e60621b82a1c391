"""Column lineage of the dbt models, for the Dagster UI.

dagster-dbt derives it from the compiled SQL and from the columns of the parents, which it reads from the
warehouse in every run. The columns of our models and sources are declared, and the lineage changes with the
files of the project only. So it is derived once, without the warehouse, and stored beside the manifest.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtProject
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

_KEY = "dagster/column_lineage"


class ColumnLineage:
    """Column lineage of the models of a manifest.

    Args:
        project: the project, with the directory for one state of its files (see `prepared_project`).
    """

    def __init__(
        self, project: DbtProject, manifest: Mapping[str, Any], translator: DagsterDbtTranslator
    ) -> None:
        self._project = project
        self._directory = project.target_path / "column_lineage"
        self._manifest = manifest
        self._translator = translator

    def metadata(self, result: Mapping[str, Any], target_path: Path) -> dict[str, Any]:
        """Return the lineage of a model that was built as metadata; empty if dagster-dbt cannot derive it.

        Args:
            result: dbt's event about the model.
            target_path: output directory of the dbt command, with the compiled SQL of the model.
        """
        node = self._manifest["nodes"][result["data"]["node_info"]["unique_id"]]
        file = self._directory / f"{self._translator.get_asset_key(node).to_python_identifier()}.json"
        if file.exists():
            text = file.read_text()
        else:
            lineage = self._derive(node, result, target_path)
            text = "" if lineage is None else dg.serialize_value(lineage)
            self._directory.mkdir(exist_ok=True)
            partial = file.with_suffix(".partial")
            partial.write_text(text)
            partial.replace(file)
        if not text:
            return {}
        return {_KEY: dg.TableColumnLineageMetadataValue(dg.deserialize_value(text, dg.TableColumnLineage))}

    def _derive(
        self, node: Mapping[str, Any], result: Mapping[str, Any], target_path: Path
    ) -> dg.TableColumnLineage | None:
        nodes = {**self._manifest["nodes"], **self._manifest["sources"]}
        parents = (nodes[name] for name in node["depends_on"]["nodes"])
        columns = {
            "columns": _columns(node),
            "parents": {parent["relation_name"]: {"columns": _columns(parent)} for parent in parents},
        }
        message = DbtCoreCliEventMessage(raw_event=dict(result), event_history_metadata=columns)
        with _no_warning_without_lineage():
            for event in message.to_default_asset_events(
                self._manifest, self._translator, None, target_path, self._project
            ):
                if _KEY in event.metadata:
                    return event.metadata[_KEY].value  # type: ignore[return-value]
        return None


@contextmanager
def _no_warning_without_lineage() -> Iterator[None]:
    """Drop dagster-dbt's warning, a traceback for each model whose SQL it cannot follow."""

    def is_other(record: logging.LogRecord) -> bool:
        return "building column lineage" not in record.getMessage()

    logger = dg.get_dagster_logger()
    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)


def _columns(properties: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return the declared columns, in the form of dagster-dbt."""
    return {
        column["name"].upper(): {"data_type": column["data_type"]}
        for column in properties["columns"].values()
    }
