"""All calls with one company, in the order in which they were held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gong_assets.agents.arguments import Company, Limit, checked, shown
from gong_assets.agents.results import AccountTimeline, AgentError, NotFound, TimelineCall
from gong_assets.warehouse.connection import Warehouse, fetch

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

# The EVENT_TYPE of calls.
_CALL = "Call"

# A call may be with several companies: the view has it in the timeline of each.
_COMPANIES = """
SELECT
    events.CRM_SYSTEM, events.ACCOUNT_ID AS COMPANY_ID, MAX(events.ACCOUNT_NAME) AS COMPANY_NAME, COUNT(*) AS CALL_COUNT
FROM VW_ACCOUNT_TIMELINE AS events
INNER JOIN VW_ENRICHED_GONG_CALLS AS calls ON events.CALL_ID = calls.CALL_ID
WHERE events.EVENT_TYPE = %s AND NOT COALESCE(calls.IS_PRIVATE, FALSE)
GROUP BY events.CRM_SYSTEM, events.ACCOUNT_ID
HAVING COUNT_IF({condition}) > 0
ORDER BY CALL_COUNT DESC, COMPANY_ID, events.CRM_SYSTEM
LIMIT 10
"""
_NAMED = "events.ACCOUNT_ID = %s OR LOWER(events.ACCOUNT_NAME) = LOWER(%s)"
_LIKE_IT = "CONTAINS(LOWER(events.ACCOUNT_NAME), LOWER(%s))"
SHOWN_NAMES = 5

_CALLS = """
WITH newest AS (
    SELECT
        CALL_ID, CALL_TITLE, CALL_DATETIME_UTC, CALL_URL, PRIMARY_USER_NAME AS HOST_NAME, HUBSPOT_DEAL_ID, DEAL_NAME,
        DEAL_STAGE, DEAL_AMOUNT, DEAL_OUTCOME, SENTIMENT_SCORE, SENTIMENT_CATEGORY, CALL_SUMMARY AS SUMMARY, NEXT_STEPS
    FROM VW_ENRICHED_GONG_CALLS
    WHERE
        CALL_ID IN (
            SELECT CALL_ID FROM VW_ACCOUNT_TIMELINE WHERE EVENT_TYPE = %s AND CRM_SYSTEM = %s AND ACCOUNT_ID = %s
        )
        AND NOT COALESCE(IS_PRIVATE, FALSE)
    ORDER BY CALL_DATETIME_UTC DESC NULLS LAST, CALL_ID DESC
    LIMIT %s
)
SELECT *
FROM newest
ORDER BY CALL_DATETIME_UTC NULLS FIRST, CALL_ID
"""


@checked
def account_timeline(warehouse: Warehouse, company: Company, *, limit: Limit = 50) -> AccountTimeline:
    """The newest `limit` calls with a company, the newest one last; `company` is its id or its whole name.

    Raises:
        NotFound: no call is linked to such a company; the text names some that are called like it.
        InvalidQuestion: an argument is not as it should be.
        AgentError: several companies have that name.
        WarehouseError: the warehouse cannot be reached, or the views are not there yet.
    """
    with warehouse.connect() as connection:
        found = _companies(connection, _NAMED, company)
        # An id means one company, whatever another one is called.
        found = [row for row in found if row["COMPANY_ID"] == company] or found
        if not found:
            like_it = _companies(connection, _LIKE_IT, company)[:SHOWN_NAMES]
            names = ", ".join(f"{shown(row['COMPANY_NAME'])} ({row['COMPANY_ID']})" for row in like_it)
            raise NotFound(
                f"no call in VW_ACCOUNT_TIMELINE is linked to company {shown(company)}"
                + (f", ask for one by its whole name or its id: {names}" if names else "")
            )
        if len(found) > 1:
            ids = ", ".join(
                f"{row['COMPANY_ID']} ({row['CRM_SYSTEM']}, {row['CALL_COUNT']} calls)" for row in found
            )
            raise AgentError(f"several companies are called {shown(company)}, ask for one by its id: {ids}")
        (account,) = found
        calls = fetch(connection, _CALLS, (_CALL, account["CRM_SYSTEM"], account["COMPANY_ID"], limit))
    return AccountTimeline.of(account, calls=[TimelineCall.of(row) for row in calls])


def _companies(connection: SnowflakeConnection, condition: str, company: str) -> list[dict[str, Any]]:
    bound = (_CALL, *[company] * condition.count("%s"))
    return fetch(connection, _COMPANIES.format(condition=condition), bound)
