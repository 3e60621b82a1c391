"""The graph with a `dagster_snowflake.SnowflakeResource`, and without importing that package."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives import serialization

from gong_assets.defs.build import build_defs
from gong_assets.defs.dbt.project import dbt_environment
from gong_assets.defs.options import GraphOptions
from gong_assets.defs.resources import snowflake_of
from gong_assets.local import stack
from gong_assets.settings import Settings, load_settings
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.private_keys import pem

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("definitions")]

SETTINGS = Settings(snowflake_database="SALES", snowflake_schema="GONG")
PLACE = {"database": "SALES", "schema": "GONG"}


def resource(**values: Any) -> Any:
    from dagster_snowflake import SnowflakeResource

    return SnowflakeResource(account="org-account", user="loader", **values).process_config_and_initialize()


def arguments(**values: Any) -> dict[str, Any]:
    """Return the arguments with which the graph connects."""
    return snowflake_of(resource(**values), SETTINGS).warehouse().arguments


def test_a_password_role_and_warehouse_are_used_with_the_database_of_the_settings() -> None:
    found = arguments(password="pw", role="LOADER", warehouse="WH", database="OTHER", schema="OTHER")
    expected = {"account": "org-account", "user": "loader", "password": "pw", "role": "LOADER"}
    assert found == {**expected, "warehouse": "WH", **PLACE}


def test_an_environment_variable_is_read_in_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWFLAKE_LOADER_PASSWORD", "from the environment")
    assert arguments(password=dg.EnvVar("SNOWFLAKE_LOADER_PASSWORD"))["password"] == "from the environment"


@pytest.mark.parametrize("passphrase", [None, "secret"])
def test_a_private_key_signs_in_both_the_graph_and_dbt(passphrase: str | None) -> None:
    key = pem(passphrase)
    found = arguments(private_key=key, private_key_password=passphrase)
    serialization.load_der_private_key(found["private_key"], None)
    assert dbt_environment(found)["SNOWFLAKE_PRIVATE_KEY"]


def test_a_private_key_file_signs_in_both_the_graph_and_dbt(tmp_path: Path) -> None:
    file = tmp_path / "key.p8"
    file.write_text(pem("secret"))
    found = arguments(private_key_path=str(file), private_key_password="secret")
    assert (found["private_key_file"], found["private_key_file_pwd"]) == (str(file), "secret")
    environment = dbt_environment(found)
    assert environment["SNOWFLAKE_PRIVATE_KEY_PATH"] == str(file)
    assert environment["SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"] == "secret"


def test_a_token_among_the_additional_arguments_signs_in_both_the_graph_and_dbt() -> None:
    found = arguments(authenticator="oauth", additional_snowflake_connection_args={"token": "t0ken"})
    assert (found["authenticator"], found["token"]) == ("oauth", "t0ken")
    environment = dbt_environment(found)
    assert (environment["SNOWFLAKE_AUTHENTICATOR"], environment["SNOWFLAKE_TOKEN"]) == ("oauth", "t0ken")


def test_arguments_that_would_change_the_statements_of_the_graph_are_ignored() -> None:
    additional = {"numpy": True, "session_parameters": {"STATEMENT_TIMEOUT_IN_SECONDS": 60}}
    options = {"autocommit": False, "paramstyle": "qmark", "timezone": "America/New_York", "numpy": True}
    found = arguments(password="pw", additional_snowflake_connection_args=additional, **options)
    assert not found.keys() & options.keys()
    assert found["session_parameters"] == {"STATEMENT_TIMEOUT_IN_SECONDS": 60}


def test_another_resource_is_rejected() -> None:
    with pytest.raises(TypeError, match=r"Other is not a dagster_snowflake\.SnowflakeResource"):
        snowflake_of(type("Other", (), {})(), SETTINGS)


@pytest.fixture
def own_home(tmp_path: Path) -> Iterator[Path]:
    """A home in which the graph starts the simulated tenant."""
    yield tmp_path
    stack.down(tmp_path)


def test_the_resource_can_replace_the_graphs_own(warehouse: Warehouse, own_home: Path) -> None:
    from dagster_snowflake import SnowflakeResource

    given = warehouse.arguments
    network = {name: given[name] for name in ("host", "port", "protocol")}
    account = SnowflakeResource(
        account=given["account"],
        user=given["user"],
        password=given["password"],
        autocommit=False,
        additional_snowflake_connection_args={**network, "session_parameters": {"QUERY_TAG": "theirs"}},
    )
    settings = Settings(
        gong_assets_source="simulated",
        gong_assets_home=own_home,
        gong_start_date=date(2026, 2, 1),
        snowflake_schema=given["schema"],
    )
    options = GraphOptions(key_prefix="gong")
    graph = build_defs(settings, options, resources={"gong_snowflake": account})
    workspaces = options.asset_key("gong_workspaces_raw")
    found: list[int] = []

    @dg.asset(ins={"table": dg.AssetIn(workspaces)})
    def count_of_workspaces(table: pa.Table) -> None:
        found.append(table.num_rows)

    defs = dg.Definitions.merge(graph, dg.Definitions([count_of_workspaces]))
    with dg.DagsterInstance.ephemeral() as instance:
        sensor = defs.resolve_sensor_def("gong_transformation_sensor")
        own = {name: each for name, each in (defs.resources or {}).items() if "snowflake" in name}
        with dg.build_sensor_context(instance=instance, definitions=defs, resources=own) as context:
            assert sensor.evaluate_tick(context).skip_message == "No change is pending."
        job = defs.resolve_implicit_global_asset_job_def()
        selection = [workspaces, count_of_workspaces.key]
        result = job.execute_in_process(instance=instance, asset_selection=selection)
    assert result.success
    (row,) = warehouse.query("SELECT COUNT(*) AS WORKSPACES FROM GONG_WORKSPACES_RAW")
    assert found == [row["WORKSPACES"]] != [0]
    assert [check.passed for check in result.get_asset_check_evaluations()]
    (table,) = (
        spec.metadata["dagster/table_name"]
        for spec in defs.resolve_all_asset_specs()
        if spec.key.path == ["gong", "stg_gong_calls"]
    )
    assert table == f"SOPHIA_AI.{given['schema']}.STG_GONG_CALLS"


def test_settings_need_no_sign_in_if_a_resource_signs_in() -> None:
    settings = load_settings(
        snowflake_sign_in=False, gong_cortex_search=True, snowflake_warehouse="WH", gong_lookback_days=3
    )
    assert (settings.target, settings.gong_cortex_search, settings.gong_lookback_days) == (
        "snowflake",
        True,
        3,
    )


def modules_after(code: str) -> set[str]:
    """Return the modules that a new Python has imported after the code."""
    command = [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"]
    output = subprocess.run(command, check=True, capture_output=True, text=True, env=dict(os.environ))
    return set(output.stdout.split())


def test_the_package_imports_neither_dagster_nor_its_component_by_itself() -> None:
    assert not {"dagster", "pydantic"} & modules_after("import gong_assets")


def test_the_component_imports_no_dbt_and_no_snowflake() -> None:
    assert not {"dagster_dbt", "dagster_snowflake", "snowflake.connector"} & modules_after(
        "from gong_assets import GongAssets"
    )


def test_the_definitions_do_not_import_dagster_snowflake() -> None:
    assert "dagster_snowflake" not in modules_after("import gong_assets.defs.build")
