"""The component in a Dagster project of its own, loaded from `defs.yaml` with the `dg` command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from gong_assets.warehouse.connection import Warehouse, local_arguments
from gong_assets_tests.cli.command_line import CommandLine
from gong_assets_tests.defs.second_project import DEFS_YAML, write_project

pytestmark = [pytest.mark.extended, pytest.mark.slow, pytest.mark.xdist_group("second_project")]

YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)


@pytest.fixture(scope="module")
def warehouse_of_sales(stack_home: Path) -> Warehouse:
    return Warehouse({**local_arguments(stack_home), "database": "SALES_WAREHOUSE", "schema": "GONG"})


@pytest.fixture(scope="module")
def project(
    stack_home: Path, warehouse_of_sales: Warehouse, tmp_path_factory: pytest.TempPathFactory
) -> CommandLine:
    """The project with the component, as `dg scaffold` adds it."""
    directory = tmp_path_factory.mktemp("second_project")
    commands = write_project(directory, Warehouse(local_arguments(stack_home)), stack_home)
    commands.run("dbt", "parse", "--project-dir", "dbt", "--profiles-dir", "dbt").succeeded()
    commands.run("dg", "scaffold", "defs", "gong_assets.GongAssets", "gong").succeeded()
    defs_yaml = directory / "sales" / "defs" / "gong" / "defs.yaml"
    assert defs_yaml.read_text().startswith("type: gong_assets.GongAssets\n")
    defs_yaml.write_text(DEFS_YAML.format(start=YESTERDAY - timedelta(days=5)))
    return commands


@pytest.fixture(scope="module")
def instance(project: CommandLine) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(project.variables["DAGSTER_HOME"]) as instance:
        yield instance


def materialized(instance: dg.DagsterInstance, job: str) -> set[str]:
    """Return the assets that the only run of the job has materialized."""
    (run,) = instance.get_runs(dg.RunsFilter(job_name=job))
    records = instance.get_records_for_run(
        run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION
    ).records
    events = [record.event_log_entry.dagster_event for record in records]
    return {event.asset_key.to_user_string() for event in events if event and event.asset_key}


def tables(warehouse: Warehouse, schema: str) -> set[str]:
    sql = "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = %s"
    return {str(row["TABLE_NAME"]) for row in warehouse.query(sql, (schema,))}


def test_dg_lists_the_component_and_accepts_its_yaml(project: CommandLine) -> None:
    assert "gong_assets.GongAssets" in project.run("dg", "list", "components", "--json").succeeded().stdout
    outcome = project.run("dg", "check", "yaml").succeeded()
    assert "All component YAML validated successfully" in outcome.stdout


def test_both_projects_are_in_one_code_location(project: CommandLine) -> None:
    stdout = project.run("dg", "list", "defs", "--json").succeeded().stdout
    listed: dict[str, list[dict[str, Any]]] = json.loads(stdout[stdout.index("{") :])
    assets = {asset["asset_key"]: asset for asset in listed["assets"]}
    assert {"orders", "stg_hubspot_deals", "gong/stg_hubspot_deals", "gong/gong_calls_raw"} <= assets.keys()
    own = {key: asset for key, asset in assets.items() if key.startswith("gong/")}
    assert {asset["group_name"] for asset in own.values()} == {
        *("gong_raw", "gong_staging", "gong_hubspot", "gong_cortex", "gong_enriched", "gong_monitoring"),
        "gong_health",
    }
    assert all(asset["owners"] == [{"team": "sales"}] for asset in own.values())
    schedules = {schedule["name"]: schedule["cron_schedule"] for schedule in listed["schedules"]}
    assert schedules["gong_ingestion_schedule"] == "0 6 * * *"
    assert {"nightly", "gong_sync"} <= {job["name"] for job in listed["jobs"]}


def test_the_job_of_the_project_materializes_its_own_assets_only(
    project: CommandLine, instance: dg.DagsterInstance, warehouse_of_sales: Warehouse
) -> None:
    outcome = project.run("dg", "launch", "--job", "nightly").succeeded()
    assert "Multiprocess executor" in outcome.stderr
    assert materialized(instance, "nightly") == {"orders", "stg_hubspot_deals"}
    assert {"ORDERS", "STG_HUBSPOT_DEALS"} <= tables(warehouse_of_sales, "ORDERS")


def test_a_job_of_the_graph_materializes_its_own_assets_in_one_process(
    project: CommandLine, instance: dg.DagsterInstance, warehouse_of_sales: Warehouse
) -> None:
    day = YESTERDAY.isoformat()
    outcome = project.run("dg", "launch", "--job", "gong_ingestion", "--partition", day).succeeded()
    assert "Multiprocess executor" not in outcome.stderr
    assert materialized(instance, "gong_ingestion") == {
        "gong/gong_answered_scorecards_raw",
        "gong/gong_call_transcripts_raw",
        "gong/gong_calls_raw",
        "gong/gong_interaction_stats_raw",
        "gong/gong_user_activity_raw",
        "gong/gong_users_raw",
    }
    assert "GONG_CALLS_RAW" in tables(warehouse_of_sales, "GONG")
    assert not {table for table in tables(warehouse_of_sales, "ORDERS") if table.startswith("GONG_")}


def test_assets_of_the_graph_run_with_the_executor_of_the_project(
    project: CommandLine, instance: dg.DagsterInstance, warehouse_of_sales: Warehouse
) -> None:
    """Runs of the asset catalog belong to no job of the graph."""
    users = 'key:"gong/gong_users_raw" or key:"gong/stg_gong_users"'
    outcome = project.run("dg", "launch", "--assets", users).succeeded()
    assert "Multiprocess executor" in outcome.stderr
    assert materialized(instance, "__ASSET_JOB") == {"gong/gong_users_raw", "gong/stg_gong_users"}
    (row,) = warehouse_of_sales.query("SELECT COUNT(*) AS USERS FROM STG_GONG_USERS")
    assert row["USERS"] > 0
    lineage = instance.get_latest_materialization_event(dg.AssetKey(["gong", "stg_gong_users"]))
    assert lineage is not None
    assert lineage.asset_materialization is not None
    assert "dagster/column_lineage" in lineage.asset_materialization.metadata
