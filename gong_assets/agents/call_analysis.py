"""Summary, sentiment and risk segments of one call.

VW_ENRICHED_GONG_CALL_TRANSCRIPTS decides which segments are risk segments; the threshold is a dbt var.
"""

from __future__ import annotations

from gong_assets.agents.arguments import (
    UNLIMITED_CHARACTERS,
    CallId,
    Limit,
    MaxCharacters,
    validated,
)
from gong_assets.agents.calls import find_call
from gong_assets.agents.freshness import data_as_of
from gong_assets.agents.paging import fitting
from gong_assets.agents.results import CallAnalysis, Segment
from gong_assets.agents.views import CALLS, SEGMENTS
from gong_assets.warehouse.connection import Warehouse, fetch

_CALL = f"""
SELECT
    CALL_ID, CALL_DATE, CALL_TITLE, CALL_DATETIME_UTC, CALL_DURATION_SECONDS, CALL_URL,
    PRIMARY_USER_NAME AS HOST_NAME, TALK_RATIO, SENTIMENT_SCORE, SENTIMENT_CATEGORY,
    CALL_SUMMARY AS SUMMARY, HUBSPOT_DEAL_ID, DEAL_NAME, DEAL_STAGE, DEALS,
    HUBSPOT_COMPANY_ID, HUBSPOT_COMPANY_NAME AS COMPANY_NAME, IS_COMPANY_INFERRED
FROM {CALLS} AS calls
WHERE CALL_ID = %s
LIMIT 1
"""

# The condition on the date lets Snowflake skip the partitions of other days.
_RISK_SEGMENTS = f"""
SELECT
    TRANSCRIPT_ID, CALL_ID, CALL_TITLE, CALL_DATETIME_UTC, CALL_URL, SPEAKER_NAME, SPEAKER_TYPE,
    START_TIME_SECONDS, END_TIME_SECONDS, TRANSCRIPT_TEXT AS TEXT, SEGMENT_SENTIMENT,
    COUNT(*) OVER () AS RISK_SEGMENT_COUNT
FROM {SEGMENTS} AS segments
WHERE CALL_DATE = %s AND CALL_ID = %s AND IS_RISK_SEGMENT AND TRANSCRIPT_TEXT IS NOT NULL
ORDER BY SEGMENT_SENTIMENT, TRANSCRIPT_ID
LIMIT %s
"""


@validated
def analyze_call(
    warehouse: Warehouse,
    call_id: CallId,
    *,
    limit: Limit = 100,
    max_characters: MaxCharacters = UNLIMITED_CHARACTERS,
) -> CallAnalysis:
    """Return one call with its summary and sentiment, and its most negative risk segments in time order.

    Raises:
        NotFound: the views have no such call.
        InvalidArgument: an argument is invalid.
        WarehouseError: the warehouse is unreachable, or the views do not exist.
    """
    with warehouse.connect() as connection:
        call = find_call(connection, _CALL, call_id)
        risks = fetch(connection, _RISK_SEGMENTS, (call["CALL_DATE"], call_id, limit))
        as_of = data_as_of(connection)
    count = risks[0]["RISK_SEGMENT_COUNT"] if risks else 0
    kept = fitting([Segment.from_row(row) for row in risks], max_characters)
    omitted = count - len(kept)
    note = f"{omitted:,} less negative risk segments are left out; read_transcript has all turns"
    return CallAnalysis.from_row(
        call,
        data_as_of=as_of,
        note=note if omitted else None,
        risk_segment_count=count,
        risk_segments=sorted(kept, key=lambda each: (each.start_time_seconds or 0, each.transcript_id)),
    )
