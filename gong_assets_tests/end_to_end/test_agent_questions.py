"""Filtered searches, context turns and account timelines over a company's month, and hostile arguments."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from gong_assets.agents import (
    AgentError,
    NotFound,
    account_timeline,
    analyze_call,
    coaching_opportunities,
    similar_segments,
)
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.cli.command_line import CommandLine
from gong_assets_tests.end_to_end import company
from gong_assets_tests.end_to_end.runs import Snapshot, changes, take_snapshot

pytestmark = [
    pytest.mark.extended,
    pytest.mark.slow,
    pytest.mark.xdist_group("company"),
    pytest.mark.usefixtures("first_run"),
]

EXPENSIVE = "the customer thinks that it costs too much"
DEAL, DEALS_COMPANY = "8800000002", "Other GmbH"
CUSTOMER_ID, CUSTOMER = "9900000001", "Customer Ltd, Istanbul"

HOSTILE = [
    "'; DROP TABLE GONG_CALLS_RAW; --",
    "' OR '1' = '1",
    "\\' OR 1 = 1; DELETE FROM STG_GONG_CALLS; --",
    "%s %(name)s %d %",
    "$$; DROP VIEW VW_ENRICHED_GONG_CALLS; $$",
    "x\0; DROP TABLE GONG_CALLS_RAW",
    "x" * 2**20,
    company.STRANGE_TEXT,
]


def test_a_search_is_limited_to_the_rep_the_dates_and_the_speaker(company_warehouse: Warehouse) -> None:
    # At 23:00 UTC. No external speaker talks on the other calls of the day.
    march_2 = date(2025, 3, 2)
    found = similar_segments(
        company_warehouse,
        EXPENSIVE,
        limit=100,
        rep="rita o'neill",
        from_date=march_2,
        to_date=march_2,
        speaker="External",
    ).segments
    assert [hit.call_id for hit in found] == [company.PRICING] * 2
    assert found[0].text == company.PRICE_COMPLAINT
    assert {(hit.speaker_type, hit.host_name) for hit in found} == {("External", "Rita O'Neill")}


def test_a_search_is_limited_to_the_deal(company_warehouse: Warehouse) -> None:
    found = similar_segments(company_warehouse, EXPENSIVE, limit=100, deal=DEAL).segments
    assert [hit.call_id for hit in found] == [company.RENEWAL] * 2


@pytest.mark.parametrize("rep", [company.REP_USER, "Rita O'Neill", "rita@seller.example"])
def test_a_rep_is_found_by_id_name_and_e_mail_address(company_warehouse: Warehouse, rep: str) -> None:
    found = similar_segments(company_warehouse, EXPENSIVE, rep=rep)
    assert found == similar_segments(company_warehouse, EXPENSIVE)


def test_a_search_excludes_calls_before_the_first_date(company_warehouse: Warehouse) -> None:
    later = similar_segments(company_warehouse, EXPENSIVE, limit=100, from_date=date(2025, 3, 5)).segments
    assert company.PRICING not in {hit.call_id for hit in later}


def test_a_hit_has_the_turns_before_and_after_it(company_warehouse: Warehouse) -> None:
    (hit,) = similar_segments(company_warehouse, EXPENSIVE, limit=1, context=1).segments
    assert hit.text == company.PRICE_COMPLAINT
    assert [turn.text for turn in hit.context_before or []] == [
        "Hello Çağla, thank you for joining. How is the weather in Istanbul today?"
    ]
    assert [turn.text for turn in hit.context_after or []] == [
        "Let us look at the discount that we can give you for three years."
    ]


@pytest.mark.parametrize("identifier", [CUSTOMER_ID, CUSTOMER, CUSTOMER.upper()])
def test_the_calls_of_a_company_have_sentiment_summary_and_next_steps(
    company_warehouse: Warehouse, identifier: str
) -> None:
    timeline = account_timeline(company_warehouse, identifier)
    assert (timeline.company_id, timeline.company_name, timeline.call_count) == (CUSTOMER_ID, CUSTOMER, 1)
    (call,) = timeline.calls
    assert call.call_id == company.PRICING
    assert call.sentiment_score is not None
    assert call.sentiment_score < 0
    assert call.summary
    assert call.next_steps == ["Send a new offer"]


def test_the_calls_of_a_company_have_their_deals(company_warehouse: Warehouse) -> None:
    (call,) = account_timeline(company_warehouse, DEALS_COMPANY).calls
    assert (call.hubspot_deal_id, call.deal_name, call.deal_amount, call.deal_stage) == (
        DEAL, "Renewal of Other GmbH", 500, "closedwon",
    )  # fmt: skip
    assert call.next_steps == []


def test_every_account_timeline_has_exactly_the_calls_of_the_view(company_warehouse: Warehouse) -> None:
    calls: dict[tuple[str, str], set[str]] = {}
    for row in company_warehouse.query(
        "SELECT CRM_SYSTEM, ACCOUNT_ID, CALL_ID FROM VW_ACCOUNT_TIMELINE WHERE EVENT_TYPE = 'Call'"
    ):
        calls.setdefault((row["CRM_SYSTEM"], row["ACCOUNT_ID"]), set()).add(row["CALL_ID"])
    assert len(calls) >= 2
    for (crm_system, account_id), expected in calls.items():
        timeline = account_timeline(company_warehouse, account_id)
        assert timeline.crm_system == crm_system
        assert {call.call_id for call in timeline.calls} == expected


@pytest.fixture(scope="module")
def before(company_warehouse: Warehouse) -> Snapshot:
    """The tables before the questions of this module."""
    return take_snapshot(company_warehouse)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_arguments_change_no_table(company_warehouse: Warehouse, before: Snapshot, text: str) -> None:
    requests: list[Callable[[], Any]] = [
        lambda: similar_segments(company_warehouse, text, context=1),
        lambda: similar_segments(company_warehouse, EXPENSIVE, rep=text),
        lambda: similar_segments(company_warehouse, EXPENSIVE, deal=text),
        lambda: similar_segments(company_warehouse, EXPENSIVE, speaker=text),  # type: ignore[arg-type]
        lambda: similar_segments(company_warehouse, EXPENSIVE, from_date=text),  # type: ignore[arg-type]
        lambda: similar_segments(company_warehouse, EXPENSIVE, limit=text),  # type: ignore[arg-type]
        lambda: analyze_call(company_warehouse, text),
        lambda: account_timeline(company_warehouse, text),
        lambda: coaching_opportunities(company_warehouse, days=text),  # type: ignore[arg-type]
    ]
    errors = [error for request in requests if (error := error_message(request)) is not None]
    # Only the search text is valid, unless it is too long or has a NUL character.
    assert len(errors) == len(requests) - (len(text) < 1500 and "\0" not in text)
    assert max(map(len, errors)) < 300
    assert {len(line.splitlines()) for line in errors} == {1}
    assert changes(before, take_snapshot(company_warehouse)) == []


def error_message(request: Callable[[], Any]) -> str | None:
    try:
        request()
    except AgentError as error:
        return str(error)
    return None


@pytest.mark.parametrize("name", ["Nobody", "%", "' OR '1' = '1"])
def test_unknown_reps_deals_calls_and_companies_are_not_found(
    company_warehouse: Warehouse, name: str
) -> None:
    for request in (
        lambda: similar_segments(company_warehouse, EXPENSIVE, rep=name),
        lambda: similar_segments(company_warehouse, EXPENSIVE, deal=name),
        lambda: analyze_call(company_warehouse, name),
        lambda: account_timeline(company_warehouse, name),
    ):
        with pytest.raises(NotFound, match=r"VW_ENRICHED_GONG_CALLS|there is no (rep|deal|company)"):
            request()


def test_the_search_command_accepts_the_filters(project: CommandLine) -> None:
    filters = (
        "--rep",
        "rita@seller.example",
        "--speaker",
        "external",
        "--from-date",
        "2025-03-02",
        "--to-date",
        "2025-03-02",
    )
    found = project.gong_assets("search", EXPENSIVE, *filters, "--context", "1", "--json").succeeded().json
    found = found["segments"]
    assert len(found) == 2
    assert found[0]["text"] == company.PRICE_COMPLAINT
    assert found[0]["context_after"][0]["text"].startswith("Let us look at the discount")
    printed = project.gong_assets("search", EXPENSIVE, *filters, "--context", "1").succeeded().stdout
    assert "Rita O'Neill: Let us look at the discount" in printed
    with_deal = (
        project.gong_assets("search", EXPENSIVE, "--deal", DEAL, "--min-words", "12", "--json")
        .succeeded()
        .json
    )
    assert {hit["call_id"] for hit in with_deal["segments"]} == {company.RENEWAL}


def test_the_account_command_prints_the_timeline(project: CommandLine) -> None:
    timeline = project.gong_assets("account", CUSTOMER, "--json").succeeded().json
    assert [call["call_id"] for call in timeline["calls"]] == [company.PRICING]
    lines = project.gong_assets("account", CUSTOMER_ID).succeeded().stdout.splitlines()
    assert lines[0] == f"{CUSTOMER} ({CUSTOMER_ID}), 1 calls"
    assert lines[-1] == "  next steps  Send a new offer"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("search", EXPENSIVE, "--rep", "Nobody"), 1, "there is no rep Nobody"),
        (("search", EXPENSIVE, "--deal", "1"), 1, "there is no deal 1; look for a deal by part of a name"),
        (("search", "! " * 700), 2, "the text is too long for the embedding model; shorten it"),
        (("account", "Nobody"), 1, "there is no company Nobody"),
        (("account", "customer"), 1, f'use a whole name or an id: "{CUSTOMER}" ({CUSTOMER_ID})'),
    ],
)
def test_a_failed_command_prints_a_one_line_error(
    project: CommandLine, arguments: tuple[str, ...], code: int, message: str
) -> None:
    outcome = project.gong_assets(*arguments)
    assert (outcome.code, outcome.stdout) == (code, "")
    assert outcome.stderr.startswith("error: ")
    assert message in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1
