"""Which calls are a company's, and in which order they are told."""

from __future__ import annotations

import pytest

from gong_assets.agents import AgentError, NotFound, account_timeline
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.agents.tables import call, fill

OURS = {"hubspot_company_id": "900", "hubspot_company_name": "O'Hara & Söhne"}


@pytest.fixture
def calls(warehouse: Warehouse) -> Warehouse:
    fill(
        warehouse,
        calls=[
            call("3", **OURS, call_datetime_utc="2026-11-12 10:00:00", next_steps=["Send the offer", "Call \"Bob\""],
                 hubspot_deal_id="10", deal_name="Renewal", deal_stage="Won", deal_amount=12.5, deal_outcome="Won",
                 sentiment_score=0.25, sentiment_category="Neutral", call_summary="They agreed."),
            call("1", **OURS, call_datetime_utc="2026-11-12 09:00:00"),
            call("2", **OURS, call_datetime_utc="2026-11-13 09:00:00", next_steps=None),
            call("0", **OURS, call_datetime_utc=None),
            call("4", hubspot_company_id="901", hubspot_company_name="Twin"),
            call("5", hubspot_company_id="902", hubspot_company_name="TWIN"),
            call("6", hubspot_company_id="903", hubspot_company_name="900"),
            call("7", crm_account_id="001A", hubspot_company_name="Known to Salesforce"),
            call("8", hubspot_company_name="Without an id"),
            call("9"),
        ],
    )  # fmt: skip
    return warehouse


@pytest.mark.parametrize("company", ["900", "O'Hara & Söhne", "  o'hara & söhne "])
def test_the_newest_call_comes_last_whether_asked_by_id_or_by_name(calls: Warehouse, company: str) -> None:
    timeline = account_timeline(calls, company)
    assert (timeline.company_id, timeline.company_name, timeline.call_count) == ("900", "O'Hara & Söhne", 4)
    assert [each.call_id for each in timeline.calls] == ["0", "1", "3", "2"]


def test_a_limit_keeps_the_newest_and_tells_how_many_there_are(calls: Warehouse) -> None:
    timeline = account_timeline(calls, "900", limit=2)
    assert [each.call_id for each in timeline.calls] == ["3", "2"]
    assert timeline.call_count == 4


def test_a_call_has_its_deal_sentiment_summary_and_next_steps(calls: Warehouse) -> None:
    told = account_timeline(calls, "900").calls[2]
    assert told.next_steps == ["Send the offer", 'Call "Bob"']
    assert (told.hubspot_deal_id, told.deal_name, told.deal_stage, told.deal_amount, told.deal_outcome) == (
        "10", "Renewal", "Won", 12.5, "Won",
    )  # fmt: skip
    assert (told.sentiment_score, told.sentiment_category, told.summary) == (0.25, "Neutral", "They agreed.")


def test_no_next_steps_are_an_empty_list(calls: Warehouse) -> None:
    assert [each.next_steps for each in account_timeline(calls, "900").calls if each.call_id != "3"] == [
        []
    ] * 3


def test_an_id_means_one_company_even_if_another_one_is_called_so(calls: Warehouse) -> None:
    assert account_timeline(calls, "900").company_name == "O'Hara & Söhne"
    assert account_timeline(calls, "903").company_name == "900"


def test_a_name_of_several_companies_is_refused_with_their_ids(calls: Warehouse) -> None:
    with pytest.raises(AgentError, match=r"several companies .* 901 \(1 calls\), 902 \(1 calls\)"):
        account_timeline(calls, "Twin")
    assert [each.call_id for each in account_timeline(calls, "902").calls] == ["5"]


def test_a_company_that_only_another_crm_knows_goes_by_its_id_there(calls: Warehouse) -> None:
    assert account_timeline(calls, "known to salesforce").company_id == "001A"


@pytest.mark.parametrize("company", ["Nobody Inc", "O'Hara", "%", "Without an id", "' OR '1' = '1"])
def test_a_company_without_calls_is_not_found(calls: Warehouse, company: str) -> None:
    with pytest.raises(NotFound, match="no call in VW_ENRICHED_GONG_CALLS is linked to company"):
        account_timeline(calls, company)
