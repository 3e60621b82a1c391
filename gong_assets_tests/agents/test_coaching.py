"""`coaching_opportunities` returns the rows of VW_COACHING_OPPORTUNITIES, ranked by score."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gong_assets.agents import CoachingOpportunity, coaching_opportunities
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.agents.tables import Row, coaching_opportunity, create_views

NOW = datetime(2026, 11, 12, tzinfo=UTC)


def opportunities(warehouse: Warehouse, *rows: Row, **arguments: Any) -> list[CoachingOpportunity]:
    create_views(warehouse, coaching=rows)
    return coaching_opportunities(warehouse, now=NOW, **arguments).calls


ROWS = [
    coaching_opportunity("1", 0.2, "Talked Too Much"),
    coaching_opportunity("2", None, "Few Questions"),
    coaching_opportunity("4", 0.5, "Little Dialogue", "Interrupted"),
    coaching_opportunity("3", 0.5, "Unhappy Customer"),
]


def test_opportunities_are_ranked_by_score(warehouse: Warehouse) -> None:
    assert [found.call_id for found in opportunities(warehouse, *ROWS)] == ["3", "4", "1", "2"]


def test_limit_keeps_the_highest_scores(warehouse: Warehouse) -> None:
    assert [found.call_id for found in opportunities(warehouse, *ROWS, limit=2)] == ["3", "4"]


def test_reasons_are_those_of_the_view(warehouse: Warehouse) -> None:
    found = {each.call_id: each.reasons for each in opportunities(warehouse, *ROWS)}
    assert found["4"] == ["Little Dialogue", "Interrupted"]


@pytest.mark.parametrize(
    ("started", "days", "is_listed"),
    [
        ("2026-11-05 00:00:00", 7, True),
        ("2026-11-04 23:59:59", 7, False),
        ("2026-11-04 23:59:59", 8, True),
    ],
)
def test_calls_before_the_lookback_are_excluded(
    warehouse: Warehouse, started: str, days: int, is_listed: bool
) -> None:
    row = coaching_opportunity("1", 0.2, "Talked Too Much", call_datetime_utc=started)
    assert bool(opportunities(warehouse, row, days=days)) is is_listed


def test_an_opportunity_has_its_figures_deal_and_company(warehouse: Warehouse) -> None:
    figures = {"talk_ratio": 0.7, "questions_per_hour": 2.5, "customer_sentiment": -0.5, "review_count": 3}
    deal = {"hubspot_deal_id": "10", "hubspot_company_id": "900", "hubspot_company_name": "Customer Ltd"}
    (found,) = opportunities(warehouse, coaching_opportunity("1", 0.2, "Talked Too Much", **figures, **deal))
    assert found.model_dump(include=set(figures)) == figures
    assert found.coaching_score == 0.2
    assert (found.hubspot_deal_id, found.hubspot_company_id, found.company_name) == (
        "10",
        "900",
        "Customer Ltd",
    )
