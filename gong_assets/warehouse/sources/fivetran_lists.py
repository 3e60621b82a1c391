"""Fivetran's tables of users, scorecards and reviews, as records of Gong's API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gong_assets.dates import DateRange
from gong_assets.warehouse.sources.fivetran_schema import FivetranSchema
from gong_assets.warehouse.sources.source import is_in_ranges, json_object, utc_day

Fields = Callable[[FivetranSchema], Mapping[str, str]]

_USER = {
    "id": "ID", "emailAddress": "EMAIL_ADDRESS", "active": "ACTIVE", "firstName": "FIRST_NAME",
    "lastName": "LAST_NAME", "title": "TITLE", "phoneNumber": "PHONE_NUMBER", "extension": "EXTENSION",
    "managerId": "MANAGER_ID", "meetingConsentPageUrl": "MEETING_CONSENT_PAGE_URL",
}  # fmt: skip
_USER_SETTINGS = {
    "webConferencesRecorded": "WEB_CONFERENCES_RECORDED",
    "preventWebConferenceRecording": "PREVENT_WEB_CONFERENCE_RECORDING",
    "telephonyCallsImported": "TELEPHONY_CALLS_IMPORTED",
    "emailsImported": "EMAILS_IMPORTED",
    "preventEmailImport": "PREVENT_EMAIL_IMPORT",
    "nonRecordedMeetingsImported": "NON_RECORDED_MEETINGS_IMPORTED",
    "gongConnectEnabled": "GONG_CONNECT_ENABLED",
}
_SCORECARD = {
    "workspaceId": "WORKSPACE_ID", "enabled": "ENABLED", "updaterUserId": "UPDATER_USER_ID",
    "reviewMethod": "REVIEW_METHOD",
}  # fmt: skip
_QUESTION = {
    "questionId": "QUESTION_ID", "questionRevisionId": "QUESTION_REVISION_ID", "isOverall": "IS_OVERALL",
    "questionText": "QUESTION_TEXT", "questionType": "QUESTION_TYPE", "answerGuide": "ANSWER_GUIDE",
    "minRange": "MIN_RANGE", "maxRange": "MAX_RANGE", "answerOptions": "ANSWER_OPTIONS",
    "updaterUserId": "UPDATER_USER_ID",
}  # fmt: skip
_ANSWERED = {
    "scorecardId": "SCORECARD_ID", "scorecardName": "SCORECARD_NAME", "callId": "CALL_ID",
    "reviewedUserId": "REVIEWED_USER_ID", "reviewerUserId": "REVIEWER_USER_ID",
    "reviewMethod": "REVIEW_METHOD", "editorUserId": "EDITOR_USER_ID", "visibilityType": "VISIBILITY_TYPE",
}  # fmt: skip
_ANSWER = {
    "questionId": "QUESTION_ID", "questionRevisionId": "QUESTION_REVISION_ID", "isOverall": "IS_OVERALL",
    "score": "SCORE", "answerText": "ANSWER_TEXT", "notApplicable": "NOT_APPLICABLE",
    "selectedOptions": "SELECTED_OPTIONS",
}  # fmt: skip


@dataclass(frozen=True)
class Children:
    """A child table whose rows are a list in the record."""

    field: str
    table: str
    parent_key: str
    order: str
    fields: Fields


@dataclass(frozen=True)
class FivetranList:
    """A table with one row for each record.

    Attributes:
        time: field and column of the time that gives the record's day; None for a table without days.
    """

    table: str
    fields: Fields
    time: tuple[str, str] | None = None
    children: Children | None = None

    def rows(self, schema: FivetranSchema, ranges: Sequence[DateRange] | None) -> str:
        fields = dict(self.fields(schema))
        cte, join = "", ""
        if self.children and schema.has(self.children.table):
            child = self.children
            cte = (
                f"WITH CHILDREN AS (SELECT {child.parent_key} AS PARENT, "
                f"ARRAY_AGG({json_object(child.fields(schema))}) "
                f"WITHIN GROUP (ORDER BY {child.order}) AS ITEMS "
                f"FROM {schema.table(child.table)} AS CHILD WHERE {schema.is_alive(child.table, 'CHILD')} "
                "GROUP BY 1) "
            )
            join = "LEFT JOIN CHILDREN ON PARENT.ID = CHILDREN.PARENT "
            fields[child.field] = "COALESCE(CHILDREN.ITEMS, ARRAY_CONSTRUCT())"
        return (
            f"{cte}SELECT * FROM (SELECT {self._identity(schema)}, {json_object(fields)} AS PAYLOAD, "
            f"{self._error(schema)} AS PROCESSING_ERROR FROM {schema.table(self.table)} AS PARENT {join}"
            f"WHERE {schema.is_current(self.table, 'PARENT')}) AS RECORDS "
            f"WHERE {is_in_ranges('DAY', ranges if self.time else None)}"
        )

    def versions(self, schema: FivetranSchema) -> str:
        return (
            f"SELECT {self._identity(schema)} FROM {schema.table(self.table)} AS PARENT "
            f"WHERE {schema.is_current(self.table, 'PARENT')}"
        )

    def _identity(self, schema: FivetranSchema) -> str:
        return (
            f"PARENT.ID::VARCHAR AS KEY, {self._day(schema)} AS DAY, "
            "PARENT._FIVETRAN_SYNCED AS EXTRACTED_AT, "
            f"{schema.is_deleted(self.table, 'PARENT')} AS IS_DELETED, FALSE AS IS_PRIVATE, "
            "NULL::VARCHAR AS WORKSPACE_ID"
        )

    def _day(self, schema: FivetranSchema) -> str:
        """Return the UTC date of the record, or of its sync if the record has no time."""
        if self.time is None:
            return "NULL::DATE"
        time = schema.column(self.table, self.time[1], "PARENT")
        return utc_day(f"COALESCE({time}::TIMESTAMP_TZ, PARENT._FIVETRAN_SYNCED::TIMESTAMP_TZ)")

    def _error(self, schema: FivetranSchema) -> str:
        if self.time is None:
            return "NULL::VARCHAR"
        field, column = self.time
        is_undated = f"{schema.column(self.table, column, 'PARENT')} IS NULL"
        return f"IFF({is_undated}, '{field}: missing or unreadable', NULL)"


def _columns(table: str, columns: Mapping[str, str], alias: str, *times: tuple[str, str]) -> Fields:
    def fields(schema: FivetranSchema) -> Mapping[str, str]:
        return {
            **{name: schema.column(table, column, alias) for name, column in columns.items()},
            **{name: schema.time(table, column, alias) for name, column in times},
        }

    return fields


def _user(schema: FivetranSchema) -> Mapping[str, str]:
    user = _columns("USERS", _USER, "PARENT", ("created", "CREATED"))(schema)
    return {**user, "settings": schema.columns_object("USERS", _USER_SETTINGS, "PARENT")}


def _scorecard(schema: FivetranSchema) -> Mapping[str, str]:
    return {
        "scorecardId": "PARENT.ID::VARCHAR",
        "scorecardName": schema.any_column("SCORECARD", "SCORECARD_NAME", "NAME", alias="PARENT"),
        **_columns("SCORECARD", _SCORECARD, "PARENT", ("created", "CREATED"), ("updated", "UPDATED"))(schema),
    }


_REVIEW_TIME = ("reviewTime", "REVIEW_TIME")


def _answered(schema: FivetranSchema) -> Mapping[str, str]:
    times = (("callStartTime", "CALL_START_TIME"), _REVIEW_TIME)
    return {
        "answeredScorecardId": "PARENT.ID::VARCHAR",
        **_columns("ANSWERED_SCORECARD", _ANSWERED, "PARENT", *times)(schema),
    }


FIVETRAN_LISTS: Mapping[str, FivetranList] = {
    "GONG_USERS_RAW": FivetranList("USERS", _user),
    "GONG_WORKSPACES_RAW": FivetranList(
        "WORKSPACE",
        _columns("WORKSPACE", {"id": "ID", "name": "NAME", "description": "DESCRIPTION"}, "PARENT"),
    ),
    "GONG_SCORECARDS_RAW": FivetranList(
        "SCORECARD",
        _scorecard,
        children=Children(
            "questions",
            "SCORECARD_QUESTION",
            "SCORECARD_ID",
            "CHILD.QUESTION_ID",
            _columns(
                "SCORECARD_QUESTION", _QUESTION, "CHILD", ("created", "CREATED"), ("updated", "UPDATED")
            ),
        ),
    ),
    "GONG_ANSWERED_SCORECARDS_RAW": FivetranList(
        "ANSWERED_SCORECARD",
        _answered,
        _REVIEW_TIME,
        Children(
            "answers",
            "ANSWERED_SCORECARD_ANSWER",
            "ANSWERED_SCORECARD_ID",
            "CHILD.QUESTION_ID",
            _columns("ANSWERED_SCORECARD_ANSWER", _ANSWER, "CHILD"),
        ),
    ),
}
