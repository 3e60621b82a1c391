"""The SQL of the declaration: its names, its sections, and that a second parser accepts it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from typer.testing import CliRunner

from gong_assets.cli.app import app
from gong_assets.provisioning.declaration import AGENT_VIEWS, ANALYST_VIEWS, declare
from gong_assets.provisioning.governed_models import MODELS, governed_models
from gong_assets.provisioning.objects import Layer
from gong_assets.provisioning.statements import policy_statement, script, statements
from gong_assets.settings import Settings, SettingsError
from gong_assets_tests.private_keys import pem
from gong_assets_tests.second_parser import parse_error

EVERYTHING: dict[str, Any] = {
    "gong_provision_separate_warehouses": True,
    "gong_provision_allowed_ips": "192.0.2.7, 198.51.100.0/24",
    "gong_provision_hubspot_share": "provider.share",
    "gong_cortex_search": True,
    "gong_agent_objects": True,
    "gong_provision_budget_credits": 500,
    "gong_assets_target": "snowflake",
    "snowflake_account": "org-account",
    "snowflake_user": "graph",
    "snowflake_token": "token",
    "snowflake_warehouse": "gong_wh",
}


def settings(**values: Any) -> Settings:
    return Settings(_env_file=None, **values)


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_the_second_parser_accepts_every_statement(values: dict[str, Any]) -> None:
    problems = {
        each.sql: problem
        for each in statements(declare(settings(**values)))
        if (problem := parse_error(each.sql))
    }

    assert not problems


def test_bodies_of_policies_parse() -> None:
    account = declare(settings())
    for policy in (*account.masking_policies, *account.row_access_policies):
        body = policy_statement(policy).partition("-> ")[2].partition(" COMMENT = ")[0]

        assert body == policy.body
        assert parse_error(f"select {policy.body}") is None
        assert sqlglot.parse_one(policy.body, read="snowflake") is not None


def test_names_are_those_of_the_settings() -> None:
    sql = script(
        declare(
            settings(
                gong_provision_prefix="acme",
                snowflake_database="sales",
                snowflake_schema="calls",
                snowflake_warehouse="big",
                hubspot_database="crm",
            )
        )
    )

    assert "GONG_ASSETS" not in sql
    assert "SOPHIA_AI" not in sql
    for name in ("ACME_LOADER", "SALES.CALLS", "WAREHOUSE BIG ", "DATABASE CRM "):
        assert name in sql


def test_an_administrator_declares_the_user_and_the_warehouse_of_the_deployment() -> None:
    deployment = declare(settings(snowflake_user="graph", snowflake_warehouse="gong_wh"))
    signed_in = settings(
        snowflake_user="admin_sam",
        snowflake_warehouse="admin_wh",
        gong_provision_user="graph",
        gong_provision_warehouse="gong_wh",
    )

    assert declare(signed_in) == deployment


def test_each_section_names_the_role_that_runs_it() -> None:
    account = declare(settings())
    sql = script(account)

    roles = re.findall(r"^USE ROLE (\w+);$", sql, re.MULTILINE)
    assert roles == ["USERADMIN", "SYSADMIN", "SECURITYADMIN", "ACCOUNTADMIN", "SECURITYADMIN"]
    only = CliRunner().invoke(app, ["provision", "sql", "--role", "sysadmin"]).output
    assert re.findall(r"^USE ROLE (\w+);$", only, re.MULTILINE) == ["SYSADMIN"]
    assert "CREATE OR ALTER WAREHOUSE" in only
    assert "CREATE USER" not in only


def test_readers_get_views_by_name_and_nothing_else() -> None:
    account = declare(settings())
    readers = {account.roles[layer].name for layer in (Layer.ANALYST, Layer.AGENT)}
    objects = {(each.kind, each.name.rpartition(".")[2]) for each in account.grants if each.role in readers}

    assert not {kind for kind, _ in objects} & {"TABLES", "VIEWS"}
    assert {name for kind, name in objects if kind == "TABLE"} == {"CORTEX_GONG_CALL_TRANSCRIPTS"}


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ({"hubspot_database": "crm"},
         {("DATABASE", "CRM"), ("SCHEMA", "CRM.HUBSPOT"), ("TABLES", "CRM.HUBSPOT")}),
        ({"hubspot_database": "sophia_ai"},
         {("SCHEMA", "SOPHIA_AI.HUBSPOT"), ("TABLES", "SOPHIA_AI.HUBSPOT")}),
        ({"hubspot_database": "sophia_ai", "hubspot_schema": "gong_data"}, set()),
    ],
)  # fmt: skip
def test_the_transformer_reads_the_tables_of_a_connector(place: Any, expected: set[tuple[str, str]]) -> None:
    """Wherever they are: a connector may have a schema of its own in the database of the graph."""
    account = declare(settings(**{"hubspot_shape": "fivetran", "hubspot_schema": "hubspot", **place}))

    assert expected == {
        (each.kind, each.name)
        for each in account.grants
        if each.role == "GONG_ASSETS_TRANSFORMER"
        and each.privilege in ("USAGE", "SELECT")
        and each.kind in ("DATABASE", "SCHEMA", "TABLES")
    } - {("DATABASE", "SOPHIA_AI"), ("SCHEMA", "SOPHIA_AI.GONG_DATA"), ("TABLES", "SOPHIA_AI.GONG_DATA")}


def test_with_cortex_search_agents_read_no_embeddings() -> None:
    account = declare(settings(**EVERYTHING))

    assert not [each for each in account.grants if each.kind == "TABLE"]


AGENT_OBJECTS = {
    ("SELECT", "SEMANTIC VIEW", "GONG_SEMANTIC_VIEW"),
    ("REFERENCES", "SEMANTIC VIEW", "GONG_SEMANTIC_VIEW"),
    ("USAGE", "AGENT", "GONG_AGENT"),
    ("USAGE", "MCP SERVER", "GONG_MCP_SERVER"),
}
SEARCH_SERVICE = ("USAGE", "CORTEX SEARCH SERVICE", "GONG_CALL_SEARCH")
CREATED = {"CREATE SEMANTIC VIEW", "CREATE AGENT", "CREATE MCP SERVER"}
KINDS = {"SEMANTIC VIEW", "AGENT", "MCP SERVER", "CORTEX SEARCH SERVICE"}


@pytest.mark.parametrize(
    ("values", "expected", "views"),
    [
        ({}, {*AGENT_OBJECTS, SEARCH_SERVICE}, {"VW_GONG_CALL_RISKS", "VW_SALES_PERFORMANCE_ANALYSIS"}),
        ({"gong_include_private_calls": True}, {*AGENT_OBJECTS, SEARCH_SERVICE}, {"VW_GONG_CALL_RISKS"}),
        (
            {"gong_provision_agents_see_personal_data": False},
            AGENT_OBJECTS,
            {"VW_GONG_CALL_RISKS", "VW_SALES_PERFORMANCE_ANALYSIS"},
        ),
        ({"gong_agent_objects": False}, set(), set()),
    ],
    ids=["all", "private calls", "masked", "without"],
)
def test_only_agents_are_granted_the_objects_for_agents(
    values: dict[str, Any], expected: set[tuple[str, str, str]], views: set[str]
) -> None:
    account = declare(settings(**{**EVERYTHING, **values}))
    grants = [each for each in account.grants if each.kind in KINDS]
    agent = account.roles[Layer.AGENT].name
    readable = {
        each.name.rpartition(".")[2] for each in account.grants if each.role == agent and each.kind == "VIEW"
    }

    assert {(each.privilege, each.kind, each.name.rpartition(".")[2]) for each in grants} == expected
    assert {each.role for each in grants} <= {agent}
    assert all(each.is_late for each in grants)
    assert readable == {*AGENT_VIEWS, *views}


def test_the_enricher_creates_them_because_the_transformer_reads_unmasked_values() -> None:
    account = declare(settings(**EVERYTHING))
    creators = {each.role for each in account.grants if each.privilege in CREATED}

    assert creators == {account.roles[Layer.ENRICHER].name}
    for policy in account.masking_policies:
        assert f"INVOKER_ROLE() = '{account.roles[Layer.TRANSFORMER].name}'" in policy.body
        assert f"INVOKER_ROLE() = '{account.roles[Layer.ENRICHER].name}'" not in policy.body


def test_roles_that_use_cortex_have_its_database_role() -> None:
    def using(**values: Any) -> set[str]:
        account = declare(settings(**{**EVERYTHING, **values}))
        return {each.role for each in account.grants if each.name == "SNOWFLAKE.CORTEX_USER"}

    assert using() == {"GONG_ASSETS_ENRICHER", "GONG_ASSETS_TRANSFORMER", "GONG_ASSETS_AGENT"}
    assert using(gong_agent_objects=False) == {"GONG_ASSETS_ENRICHER", "GONG_ASSETS_TRANSFORMER"}
    assert using(gong_cortex_search=False) == {"GONG_ASSETS_ENRICHER", "GONG_ASSETS_AGENT"}


def test_analysts_read_every_view_of_people() -> None:
    models = {file.stem.upper() for file in MODELS.rglob("vw_*.sql")}

    assert models == set(ANALYST_VIEWS)


def test_every_masked_type_has_a_policy() -> None:
    """A column with the tag and another type would not be masked."""
    import yaml

    types = set()
    for file in MODELS.rglob("*.yml"):
        for model in yaml.safe_load(file.read_text("utf-8")).get("models") or []:
            tags = governed_models().get(model["name"].upper())
            for column in model.get("columns") or []:
                if tags and column["name"].upper() in tags.tags:
                    types.add(column["data_type"].upper())

    assert types <= {"VARCHAR", "ARRAY", "VARIANT"}


def test_views_with_private_rows_have_a_row_access_policy() -> None:
    import yaml

    for file in MODELS.rglob("vw_*.yml"):
        for model in yaml.safe_load(file.read_text("utf-8")).get("models") or []:
            shows_private = "is_private" in {column["name"] for column in model["columns"]}
            if shows_private and model["name"].startswith("vw_"):
                governed = governed_models()[model["name"].upper()]
                assert governed.row_access is not None, model["name"]


def test_public_keys_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "pipeline.pub").write_text(
        "-----BEGIN PUBLIC KEY-----\nAAAA\nBBBB\n-----END PUBLIC KEY-----\n"
    )
    (tmp_path / "pipeline_2.pub").write_text("-----BEGIN PUBLIC KEY-----\nCCCC\n-----END PUBLIC KEY-----\n")

    sql = script(declare(settings(gong_provision_public_keys=tmp_path)))

    assert "RSA_PUBLIC_KEY = 'AAAABBBB' RSA_PUBLIC_KEY_2 = 'CCCC'" in sql
    assert sql.count("RSA_PUBLIC_KEY") == 2


def test_a_private_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "agents.pub").write_text(pem())

    with pytest.raises(SettingsError, match="is a private key"):
        declare(settings(gong_provision_public_keys=tmp_path))


def test_a_text_in_a_name_or_address_is_refused() -> None:
    for values in (
        {"gong_provision_prefix": "a; DROP"},
        {"gong_provision_user": "a SET PASSWORD"},
        {"gong_provision_warehouse": '"a"'},
        {"gong_provision_allowed_ips": "1.2.3.4'"},
    ):
        with pytest.raises(ValueError, match=r"(?i)gong_provision"):
            settings(**values)


def test_the_budget_has_the_users_warehouses_and_ai_functions() -> None:
    """In the forms of https://docs.snowflake.com/en/sql-reference/classes/budget; not run on an account."""
    sql = [each.sql for each in statements(declare(settings(**EVERYTHING))) if "BUDGET" in each.sql]
    place = "SOPHIA_AI.GONG_DATA.GONG_ASSETS_BUDGET"
    tagged = [each for each in sql if each.endswith(f" SET TAG {place}_TAG = 'gong_assets'")]
    assert len(tagged) == len(declare(settings(**EVERYTHING)).warehouses) + 2
    reference = f"(SELECT SYSTEM$REFERENCE('TAG', '{place}_TAG', 'SESSION', 'APPLYBUDGET'))"
    assert [each for each in sql if each not in tagged] == [
        f"CREATE OR ALTER TAG {place}_TAG",
        f"CREATE SNOWFLAKE.CORE.BUDGET IF NOT EXISTS {place} ()",
        f"CALL {place}!SET_SPENDING_LIMIT(500)",
        f"CALL {place}!SET_RESOURCE_TAGS([[{reference}, 'gong_assets']], 'UNION')",
        f"CALL {place}!SET_USER_TAGS([[{reference}, 'gong_assets']], 'UNION')",
        f"CALL {place}!ADD_SHARED_RESOURCE('AI FUNCTION')",
    ]
    assert not [each for each in statements(declare(settings())) if "BUDGET" in each.sql]


def test_a_budget_on_the_local_stack_is_refused() -> None:
    with pytest.raises(ValueError, match="GONG_PROVISION_BUDGET_CREDITS: exists on Snowflake only"):
        settings(gong_provision_budget_credits=1)
