"""That the graph says when HubSpot is not there, and when it is not the one that calls refer to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from gong_assets.cli import doctor
from gong_assets.cli.doctor.hubspot import check_hubspot
from gong_assets.defs.checks.hubspot import (
    KEPT_HINT,
    MAX_UNKNOWN_FRACTION,
    MAX_UNLABELLED_FRACTION,
    STAGE_TABLES,
    TABLES,
    build_hubspot_checks,
    find_source_tables,
)
from gong_assets.defs.resources import SnowflakeResource
from gong_assets.settings import HubSpotShape, Settings
from gong_assets.warehouse.connection import Warehouse

SHARE = "CHECKED_SHARE"


def evaluated(name: str, settings: Settings, snowflake: SnowflakeResource) -> dg.AssetCheckEvaluation:
    """What one of the checks says, as Dagster runs it."""
    checks = build_hubspot_checks(settings)
    (key,) = (key for check in checks for key in check.check_keys if key.name == name)
    job = dg.define_asset_job("check", selection=dg.AssetSelection.checks(key))
    defs = dg.Definitions(asset_checks=checks, jobs=[job], resources={"gong_snowflake": snowflake})
    run = defs.resolve_job_def("check").execute_in_process()
    assert run.success
    (evaluation,) = run.get_asset_check_evaluations()
    return evaluation


def metadata(evaluation: dg.AssetCheckEvaluation) -> dict[str, Any]:
    return {name: getattr(value, "data", value.value) for name, value in evaluation.metadata.items()}


@pytest.fixture
def snowflake(warehouse: Warehouse) -> SnowflakeResource:
    return SnowflakeResource(arguments={**warehouse.arguments, "authenticator": "snowflake"})


@pytest.fixture
def share(warehouse: Warehouse) -> Iterator[None]:
    """A database with all tables of the share, each with a row, and a schema of views of them."""
    warehouse.query(f"CREATE OR REPLACE DATABASE {SHARE}")
    for schema in ("V2_DAILY", "V2_LIVE"):
        warehouse.query(f"CREATE SCHEMA IF NOT EXISTS {SHARE}.{schema}")
    for table in TABLES["share"]:
        warehouse.query(f"CREATE TABLE {SHARE}.V2_DAILY.{table} AS SELECT 1 AS OBJECTID")
        warehouse.query(
            f"CREATE SECURE VIEW {SHARE}.V2_LIVE.{table} AS SELECT * FROM {SHARE}.V2_DAILY.{table}"
        )
    yield
    warehouse.query(f"DROP DATABASE {SHARE}")


def settings(home: Path, **hubspot: Any) -> Settings:
    return Settings(gong_assets_home=home, **{"hubspot_database": SHARE, **hubspot})


@pytest.mark.slow
@pytest.mark.usefixtures("share")
@pytest.mark.parametrize("schema", ["V2_DAILY", "V2_LIVE"])
def test_a_share_with_all_its_tables_or_views_is_there(
    snowflake: SnowflakeResource, tmp_path: Path, schema: str
) -> None:
    check = evaluated("hubspot_is_shared", settings(tmp_path, hubspot_schema=schema), snowflake)
    assert check.passed
    assert metadata(check) == {"location": f"{SHARE}.{schema}", "shape": "share"}


@pytest.mark.slow
@pytest.mark.usefixtures("share")
def test_a_missing_and_an_empty_table_are_named(
    warehouse: Warehouse, snowflake: SnowflakeResource, tmp_path: Path
) -> None:
    warehouse.query(f"DROP TABLE {SHARE}.V2_DAILY.OWNERS")
    warehouse.query(f"DELETE FROM {SHARE}.V2_DAILY.OBJECTS_CONTACTS")
    check = evaluated("hubspot_is_shared", settings(tmp_path), snowflake)
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    found = metadata(check)
    assert list(found["missing"]) == ["OWNERS"]
    assert "does not exist or not authorized" in found["missing"]["OWNERS"]
    assert found["empty"] == ["OBJECTS_CONTACTS"]


@pytest.mark.slow
@pytest.mark.usefixtures("share")
def test_a_table_that_is_lost_after_it_was_staged_is_an_error(
    warehouse: Warehouse, snowflake: SnowflakeResource, tmp_path: Path
) -> None:
    warehouse.query(
        "CREATE TABLE STG_HUBSPOT_DEALS AS "
        "SELECT '1' AS DEAL_ID, 'o@seller.example' AS DEAL_OWNER_EMAIL, NULL AS ASSOCIATED_CONTACT_ID"
    )
    warehouse.query("CREATE TABLE STG_HUBSPOT_CONTACTS AS SELECT '1' AS CONTACT_ID")
    warehouse.query("CREATE TABLE STG_HUBSPOT_COMPANIES (COMPANY_ID VARCHAR)")
    assert evaluated("hubspot_is_shared", settings(tmp_path), snowflake).passed

    warehouse.query(f"DROP TABLE {SHARE}.V2_DAILY.OBJECTS_DEALS")
    warehouse.query(f"DELETE FROM {SHARE}.V2_DAILY.OBJECTS_CONTACTS")
    for table in ("OBJECTS_COMPANIES", "OWNERS", "ASSOCIATIONS_DEALS_TO_CONTACTS"):
        warehouse.query(f"DROP TABLE {SHARE}.V2_DAILY.{table}")
    check = evaluated("hubspot_is_shared", settings(tmp_path), snowflake)
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.ERROR)
    found = metadata(check)
    assert set(found["missing"]) == {
        "OBJECTS_DEALS", "OBJECTS_COMPANIES", "OWNERS", "ASSOCIATIONS_DEALS_TO_CONTACTS"
    }  # fmt: skip
    assert found["kept"] == [
        "stg_hubspot_deals.deal_id", "stg_hubspot_contacts.contact_id", "stg_hubspot_deals.deal_owner_email"
    ]  # fmt: skip
    assert "runs keep the models that read them" in found["what_to_do"]
    with warehouse.connect() as connection:
        assert find_source_tables(connection, settings(tmp_path)).kept == found["kept"]
    result = check_hubspot(settings(tmp_path), warehouse)
    assert result.status == "fail"
    assert KEPT_HINT in result.message


def test_a_database_that_does_not_exist_is_a_warning_that_says_what_to_set_and_to_grant(
    snowflake: SnowflakeResource, tmp_path: Path
) -> None:
    check = evaluated(
        "hubspot_is_shared",
        settings(tmp_path, hubspot_database="NOT_MOUNTED", snowflake_role="LOADER"),
        snowflake,
    )
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    found = metadata(check)
    assert found["location"] == "NOT_MOUNTED.V2_DAILY"
    assert list(found["missing"]) == list(TABLES["share"])
    for named in ("HUBSPOT_DATABASE", "HUBSPOT_SCHEMA", "HUBSPOT_SHAPE", *TABLES):
        assert named in found["what_to_do"]
    assert "GRANT IMPORTED PRIVILEGES ON DATABASE NOT_MOUNTED TO ROLE LOADER" in found["what_to_do"]


@pytest.mark.usefixtures("share")
@pytest.mark.parametrize("shape", [shape for shape in TABLES if shape != "share"])
def test_a_share_read_in_another_shape_lacks_that_shapes_tables(
    snowflake: SnowflakeResource, tmp_path: Path, shape: HubSpotShape
) -> None:
    check = evaluated("hubspot_is_shared", settings(tmp_path, hubspot_shape=shape), snowflake)
    found = metadata(check)
    assert found["shape"] == shape
    assert set(found["missing"]) == set(TABLES[shape]) - set(TABLES["share"])
    assert "IMPORTED PRIVILEGES" not in found["what_to_do"]


def stage(warehouse: Warehouse, known: int, unknown: int) -> None:
    """Create calls about the deal in HubSpot and about other deals. The first names a deal merged into it."""
    warehouse.query("CREATE TABLE STG_HUBSPOT_DEALS AS SELECT '1' AS DEAL_ID")
    warehouse.query(
        "CREATE TABLE STG_HUBSPOT_MERGED_RECORDS AS "
        "SELECT 'Opportunity' AS OBJECT_TYPE, '0' AS MERGED_ID, '1' AS SURVIVOR_ID"
    )
    warehouse.query(
        "CREATE TABLE STG_GONG_CALL_CRM_LINKS "
        "(CALL_ID VARCHAR, CRM_SYSTEM VARCHAR, OBJECT_TYPE VARCHAR, OBJECT_ID VARCHAR, IS_CURRENT BOOLEAN)"
    )
    links = [(f"known {number}", "1" if number else "0") for number in range(known)]
    links += [(f"unknown {number}", f"{90 + number % 2}") for number in range(unknown)]
    rows = [(call_id, "HubSpot", "Opportunity", deal_id, "true") for call_id, deal_id in links]
    # None of these counts: another CRM's deal, a company, a link of the past.
    rows += [
        ("other", "Salesforce", "Opportunity", "95", "true"),
        ("other", "HubSpot", "Account", "96", "true"),
        ("other", "HubSpot", "Opportunity", "97", "false"),
    ]
    values = ", ".join(str(row) for row in rows)
    warehouse.query(
        "INSERT INTO STG_GONG_CALL_CRM_LINKS SELECT COLUMN1, COLUMN2, COLUMN3, COLUMN4, COLUMN5::BOOLEAN "
        f"FROM VALUES {values}"
    )


def test_calls_about_deals_that_hubspot_does_not_have_are_counted_and_shown(
    warehouse: Warehouse, snowflake: SnowflakeResource, tmp_path: Path
) -> None:
    stage(warehouse, known=2, unknown=3)
    check = evaluated("hubspot_knows_the_deals", settings(tmp_path), snowflake)
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert metadata(check) == {
        "calls_with_a_deal": 5,
        "calls_with_an_unknown_deal": 3,
        "share": 0.6,
        "unknown_deals": [
            {"deal_id": "90", "calls": 2, "example_call_id": "unknown 0"},
            {"deal_id": "91", "calls": 1, "example_call_id": "unknown 1"},
        ],
    }


def test_a_few_calls_about_deleted_deals_are_no_warning_and_are_shown(
    warehouse: Warehouse, snowflake: SnowflakeResource, tmp_path: Path
) -> None:
    stage(warehouse, known=9, unknown=1)
    check = evaluated("hubspot_knows_the_deals", settings(tmp_path), snowflake)
    assert check.passed
    assert metadata(check)["share"] == MAX_UNKNOWN_FRACTION
    assert [deal["deal_id"] for deal in metadata(check)["unknown_deals"]] == ["90"]


def test_no_call_about_a_deal_is_no_warning(
    warehouse: Warehouse, snowflake: SnowflakeResource, tmp_path: Path
) -> None:
    stage(warehouse, known=0, unknown=0)
    check = evaluated("hubspot_knows_the_deals", settings(tmp_path), snowflake)
    assert check.passed
    assert metadata(check) == {"calls_with_a_deal": 0, "calls_with_an_unknown_deal": 0, "share": 0.0}


def stage_deals(warehouse: Warehouse, labelled: int, unlabelled: int) -> None:
    """Deals in stages with and without a label, and one that is in none."""
    deals = [("closedwon", "Closed Won")] * labelled
    deals += [(f"807019{number % 2}", f"807019{number % 2}") for number in range(unlabelled)]
    values = ", ".join(str(deal) for deal in deals)
    warehouse.query(
        "CREATE TABLE STG_HUBSPOT_DEALS AS SELECT COLUMN1 AS DEAL_STAGE_ID, COLUMN2 AS DEAL_STAGE "
        f"FROM VALUES {values}, (NULL, NULL)"
    )


@pytest.mark.parametrize("shape", STAGE_TABLES)
def test_stages_that_show_as_ids_are_named_with_the_table_that_has_their_labels(
    warehouse: Warehouse, snowflake: SnowflakeResource, tmp_path: Path, shape: HubSpotShape
) -> None:
    stage_deals(warehouse, labelled=2, unlabelled=3)
    check = evaluated("hubspot_labels_the_stages", settings(tmp_path, hubspot_shape=shape), snowflake)
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    found = metadata(check)
    what_to_do = found.pop("what_to_do")
    assert found == {
        "deals_in_a_stage": 5,
        "deals_in_a_stage_without_label": 3,
        "share": 0.6,
        "stages_without_label": {"8070190": 2, "8070191": 1},
    }
    assert f"{SHARE}.V2_DAILY.{STAGE_TABLES[shape]}" in what_to_do
    assert f"gong_assets/dbt/macros/hubspot/{shape}.sql" in what_to_do


@pytest.mark.parametrize(("labelled", "unlabelled"), [(9, 1), (1, 0)])
def test_a_few_deals_in_stages_that_were_deleted_are_no_warning(
    warehouse: Warehouse, snowflake: SnowflakeResource, tmp_path: Path, labelled: int, unlabelled: int
) -> None:
    stage_deals(warehouse, labelled, unlabelled)
    check = evaluated("hubspot_labels_the_stages", settings(tmp_path), snowflake)
    assert check.passed
    found = metadata(check)
    assert found["share"] == (MAX_UNLABELLED_FRACTION if unlabelled else 0)
    assert "what_to_do" not in found


def test_the_tables_with_labels_are_looked_for_and_the_plain_shape_needs_none(tmp_path: Path) -> None:
    assert STAGE_TABLES.keys() == TABLES.keys() - {"plain"}
    assert all(table in TABLES[shape] for shape, table in STAGE_TABLES.items())
    names = {
        key.name
        for check in build_hubspot_checks(settings(tmp_path, hubspot_shape="plain"))
        for key in check.check_keys
    }
    assert names == {"hubspot_is_shared", "hubspot_knows_the_deals"}


@pytest.mark.usefixtures("share")
def test_the_doctor_reads_the_views_of_a_live_share(warehouse: Warehouse, tmp_path: Path) -> None:
    finding = doctor.check_hubspot(settings(tmp_path, hubspot_schema="V2_LIVE"), warehouse)
    assert finding == doctor.CheckResult("ok", "hubspot", f"{SHARE}.V2_LIVE (shape share) can be read")


@pytest.mark.parametrize("shape", TABLES)
def test_the_doctor_names_the_tables_of_the_shape_that_are_missing(
    warehouse: Warehouse, tmp_path: Path, shape: HubSpotShape
) -> None:
    finding = doctor.check_hubspot(
        settings(tmp_path, hubspot_database="NOT_MOUNTED", hubspot_shape=shape), warehouse
    )
    assert finding.status == "fail"
    assert finding.message.startswith(
        f"not found in NOT_MOUNTED.V2_DAILY (shape {shape}): {', '.join(TABLES[shape])}. "
    )
    assert "HUBSPOT_SHAPE" in finding.message
