"""Target `snowflake`: the graph, dbt and other clients use the account in the environment variables.

The account is on a Snowflake-compatible server that another project started.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import snowflake.connector

import gong_assets
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.cli.command_line import CommandLine
from gong_assets_tests.end_to_end.runs import Run

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("sales")]

DBT_PROJECT = Path(gong_assets.__file__).parent / "dbt"
COUNT = "SELECT CURRENT_DATABASE() AS D, CURRENT_SCHEMA() AS S, COUNT(*) AS N FROM GONG_CALLS_RAW"


def test_the_whole_graph_is_in_the_configured_database_and_schema(sales_run: Run) -> None:
    filled = {name for name, rows in sales_run.tables.tables.items() if rows}
    assert {
        "GONG_CALLS_RAW",
        "STG_GONG_CALLS",
        "CORTEX_GONG_CALLS",
        "VW_ENRICHED_GONG_CALL_TRANSCRIPTS",
    } <= filled
    assert {"STG_HUBSPOT_DEALS", "VW_GONG_INGESTION_STATUS"} <= filled


def test_no_local_stack_was_started(sales_run: Run, sales: CommandLine) -> None:
    outcome = sales.gong_assets("local", "status")
    assert (outcome.code, outcome.stderr.splitlines()[0]) == (
        1,
        "error: the local stack is not running: start it with `gong-assets local up`",
    )


def test_the_command_line_and_a_plain_client_see_the_same_rows(
    sales_run: Run, sales: CommandLine, sales_warehouse: Warehouse
) -> None:
    (row,) = sales.gong_assets("sql", COUNT, "--format", "json").succeeded().json
    assert row == {"D": "SALES", "S": "GONG", "N": len(sales_run.tables.tables["GONG_CALLS_RAW"])}
    with snowflake.connector.connect(**sales_warehouse.arguments) as client, client.cursor() as cursor:
        assert cursor.execute(COUNT).fetchall() == [tuple(row.values())]


def test_dbt_uses_the_same_variables_and_sees_the_same_rows(sales_run: Run, sales: CommandLine) -> None:
    places = {
        "DBT_PROJECT_DIR": str(DBT_PROJECT),
        "DBT_PROFILES_DIR": str(DBT_PROJECT),
        "DBT_TARGET_PATH": str(sales.directory / "dbt"),
        "DBT_LOG_PATH": str(sales.directory / "dbt"),
    }
    dbt = sales.with_variables(**places)
    assert "All checks passed!" in dbt.run("dbt", "--no-use-colors", "debug").succeeded().stdout
    shown = dbt.run(
        "dbt",
        "--quiet",
        "--no-use-colors",
        "show",
        "--output",
        "json",
        "--inline",
        "select count(*) as n from gong_calls_raw",
    )
    assert f'"N": {len(sales_run.tables.tables["GONG_CALLS_RAW"])}' in shown.succeeded().stdout


def test_search_works_on_the_account(sales_run: Run, sales: CommandLine) -> None:
    (segment,) = (
        sales.gong_assets("search", "please verify it before we go on", "--limit", "1", "--json")
        .succeeded()
        .json
    )
    assert segment["text"] == "No wait, I think we should check that out first."


def test_every_check_of_the_doctor_passes(sales_run: Run, sales: CommandLine) -> None:
    results = {each["subject"]: each for each in sales.gong_assets("doctor", "--json").succeeded().json}
    assert results["settings"]["message"].startswith("target snowflake")
    assert all(each["ok"] for each in results.values())
