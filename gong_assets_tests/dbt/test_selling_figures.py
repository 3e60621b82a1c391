"""Figures about selling, from landed calls to views: revenue, sales calls, talk ratios and customers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.warehouse.tables import create_raw_tables
from gong_assets_tests.dbt import sales_calls
from gong_assets_tests.dbt.conftest import connected, project_of, served
from gong_assets_tests.dbt.project import DbtProject
from gong_assets_tests.dbt.warehouse import Row, Warehouse

pytestmark = [pytest.mark.extended, pytest.mark.slow]


class Company:
    """The warehouse with the landed calls, and the project that builds the views on it."""

    def __init__(self, warehouse: Warehouse, project: DbtProject) -> None:
        self.warehouse, self.project = warehouse, project

    def row(self, table: str, **key: Any) -> Row:
        rows = self.rows(table, **key)
        assert len(rows) == 1, rows
        return rows[0]

    def rows(self, table: str, **key: Any) -> list[Row]:
        conditions = " and ".join(f"{name} = %s" for name in key)
        return self.warehouse.query(f"select * from {table} where {conditions}", tuple(key.values()))

    def months(self, rep: str) -> dict[date, tuple[int, Decimal]]:
        return {
            row["CALL_MONTH"]: (row["DEALS_WON"], row["REVENUE_WON"])
            for row in self.rows("vw_sales_performance_analysis", primary_user_id=rep)
        }


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    with served(tmp_path_factory.mktemp("selling")) as port, connected(port) as warehouse:
        create_raw_tables(warehouse.connection, RAW_TABLES)
        warehouse.land_calls(sales_calls.calls())
        warehouse.land_transcripts(sales_calls.transcripts())
        warehouse.query("create database if not exists hubspot_share")
        warehouse.query("create schema if not exists hubspot_share.v2_daily")
        deals = ", ".join(
            f"({key}, '{stage}', '{day}', {amount})" for key, stage, day, amount in sales_calls.DEALS
        )
        warehouse.query(
            "create table hubspot_share.v2_daily.objects_deals as select column1 as objectid, "
            "'Deal' as property_dealname, column2 as property_dealstage, 'default' as property_pipeline, "
            "column3::timestamp_ntz as property_closedate, column4::number(38, 2) as property_amount, "
            f"'2026-11-01'::timestamp_ntz as updatedat from values {deals}"
        )
        warehouse.query("use schema sophia_ai.gong_data")
        project = project_of(tmp_path_factory.mktemp("dbt"), port)
        project.succeed("run")
        yield Company(warehouse, project)


def test_a_call_after_the_close_takes_no_revenue(company: Company) -> None:
    september, october = date(2026, 9, 1), date(2026, 10, 1)
    assert company.months("success") == {september: (0, Decimal(0)), october: (0, Decimal(0))}


def test_an_internal_meeting_and_a_voicemail_take_no_revenue(company: Company) -> None:
    assert company.months("director")[date(2026, 9, 1)] == (0, Decimal(0))
    assert company.months("closer")[date(2026, 9, 1)] == (1, Decimal(50000))


def test_a_deal_without_a_call_before_its_close_is_in_the_total_and_in_nobodys_row(company: Company) -> None:
    nobody = {
        row["CALL_MONTH"]: (
            row["REVENUE_WON"],
            row["DEALS_WON_WITHOUT_CALL"],
            row["REVENUE_WON_WITHOUT_CALL"],
        )
        for row in company.warehouse.query(
            "select * from vw_sales_performance_analysis where primary_user_id is null"
        )
    }
    assert nobody == {
        date(2023, 5, 1): (Decimal(120000), 1, Decimal(120000)),
        date(2026, 9, 1): (Decimal(700), 1, Decimal(700)),
    }
    (total,) = company.warehouse.query(
        "select sum(revenue_won) as revenue from vw_sales_performance_analysis"
    )
    assert total["REVENUE"] == Decimal(170700)


def test_an_internal_meeting_does_not_hide_that_a_deal_is_stalled(company: Company) -> None:
    deal = company.row("vw_deal_risk", hubspot_deal_id="8000003")
    assert json.loads(deal["RISK_INDICATORS"]) == ["Stalled"]
    assert (deal["DAYS_SINCE_LAST_CALL"], deal["LAST_CALL_ID"], deal["CALL_COUNT"]) == (47, "H-quiet", 1)
    (risk,) = company.rows("vw_gong_call_risks", hubspot_deal_id="8000003")
    assert (risk["CALL_ID"], risk["RISK"]) == ("H-quiet", "Stalled Deal")


def test_neither_a_no_show_nor_a_note_taker_is_a_contact_with_the_customer(company: Company) -> None:
    deal = company.row("vw_deal_risk", hubspot_deal_id="8000004")
    assert json.loads(deal["RISK_INDICATORS"]) == ["Stalled"]
    assert deal["DAYS_SINCE_LAST_CALL"] == 37
    kinds = {
        call: company.row("int_gong_call_kinds", call_id=call)["CALL_KIND"]
        for call in ("H-noshow", "H-botonly")
    }
    assert kinds == {"H-noshow": "No Show", "H-botonly": "No Show"}
    assert company.rows("vw_coaching_opportunities", primary_user_id="waits") == []


def test_voicemails_and_internal_meetings_do_not_judge_a_rep(company: Company) -> None:
    month = company.row("vw_sales_performance_analysis", performance_id="dialer/2026-09-01")
    assert (month["TOTAL_CALLS"], month["EXTERNAL_CALLS"], month["SALES_CALLS"]) == (13, 10, 4)
    assert month["AVG_TALK_RATIO"] == pytest.approx(0.45)
    assert month["AVG_CALL_DURATION"] == 1800
    assert month["PERFORMANCE_CATEGORY"] == "High Performer"
    assert company.rows("vw_coaching_opportunities", primary_user_id="dialer", call_id="H-vm1") == []


def test_a_mean_of_months_is_weighted_by_the_measured_calls(company: Company) -> None:
    (mean,) = company.warehouse.query(
        "select sum(avg_talk_ratio * calls_with_talk_ratio) / sum(calls_with_talk_ratio) as ratio, "
        "sum(calls_with_talk_ratio) as calls from vw_sales_performance_analysis "
        "where primary_user_id = 'dialer'"
    )
    assert (float(mean["RATIO"]), mean["CALLS"]) == (pytest.approx((4 * 0.45 + 0.9) / 5), 5)


@pytest.mark.parametrize(
    ("call_id", "ratio", "team", "is_host_on_call"),
    [
        ("H-share", 0.2, 0.75, True),
        ("H-nobody", None, None, None),
        ("H-absent", 0, pytest.approx(2 / 3), False),
    ],
)
def test_the_talk_ratio_is_the_hosts_own(
    company: Company, call_id: str, ratio: float | None, team: float | None, is_host_on_call: bool | None
) -> None:
    call = company.row("stg_gong_calls", call_id=call_id)
    assert (call["TALK_RATIO"], call["TEAM_TALK_RATIO"], call["IS_HOST_ON_CALL"]) == (
        ratio,
        team,
        is_host_on_call,
    )
    assert company.rows("vw_coaching_opportunities", call_id=call_id) == []


def test_a_statistic_that_cannot_be_is_in_no_mean(company: Company) -> None:
    (mean,) = company.warehouse.query(
        "select avg(talk_ratio) as ratio, avg(longest_monologue_seconds) as monologue, "
        "count(longest_monologue_seconds) as calls from stg_gong_calls where primary_user_id = 'measured'"
    )
    assert (mean["RATIO"], mean["MONOLOGUE"], mean["CALLS"]) == (None, 30, 1)


def test_a_dial_in_is_a_customer_in_every_figure(company: Company) -> None:
    call = company.row("vw_enriched_gong_calls", call_id="H-angry")
    assert call["CUSTOMER_SENTIMENT"] < -0.9
    assert (call["CUSTOMER_COUNT"], call["CALL_KIND"], call["CONTACT_NAME"]) == (1, "Sales", "+15550100")
    deal = company.row("vw_deal_risk", hubspot_deal_id="8000005")
    assert "Unhappy Customer" in json.loads(deal["RISK_INDICATORS"])
    assert deal["CUSTOMER_COUNT"] == 1
    assert json.loads(company.row("vw_coaching_opportunities", call_id="H-angry")["REASONS"]) == [
        "Unhappy Customer"
    ]
    segments = company.rows("vw_enriched_gong_call_transcripts", call_id="H-angry", is_customer=True)
    assert [(row["SPEAKER_TYPE"], row["IS_RISK_SEGMENT"]) for row in segments] == [("Unknown", True)]


def test_one_phone_in_three_calls_is_a_single_contact(company: Company) -> None:
    deal = company.row("vw_deal_risk", hubspot_deal_id="8000006")
    assert (deal["CUSTOMER_COUNT"], deal["CALL_COUNT"]) == (1, 3)
    assert json.loads(deal["RISK_INDICATORS"]) == ["Single Contact"]


def test_the_contact_of_a_call_spoke_and_is_a_person(company: Company) -> None:
    call = company.row("stg_gong_calls", call_id="H-contact")
    assert (call["CONTACT_NAME"], call["HUBSPOT_CONTACT_ID"], call["CUSTOMER_COUNT"]) == (
        "Bea Buyer",
        "9002",
        1,
    )


@pytest.fixture
def changing_company(company: Company) -> Iterator[Company]:
    """The company, for a test that changes the records of `days_ago(5)`. Afterwards they are as before."""
    yield company
    company.warehouse.query("delete from gong_call_transcripts_raw")
    company.warehouse.land_calls(sales_calls.calls())
    company.warehouse.land_transcripts(sales_calls.transcripts())
    company.project.succeed("run", GONG_ASSETS_DAYS=str(sales_calls.days_ago(5)))


def test_a_landed_transcript_is_pending_and_a_deleted_call_has_a_status_until_the_next_run(
    changing_company: Company,
) -> None:
    company, day = changing_company, sales_calls.days_ago(5)
    turn = {"speakerId": "s1", "sentences": [{"start": 0, "end": 900, "text": "We would like to buy it."}]}
    company.warehouse.land_transcripts([
        (day, {"callId": "H-share", "transcript": [turn]}),
        (day, {"callId": "H-absent", "transcript": []}),
    ])  # fmt: skip
    company.warehouse.delete_call("H-contact")
    statuses = {
        "H-share": "Landed",
        "H-absent": "Landed",
        "H-contact": "Deleted",
        "H-nobody": "Awaiting Transcript",
    }
    assert _statuses(company) == statuses
    completeness = company.row("vw_gong_ingestion_completeness", call_date=day)
    assert (completeness["CALLS_TO_STAGE"], completeness["CALLS_TO_REMOVE"]) == (2, 1)
    assert completeness["IS_COMPLETE"] is False

    # Only a transcript without words is staged with its call.
    company.project.succeed("run", "--select", "stg_gong_calls", GONG_ASSETS_DAYS=str(day))
    assert _statuses(company) == {
        "H-share": "Landed",
        "H-absent": "Enriched",
        "H-nobody": "Awaiting Transcript",
    }
    assert company.row("vw_gong_ingestion_completeness", call_date=day)["CALLS_TO_STAGE"] == 1

    company.project.succeed("run", GONG_ASSETS_DAYS=str(day))

    assert _statuses(company) == {
        "H-share": "Enriched",
        "H-absent": "Enriched",
        "H-nobody": "Awaiting Transcript",
    }


def _statuses(company: Company) -> dict[str, str]:
    rows = company.rows("vw_gong_ingestion_status", call_date=sales_calls.days_ago(5))
    return {row["CALL_ID"]: row["INGESTION_STATUS"] for row in rows}
