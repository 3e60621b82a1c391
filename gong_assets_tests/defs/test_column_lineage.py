"""Column lineage of the models, from SQL as dbt compiles it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import pytest
from dagster_dbt import DagsterDbtTranslator, DbtProject

from gong_assets.defs.dbt.column_lineage import ColumnLineage

PLACE = "sales.gong"


def node(name: str, columns: tuple[str, ...], *parents: str) -> dict[str, Any]:
    return {
        "name": name,
        "resource_type": "model",
        "package_name": "gong_assets",
        "original_file_path": f"models/{name}.sql",
        "relation_name": f"{PLACE}.{name}",
        "columns": {column: {"name": column, "data_type": "varchar"} for column in columns},
        "depends_on": {"nodes": list(parents)},
    }


NODES = {
    "calls": node("calls", ("call_id", "title", "owner_id")),
    "users": node("users", ("user_id", "name")),
    "view": node("view", ("call_id", "label", "owner", "version"), "calls", "users"),
}


class Translator(DagsterDbtTranslator):
    def get_asset_key(self, dbt_resource_props: Any) -> dg.AssetKey:
        return dg.AssetKey(dbt_resource_props["name"])


@pytest.fixture
def lineage(tmp_path: Path) -> ColumnLineage:
    project = cast("DbtProject", SimpleNamespace(target_path=tmp_path))
    return ColumnLineage(project, {"nodes": NODES, "sources": {}}, Translator())


def deps(found: dg.TableColumnLineage | None) -> dict[str, list[str]]:
    assert found is not None
    return {
        column: [f"{dep.asset_key.to_user_string()}.{dep.column_name}" for dep in each]
        for column, each in found.deps_by_column.items()
    }


@pytest.mark.parametrize(
    "sql",
    [
        f"select c.call_id, c.title || u.name as label, u.name as owner, 1 as version from {PLACE}.calls c "
        f"left join {PLACE}.users u on c.owner_id = u.user_id",
        f"with c as (select * from {PLACE.upper()}.CALLS), "
        f"u as (select user_id, name as n from {PLACE}.users), "
        "both as (select c.call_id, title || n as label, n as owner from c join u on owner_id = user_id) "
        "select *, 1 as version from both",
        f"select call_id, title || (select max(name) from {PLACE}.users) as label, "
        f"(select max(name) from {PLACE}.users) as owner, 1 as version from {PLACE}.calls "
        f"union all select call_id, title, null, 2 from {PLACE}.calls",
    ],
    ids=["join", "common table expressions", "subqueries and union"],
)
def test_each_column_has_the_columns_that_it_comes_from(lineage: ColumnLineage, sql: str) -> None:
    assert deps(lineage.derive(NODES["view"], sql)) == {
        "call_id": ["calls.call_id"],
        "label": ["calls.title", "users.name"],
        "owner": ["users.name"],
        "version": [],
    }


@pytest.mark.parametrize("sql", ["select 1 as call_id", "this is not SQL (", "drop table calls"])
def test_a_model_without_parents_in_its_sql_has_no_lineage(lineage: ColumnLineage, sql: str) -> None:
    assert lineage.derive(NODES["view"], sql) is None


def test_it_is_derived_once_for_a_state_of_the_files(lineage: ColumnLineage, tmp_path: Path) -> None:
    compiled = tmp_path / "compiled/gong_assets/models/view.sql"
    compiled.parent.mkdir(parents=True)
    compiled.write_text(f"select call_id from {PLACE}.calls")
    NODES["view"]["unique_id"] = "view"
    event = {"data": {"node_info": {"unique_id": "view"}}}

    first = lineage.metadata(event, tmp_path)
    compiled.unlink()

    assert lineage.metadata(event, tmp_path) == first
    assert deps(first["dagster/column_lineage"].value)["call_id"] == ["calls.call_id"]
