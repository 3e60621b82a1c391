"""The HubSpot share in the local warehouse, which must match the calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector

from gong_assets.local import stack
from gong_assets.local.gong_tenant import hubspot
from gong_assets.local.gong_tenant.calls import Call, CallGenerator
from gong_assets.local.gong_tenant.company import DEFAULT_SEED, Company, Deal, today

from .conftest import NOW

TODAY = NOW.date()
COMPANY = Company(DEFAULT_SEED)


@pytest.fixture(scope="module")
def cursor(stack_home: Path) -> Iterator[Any]:
    """A cursor of a warehouse with the share as of TODAY."""
    endpoint = asdict(stack.up(stack_home).snowflake)
    with snowflake.connector.connect(**endpoint) as connection:
        hubspot.load(connection, COMPANY, TODAY)
        yield connection.cursor()
        hubspot.load(connection, COMPANY, today())  # other tests expect the current state


@pytest.fixture(scope="module")
def calls() -> list[Call]:
    """A year of calls."""
    generator = CallGenerator(COMPANY, calls_per_day=12, words_per_call=300)
    return list(generator.calls_between(NOW - timedelta(days=365), NOW))


MERGED_ACCOUNT = COMPANY.accounts[hubspot.ACCOUNT_WITH_MERGED_RECORDS]
MERGED_DEAL, MERGED_CONTACT = COMPANY.deal(MERGED_ACCOUNT, TODAY).id, MERGED_ACCOUNT.contacts[0].id


def ids(cursor: Any, table: str, schema: str = "V2_DAILY") -> set[str]:
    rows = cursor.execute(f"SELECT OBJECTID::VARCHAR FROM HUBSPOT_SHARE.{schema}.{table}").fetchall()
    return {value for (value,) in rows}


def survivors(cursor: Any, table: str) -> dict[str, str]:
    """Return the ids of the new records by merged id."""
    rows = cursor.execute(
        f"SELECT OBJECTID::VARCHAR, PROPERTY_HS_MERGED_OBJECT_IDS FROM HUBSPOT_SHARE.V2_DAILY.{table}"
        " WHERE PROPERTY_HS_MERGED_OBJECT_IDS IS NOT NULL"
    ).fetchall()
    return {merged: survivor for survivor, listed in rows for merged in listed.split(";")}


def test_all_deals_of_calls_exist_except_the_deleted_and_the_merged_one(
    cursor: Any, calls: list[Call]
) -> None:
    referred = {deal.id for call in calls for deal in (*call.deals, *call.deals_before)}
    deleted = COMPANY.deal(COMPANY.accounts[hubspot.ACCOUNT_WITH_DELETED_DEAL], TODAY)
    assert {deleted.id, MERGED_DEAL} <= referred
    assert referred - ids(cursor, "OBJECTS_DEALS") == {deleted.id, MERGED_DEAL}


def test_all_companies_and_contacts_of_calls_exist_except_the_merged_one(
    cursor: Any, calls: list[Call]
) -> None:
    assert {call.account.id for call in calls} <= ids(cursor, "OBJECTS_COMPANIES")
    contacts = {person.id for call in calls for person in call.attendees if not hasattr(person, "role")}
    assert contacts - ids(cursor, "OBJECTS_CONTACTS") == {MERGED_CONTACT}


@pytest.mark.parametrize(
    ("table", "merged"), [("OBJECTS_DEALS", MERGED_DEAL), ("OBJECTS_CONTACTS", MERGED_CONTACT)]
)
def test_a_merged_record_is_replaced_by_one_that_lists_both_ids(cursor: Any, table: str, merged: str) -> None:
    found = survivors(cursor, table)
    assert len(found) == 2
    assert set(found.values()) == {found[merged]}
    assert found[merged] in ids(cursor, table)
    assert not found.keys() & ids(cursor, table)


def test_associations_refer_to_the_new_record_after_a_merge(cursor: Any) -> None:
    deal, contact = (
        survivors(cursor, "OBJECTS_DEALS")[MERGED_DEAL],
        survivors(cursor, "OBJECTS_CONTACTS")[MERGED_CONTACT],
    )
    rows = cursor.execute(
        "SELECT CONTACT_OBJECTID::VARCHAR FROM HUBSPOT_SHARE.V2_DAILY.ASSOCIATIONS_DEALS_TO_CONTACTS"
        " WHERE DEAL_OBJECTID = %s",
        (int(deal),),
    ).fetchall()
    assert {value for (value,) in rows} == {
        contact,
        *(other.id for other in MERGED_ACCOUNT.contacts if other.id != MERGED_CONTACT),
    }


def test_the_live_schema_has_views_of_all_tables(cursor: Any) -> None:
    listed = cursor.execute(
        "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE FROM HUBSPOT_SHARE.INFORMATION_SCHEMA.TABLES"
    ).fetchall()
    tables = {name for schema, name, kind in listed if (schema, kind) == ("V2_DAILY", "BASE TABLE")}
    assert {"OBJECTS_DEALS", "OWNERS", "PIPELINES", "PIPELINE_STAGES"} <= tables
    assert {name for schema, name, kind in listed if (schema, kind) == ("V2_LIVE", "VIEW")} == tables
    assert ids(cursor, "OBJECTS_DEALS", "V2_LIVE") == ids(cursor, "OBJECTS_DEALS")


def test_some_calls_have_two_deals(calls: list[Call]) -> None:
    assert any(len({deal.id for deal in call.deals}) == 2 for call in calls)


def test_deals_have_the_stage_that_their_calls_show(cursor: Any) -> None:
    deals = {deal.id: deal for deal in (COMPANY.deal(account, TODAY) for account in COMPANY.accounts)}
    rows = cursor.execute(
        "SELECT OBJECTID::VARCHAR, PROPERTY_DEALSTAGE, PROPERTY_PIPELINE, PROPERTY_AMOUNT,"
        " PROPERTY_HS_IS_CLOSED_WON"
        " FROM HUBSPOT_SHARE.V2_DAILY.OBJECTS_DEALS"
    ).fetchall()
    seen = {row[0]: row[1:] for row in rows if row[0] in deals}
    assert deals.keys() - seen.keys() == {
        COMPANY.deal(COMPANY.accounts[hubspot.ACCOUNT_WITH_DELETED_DEAL], TODAY).id,
        MERGED_DEAL,
    }
    for deal_id, (stage, pipeline, amount, won) in seen.items():
        deal = deals[deal_id]
        assert (stage, pipeline, amount) == (deal.stage(TODAY).id, deal.pipeline.id, deal.amount_on(TODAY))
        assert won == ("true" if deal.won and deal.closes <= TODAY else "false")


def test_stages_of_deals_have_labels_and_owners_have_names(cursor: Any) -> None:
    missing = cursor.execute(
        "SELECT COUNT(*) FROM HUBSPOT_SHARE.V2_DAILY.OBJECTS_DEALS d"
        " LEFT JOIN HUBSPOT_SHARE.V2_DAILY.PIPELINE_STAGES s"
        " ON s.PIPELINEID = d.PROPERTY_PIPELINE AND s.STAGEID = d.PROPERTY_DEALSTAGE"
        " LEFT JOIN HUBSPOT_SHARE.V2_DAILY.OWNERS o ON o.OWNERID::VARCHAR = d.PROPERTY_HUBSPOT_OWNER_ID"
        " WHERE s.LABEL IS NULL OR o.EMAIL IS NULL"
    ).fetchone()
    assert missing == (0,)


def test_names_are_stored_unchanged(cursor: Any) -> None:
    names = {
        name
        for (name,) in cursor.execute(
            "SELECT PROPERTY_NAME FROM HUBSPOT_SHARE.V2_DAILY.OBJECTS_COMPANIES"
        ).fetchall()
    }
    assert names == {account.name for account in COMPANY.accounts}


@pytest.mark.slow
def test_loading_again_replaces_all_rows(cursor: Any) -> None:
    before = ids(cursor, "OBJECTS_DEALS")
    hubspot.load(cursor.connection, COMPANY, TODAY)
    assert ids(cursor, "OBJECTS_DEALS") == before
    (rows,) = cursor.execute("SELECT COUNT(*) FROM HUBSPOT_SHARE.V2_DAILY.OBJECTS_DEALS").fetchone()
    assert rows == len(before)


def test_a_deal_passes_all_stages_until_its_outcome() -> None:
    for account in COMPANY.accounts:
        deal = COMPANY.deal(account, TODAY)
        days = [deal.opened + timedelta(days=n) for n in range((deal.closes - deal.opened).days + 1)]
        seen = list(dict.fromkeys(deal.stage(day) for day in days))
        won, lost = deal.pipeline.stages[-2:]
        assert seen == [*deal.pipeline.stages[:-2], won if deal.won else lost]


def test_an_account_is_lost_won_renewed_and_churned_in_turn() -> None:
    deal: Deal = COMPANY.deal(COMPANY.accounts[0], TODAY)
    outcomes = set()
    for _ in range(4):
        outcomes.add((deal.pipeline.label, deal.won))
        deal = COMPANY.previous_deal(deal)
    assert outcomes == {
        ("Sales Pipeline", False),
        ("Sales Pipeline", True),
        ("Renewals", True),
        ("Renewals", False),
    }
