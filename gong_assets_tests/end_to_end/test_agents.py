"""What agents ask, of a month of real runs: by meaning, worst first, in time order, whatever is in the question."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gong_assets.agents import NotFound, analyze_call, coaching_opportunities, similar_segments
from gong_assets.agents.analysis import RISK_SENTIMENT
from gong_assets.agents.coaching import HIGH_TALK_RATIO, LOW_SENTIMENT
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.cli.command_line import CommandLine
from gong_assets_tests.end_to_end import company

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("company"), pytest.mark.usefixtures("first_run")]

APRIL = datetime(2025, 4, 1, tzinfo=UTC)
EXPENSIVE = "the customer thinks that it costs too much"
HOSTILE = [
    "'; DROP TABLE GONG_CALLS_RAW; --",
    "100%",
    "%s %(name)s %d",
    "it's \"quoted\" \\' \\",
    "$$ select 1 $$ /* ; */ {{ x }} :name ? :1",
    company.STRANGE_TEXT,
]


def test_a_search_finds_by_meaning_without_a_word_in_common(company_warehouse: Warehouse) -> None:
    found = similar_segments(company_warehouse, EXPENSIVE, limit=10)
    assert found[0].text == company.PRICE_COMPLAINT
    similarities = [segment.similarity or 0 for segment in found]
    assert len(found) == 10
    assert similarities == sorted(similarities, reverse=True)


def test_a_minimum_similarity_leaves_out_what_is_below_it(company_warehouse: Warehouse) -> None:
    all_of_them = similar_segments(company_warehouse, EXPENSIVE, limit=1000)
    threshold = all_of_them[4].similarity or 0
    found = similar_segments(company_warehouse, EXPENSIVE, limit=1000, min_similarity=threshold)
    assert found == [segment for segment in all_of_them if (segment.similarity or 0) >= threshold]
    assert similar_segments(company_warehouse, EXPENSIVE, min_similarity=1.0) == []


def test_coaching_lists_the_worst_first_and_says_why(company_warehouse: Warehouse) -> None:
    found = coaching_opportunities(company_warehouse, days=31, limit=1000, now=APRIL)
    badness = [
        max(LOW_SENTIMENT - (call.sentiment_score or 0), 0) + max((call.talk_ratio or 0) - HIGH_TALK_RATIO, 0)
        for call in found
    ]
    assert badness == sorted(badness, reverse=True)
    assert badness[-1] > 0
    reasons = {call.call_id: call.reasons for call in found}
    assert "host talked 95% of the time" in reasons[company.MONOLOGUE]
    assert reasons[company.PRICING][0].startswith("sentiment -")
    assert company.RENEWAL not in reasons
    # Without a transcript there is no score, and no score is no low score.
    assert company.BARE not in reasons


def test_coaching_looks_at_the_last_days_only(company_warehouse: Warehouse) -> None:
    found = {
        call.call_id for call in coaching_opportunities(company_warehouse, days=10, limit=1000, now=APRIL)
    }
    assert not found & {company.PRICING, company.MONOLOGUE}


def test_an_analysis_has_the_risks_in_the_order_in_which_they_were_said(company_warehouse: Warehouse) -> None:
    analysis = analyze_call(company_warehouse, company.PRICING)
    assert [segment.text for segment in analysis.risk_segments] == [
        company.PRICE_COMPLAINT,
        "This is a bad and disappointing experience, I am angry about the delays.",
    ]
    assert all((segment.segment_sentiment or 0) <= RISK_SENTIMENT for segment in analysis.risk_segments)
    assert analysis.deal_name == "Platform for Customer Ltd"
    assert analysis.summary


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_only_a_text(company_warehouse: Warehouse, text: str) -> None:
    assert len(similar_segments(company_warehouse, text, limit=2)) == 2
    with pytest.raises(NotFound):
        analyze_call(company_warehouse, text)


def test_the_commands_give_agents_json(project: CommandLine) -> None:
    days_since = (datetime.now(UTC) - datetime(2025, 3, 1, tzinfo=UTC)).days + 1
    coaching = (
        project.gong_assets("coach", "--days", str(days_since), "--limit", "2", "--json").succeeded().json
    )
    assert len(coaching) == 2
    assert coaching[0]["reasons"]
    analysis = project.gong_assets("analyze", company.PRICING, "--json").succeeded().json
    assert analysis["call_id"] == company.PRICING
    assert len(analysis["risk_segments"]) == 2
    segments = project.gong_assets("search", company.STRANGE_TEXT, "--limit", "1", "--json").succeeded().json
    assert company.STRANGE_TEXT in segments[0]["text"]


def test_the_commands_tell_the_same_in_words(project: CommandLine) -> None:
    assert company.PRICE_COMPLAINT in project.gong_assets("analyze", company.PRICING).succeeded().stdout
    assert company.PRICE_COMPLAINT in project.gong_assets("search", EXPENSIVE).succeeded().stdout
    assert project.gong_assets("coach", "--days", "1").succeeded().stdout == "no call needs coaching\n"


def test_an_unknown_call_is_told_in_a_line(project: CommandLine) -> None:
    outcome = project.gong_assets("analyze", "123")
    assert outcome.code == 1
    assert outcome.stderr.startswith("error: call 123 is not in VW_ENRICHED_GONG_CALLS")
    assert len(outcome.stderr.splitlines()) == 1


def test_an_empty_search_is_told_in_a_line(project: CommandLine) -> None:
    outcome = project.gong_assets("search", "  ")
    assert (outcome.code, outcome.stderr) == (2, "error: the text to search for is empty\n")
