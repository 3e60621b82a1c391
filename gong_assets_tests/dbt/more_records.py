"""Gong records of settings, scorecards, the library and activity; see `records.py`."""

from __future__ import annotations

from datetime import date
from typing import Any

from gong_assets.ingestion.streams import SNAPSHOT_STREAMS
from gong_assets.local.gong_tenant.company import Company
from gong_assets.local.gong_tenant.reference_data import LIST_ENDPOINTS
from gong_assets_tests.dbt.records import (
    FULL,
    LONG_ID,
    MONDAY,
    NEAR_MIDNIGHT,
    STRANGE,
    TUESDAY,
    WEDNESDAY,
    Record,
)

ENGLISH_TRACKER, ODD_TRACKER, NULL_TRACKER = "7686842637000665959", "7002", "7003"
SCORECARD, AI_SCORECARD, NULL_SCORECARD, DELETED_SCORECARD = "6432", "6433", "6434", "6435"
REVIEW, AI_REVIEW, UNANSWERED_REVIEW, NULL_REVIEW = "9101", "9102", "9103", "9104"
FOLDER = "3843152912968920037"
BROKEN = "broken"  # the id of records that do not validate


def workspaces() -> list[Record]:
    return [
        {"id": "623457276584334", "name": "Initial workspace", "description": "Everybody",
            "newIn2027": {"a": [1]}},
        {"id": "623457276584335", "name": " ", "description": None},
    ]  # fmt: skip


def trackers() -> list[Record]:
    return [
        {
            "trackerId": ENGLISH_TRACKER, "trackerName": "Competitors", "workspaceId": "623457276584334",
            "languageKeywords": [
                {"language": "eng", "keywords": ["Acme", "Initech", "Acme"], "includeRelatedForms": False},
                {"language": "fra", "keywords": ["Acme"], "includeRelatedForms": True, "newIn2027": 1},
            ],
            "affiliation": "NonCompany", "partOfQuestion": False, "saidAt": "First", "saidAtInterval": 10,
            "saidAtUnit": "Minutes", "saidInTopics": ["Pricing", "Legal"], "saidInCallParts": [],
            "filterQuery": '{"type":"And","filters":[]}', "created": "2023-02-06T09:30:07-08:00",
            "creatorUserId": None,
            "updated": "2026-11-01T00:30:07.816562+02:00", "updaterUserId": "502",
        },
        # Numbers and booleans as texts, a repeated language, one without keywords, and keywords without one.
        {
            "trackerId": ODD_TRACKER, "trackerName": "Odd", "partOfQuestion": "true", "saidAtInterval": "25",
            "languageKeywords": [
                {"language": "spa", "keywords": []},
                {"language": "eng", "keywords": ["it's 100% fine", "", None], "includeRelatedForms": "true"},
                {"language": "eng", "keywords": ["It's 100% fine", "it's 100% fine"]},
                {"language": None, "keywords": ["für"]},
            ],
            "saidInTopics": [], "filterQuery": None,
        },
        {
            "trackerId": NULL_TRACKER,
            **dict.fromkeys((
                "trackerName", "workspaceId", "languageKeywords", "affiliation", "partOfQuestion", "saidAt",
                "saidAtInterval", "saidAtUnit", "saidInTopics", "filterQuery", "created", "creatorUserId",
                "updated",
                "updaterUserId",
            )),
        },
    ]  # fmt: skip


def question(question_id: Any, text: str | None, **fields: Any) -> Record:
    revision = f"{question_id}1"
    return {"questionId": question_id, "questionRevisionId": revision, "questionText": text, **fields}


def scorecards() -> list[Record]:
    return [
        {
            "scorecardId": SCORECARD, "scorecardName": "Discovery", "workspaceId": "623457276584334",
            "enabled": True,
            "updaterUserId": "502", "created": "2023-02-06T09:30:07-08:00", "updated": "2026-11-01T09:30:07Z",
            "reviewMethod": "MANUAL",
            "questions": [
                question(LONG_ID, "Overall, how did it go?", isOverall=True, questionType="RANGE",
                    answerGuide="5 is best",
                         minRange="1", maxRange="5", answerOptions=[], created="2023-02-06T09:30:07-08:00",
                         updated="2023-02-06T10:30:07-08:00", updaterUserId="502"),
                question("52", "Which methods?", isOverall=False, questionType="MULTI_SELECT", minRange=1,
                    maxRange=10,
                         answerOptions=[{"id": 0, "text": "MEDDIC"}, {"id": 1, "text": None},
                             {"id": 2, "text": "SPIN"}]),
                question("52", "Which methods, again?"),
            ],
        },
        # Built-in, with numeric ids, and questions without ids.
        {
            "scorecardId": AI_SCORECARD, "scorecardName": "AI", "enabled": "false", "updaterUserId": "-1",
            "reviewMethod": "AUTOMATIC", "newIn2027": [],
            "questions": [{"questionId": 61, "isOverall": "true", "minRange": None, "maxRange": "five"}, {},
                {"questionId": None}],
        },
        {
            "scorecardId": NULL_SCORECARD,
            **dict.fromkeys((
                "scorecardName", "workspaceId", "enabled", "updaterUserId", "created", "updated",
                "reviewMethod",
                "questions",
            )),
        },
    ]  # fmt: skip


def answer(question_id: Any, score: Any, **fields: Any) -> Record:
    return {"questionId": question_id, "questionRevisionId": f"{question_id}1", "score": score, **fields}


def answered_scorecards() -> list[tuple[date, Record, str | None]]:
    """Return (review date, RAW_DATA, PROCESSING_ERROR) of each review."""
    review = {
        "answeredScorecardId": REVIEW, "scorecardId": SCORECARD, "scorecardName": "Discovery", "callId": FULL,
        "callStartTime": "2026-11-02T03:00:00.123456-07:00", "reviewedUserId": "501", "reviewerUserId": "502",
        "reviewMethod": "MANUAL", "editorUserId": "503",
        # Still Monday in Los Angeles.
        "reviewTime": "2026-11-02T23:30:00-08:00", "visibilityType": "PUBLIC",
        "answers": [
            answer("52", None, isOverall=False, answerText=" Both. ", notApplicable=False,
                   selectedOptions=["2", 0, "7", None], newIn2027=1),
            answer(LONG_ID, 4, isOverall=True, answerText=None, notApplicable=False, selectedOptions=None),
            answer(LONG_ID, 1, isOverall=True),
            answer("53", None, isOverall=False, answerText="", notApplicable=True, selectedOptions=[]),
        ],
    }  # fmt: skip
    ai_review = {
        "answeredScorecardId": AI_REVIEW, "scorecardId": int(AI_SCORECARD), "callId": NEAR_MIDNIGHT,
        "callStartTime": "2026-11-02T23:30:00-08:00", "reviewedUserId": "501", "reviewerUserId": None,
        "reviewMethod": "AUTOMATIC", "editorUserId": None, "reviewTime": "2026-11-03T10:00:00Z",
        "answers": [{"questionId": 61, "isOverall": "true", "score": "37", "notApplicable": "false"},
            {"score": 2}],
    }  # fmt: skip
    return [
        (TUESDAY, review, None),
        (TUESDAY, ai_review, None),
        # From a deleted scorecard, for a call that was never ingested.
        (
            WEDNESDAY,
            {"answeredScorecardId": UNANSWERED_REVIEW, "scorecardId": DELETED_SCORECARD, "callId": "1",
                "answers": []},
            None,
        ),
        (
            WEDNESDAY,
            {
                "answeredScorecardId": NULL_REVIEW,
                **dict.fromkeys((
                    "scorecardId", "scorecardName", "callId", "callStartTime", "reviewedUserId",
                    "reviewerUserId",
                    "reviewMethod", "editorUserId", "reviewTime", "visibilityType", "answers",
                )),
            },
            None,
        ),
        (
            WEDNESDAY,
            {"answeredScorecardId": BROKEN, "answers": [answer("52", 3, isOverall=True)]},
            "reviewTime: Field required",
        ),
    ]  # fmt: skip


def calls_in_library() -> list[tuple[str, Record]]:
    """Return (LIBRARY_CALL_ID, RAW_DATA): a call with two snippets, and one with minimal data."""
    folder = {
        "id": FOLDER, "name": "Onboarding", "parentFolderId": None, "createdBy": "502",
        "updated": "2026-11-01T00:30:07+02:00", "newIn2027": True,
    }  # fmt: skip
    call = {
        "id": FULL, "title": "Pricing", "note": STRANGE, "addedBy": "501",
        "created": "2026-11-03T10:00:00-08:00",
        "url": "https://app.gong.io/call?id=1",
    }  # fmt: skip
    nulls = dict.fromkeys(("title", "note", "addedBy", "created", "url", "snippet"))
    return [
        (f"{FOLDER}/{FULL}/10-30", {"folder": folder,
            "call": {**call, "snippet": {"fromSec": 10, "toSec": 30}}}),
        (f"{FOLDER}/{FULL}/0-5", {"folder": folder,
            "call": {**call, "snippet": {"fromSec": 0, "toSec": "5"}}}),
        (f"{FOLDER}/{FULL}", {"folder": folder, "call": {**call, "snippet": None}}),
        ("8/1009", {"folder": {"id": "8", "name": None, "parentFolderId": FOLDER},
            "call": {"id": "1009", **nulls}}),
    ]  # fmt: skip


def interaction_stats() -> list[tuple[date, Record]]:
    """Return (day, RAW_DATA) of each record."""
    rita = {"userId": "501", "userEmailAddress": "Rita@Seller.example"}
    return [
        (MONDAY, {**rita, "personInteractionStats": [
            {"name": "Longest Monologue", "value": 125}, {"name": "Longest Customer Story", "value": 95.5},
            {"name": "Interactivity", "value": 6.2}, {"name": "Patience", "value": 0.92},
            {"name": "Question Rate", "value": 14}, {"name": "Talk Speed", "value": 150, "newIn2027": 1},
        ], "newIn2027": []}),
        # One value is missing, one is null and one is a text.
        (TUESDAY, {**rita, "personInteractionStats": [
            {"name": "Longest Monologue", "value": "60.5"}, {"name": "Longest Customer Story", "value": None},
            {"name": None, "value": None}, {"name": "Patience", "value": 0},
        ]}),
        (TUESDAY, {"userId": "502", "userEmailAddress": None, "personInteractionStats": []}),
        (WEDNESDAY, {"userId": "502", "personInteractionStats": None}),
    ]  # fmt: skip


def user_activity() -> list[tuple[date, Record]]:
    """Return (day, RAW_DATA) of each record."""
    rita = {"userId": "501", "userEmailAddress": "Rita@Seller.example"}
    day = {"fromDate": "2026-11-02T00:00:00-08:00", "toDate": "2026-11-03T00:00:00-08:00", "newIn2027": ["1"]}
    return [
        (MONDAY, {**rita, "userDailyActivityStats": [{
            **day, "callsAsHost": [FULL, "1002"], "callsAttended": ["1003"], "callsGaveFeedback": [],
            "callsRequestedFeedback": [], "callsReceivedFeedback": [],
            "ownCallsListenedTo": [FULL, "1002", "1003"],
            "othersCallsListenedTo": [], "callsSharedInternally": [], "callsSharedExternally": [FULL],
            "callsScorecardsFilled": [], "callsScorecardsReceived": [FULL], "callsCommentsGiven": [],
            "callsCommentsReceived": None, "callsMarkedAsFeedbackGiven": [],
        }]}),
        (TUESDAY, {**rita, "userDailyActivityStats": [{"callsAsHost": 3, "callsAttended": "4"}]}),
        (TUESDAY, {"userId": "502", "userEmailAddress": None, "userDailyActivityStats": []}),
        (WEDNESDAY, {"userId": "502", "userDailyActivityStats": None}),
    ]  # fmt: skip


# Records of plain lists by path: those of the simulated tenant, except for lists with odd records. The test
# Gong of the end-to-end tests serves them too.
PLAIN_LISTS = {stream.endpoint.path for stream in SNAPSHOT_STREAMS if stream.custom_request is None}
LISTS: dict[str, list[Record]] = {
    **{each.path: each.items(Company(seed=1)) for each in LIST_ENDPOINTS if each.path in PLAIN_LISTS},
    "/v2/workspaces": workspaces(),
    "/v2/settings/trackers": trackers(),
    "/v2/settings/scorecards": scorecards(),
}
