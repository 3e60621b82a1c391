"""One call, analysed."""

from __future__ import annotations

from gong_assets.agents.results import CallAnalysis, NotFound, Segment
from gong_assets.warehouse.connection import Warehouse, fetch

# Cortex calls -0.5 and below negative. A turn mixes sentences, and one plain complaint in it pulls the score to here.
RISK_SENTIMENT = -0.3

_CALL = """
SELECT
    CALL_ID, CALL_TITLE, CALL_DATETIME_UTC, CALL_DURATION_SECONDS, CALL_URL, PRIMARY_USER_NAME AS HOST_NAME, TALK_RATIO,
    SENTIMENT_SCORE, SENTIMENT_CATEGORY, CALL_SUMMARY AS SUMMARY, DEAL_NAME, DEAL_STAGE,
    HUBSPOT_COMPANY_NAME AS COMPANY_NAME
FROM VW_ENRICHED_GONG_CALLS
WHERE CALL_ID = %s
"""

_RISKS = """
SELECT
    TRANSCRIPT_ID, CALL_ID, CALL_TITLE, CALL_DATETIME_UTC, SPEAKER_NAME, SPEAKER_TYPE, START_TIME_SECONDS,
    END_TIME_SECONDS, TRANSCRIPT_TEXT AS TEXT, SEGMENT_SENTIMENT
FROM VW_ENRICHED_GONG_CALL_TRANSCRIPTS
WHERE CALL_ID = %s AND SEGMENT_SENTIMENT <= %s
ORDER BY START_TIME_SECONDS, TRANSCRIPT_ID
"""


def analyze_call(
    warehouse: Warehouse, call_id: str, *, risk_sentiment: float = RISK_SENTIMENT
) -> CallAnalysis:
    """Summary and sentiment of one call, and its segments at or below `risk_sentiment` in time order.

    Raises:
        NotFound: no such call is in the views.
        WarehouseError: the warehouse cannot be reached, or the views are not there yet.
    """
    with warehouse.connect() as connection:
        calls = fetch(connection, _CALL, (call_id,))
        risks = fetch(connection, _RISKS, (call_id, risk_sentiment))
    if not calls:
        raise NotFound(f"call {call_id} is not in VW_ENRICHED_GONG_CALLS: is its day materialized?")
    return CallAnalysis.of(calls[0], risk_segments=[Segment.of(row) for row in risks])
