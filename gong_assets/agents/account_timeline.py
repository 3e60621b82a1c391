"""All calls with one company, in time order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gong_assets.agents.arguments import Company, Limit, for_display, validated
from gong_assets.agents.errors import AgentError, NotFound
from gong_assets.agents.results import AccountTimeline, TimelineCall
from gong_assets.agents.views import ACCOUNT_EVENTS, CALLS
from gong_assets.warehouse.connection import Warehouse, fetch

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

_CALL_EVENT = "Call"
MAX_SUGGESTIONS = 5

_COMPANIES = f"""
SELECT
    CRM_SYSTEM, ACCOUNT_ID AS COMPANY_ID, MAX(ACCOUNT_NAME) AS COMPANY_NAME, COUNT(*) AS CALL_COUNT
FROM {ACCOUNT_EVENTS} AS events
WHERE EVENT_TYPE = %s
GROUP BY CRM_SYSTEM, ACCOUNT_ID
HAVING COUNT_IF({{condition}}) > 0
ORDER BY CALL_COUNT DESC, COMPANY_ID, CRM_SYSTEM
LIMIT 10
"""
_HAS_ID_OR_NAME = "ACCOUNT_ID = %s OR LOWER(ACCOUNT_NAME) = LOWER(%s)"
_NAME_CONTAINS = "CONTAINS(LOWER(ACCOUNT_NAME), LOWER(%s))"

# A call with several companies is in the timeline of each, so its company comes from the events.
_CALLS = f"""
WITH newest AS (
    SELECT
        CALL_ID, CALL_TITLE, CALL_DATETIME_UTC, CALL_URL, PRIMARY_USER_NAME AS HOST_NAME, HUBSPOT_DEAL_ID,
        DEAL_NAME, DEAL_STAGE, DEAL_AMOUNT, DEAL_OUTCOME, SENTIMENT_SCORE, SENTIMENT_CATEGORY,
        CALL_SUMMARY AS SUMMARY, NEXT_STEPS
    FROM {CALLS} AS calls
    WHERE CALL_ID IN (
        SELECT CALL_ID
        FROM {ACCOUNT_EVENTS} AS events
        WHERE EVENT_TYPE = %s AND CRM_SYSTEM = %s AND ACCOUNT_ID = %s
    )
    ORDER BY CALL_DATETIME_UTC DESC NULLS LAST, CALL_ID DESC
    LIMIT %s
)
SELECT *
FROM newest
ORDER BY CALL_DATETIME_UTC NULLS FIRST, CALL_ID
"""


@validated
def account_timeline(warehouse: Warehouse, company: Company, *, limit: Limit = 50) -> AccountTimeline:
    """Return the newest `limit` calls with a company in time order. `company` is its id or its whole name.

    Raises:
        NotFound: no call is linked to the company; the message suggests companies with similar names.
        InvalidArgument: an argument is invalid.
        AgentError: several companies have this name.
        WarehouseError: the warehouse is unreachable, or the views do not exist.
    """
    with warehouse.connect() as connection:
        account = _find_company(connection, company)
        calls = fetch(connection, _CALLS, (_CALL_EVENT, account["CRM_SYSTEM"], account["COMPANY_ID"], limit))
    return AccountTimeline.from_row(account, calls=[TimelineCall.from_row(row) for row in calls])


def _find_company(connection: SnowflakeConnection, company: str) -> dict[str, Any]:
    matches = _companies(connection, _HAS_ID_OR_NAME, company)
    # An id takes precedence over another company's name.
    matches = [row for row in matches if row["COMPANY_ID"] == company] or matches
    if len(matches) > 1:
        ids = ", ".join(
            f"{row['COMPANY_ID']} ({row['CRM_SYSTEM']}, {row['CALL_COUNT']} calls)" for row in matches
        )
        raise AgentError(f"several companies are named {for_display(company)}; use an id: {ids}")
    if not matches:
        similar = _companies(connection, _NAME_CONTAINS, company)[:MAX_SUGGESTIONS]
        names = ", ".join(f"{for_display(row['COMPANY_NAME'])} ({row['COMPANY_ID']})" for row in similar)
        suggestion = f"; use a whole name or an id: {names}" if names else ""
        raise NotFound(
            f"no call in VW_ACCOUNT_TIMELINE is linked to company {for_display(company)}{suggestion}"
        )
    return matches[0]


def _companies(connection: SnowflakeConnection, condition: str, company: str) -> list[dict[str, Any]]:
    values = (_CALL_EVENT, *[company] * condition.count("%s"))
    return fetch(connection, _COMPANIES.format(condition=condition), values)
