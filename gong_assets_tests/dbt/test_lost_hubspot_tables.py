"""HubSpot's tables that are lost after they were staged: what was staged is kept until they are back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gong_assets.warehouse.hubspot_tables import staged_columns
from gong_assets.warehouse.tables import create_raw_tables
from gong_assets_tests.dbt.hubspot_portals import PORTALS, SHAPES
from gong_assets_tests.dbt.project import DbtProject, connected_to
from gong_assets_tests.dbt.test_hubspot_shapes import CLOCKED, MODELS, use_empty_schema
from gong_assets_tests.dbt.warehouse import Warehouse

pytestmark = [pytest.mark.extended, pytest.mark.xdist_group("dbt")]

# Of the share, the schema of tables: its rows can be deleted.
SCHEMAS = {
    schema: "V2_DAILY" if schema == "V2_LIVE" else schema for schema in SHAPES if schema != "OTHER_NAMES"
}
Rows = dict[str, dict[str, dict[str, Any]]]


@pytest.fixture(params=SCHEMAS)
def portal(request: pytest.FixtureRequest, warehouse: Warehouse) -> Iterator[str]:
    """The schema of a portal with all its tables."""
    warehouse.query("create database if not exists portal")
    for schema in {"V2_DAILY", "V2_LIVE", request.param}:
        warehouse.query(f"drop schema if exists portal.{schema} cascade")
        warehouse.query(f"create schema portal.{schema}")
    for statement in filter(str.strip, PORTALS[request.param].split(";\n")):
        warehouse.query(statement)
    use_empty_schema(warehouse)
    warehouse.query("use schema sophia_ai.gong_data")
    yield SCHEMAS[request.param]
    warehouse.query("use schema sophia_ai.gong_data")


@pytest.fixture
def run(
    portal: str, request: pytest.FixtureRequest, warehouse: Warehouse, project: DbtProject
) -> Callable[..., tuple[Rows, str]]:
    """A function that builds the models, and returns their rows and the output of dbt."""
    shape = SHAPES[request.node.callspec.params["portal"]]
    with connected_to({**project.environment, "SNOWFLAKE_SCHEMA": "STAGED"}) as (connection, _):
        create_raw_tables(connection, ())

    def build(*options: str) -> tuple[Rows, str]:
        output = project.succeed(
            *("run", *options, "--select", *MODELS), SNOWFLAKE_SCHEMA="STAGED",
            HUBSPOT_SHAPE=shape, HUBSPOT_DATABASE="PORTAL", HUBSPOT_SCHEMA=portal,
        )  # fmt: skip
        rows = {name: warehouse.rows(f"staged.{name}", key) for name, key in MODELS.items()}
        for row in (row for model in rows.values() for row in model.values()):
            for column in CLOCKED:
                row.pop(column, None)
        return rows, output

    return build


def test_what_was_staged_from_a_lost_table_is_kept_until_it_is_back(
    run: Callable[..., tuple[Rows, str]], portal: str, warehouse: Warehouse, request: pytest.FixtureRequest
) -> None:
    tables = staged_columns(SHAPES[request.node.callspec.params["portal"]])
    before, output = run()
    assert all(before.values())
    assert "are kept" not in output

    for table in tables:
        warehouse.query(f"create table portal.{portal}.copy_{table} as select * from portal.{portal}.{table}")
    every = list(tables)
    ways = [("delete from", "insert into {}", every), ("drop table", "create table {} as", every)]
    if portal == "V2_DAILY":
        ways += [("drop table", "create table {} as", [table]) for table in tables]
    for losing, restoring, lost in ways:
        for table in lost:
            warehouse.query(f"{losing} portal.{portal}.{table}")
        rows, output = run()
        assert rows == before, (losing, lost)
        for table in tables:
            is_named = f"PORTAL.{portal}.{table.lower()} has no rows or cannot be read" in output
            assert is_named == (table in lost)
        for table in lost:
            restored = restoring.format(f"portal.{portal}.{table}")
            warehouse.query(f"{restored} select * from portal.{portal}.copy_{table}")

    deals = next(table for table, column in tables.items() if column == "stg_hubspot_deals.deal_id")
    key = "objectid" if portal == "V2_DAILY" else "id" if portal == "AIRBYTE" else "deal_id"
    warehouse.query(f"delete from portal.{portal}.{deals} where {key}::number(38, 0) = 8070307")
    rows, output = run()
    assert before["stg_hubspot_deals"].keys() - rows["stg_hubspot_deals"].keys() == {"8070307"}
    assert "are kept" not in output


@pytest.mark.parametrize("portal", ["V2_LIVE"], indirect=True)
def test_a_table_that_is_dropped_or_built_anew_is_made_from_what_is_there(
    run: Callable[..., tuple[Rows, str]], portal: str, warehouse: Warehouse
) -> None:
    run()
    warehouse.query(f"drop table portal.{portal}.objects_deals")
    warehouse.query(f"drop table portal.{portal}.objects_contacts")
    warehouse.query("drop table staged.stg_hubspot_deals")
    rows, _ = run()
    assert rows["stg_hubspot_deals"] == {}
    assert rows["stg_hubspot_contacts"].keys() == {"8801", "8802", "8804"}
    rows, _ = run("--full-refresh")
    assert {model: bool(found) for model, found in rows.items()} == {
        "stg_hubspot_deals": False,
        "stg_hubspot_contacts": False,
        "stg_hubspot_companies": True,
        "stg_hubspot_merged_records": True,  # of companies
        "stg_hubspot_deal_stages": True,
    }


@pytest.mark.parametrize("portal", ["V2_LIVE"], indirect=True)
def test_a_contact_that_is_erased_is_not_kept(
    run: Callable[..., tuple[Rows, str]], portal: str, warehouse: Warehouse
) -> None:
    run()
    warehouse.query(f"drop table portal.{portal}.objects_contacts")
    warehouse.query(
        "insert into staged.gong_erasures (kind, salt, identifier_hash) "
        "select 'crm', 'salt', sha2('salt8802', 256)"
    )
    rows, _ = run()
    assert rows["stg_hubspot_contacts"].keys() == {"8801", "8804"}
