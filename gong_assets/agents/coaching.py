"""Calls that need coaching."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from gong_assets.agents.arguments import Days, Limit, Number, checked
from gong_assets.agents.results import CoachingOpportunity
from gong_assets.warehouse.connection import Warehouse

# A call's score is the mean over its segments, weighted by words. Below zero more was said in a bad mood than in a good
# one; Cortex's own band for a single negative text (-0.5 and below) is seldom reached by a mean.
LOW_SENTIMENT = 0.0
# Gong's own studies put good hosts at about 0.45; at two thirds the customer hardly speaks.
HIGH_TALK_RATIO = 0.65

_QUERY = """
WITH judged AS (
    SELECT
        CALL_ID, CALL_TITLE, CALL_DATETIME_UTC, PRIMARY_USER_NAME AS HOST_NAME, SENTIMENT_SCORE, TALK_RATIO, DEAL_NAME,
        GREATEST(COALESCE(%s - SENTIMENT_SCORE, 0), 0) AS TOO_LOW,
        GREATEST(COALESCE(TALK_RATIO - %s, 0), 0) AS TOO_TALKATIVE
    FROM VW_ENRICHED_GONG_CALLS
    WHERE CALL_DATETIME_UTC >= %s
)
SELECT *
FROM judged
WHERE TOO_LOW > 0 OR TOO_TALKATIVE > 0
ORDER BY TOO_LOW + TOO_TALKATIVE DESC, CALL_ID
LIMIT %s
"""


@checked
def coaching_opportunities(
    warehouse: Warehouse,
    *,
    days: Days = 14,
    limit: Limit = 10,
    low_sentiment: Number = LOW_SENTIMENT,
    high_talk_ratio: Number = HIGH_TALK_RATIO,
    now: datetime | None = None,
) -> list[CoachingOpportunity]:
    """Calls of the last `days` days with a sentiment below, or a talk ratio above the threshold; worst first.

    A call is the worse, the farther it lies beyond the thresholds, both added up.

    Raises:
        AgentError: an argument is not as it should be.
        WarehouseError: the warehouse cannot be reached, or the views are not there yet.
    """
    since = (now or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None) - timedelta(days=days)
    rows = warehouse.query(_QUERY, (low_sentiment, high_talk_ratio, since, limit))
    return [CoachingOpportunity.of(row, reasons=_reasons(row)) for row in rows]


def _reasons(row: dict[str, Any]) -> list[str]:
    reasons = []
    if row["TOO_LOW"] > 0:
        reasons.append(f"sentiment {row['SENTIMENT_SCORE']:.2f}")
    if row["TOO_TALKATIVE"] > 0:
        reasons.append(f"host talked {row['TALK_RATIO']:.0%} of the time")
    return reasons
