"""The agent functions and their commands over a company's month, which the graph has materialized."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from gong_assets.agents import NotFound, analyze_call, coaching_opportunities, similar_segments
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.cli.command_line import CommandLine
from gong_assets_tests.end_to_end import company

pytestmark = [
    pytest.mark.extended,
    pytest.mark.slow,
    pytest.mark.xdist_group("company"),
    pytest.mark.usefixtures("first_run"),
]

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
    found = similar_segments(company_warehouse, EXPENSIVE, limit=10).segments
    assert found[0].text == company.PRICE_COMPLAINT
    similarities = [segment.similarity or 0 for segment in found]
    assert len(found) == 10
    assert similarities == sorted(similarities, reverse=True)


def test_hits_below_the_minimum_similarity_are_excluded(company_warehouse: Warehouse) -> None:
    unfiltered = similar_segments(company_warehouse, EXPENSIVE, limit=1000).segments
    threshold = unfiltered[4].similarity or 0
    found = similar_segments(company_warehouse, EXPENSIVE, limit=1000, min_similarity=threshold)
    assert found.segments == [segment for segment in unfiltered if (segment.similarity or 0) >= threshold]
    assert similar_segments(company_warehouse, EXPENSIVE, min_similarity=1.0).segments == []


@pytest.mark.parametrize("days", [10, 31])
def test_coaching_lists_exactly_what_the_view_lists(company_warehouse: Warehouse, days: int) -> None:
    rows = company_warehouse.query(
        "SELECT CALL_ID, REASONS, COACHING_SCORE FROM VW_COACHING_OPPORTUNITIES "
        "WHERE CALL_DATETIME_UTC >= %s AND NOT COALESCE(IS_PRIVATE, FALSE)",
        (APRIL.replace(tzinfo=None) - timedelta(days=days),),
    )
    found = coaching_opportunities(company_warehouse, days=days, limit=1000, now=APRIL).calls
    assert {call.call_id: call.reasons for call in found} == {
        row["CALL_ID"]: json.loads(row["REASONS"]) for row in rows
    }
    scores = [call.coaching_score for call in found]
    assert scores == sorted((row["COACHING_SCORE"] for row in rows), reverse=True)


def test_coaching_returns_the_reasons_of_the_view(company_warehouse: Warehouse) -> None:
    found = coaching_opportunities(company_warehouse, days=31, limit=1000, now=APRIL).calls
    assert {call.call_id: call.reasons for call in found} == {
        company.MONOLOGUE: ["Talked Too Much"],
        company.PRICING: ["Unhappy Customer"],
        company.WEST: ["Talked Too Little", "Little Dialogue"],
    }


def test_analysis_lists_exactly_the_risk_segments_of_the_view(company_warehouse: Warehouse) -> None:
    expected: dict[str, set[str]] = {company.RENEWAL: set()}
    for row in company_warehouse.query(
        "SELECT CALL_ID, TRANSCRIPT_ID FROM VW_ENRICHED_GONG_CALL_TRANSCRIPTS "
        "WHERE IS_RISK_SEGMENT AND NOT COALESCE(IS_PRIVATE, FALSE)"
    ):
        expected.setdefault(row["CALL_ID"], set()).add(row["TRANSCRIPT_ID"])
    assert len(expected) >= 2
    for call_id, transcript_ids in expected.items():
        analysis = analyze_call(company_warehouse, call_id)
        assert {segment.transcript_id for segment in analysis.risk_segments} == transcript_ids
        assert analysis.risk_segment_count == len(transcript_ids)


def test_risk_segments_are_in_time_order(company_warehouse: Warehouse) -> None:
    analysis = analyze_call(company_warehouse, company.PRICING)
    assert [segment.text for segment in analysis.risk_segments] == [
        company.PRICE_COMPLAINT,
        "This is a bad and disappointing experience, I am angry about the delays.",
    ]
    assert analysis.deal_name == "Platform for Customer Ltd"
    assert analysis.summary


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_treated_as_text(company_warehouse: Warehouse, text: str) -> None:
    assert len(similar_segments(company_warehouse, text, limit=2).segments) == 2
    with pytest.raises(NotFound):
        analyze_call(company_warehouse, text)


def test_the_commands_print_json(project: CommandLine) -> None:
    days_since = (datetime.now(UTC) - datetime(2025, 3, 1, tzinfo=UTC)).days + 1
    coaching = (
        project.gong_assets("coach", "--days", str(days_since), "--limit", "2", "--json").succeeded().json
    )
    assert len(coaching["calls"]) == 2
    assert coaching["next_page"]
    assert coaching["calls"][0]["reasons"]
    analysis = project.gong_assets("analyze", company.PRICING, "--json").succeeded().json
    assert analysis["call_id"] == company.PRICING
    assert len(analysis["risk_segments"]) == 2
    segments = project.gong_assets("search", company.STRANGE_TEXT, "--limit", "1", "--json").succeeded().json
    assert company.STRANGE_TEXT in segments["segments"][0]["text"]


def test_the_commands_print_text(project: CommandLine) -> None:
    assert company.PRICE_COMPLAINT in project.gong_assets("analyze", company.PRICING).succeeded().stdout
    assert company.PRICE_COMPLAINT in project.gong_assets("search", EXPENSIVE).succeeded().stdout
    assert project.gong_assets("coach", "--days", "1").succeeded().stdout == "no call needs coaching\n"


def test_an_unknown_call_is_a_one_line_error(project: CommandLine) -> None:
    outcome = project.gong_assets("analyze", "123")
    assert outcome.code == 1
    assert outcome.stderr.startswith("error: call 123 is not in VW_ENRICHED_GONG_CALLS")
    assert len(outcome.stderr.splitlines()) == 1


def test_an_empty_search_text_is_a_one_line_error(project: CommandLine) -> None:
    outcome = project.gong_assets("search", "  ")
    assert (outcome.code, outcome.stderr) == (2, "error: text: should not be blank\n")
