"""Open deals with risk indicators.

VW_DEAL_RISK decides which indicators a deal has and how high its risk is; its thresholds are dbt vars.
"""

from __future__ import annotations

from gong_assets.agents.arguments import (
    UNLIMITED_CHARACTERS,
    DealOwner,
    Limit,
    MaxCharacters,
    PageToken,
    RiskLevel,
    validated,
)
from gong_assets.agents.call_filters import Filters, bound_values
from gong_assets.agents.directory import find_record
from gong_assets.agents.freshness import data_as_of
from gong_assets.agents.paging import decoded, first_page
from gong_assets.agents.results import DealAtRisk, DealsAtRisk
from gong_assets.agents.views import DEAL_RISKS
from gong_assets.warehouse.connection import Warehouse, fetch

_LEVELS = ("High", "Medium", "Low")

_AMOUNT = "COALESCE(DEAL_AMOUNT_IN_HOME_CURRENCY, -1)"
_DEALS = f"""
SELECT
    HUBSPOT_DEAL_ID, DEAL_NAME, DEAL_STAGE, DEAL_AMOUNT, DEAL_CURRENCY_CODE,
    DEAL_AMOUNT_IN_HOME_CURRENCY, HOME_CURRENCY_CODE, CLOSE_DATE, DEAL_OWNER, HUBSPOT_COMPANY_ID,
    HUBSPOT_COMPANY_NAME AS COMPANY_NAME, RISK_LEVEL, RISK_COUNT, RISK_INDICATORS AS REASONS, CALL_COUNT,
    CUSTOMER_SENTIMENT, DAYS_SINCE_LAST_CALL, LAST_CALL_ID, LAST_CALL_TITLE, LAST_CALL_URL, LAST_CALL_HOST,
    {_AMOUNT} AS SORT_AMOUNT
FROM {DEAL_RISKS} AS deals
WHERE RISK_COUNT > 0 AND {{conditions}}
ORDER BY RISK_COUNT DESC, SORT_AMOUNT DESC, HUBSPOT_DEAL_ID
LIMIT %s
"""
# VW_DIRECTORY has the same ids.
_HAS_OWNER = "COALESCE(DEAL_OWNER_EMAIL, DEAL_OWNER) = %s"
_AFTER = (
    f"(RISK_COUNT < %s OR RISK_COUNT = %s AND ({_AMOUNT} < %s OR {_AMOUNT} = %s AND HUBSPOT_DEAL_ID > %s))"
)


@validated
def deals_at_risk(
    warehouse: Warehouse,
    *,
    level: RiskLevel = "Low",
    owner: DealOwner = None,
    limit: Limit = 20,
    page: PageToken = None,
    max_characters: MaxCharacters = UNLIMITED_CHARACTERS,
) -> DealsAtRisk:
    """Return the open deals with risk indicators, those with the most indicators first.

    Raises:
        NotFound: nobody of this name owns deals; the message suggests similar names.
        InvalidArgument: an argument is invalid.
        AgentError: several owners have this name.
        WarehouseError: the warehouse is unreachable, or the views do not exist.
    """
    levels = _LEVELS[: _LEVELS.index(level) + 1]
    conditions: Filters = {f"RISK_LEVEL IN ({', '.join(['%s'] * len(levels))})": levels}
    if page:
        count, amount, deal_id = decoded("deals", page, (int, float, str))
        conditions[_AFTER] = (count, count, amount, amount, deal_id)
    with warehouse.connect() as connection:
        if owner is not None:
            conditions[_HAS_OWNER] = (find_record(connection, "Owner", owner)["RECORD_ID"],)
        rows = fetch(
            connection,
            _DEALS.format(conditions=" AND ".join(conditions)),
            (*bound_values(conditions), limit + 1),
        )
        as_of = data_as_of(connection)
    items = [DealAtRisk.from_row(row) for row in rows]
    position = ("RISK_COUNT", "SORT_AMOUNT", "HUBSPOT_DEAL_ID")
    kept, next_page = first_page("deals", rows, items, position, limit, max_characters)
    return DealsAtRisk(data_as_of=as_of, next_page=next_page, deals=kept)
