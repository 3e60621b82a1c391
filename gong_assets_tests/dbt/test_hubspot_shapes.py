"""HubSpot shapes: one invented portal produces the same staged tables in each shape.

The other tests use V2_DAILY, the tables of HubSpot's share.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest

from gong_assets.defs.checks.hubspot import TABLES
from gong_assets.settings import HubSpotShape
from gong_assets.warehouse.hubspot_tables import hubspot_tables
from gong_assets.warehouse.tables import create_raw_tables
from gong_assets_tests.dbt.hubspot_portals import CHANGED, PORTALS, SHAPES
from gong_assets_tests.dbt.project import DbtProject, connected_to
from gong_assets_tests.dbt.records import FULL
from gong_assets_tests.dbt.test_sql import SNOWFLAKE_FUNCTIONS
from gong_assets_tests.dbt.warehouse import Tables, Warehouse
from gong_assets_tests.snowflake_sql import functions, violations

pytestmark = [pytest.mark.extended, pytest.mark.xdist_group("dbt")]

MODELS = {
    "stg_hubspot_deals": "DEAL_ID",
    "stg_hubspot_deal_stages": "STAGE_ID",
    "stg_hubspot_contacts": "CONTACT_ID",
    "stg_hubspot_companies": "COMPANY_ID",
    "stg_hubspot_merged_records": "MERGED_RECORD_ID",
}

DEALS = [
    {
        "DEAL_ID": "8070190", "DEAL_NAME": "Renewal 2027", "DEAL_STAGE": "Closed Won",
        "DEAL_STAGE_ID": "closedwon",
        "DEAL_AMOUNT": Decimal("15000.50"), "DEAL_AMOUNT_IN_HOME_CURRENCY": Decimal("15000.50"),
        "DEAL_CURRENCY_CODE": "EUR", "HOME_CURRENCY_CODE": "EUR", "DEAL_AMOUNT_PROBLEM": None,
        "CLOSE_DATE": date(2026, 11, 12), "CREATE_DATE": date(2026, 10, 1),
        "PIPELINE_NAME": "Sales Pipeline", "DEAL_OWNER": "Olga Owner",
        "DEAL_OWNER_EMAIL": "olga@seller.example",
        "DEAL_SOURCE": None, "DEAL_TYPE": "newbusiness", "ASSOCIATED_CONTACT_ID": "8801",
        "ASSOCIATED_COMPANY_ID": "555",
        "DEAL_STATUS": "Won", "UPDATED_AT": datetime.fromisoformat(CHANGED),
    },
    {
        "DEAL_ID": "8070301", "DEAL_NAME": "Expansion", "DEAL_STAGE": "Renewed", "DEAL_STAGE_ID": "8070199",
        "DEAL_AMOUNT": Decimal("7.00"), "DEAL_AMOUNT_IN_HOME_CURRENCY": Decimal("6.50"),
        "DEAL_CURRENCY_CODE": "USD", "HOME_CURRENCY_CODE": "EUR", "DEAL_AMOUNT_PROBLEM": None,
        "CLOSE_DATE": date(2026, 11, 13), "CREATE_DATE": date(2026, 10, 1),
        "PIPELINE_NAME": "Sales Pipeline", "DEAL_OWNER": None, "DEAL_OWNER_EMAIL": None,
        "DEAL_SOURCE": None, "DEAL_TYPE": "newbusiness", "ASSOCIATED_CONTACT_ID": "8804",
        "ASSOCIATED_COMPANY_ID": "999",
        "DEAL_STATUS": "Won", "UPDATED_AT": datetime.fromisoformat(CHANGED),
    },
    {
        "DEAL_ID": "8070302", "DEAL_NAME": "Merged", "DEAL_STAGE": "Contract Sent",
        "DEAL_STAGE_ID": "8070191",
        "DEAL_AMOUNT": None, "DEAL_AMOUNT_IN_HOME_CURRENCY": None, "DEAL_CURRENCY_CODE": "EUR",
        "HOME_CURRENCY_CODE": "EUR", "CLOSE_DATE": date(2099, 1, 1),
        "CREATE_DATE": date(2026, 10, 1),
        "PIPELINE_NAME": "Sales Pipeline", "DEAL_OWNER": "Olga Owner",
        "DEAL_OWNER_EMAIL": "olga@seller.example",
        "DEAL_SOURCE": None, "DEAL_TYPE": "newbusiness", "ASSOCIATED_CONTACT_ID": None,
        "ASSOCIATED_COMPANY_ID": None,
        "DEAL_STATUS": "In Progress", "UPDATED_AT": datetime.fromisoformat(CHANGED),
    },
    {
        "DEAL_ID": "8070307", "DEAL_NAME": "Closed", "DEAL_STAGE": "8070198", "DEAL_STAGE_ID": "8070198",
        "DEAL_AMOUNT": Decimal("5.00"), "DEAL_AMOUNT_IN_HOME_CURRENCY": Decimal("5.00"),
        "DEAL_CURRENCY_CODE": "EUR", "HOME_CURRENCY_CODE": "EUR", "DEAL_AMOUNT_PROBLEM": None,
        "CLOSE_DATE": date(2026, 11, 13), "CREATE_DATE": date(2026, 10, 1),
        "PIPELINE_NAME": "Sales Pipeline", "DEAL_OWNER": "Olga Owner",
        "DEAL_OWNER_EMAIL": "olga@seller.example",
        "DEAL_SOURCE": None, "DEAL_TYPE": "newbusiness", "ASSOCIATED_CONTACT_ID": None,
        "ASSOCIATED_COMPANY_ID": None,
        "DEAL_STATUS": "Won", "UPDATED_AT": datetime.fromisoformat(CHANGED),
    },
]  # fmt: skip
CONTACTS = [
    {
        "CONTACT_ID": contact_id, "FIRST_NAME": "Carl", "LAST_NAME": last_name,
        "EMAIL": "carl@customer.example",
        "COMPANY_NAME": "Customer", "JOB_TITLE": "CTO", "LIFECYCLE_STAGE": "customer",
        "CREATE_DATE": date(2026, 10, 1),
        "UPDATED_AT": datetime.fromisoformat(CHANGED),
    }
    for contact_id, last_name in (("8801", "One"), ("8802", "Two"), ("8804", "Four"))
]  # fmt: skip
COMPANIES = [
    {
        "COMPANY_ID": company_id, "COMPANY_NAME": name, "DOMAIN": "customer.example", "INDUSTRY": "SOFTWARE",
        "ANNUAL_REVENUE": Decimal("2000000.00"), "NUMBER_OF_EMPLOYEES": 250,
        "COMPANY_SIZE_CATEGORY": "Mid-Market",
        "REVENUE_CATEGORY": "Low", "UPDATED_AT": datetime.fromisoformat(CHANGED),
    }
    for company_id, name in (("111", "Partner"), ("555", "Customer Limited"), ("999", "Both"))
]  # fmt: skip
MERGED = {
    ("Account", "998"): "999",
    ("Contact", "8803"): "8804",
    ("Opportunity", "8070303"): "8070302",
    ("Opportunity", "8070304"): "8070302",
}
# These columns depend on the day of the build.
CLOCKED = {"DAYS_SINCE_CREATED", "DAYS_TO_CLOSE", "LAST_REFRESHED"}
# A plain table has dates without a time.
MOMENTS = {"CLOSE_DATETIME_UTC", "CREATE_DATETIME_UTC"}


@dataclass(frozen=True)
class Staged:
    tables: Tables
    output: str
    compiled: dict[str, str]
    sources: set[str]  # that the models read

    def rows(self, model: str) -> list[dict[str, Any]]:
        return [
            {name: value for name, value in row.items() if name not in CLOCKED | MOMENTS}
            for _, row in sorted(self.tables[model].items())
        ]


def use_empty_schema(warehouse: Warehouse) -> None:
    """Create the schema in which the models are built, empty, and make it the current one."""
    warehouse.query("drop schema if exists sophia_ai.staged cascade")
    warehouse.query("create schema sophia_ai.staged")


@pytest.fixture(scope="module")
def stage(warehouse: Warehouse, project: DbtProject) -> Iterator[Callable[..., Staged]]:
    def staged(**environment: str) -> Staged:
        use_empty_schema(warehouse)
        warehouse.query("use schema sophia_ai.gong_data")
        variables = {**project.environment, "SNOWFLAKE_SCHEMA": "STAGED"}
        with connected_to(variables) as (connection, _):
            create_raw_tables(connection, ())  # contacts that were erased are left out
        output = project.succeed("run", "--select", *MODELS, SNOWFLAKE_SCHEMA="STAGED", **environment)
        manifest = project.manifest()
        sources = {
            manifest["sources"][key]["name"].upper()
            for name in MODELS
            for key in manifest["parent_map"][f"model.gong_assets.{name}"]
            if key.startswith("source.")
        }
        tables = {name: warehouse.rows(f"staged.{name}", key) for name, key in MODELS.items()}
        compiled = {name: sql for name, sql in project.compiled().items() if name in MODELS}
        return Staged(tables, output, compiled, sources)

    yield staged
    warehouse.query("use schema sophia_ai.gong_data")


@pytest.fixture(scope="module", params=SHAPES)
def staged(request: pytest.FixtureRequest, warehouse: Warehouse, stage: Callable[..., Staged]) -> Staged:
    schema: str = request.param
    warehouse.query("create database if not exists portal")
    for name in {schema, "V2_DAILY", "V2_LIVE"}:
        warehouse.query(f"create schema if not exists portal.{name}")
    for statement in filter(str.strip, PORTALS[schema].split(";\n")):
        warehouse.query(statement)
    warehouse.query("use schema sophia_ai.gong_data")
    return stage(HUBSPOT_SHAPE=SHAPES[schema], HUBSPOT_DATABASE="PORTAL", HUBSPOT_SCHEMA=schema)


def test_deals_have_labels_owners_and_main_records_and_deleted_ones_are_absent(
    staged: Staged,
) -> None:
    found = staged.rows("stg_hubspot_deals")
    # The text of the absurd amount differs.
    problem = found[2].pop("DEAL_AMOUNT_PROBLEM")
    assert found == DEALS
    assert problem.split(":")[0] in ("Too Large", "Not a Number")


def test_deals_have_the_moments_that_the_source_has(staged: Staged, request: pytest.FixtureRequest) -> None:
    deal = staged.tables["stg_hubspot_deals"]["8070190"]
    moments = (datetime(2026, 11, 12, 23, 30), datetime(2026, 10, 1, 0, 30))
    is_plain = request.node.callspec.params["staged"] == "PLAIN"
    found = (deal["CLOSE_DATETIME_UTC"], deal["CREATE_DATETIME_UTC"])
    assert found == ((None, None) if is_plain else moments)


def test_dates_are_of_the_companys_time_zone_in_every_shape(
    staged: Staged, stage: Callable[..., Staged], request: pytest.FixtureRequest
) -> None:
    schema = request.node.callspec.params["staged"]
    tokyo = stage(
        HUBSPOT_SHAPE=SHAPES[schema], HUBSPOT_DATABASE="PORTAL", HUBSPOT_SCHEMA=schema,
        GONG_COMPANY_TIMEZONE="Asia/Tokyo",
    )  # fmt: skip
    deal = tokyo.tables["stg_hubspot_deals"]["8070190"]
    # A date without a time is not converted.
    assert deal["CLOSE_DATE"] == date(2026, 11, 12 if schema == "PLAIN" else 13)


def test_stage_ids_have_the_labels_of_the_deals_in_every_shape(staged: Staged) -> None:
    labels = {stage: row["STAGE_LABEL"] for stage, row in staged.tables["stg_hubspot_deal_stages"].items()}
    assert labels["closedwon"] == "Closed Won"
    assert [labels.get(deal["DEAL_STAGE_ID"], deal["DEAL_STAGE_ID"]) for deal in DEALS] == [
        deal["DEAL_STAGE"] for deal in DEALS
    ]


def test_contacts_are_the_same_in_every_shape(staged: Staged) -> None:
    assert staged.rows("stg_hubspot_contacts") == CONTACTS


def test_companies_are_the_same_in_every_shape(staged: Staged) -> None:
    assert staged.rows("stg_hubspot_companies") == COMPANIES


def test_merged_ids_map_to_their_survivors(staged: Staged) -> None:
    found = staged.tables["stg_hubspot_merged_records"].values()
    assert {(row["OBJECT_TYPE"], row["MERGED_ID"]): row["SURVIVOR_ID"] for row in found} == MERGED


def test_no_shape_misses_a_table_or_calls_an_unknown_function(staged: Staged) -> None:
    assert "does not exist" not in staged.output
    unknown = {name: functions(sql) - SNOWFLAKE_FUNCTIONS for name, sql in staged.compiled.items()}
    assert {name: names for name, names in unknown.items() if names} == {}
    assert [violations(sql) for sql in staged.compiled.values()] == [[]] * len(MODELS)


def test_the_models_read_exactly_the_tables_of_the_shape(
    staged: Staged, request: pytest.FixtureRequest
) -> None:
    shape = SHAPES[request.node.callspec.params["staged"]]
    assert staged.sources == {table.name for table in hubspot_tables() if shape in table.shapes}


def test_every_shape_of_the_settings_has_tables() -> None:
    assert set(get_args(HubSpotShape)) == set(TABLES)


@pytest.mark.parametrize("shape", TABLES)
def test_the_documentation_lists_the_tables_of_each_shape(shape: str) -> None:
    documentation = (Path(__file__).parents[2] / "docs" / "hubspot.md").read_text("utf-8")
    section = documentation.partition(f"### `{shape}`\n")[2].partition("\n#")[0]
    listed = set(re.findall("`([A-Z_]+)`", section.partition("Tables: ")[2].partition("\n\n")[0]))
    assert listed == {table.name for table in hubspot_tables() if shape in table.shapes}


def test_without_its_database_hubspot_is_empty_and_dbt_names_the_missing_tables(
    stage: Callable[..., Staged],
) -> None:
    without = stage(HUBSPOT_DATABASE="NOT_MOUNTED")
    assert without.tables == {name: {} for name in MODELS}
    for table in TABLES["share"]:
        assert f"NOT_MOUNTED.V2_DAILY.{table.lower()} does not exist" in without.output


def test_without_hubspot_the_graph_is_built_and_calls_keep_their_deals_from_gong(
    warehouse: Warehouse, project: DbtProject, built: Tables
) -> None:
    use_empty_schema(warehouse)
    try:
        warehouse.land_everything()
        project.succeed(
            *("build", "--exclude-resource-type", "unit_test"),
            HUBSPOT_DATABASE="NOT_MOUNTED",
            SNOWFLAKE_SCHEMA="STAGED",
        )
        tables = warehouse.tables()
    finally:
        warehouse.query("use schema gong_data")

    calls = tables["vw_enriched_gong_calls"]
    assert calls.keys() == built["vw_enriched_gong_calls"].keys()
    assert {call["DEAL_OUTCOME"] for call in calls.values()} == {None}
    assert (calls[FULL]["HUBSPOT_DEAL_ID"], calls[FULL]["DEAL_NAME"]) == ("8070190", "Customer Ltd renewal")
    assert tables["vw_deal_risk"] == {}
    months = tables["vw_sales_performance_analysis"].values()
    assert sum(month["TOTAL_CALLS"] for month in months) == len(calls)
    assert {(month["DEALS_WON"], month["REVENUE_WON"]) for month in months} == {(0, 0)}
    assert {event["EVENT_TYPE"] for event in tables["vw_account_timeline"].values()} == {"Call"}
    assert tables["vw_coaching_opportunities"].keys() == built["vw_coaching_opportunities"].keys()


def test_an_unknown_shape_is_rejected_by_name(project: DbtProject) -> None:
    rejected = project.command("parse", HUBSPOT_SHAPE="fancy")
    assert rejected.returncode != 0
    assert "HUBSPOT_SHAPE is 'fancy'; it must be one of: share, fivetran, airbyte, plain" in rejected.stdout
