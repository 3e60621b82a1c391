"""`analyze_call` returns the segments that VW_ENRICHED_GONG_CALL_TRANSCRIPTS marks as risk segments."""

from __future__ import annotations

import pytest

from gong_assets.agents import NotFound, analyze_call
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.agents.tables import call, create_views, segment

SEGMENTS = [
    segment("1_0", "That is bad.", segment_sentiment=-0.4, is_risk_segment=True),
    segment("1_1", "Our own mistake.", segment_sentiment=-0.9, is_risk_segment=False),
    segment("1_2", "That is terrible.", segment_sentiment=-0.8, is_risk_segment=True),
    segment("1_3", "Not scored yet.", is_risk_segment=None),
    segment("1_4", "That is awful.", segment_sentiment=-0.6, is_risk_segment=True),
    segment("2_0", "Another call.", segment_sentiment=-0.9, is_risk_segment=True),
]


@pytest.fixture(scope="module")
def calls(module_warehouse: Warehouse) -> Warehouse:
    return create_calls(module_warehouse)


@pytest.fixture
def own_calls(warehouse: Warehouse) -> Warehouse:
    """The same calls, for a test that changes them."""
    return create_calls(warehouse)


def create_calls(warehouse: Warehouse) -> Warehouse:
    create_views(warehouse, calls=[call("1", call_summary="They complained.")], segments=SEGMENTS)
    return warehouse


def test_risk_segments_are_those_that_the_view_marks(calls: Warehouse) -> None:
    analysis = analyze_call(calls, "1")
    assert [found.transcript_id for found in analysis.risk_segments] == ["1_0", "1_2", "1_4"]
    assert analysis.summary == "They complained."


def test_limit_keeps_the_most_negative_risk_segments_in_time_order(calls: Warehouse) -> None:
    analysis = analyze_call(calls, "1", limit=2)
    assert [found.transcript_id for found in analysis.risk_segments] == ["1_2", "1_4"]
    assert analysis.risk_segment_count == 3


def test_a_segment_that_awaits_redaction_is_excluded(own_calls: Warehouse) -> None:
    own_calls.query(
        "UPDATE VW_ENRICHED_GONG_CALL_TRANSCRIPTS SET TRANSCRIPT_TEXT = NULL WHERE TRANSCRIPT_ID = '1_2'"
    )
    assert analyze_call(own_calls, "1").risk_segment_count == 2


def test_an_unknown_call_is_not_found(calls: Warehouse) -> None:
    with pytest.raises(NotFound, match="call 3 is not in VW_ENRICHED_GONG_CALLS; check that its day"):
        analyze_call(calls, "3")
