"""Target `snowflake`: the graph, dbt and other clients use the account in the environment variables.

The account is on a Snowflake-compatible server that another project started.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import gong_assets
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.cli.command_line import CommandLine
from gong_assets_tests.end_to_end.runs import Run
from gong_assets_tests.serving import serving

pytestmark = [pytest.mark.extended, pytest.mark.slow, pytest.mark.xdist_group("sales")]

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
        .json["segments"]
    )
    assert segment["text"] == "No wait, I think we should check that out first."


def test_every_check_of_the_doctor_passes(
    sales_run: Run, sales: CommandLine, sales_warehouse: Warehouse
) -> None:
    with webhook_server() as (url, received):
        commands = sales.with_variables(GONG_ASSETS_ALERT_WEBHOOK_URL=url)
        results = commands.gong_assets("doctor", "--json", "--send-test-alert").succeeded().json
    assert results[0]["message"].startswith("source gong, target snowflake")
    assert [each for each in results if each["status"] != "ok"] == []
    assert {each["subject"] for each in results} == {
        "settings", "gong", "gong scopes", "gong limits", "first partition", "dbt", "warehouse", "clock",
        "region", "compute", "tables", "views", "temporary tables", "stages", "existing tables", "cortex",
        "usage history", "hubspot", "alerts", "prices",
    }  # fmt: skip
    functions = [each["message"].split()[0] for each in results if each["subject"] == "cortex"]
    assert functions == ["SENTIMENT", "AI_EMBED", "AI_SUMMARIZE_AGG", "AI_EXTRACT"]
    assert "Test alert" in received[0]["text"]
    left = sales_warehouse.query(
        "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_NAME LIKE 'GONG_ASSETS_DOCTOR%'"
    )
    assert left == [], "objects of the doctor were left behind"


def test_the_doctor_goes_on_after_each_failure(sales: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    commands = sales.with_variables(
        GONG_ASSETS_HOME=str(tmp_path / "file"),
        GONG_BASE_URL="http://127.0.0.1:9",
        GONG_WORKSPACEID="1",
        HUBSPOT_DATABASE="NOT_MOUNTED",
        GONG_ASSETS_ALERT_WEBHOOK_URL="http://127.0.0.1:9/secret",
    )
    outcome = commands.gong_assets("doctor")
    assert outcome.code == 1
    results = [tuple(line.split()[:2]) for line in outcome.stdout.splitlines() if line[:4] in STATUSES]
    assert ("warn", "settings:") in results
    for subject in ("home:", "gong:", "dbt:", "hubspot:", "alerts:"):
        assert ("fail", subject) in results
    assert ("ok", "tables:") in results
    assert "secret" not in outcome.stdout + outcome.stderr


STATUSES = ("ok  ", "warn", "fail")


@contextmanager
def webhook_server() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Serve a webhook, and yield its URL and the list of the bodies that it receives."""
    received: list[dict[str, Any]] = []

    async def accept(request: Request) -> Response:
        received.append(await request.json())
        return Response("ok")

    with serving(Starlette(routes=[Route("/hook", accept, methods=["POST"])])) as url:
        yield f"{url}/hook", received
