"""All calls with one company, in time order."""

from __future__ import annotations

from gong_assets.agents.arguments import (
    UNLIMITED_CHARACTERS,
    Company,
    Limit,
    MaxCharacters,
    PageToken,
    for_display,
    validated,
)
from gong_assets.agents.call_filters import CALL_EVENT, FUTURE, HAS_COMPANY, KIND_IS_NOT
from gong_assets.agents.calls import BEFORE, POSITION, STARTED, before_values
from gong_assets.agents.directory import find_record
from gong_assets.agents.errors import NotFound
from gong_assets.agents.freshness import data_as_of
from gong_assets.agents.paging import NO_CONDITION, first_page
from gong_assets.agents.results import AccountTimeline, TimelineCall
from gong_assets.agents.views import CALLS
from gong_assets.warehouse.connection import Warehouse, fetch

_COMPANY_CALLS = f"{KIND_IS_NOT} AND {HAS_COMPANY}"
_CALLS = f"""
WITH company_calls AS (
    SELECT
        CALL_ID, CALL_DATE, {STARTED} AS STARTED_AT, CALL_TITLE, CALL_DATETIME_UTC, CALL_URL,
        PRIMARY_USER_NAME AS HOST_NAME, HUBSPOT_DEAL_ID, DEAL_NAME, DEAL_STAGE, DEAL_AMOUNT,
        DEAL_CURRENCY_CODE, DEAL_AMOUNT_IN_HOME_CURRENCY, HOME_CURRENCY_CODE, DEAL_OUTCOME, DEALS,
        IS_COMPANY_INFERRED, SENTIMENT_SCORE, SENTIMENT_CATEGORY, CALL_SUMMARY AS SUMMARY, NEXT_STEPS,
        COUNT(*) OVER () AS CALL_COUNT
    FROM {CALLS} AS calls
    WHERE {_COMPANY_CALLS}
)
SELECT *
FROM company_calls
WHERE {{condition}}
ORDER BY CALL_DATE DESC, STARTED_AT DESC, CALL_ID DESC
LIMIT %s
"""
_COUNT = f"""
SELECT COUNT(*) AS CALL_COUNT
FROM {CALLS} AS calls
WHERE {_COMPANY_CALLS}
LIMIT 1
"""


@validated
def account_timeline(
    warehouse: Warehouse,
    company: Company,
    *,
    limit: Limit = 50,
    page: PageToken = None,
    max_characters: MaxCharacters = UNLIMITED_CHARACTERS,
) -> AccountTimeline:
    """Return the newest `limit` calls with a company in time order. `company` is its id or its whole name.

    Raises:
        NotFound: no call is linked to the company; the message suggests companies with similar names.
        InvalidArgument: an argument is invalid.
        AgentError: several companies have this name.
        WarehouseError: the warehouse is unreachable, or the views do not exist.
    """
    condition, values = NO_CONDITION
    if page:
        condition, values = BEFORE, before_values("timeline", page)
    with warehouse.connect() as connection:
        found = find_record(connection, "Company", company)
        account = (FUTURE, CALL_EVENT, found["CRM_SYSTEM"], found["RECORD_ID"])
        rows = fetch(connection, _CALLS.format(condition=condition), (*account, *values, limit + 1))
        # A page after the last one has no rows.
        count = (rows or fetch(connection, _COUNT, account))[0]["CALL_COUNT"]
        as_of = data_as_of(connection)
    if not count:
        raise NotFound(f"no call in VW_ACCOUNT_TIMELINE is linked to company {for_display(company)}")
    kept, next_page = first_page(
        "timeline", rows, [TimelineCall.from_row(row) for row in rows], POSITION, limit, max_characters
    )
    return AccountTimeline(
        data_as_of=as_of,
        next_page=next_page,
        crm_system=found["CRM_SYSTEM"],
        company_id=found["RECORD_ID"],
        company_name=found["RECORD_NAME"],
        call_count=count,
        calls=kept[::-1],
    )
