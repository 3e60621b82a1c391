"""Which calls need coaching, and why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gong_assets.agents import CoachingOpportunity, coaching_opportunities
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.agents.tables import Row, call, fill

# Each would be listed for its talk ratio.
TALKATIVE: dict[str, Any] = {"talk_ratio": 0.8}


def listed(warehouse: Warehouse, *calls: Row) -> list[CoachingOpportunity]:
    fill(warehouse, calls=calls)
    return coaching_opportunities(warehouse, now=datetime(2026, 11, 12, tzinfo=UTC))


def test_the_farther_beyond_the_thresholds_the_earlier_it_comes(warehouse: Warehouse) -> None:
    found = listed(
        warehouse,
        call("1", talk_ratio=0.7),
        call("2", sentiment_score=-0.5),
        call("3", sentiment_score=-0.5, talk_ratio=0.7),
        call("4", sentiment_score=0.5, talk_ratio=0.5),
    )
    assert [each.call_id for each in found] == ["3", "2", "1"]
    assert found[0].reasons == ["sentiment -0.50", "host talked 70% of the time"]


@pytest.mark.parametrize(("score", "is_listed"), [(-0.31, True), (-0.29, False), (0.0, False), (None, False)])
def test_a_low_sentiment_is_one_that_its_category_calls_negative(
    warehouse: Warehouse, score: float | None, is_listed: bool
) -> None:
    assert bool(listed(warehouse, call("1", sentiment_score=score))) is is_listed


@pytest.mark.parametrize(
    ("details", "is_listed"),
    [
        ({"call_scope": "Internal"}, False),
        ({"call_scope": "External"}, True),
        ({"call_scope": None}, True),
        ({"call_duration_seconds": 59}, False),
        ({"call_duration_seconds": 60}, True),
        ({"call_duration_seconds": None}, True),
    ],
)
def test_calls_among_our_own_people_and_voicemails_are_left_out(
    warehouse: Warehouse, details: dict[str, Any], is_listed: bool
) -> None:
    assert bool(listed(warehouse, call("1", **TALKATIVE, **details))) is is_listed


def test_a_call_comes_with_its_deal_and_company(warehouse: Warehouse) -> None:
    details = {"hubspot_deal_id": "10", "hubspot_company_id": "900", "hubspot_company_name": "Customer Ltd"}
    (found,) = listed(warehouse, call("1", **TALKATIVE, **details))
    assert (found.hubspot_deal_id, found.hubspot_company_id, found.company_name) == (
        "10",
        "900",
        "Customer Ltd",
    )
