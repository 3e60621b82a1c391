"""What dbt commands of the graph find in their environment."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from gong_assets.dbt_project import PROJECT_DIR, dbt_executable
from gong_assets.resources import GongDbtResource
from gong_assets.warehouse.connection import Warehouse


def test_a_dbt_command_gets_its_environment_and_leaves_none_behind(tmp_path: Path) -> None:
    os.environ.pop("SNOWFLAKE_PASSWORD", None)
    dbt = GongDbtResource(project_dir=str(PROJECT_DIR), dbt_executable=dbt_executable())
    warehouse = Warehouse({"account": "local", "password": "p", "port": 8801}, query_tag="run-1")
    project = cast(Any, SimpleNamespace(target_path=tmp_path))
    with dbt.connected(warehouse, project, {"HUBSPOT_SHAPE": "plain"}):
        found = {name: os.environ[name] for name in ("SNOWFLAKE_PASSWORD", "SNOWFLAKE_PORT", "HUBSPOT_SHAPE")}
        assert found == {"SNOWFLAKE_PASSWORD": "p", "SNOWFLAKE_PORT": "8801", "HUBSPOT_SHAPE": "plain"}
        assert os.environ["GONG_ASSETS_QUERY_TAG"] == "run-1"
        # A run without transcripts must not run tests that look at tables of transcripts.
        assert os.environ["DBT_INDIRECT_SELECTION"] == "buildable"
    assert "SNOWFLAKE_PASSWORD" not in os.environ


def test_the_version_of_dbt_is_known_without_starting_it() -> None:
    dbt = GongDbtResource(project_dir=str(PROJECT_DIR), dbt_executable=dbt_executable())
    assert dbt._cli_version.major == 1
