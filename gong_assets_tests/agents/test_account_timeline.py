"""Calls that `account_timeline` returns for a company, and their order."""

from __future__ import annotations

import pytest

from gong_assets.agents import AgentError, NotFound, account_timeline
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.agents.tables import account_event, call, company, create_views

OURS = ("900", "O'Hara & Söhne")
DEAL = {
    "hubspot_deal_id": "10",
    "deal_name": "Renewal",
    "deal_stage": "Won",
    "deal_amount": 12.5,
    "deal_outcome": "Won",
}


@pytest.fixture(scope="module")
def calls(module_warehouse: Warehouse) -> Warehouse:
    create_views(
        module_warehouse,
        calls=[
            call("3", call_datetime_utc="2026-11-12 10:00:00", next_steps=["Send the offer", "Call \"Bob\""],
                 sentiment_score=0.25, sentiment_category="Neutral", call_summary="They agreed.", **DEAL),
            call("1", call_datetime_utc="2026-11-12 09:00:00"),
            call("2", call_datetime_utc="2026-11-13 09:00:00", next_steps=None),
            call("0", call_datetime_utc=None),
            call("99", call_kind="Future", call_date="2099-01-01", call_datetime_utc="2099-01-01 09:00:00"),
            *map(call, "45678"),
            # The call's own columns name only the first of its companies.
            call("9", hubspot_company_id="900", hubspot_company_name="O'Hara & Söhne"),
        ],
        timeline=[
            *(account_event(each, *OURS) for each in ("3", "1", "2", "0", "99")),
            account_event("4", "901", "Twin"),
            account_event("5", "902", "TWIN"),
            account_event("6", "903", "900"),
            account_event("7", "001A", "Known to Salesforce", "Salesforce"),
            account_event("8", "904", "Calloway Lifts"),
            account_event("8", "905", "Calloway Bank"),
            account_event("7", "905", "Calloway Bank"),
            {**account_event("", "906", "Never called"), "event_type": "Deal Created", "call_id": None},
        ],
        directory=[
            company(*OURS),
            company("901", "Twin", "twin.example"),
            company("902", "TWIN"),
            company("903", "900"),
            company("001A", "Known to Salesforce", crm_system="Salesforce"),
            company("904", "Calloway Lifts"),
            company("905", "Calloway Bank"),
            company("906", "Never called"),
        ],
    )  # fmt: skip
    return module_warehouse


@pytest.mark.slow
@pytest.mark.parametrize("company", ["900", "O'Hara & Söhne", "  o'hara & söhne "])
def test_a_company_is_found_by_id_or_name_and_its_calls_are_in_time_order(
    calls: Warehouse, company: str
) -> None:
    timeline = account_timeline(calls, company)
    assert (timeline.company_id, timeline.company_name, timeline.call_count) == ("900", "O'Hara & Söhne", 4)
    assert [each.call_id for each in timeline.calls] == ["0", "1", "3", "2"]


def test_limit_keeps_the_newest_calls_and_call_count_is_the_total(calls: Warehouse) -> None:
    timeline = account_timeline(calls, "900", limit=2)
    assert [each.call_id for each in timeline.calls] == ["3", "2"]
    assert timeline.call_count == 4


def test_a_call_has_its_deal_sentiment_summary_and_next_steps(calls: Warehouse) -> None:
    found = account_timeline(calls, "900").calls[2]
    assert found.next_steps == ["Send the offer", 'Call "Bob"']
    assert found.model_dump(include=set(DEAL)) == DEAL
    assert (found.sentiment_score, found.sentiment_category, found.summary) == (
        0.25,
        "Neutral",
        "They agreed.",
    )


def test_a_call_without_next_steps_has_an_empty_list(calls: Warehouse) -> None:
    assert [each.next_steps for each in account_timeline(calls, "900").calls if each.call_id != "3"] == [
        []
    ] * 3


def test_a_list_of_cortex_can_have_elements_that_are_no_texts(warehouse: Warehouse) -> None:
    steps = ["Send the offer", None, " ", 7, {"what": "Träger anrufen"}]
    create_views(
        warehouse,
        calls=[call("1", next_steps=steps)],
        timeline=[account_event("1", *OURS)],
        directory=[company(*OURS)],
    )
    (found,) = account_timeline(warehouse, "900").calls
    assert found.next_steps == ["Send the offer", "7", '{"what": "Träger anrufen"}']


def test_a_call_with_two_companies_is_in_both_timelines(calls: Warehouse) -> None:
    lifts, bank = account_timeline(calls, "Calloway Lifts"), account_timeline(calls, "905")
    assert [each.call_id for each in lifts.calls] == ["8"]
    assert [each.call_id for each in bank.calls] == ["7", "8"]
    assert (lifts.call_count, bank.call_count) == (1, 2)


def test_an_account_of_another_crm_is_found_by_name_and_id(calls: Warehouse) -> None:
    for name_or_id in ("known to salesforce", "001A"):
        timeline = account_timeline(calls, name_or_id)
        assert (timeline.crm_system, timeline.company_id) == ("Salesforce", "001A")
        assert [each.call_id for each in timeline.calls] == ["7"]


def test_a_renamed_company_keeps_its_calls(warehouse: Warehouse) -> None:
    create_views(
        warehouse,
        calls=[call("1"), call("2")],
        timeline=[account_event("1", "900", "Old name"), account_event("2", "900", "New name")],
        directory=[
            company("900", "New name"),
            company("900", "New name", term="Old name", is_former=True)[1:],
        ],
    )
    for name in ("New name", "old name"):
        timeline = account_timeline(warehouse, name)
        assert (timeline.company_name, timeline.call_count, len(timeline.calls)) == ("New name", 2, 2)


def test_an_id_takes_precedence_over_the_name_of_another_company(calls: Warehouse) -> None:
    assert account_timeline(calls, "900").company_name == "O'Hara & Söhne"
    assert account_timeline(calls, "903").company_name == "900"


def test_an_ambiguous_name_is_an_error_that_lists_the_ids(calls: Warehouse) -> None:
    message = r"several companies .* 90[12] \(HubSpot.*\), 90[12] \(HubSpot.*\)"
    with pytest.raises(AgentError, match=message):
        account_timeline(calls, "Twin")
    assert [each.call_id for each in account_timeline(calls, "902").calls] == ["5"]


def test_a_partial_name_is_not_found_and_the_error_lists_matching_names(calls: Warehouse) -> None:
    message = r'whole name or an id: "Calloway Bank" \(905\), "Calloway Lifts" \(904\)'
    with pytest.raises(NotFound, match=message):
        account_timeline(calls, "calloway")


def test_the_error_lists_at_most_five_names(warehouse: Warehouse) -> None:
    names = [f"Lifts {number}" for number in range(9)]
    create_views(warehouse, calls=[call("1")], directory=[company(name, name) for name in names])
    with pytest.raises(NotFound) as raised:
        account_timeline(warehouse, "Lifts")
    assert str(raised.value).count("(Lifts") == 5


def test_a_company_without_calls_is_not_found(calls: Warehouse) -> None:
    with pytest.raises(NotFound) as raised:
        account_timeline(calls, "Never called")
    assert str(raised.value) == "no call in VW_ACCOUNT_TIMELINE is linked to company Never called"


@pytest.mark.parametrize("company", ["Nobody Inc", "%", "' OR '1' = '1"])
def test_an_unknown_company_is_not_found(calls: Warehouse, company: str) -> None:
    with pytest.raises(NotFound) as raised:
        account_timeline(calls, company)
    assert str(raised.value) == f"there is no company {company}; look for a company by part of a name"
