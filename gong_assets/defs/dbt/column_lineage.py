"""Column lineage of the dbt models, which the UI of Dagster+ shows.

It follows from the compiled SQL and the declared columns, and changes with the files of the project only. So
it is derived once, without the warehouse, and stored beside the manifest. dagster-dbt would read all columns
from the warehouse in each run, and parse the SQL of a model again for each of its columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtProject
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers
from sqlglot.schema import MappingSchema

_KEY = "dagster/column_lineage"
_DIALECT = "snowflake"


class ColumnLineage:
    """Column lineage of the models of a manifest.

    Args:
        project: the project, with the directory for one state of its files (see `prepared_project`).
    """

    def __init__(
        self, project: DbtProject, manifest: Mapping[str, Any], translator: DagsterDbtTranslator
    ) -> None:
        self._directory = project.target_path / "column_lineage"
        self._nodes = {**manifest["nodes"], **manifest["sources"]}
        self._translator = translator

    def metadata(self, result: Mapping[str, Any], target_path: Path) -> dict[str, Any]:
        """Return the lineage of a model that was built as metadata; empty if it has none.

        Args:
            result: dbt's event about the model.
            target_path: output directory of the dbt command, with the compiled SQL of the model.
        """
        node = self._nodes[result["data"]["node_info"]["unique_id"]]
        file = self._directory / f"{self._translator.get_asset_key(node).to_python_identifier()}.json"
        if file.exists():
            text = file.read_text()
        else:
            compiled = target_path / "compiled" / node["package_name"] / node["original_file_path"]
            found = self.derive(node, compiled.read_text())
            text = "" if found is None else dg.serialize_value(found)
            self._directory.mkdir(exist_ok=True)
            partial = file.with_suffix(".partial")
            partial.write_text(text)
            partial.replace(file)
        if not text:
            return {}
        return {_KEY: dg.TableColumnLineageMetadataValue(dg.deserialize_value(text, dg.TableColumnLineage))}

    def derive(self, node: Mapping[str, Any], sql: str) -> dg.TableColumnLineage | None:
        """Return the parents' columns from which each column comes; None if sqlglot cannot follow the SQL."""
        depends_on = [self._nodes[name] for name in node["depends_on"]["nodes"]]
        parents = {_parts(each["relation_name"]): each for each in depends_on}
        schema = MappingSchema(dialect=_DIALECT)
        for each in (*parents.values(), node):
            table = exp.to_table(each["relation_name"], dialect=_DIALECT)
            types = {column["name"].upper(): column["data_type"] for column in each["columns"].values()}
            schema.add_table(table, types, dialect=_DIALECT)
        try:
            columns = lineage(None, sql, schema, dialect=_DIALECT, trim_selects=False)
        except SqlglotError:
            return None
        origins = _Origins()
        found = {
            column["name"].lower(): [
                dg.TableColumnDep(self._translator.get_asset_key(parents[table]), name)
                for table, name in sorted(origins.of(columns.get(column["name"].upper())))
                if table in parents
            ]
            for column in node["columns"].values()
        }
        return dg.TableColumnLineage(found) if any(found.values()) else None


class _Origins:
    """The (table, column) pairs at the ends of a lineage, whose nodes several columns share."""

    def __init__(self) -> None:
        self._known: dict[int, set[tuple[tuple[str, ...], str]]] = {}

    def of(self, node: Node | None) -> set[tuple[tuple[str, ...], str]]:
        if node is None:
            return set()
        if (known := self._known.get(id(node))) is not None:
            return known
        found = self._known[id(node)] = set()
        if node.downstream:
            found.update(*map(self.of, node.downstream))
        elif table := node.expression.find(exp.Table):
            found.add((_parts(table), exp.to_column(node.name).name.lower()))
        return found


def _parts(table: str | exp.Table) -> tuple[str, ...]:
    """Return database, schema and name, as Snowflake stores them."""
    parsed = exp.to_table(table, dialect=_DIALECT) if isinstance(table, str) else table.copy()
    return tuple(part.name for part in normalize_identifiers(parsed, dialect=_DIALECT).parts)
