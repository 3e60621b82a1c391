"""Contracts and descriptions of the models, and their enforcement by dbt."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from gong_assets_tests.dbt.project import PROJECT_DIR, DbtProject
from gong_assets_tests.dbt.warehouse import KEYS, Tables, Warehouse

pytestmark = pytest.mark.xdist_group("dbt")


@pytest.fixture
def manifest(built: Tables, project: DbtProject) -> dict[str, Any]:
    assert built
    return project.manifest()


@pytest.fixture
def models(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}


def test_every_model_has_a_contract(models: dict[str, dict[str, Any]]) -> None:
    assert {name for name, model in models.items() if not model["config"]["contract"]["enforced"]} == set()


def test_the_vector_type_follows_from_the_embedding_model(tmp_path: Path, project: DbtProject) -> None:
    larger = DbtProject(tmp_path, project.environment)
    larger.succeed("parse", "--vars", '{"embedding_model": "multilingual-e5-large"}')
    columns = larger.manifest()["nodes"]["model.gong_assets.cortex_gong_call_transcripts"]["columns"]
    assert columns["transcript_embedding"]["data_type"] == "vector(float, 1024)"


def test_every_column_has_a_type_and_a_description(models: dict[str, dict[str, Any]], built: Tables) -> None:
    for name, model in models.items():
        for column in model["columns"].values():
            assert column["data_type"], (name, column["name"])
            assert column["description"].strip().endswith((".", "?", ")", '"')), (name, column["name"])
        for row in list(built.get(name, {}).values())[:1]:
            assert [column.upper() for column in model["columns"]] == list(row), name


def test_every_model_has_a_description_and_tests_of_its_key(
    models: dict[str, dict[str, Any]], manifest: dict[str, Any]
) -> None:
    assert set(models) == set(KEYS)
    tested = {
        (node["attached_node"], node["column_name"].upper(), node["test_metadata"]["name"])
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test" and node.get("attached_node") and node.get("column_name")
    }
    for name, model in models.items():
        assert model["description"], name
        assert {(model["unique_id"], KEYS[name], test) for test in ("unique", "not_null")} <= tested, name


def test_every_table_with_parts_of_calls_has_a_relationship_test(
    models: dict[str, dict[str, Any]], manifest: dict[str, Any]
) -> None:
    refers = {
        node["attached_node"]
        for node in manifest["nodes"].values()
        if node.get("column_name") == "call_id" and node["test_metadata"]["name"] == "relationships"
    }
    calls = {name for name, model in models.items() if model["path"].startswith("staging/calls/")}
    parts = calls - {"stg_gong_calls"}
    assert len(parts) == 6
    assert {models[name]["unique_id"] for name in parts} <= refers


def test_a_model_that_violates_its_contract_does_not_build(
    built: Tables, project: DbtProject, warehouse: Warehouse
) -> None:
    changed = project.work_dir / "changed"
    shutil.copytree(PROJECT_DIR, changed, ignore=shutil.ignore_patterns("target", "logs"))
    workspaces = changed / "models" / "staging" / "settings" / "stg_gong_workspaces.sql"
    workspaces.write_text(workspaces.read_text().replace("as name,", "as title,"))

    refused = DbtProject(changed, project.environment, project_dir=changed).command(
        "run", "--select", "stg_gong_workspaces"
    )

    assert refused.returncode != 0
    assert "has an enforced contract that failed" in refused.stdout
    assert warehouse.rows("stg_gong_workspaces", "WORKSPACE_ID") == built["stg_gong_workspaces"]
