"""The tables of Gong's share, from the records of Gong's API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.warehouse.sources.tables import write_table
from gong_assets_tests.warehouse.sources.tenant import Tenant

Json = dict[str, Any]
Rows = dict[str, list[Json]]

_TYPES = {
    "b": "BOOLEAN",
    "i": "NUMBER(38,0)",
    "f": "FLOAT",
    "s": "VARCHAR",
    "t": "TIMESTAMP_TZ",
    "j": "VARIANT",
}
COLUMNS: Mapping[str, Mapping[str, str]] = {
    "CONVERSATIONS": {"s": "CONVERSATION_KEY CONVERSATION_ID CONVERSATION_TYPE"},
    "CALLS": {
        "s": "CONVERSATION_KEY TITLE CALL_URL DIRECTION SCOPE OWNER_ID SOURCE_SYSTEM STATUS WORKSPACE_ID "
        "DISPOSITION CALL_SPOTLIGHT_BRIEF CALL_SPOTLIGHT_OUTCOME",
        "j": "CALL_SPOTLIGHT_KEY_POINTS", "b": "IS_PRIVATE",
        "t": "EFFECTIVE_START_DATETIME PLANNED_START_DATETIME",
        "i": "QUESTION_COMPANY_COUNT QUESTION_NON_COMPANY_COUNT",
    },
    "CALL_RECORDINGS": {"s": "CONVERSATION_KEY LANGUAGE MEDIA_TYPE", "f": "DURATION"},
    "CALL_TRANSCRIPTS": {"s": "CONVERSATION_KEY WORKSPACE_ID", "j": "TRANSCRIPT"},
    "CONVERSATION_PARTICIPANTS": {
        "s": "CONVERSATION_KEY EMAIL_ADDRESS USER_ID AFFILIATION NAME", "i": "SPEAKER_ID"
    },
    "INTERACTION_STATS": {
        "s": "CONVERSATION_KEY CALL_ID CALL_OWNER USER_ID",
        "f": "TALK_RATIO INTERACTIVITY PATIENCE LONGEST_MONOLOGUE LONGEST_CUSTOMER_STORY",
    },
    "CONVERSATION_CONTEXTS": {"s": "CONVERSATION_KEY OBJECT_TYPE OBJECT_ID CRM_SYSTEM"},
    "CONVERSATION_TRACKERS": {"s": "CONVERSATION_KEY TRACKER_ID", "i": "COUNT"},
    "TRACKERS": {"s": "TRACKER_ID TRACKER_NAME"},
    "USERS": {
        "s": "USER_ID EMAIL_ADDRESS FIRST_NAME LAST_NAME TITLE PHONE_NUMBER MANAGER_ID", "b": "ACTIVE",
        "t": "CREATED VALID_FROM_DATETIME",
    },
}  # fmt: skip
_AFFILIATIONS = {"Internal": "company", "External": "non_company"}


def data_cloud_rows(tenant: Tenant) -> Rows:
    """Return the rows of all tables, by table."""
    rows: Rows = {name: [] for name in COLUMNS}
    trackers: dict[str, str] = {}
    for call in tenant.calls:
        _add_call(rows, call, trackers)
    rows["TRACKERS"] = [{"TRACKER_ID": key, "TRACKER_NAME": name} for key, name in trackers.items()]
    rows["CALL_TRANSCRIPTS"] = [
        {"CONVERSATION_KEY": f"k{each['callId']}", "TRANSCRIPT": each["transcript"]}
        for each in tenant.transcripts
    ]
    rows["USERS"] = [
        {
            "USER_ID": user["id"], "EMAIL_ADDRESS": user["emailAddress"], "FIRST_NAME": user["firstName"],
            "LAST_NAME": user["lastName"], "TITLE": user["title"], "PHONE_NUMBER": user.get("phoneNumber"),
            "MANAGER_ID": user.get("managerId"), "ACTIVE": user["active"], "CREATED": user["created"],
            "VALID_FROM_DATETIME": user["created"],
        }
        for user in tenant.users
    ]  # fmt: skip
    return rows


def _add_call(rows: Rows, call: Json, trackers: dict[str, str]) -> None:
    meta, content = call["metaData"], call.get("content") or {}
    interaction = call.get("interaction") or {}
    questions = interaction.get("questions") or {}
    key = {"CONVERSATION_KEY": f"k{meta['id']}"}
    rows["CONVERSATIONS"].append({**key, "CONVERSATION_ID": meta["id"], "CONVERSATION_TYPE": "call"})
    # E-mails have ids of their own, which can be those of calls.
    rows["CONVERSATIONS"].append(
        {"CONVERSATION_KEY": f"mail{meta['id']}", "CONVERSATION_ID": meta["id"], "CONVERSATION_TYPE": "email"}
    )
    rows["CALLS"].append(
        {
            **key, "TITLE": meta["title"], "CALL_URL": meta["url"], "DIRECTION": meta["direction"],
            "SCOPE": meta["scope"], "OWNER_ID": meta["primaryUserId"], "SOURCE_SYSTEM": meta["system"],
            "STATUS": "COMPLETED", "WORKSPACE_ID": meta["workspaceId"], "IS_PRIVATE": meta["isPrivate"],
            "DISPOSITION": meta["sdrDisposition"], "CALL_SPOTLIGHT_BRIEF": content.get("brief"),
            "CALL_SPOTLIGHT_OUTCOME": (content.get("callOutcome") or {}).get("name"),
            "CALL_SPOTLIGHT_KEY_POINTS": content.get("keyPoints"),
            "EFFECTIVE_START_DATETIME": meta["started"], "PLANNED_START_DATETIME": meta["scheduled"],
            "QUESTION_COMPANY_COUNT": questions.get("companyCount"),
            "QUESTION_NON_COMPANY_COUNT": questions.get("nonCompanyCount"),
        }
    )  # fmt: skip
    rows["CALL_RECORDINGS"].append(
        {**key, "DURATION": meta["duration"], "LANGUAGE": meta["language"], "MEDIA_TYPE": meta["media"]}
    )
    for party in call.get("parties") or []:
        rows["CONVERSATION_PARTICIPANTS"].append(
            {
                **key, "EMAIL_ADDRESS": party["emailAddress"], "USER_ID": party.get("userId"),
                "AFFILIATION": _AFFILIATIONS[party["affiliation"]], "NAME": party["name"],
                "SPEAKER_ID": party.get("speakerId"),
            }
        )  # fmt: skip
    if stats := {each["name"]: each["value"] for each in interaction.get("interactionStats") or []}:
        values = {name.upper().replace(" ", "_"): value for name, value in stats.items()}
        owner = {"CALL_ID": meta["id"], "CALL_OWNER": meta["primaryUserId"], "USER_ID": meta["primaryUserId"]}
        rows["INTERACTION_STATS"] += [{**key, **owner, **values}, {**key, **owner, "USER_ID": "0"}]
    for system in call.get("context") or []:
        rows["CONVERSATION_CONTEXTS"] += [
            {
                **key, "OBJECT_TYPE": each["objectType"].lower(), "OBJECT_ID": each["objectId"],
                "CRM_SYSTEM": system["system"],
            }
            for each in system["objects"]
        ]  # fmt: skip
    for tracker in content.get("trackers") or []:
        trackers[tracker["id"]] = tracker["name"]
        rows["CONVERSATION_TRACKERS"].append({**key, "TRACKER_ID": tracker["id"], "COUNT": tracker["count"]})


def write_tenant(warehouse: Warehouse, schema: str, rows: Rows, at: datetime) -> None:
    """Write all tables as modified at this time."""
    for name, by_type in COLUMNS.items():
        columns = {"ROW_ID": "NUMBER(38,0)"}
        columns |= {column: _TYPES[kind] for kind, names in by_type.items() for column in names.split()}
        columns |= {"ETL_MODIFIED_DATETIME": "TIMESTAMP_TZ", "IS_DELETED": "BOOLEAN"}
        write_table(
            warehouse,
            schema,
            name,
            columns,
            [
                {"ROW_ID": number, "ETL_MODIFIED_DATETIME": at.isoformat(), "IS_DELETED": False, **row}
                for number, row in enumerate(rows[name])
            ],
        )
