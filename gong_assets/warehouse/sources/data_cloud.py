"""Gong's share (Data Cloud): calls, transcripts and users, as records of Gong's API.

Every table is filtered by ETL_MODIFIED_DATETIME: a record of a day is written on that day or later, and the
share is sorted by this column. Calls are joined by CONVERSATION_KEY; Gong's call id is CONVERSATION_ID, which
is unique among the calls only. A deleted record keeps its keys, and loses everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gong_assets.dates import DateRange
from gong_assets.warehouse.sources.data_cloud_share import Share
from gong_assets.warehouse.sources.source import (
    SourceLocation,
    iso_time,
    json_block,
    json_object,
)
from gong_assets.warehouse.tables import CALLS, TRANSCRIPTS, RawTable

_NEEDED: Mapping[str, frozenset[str]] = {
    CALLS.name: frozenset({"CONVERSATIONS", "CALLS"}),
    TRANSCRIPTS.name: frozenset({"CONVERSATIONS", "CALLS", "CALL_TRANSCRIPTS"}),
    "GONG_USERS_RAW": frozenset({"USERS"}),
}
_META_DATA = {
    "title": "TITLE", "url": "CALL_URL", "isPrivate": "IS_PRIVATE", "direction": "DIRECTION",
    "scope": "SCOPE", "primaryUserId": "OWNER_ID", "system": "SOURCE_SYSTEM",
    "workspaceId": "WORKSPACE_ID", "sdrDisposition": "DISPOSITION", "meetingUrl": "MEETING_URL",
}  # fmt: skip
# Columns of INTERACTION_STATS, by the names of the API's statistics of the host.
_STATS = {
    "Talk Ratio": "TALK_RATIO",
    "Longest Monologue": "LONGEST_MONOLOGUE",
    "Longest Customer Story": "LONGEST_CUSTOMER_STORY",
    "Interactivity": "INTERACTIVITY",
    "Patience": "PATIENCE",
}


@dataclass(frozen=True)
class DataCloud:
    """Tables of the schema GONG_DATA_CLOUD."""

    location: SourceLocation
    name: Literal["data_cloud"] = "data_cloud"

    def is_available(self, table: RawTable) -> bool:
        return table.name in _NEEDED and _NEEDED[table.name] <= self.location.columns.keys()

    def rows(self, table: RawTable, ranges: Sequence[DateRange] | None) -> str:
        return _ROWS[table.name](Share(self.location, ranges))

    def versions(self, table: RawTable) -> str:
        return _VERSIONS[table.name](Share(self.location, None))

    @property
    def has_whole_calls(self) -> bool:
        return False

    def gaps(self) -> Sequence[str]:
        return [
            "Values of CRM fields: the share has ids and types of CRM objects only.",
            "Topics, outline, highlights and the structure of a call, comments, and party ids.",
            "Titles of participants who are no users.",
            "Scorecards, reviews, trackers' keywords, call outcomes as a list, the library, workspaces, "
            "interaction statistics by day, and user activity.",
            "Calls of the last 24 hours.",
        ]


def _identity(share: Share, extracted_at: str) -> str:
    return (
        f"SELECTED.CALL_ID AS KEY, SELECTED.DAY AS DAY, {extracted_at} AS EXTRACTED_AT, "
        "SELECTED.IS_GONE AS IS_DELETED, "
        f"COALESCE({share.column('CALLS', 'IS_PRIVATE', 'SELECTED')}, FALSE) AS IS_PRIVATE, "
        f"{share.column('CALLS', 'WORKSPACE_ID', 'SELECTED')}::VARCHAR AS WORKSPACE_ID"
    )


def _calls(share: Share) -> str:
    children = _children(share)
    modified = ", ".join(["SELECTED.MODIFIED_AT", *(f"{name}.MODIFIED_AT" for name in children)])
    extracted_at = f"GREATEST_IGNORE_NULLS({modified})" if children else modified
    joins = " ".join(
        f"LEFT JOIN {name} ON SELECTED.CONVERSATION_KEY = {name}.CONVERSATION_KEY" for name in children
    )
    return (
        f"WITH {', '.join([share.calls(), *children.values()])} "
        f"SELECT {_identity(share, extracted_at)}, {_call_payload(share, children)} AS PAYLOAD, "
        f"NULL::VARCHAR AS PROCESSING_ERROR FROM SELECTED {joins}"
    )


def _call_payload(share: Share, children: Mapping[str, str]) -> str:
    def column(name: str) -> str:
        return share.column("CALLS", name, "SELECTED")

    def item(name: str, value: str = "ITEMS") -> str:
        return f"{name}.{value}" if name in children else "NULL"

    meta_data = {
        "id": "SELECTED.CALL_ID",
        **{name: column(each) for name, each in _META_DATA.items()},
        "started": iso_time(column("EFFECTIVE_START_DATETIME")),
        "scheduled": iso_time(column("PLANNED_START_DATETIME")),
        **{name: item("RECORDINGS", name.upper()) for name in ("duration", "language", "media")},
    }
    outcome = column("CALL_SPOTLIGHT_OUTCOME")
    content = {
        "trackers": item("TRACKED"),
        "brief": column("CALL_SPOTLIGHT_BRIEF"),
        "keyPoints": _key_points(column("CALL_SPOTLIGHT_KEY_POINTS")),
        "callOutcome": (
            "NULL"
            if outcome == "NULL"
            else f"IFF({outcome} IS NULL, NULL, OBJECT_CONSTRUCT('name', {outcome}))"
        ),
    }
    counts = {
        "companyCount": column("QUESTION_COMPANY_COUNT"),
        "nonCompanyCount": column("QUESTION_NON_COMPANY_COUNT"),
    }
    interaction = {"interactionStats": item("STATS"), "questions": json_block(counts)}
    blocks = {
        "metaData": json_object(meta_data),
        "context": item("CONTEXTS"),
        "parties": item("PARTIES"),
        "content": json_block(content),
        "interaction": json_block(interaction),
    }
    return json_object(blocks, keep_null=False)


def _key_points(column: str) -> str:
    """Return the key points as the API's list of objects. The share has a list, or a text."""
    if column == "NULL":
        return "NULL"
    parsed = f"COALESCE(TRY_PARSE_JSON({column}::VARCHAR), {column}::VARIANT)"
    return (
        f"IFF(TYPEOF({parsed}) = 'ARRAY', {parsed}, IFF({column} IS NULL, NULL, ARRAY_CONSTRUCT({column})))"
    )


def _children(share: Share) -> Mapping[str, str]:
    """Return a common table expression for each child table: one row per call."""
    builders: Mapping[str, tuple[str, Callable[[Share], str]]] = {
        "RECORDINGS": ("CALL_RECORDINGS", _recordings),
        "PARTIES": ("CONVERSATION_PARTICIPANTS", _parties),
        "STATS": ("INTERACTION_STATS", _stats),
        "CONTEXTS": ("CONVERSATION_CONTEXTS", _contexts),
        "TRACKED": ("CONVERSATION_TRACKERS", _trackers),
    }
    return {name: build(share) for name, (table, build) in builders.items() if share.has(table)}


_OF_CALLS = "AND CHILD.CONVERSATION_KEY IN (SELECT CONVERSATION_KEY FROM SELECTED)"


def _recordings(share: Share) -> str:
    return (
        "RECORDINGS AS (SELECT CHILD.CONVERSATION_KEY, MAX(CHILD.DURATION) AS DURATION, "
        "MAX(CHILD.LANGUAGE) AS LANGUAGE, MAX(CHILD.MEDIA_TYPE) AS MEDIA, "
        f"MAX(CHILD.ETL_MODIFIED_DATETIME) AS MODIFIED_AT {share.scan('CALL_RECORDINGS', 'CHILD')} "
        f"{_OF_CALLS} GROUP BY 1)"
    )


def _parties(share: Share) -> str:
    table = "CONVERSATION_PARTICIPANTS"
    affiliation = (
        "DECODE(LOWER(CHILD.AFFILIATION), 'company', 'Internal', 'internal', 'Internal', "
        "'non_company', 'External', 'external', 'External', 'Unknown')"
    )
    # A number here, and a text in transcripts. The share has no party id, so it is the party id too.
    speaker = "CHILD.SPEAKER_ID::VARCHAR"
    party = {
        "id": speaker,
        "emailAddress": share.column(table, "EMAIL_ADDRESS", "CHILD"),
        "name": share.column(table, "NAME", "CHILD"),
        "userId": share.column(table, "USER_ID", "CHILD"),
        "speakerId": speaker,
        "affiliation": affiliation,
    }
    return (
        f"PARTIES AS (SELECT CHILD.CONVERSATION_KEY, ARRAY_AGG({json_object(party)}) "
        f"WITHIN GROUP (ORDER BY CHILD.ROW_ID) AS ITEMS, MAX(CHILD.ETL_MODIFIED_DATETIME) AS MODIFIED_AT "
        f"{share.scan(table, 'CHILD')} {_OF_CALLS} GROUP BY 1)"
    )


def _stats(share: Share) -> str:
    """Return the statistics of the host: the share has those of each user."""
    values = ", ".join(
        f"IFF(CHILD.{column} IS NULL, NULL, OBJECT_CONSTRUCT('name', '{name}', 'value', CHILD.{column}))"
        for name, column in _STATS.items()
        if share.column("INTERACTION_STATS", column, "CHILD") != "NULL"
    )
    return (
        f"STATS AS (SELECT CHILD.CONVERSATION_KEY, ARRAY_CONSTRUCT_COMPACT({values}) AS ITEMS, "
        f"CHILD.ETL_MODIFIED_DATETIME AS MODIFIED_AT {share.scan('INTERACTION_STATS', 'CHILD')} {_OF_CALLS} "
        "AND CHILD.USER_ID = CHILD.CALL_OWNER QUALIFY ROW_NUMBER() OVER (PARTITION BY CHILD.CONVERSATION_KEY "
        "ORDER BY CHILD.ETL_MODIFIED_DATETIME DESC) = 1)"
    )


def _contexts(share: Share) -> str:
    """Return the linked CRM objects, once each. HubSpot's deals are of the type `opportunity` too."""
    table = "CONVERSATION_CONTEXTS"
    system = share.location.any_column(table, "CRM_SYSTEM", "SYSTEM", "SOURCE_SYSTEM", alias="CHILD")
    return (
        "LINKED AS (SELECT DISTINCT CHILD.CONVERSATION_KEY, "
        f"{system}::VARCHAR AS SYSTEM, INITCAP(CHILD.OBJECT_TYPE) AS OBJECT_TYPE, "
        f"CHILD.OBJECT_ID::VARCHAR AS OBJECT_ID {share.scan(table, 'CHILD')} {_OF_CALLS}), "
        "SYSTEMS AS (SELECT CONVERSATION_KEY, SYSTEM, ARRAY_AGG(OBJECT_CONSTRUCT('objectType', OBJECT_TYPE, "
        "'objectId', OBJECT_ID, 'fields', ARRAY_CONSTRUCT(), 'timing', 'Now')) "
        "WITHIN GROUP (ORDER BY OBJECT_TYPE DESC, OBJECT_ID) AS OBJECTS FROM LINKED GROUP BY 1, 2), "
        "CONTEXTS AS (SELECT CONVERSATION_KEY, ARRAY_AGG(OBJECT_CONSTRUCT('system', SYSTEM, "
        "'objects', OBJECTS)) WITHIN GROUP (ORDER BY SYSTEM) AS ITEMS, NULL::TIMESTAMP_TZ AS MODIFIED_AT "
        "FROM SYSTEMS GROUP BY 1)"
    )


def _trackers(share: Share) -> str:
    name = "DEFINITIONS.TRACKER_NAME" if share.has("TRACKERS") else "NULL::VARCHAR"
    join = (
        f"LEFT JOIN {share.location.table('TRACKERS')} AS DEFINITIONS "
        "ON CHILD.TRACKER_ID = DEFINITIONS.TRACKER_ID "
        if share.has("TRACKERS")
        else ""
    )
    scan = share.scan("CONVERSATION_TRACKERS", "CHILD").replace(" WHERE ", f" {join}WHERE ", 1)
    return (
        "TRACKED AS (SELECT CHILD.CONVERSATION_KEY, ARRAY_AGG(OBJECT_CONSTRUCT_KEEP_NULL("
        f"'id', CHILD.TRACKER_ID::VARCHAR, 'name', {name}, 'count', CHILD.COUNT)) "
        "WITHIN GROUP (ORDER BY CHILD.TRACKER_ID) AS ITEMS, MAX(CHILD.ETL_MODIFIED_DATETIME) AS MODIFIED_AT "
        f"{scan} {_OF_CALLS} GROUP BY 1)"
    )


def _transcripts(share: Share) -> str:
    return (
        f"WITH {share.calls()} SELECT {_identity(share, 'CHILD.ETL_MODIFIED_DATETIME')}, "
        "OBJECT_CONSTRUCT_KEEP_NULL('callId', SELECTED.CALL_ID, 'transcript', CHILD.TRANSCRIPT) AS PAYLOAD, "
        "NULL::VARCHAR AS PROCESSING_ERROR FROM SELECTED "
        f"INNER JOIN (SELECT * {share.scan('CALL_TRANSCRIPTS', 'CHILD')}) AS CHILD "
        "ON SELECTED.CONVERSATION_KEY = CHILD.CONVERSATION_KEY WHERE CHILD.TRANSCRIPT IS NOT NULL"
    )


def _call_versions(share: Share) -> str:
    return f"WITH {share.calls()} SELECT {_identity(share, 'SELECTED.MODIFIED_AT')} FROM SELECTED"


def _transcript_versions(share: Share) -> str:
    return (
        f"WITH {share.calls()} SELECT {_identity(share, 'CHILD.ETL_MODIFIED_DATETIME')} FROM SELECTED "
        f"INNER JOIN {share.location.table('CALL_TRANSCRIPTS')} AS CHILD "
        "ON SELECTED.CONVERSATION_KEY = CHILD.CONVERSATION_KEY"
    )


def _user_identity(share: Share) -> str:
    return (
        "USERS.USER_ID::VARCHAR AS KEY, NULL::DATE AS DAY, USERS.ETL_MODIFIED_DATETIME AS EXTRACTED_AT, "
        f"COALESCE({share.column('USERS', 'IS_DELETED', 'USERS')}, FALSE) AS IS_DELETED, "
        "FALSE AS IS_PRIVATE, NULL::VARCHAR AS WORKSPACE_ID"
    )


def _users_scan(share: Share) -> str:
    """Return the newest version of each user: the table has the history."""
    order = share.location.any_column("USERS", "VALID_FROM_DATETIME", "ETL_MODIFIED_DATETIME", alias="USERS")
    return (
        f"FROM {share.location.table('USERS')} AS USERS QUALIFY ROW_NUMBER() OVER "
        f"(PARTITION BY USERS.USER_ID ORDER BY {order} DESC) = 1"
    )


def _users(share: Share) -> str:
    user = {
        "id": "USERS.USER_ID::VARCHAR",
        **{
            name: share.column("USERS", column, "USERS")
            for name, column in {
                "emailAddress": "EMAIL_ADDRESS", "firstName": "FIRST_NAME", "lastName": "LAST_NAME",
                "title": "TITLE", "phoneNumber": "PHONE_NUMBER", "managerId": "MANAGER_ID",
            }.items()
        },
        "active": share.location.any_column("USERS", "IS_ACTIVE", "ACTIVE", alias="USERS"),
        "created": iso_time(
            share.location.any_column("USERS", "CREATED_DATETIME", "CREATED", alias="USERS")
        ),
    }  # fmt: skip
    return (
        f"SELECT {_user_identity(share)}, {json_object(user)} AS PAYLOAD, NULL::VARCHAR AS PROCESSING_ERROR "
        f"{_users_scan(share)}"
    )


def _user_versions(share: Share) -> str:
    return f"SELECT {_user_identity(share)} {_users_scan(share)}"


_ROWS: Mapping[str, Callable[[Share], str]] = {
    CALLS.name: _calls,
    TRANSCRIPTS.name: _transcripts,
    "GONG_USERS_RAW": _users,
}
_VERSIONS: Mapping[str, Callable[[Share], str]] = {
    CALLS.name: _call_versions,
    TRANSCRIPTS.name: _transcript_versions,
    "GONG_USERS_RAW": _user_versions,
}
