"""Views of reps, deals and accounts on the test records. dbt unit tests cover their rules."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal

import pytest

from gong_assets_tests.dbt.records import FULL, IMPORTED, LONG_TURN, NEAR_MIDNIGHT, SILENT
from gong_assets_tests.dbt.warehouse import Tables, Warehouse

pytestmark = pytest.mark.xdist_group("dbt")


def test_risks_of_a_call_are_negative_customer_segments_and_risk_trackers(built: Tables) -> None:
    risks = json.loads(built["vw_enriched_gong_calls"][FULL]["RISK_INDICATORS"])
    assert [(risk["risk"], risk["detail"]) for risk in risks] == [
        ("Negative Segment", "Honestly we are very unhappy with the terrible price."),
        ("Tracker", "Competitors (2)"),  # One of the three mentions is by the own team.
    ]
    assert (risks[0]["transcript_id"], risks[0]["at_seconds"]) == (f"{FULL}_4200_0", 4.2)
    assert risks[0]["sentiment"] <= -0.3


def test_a_call_without_enrichment_has_no_list_of_risks(built: Tables) -> None:
    calls = built["vw_enriched_gong_calls"]
    assert calls[SILENT]["RISK_INDICATORS"] is None
    assert json.loads(calls[LONG_TURN]["RISK_INDICATORS"]) == []


def test_a_month_of_a_rep_has_all_deals_of_its_calls_and_their_revenue_once(built: Tables) -> None:
    rita = built["vw_sales_performance_analysis"]["501/2026-11-01"]
    expected = {
        "SALES_REP": "Rita Rep",
        "SALES_REP_EMAIL": "rita@seller.example",
        "CALL_MONTH": date(2026, 11, 1),
        "TOTAL_CALLS": 6,
        "EXTERNAL_CALLS": 1,
        "UNIQUE_DEALS_DISCUSSED": 3,
        "DEALS_WON": 1,
        "DEALS_LOST": 0,
        "REVENUE_WON": Decimal("15000.50"),
    }
    assert {name: rita[name] for name in expected} == expected
    # Gong counted the questions of only one call: 5 in 1785 seconds.
    assert rita["QUESTIONS_PER_HOUR"] == pytest.approx(5 * 3600 / 1785, rel=1e-5)
    assert set(built["vw_sales_performance_analysis"]) == {"501/2026-11-01", "502/2026-11-01"}


def test_totals_of_calls_and_revenue_match_the_source_tables(built: Tables, warehouse: Warehouse) -> None:
    (sums,) = warehouse.query(
        "select sum(total_calls) as calls, sum(deals_won) as deals, sum(revenue_won) as revenue "
        "from vw_sales_performance_analysis"
    )
    assert (sums["CALLS"], sums["DEALS"], float(sums["REVENUE"])) == (
        len(built["stg_gong_calls"]),
        1,
        15000.5,
    )


def test_a_host_who_talked_too_much_is_a_coaching_opportunity(built: Tables) -> None:
    call = built["vw_coaching_opportunities"][NEAR_MIDNIGHT]
    assert "Talked Too Much" in json.loads(call["REASONS"])
    assert (call["PRIMARY_USER_NAME"], call["TALK_RATIO"]) == ("Rita Rep", 0.75)
    assert IMPORTED not in built["vw_coaching_opportunities"]


def test_a_reviewed_call_has_its_review_count_and_time(built: Tables) -> None:
    call = built["vw_coaching_opportunities"][FULL]
    assert (call["REVIEW_COUNT"], call["LAST_REVIEWED_AT_UTC"]) == (1, datetime(2026, 11, 3, 7, 30))


def test_every_open_deal_is_listed_once_even_without_calls(built: Tables) -> None:
    assert {deal: row["DEAL_STATUS"] for deal, row in built["vw_deal_risk"].items()} == {
        "8070300": "In Progress",
        "8070301": "Overdue",
    }
    forgotten = built["vw_deal_risk"]["8070301"]
    assert json.loads(forgotten["RISK_INDICATORS"]) == ["Overdue", "No Call"]
    assert (forgotten["RISK_LEVEL"], forgotten["CALL_COUNT"]) == ("Medium", 0)


def test_the_timeline_of_an_account_has_its_calls_and_closed_deals(built: Tables) -> None:
    events = [row for row in built["vw_account_timeline"].values() if row["ACCOUNT_ID"] == "555"]
    events.sort(key=lambda row: int(row["EVENT_NUMBER"]))
    columns = ("EVENT_NUMBER", "EVENT_TYPE", "EVENT_TITLE", "EVENT_DETAIL", "SALES_REP", "ACCOUNT_NAME")
    assert [tuple(row[name] for name in columns) for row in events] == [
        (1, "Call", "Pricing", "They agreed.", "Rita Rep", "Customer Limited"),
        (2, "Deal Won", "Renewal 2027", "Closed Won", "Olga Owner", "Customer Limited"),
    ]
    assert events[0]["EVENT_AT_UTC"] == datetime(2026, 11, 2, 10, 0, 0, 123456)


def test_an_account_that_is_not_in_hubspot_is_named_from_the_crm_context(built: Tables) -> None:
    event = built["vw_account_timeline"][f"call_{NEAR_MIDNIGHT}_hubspot_556"]
    assert event["ACCOUNT_NAME"] == "Other Ltd"
