"""A private call may be landed; no question of an agent's is answered with it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gong_assets.agents import (
    NotFound,
    account_timeline,
    analyze_call,
    coaching_opportunities,
    similar_segments,
)
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.agents.tables import about_deal, call, fill, segment, with_account

NOW = datetime(2026, 11, 12, tzinfo=UTC)
EXPENSIVE = "they find it too expensive"
WHOSE: dict[str, Any] = {"primary_user_id": "77", "hubspot_company_id": "900"}


@pytest.fixture
def calls(warehouse: Warehouse) -> Warehouse:
    """A private call, and one of another host about another deal that is not. Of a third one nobody knows."""
    private = {"is_private": True, **WHOSE}
    fill(
        warehouse,
        calls=[
            call("1", talk_ratio=0.9, **private),
            call("2", talk_ratio=0.8, is_private=False),
            call("3", talk_ratio=0.7, is_private=None),
        ],
        segments=[
            segment("1_0", "The price is far too high.", segment_sentiment=-0.9, **private),
            segment("2_0", "That is not cheap.", segment_sentiment=-0.9, is_private=False),
            segment("3_0", "That is too expensive.", segment_sentiment=-0.9, is_private=None),
        ],
        timeline=[
            with_account("1", "900", "Known by a private call"),
            *(with_account(each, "901", "Customer Ltd") for each in "123"),
        ],
        deal_calls=[about_deal("1", "10"), about_deal("1", "20"), about_deal("2", "20")],
    )
    return warehouse


def test_a_private_call_is_not_found(calls: Warehouse) -> None:
    with pytest.raises(NotFound, match="call 1 is not in"):
        analyze_call(calls, "1")
    assert len(analyze_call(calls, "2").risk_segments) == 1
    assert len(analyze_call(calls, "3").risk_segments) == 1


def test_a_private_call_is_nobodys_coaching_opportunity(calls: Warehouse) -> None:
    assert [each.call_id for each in coaching_opportunities(calls, now=NOW)] == ["2", "3"]


def test_a_search_does_not_hear_a_private_call(calls: Warehouse) -> None:
    assert {each.call_id for each in similar_segments(calls, EXPENSIVE)} == {"2", "3"}
    assert {each.call_id for each in similar_segments(calls, EXPENSIVE, deal_id="20")} == {"2"}


@pytest.mark.parametrize("whose", [{"rep": "77"}, {"deal_id": "10"}])
def test_a_host_or_a_deal_of_private_calls_alone_is_not_known(
    calls: Warehouse, whose: dict[str, str]
) -> None:
    with pytest.raises(NotFound):
        similar_segments(calls, EXPENSIVE, **whose)  # type: ignore[arg-type]


def test_the_turns_around_a_hit_are_of_no_private_call(calls: Warehouse) -> None:
    # As it would be if a call became private while it was searched for.
    calls.query(
        "UPDATE VW_ENRICHED_GONG_CALL_TRANSCRIPTS SET CALL_ID = '2', TURN_INDEX = 1 WHERE CALL_ID = '1'"
    )
    (hit,) = similar_segments(calls, EXPENSIVE, deal_id="20", context=1)
    assert hit.context_after == []


def test_a_companys_history_has_no_private_call(calls: Warehouse) -> None:
    timeline = account_timeline(calls, "901")
    assert [each.call_id for each in timeline.calls] == ["2", "3"]
    assert timeline.call_count == 2


@pytest.mark.parametrize("company", ["900", "Known by"])
def test_a_company_of_private_calls_alone_is_neither_found_nor_named(calls: Warehouse, company: str) -> None:
    with pytest.raises(NotFound) as raised:
        account_timeline(calls, company)
    assert "private" not in str(raised.value)
