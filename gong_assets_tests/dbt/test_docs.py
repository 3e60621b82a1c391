"""dbt documentation: one page with every model, its columns, and their catalog from the warehouse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gong_assets.defs.dbt.project import DbtDocsError, write_docs
from gong_assets.settings import Settings
from gong_assets_tests.dbt.project import DbtProject
from gong_assets_tests.dbt.warehouse import Tables, Warehouse

pytestmark = [pytest.mark.extended, pytest.mark.slow, pytest.mark.xdist_group("dbt")]


def arguments(port: int) -> dict[str, Any]:
    sign_in = dict.fromkeys(("account", "user", "password"), "local")
    return {**sign_in, "host": "127.0.0.1", "port": port, "protocol": "http"}


@pytest.fixture(scope="module")
def page(built: Tables, warehouse_port: int, tmp_path_factory: pytest.TempPathFactory) -> str:
    home = tmp_path_factory.mktemp("docs")
    directory = home / "not" / "there yet"
    written = write_docs(Settings(gong_assets_home=home), directory, arguments=arguments(warehouse_port))
    assert written == (directory / "index.html").resolve()
    assert [file.name for file in directory.iterdir()] == ["index.html"]
    return written.read_text("utf-8")


def document(page: str, name: str) -> dict[str, Any]:
    """Return the manifest or the catalog, which is JSON in the page's script."""
    start = page.index(f'{name}:{{"metadata"') + len(name) + 1
    found: dict[str, Any] = json.JSONDecoder().raw_decode(page, start)[0]
    return found


def models(manifest: dict[str, Any]) -> dict[str, Any]:
    return {name: node for name, node in manifest["nodes"].items() if node["resource_type"] == "model"}


def test_the_page_describes_every_model_and_column(page: str, project: DbtProject) -> None:
    documented = models(document(page, "manifest"))
    assert documented.keys() == models(project.manifest()).keys()
    for name, model in documented.items():
        assert model["description"], name
        assert model["columns"], name
        assert all(column["description"] for column in model["columns"].values()), name


def test_the_catalog_has_the_columns_of_every_table_and_view(
    page: str,
) -> None:
    catalog, documented = document(page, "catalog"), models(document(page, "manifest"))
    assert not catalog["errors"]
    assert documented.keys() <= catalog["nodes"].keys()
    for name, model in documented.items():
        built = catalog["nodes"][name]
        assert (built["metadata"]["type"] == "VIEW") == (model["config"]["materialized"] == "view"), name
        assert {column.upper() for column in model["columns"]} == built["columns"].keys(), name
        assert all(column["type"] for column in built["columns"].values()), name
    raw = catalog["sources"]["source.gong_assets.gong.gong_calls_raw"]
    assert raw["columns"]["RAW_DATA"]["type"] == "VARIANT"


def test_the_catalog_has_row_counts_but_no_modification_times(page: str, warehouse: Warehouse) -> None:
    # A table that is always rebuilt, because the local server counts deleted rows until its next checkpoint.
    stats = document(page, "catalog")["nodes"]["model.gong_assets.stg_gong_users"]["stats"]
    assert stats["row_count"]["value"] == len(warehouse.rows("stg_gong_users", "USER_ID"))
    assert "last_modified" not in {name for name, stat in stats.items() if stat["include"]}


def test_the_page_sends_no_usage_statistics(page: str) -> None:
    assert document(page, "manifest")["metadata"]["send_anonymous_usage_stats"] is False


def test_the_error_contains_the_output_of_dbt(tmp_path: Path) -> None:
    nobody = arguments(port=1)
    with pytest.raises(DbtDocsError, match="dbt docs failed"):
        write_docs(Settings(gong_assets_home=tmp_path), tmp_path / "docs", arguments=nobody)
    assert not (tmp_path / "docs").exists()
