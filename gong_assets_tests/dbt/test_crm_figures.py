"""Figures that depend on currencies, the company's time zone, and the deal and company of a call."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.warehouse.tables import create_raw_tables
from gong_assets_tests.dbt import crm_calls
from gong_assets_tests.dbt.conftest import connected, project_of, served
from gong_assets_tests.dbt.test_selling_figures import Company

pytestmark = [pytest.mark.extended, pytest.mark.slow]

AMOUNTS = ("DEAL_AMOUNT", "DEAL_CURRENCY_CODE", "DEAL_AMOUNT_IN_HOME_CURRENCY")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    with served(tmp_path_factory.mktemp("crm")) as port, connected(port) as warehouse:
        create_raw_tables(warehouse.connection, RAW_TABLES)
        warehouse.land_calls(crm_calls.calls())
        warehouse.land_transcripts([(date(2026, 11, 20), crm_calls.TRANSCRIPT)])
        warehouse.query("create database if not exists hubspot_share")
        warehouse.query("create schema if not exists hubspot_share.v2_daily")
        columns = ", ".join(f"{name} {kind}" for name, kind in crm_calls.DEAL_COLUMNS.items())
        warehouse.query(f"create table hubspot_share.v2_daily.objects_deals ({columns})")
        places = ", ".join(["%s"] * len(crm_calls.DEAL_COLUMNS))
        for deal in crm_calls.DEALS:
            warehouse.query(f"insert into hubspot_share.v2_daily.objects_deals select {places}", deal)
        warehouse.query(
            "create table hubspot_share.v2_daily.objects_companies "
            "(objectid number(38, 0), property_name varchar, property_domain varchar)"
        )
        for row in crm_calls.COMPANIES:
            warehouse.query("insert into hubspot_share.v2_daily.objects_companies select %s, %s, %s", row)
        warehouse.query("use schema sophia_ai.gong_data")
        project = project_of(tmp_path_factory.mktemp("dbt"), port)
        project.succeed(
            "run", "--vars", json.dumps({"match_calls_by_domain": True}),
            GONG_COMPANY_TIMEZONE="America/New_York",
        )  # fmt: skip
        yield Company(warehouse, project)


def call(company: Company, call_id: str) -> dict[str, Any]:
    return company.row("vw_enriched_gong_calls", call_id=call_id)


def test_a_call_has_the_amount_of_its_deal_with_the_currency_and_in_the_home_currency(
    company: Company,
) -> None:
    assert [tuple(call(company, each)[name] for name in AMOUNTS) for each in ("M-yen", "M-dollar")] == [
        (Decimal(5000000), "JPY", Decimal(33000)),
        (Decimal(40000), "USD", Decimal(40000)),
    ]
    assert call(company, "M-yen")["HOME_CURRENCY_CODE"] == "USD"
    deal = company.row("vw_deal_risk", hubspot_deal_id="9004001")
    assert tuple(deal[name] for name in AMOUNTS) == (Decimal(5000000), "JPY", Decimal(33000))
    event = company.row("vw_account_timeline", event_id="deal_created_9004001")
    assert tuple(event[name] for name in AMOUNTS) == (Decimal(5000000), "JPY", Decimal(33000))


def test_revenue_adds_home_amounts_only_and_counts_the_deals_without_one(company: Company) -> None:
    names = ("DEALS_WON", "REVENUE_WON", "DEALS_WON_WITHOUT_HOME_AMOUNT", "HOME_CURRENCY_CODE")
    months = [
        company.row("vw_sales_performance_analysis", performance_id=f"{rep}/2026-11-01")
        for rep in ("quin", "yuki", "emi")
    ]
    assert [tuple(month[name] for name in names) for month in months] == [
        (2, Decimal(40000), 1, "USD"),
        (1, None, 1, "USD"),
        (0, Decimal(0), 0, "USD"),
    ]


def test_an_empty_value_in_hubspot_hides_that_of_gong(company: Company) -> None:
    shown = call(company, "M-cleared")
    assert (shown["DEAL_AMOUNT"], shown["DEAL_NAME"]) == (None, None)
    assert company.row("vw_deal_risk", hubspot_deal_id="9024001")["DEAL_AMOUNT"] is None
    deleted = call(company, "M-gone")
    assert tuple(deleted[name] for name in AMOUNTS) == (Decimal(5000), "USD", Decimal(5000))


def test_lists_are_names_and_formatted_amounts_are_read_or_have_a_reason(company: Company) -> None:
    names = ("DEAL_NAME", "DEAL_STAGE", "DEAL_AMOUNT", "DEAL_CURRENCY_CODE", "DEAL_AMOUNT_PROBLEM")
    shown = [
        tuple(call(company, each)[name] for name in names) for each in ("M-list", "M-unread", "M-number")
    ]
    assert shown == [
        ("Array, name", "Negotiation", Decimal("1234.56"), "EUR", None),
        (None, "Proposal", None, "EUR", "Ambiguous: 1.234"),
        ("[EXT] Pilot", None, Decimal("1.23"), None, None),
    ]
    (account,) = company.rows("stg_gong_call_crm_links", object_id="001X1")
    assert account["OBJECT_NAME"] == "Fields Inc"


def test_an_amount_has_the_currency_of_its_object_and_none_of_a_shared_sign(company: Company) -> None:
    shown = {
        each: tuple(call(company, f"M-in-{each}")[name] for name in AMOUNTS)
        for each in ("sign", "object", "name", "dollar")
    }
    assert shown == {
        "sign": (Decimal(1200000), None, None),
        "object": (Decimal(1200), "EUR", None),
        "name": (Decimal(1200), None, None),
        "dollar": (Decimal(1200), "USD", Decimal(1200)),
    }
    (named,) = company.rows("stg_gong_call_crm_links", object_id="006-name")
    (signed,) = company.rows("stg_gong_call_crm_links", object_id="006-sign")
    assert (named["CURRENCY_SIGN_NOW"], signed["CURRENCY_SIGN_NOW"]) == ("EURO", "¥")


@pytest.mark.parametrize(
    ("deal", "day"),
    [
        ("9026001", date(2025, 12, 31)),
        ("9026002", date(2026, 3, 8)),
        ("9026003", date(2026, 11, 1)),
        ("9026004", date(2026, 11, 2)),
    ],
)
def test_a_deal_closes_on_a_day_of_the_company(company: Company, deal: str, day: date) -> None:
    assert company.row("stg_hubspot_deals", deal_id=deal)["CLOSE_DATE"] == day


def test_months_are_of_the_company_and_partitions_of_utc(company: Company) -> None:
    months = {
        row["CALL_MONTH"]: (row["TOTAL_CALLS"], row["DEALS_WON"])
        for row in company.rows("vw_sales_performance_analysis", primary_user_id="ray")
    }
    assert months == {date(2025, 12, 1): (2, 1), date(2026, 10, 1): (1, 0)}
    night = call(company, "T-night")
    assert (night["CALL_DATE"], night["LOCAL_CALL_DATE"]) == (date(2026, 1, 1), date(2025, 12, 31))
    assert night["CALL_DATETIME_UTC"] == datetime(2026, 1, 1, 4, 59)


def test_a_deal_is_won_after_the_call_that_won_it(company: Company) -> None:
    events = company.rows("vw_account_timeline", account_id="9042900")
    assert [
        (event["EVENT_TYPE"], event["EVENT_AT_UTC"])
        for event in sorted(events, key=lambda event: int(event["EVENT_NUMBER"]))
    ] == [
        ("Deal Created", datetime(2025, 1, 1, 12)),
        ("Call", datetime(2026, 11, 12, 15)),
        ("Deal Won", datetime(2026, 11, 12, 17)),
    ]


def test_a_call_after_the_close_on_the_same_day_takes_no_revenue(company: Company) -> None:
    november = date(2026, 11, 1)
    assert company.months("ida") == {november: (1, Decimal(5000))}
    assert company.months("kai") == {november: (0, Decimal(0))}


def test_negative_lengths_are_flagged_and_not_summed(company: Company) -> None:
    names = ("CALL_DURATION_SECONDS", "HAS_NEGATIVE_DURATION")
    assert [tuple(call(company, each)[name] for name in names) for each in ("T-negative", "T-positive")] == [
        (None, True),
        (100, False),
    ]
    month = company.row("vw_sales_performance_analysis", performance_id="jan/2026-11-01")
    assert month["TOTAL_CALL_SECONDS"] == 100
    segments = company.rows("stg_gong_call_transcripts", call_id="T-negative")
    assert sorted((row["HAS_NEGATIVE_DURATION"], row["SEGMENT_DURATION_SECONDS"]) for row in segments) == [
        (False, 28.0),
        (True, None),
    ]


def test_a_call_shows_the_newest_open_deal_and_lists_all(company: Company) -> None:
    shown = call(company, "D-several")
    assert (shown["HUBSPOT_DEAL_ID"], shown["DEAL_OUTCOME"], shown["DEAL_AMOUNT"]) == (
        "9027002",
        "In Progress",
        Decimal(80000),
    )
    deals = json.loads(shown["DEALS"])
    assert [(deal["deal_name"], deal["was_open_at_call"]) for deal in deals] == [
        ("Open now", True),
        ("Open before", True),
        ("Lost 2023", False),
    ]


def test_a_call_without_links_has_the_company_of_its_domain_if_it_is_unambiguous(company: Company) -> None:
    names = ("match", "subdomain", "shared", "free", "own")
    shown = {name: call(company, f"D-{name}") for name in names}
    assert {
        name: (row["HUBSPOT_COMPANY_NAME"], row["IS_COMPANY_INFERRED"]) for name, row in shown.items()
    } == {
        "match": ("Domain Co", True),
        "subdomain": ("Domain Co", True),
        "shared": (None, False),
        "free": (None, False),
        "own": (None, False),
    }
    events = company.rows("vw_account_timeline", account_id="9029900")
    assert {(event["CALL_ID"], event["IS_INFERRED"]) for event in events} == {
        ("D-match", True),
        ("D-subdomain", True),
    }
    assert call(company, "M-yen")["IS_COMPANY_INFERRED"] is False
