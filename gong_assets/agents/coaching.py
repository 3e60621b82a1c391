"""Calls that need coaching."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from gong_assets.agents.arguments import Days, Limit, Number, checked
from gong_assets.agents.results import CoachingOpportunity
from gong_assets.warehouse.connection import Warehouse

# Where SENTIMENT_CATEGORY begins to be Negative: what lies between this and its opposite is neutral, and a call's score is a
# mean over its segments, which is about zero if nothing happened.
LOW_SENTIMENT = -0.3
# Gong's own studies put good hosts at about 0.45; at two thirds the customer hardly speaks.
HIGH_TALK_RATIO = 0.65
# As for VW_COACHING_OPPORTUNITIES (coaching_min_call_seconds): a shorter call is a voicemail, or was cut off.
MIN_CALL_SECONDS = 60

_QUERY = """
WITH judged AS (
    SELECT
        CALL_ID, CALL_TITLE, CALL_DATETIME_UTC, PRIMARY_USER_NAME AS HOST_NAME, SENTIMENT_SCORE, TALK_RATIO,
        HUBSPOT_DEAL_ID, DEAL_NAME, HUBSPOT_COMPANY_ID, HUBSPOT_COMPANY_NAME AS COMPANY_NAME,
        GREATEST(COALESCE(%s - SENTIMENT_SCORE, 0), 0) AS TOO_LOW,
        GREATEST(COALESCE(TALK_RATIO - %s, 0), 0) AS TOO_TALKATIVE
    FROM VW_ENRICHED_GONG_CALLS
    WHERE
        CALL_DATETIME_UTC >= %s AND NOT COALESCE(IS_PRIVATE, FALSE)
        AND COALESCE(CALL_SCOPE <> %s, TRUE) AND COALESCE(CALL_DURATION_SECONDS >= %s, TRUE)
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

    A call is the worse, the farther it lies beyond the thresholds, both added up. Calls among our own people, and those
    that were over in a minute, are left out.

    Raises:
        InvalidQuestion: an argument is not as it should be.
        WarehouseError: the warehouse cannot be reached, or the views are not there yet.
    """
    since = (now or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None) - timedelta(days=days)
    bound = (low_sentiment, high_talk_ratio, since, "Internal", MIN_CALL_SECONDS, limit)
    rows = warehouse.query(_QUERY, bound)
    return [CoachingOpportunity.of(row, reasons=_reasons(row)) for row in rows]


def _reasons(row: dict[str, Any]) -> list[str]:
    reasons = []
    if row["TOO_LOW"] > 0:
        reasons.append(f"sentiment {row['SENTIMENT_SCORE']:.2f}")
    if row["TOO_TALKATIVE"] > 0:
        reasons.append(f"host talked {row['TALK_RATIO']:.0%} of the time")
    return reasons
