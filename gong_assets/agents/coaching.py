"""Calls whose host could use coaching.

VW_COACHING_OPPORTUNITIES decides which calls these are, why, and how they rank; its thresholds are dbt vars.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gong_assets.agents.arguments import (
    UNLIMITED_CHARACTERS,
    Limit,
    LookbackDays,
    MaxCharacters,
    PageToken,
    validated,
)
from gong_assets.agents.freshness import data_as_of
from gong_assets.agents.paging import NO_CONDITION, decoded, first_page
from gong_assets.agents.results import CoachingOpportunities, CoachingOpportunity
from gong_assets.agents.views import COACHING_OPPORTUNITIES
from gong_assets.warehouse.connection import Warehouse, fetch

# Scores are not negative, so calls without a score come last.
_SCORE = "COALESCE(COACHING_SCORE, -1)"
# The condition on the date lets Snowflake skip older partitions.
_OPPORTUNITIES = f"""
SELECT
    CALL_ID, CALL_TITLE, CALL_DATETIME_UTC, CALL_URL, PRIMARY_USER_NAME AS HOST_NAME, REASONS, COACHING_SCORE,
    SENTIMENT_SCORE, CUSTOMER_SENTIMENT, TALK_RATIO, LONGEST_MONOLOGUE_SECONDS, QUESTIONS_PER_HOUR,
    INTERACTIVITY_SCORE, PATIENCE_SECONDS, REVIEW_COUNT, HUBSPOT_DEAL_ID, DEAL_NAME, HUBSPOT_COMPANY_ID,
    HUBSPOT_COMPANY_NAME AS COMPANY_NAME, {_SCORE} AS SORT_SCORE
FROM {COACHING_OPPORTUNITIES} AS opportunities
WHERE CALL_DATE >= %s AND CALL_DATETIME_UTC >= %s AND {{condition}}
ORDER BY SORT_SCORE DESC, CALL_ID
LIMIT %s
"""
_AFTER = f"({_SCORE} < %s OR {_SCORE} = %s AND CALL_ID > %s)"


@validated
def coaching_opportunities(
    warehouse: Warehouse,
    *,
    days: LookbackDays = 14,
    limit: Limit = 10,
    page: PageToken = None,
    max_characters: MaxCharacters = UNLIMITED_CHARACTERS,
    now: datetime | None = None,
) -> CoachingOpportunities:
    """Return the coaching opportunities of the last `days` days, worst first.

    Raises:
        InvalidArgument: an argument is invalid.
        WarehouseError: the warehouse is unreachable, or the view does not exist.
    """
    since = (now or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None) - timedelta(days=days)
    condition, after = NO_CONDITION
    if page:
        score, call_id = decoded("coaching", page, (float, str))
        condition, after = _AFTER, (score, score, call_id)
    with warehouse.connect() as connection:
        sql = _OPPORTUNITIES.format(condition=condition)
        rows = fetch(connection, sql, (since.date(), since, *after, limit + 1))
        as_of = data_as_of(connection)
    items = [CoachingOpportunity.from_row(row) for row in rows]
    kept, next_page = first_page("coaching", rows, items, ("SORT_SCORE", "CALL_ID"), limit, max_characters)
    return CoachingOpportunities(data_as_of=as_of, next_page=next_page, calls=kept)
