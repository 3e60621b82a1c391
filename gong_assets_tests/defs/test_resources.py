"""Resources built from the settings: the Gong API, and the environment of dbt commands."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import ValidationError

from gong_assets.defs.dbt.project import PROJECT_DIR, dbt_executable
from gong_assets.defs.dbt.resource import GongDbtResource
from gong_assets.defs.resources import GongResource
from gong_assets.gong import RefreshingAuth
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse


def test_a_dbt_command_gets_an_environment_that_is_removed_afterwards(tmp_path: Path) -> None:
    os.environ.pop("SNOWFLAKE_PASSWORD", None)
    dbt = GongDbtResource(project_dir=str(PROJECT_DIR), dbt_executable=dbt_executable())
    warehouse = Warehouse({"account": "local", "password": "p", "port": 8801}, query_tag="run-1")
    project = cast(Any, SimpleNamespace(target_path=tmp_path))
    with dbt.connected(warehouse, project, {"HUBSPOT_SHAPE": "plain"}):
        found = {name: os.environ[name] for name in ("SNOWFLAKE_PASSWORD", "SNOWFLAKE_PORT", "HUBSPOT_SHAPE")}
        assert found == {"SNOWFLAKE_PASSWORD": "p", "SNOWFLAKE_PORT": "8801", "HUBSPOT_SHAPE": "plain"}
        assert os.environ["GONG_ASSETS_QUERY_TAG"] == "run-1"
        # A run without transcripts must not run tests that read transcript tables.
        assert os.environ["DBT_INDIRECT_SELECTION"] == "buildable"
    assert "SNOWFLAKE_PASSWORD" not in os.environ


def test_the_version_of_dbt_is_read_without_starting_dbt() -> None:
    dbt = GongDbtResource(project_dir=str(PROJECT_DIR), dbt_executable=dbt_executable())
    assert dbt._cli_version.major == 1


def test_an_oauth_app_of_the_settings_stores_its_token_in_the_home(tmp_path: Path) -> None:
    variables = {"GONG_CLIENT_ID": "app", "GONG_CLIENT_SECRET": "s3cret", "GONG_REFRESH_TOKEN": "r3fresh"}
    settings = Settings(
        gong_assets_home=tmp_path, **{name.lower(): value for name, value in variables.items()}
    )
    assert not settings.uses_simulated_gong
    gong = GongResource.from_settings(settings).process_config_and_initialize()
    config = gong._config()
    assert config.auth == RefreshingAuth(
        client_id="app",
        client_secret="s3cret",
        refresh_token="r3fresh",
        token_file=tmp_path / "gong" / "oauth_token.json",
        use_customer_host=True,
    )
    # Gong returns the company's host with each token. A base URL takes precedence.
    regional = settings.model_copy(update={"gong_base_url": "https://us-12345.api.gong.io"})
    config = GongResource.from_settings(regional).process_config_and_initialize()._config()
    assert config.base_url == "https://us-12345.api.gong.io"
    assert isinstance(config.auth, RefreshingAuth)
    assert not config.auth.use_customer_host
    assert "s3cret" not in repr(config)
    assert "r3fresh" not in repr(config)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"gong_client_id": "app"}, "set all three or none"),
        (
            {
                "gong_access_token": "t",
                "gong_client_id": "app",
                "gong_client_secret": "s",
                "gong_refresh_token": "r",
            },
            "GONG_ACCESS_TOKEN and GONG_CLIENT_ID: set only one way to sign in",
        ),
    ],
)
def test_incomplete_or_conflicting_sign_ins_are_rejected(variables: dict[str, str], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Settings(**variables)  # type: ignore[arg-type]
