"""Reps, companies, deals and their owners by id, name, e-mail address or domain.

VW_DIRECTORY has a row for each term by which a record is found, including former names and the ids of records
that were merged into it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gong_assets.agents.arguments import (
    UNLIMITED_CHARACTERS,
    Limit,
    MaxCharacters,
    PageToken,
    RecordName,
    RecordType,
    for_display,
    validated,
)
from gong_assets.agents.errors import AgentError, NotFound
from gong_assets.agents.freshness import data_as_of
from gong_assets.agents.names import KEY, KEY_VALUES, key
from gong_assets.agents.paging import NO_CONDITION, decoded, first_page
from gong_assets.agents.results import Record, Records
from gong_assets.agents.views import DIRECTORY
from gong_assets.warehouse.connection import Warehouse, fetch

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

MAX_SUGGESTIONS = 5
# Similarity (0 to 100) of names of which one is probably a misspelling of the other.
MIN_NAME_SIMILARITY = 85
# A shorter name is part of too many others.
MIN_CONTAINED_LENGTH = 4
# A page token has the name of its last record, which may be of any length.
MAX_SORTED_CHARACTERS = 200

_ID, _PRESENT, _FORMER, _PART, _SIMILAR = 1, 2, 3, 4, 5
_MATCHES = {_ID: "id", _PRESENT: "name", _FORMER: "former name", _PART: "part", _SIMILAR: "similar"}

_RECORDS = f"""
WITH terms AS (
    SELECT
        CRM_SYSTEM, RECORD_ID, RECORD_NAME, RECORD_DETAIL, TERM_TYPE, TERM, IS_FORMER,
        {KEY.format(column="TERM")} AS TERM_KEY, %s AS SOUGHT, %s AS SOUGHT_KEY
    FROM {DIRECTORY} AS directory
    WHERE RECORD_TYPE = %s
),
matches AS (
    SELECT
        CRM_SYSTEM, RECORD_ID, RECORD_NAME, RECORD_DETAIL,
        CASE
            WHEN SOUGHT IS NULL THEN {_PRESENT}
            WHEN TERM_TYPE = %s THEN IFF(TERM = SOUGHT, {_ID}, NULL)
            WHEN TERM_KEY = SOUGHT_KEY THEN IFF(IS_FORMER, {_FORMER}, {_PRESENT})
            WHEN CONTAINS(TERM_KEY, SOUGHT_KEY) THEN {_PART}
            WHEN
                LENGTH(TERM_KEY) >= {MIN_CONTAINED_LENGTH} AND CONTAINS(SOUGHT_KEY, TERM_KEY)
                OR JAROWINKLER_SIMILARITY(TERM_KEY, SOUGHT_KEY) >= {MIN_NAME_SIMILARITY}
                THEN {_SIMILAR}
        END AS MATCH_RANK
    FROM terms
),
records AS (
    SELECT
        CRM_SYSTEM, RECORD_ID, COALESCE(MAX(RECORD_NAME), RECORD_ID) AS RECORD_NAME,
        MAX(RECORD_DETAIL) AS RECORD_DETAIL, MIN(MATCH_RANK) AS MATCH_RANK
    FROM matches
    WHERE MATCH_RANK IS NOT NULL
    GROUP BY CRM_SYSTEM, RECORD_ID
),
sorted AS (
    SELECT records.*, LEFT(RECORD_NAME, {MAX_SORTED_CHARACTERS}) AS SORT_NAME
    FROM records
)
SELECT CRM_SYSTEM, RECORD_ID, RECORD_NAME, RECORD_DETAIL, MATCH_RANK, SORT_NAME
FROM sorted
WHERE {{condition}}
ORDER BY MATCH_RANK, SORT_NAME, CRM_SYSTEM, RECORD_ID
LIMIT %s
"""
_POSITION = ("MATCH_RANK", "SORT_NAME", "CRM_SYSTEM", "RECORD_ID")
_AFTER = (
    "(MATCH_RANK > %s OR MATCH_RANK = %s AND (SORT_NAME > %s OR SORT_NAME = %s "
    "AND (CRM_SYSTEM > %s OR CRM_SYSTEM = %s AND RECORD_ID > %s)))"
)


@validated
def find_records(
    warehouse: Warehouse,
    record_type: RecordType,
    name: RecordName = None,
    *,
    limit: Limit = 20,
    page: PageToken = None,
    max_characters: MaxCharacters = UNLIMITED_CHARACTERS,
) -> Records:
    """Return the reps, companies or deals with a name, best matches first.

    Raises:
        InvalidArgument: an argument is invalid.
        WarehouseError: the warehouse is unreachable, or the views do not exist.
    """
    condition, values = NO_CONDITION
    if page:
        rank, found_name, crm_system, record_id = decoded("records", page, (int, str, str, str))
        condition = _AFTER
        values = (rank, rank, found_name, found_name, crm_system, crm_system, record_id)
    with warehouse.connect() as connection:
        rows = _matches(connection, record_type, name, limit + 1, condition, values)
        as_of = data_as_of(connection)
    items = [Record.from_row(row, match=_MATCHES[row["MATCH_RANK"]] if name else None) for row in rows]
    kept, next_page = first_page("records", rows, items, _POSITION, limit, max_characters)
    return Records(data_as_of=as_of, next_page=next_page, records=kept)


def find_record(connection: SnowflakeConnection, record_type: str, text: str) -> dict[str, Any]:
    """Return the row of the record with this id, whole name or e-mail address.

    Raises:
        NotFound: there is none. The message suggests records with similar names.
        AgentError: several records have this name. The message lists their ids.
    """
    noun = record_type.lower()
    rows = _matches(connection, record_type, text, 2 * MAX_SUGGESTIONS)
    best = [row for row in rows if row["MATCH_RANK"] == rows[0]["MATCH_RANK"] <= _FORMER]
    if len(best) == 1:
        return best[0]
    if best:
        plural = {"company": "companies"}.get(noun, f"{noun}s")
        listed = ", ".join(map(_described, best))
        raise AgentError(f"several {plural} are named {for_display(text)}; use an id: {listed}")
    # Names that contain the digits of a wrong id are no help.
    similar_rows = [] if text.isdecimal() else rows[:MAX_SUGGESTIONS]
    similar = ", ".join(f"{_quoted(row['RECORD_NAME'])} ({row['RECORD_ID']})" for row in similar_rows)
    article = "an" if noun[0] in "aeiou" else "a"
    suggestion = (
        f"use a whole name or an id: {similar}" if similar else f"look for {article} {noun} by part of a name"
    )
    raise NotFound(f"there is no {noun} {for_display(text)}; {suggestion}")


def _described(row: dict[str, Any]) -> str:
    details = ", ".join(filter(None, (row["CRM_SYSTEM"], row["RECORD_DETAIL"])))
    return f"{row['RECORD_ID']} ({for_display(details)})"


def _quoted(name: str) -> str:
    """Return a name in quotes: it is text of others."""
    return json.dumps(for_display(name), ensure_ascii=False)


def _matches(
    connection: SnowflakeConnection,
    record_type: str,
    text: str | None,
    limit: int,
    condition: str = "TRUE",
    values: tuple[Any, ...] = (),
) -> list[dict[str, Any]]:
    # A text without letters and digits has an empty key, which every name contains.
    sought_key = (key(text) or None) if text else None
    bound = (*KEY_VALUES, text, sought_key, record_type, "Id", *values, limit)
    return fetch(connection, _RECORDS.format(condition=condition), bound)
