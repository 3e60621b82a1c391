"""Calls whose host could use coaching.

VW_COACHING_OPPORTUNITIES decides which calls these are, why, and how they rank; its thresholds are dbt vars.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gong_assets.agents.arguments import Limit, LookbackDays, validated
from gong_assets.agents.results import CoachingOpportunity
from gong_assets.agents.views import COACHING_OPPORTUNITIES
from gong_assets.warehouse.connection import Warehouse

_OPPORTUNITIES = f"""
SELECT
    CALL_ID, CALL_TITLE, CALL_DATETIME_UTC, PRIMARY_USER_NAME AS HOST_NAME, REASONS, COACHING_SCORE,
    SENTIMENT_SCORE, CUSTOMER_SENTIMENT, TALK_RATIO, LONGEST_MONOLOGUE_SECONDS, QUESTIONS_PER_HOUR,
    INTERACTIVITY_SCORE, PATIENCE_SECONDS, REVIEW_COUNT, HUBSPOT_DEAL_ID, DEAL_NAME, HUBSPOT_COMPANY_ID,
    HUBSPOT_COMPANY_NAME AS COMPANY_NAME
FROM {COACHING_OPPORTUNITIES} AS opportunities
WHERE CALL_DATETIME_UTC >= %s
ORDER BY COACHING_SCORE DESC NULLS LAST, CALL_ID
LIMIT %s
"""


@validated
def coaching_opportunities(
    warehouse: Warehouse, *, days: LookbackDays = 14, limit: Limit = 10, now: datetime | None = None
) -> list[CoachingOpportunity]:
    """Return the coaching opportunities of the last `days` days, worst first.

    Raises:
        InvalidArgument: an argument is invalid.
        WarehouseError: the warehouse is unreachable, or the view does not exist.
    """
    since = (now or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None) - timedelta(days=days)
    rows = warehouse.query(_OPPORTUNITIES, (since, limit))
    return [CoachingOpportunity.from_row(row) for row in rows]
