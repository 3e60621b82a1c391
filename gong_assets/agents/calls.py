"""Calls by date, rep, deal and company, and the transcript of one call."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from gong_assets.agents.arguments import (
    UNLIMITED_CHARACTERS,
    CallId,
    CompanyFilter,
    Deal,
    FromDate,
    Limit,
    MaxCharacters,
    PageToken,
    Rep,
    ToDate,
    for_display,
    validated,
)
from gong_assets.agents.call_filters import (
    FUTURE,
    KIND_IS_NOT,
    bound_values,
    check_dates,
    date_filters,
    record_filters,
)
from gong_assets.agents.errors import NotFound
from gong_assets.agents.freshness import data_as_of
from gong_assets.agents.paging import NO_CONDITION, decoded, first_page
from gong_assets.agents.results import Call, Calls, Transcript, Turn
from gong_assets.agents.views import CALLS, SEGMENTS
from gong_assets.warehouse.connection import Warehouse, fetch

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

# Rows without a time sort as if their call had started at midnight.
STARTED = "COALESCE(CALL_DATETIME_UTC, CALL_DATE::TIMESTAMP_NTZ)"
POSITION = ("CALL_DATE", "STARTED_AT", "CALL_ID")
# The condition on the date alone lets Snowflake skip newer partitions.
BEFORE = f"CALL_DATE <= %s AND (CALL_DATE < %s OR {STARTED} < %s OR {STARTED} = %s AND CALL_ID < %s)"

_CALLS = f"""
SELECT
    CALL_ID, CALL_DATE, {STARTED} AS STARTED_AT, CALL_TITLE, CALL_DATETIME_UTC, CALL_DURATION_SECONDS,
    CALL_URL, CALL_SCOPE, PRIMARY_USER_ID AS HOST_ID, PRIMARY_USER_NAME AS HOST_NAME, SENTIMENT_SCORE,
    TALK_RATIO, HUBSPOT_DEAL_ID, DEAL_NAME, DEAL_STAGE, HUBSPOT_COMPANY_ID,
    HUBSPOT_COMPANY_NAME AS COMPANY_NAME
FROM {CALLS} AS calls
WHERE {{conditions}}
ORDER BY CALL_DATE DESC, STARTED_AT DESC, CALL_ID DESC
LIMIT %s
"""

_CALL_OF_TRANSCRIPT = f"""
SELECT CALL_ID, CALL_DATE, CALL_TITLE, CALL_DATETIME_UTC, CALL_URL, PRIMARY_USER_NAME AS HOST_NAME
FROM {CALLS} AS calls
WHERE CALL_ID = %s
LIMIT 1
"""

_TURNS = f"""
SELECT
    TRANSCRIPT_ID, CALL_ID, CALL_URL, SPEAKER_NAME, SPEAKER_TYPE, START_TIME_SECONDS, END_TIME_SECONDS,
    TRANSCRIPT_TEXT AS TEXT, TURN_INDEX, PART
FROM {SEGMENTS} AS segments
WHERE CALL_DATE = %s AND CALL_ID = %s AND TRANSCRIPT_TEXT IS NOT NULL AND {{condition}}
ORDER BY TURN_INDEX, PART, TRANSCRIPT_ID
LIMIT %s
"""
_AFTER_TURN = "(TURN_INDEX > %s OR TURN_INDEX = %s AND (PART > %s OR PART = %s AND TRANSCRIPT_ID > %s))"


@validated
def find_calls(
    warehouse: Warehouse,
    *,
    from_date: FromDate = None,
    to_date: ToDate = None,
    rep: Rep = None,
    deal: Deal = None,
    company: CompanyFilter = None,
    limit: Limit = 20,
    page: PageToken = None,
    max_characters: MaxCharacters = UNLIMITED_CHARACTERS,
) -> Calls:
    """Return the calls that match all filters, newest first.

    Raises:
        NotFound: there is no such rep, deal or company; the message suggests similar names.
        InvalidArgument: an argument is invalid.
        AgentError: several reps, deals or companies have this name.
        WarehouseError: the warehouse is unreachable, or the views do not exist.
    """
    check_dates(from_date, to_date)
    filters = {KIND_IS_NOT: (FUTURE,), **date_filters(from_date, to_date)}
    if page:
        filters[BEFORE] = before_values("calls", page)
    with warehouse.connect() as connection:
        filters |= record_filters(connection, rep, deal, company)
        sql = _CALLS.format(conditions=" AND ".join(filters))
        rows = fetch(connection, sql, (*bound_values(filters), limit + 1))
        as_of = data_as_of(connection)
    kept, next_page = first_page(
        "calls", rows, [Call.from_row(row) for row in rows], POSITION, limit, max_characters
    )
    return Calls(data_as_of=as_of, next_page=next_page, calls=kept)


def before_values(kind: str, page: str) -> tuple[Any, ...]:
    """Return the values of `BEFORE` for a page token."""
    day, started, call_id = decoded(kind, page, (date, datetime, str))
    return (day, day, started, started, call_id)


@validated
def read_transcript(
    warehouse: Warehouse,
    call_id: CallId,
    *,
    limit: Limit = 1000,
    page: PageToken = None,
    max_characters: MaxCharacters = UNLIMITED_CHARACTERS,
) -> Transcript:
    """Return the turns of one call in time order.

    Raises:
        NotFound: the views have no such call.
        InvalidArgument: an argument is invalid.
        WarehouseError: the warehouse is unreachable, or the views do not exist.
    """
    condition, values = NO_CONDITION
    if page:
        turn, part, transcript_id = decoded(f"transcript {call_id}", page, (int, int, str))
        condition, values = _AFTER_TURN, (turn, turn, part, part, transcript_id)
    with warehouse.connect() as connection:
        call = find_call(connection, _CALL_OF_TRANSCRIPT, call_id)
        sql = _TURNS.format(condition=condition)
        rows = fetch(connection, sql, (call["CALL_DATE"], call_id, *values, limit + 1))
        as_of = data_as_of(connection)
    turns, next_page = first_page(
        f"transcript {call_id}",
        rows,
        [Turn.from_row(row) for row in rows],
        ("TURN_INDEX", "PART", "TRANSCRIPT_ID"),
        limit,
        max_characters,
    )
    note = None if rows or page else "the call has no transcript yet, or it awaits redaction"
    return Transcript.from_row(call, data_as_of=as_of, next_page=next_page, note=note, turns=turns)


def find_call(connection: SnowflakeConnection, sql: str, call_id: str) -> dict[str, Any]:
    """Return the row of a call, which `sql` selects by its id.

    Raises:
        NotFound: the views have no such call.
    """
    rows = fetch(connection, sql, (call_id,))
    if not rows:
        raise NotFound(
            f"call {for_display(call_id)} is not in VW_ENRICHED_GONG_CALLS; "
            "check that its day is materialized"
        )
    return rows[0]
