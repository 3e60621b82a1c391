"""The blocks of a call from Fivetran's child tables, each aggregated by call."""

from __future__ import annotations

from collections.abc import Mapping

from gong_assets.warehouse.sources.fivetran_schema import FivetranSchema
from gong_assets.warehouse.sources.source import json_block, json_object

_META_DATA = {
    "url": "URL", "title": "TITLE", "duration": "DURATION", "primaryUserId": "PRIMARY_USER_ID",
    "direction": "DIRECTION", "scope": "SCOPE", "media": "MEDIA", "workspaceId": "WORKSPACE_ID",
    "sdrDisposition": "SDR_DISPOSITION", "clientUniqueId": "CLIENT_UNIQUE_ID", "customData": "CUSTOM_DATA",
    "purpose": "PURPOSE", "meetingUrl": "MEETING_URL", "isPrivate": "IS_PRIVATE",
    "calendarEventId": "CALENDAR_EVENT_ID",
}  # fmt: skip
_PARTY = {
    "id": "ID", "emailAddress": "EMAIL_ADDRESS", "name": "NAME", "title": "TITLE", "userId": "USER_ID",
    "speakerId": "SPEAKER_ID", "affiliation": "AFFILIATION", "phoneNumber": "PHONE_NUMBER",
}  # fmt: skip
_COMMENT = {
    "id": "ID", "commenterUserId": "COMMENTER_USER_ID", "inReplyTo": "IN_REPLY_TO", "comment": "COMMENT",
    "audioStartTime": "AUDIO_START_TIME", "audioEndTime": "AUDIO_END_TIME", "duringCall": "DURING_CALL",
}  # fmt: skip
_ACTION_ITEM = {
    "snippet": "SNIPPET", "snippetStartTime": "SNIPPET_START_TIME", "snippetEndTime": "SNIPPET_END_TIME",
    "speakerID": "SPEAKER_ID",
}  # fmt: skip
_KEY_POINTS = ("CALL_KEY_POINT", "CALL_KEY_POINTS", "CALL_KEYPOINT")

# One row per element of a list: the table, its fields by the names of the API, and their order.
_LISTS: Mapping[str, tuple[str, Mapping[str, str], str]] = {
    "SPEAKERS": ("CALL_SPEAKER", {"id": "ID", "userId": "USER_ID", "talkTime": "TALK_TIME"}, "ID"),
    "STATS": ("CALL_INTERACTION", {"name": "NAME", "value": "VALUE"}, "NAME"),
    "VIDEO": ("CALL_VIDEO", {"name": "NAME", "duration": "DURATION"}, "NAME"),
    "TOPICS": ("CALL_TOPIC", {"name": "NAME", "duration": "DURATION"}, "_FIVETRAN_ID"),
    "STRUCTURE": ("CALL_STRUCTURE", {"name": "NAME", "duration": "DURATION"}, "_FIVETRAN_ID"),
    "ACTION_ITEMS": ("CALL_CONTENT_ACTION_ITEM", _ACTION_ITEM, "SNIPPET_START_TIME"),
}


def child_tables() -> tuple[str, ...]:
    """Return the tables with rows of a call."""
    return (
        *(table for table, _, _ in _LISTS.values()),
        *("CALL_PARTICIPANT", "CALL_PARTICIPANT_INTEGRATION", "CALL_CONTEXT_INTEGRATION", "CALL_TRACKER"),
        "CALL_PUBLIC_COMMENT",
    )


def call_payload(schema: FivetranSchema) -> tuple[Mapping[str, str], str, str]:
    """Return the common table expressions by name, the payload, and the time of the newest sync.

    Each expression has CALL_ID, ITEMS and SYNCED_AT. The first ones may be read by later ones.
    """
    children: dict[str, str] = {}
    for name, (table, fields, order) in _LISTS.items():
        if schema.has(table):
            item = schema.columns_object(table, fields, "CHILD")
            children[name] = _aggregate(schema, name, table, item, order, *fields.values())
    if schema.has("CALL_PUBLIC_COMMENT"):
        children["COMMENTS"] = _comments(schema)
    if points := schema.location.first(*_KEY_POINTS):
        text = schema.any_column(points, "TEXT", "KEY_POINT", "VALUE")
        item = json_object({"text": schema.column(points, text, "CHILD")})
        order = schema.any_column(points, "INDEX", "_FIVETRAN_ID", "ID")
        children["KEY_POINTS"] = _aggregate(schema, "KEY_POINTS", points, item, order, text)
    if schema.has("CALL_TRACKER"):
        children["TRACKERS"] = _trackers(schema)
    if schema.has("CALL_CONTEXT_INTEGRATION"):
        children["CONTEXTS"] = _contexts(schema, "CONTEXTS", "CALL_CONTEXT_INTEGRATION", ["CALL_ID"])
    if schema.has("CALL_PARTICIPANT"):
        children["PARTIES"] = _parties(schema)
    synced = ", ".join(["CALLS._FIVETRAN_SYNCED", *(f"{name}.SYNCED_AT" for name in children)])
    newest = f"GREATEST_IGNORE_NULLS({synced})" if children else synced
    return children, _payload(schema, children), newest


def _payload(schema: FivetranSchema, children: Mapping[str, str]) -> str:
    """Return a call as an object: blocks without any value are left out, as in the API."""

    def items(name: str) -> str:
        return f"{name}.ITEMS" if name in children else "NULL"

    content = {
        "structure": items("STRUCTURE"),
        "topics": items("TOPICS"),
        "trackers": items("TRACKERS"),
        "brief": schema.column("CALL", "BRIEF", "CALLS"),
        "callOutcome": _outcome(schema),
        "keyPoints": items("KEY_POINTS"),
        "pointsOfInterest": json_block({"actionItems": items("ACTION_ITEMS")}),
    }
    company = schema.column("CALL", "COMPANY_QUESTION_COUNT", "CALLS")
    others = schema.column("CALL", "NON_COMPANY_QUESTION_COUNT", "CALLS")
    questions = json_block({"companyCount": company, "nonCompanyCount": others})
    interaction = {
        "speakers": items("SPEAKERS"),
        "interactionStats": items("STATS"),
        "video": items("VIDEO"),
        "questions": questions,
    }
    blocks = {
        "metaData": _meta_data(schema),
        "context": items("CONTEXTS"),
        "parties": items("PARTIES"),
        "content": json_block(content),
        "interaction": json_block(interaction),
        "collaboration": json_block({"publicComments": items("COMMENTS")}),
    }
    return json_object(blocks, keep_null=False)


def _meta_data(schema: FivetranSchema) -> str:
    return json_object(
        {
            "id": "CALLS.ID::VARCHAR",
            **{name: schema.column("CALL", column, "CALLS") for name, column in _META_DATA.items()},
            "scheduled": schema.time("CALL", "SCHEDULED", "CALLS"),
            "started": schema.time("CALL", "STARTED", "CALLS"),
            "system": schema.any_column("CALL", "SYSTEMS", "SYSTEM", alias="CALLS"),
            "language": schema.any_column("CALL", "LANGUAGES", "LANGUAGE", alias="CALLS"),
        }
    )


def _outcome(schema: FivetranSchema) -> str:
    if "CALL_OUTCOME_NAME" not in schema.location.columns["CALL"]:
        return "NULL"
    outcome = schema.columns_object(
        "CALL",
        {"id": "CALL_OUTCOME_ID", "category": "CALL_OUTCOME_CATEGORY", "name": "CALL_OUTCOME_NAME"},
        "CALLS",
    )
    return f"IFF(CALLS.CALL_OUTCOME_NAME IS NULL, NULL, {outcome})"


def _of_calls(schema: FivetranSchema, table: str) -> str:
    """Return the rows of the selected calls that are not deleted."""
    return (
        f"FROM {schema.table(table)} AS CHILD WHERE {schema.is_alive(table, 'CHILD')} "
        "AND CHILD.CALL_ID IN (SELECT ID FROM CALLS)"
    )


def _aggregate(schema: FivetranSchema, name: str, table: str, item: str, *order: str) -> str:
    """Return the list of each call. Items are in the order of these columns, those that the table has.

    All columns of an item belong to the order: equal rows in any order would change the payload's hash.
    """
    columns = [f"CHILD.{each}" for each in dict.fromkeys(order) if schema.column(table, each) != "NULL"]
    by_order = f" WITHIN GROUP (ORDER BY {', '.join(columns)})" if columns else ""
    return (
        f"{name} AS (SELECT CHILD.CALL_ID, ARRAY_AGG({item}){by_order} AS ITEMS, "
        f"MAX(CHILD._FIVETRAN_SYNCED) AS SYNCED_AT {_of_calls(schema, table)} GROUP BY CHILD.CALL_ID)"
    )


def _comments(schema: FivetranSchema) -> str:
    table = "CALL_PUBLIC_COMMENT"
    item = json_object(
        {
            **{name: schema.column(table, column, "CHILD") for name, column in _COMMENT.items()},
            "posted": schema.time(table, "POSTED", "CHILD"),
        }
    )
    return _aggregate(schema, "COMMENTS", table, item, "ID")


def _trackers(schema: FivetranSchema) -> str:
    """Return the trackers of each call. The table has a row for each phrase and occurrence."""
    count = schema.column("CALL_TRACKER", "COUNT", "CHILD")
    said = json_object({"startTime": "CHILD.START_TIME", "speakerId": "CHILD.SPEAKER_ID"})
    mention = f"IFF(CHILD.START_TIME IS NULL, NULL, {said})"
    return (
        "PHRASES AS (SELECT CHILD.CALL_ID, CHILD.ID, CHILD.NAME, CHILD.TYPE, CHILD.PHRASE, "
        f"MAX({count}) AS TOTAL, COUNT(CHILD.START_TIME) AS MENTIONS, ARRAY_AGG({mention}) WITHIN GROUP "
        "(ORDER BY CHILD.START_TIME, CHILD.SPEAKER_ID) AS OCCURRENCES, "
        "MAX(CHILD._FIVETRAN_SYNCED) AS SYNCED_AT "
        f"{_of_calls(schema, 'CALL_TRACKER')} GROUP BY 1, 2, 3, 4, 5), "
        "TRACKER_TOTALS AS (SELECT CALL_ID, ID, NAME, TYPE, "
        "COALESCE(MAX(TOTAL), SUM(MENTIONS))::NUMBER(38, 0) AS TOTAL, "
        "ARRAY_AGG(IFF(PHRASE IS NULL, NULL, OBJECT_CONSTRUCT('phrase', PHRASE, 'count', MENTIONS, "
        "'occurrences', OCCURRENCES))) WITHIN GROUP (ORDER BY PHRASE) AS PHRASES, "
        "MAX(SYNCED_AT) AS SYNCED_AT FROM PHRASES GROUP BY 1, 2, 3, 4), "
        "TRACKERS AS (SELECT TRACKER_TOTALS.CALL_ID, ARRAY_AGG(OBJECT_CONSTRUCT_KEEP_NULL("
        "'id', TRACKER_TOTALS.ID, 'name', TRACKER_TOTALS.NAME, 'count', TRACKER_TOTALS.TOTAL, "
        "'type', TRACKER_TOTALS.TYPE, 'occurrences', UNPHRASED.OCCURRENCES, "
        "'phrases', TRACKER_TOTALS.PHRASES)) WITHIN GROUP "
        "(ORDER BY TRACKER_TOTALS.NAME, TRACKER_TOTALS.ID, TRACKER_TOTALS.TYPE) AS ITEMS, "
        "MAX(TRACKER_TOTALS.SYNCED_AT) AS SYNCED_AT FROM TRACKER_TOTALS LEFT JOIN PHRASES AS UNPHRASED "
        "ON TRACKER_TOTALS.CALL_ID = UNPHRASED.CALL_ID AND TRACKER_TOTALS.ID = UNPHRASED.ID "
        "AND UNPHRASED.PHRASE IS NULL GROUP BY TRACKER_TOTALS.CALL_ID)"
    )


def _contexts(schema: FivetranSchema, name: str, table: str, owner: list[str]) -> str:
    """Return the CRM contexts of each owner. The table has a row for each field of an object."""
    keys = ", ".join(f"CHILD.{key}" for key in owner)
    plain = ", ".join(owner)
    value = schema.column(table, "VALUE", "CHILD")
    pair = json_object({"name": "CHILD.NAME", "value": value})
    order = "CHILD.NAME" if value == "NULL" else f"CHILD.NAME, {value}::VARCHAR"
    return (
        f"{name}_OBJECTS AS (SELECT {keys}, CHILD.SYSTEMS, CHILD.OBJECT_TYPE, CHILD.OBJECT_ID, CHILD.TIMING, "
        f"ARRAY_AGG(IFF(CHILD.NAME IS NULL, NULL, {pair})) WITHIN GROUP (ORDER BY {order}) AS FIELDS, "
        f"MAX(CHILD._FIVETRAN_SYNCED) AS SYNCED_AT {_of_calls(schema, table)} "
        f"GROUP BY {keys}, CHILD.SYSTEMS, CHILD.OBJECT_TYPE, CHILD.OBJECT_ID, CHILD.TIMING), "
        f"{name}_SYSTEMS AS (SELECT {plain}, SYSTEMS, ARRAY_AGG(OBJECT_CONSTRUCT_KEEP_NULL("
        "'objectType', OBJECT_TYPE, 'objectId', OBJECT_ID, 'fields', FIELDS, 'timing', TIMING)) "
        "WITHIN GROUP (ORDER BY OBJECT_TYPE DESC, OBJECT_ID, TIMING) AS OBJECTS, MAX(SYNCED_AT) AS SYNCED_AT "
        f"FROM {name}_OBJECTS GROUP BY {plain}, SYSTEMS), "
        f"{name} AS (SELECT {plain}, ARRAY_AGG(OBJECT_CONSTRUCT('system', SYSTEMS, 'objects', OBJECTS)) "
        "WITHIN GROUP (ORDER BY SYSTEMS) AS ITEMS, MAX(SYNCED_AT) AS SYNCED_AT "
        f"FROM {name}_SYSTEMS GROUP BY {plain})"
    )


def _parties(schema: FivetranSchema) -> str:
    table, crm = "CALL_PARTICIPANT", "CALL_PARTICIPANT_INTEGRATION"
    fields = {name: schema.column(table, column, "CHILD") for name, column in _PARTY.items()}
    methods = schema.column(table, "METHODS", "CHILD")
    if methods != "NULL":
        fields["methods"] = f"COALESCE(TRY_PARSE_JSON({methods}::VARCHAR), {methods}::VARIANT)"
    if not schema.has(crm):
        return _aggregate(schema, "PARTIES", table, json_object(fields), "ID")
    fields["context"] = "PARTY_CONTEXTS.ITEMS"
    return (
        f"{_contexts(schema, 'PARTY_CONTEXTS', crm, ['CALL_ID', 'CALL_PARTICIPANT_ID'])}, "
        f"PARTIES AS (SELECT CHILD.CALL_ID, ARRAY_AGG({json_object(fields)}) WITHIN GROUP "
        "(ORDER BY CHILD.ID) AS ITEMS, MAX(GREATEST_IGNORE_NULLS(CHILD._FIVETRAN_SYNCED, "
        f"PARTY_CONTEXTS.SYNCED_AT)) AS SYNCED_AT FROM {schema.table(table)} AS CHILD "
        "LEFT JOIN PARTY_CONTEXTS ON CHILD.CALL_ID = PARTY_CONTEXTS.CALL_ID "
        "AND CHILD.ID = PARTY_CONTEXTS.CALL_PARTICIPANT_ID "
        f"WHERE {schema.is_alive(table, 'CHILD')} AND CHILD.CALL_ID IN (SELECT ID FROM CALLS) "
        "GROUP BY CHILD.CALL_ID)"
    )
