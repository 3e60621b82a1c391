"""Fivetran's tables, as its Gong connector normalizes the records of Gong's API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.warehouse.sources.tables import write_table
from gong_assets_tests.warehouse.sources.tenant import Tenant

Json = dict[str, Any]
Rows = dict[str, list[Json]]

_TYPES = {
    "b": "BOOLEAN", "i": "NUMBER(38,0)", "f": "FLOAT", "s": "VARCHAR", "t": "TIMESTAMP_TZ", "j": "VARIANT",
}  # fmt: skip
# Columns by type, of the tables with rows of a call and of the lists.
COLUMNS: Mapping[str, Mapping[str, str]] = {
    "CALL": {
        "s": "id workspace_id primary_user_id calendar_event_id client_unique_id custom_data direction "
        "languages media meeting_url purpose scope sdr_disposition systems title url brief call_outcome_id "
        "call_outcome_category call_outcome_name",
        "i": "company_question_count non_company_question_count duration",
        "b": "is_private", "t": "scheduled started",
    },
    "CALL_PARTICIPANT": {
        "s": "id call_id user_id affiliation email_address name phone_number speaker_id title", "j": "methods"
    },
    "CALL_PARTICIPANT_INTEGRATION": {
        "s": "name object_id call_id call_participant_id object_type systems timing", "j": "value"
    },
    "CALL_CONTEXT_INTEGRATION": {"s": "name object_id call_id object_type systems timing", "j": "value"},
    "CALL_SPEAKER": {"s": "id call_id user_id", "f": "talk_time"},
    "CALL_INTERACTION": {"s": "name call_id", "f": "value"},
    "CALL_TOPIC": {"s": "_fivetran_id call_id name", "f": "duration"},
    "CALL_STRUCTURE": {"s": "_fivetran_id call_id name", "f": "duration"},
    "CALL_VIDEO": {"s": "_fivetran_id call_id name", "f": "duration"},
    "CALL_TRACKER": {
        "s": "_fivetran_id call_id id name phrase speaker_id type", "f": "start_time", "i": "count"
    },
    "CALL_CONTENT_ACTION_ITEM": {
        "s": "_fivetran_id call_id snippet speaker_id", "f": "snippet_start_time snippet_end_time"
    },
    "CALL_KEY_POINT": {"s": "_fivetran_id call_id text"},
    "CALL_PUBLIC_COMMENT": {
        "s": "id call_id commenter_user_id in_reply_to comment", "f": "audio_start_time audio_end_time",
        "b": "during_call", "t": "posted",
    },
    "TRANSCRIPT": {"s": "call_id workspace_id speaker_id topic", "i": "index", "j": "sentence"},
    "USERS": {
        "s": "id manager_id email_address first_name last_name title phone_number extension "
        "meeting_consent_page_url",
        "b": "active web_conferences_recorded", "t": "created",
    },
    "WORKSPACE": {"s": "id name description"},
    "SCORECARD": {
        "s": "id scorecard_name workspace_id updater_user_id review_method", "b": "enabled",
        "t": "created updated",
    },
    "SCORECARD_QUESTION": {
        "s": "question_id scorecard_id question_revision_id question_text question_type answer_guide "
        "updater_user_id",
        "b": "is_overall", "i": "min_range max_range", "j": "answer_options", "t": "created updated",
    },
    "ANSWERED_SCORECARD": {
        "s": "id call_id scorecard_id scorecard_name reviewed_user_id reviewer_user_id review_method "
        "editor_user_id visibility_type",
        "t": "call_start_time review_time",
    },
    "ANSWERED_SCORECARD_ANSWER": {
        "s": "answered_scorecard_id question_id question_revision_id answer_text",
        "b": "is_overall not_applicable", "i": "score", "j": "selected_options",
    },
}  # fmt: skip


def snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def fivetran_rows(tenant: Tenant) -> Rows:
    """Return the rows of all tables, by table, with the connector's column names."""
    rows: Rows = {name: [] for name in COLUMNS}
    for call in tenant.calls:
        _add_call(rows, call)
    workspaces = {call["metaData"]["id"]: call["metaData"]["workspaceId"] for call in tenant.calls}
    for each in tenant.transcripts:
        for index, turn in enumerate(each["transcript"]):
            rows["TRANSCRIPT"].append(
                {
                    "call_id": each["callId"], "workspace_id": workspaces[each["callId"]], "index": index,
                    "speaker_id": turn["speakerId"], "topic": turn["topic"], "sentence": turn["sentences"],
                }
            )  # fmt: skip
    for user in tenant.users:
        rows["USERS"].append({**_snaked(user), **_snaked(user.get("settings") or {})})
    rows["WORKSPACE"] = [_snaked(workspace) for workspace in tenant.workspaces]
    for card in tenant.scorecards:
        rows["SCORECARD"].append({**_snaked(card), "id": card["scorecardId"]})
        rows["SCORECARD_QUESTION"] += [
            {**_snaked(question), "scorecard_id": card["scorecardId"]} for question in card["questions"]
        ]
    for review in tenant.answered:
        rows["ANSWERED_SCORECARD"].append({**_snaked(review), "id": review["answeredScorecardId"]})
        rows["ANSWERED_SCORECARD_ANSWER"] += [
            {**_snaked(answer), "answered_scorecard_id": review["answeredScorecardId"]}
            for answer in review["answers"]
        ]
    return rows


def _snaked(record: Json) -> Json:
    return {snake(name): value for name, value in record.items()}


def _add_call(rows: Rows, call: Json) -> None:
    meta, content = call["metaData"], call.get("content") or {}
    interaction = call.get("interaction") or {}
    questions, outcome = interaction.get("questions") or {}, content.get("callOutcome") or {}
    call_id = meta["id"]
    rows["CALL"].append(
        {
            **_snaked(meta),
            "systems": meta["system"], "languages": meta["language"], "brief": content.get("brief"),
            "company_question_count": questions.get("companyCount"),
            "non_company_question_count": questions.get("nonCompanyCount"),
            **{f"call_outcome_{name}": outcome.get(name) for name in ("id", "category", "name")},
        }
    )  # fmt: skip
    for party in call.get("parties") or []:
        rows["CALL_PARTICIPANT"].append({**_snaked(party), "call_id": call_id})
        for row in _crm_rows(party.get("context") or []):
            row |= {"call_id": call_id, "call_participant_id": party["id"]}
            rows["CALL_PARTICIPANT_INTEGRATION"].append(row)
    rows["CALL_CONTEXT_INTEGRATION"] += [
        {**row, "call_id": call_id} for row in _crm_rows(call.get("context") or [])
    ]
    lists = {
        "CALL_SPEAKER": interaction.get("speakers"), "CALL_INTERACTION": interaction.get("interactionStats"),
        "CALL_VIDEO": interaction.get("video"), "CALL_TOPIC": content.get("topics"),
        "CALL_STRUCTURE": content.get("structure"), "CALL_KEY_POINT": content.get("keyPoints"),
        "CALL_CONTENT_ACTION_ITEM": (content.get("pointsOfInterest") or {}).get("actionItems"),
        "CALL_PUBLIC_COMMENT": (call.get("collaboration") or {}).get("publicComments"),
    }  # fmt: skip
    for table, items in lists.items():
        rows[table] += [
            {"_fivetran_id": f"{call_id}-{number:03}", **_snaked(item), "call_id": call_id}
            for number, item in enumerate(items or [])
        ]
    for tracker in content.get("trackers") or []:
        for number, row in enumerate(_tracker_rows(tracker)):
            row |= {
                "_fivetran_id": f"{call_id}-{tracker['id']}-{number}", "call_id": call_id,
                **{name: tracker.get(name) for name in ("id", "name", "type", "count")},
            }  # fmt: skip
            rows["CALL_TRACKER"].append(row)


def _crm_rows(context: list[Json]) -> Iterator[Json]:
    """Yield a row per CRM field. The key lacks the timing, so that one timing of an object remains."""
    kept: dict[tuple[str, str], Json] = {}
    for system in context:
        for each in system["objects"]:
            for field in each["fields"]:
                kept.setdefault(
                    (field["name"], each["objectId"]),
                    {
                        **field, "object_id": each["objectId"], "object_type": each["objectType"],
                        "systems": system["system"], "timing": each.get("timing"),
                    },
                )  # fmt: skip
    yield from kept.values()


def _tracker_rows(tracker: Json) -> Iterator[Json]:
    by_phrase = [
        {"phrase": phrase["phrase"], **_snaked(said)}
        for phrase in tracker.get("phrases") or []
        for said in phrase.get("occurrences") or []
    ]
    plain = [{"phrase": None, **_snaked(said)} for said in tracker.get("occurrences") or []]
    yield from by_phrase or plain or [{"phrase": None}]


def write_tenant(
    warehouse: Warehouse,
    schema: str,
    rows: Rows,
    at: datetime,
    *,
    history: bool = False,
    deleted_calls: frozenset[str] = frozenset(),
) -> None:
    """Write all tables as one sync. With `history`, rows have the columns of history mode."""
    for name, by_type in COLUMNS.items():
        columns = {
            column.upper(): _TYPES[kind] for kind, names in by_type.items() for column in names.split()
        }
        columns |= {"_FIVETRAN_SYNCED": "TIMESTAMP_TZ", "_FIVETRAN_DELETED": "BOOLEAN"}
        if history:
            columns |= {"_FIVETRAN_ACTIVE": "BOOLEAN"}
        write_table(
            warehouse,
            schema,
            name,
            columns,
            [
                {
                    "_FIVETRAN_SYNCED": at.isoformat(), "_FIVETRAN_ACTIVE": True,
                    "_FIVETRAN_DELETED": row.get("id") in deleted_calls and name == "CALL",
                    **{column.upper(): _scalar(value) for column, value in row.items()},
                }
                for row in rows[name]
            ],
        )  # fmt: skip


def _scalar(value: Any) -> Any:
    return json.loads(json.dumps(value))
