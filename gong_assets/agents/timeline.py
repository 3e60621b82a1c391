"""All calls with one company, in the order in which they were held."""

from __future__ import annotations

from gong_assets.agents.arguments import Company, Limit, checked, shown
from gong_assets.agents.results import AccountTimeline, AgentError, NotFound, TimelineCall
from gong_assets.warehouse.connection import Warehouse, fetch

# A company that only another CRM knows goes by its id there.
_COMPANY_ID = "COALESCE(HUBSPOT_COMPANY_ID, CRM_ACCOUNT_ID)"

_COMPANIES = f"""
SELECT {_COMPANY_ID} AS COMPANY_ID, MAX(HUBSPOT_COMPANY_NAME) AS COMPANY_NAME, COUNT(*) AS CALL_COUNT
FROM VW_ENRICHED_GONG_CALLS
WHERE {_COMPANY_ID} = %s OR ({_COMPANY_ID} IS NOT NULL AND LOWER(HUBSPOT_COMPANY_NAME) = LOWER(%s))
GROUP BY {_COMPANY_ID}
ORDER BY CALL_COUNT DESC, COMPANY_ID
LIMIT 10
"""

_CALLS = f"""
WITH newest AS (
    SELECT
        CALL_ID, CALL_TITLE, CALL_DATETIME_UTC, CALL_URL, PRIMARY_USER_NAME AS HOST_NAME, HUBSPOT_DEAL_ID, DEAL_NAME,
        DEAL_STAGE, DEAL_AMOUNT, DEAL_OUTCOME, SENTIMENT_SCORE, SENTIMENT_CATEGORY, CALL_SUMMARY AS SUMMARY, NEXT_STEPS
    FROM VW_ENRICHED_GONG_CALLS
    WHERE {_COMPANY_ID} = %s
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
        NotFound: no call is linked to such a company.
        AgentError: several companies have that name.
        WarehouseError: the warehouse cannot be reached, or the views are not there yet.
    """
    with warehouse.connect() as connection:
        found = fetch(connection, _COMPANIES, (company, company))
        # An id means one company, whatever another one is called.
        found = [row for row in found if row["COMPANY_ID"] == company] or found
        if not found:
            raise NotFound(f"no call in VW_ENRICHED_GONG_CALLS is linked to company {shown(company)}")
        if len(found) > 1:
            ids = ", ".join(f"{row['COMPANY_ID']} ({row['CALL_COUNT']} calls)" for row in found)
            raise AgentError(f"several companies are called {shown(company)}, ask for one by its id: {ids}")
        calls = fetch(connection, _CALLS, (found[0]["COMPANY_ID"], limit))
    return AccountTimeline.of(found[0], calls=[TimelineCall.of(row) for row in calls])
