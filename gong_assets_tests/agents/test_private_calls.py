"""Private calls can be landed, but no agent function returns them or anything derived from them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gong_assets.agents import (
    NotFound,
    account_timeline,
    analyze_call,
    coaching_opportunities,
    deals_at_risk,
    find_calls,
    find_records,
    read_transcript,
    similar_segments,
)
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.agents.tables import (
    account_event,
    call,
    coaching_opportunity,
    company,
    create_views,
    deal,
    deal_call,
    deal_risk,
    rep,
    segment,
)

NOW = datetime(2026, 11, 12, tzinfo=UTC)
EXPENSIVE = "they find it too expensive"
HOST_AND_COMPANY: dict[str, Any] = {"primary_user_id": "77", "hubspot_company_id": "900"}
RISK: dict[str, Any] = {"segment_sentiment": -0.9, "is_risk_segment": True}
# By call id. Call 3 has no flag and counts as public.
IS_PRIVATE = {"1": True, "2": False, "3": None}


@pytest.fixture(scope="module")
def calls(module_warehouse: Warehouse) -> Warehouse:
    return create_calls(module_warehouse)


@pytest.fixture
def own_calls(warehouse: Warehouse) -> Warehouse:
    """The same calls, for a test that changes them."""
    return create_calls(warehouse)


def create_calls(warehouse: Warehouse) -> Warehouse:
    """One private and two public calls, with different hosts and deals."""
    own: dict[str, dict[str, Any]] = {
        "1": {"is_private": True, **HOST_AND_COMPANY},
        "2": {"is_private": False},
        "3": {"is_private": None},
    }
    create_views(
        warehouse,
        calls=[call(each, **values) for each, values in own.items()],
        segments=[
            segment("1_0", "The price is far too high.", **RISK, **own["1"]),
            segment("2_0", "That is not cheap.", **RISK, **own["2"]),
            segment("3_0", "That is too expensive.", **RISK, **own["3"]),
        ],
        coaching=[
            coaching_opportunity(each, 0.5, "Talked Too Much", is_private=private)
            for each, private in IS_PRIVATE.items()
        ],
        timeline=[
            account_event("1", "900", "Only private calls", is_private=True),
            *(
                account_event(each, "901", "Customer Ltd", is_private=private)
                for each, private in IS_PRIVATE.items()
            ),
        ],
        deal_calls=[deal_call("1", "10"), deal_call("1", "20"), deal_call("2", "20")],
        directory=[
            rep("77", "Rita", is_private=True),
            company("900", "Only private calls", is_private=True),
            company("901", "Customer Ltd"),
            deal("10", "Secret", is_private=True),
            deal("20", "Renewal", is_private=None),
            deal("30", "Expansion"),
        ],
        deal_risks=[
            deal_risk(each, "Stalled", last_call_id="1", has_private_call=each != "30")
            for each in ("10", "20", "30")
        ],
    )
    return warehouse


def test_analyze_call_does_not_find_a_private_call(calls: Warehouse) -> None:
    with pytest.raises(NotFound, match="call 1 is not in"):
        analyze_call(calls, "1")
    assert len(analyze_call(calls, "2").risk_segments) == 1
    assert len(analyze_call(calls, "3").risk_segments) == 1


def test_coaching_opportunities_exclude_private_calls(calls: Warehouse) -> None:
    assert [each.call_id for each in coaching_opportunities(calls, now=NOW).calls] == ["2", "3"]


def test_a_search_excludes_private_calls(calls: Warehouse) -> None:
    assert {each.call_id for each in similar_segments(calls, EXPENSIVE).segments} == {"2", "3"}
    assert {each.call_id for each in similar_segments(calls, EXPENSIVE, deal="20").segments} == {"2"}


@pytest.mark.parametrize("filters", [{"rep": "77"}, {"deal": "10"}])
def test_a_rep_or_deal_with_only_private_calls_is_not_found(
    calls: Warehouse, filters: dict[str, str]
) -> None:
    with pytest.raises(NotFound):
        similar_segments(calls, EXPENSIVE, **filters)  # type: ignore[arg-type]


@pytest.mark.slow
def test_the_context_of_a_hit_excludes_private_segments(own_calls: Warehouse) -> None:
    # Simulates a call that becomes private while the search runs.
    own_calls.query(
        "UPDATE VW_ENRICHED_GONG_CALL_TRANSCRIPTS SET CALL_ID = '2', TURN_INDEX = 1 WHERE CALL_ID = '1'"
    )
    (hit,) = similar_segments(own_calls, EXPENSIVE, deal="20", context=1).segments
    assert hit.context_after == []


def test_an_account_timeline_excludes_private_calls(calls: Warehouse) -> None:
    timeline = account_timeline(calls, "901")
    assert [each.call_id for each in timeline.calls] == ["2", "3"]
    assert timeline.call_count == 2


@pytest.mark.parametrize("company", ["900", "Only private"])
def test_a_company_with_only_private_calls_is_neither_found_nor_suggested(
    calls: Warehouse, company: str
) -> None:
    with pytest.raises(NotFound) as raised:
        account_timeline(calls, company)
    assert "Only private calls" not in str(raised.value)


@pytest.mark.parametrize(
    ("record_type", "found"), [("Rep", []), ("Company", ["901"]), ("Deal", ["20", "30"])]
)
def test_names_that_only_private_calls_have_are_not_found(
    calls: Warehouse, record_type: str, found: list[str]
) -> None:
    answer = find_records(calls, record_type)  # type: ignore[arg-type]
    assert sorted(each.record_id for each in answer.records) == found


def test_private_calls_are_neither_listed_nor_read(calls: Warehouse) -> None:
    assert [each.call_id for each in find_calls(calls).calls] == ["3", "2"]
    assert [each.call_id for each in find_calls(calls, deal="20").calls] == ["2"]
    with pytest.raises(NotFound, match="call 1 is not in"):
        read_transcript(calls, "1")


def test_a_deal_with_a_private_call_is_not_listed(calls: Warehouse) -> None:
    # Its figures, such as the sentiment, are those of all its calls.
    (found,) = deals_at_risk(calls).deals
    assert found.hubspot_deal_id == "30"
    assert found.last_call_title is None
