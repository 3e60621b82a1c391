"""Summary, sentiment and risk segments of one call.

VW_ENRICHED_GONG_CALL_TRANSCRIPTS decides which segments are risk segments; the threshold is a dbt var.
"""

from __future__ import annotations

from gong_assets.agents.arguments import CallId, Limit, for_display, validated
from gong_assets.agents.errors import NotFound
from gong_assets.agents.results import CallAnalysis, Segment
from gong_assets.agents.views import CALLS, SEGMENTS
from gong_assets.warehouse.connection import Warehouse, fetch

_CALL = f"""
SELECT
    CALL_ID, CALL_TITLE, CALL_DATETIME_UTC, CALL_DURATION_SECONDS, CALL_URL, PRIMARY_USER_NAME AS HOST_NAME,
    TALK_RATIO, SENTIMENT_SCORE, SENTIMENT_CATEGORY, CALL_SUMMARY AS SUMMARY, HUBSPOT_DEAL_ID, DEAL_NAME,
    DEAL_STAGE, HUBSPOT_COMPANY_ID, HUBSPOT_COMPANY_NAME AS COMPANY_NAME
FROM {CALLS} AS calls
WHERE CALL_ID = %s
LIMIT 1
"""

_RISK_SEGMENTS = f"""
WITH worst AS (
    SELECT
        TRANSCRIPT_ID, CALL_ID, CALL_TITLE, CALL_DATETIME_UTC, SPEAKER_NAME, SPEAKER_TYPE, START_TIME_SECONDS,
        END_TIME_SECONDS, TRANSCRIPT_TEXT AS TEXT, SEGMENT_SENTIMENT, COUNT(*) OVER () AS RISK_SEGMENT_COUNT
    FROM {SEGMENTS} AS segments
    WHERE CALL_ID = %s AND IS_RISK_SEGMENT AND TRANSCRIPT_TEXT IS NOT NULL
    ORDER BY SEGMENT_SENTIMENT, TRANSCRIPT_ID
    LIMIT %s
)
SELECT *
FROM worst
ORDER BY START_TIME_SECONDS, TRANSCRIPT_ID
"""


@validated
def analyze_call(warehouse: Warehouse, call_id: CallId, *, limit: Limit = 100) -> CallAnalysis:
    """Return one call with its summary and sentiment, and its most negative risk segments in time order.

    Raises:
        NotFound: the views have no such call.
        InvalidArgument: an argument is invalid.
        WarehouseError: the warehouse is unreachable, or the views do not exist.
    """
    with warehouse.connect() as connection:
        calls = fetch(connection, _CALL, (call_id,))
        risks = fetch(connection, _RISK_SEGMENTS, (call_id, limit)) if calls else []
    if not calls:
        raise NotFound(
            f"call {for_display(call_id)} is not in VW_ENRICHED_GONG_CALLS; "
            "check that its day is materialized"
        )
    count = risks[0]["RISK_SEGMENT_COUNT"] if risks else 0
    segments = [Segment.from_row(row) for row in risks]
    return CallAnalysis.from_row(calls[0], risk_segment_count=count, risk_segments=segments)
