"""The files in deploy/: PostgreSQL is run, and what cannot be run here is checked for consistency."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import which
from typing import Any

import dagster as dg
import pytest
import yaml
from dotenv import dotenv_values

import gong_assets
from gong_assets.provisioning.declaration import declare
from gong_assets.settings import Settings, load_settings
from gong_assets_tests.cli.command_line import CommandLine
from gong_assets_tests.postgres import postgres_server

REPOSITORY = Path(gong_assets.__file__).parents[1]
DEPLOY = REPOSITORY / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()


def load(name: str) -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / name).read_text())


@pytest.fixture
def production(stack_home: Path, tmp_path: Path) -> Iterator[CommandLine]:
    """Commands with the production instance, on a PostgreSQL server of their own."""
    (tmp_path / "dagster.yaml").write_text((DEPLOY / "dagster.yaml").read_text())
    with postgres_server() as port:
        variables = {
            "DAGSTER_HOME": str(tmp_path),
            "DAGSTER_COMPUTE_LOG_DIRECTORY": str(tmp_path / "logs"),
            "DAGSTER_POSTGRES_HOST": "127.0.0.1",
            "DAGSTER_POSTGRES_PORT": str(port),
            "DAGSTER_POSTGRES_DB": "postgres",
            "DAGSTER_POSTGRES_USER": "dagster",
            "DAGSTER_POSTGRES_PASSWORD": "none",
            "GONG_ASSETS_HOME": str(stack_home),
            "PYTHONPATH": str(REPOSITORY),
            "DAGSTER_EVENT_BATCH_SIZE": batch_size(),
        }
        yield CommandLine(tmp_path, variables)


def batch_size() -> str:
    """Return the largest number of events that a deployment stores at once."""
    values = {
        value
        for file in (DEPLOY / "Dockerfile", *DEPLOY.glob("systemd/*.service"))
        for value in re.findall(r"DAGSTER_EVENT_BATCH_SIZE=(\d+)", file.read_text())
    }
    (value,) = values
    return value


@pytest.mark.slow
def test_the_graph_and_the_daemon_work_with_postgresql(
    production: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [(datetime.now(UTC) - timedelta(days=age)).date().isoformat() for age in (2, 1)]
    selection = (
        "--select",
        "gong_calls_raw,gong_call_transcripts_raw",
        "--partition-range",
        "...".join(days),
    )
    module = ("-m", "gong_assets.definitions")
    production.run("dagster", "asset", "materialize", *module, *selection).succeeded()
    for name, value in production.variables.items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.get() as instance:
        assert type(instance.event_log_storage).__name__ == "PostgresEventLogStorage"
        assert instance.get_materialized_partitions(dg.AssetKey("gong_calls_raw")) == set(days)
        daemon = subprocess.Popen(
            [Path(sys.executable).with_name("dagster-daemon"), "run", *module],
            env=production.environment,
            cwd=production.directory,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert "SENSOR" in ticked_types(instance, seconds=180)
        finally:
            daemon.terminate()
            daemon.wait(60)
        assert not list(production.directory.rglob("*.db")), "state was kept in SQLite"


def ticked_types(instance: dg.DagsterInstance, seconds: float) -> set[str]:
    """Return the types of the schedules and sensors that evaluated a tick, as soon as there are any."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        states = instance.all_instigator_state()
        ticked = {
            state.instigator_type.value
            for state in states
            if instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1)
        }
        if ticked:
            return ticked
        time.sleep(1)
    return set()


def test_all_instances_have_the_same_pools_retries_and_retention(monkeypatch: pytest.MonkeyPatch) -> None:
    local = yaml.safe_load((REPOSITORY / "gong_assets" / "cli" / "dagster.yaml").read_text())
    production, helm = load("dagster.yaml"), load("helm/values.yaml")
    for key in ("concurrency", "run_retries", "retention", "telemetry"):
        assert local[key] == production[key]
    assert helm["additionalInstanceConfig"]["concurrency"]["pools"] == local["concurrency"]["pools"]
    coordinator = helm["dagsterDaemon"]["runCoordinator"]["config"]["queuedRunCoordinator"]
    assert coordinator["maxConcurrentRuns"] == local["concurrency"]["runs"]["max_concurrent_runs"]
    ticks = {"schedule": "schedule", "sensor": "sensor", "autoMaterialize": "auto_materialize"}
    for theirs, ours in ticks.items():
        assert helm["retention"][theirs]["purgeAfterDays"] == local["retention"][ours]["purge_after_days"]


def check_compose(file: Path) -> subprocess.CompletedProcess[str]:
    """Check a file with the schema of the Compose specification, which the package contains."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_file_of_compose_follows_its_specification(tmp_path: Path) -> None:
    result = check_compose(DEPLOY / "compose.yaml")
    assert result.returncode == 0, result.stdout
    misspelt = tmp_path / "compose.yaml"
    misspelt.write_text((DEPLOY / "compose.yaml").read_text().replace("depends_on:", "depend_on:", 1))
    assert "depend_on" in check_compose(misspelt).stdout


def test_kubernetes_knows_the_fields_of_the_helm_values() -> None:
    """With the models by which Dagster's launcher of runs reads them."""
    from dagster_k8s.models import k8s_snake_case_dict
    from kubernetes.client import V1Container, V1JobSpec, V1PodSecurityContext

    values = load("helm/values.yaml")
    run = values["runLauncher"]["config"]["k8sRunLauncher"]["runK8sConfig"]
    (deployment,) = values["dagster-user-deployments"]["deployments"]
    probe = {key: value for key, value in deployment["readinessProbe"].items() if key != "enabled"}
    container = {"resources": deployment["resources"], "readinessProbe": probe}
    for model, fields in (
        (V1Container, {"name": "run", **run["containerConfig"]}),
        (V1JobSpec, run["jobSpecConfig"]),
        (V1PodSecurityContext, deployment["podSecurityContext"]),
        (V1Container, {"name": "code", **container}),
    ):
        assert len(k8s_snake_case_dict(model, fields)) == len(fields)
    with pytest.raises(Exception, match="Unexpected keys"):
        k8s_snake_case_dict(V1JobSpec, {"ttl_seconds": 1})


def test_the_services_of_compose_refer_to_what_exists() -> None:
    compose = load("compose.yaml")
    services = compose["services"]
    for name, service in services.items():
        assert set(service.get("depends_on", {})) <= set(services)
        volumes = {mount.partition(":")[0] for mount in service.get("volumes", [])}
        assert volumes <= set(compose["volumes"])
        needed = {other for other, wanted in service.get("depends_on", {}).items() if wanted}
        for other in needed:
            assert "healthcheck" in services[other] or has_the_check_of_the_image(services[other], services)
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
    example = (DEPLOY / "gong_assets.env.example").read_text()
    referenced = set(re.findall(r"env: (\w+)", (DEPLOY / "dagster.yaml").read_text()))
    declared = set(re.findall(r"^(?:# )?(\w+)=", example, re.MULTILINE)) | set(
        re.findall(r"(DAGSTER_COMPUTE_LOG_DIRECTORY)=", DOCKERFILE)
    )
    assert referenced <= declared


def has_the_check_of_the_image(service: dict[str, Any], services: dict[str, Any]) -> bool:
    """Return True if the health check of the Dockerfile fits: a service of that image with its command."""
    built = {each["image"] for each in services.values() if "build" in each}
    return service["image"] in built and "command" not in service and "HEALTHCHECK" in DOCKERFILE


EXAMPLES = ("README.md", "deploy/gong_assets.env.example", "deploy/esc/production.yaml")


@pytest.mark.parametrize("file", EXAMPLES)
def test_the_role_of_an_example_is_declared(file: str) -> None:
    (role,) = re.findall(r"^ *SNOWFLAKE_ROLE(?:=|: )(\w+)$", (REPOSITORY / file).read_text(), re.MULTILINE)
    assert role in {each.name for each in declare(Settings.model_construct()).roles.values()}


def environment_of_compose() -> dict[str, str]:
    return load("compose.yaml")["services"]["code"]["environment"]


def environment_of_systemd() -> dict[str, str]:
    unit = (DEPLOY / "systemd" / "gong-assets-code.service").read_text()
    assignments = re.findall(r"^Environment=(.*)$", unit, re.MULTILINE)
    return dict(part.split("=", 1) for line in assignments for part in shlex.split(line))


def environment_of_helm() -> dict[str, str]:
    (deployment,) = load("helm/values.yaml")["dagster-user-deployments"]["deployments"]
    return deployment["env"]


@pytest.mark.parametrize("environment", [environment_of_compose, environment_of_systemd, environment_of_helm])
def test_schedules_and_sensors_run_in_a_deployment_with_accounts(
    environment: Callable[[], dict[str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    example = dotenv_values(DEPLOY / "gong_assets.env.example")
    filled_in = {name: value or "x" for name, value in example.items() if name.startswith(("GONG_", "SNOW"))}
    home = {"GONG_ASSETS_HOME": str(tmp_path)}
    for name, value in {**filled_in, **environment(), **home}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    assert settings.target == "snowflake"
    assert not settings.uses_simulated_gong
    assert settings.schedules_enabled


def test_the_image_installs_what_exists_and_copies_no_secret() -> None:
    config = ConfigParser()
    config.read(REPOSITORY / "setup.cfg")
    (extras,) = re.findall(r"ARG EXTRAS=(\S+)", DOCKERFILE)
    assert set(extras.split(",")) <= set(config["options.extras_require"])
    assert "local" not in extras.split(",")
    allowed = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert "*" in allowed
    for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE):
        sources = [part for part in line.split()[:-1] if not part.startswith("--")]
        assert all((REPOSITORY / source).exists() and f"!{source}" in allowed for source in sources)
    assert re.search(r"^USER \d+$", DOCKERFILE, re.MULTILINE), "Kubernetes checks that the user is a number"


@pytest.mark.slow
@pytest.mark.extended
def test_the_image_parses_the_dbt_project_when_it_is_built(tmp_path: Path) -> None:
    (command,) = re.findall(r"^RUN (SNOWFLAKE_ACCOUNT=none.*?\")$", DOCKERFILE, re.MULTILINE | re.DOTALL)
    *variables, program = shlex.split(command.replace("\\\n", " "))[:-1], shlex.split(command)[-1]
    environment = dict(part.split("=", 1) for part in variables[0] if "=" in part)
    commands = CommandLine(tmp_path, {**environment, "GONG_ASSETS_HOME": str(tmp_path / "home")})
    commands.run("python", "-c", program.replace("\\\n", "")).succeeded()
    assert list((tmp_path / "home" / "dbt").glob("snowflake-*/manifest.json"))


def test_the_file_of_dagster_plus_is_accepted_by_its_command_line() -> None:
    from dagster_cloud_cli.config.models import load_dagster_cloud_yaml

    (location,) = load_dagster_cloud_yaml((DEPLOY / "dagster_cloud.yaml").read_text()).locations
    assert location.location_name == "gong_assets"


def test_the_units_of_systemd_are_valid(tmp_path: Path) -> None:
    if not which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    units = []
    for unit in sorted((DEPLOY / "systemd").glob("*.service")):
        units.append(tmp_path / unit.name)
        # The commands of the virtual environment do not exist here.
        units[-1].write_text(re.sub(r"/opt/gong_assets/venv/bin/[\w-]+", "/bin/true", unit.read_text()))
    result = subprocess.run(
        ["systemd-analyze", "verify", *units],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"},
    )
    assert [line for line in result.stderr.splitlines() if "gong-assets" in line] == []
