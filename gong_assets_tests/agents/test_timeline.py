"""Which calls are a company's, and in which order they are told."""

from __future__ import annotations

import pytest

from gong_assets.agents import AgentError, NotFound, account_timeline
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.agents.tables import call, fill, with_account

OURS = ("900", "O'Hara & Söhne")


@pytest.fixture
def calls(warehouse: Warehouse) -> Warehouse:
    fill(
        warehouse,
        calls=[
            call("3", call_datetime_utc="2026-11-12 10:00:00", next_steps=["Send the offer", "Call \"Bob\""],
                 hubspot_deal_id="10", deal_name="Renewal", deal_stage="Won", deal_amount=12.5, deal_outcome="Won",
                 sentiment_score=0.25, sentiment_category="Neutral", call_summary="They agreed."),
            call("1", call_datetime_utc="2026-11-12 09:00:00"),
            call("2", call_datetime_utc="2026-11-13 09:00:00", next_steps=None),
            call("0", call_datetime_utc=None),
            *map(call, "45678"),
            # What the call says of itself is the first of its companies.
            call("9", hubspot_company_id="900", hubspot_company_name="O'Hara & Söhne"),
        ],
        timeline=[
            *(with_account(each, *OURS) for each in "3120"),
            with_account("4", "901", "Twin"),
            with_account("5", "902", "TWIN"),
            with_account("6", "903", "900"),
            with_account("7", "001A", "Known to Salesforce", "Salesforce"),
            with_account("8", "904", "Calloway Lifts"),
            with_account("8", "905", "Calloway Bank"),
            with_account("7", "905", "Calloway Bank"),
            {**with_account("", "906", "Never called"), "event_type": "Deal Created", "call_id": None},
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


def test_a_call_that_is_linked_to_two_companies_is_in_the_timeline_of_both(calls: Warehouse) -> None:
    lifts, bank = account_timeline(calls, "Calloway Lifts"), account_timeline(calls, "905")
    assert [each.call_id for each in lifts.calls] == ["8"]
    assert [each.call_id for each in bank.calls] == ["7", "8"]
    assert (lifts.call_count, bank.call_count) == (1, 2)


def test_an_account_of_another_crm_is_found_by_its_name_and_by_its_id_there(calls: Warehouse) -> None:
    for company in ("known to salesforce", "001A"):
        timeline = account_timeline(calls, company)
        assert (timeline.crm_system, timeline.company_id) == ("Salesforce", "001A")
        assert [each.call_id for each in timeline.calls] == ["7"]


def test_a_company_whose_name_changed_keeps_its_calls(warehouse: Warehouse) -> None:
    fill(
        warehouse,
        calls=[call("1"), call("2")],
        timeline=[with_account("1", "900", "Old name"), with_account("2", "900", "New name")],
    )
    timeline = account_timeline(warehouse, "New name")
    assert (timeline.call_count, len(timeline.calls)) == (2, 2)


def test_an_id_means_one_company_even_if_another_one_is_called_so(calls: Warehouse) -> None:
    assert account_timeline(calls, "900").company_name == "O'Hara & Söhne"
    assert account_timeline(calls, "903").company_name == "900"


def test_a_name_of_several_companies_is_refused_with_their_ids(calls: Warehouse) -> None:
    told = r"several companies .* 901 \(HubSpot, 1 calls\), 902 \(HubSpot, 1 calls\)"
    with pytest.raises(AgentError, match=told):
        account_timeline(calls, "Twin")
    assert [each.call_id for each in account_timeline(calls, "902").calls] == ["5"]


def test_a_part_of_a_name_is_not_found_but_answered_with_names_that_contain_it(calls: Warehouse) -> None:
    told = r"whole name or its id: Calloway Bank \(905\), Calloway Lifts \(904\)$"
    with pytest.raises(NotFound, match=told):
        account_timeline(calls, "calloway")


def test_no_more_than_five_names_are_told(warehouse: Warehouse) -> None:
    names = [f"Lifts {number}" for number in range(9)]
    fill(warehouse, calls=[call("1")], timeline=[with_account("1", name, name) for name in names])
    with pytest.raises(NotFound) as raised:
        account_timeline(warehouse, "Lifts")
    assert str(raised.value).count("(Lifts") == 5


@pytest.mark.parametrize("company", ["Nobody Inc", "%", "Never called", "' OR '1' = '1"])
def test_a_company_without_calls_is_not_found(calls: Warehouse, company: str) -> None:
    with pytest.raises(NotFound) as raised:
        account_timeline(calls, company)
    assert str(raised.value) == f"no call in VW_ACCOUNT_TIMELINE is linked to company {company}"
