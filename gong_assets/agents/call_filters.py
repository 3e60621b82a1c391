"""Filters of calls and segments by date, rep, deal and company."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from gong_assets.agents.directory import find_record
from gong_assets.agents.errors import InvalidArgument
from gong_assets.agents.views import ACCOUNT_EVENTS

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

# SQL conditions with the values bound to each.
Filters = dict[str, tuple[Any, ...]]

CALL_EVENT = "Call"

# A call with a wrong date would be the newest of all.
KIND_IS_NOT, FUTURE = "CALL_KIND IS DISTINCT FROM %s", "Future"

FROM_DATE, TO_DATE = "CALL_DATE >= %s", "CALL_DATE <= %s"
HAS_REP = "PRIMARY_USER_ID = %s"
# VW_DEAL_CALLS, because a call can have several deals and HUBSPOT_DEAL_ID is only one of them. It can have
# several companies too.
HAS_DEAL = "CALL_ID IN (SELECT CALL_ID FROM VW_DEAL_CALLS WHERE HUBSPOT_DEAL_ID = %s)"
HAS_COMPANY = f"""CALL_ID IN (
    SELECT CALL_ID
    FROM {ACCOUNT_EVENTS} AS events
    WHERE EVENT_TYPE = %s AND CRM_SYSTEM = %s AND ACCOUNT_ID = %s
)"""

DATES = {FROM_DATE, TO_DATE}
CALL_CONDITIONS = {HAS_REP, HAS_DEAL, HAS_COMPANY}


def check_dates(from_date: date | None, to_date: date | None) -> None:
    """Raise InvalidArgument if there is no day between the dates."""
    if from_date and to_date and from_date > to_date:
        raise InvalidArgument(f"from_date {from_date} is after to_date {to_date}")


def date_filters(from_date: date | None, to_date: date | None) -> Filters:
    """Return the conditions on CALL_DATE."""
    filters: Filters = {FROM_DATE: (from_date,), TO_DATE: (to_date,)}
    return {condition: values for condition, values in filters.items() if values[0] is not None}


def record_filters(
    connection: SnowflakeConnection, rep: str | None, deal: str | None, company: str | None
) -> Filters:
    """Return the conditions on the host, deal and company of a call.

    Raises:
        NotFound: there is no such rep, deal or company.
        AgentError: several have this name.
    """
    filters: Filters = {}
    if rep is not None:
        filters[HAS_REP] = (find_record(connection, "Rep", rep)["RECORD_ID"],)
    if deal is not None:
        filters[HAS_DEAL] = (find_record(connection, "Deal", deal)["RECORD_ID"],)
    if company is not None:
        found = find_record(connection, "Company", company)
        filters[HAS_COMPANY] = (CALL_EVENT, found["CRM_SYSTEM"], found["RECORD_ID"])
    return filters


def bound_values(filters: Filters) -> list[Any]:
    """Return the values of all conditions, in their order."""
    return [value for values in filters.values() for value in values]
