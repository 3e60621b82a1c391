"""Printing untrusted texts: each row stays on one line, and no text controls the terminal."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from gong_assets.agents import (
    AccountTimeline,
    Call,
    CallAnalysis,
    Calls,
    CoachingOpportunities,
    CoachingOpportunity,
    DealAtRisk,
    DealsAtRisk,
    Record,
    Records,
    Segment,
    SimilarSegment,
    SimilarSegments,
    TimelineCall,
    Transcript,
)
from gong_assets.cli import answers, output
from gong_assets_tests.hostile import ALL

HOSTILE = f"before {ALL} [bold]and[/] after"
LONG = "word " * 200 + "end"

SEGMENT = {
    "transcript_id": "1_0",
    "call_id": "1",
    "text": HOSTILE,
    "speaker_name": HOSTILE,
    "call_title": HOSTILE,
}
CALL = {
    "call_id": "1", "call_title": HOSTILE, "call_datetime_utc": None, "call_url": None, "host_name": HOSTILE,
    "hubspot_deal_id": None, "deal_name": HOSTILE, "deal_stage": HOSTILE, "deal_amount": None,
    "deal_outcome": None, "sentiment_score": None, "sentiment_category": None, "summary": HOSTILE,
    "next_steps": [HOSTILE], "call_duration_seconds": None, "talk_ratio": None, "hubspot_company_id": None,
    "company_name": HOSTILE, "risk_segment_count": 1, "reasons": [],
}  # fmt: skip


def search_results(text: str) -> SimilarSegments:
    hit = SimilarSegment(transcript_id="1_0", call_id="1", text=text, similarity=0.5)
    return SimilarSegments(segments=[hit])


def test_no_text_sends_commands_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    turn = Segment.model_validate(SEGMENT)
    hit = SimilarSegment(**turn.model_dump(), similarity=0.5, context_before=[turn], context_after=[turn])
    answers.segments(SimilarSegments(segments=[hit]))
    answers.analysis(CallAnalysis.model_validate({**CALL, "risk_segments": [turn]}))
    answers.coaching(CoachingOpportunities(calls=[CoachingOpportunity.model_validate(CALL)]))
    answers.calls(Calls(calls=[Call.model_validate(CALL)]))
    answers.transcript(Transcript.model_validate({**CALL, "turns": [turn]}))
    record = Record(crm_system=HOSTILE, record_id="1", record_name=HOSTILE, record_detail=HOSTILE)
    answers.records(Records(records=[record]))
    deal = DealAtRisk(
        hubspot_deal_id="10",
        deal_name=HOSTILE,
        deal_owner=HOSTILE,
        risk_level="Low",
        reasons=[HOSTILE],
        call_count=1,
    )
    answers.deals(DealsAtRisk(deals=[deal]))
    calls = [TimelineCall.model_validate(CALL)]
    timeline = AccountTimeline(
        crm_system="HubSpot", company_id="900", company_name=HOSTILE, call_count=1, calls=calls
    )
    answers.account(timeline)
    output.error(HOSTILE)

    for printed in capsys.readouterr():
        assert "[bold]and[/] after" in printed
        assert not [c for c in printed if not c.isprintable() and c != "\n"]


def test_json_output_contains_the_unchanged_text(capsys: pytest.CaptureFixture[str]) -> None:
    answers.show(search_results(HOSTILE), answers.segments, as_json=True)
    assert json.loads(capsys.readouterr().out)["segments"][0]["text"] == HOSTILE


def test_each_row_is_one_line_in_a_pipe_however_long_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    answers.segments(search_results(f"{LONG}\n{LONG}"))
    call = CoachingOpportunity.model_validate({**CALL, "call_title": LONG})
    answers.coaching(CoachingOpportunities(calls=[call]))
    answers.analysis(CallAnalysis.model_validate({**CALL, "summary": f"{LONG}\n{LONG}", "risk_segments": []}))
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if "word end" in line]) == 3
    assert len([line for line in lines if "word word" in line]) == 3


@pytest.mark.parametrize("as_json", [True, False])
def test_an_empty_search_reports_the_segments_that_could_not_be_compared(
    capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    empty = SimilarSegments(segments=[], note="3 segments could not be compared")
    answers.show(empty, answers.segments, as_json=as_json)
    printed = capsys.readouterr()
    assert printed.err == "3 segments could not be compared\n"
    if as_json:
        assert json.loads(printed.out) == {"note": "3 segments could not be compared", "segments": []}
    else:
        assert printed.out == "no similar segments\n"


def test_an_answer_says_how_recent_it_is_and_how_to_get_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    answer = Calls(data_as_of=datetime(2026, 11, 12, 8, 30, tzinfo=UTC), next_page="token", calls=[])
    answers.show(answer, answers.calls, as_json=False)
    printed = capsys.readouterr()
    assert printed.out == "no calls\n"
    assert printed.err.splitlines() == [
        "calls were last read from Gong at 2026-11-12 08:30 UTC",
        "there is more: run the same command with --page token",
    ]
