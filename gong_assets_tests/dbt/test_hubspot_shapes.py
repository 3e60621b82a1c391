"""HubSpot in other shapes than its share, and in none."""

from __future__ import annotations

from gong_assets_tests.dbt.project import DbtProject
from gong_assets_tests.dbt.warehouse import Tables, Warehouse

HUBSPOT_MODELS = ("--select", "stg_hubspot_deals", "stg_hubspot_contacts", "stg_hubspot_companies")


def test_plain_tables_are_read_and_a_missing_one_is_empty(
    built: Tables, warehouse: Warehouse, project: DbtProject
) -> None:
    warehouse.query("create schema if not exists hubspot_share.plain")
    warehouse.query(
        "create or replace table hubspot_share.plain.deals as select column1 as deal_id, column2 as deal_name, "
        "column3 as deal_stage, 10 as deal_amount, '2099-01-01'::date as close_date "
        "from values ('1', 'A', 'Closed - Won'), ('2', 'B', 'Closed Lost'), ('3', 'C', 'Proposal')"
    )
    warehouse.query("use schema sophia_ai.gong_data")
    output = project.succeed("run", *HUBSPOT_MODELS, HUBSPOT_SHAPE="plain", HUBSPOT_SCHEMA="PLAIN")

    deals = warehouse.rows("stg_hubspot_deals", "DEAL_ID")
    assert {deal_id: row["DEAL_STATUS"] for deal_id, row in deals.items()} == {
        "1": "Won", "2": "Lost", "3": "In Progress",
    }  # fmt: skip
    assert warehouse.rows("stg_hubspot_contacts", "CONTACT_ID") == {}
    assert "There is no HUBSPOT_SHARE.PLAIN.contacts" in output
    assert warehouse.tables().keys() == built.keys()  # the views over them still work


def test_an_unknown_shape_is_refused_by_name(project: DbtProject) -> None:
    refused = project.command("parse", HUBSPOT_SHAPE="fancy")
    assert refused.returncode != 0
    assert "HUBSPOT_SHAPE is 'fancy'; it must be one of: share, plain" in refused.stdout
