"""One call, analysed."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gong_assets.agents.arguments import CallId, Limit, Number, checked, shown
from gong_assets.agents.results import CallAnalysis, NotFound, Segment
from gong_assets.warehouse.connection import Warehouse, fetch

# Cortex calls -0.5 and below negative. A turn mixes sentences, and one plain complaint in it pulls the score to here.
RISK_SENTIMENT = -0.3

_CALL = """
SELECT
    CALL_ID, CALL_TITLE, CALL_DATETIME_UTC, CALL_DURATION_SECONDS, CALL_URL, PRIMARY_USER_NAME AS HOST_NAME, TALK_RATIO,
    SENTIMENT_SCORE, SENTIMENT_CATEGORY, CALL_SUMMARY AS SUMMARY, HUBSPOT_DEAL_ID, DEAL_NAME, DEAL_STAGE,
    HUBSPOT_COMPANY_ID, HUBSPOT_COMPANY_NAME AS COMPANY_NAME
FROM VW_ENRICHED_GONG_CALLS
WHERE CALL_ID = %s AND NOT COALESCE(IS_PRIVATE, FALSE)
"""

_RISKS = """
WITH worst AS (
    SELECT
        TRANSCRIPT_ID, CALL_ID, CALL_TITLE, CALL_DATETIME_UTC, SPEAKER_NAME, SPEAKER_TYPE, START_TIME_SECONDS,
        END_TIME_SECONDS, TRANSCRIPT_TEXT AS TEXT, SEGMENT_SENTIMENT, COUNT(*) OVER () AS RISK_SEGMENT_COUNT
    FROM VW_ENRICHED_GONG_CALL_TRANSCRIPTS
    WHERE
        CALL_ID = %s AND NOT COALESCE(IS_PRIVATE, FALSE)
        AND SEGMENT_SENTIMENT <= %s AND TRANSCRIPT_TEXT IS NOT NULL
    ORDER BY SEGMENT_SENTIMENT, TRANSCRIPT_ID
    LIMIT %s
)
SELECT *
FROM worst
ORDER BY START_TIME_SECONDS, TRANSCRIPT_ID
"""


@checked
def analyze_call(
    warehouse: Warehouse,
    call_id: CallId,
    *,
    risk_sentiment: Number = RISK_SENTIMENT,
    limit: Annotated[Limit, Field(description="How many risk segments at most; the worst are kept.")] = 100,
) -> CallAnalysis:
    """Summary and sentiment of one call, and its segments at or below `risk_sentiment` in time order.

    Raises:
        NotFound: no such call is in the views.
        InvalidQuestion: an argument is not as it should be.
        WarehouseError: the warehouse cannot be reached, or the views are not there yet.
    """
    with warehouse.connect() as connection:
        calls = fetch(connection, _CALL, (call_id,))
        risks = fetch(connection, _RISKS, (call_id, risk_sentiment, limit)) if calls else []
    if not calls:
        raise NotFound(f"call {shown(call_id)} is not in VW_ENRICHED_GONG_CALLS: is its day materialized?")
    count = risks[0]["RISK_SEGMENT_COUNT"] if risks else 0
    return CallAnalysis.of(
        calls[0], risk_segment_count=count, risk_segments=[Segment.of(row) for row in risks]
    )
