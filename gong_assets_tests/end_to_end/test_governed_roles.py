"""The graph under the roles of its layers, and what analysts and agents may read afterwards."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import dagster as dg
import pytest

from gong_assets.agents.account_timeline import account_timeline
from gong_assets.agents.call_analysis import analyze_call
from gong_assets.agents.call_search import similar_segments
from gong_assets.agents.calls import find_calls, read_transcript
from gong_assets.agents.coaching import coaching_opportunities
from gong_assets.agents.deals import deals_at_risk
from gong_assets.agents.directory import find_records
from gong_assets.defs.build import build_defs
from gong_assets.defs.checks.account import NAME
from gong_assets.defs.checks.results import HEALTH_ASSET
from gong_assets.local import stack
from gong_assets.provisioning.declaration import AGENT_VIEWS, ANALYST_VIEWS, EMBEDDINGS
from gong_assets.provisioning.governed_models import governed_models
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse, local_arguments
from gong_assets.warehouse.errors import WarehouseError
from gong_assets_tests.cli.command_line import CommandLine

pytestmark = [pytest.mark.extended, pytest.mark.slow, pytest.mark.xdist_group("governed roles")]
WithRole = Callable[[str], Warehouse]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """A provisioned local account, in which the graph ran for two days."""
    directory = tmp_path_factory.mktemp("governed")
    variables = {"GONG_ASSETS_HOME": str(directory / "home"), "GONG_INCLUDE_PRIVATE_CALLS": "true"}
    if path := os.environ.get("PYTHONPATH"):
        variables["PYTHONPATH"] = path
    command_line = CommandLine(directory, variables)
    command_line.gong_assets("provision", "apply", "--yes").succeeded()
    today = datetime.now(UTC).date()
    days = ("--from-date", str(today - timedelta(days=3)), "--to-date", str(today - timedelta(days=2)))
    governed = command_line.with_variables(GONG_PROVISIONED="true")
    governed.gong_assets("sync", "--mode", "backfill", *days).succeeded()
    command_line.gong_assets("provision", "apply", "--yes").succeeded()
    yield governed
    stack.down(directory / "home")


@pytest.fixture(scope="module")
def home(project: CommandLine) -> Path:
    return Path(project.variables["GONG_ASSETS_HOME"])


@pytest.fixture(scope="module")
def as_role(home: Path) -> WithRole:
    arguments = local_arguments(home)

    def warehouse(role: str) -> Warehouse:
        return Warehouse({**arguments, "role": role, "warehouse": "COMPUTE_WH"})

    return warehouse


@pytest.fixture(scope="module")
def private_call(as_role: WithRole) -> dict[str, Any]:
    """A call of two days ago that is private."""
    administrator = as_role("ACCOUNTADMIN")
    (call,) = administrator.query(
        "SELECT CALL_ID, PRIMARY_USER_ID, CALL_TITLE FROM VW_ENRICHED_GONG_CALLS "
        "WHERE CALL_ID IN (SELECT CALL_ID FROM VW_GONG_CALL_RISKS) ORDER BY CALL_ID LIMIT 1"
    )
    administrator.query(f"UPDATE STG_GONG_CALLS SET IS_PRIVATE = TRUE WHERE CALL_ID = '{call['CALL_ID']}'")
    return call


def relations(as_role: WithRole) -> set[str]:
    rows = as_role("ACCOUNTADMIN").query(
        "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 'GONG_DATA'"
    )
    return {row["TABLE_NAME"] for row in rows}


def readable(warehouse: Warehouse, names: set[str]) -> set[str]:
    found = set()
    for name in names:
        with suppress(WarehouseError):
            warehouse.query(f"SELECT * FROM {name} LIMIT 1")
            found.add(name)
    return found


def test_the_account_is_as_declared(project: CommandLine) -> None:
    outcome = project.gong_assets("provision", "check").succeeded()

    assert outcome.stdout.strip() == "the account is as declared"


def test_agents_read_their_views_and_nothing_else(as_role: WithRole) -> None:
    names = relations(as_role)
    assert len(names) > 50

    assert readable(as_role("GONG_ASSETS_AGENT"), names) == {*AGENT_VIEWS, EMBEDDINGS}


def test_analysts_read_the_views_and_nothing_else(as_role: WithRole) -> None:
    assert readable(as_role("GONG_ASSETS_ANALYST"), relations(as_role)) == set(ANALYST_VIEWS)


def test_agents_change_nothing(as_role: WithRole) -> None:
    agent = as_role("GONG_ASSETS_AGENT")
    for sql in (
        "DELETE FROM STG_GONG_CALLS",
        f"DELETE FROM {EMBEDDINGS}",
        "CREATE TABLE MINE AS SELECT * FROM VW_ENRICHED_GONG_CALLS",
        "CREATE VIEW MINE AS SELECT * FROM VW_ENRICHED_GONG_CALLS",
        "DROP VIEW VW_DIRECTORY",
        "ALTER VIEW VW_DIRECTORY DROP ALL ROW ACCESS POLICIES",
        "GRANT SELECT ON VIEW VW_DIRECTORY TO ROLE PUBLIC",
        "USE ROLE SYSADMIN_OF_NOBODY",
    ):
        with pytest.raises(WarehouseError):
            agent.query(sql)


def test_every_function_for_agents_works_with_their_role(as_role: WithRole) -> None:
    agent = as_role("GONG_ASSETS_AGENT")

    calls = find_calls(agent, limit=5).calls
    assert calls
    assert similar_segments(agent, "the price is too high", limit=3).segments
    assert analyze_call(agent, calls[0].call_id)
    assert read_transcript(agent, calls[0].call_id)
    deals_at_risk(agent)
    coaching_opportunities(agent)
    (account, *_) = agent.query(
        "SELECT ACCOUNT_NAME FROM VW_ACCOUNT_TIMELINE WHERE CALL_ID IS NOT NULL AND ACCOUNT_NAME IS NOT NULL"
    )
    assert account_timeline(agent, account["ACCOUNT_NAME"])
    assert find_records(agent, "Company", account["ACCOUNT_NAME"])


def test_the_sql_command_has_the_privileges_of_the_role(project: CommandLine) -> None:
    agent = project.with_variables(SNOWFLAKE_ROLE="GONG_ASSETS_AGENT")

    assert agent.gong_assets("sql", "SELECT COUNT(*) FROM VW_ENRICHED_GONG_CALLS").succeeded()
    refused = agent.gong_assets("sql", "SELECT * FROM GONG_CALLS_RAW")
    assert refused.code == 1
    assert "does not exist or not authorized" in refused.stderr


def test_personal_data_is_masked_for_analysts_in_every_view(as_role: WithRole) -> None:
    analyst, administrator = as_role("GONG_ASSETS_ANALYST"), as_role("ACCOUNTADMIN")
    masked = 0
    for name in ANALYST_VIEWS:
        for column in governed_models()[name].tags if name in governed_models() else ():
            sql = f"SELECT DISTINCT {column}::VARCHAR AS SHOWN FROM {name}"
            shown = {row["SHOWN"] for row in analyst.query(sql)}
            assert shown <= {"*****", None}, (name, column, shown)
            clear = {row["SHOWN"] for row in administrator.query(sql)} - {None}
            masked += bool(clear)
            assert "*****" not in clear
    assert masked > 20


def test_no_reader_sees_an_embedding_in_a_view(as_role: WithRole) -> None:
    sql = "SELECT COUNT(*) AS N, COUNT(EMBEDDING_MODEL) AS MODELS, COUNT(TRANSCRIPT_EMBEDDING) AS VECTORS "
    (row,) = as_role("ACCOUNTADMIN").query(f"{sql} FROM VW_ENRICHED_GONG_CALL_TRANSCRIPTS")
    (stored,) = as_role("ACCOUNTADMIN").query(f"{sql} FROM {EMBEDDINGS}")

    assert (row["N"] > 0, row["MODELS"] > 0, row["VECTORS"]) == (True, True, 0)
    assert stored["VECTORS"] > 0


def test_masking_changes_no_figure(as_role: WithRole) -> None:
    """Conditions and joins in the views read unmasked values."""
    figures = "COUNT(*) AS N, COUNT(HUBSPOT_DEAL_ID) AS DEALS, SUM(CUSTOMER_COUNT) AS C"
    sql = f"SELECT {figures} FROM VW_ENRICHED_GONG_CALLS"

    assert as_role("GONG_ASSETS_ANALYST").query(sql) == as_role("GONG_ASSETS_AGENT").query(sql)


def test_a_private_call_is_shown_to_administrators_only(
    as_role: WithRole, private_call: dict[str, Any]
) -> None:
    views = [
        name for name in ANALYST_VIEWS if name in governed_models() and governed_models()[name].row_access
    ]
    with_call = [name for name in views if name != "VW_DIRECTORY"]
    count = f"SELECT COUNT(*) AS N FROM {{}} WHERE CALL_ID = '{private_call['CALL_ID']}'"
    shown = {name: as_role("GONG_ASSETS_ADMIN").query(count.format(name))[0]["N"] for name in with_call}
    assert shown["VW_ENRICHED_GONG_CALLS"] == 1
    assert shown["VW_GONG_CALL_RISKS"] > 0

    for name in with_call:
        assert as_role("GONG_ASSETS_ANALYST").query(count.format(name)) == [{"N": 0}], name
    for name in set(AGENT_VIEWS) & set(with_call):
        assert as_role("GONG_ASSETS_AGENT").query(count.format(name)) == [{"N": 0}], name


def test_a_private_call_is_shown_to_its_owner(as_role: WithRole, private_call: dict[str, Any]) -> None:
    administrator = as_role("ACCOUNTADMIN")
    sql = f"SELECT COUNT(*) AS N FROM VW_ENRICHED_GONG_CALLS WHERE CALL_ID = '{private_call['CALL_ID']}'"
    administrator.query(f"INSERT INTO GONG_CALL_OWNERS SELECT 'LOCAL', '{private_call['PRIMARY_USER_ID']}'")

    assert as_role("GONG_ASSETS_ANALYST").query(sql) == [{"N": 1}]
    administrator.query("DELETE FROM GONG_CALL_OWNERS")
    assert as_role("GONG_ASSETS_ANALYST").query(sql) == [{"N": 0}]


def evaluated(home: Path) -> dg.AssetCheckEvaluation:
    """Evaluate the check of the account with the user of the graph."""
    settings = Settings(gong_assets_home=home, gong_provisioned=True, gong_include_private_calls=True)
    defs = build_defs(settings)
    key = dg.AssetCheckKey(dg.AssetKey(HEALTH_ASSET), NAME)
    job = dg.define_asset_job("account", dg.AssetSelection.checks(key))
    result = dg.Definitions.merge(defs, dg.Definitions(jobs=[job])).resolve_job_def("account")
    (evaluation,) = result.execute_in_process().get_asset_check_evaluations()
    return evaluation


def test_the_graph_finds_changes_of_its_account_by_hand(home: Path, as_role: WithRole) -> None:
    administrator = as_role("ACCOUNTADMIN")
    assert evaluated(home).passed

    administrator.query("GRANT USAGE ON SCHEMA SOPHIA_AI.GONG_DATA TO ROLE PUBLIC")
    administrator.query("REVOKE SELECT ON VIEW VW_DIRECTORY FROM ROLE GONG_ASSETS_LOADER")
    administrator.query("ALTER VIEW VW_ENRICHED_GONG_CALLS DROP ALL ROW ACCESS POLICIES")
    found = evaluated(home)

    assert not found.passed
    assert [str(each) for each in cast("list[str]", found.metadata["ids"].value)] == [
        "missing: row access policy PRIVATE_CALLS of view VW_ENRICHED_GONG_CALLS",
        "missing: GONG_ASSETS_LOADER has no SELECT on VIEWS SOPHIA_AI.GONG_DATA",
        "extra: PUBLIC has USAGE on schema SOPHIA_AI.GONG_DATA",
    ]
    for statement in str(found.metadata["what_to_do"].value).partition(": ")[2].split("; "):
        administrator.query(statement)
    assert evaluated(home).passed
