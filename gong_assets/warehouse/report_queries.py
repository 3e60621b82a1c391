"""Queries of the health report: aggregates only, no texts and no names."""

from __future__ import annotations

from gong_assets.warehouse.tables import CALLS

# The views and tables that the queries read; a figure whose source does not exist is left out.
HEALTH = "VW_PIPELINE_HEALTH"
STATUS = "VW_GONG_INGESTION_STATUS"
SENTIMENT = "CORTEX_GONG_CALLS"
BATCHES = "GONG_CORTEX_BATCHES"


def health_windows() -> str:
    """Return SQL for throughput, latency, errors and freshness in each time window."""
    return f"SELECT * FROM {HEALTH} ORDER BY WINDOW_HOURS"


def calls_by_day() -> str:
    """Return SQL for the calls of each day. Parameter: the first day.

    The latency is that of VW_PIPELINE_HEALTH: from the end of a call to its first result of Cortex, or until
    now if it waits for it. Calls that ended before the first landing have none: they were backfilled.
    Nor have those that would end later: their time is wrong.
    """
    ended = "DATEADD('second', COALESCE(staged.CALL_DURATION_SECONDS, 0), staged.CALL_DATETIME_UTC)"
    is_waiting = "status.TRANSCRIPT_LANDED_AT IS NOT NULL AND status.INGESTION_STATUS IN ('Landed', 'Staged')"
    ready = (
        "COALESCE(CONVERT_TIMEZONE('UTC', status.FIRST_PROCESSED_AT)::TIMESTAMP_NTZ, "
        f"IFF({is_waiting}, SYSDATE(), NULL))"
    )
    return (
        "WITH first_landing AS (\n"
        "    SELECT CONVERT_TIMEZONE('UTC', MIN(INGESTED_AT))::TIMESTAMP_NTZ AS LANDED_AT "
        f"FROM {CALLS.name}\n"
        "), calls AS (\n"
        f"    SELECT status.*, IFF({ended} BETWEEN first_landing.LANDED_AT AND {ready}, "
        f"DATEDIFF('second', {ended}, {ready}) / 60, NULL) AS MINUTES\n"
        f"    FROM {STATUS} AS status\n"
        "    LEFT JOIN STG_GONG_CALLS AS staged ON status.CALL_ID = staged.CALL_ID\n"
        "    CROSS JOIN first_landing\n"
        "    WHERE status.CALL_DATE >= %s\n"
        ")\n"
        "SELECT CALL_DATE AS DAY, COUNT_IF(CALL_LANDED_AT IS NOT NULL) AS CALLS, "
        "COUNT_IF(IS_STAGED) AS STAGED_CALLS, "
        "COUNT_IF(IS_STAGED AND TRANSCRIPT_LANDED_AT IS NOT NULL) AS CALLS_WITH_TRANSCRIPT, "
        "COUNT_IF(INGESTION_STATUS IN ('Invalid', 'Failed')) AS FAILED_CALLS, "
        "COUNT(MINUTES) AS TIMED_CALLS, MEDIAN(MINUTES)::FLOAT AS MEDIAN_MINUTES, "
        "PERCENTILE_CONT(0.95) WITHIN GROUP (ORDER BY MINUTES)::FLOAT AS P95_MINUTES\n"
        "FROM calls GROUP BY CALL_DATE ORDER BY CALL_DATE"
    )


def sentiment_by_week() -> str:
    """Return SQL for the mean sentiment of each week until today, which begins on Monday.

    Parameter: the first day.
    """
    return (
        "SELECT DATE_TRUNC('week', CALL_DATE)::DATE AS WEEK, COUNT(SENTIMENT_SCORE) AS CALLS, "
        "AVG(SENTIMENT_SCORE)::FLOAT AS SENTIMENT, AVG(CUSTOMER_SENTIMENT)::FLOAT AS CUSTOMER_SENTIMENT, "
        f"AVG(SELLER_SENTIMENT)::FLOAT AS SELLER_SENTIMENT\nFROM {SENTIMENT} "
        "WHERE CALL_DATE >= %s AND CALL_DATE <= SYSDATE()::DATE GROUP BY 1 ORDER BY 1"
    )


def recent_calls() -> str:
    """Return SQL for the calls of the days until today, and for those that Cortex answered for in these days.

    Parameters: the number of days, twice. DAYS is the number of days since the first of RECENT_CALLS.
    """
    recent = "CALL_DATE > DATEADD('day', -%s, SYSDATE()::DATE) AND CALL_DATE <= SYSDATE()::DATE"
    answered = "CORTEX_PROCESSED_AT > DATEADD('day', -%s, CURRENT_TIMESTAMP())"
    return (
        "WITH calls AS (\n"
        f"    SELECT CALL_DATE, {recent} AS IS_RECENT, {answered} AS IS_ANSWERED FROM {SENTIMENT}\n"
        ")\n"
        "SELECT COUNT_IF(IS_ANSWERED) AS ANSWERED_CALLS, COUNT_IF(IS_RECENT) AS RECENT_CALLS, "
        "DATEDIFF('day', MIN(IFF(IS_RECENT, CALL_DATE, NULL)), SYSDATE()::DATE) + 1 AS DAYS FROM calls"
    )


def recent_cortex_totals() -> str:
    """Return SQL for the tokens and estimated dollars of the batches that were sent in the last days.

    Earlier batches can belong to calls that have been deleted since. Parameter: the number of days.
    """
    return (
        "SELECT FUNCTION_NAME, SUM(INPUT_TOKENS + OUTPUT_TOKENS)::INT AS TOKENS, "
        f"SUM(ESTIMATED_DOLLARS)::FLOAT AS DOLLARS\nFROM {BATCHES} "
        "WHERE STATUS IN ('Sent', 'Answered') AND SENT_AT > DATEADD('day', -%s, CURRENT_TIMESTAMP()) "
        "GROUP BY FUNCTION_NAME ORDER BY FUNCTION_NAME"
    )
