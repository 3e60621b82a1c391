"""Airbyte's tables, as its Snowflake destination writes the records of the Gong connector.

Columns and types are those of destination 5: each top-level field of the stream's schema in upper case.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.warehouse.sources.tables import Columns, write_table
from gong_assets_tests.warehouse.sources.tenant import Tenant

Json = dict[str, Any]

_TYPES = {
    "b": "BOOLEAN", "i": "NUMBER(38,0)", "s": "VARCHAR", "t": "TIMESTAMP_TZ", "a": "ARRAY", "o": "OBJECT",
    "v": "VARIANT",
}  # fmt: skip
_BASIC = {
    **dict.fromkeys(
        ("id", "url", "title", "primaryUserId", "direction", "system", "scope", "media", "language",
         "workspaceId", "sdrDisposition", "clientUniqueId", "customData", "purpose", "meetingUrl",
         "calendarEventId"), "s"),
    "duration": "i", "isPrivate": "b", "scheduled": "t", "started": "t",
}  # fmt: skip
SCHEMAS: Mapping[str, Mapping[str, str]] = {
    "calls": _BASIC,
    "extensiveCalls": {
        "id": "i", "startdatetime": "t", "metaData": "o", "context": "a", "parties": "a", "content": "o",
        "interaction": "o", "collaboration": "o", "media": "v",
    },
    "callTranscripts": {"callId": "s", "started": "t", "transcript": "a"},
    "users": {
        "id": "s", "active": "b", "created": "t", "emailAddress": "s", "emailAliases": "a", "extension": "s",
        "firstName": "s", "lastName": "s", "managerId": "s", "meetingConsentPageUrl": "s",
        "personalMeetingUrls": "a", "phoneNumber": "s", "settings": "o", "spokenLanguages": "a", "title": "s",
        "trustedEmailAddress": "s",
    },
    "scorecards": {
        "scorecardId": "s", "scorecardName": "s", "enabled": "b", "created": "t", "updated": "t",
        "updaterUserId": "s", "workspaceId": "s", "questions": "a",
    },
    "answeredScorecards": {
        "answeredScorecardId": "s", "callId": "s", "callStartTime": "t", "reviewTime": "t",
        "reviewedUserId": "s", "reviewerUserId": "s", "scorecardId": "s", "scorecardName": "s",
        "visibilityType": "s", "answers": "a",
    },
}  # fmt: skip


def connector_records(tenant: Tenant) -> dict[str, list[Json]]:
    """Return what the connector emits for the tenant, by stream, complete and without private calls."""
    calls = [call for call in tenant.calls if not call["metaData"]["isPrivate"]]
    started = {call["metaData"]["id"]: call["metaData"]["started"] for call in calls}
    return {
        "calls": [call["metaData"] for call in calls],
        "extensiveCalls": [
            {
                "id": int(call["metaData"]["id"]),
                "startdatetime": call["metaData"]["started"],
                **call,
                "media": {"audioUrl": f"https://gong.example/{uuid.uuid4()}"},
            }
            for call in calls
        ],
        "callTranscripts": [
            {**each, "started": started[each["callId"]]}
            for each in tenant.transcripts
            if each["callId"] in started
        ],
        "users": tenant.users,
        "scorecards": tenant.scorecards,
        "answeredScorecards": tenant.answered,
    }


def write_typed(
    warehouse: Warehouse,
    schema: str,
    stream: str,
    records: Sequence[Json],
    at: datetime,
    *,
    changes: Sequence[Json] = (),
) -> None:
    """Append records as the rows of one sync. `changes` are values that the destination nulled."""
    fields = SCHEMAS[stream]
    columns: Columns = {
        "_AIRBYTE_RAW_ID": "VARCHAR NOT NULL",
        "_AIRBYTE_EXTRACTED_AT": "TIMESTAMP_TZ NOT NULL",
        "_AIRBYTE_META": "VARIANT NOT NULL",
        "_AIRBYTE_GENERATION_ID": "NUMBER(38,0)",
        **{name.upper(): _TYPES[kind] for name, kind in fields.items()},
    }
    nulled = {change["field"] for change in changes}
    rows = [
        {
            "_AIRBYTE_RAW_ID": str(uuid.uuid4()),
            "_AIRBYTE_EXTRACTED_AT": at.isoformat(),
            "_AIRBYTE_META": {"sync_id": 1, "changes": list(changes)},
            "_AIRBYTE_GENERATION_ID": 0,
            **{name.upper(): None if name in nulled else record.get(name) for name in fields},
        }
        for record in records
    ]
    # A number of more than 64 bits passes through JSON as a text.
    for row in rows:
        if stream == "extensiveCalls" and row["ID"] is not None:
            row["ID"] = str(row["ID"])
    write_table(warehouse, schema, stream.upper(), columns, rows)


def write_raw(
    warehouse: Warehouse, namespace: str, stream: str, records: Sequence[Json], at: datetime
) -> None:
    """Append records to the raw table of a destination without final tables."""
    columns: Columns = {
        "_airbyte_raw_id": "VARCHAR NOT NULL",
        "_airbyte_extracted_at": "TIMESTAMP_TZ NOT NULL",
        "_airbyte_meta": "VARIANT NOT NULL",
        "_airbyte_generation_id": "NUMBER(38,0)",
        "_airbyte_loaded_at": "TIMESTAMP_TZ",
        "_airbyte_data": "VARIANT NOT NULL",
    }
    rows = [
        {
            "_airbyte_raw_id": str(uuid.uuid4()),
            "_airbyte_extracted_at": at.isoformat(),
            "_airbyte_meta": {"sync_id": 1, "changes": []},
            "_airbyte_generation_id": 0,
            "_airbyte_loaded_at": None,
            "_airbyte_data": record,
        }
        for record in records
    ]
    write_table(warehouse, "airbyte_internal", f"{namespace}_raw__stream_{stream}", columns, rows)


def write_v1(warehouse: Warehouse, schema: str, stream: str, records: Sequence[Json], at: datetime) -> None:
    """Append records to a raw table of the destination's first versions."""
    columns = {
        "_AIRBYTE_AB_ID": "VARCHAR",
        "_AIRBYTE_EMITTED_AT": "TIMESTAMP_TZ",
        "_AIRBYTE_DATA": "VARIANT",
    }
    rows = [
        {
            "_AIRBYTE_AB_ID": str(uuid.uuid4()),
            "_AIRBYTE_EMITTED_AT": at.isoformat(),
            "_AIRBYTE_DATA": json.loads(json.dumps(record)),
        }
        for record in records
    ]
    write_table(warehouse, schema, f"_AIRBYTE_RAW_{stream.upper()}", columns, rows)


def write_tenant(warehouse: Warehouse, schema: str, tenant: Tenant, at: datetime) -> None:
    """Write all streams of one full sync as typed tables."""
    for stream, records in connector_records(tenant).items():
        write_typed(warehouse, schema, stream, records, at)
