"""Launchpads: the run config that the UI shows and sends, for each job and each way to sign in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
import snowflake.connector
import yaml
from dagster._core.snap.config_types import build_config_schema_snapshot
from dagster._core.snap.snap_to_yaml import default_values_yaml_from_type_snap

from gong_assets.defs.build import account_resources
from gong_assets.defs.jobs import JOB_NAMES
from gong_assets.defs.options import ResourceKeys
from gong_assets.defs.resources import SnowflakeResource
from gong_assets.settings import load_settings
from gong_assets_tests.end_to_end.gong_server import Gong
from gong_assets_tests.private_keys import pem
from gong_assets_tests.ui.webserver import Webserver, webserver

pytestmark = pytest.mark.extended

YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
PARTITION = {"dagster/partition": YESTERDAY}


@pytest.fixture(scope="module")
def simulated(stack_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Webserver]:
    """The webserver of a deployment without accounts."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("GONG_ASSETS_HOME", str(stack_home))
        with webserver(tmp_path_factory.mktemp("dagster")) as served:
            yield served


@pytest.mark.slow
@pytest.mark.xdist_group("ui")
@pytest.mark.parametrize("job", JOB_NAMES)
def test_a_job_runs_with_the_run_config_that_its_launchpad_shows(simulated: Webserver, job: str) -> None:
    shown = simulated.launchpad(job)
    assert "resources" not in shown
    assert len(shown.splitlines()) <= 7, "the launchpad says in a few lines what can be set"
    run = simulated.launch(job, yaml.safe_load(shown), tags=PARTITION)
    assert run.is_success, run.failures


@pytest.mark.slow
@pytest.mark.xdist_group("ui")
def test_a_run_without_partitions_fails_with_one_line_that_says_what_to_select(simulated: Webserver) -> None:
    run = simulated.launch("gong_ingestion", assets=["gong_calls_raw"])
    (reason,) = run.failures.values()
    assert reason.startswith("gong_ingestion was launched without partitions, so no day was read")
    assert "\n" not in reason


@pytest.mark.slow
@pytest.mark.xdist_group("ui")
def test_keys_of_the_environment_are_used_and_stored_nowhere(
    stack_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gong = Gong(access_key="KEY-4711", access_key_secret="secret-of-4711")
    day = {"dagster/partition": "2020-02-02"}
    with gong.served():
        variables = {"GONG_ASSETS_HOME": str(stack_home), "GONG_ASSETS_TARGET": "local"}
        for name, value in {**gong.environment, **variables}.items():
            monkeypatch.setenv(name, value)
        with webserver(tmp_path / "dagster") as served:
            shown = served.launchpad("__ASSET_JOB", ["gong_calls_raw"])
            run = served.launch("__ASSET_JOB", yaml.safe_load(shown), assets=["gong_calls_raw"], tags=day)
    assert run.is_success, run.failures
    assert gong.log
    stored = b"".join(file.read_bytes() for file in (tmp_path / "dagster").rglob("*") if file.is_file())
    assert len(stored) > 100_000
    assert b"KEY-4711" not in stored
    assert b"secret-of-4711" not in stored


ACCOUNT = {"SNOWFLAKE_ACCOUNT": "org-account", "SNOWFLAKE_USER": "loader"}
SIGN_INS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "password": ({"PASSWORD": "pw"}, {"password": "pw"}),
    "mfa": (
        {"PASSWORD": "pw", "AUTHENTICATOR": "username_password_mfa"},
        {"password": "pw", "authenticator": "USERNAME_PASSWORD_MFA"},
    ),
    "okta": (
        {"PASSWORD": "pw", "AUTHENTICATOR": "https://company.okta.com"},
        {"password": "pw", "authenticator": "https://company.okta.com"},
    ),
    "browser": ({"AUTHENTICATOR": "externalbrowser"}, {"authenticator": "EXTERNALBROWSER"}),
    "token": ({"TOKEN": "t0ken"}, {"token": "t0ken", "authenticator": "PROGRAMMATIC_ACCESS_TOKEN"}),
    "oauth": ({"TOKEN": "t0ken", "AUTHENTICATOR": "oauth"}, {"token": "t0ken", "authenticator": "OAUTH"}),
    "workload identity": (
        {"AUTHENTICATOR": "workload_identity", "WORKLOAD_IDENTITY_PROVIDER": "AWS"},
        {"authenticator": "WORKLOAD_IDENTITY", "workload_identity_provider": "AWS"},
    ),
    "key pair": ({"PRIVATE_KEY": pem()}, {"private_key": bytes, "authenticator": "SNOWFLAKE_JWT"}),
    "encrypted key pair": (
        {"PRIVATE_KEY": pem("phrase"), "PRIVATE_KEY_PASSPHRASE": "phrase"},
        {"private_key": bytes, "authenticator": "SNOWFLAKE_JWT"},
    ),
}


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The arguments with which the connector connects from now on."""
    arguments: list[dict[str, Any]] = []

    def connect(**given: Any) -> Any:
        arguments.append(given)
        return SimpleNamespace(close=lambda: None)

    monkeypatch.setattr(snowflake.connector, "connect", connect)
    return arguments


def run_as_shown(resources: Mapping[str, Any]) -> str:
    """Run a job that connects to Snowflake with the run config that its launchpad shows, and return that."""

    @dg.op
    def connects(gong_snowflake: SnowflakeResource) -> None:
        with gong_snowflake.get_connection():
            pass

    @dg.job(resource_defs=resources)
    def signs_in() -> None:
        connects()

    snapshot = build_config_schema_snapshot(signs_in)
    root = snapshot.get_config_snap(signs_in.run_config_schema.run_config_schema_type.key)
    shown = default_values_yaml_from_type_snap(snapshot, root)
    assert signs_in.execute_in_process(run_config=yaml.safe_load(shown)).success
    return shown


@pytest.mark.parametrize("form", SIGN_INS)
def test_a_run_signs_in_to_snowflake_as_the_settings_say(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, connected: list[dict[str, Any]]
) -> None:
    variables, expected = SIGN_INS[form]
    for name, value in variables.items():
        monkeypatch.setenv(f"SNOWFLAKE_{name}", value)
    monkeypatch.setenv("GONG_ASSETS_SOURCE", "simulated")
    for name, value in ACCOUNT.items():
        monkeypatch.setenv(name, value)
    settings, resources = account_resources(load_settings(gong_assets_home=tmp_path), ResourceKeys(), {})
    assert settings.target == "snowflake"
    assert run_as_shown(resources).strip() == "{}"
    (arguments,) = connected
    assert (arguments["account"], arguments["user"]) == ("org-account", "loader")
    secrets = {"password", "token", "private_key", "authenticator", "workload_identity_provider"}
    found = {name: value for name, value in arguments.items() if name in secrets}
    assert {name: bytes if isinstance(value, bytes) else value for name, value in found.items()} == expected


@pytest.mark.slow
def test_a_resource_of_the_project_signs_in_with_what_its_launchpad_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, connected: list[dict[str, Any]]
) -> None:
    from dagster_snowflake import SnowflakeResource as ProjectResource

    monkeypatch.setenv("PROJECT_PASSWORD", "pw")
    monkeypatch.setenv("GONG_ASSETS_SOURCE", "simulated")
    account = ProjectResource(account="theirs", user="loader", password=dg.EnvVar("PROJECT_PASSWORD"))
    settings = load_settings(snowflake_sign_in=False, gong_assets_home=tmp_path)
    _, resources = account_resources(settings, ResourceKeys(snowflake="snowflake"), {})
    shown = run_as_shown({**resources, "snowflake": account})
    (arguments,) = connected
    assert (arguments["account"], arguments["password"]) == ("theirs", "pw")
    assert "pw" not in shown.replace("password", "")
