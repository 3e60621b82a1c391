"""The company's Gong: the calls of `company.py`, with reference data, reviews, library and statistics.

Reviews, library and statistics refer only to calls that do not change between runs.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from gong_assets_tests.dbt.more_records import LISTS
from gong_assets_tests.end_to_end.company import (
    AFTER_REVIEW,
    AI_REVIEW,
    COMPETITORS,
    CROWD,
    CROWDED_DAY,
    DISCOVERY,
    EMPTY_FOLDER,
    FIRST_REVIEW,
    LAST_REVIEW,
    LATE_REVIEW,
    MANAGER_USER,
    METHODS,
    ONBOARDING,
    OTHER_WORKSPACE,
    OVERALL,
    PRICING,
    RENEWAL,
    REP_USER,
    REVIEW,
    SECURITY,
    SNIPPETS,
    SPOTLIGHT,
    STATS_DAY,
    STRANGE_TEXT,
    WORKSPACE,
    bulk_calls,
    bulk_id,
    moment,
    named_calls,
    named_transcripts,
    other_user,
    users,
)
from gong_assets_tests.end_to_end.gong_records import ACTIVITIES, Record, StoredFolder, stored
from gong_assets_tests.end_to_end.gong_server import Gong


def workspaces() -> list[Record]:
    return [
        {"id": WORKSPACE, "name": "Initial workspace", "description": "Everybody"},
        {"id": OTHER_WORKSPACE, "name": "Partners", "description": None},
    ]


def trackers() -> list[Record]:
    return [
        {
            "trackerId": COMPETITORS, "trackerName": "Competitors", "workspaceId": WORKSPACE,
            "languageKeywords": [
                {"language": "eng", "keywords": ["Acme", "Initech"], "includeRelatedForms": False},
                {"language": "deu", "keywords": ["Acme"], "includeRelatedForms": True},
            ],
            "affiliation": "NonCompany", "partOfQuestion": False, "saidAt": "First", "saidAtInterval": 10,
            "saidAtUnit": "Minutes", "saidInTopics": ["Pricing"],
            "filterQuery": '{"type":"And","filters":[]}',
            "created": "2024-06-10T21:50:07-07:00", "creatorUserId": None,
            "updated": "2024-06-10T21:50:07.816562-07:00", "updaterUserId": MANAGER_USER,
        },
        {
            "trackerId": SECURITY, "trackerName": "Security", "workspaceId": OTHER_WORKSPACE,
            "languageKeywords": [],
        },
    ]  # fmt: skip


def scorecards() -> list[Record]:
    def question(question_id: str, text: str, **fields: Any) -> Record:
        revision = f"{question_id}1"
        return {"questionId": question_id, "questionRevisionId": revision, "questionText": text, **fields}

    times = {"created": "2024-06-10T21:50:07-07:00", "updated": "2024-06-10T21:50:07-07:00"}
    options = [{"id": 0, "text": "MEDDIC"}, {"id": 1, "text": "SPIN"}]
    return [
        {
            "scorecardId": DISCOVERY, "scorecardName": "Discovery", "workspaceId": WORKSPACE, "enabled": True,
            "updaterUserId": MANAGER_USER, **times, "reviewMethod": "MANUAL",
            "questions": [
                question(OVERALL, "Overall, how did it go?", isOverall=True, questionType="RANGE",
                         minRange="1", maxRange="5", answerGuide=None, answerOptions=[], **times,
                         updaterUserId=MANAGER_USER),
                question(METHODS, "Which methods were used?", isOverall=False, questionType="MULTI_SELECT",
                         answerOptions=options, **times, updaterUserId=MANAGER_USER),
            ],
        },
        {
            "scorecardId": SPOTLIGHT, "scorecardName": "Spotlight", "workspaceId": None, "enabled": True,
            "updaterUserId": "-1", **times, "reviewMethod": "AUTOMATIC",
            "questions": [
                question(OVERALL, "Overall, how did it go?", isOverall=True, minRange=1, maxRange=50),
            ],
        },
    ]  # fmt: skip


def answered_scorecards() -> list[Record]:
    def review(review_id: str, reviewed: str, call_id: str = PRICING, **fields: Any) -> Record:
        return {
            "answeredScorecardId": review_id, "scorecardId": DISCOVERY, "scorecardName": "Discovery",
            "callId": call_id, "callStartTime": moment(2), "reviewedUserId": REP_USER,
            "reviewerUserId": MANAGER_USER, "reviewMethod": "MANUAL", "editorUserId": None,
            "reviewTime": reviewed, "visibilityType": "PUBLIC", "answers": [answer(OVERALL, 3)], **fields,
        }  # fmt: skip

    def answer(question_id: str, score: int | None, **fields: Any) -> Record:
        return {
            "questionId": question_id, "questionRevisionId": f"{question_id}1",
            "isOverall": question_id == OVERALL, "score": score, "answerText": None, "notApplicable": False,
            "selectedOptions": None, **fields,
        }  # fmt: skip

    texts = {"answerText": "She used both.", "selectedOptions": ["0", "1"]}
    by_ai = {
        "scorecardId": SPOTLIGHT,
        "scorecardName": "Spotlight",
        "reviewMethod": "AUTOMATIC",
        "reviewerUserId": None,
    }
    return [
        review(REVIEW, moment(4), answers=[answer(OVERALL, 4), answer(METHODS, None, **texts)]),
        review(
            AI_REVIEW, moment(3), RENEWAL, callStartTime=moment(3), answers=[answer(OVERALL, 42)], **by_ai
        ),
        review(LATE_REVIEW, "2025-03-05T23:30:00-08:00"),
        review(FIRST_REVIEW, "2025-02-28T20:00:00-08:00", callStartTime="2025-02-27T15:00:00-08:00"),
        review(LAST_REVIEW, "2025-03-30T01:00:00-07:00", answers=[]),
        review(AFTER_REVIEW, "2025-03-30T20:00:00-07:00"),
    ]


def library() -> list[StoredFolder]:
    def folder(folder_id: str, name: str, parent: str | None) -> Record:
        return {
            "id": folder_id, "name": name, "parentFolderId": parent, "createdBy": MANAGER_USER,
            "updated": "2025-03-09T01:30:00-08:00",
        }  # fmt: skip

    def listed(call_id: str, snippet: tuple[int, int] | None = None) -> Record:
        return {
            "id": call_id, "title": f"Call {call_id}", "note": STRANGE_TEXT, "addedBy": REP_USER,
            "created": moment(20), "url": f"https://app.gong.io/call?id={call_id}",
            "snippet": dict(zip(("fromSec", "toSec"), snippet, strict=True)) if snippet else None,
        }  # fmt: skip

    calls = [*(listed(PRICING, snippet) for snippet in SNIPPETS), listed(RENEWAL)]
    return [
        StoredFolder(folder(ONBOARDING, "Onboarding", None), calls, WORKSPACE),
        StoredFolder(folder(EMPTY_FOLDER, "To do", ONBOARDING), [], OTHER_WORKSPACE),
    ]


def interaction_stats() -> dict[date, list[Record]]:
    def of_user(user_id: str, **stats: float | None) -> Record:
        named = [{"name": name.replace("_", " "), "value": value} for name, value in stats.items()]
        email = f"user{user_id}@Seller.example"
        return {"userId": user_id, "userEmailAddress": email, "personInteractionStats": named}

    stories: dict[str, float] = {"Longest_Monologue": 125, "Longest_Customer_Story": 95.5}
    others: dict[str, float] = {"Interactivity": 6.2, "Patience": 0.92, "Question_Rate": 14, "New_in_2027": 1}
    return {
        STATS_DAY: [of_user(REP_USER, **stories, **others)],
        CROWDED_DAY: [
            of_user(REP_USER, Patience=0),
            *(of_user(other_user(n), Interactivity=n) for n in range(CROWD)),
        ],
    }


def activity() -> dict[date, list[Record]]:
    """On the crowded day every user attended one call, which Rita hosted."""

    def of_user(user_id: str, day: date, **calls: list[str]) -> Record:
        idle: Record = {name: [] for name in ACTIVITIES}
        bounds = {"fromDate": moment(day.day, 0), "toDate": moment(day.day + 1, 0)}
        email = f"user{user_id}@Seller.example"
        return {
            "userId": user_id,
            "userEmailAddress": email,
            "userDailyActivityStats": [{**bounds, **idle, **calls}],
        }

    return {
        STATS_DAY: [
            of_user(REP_USER, STATS_DAY, callsAsHost=[RENEWAL, PRICING], callsScorecardsReceived=[RENEWAL])
        ],
        CROWDED_DAY: [
            of_user(REP_USER, CROWDED_DAY, callsAsHost=[bulk_id(10, 0)]),
            *(of_user(other_user(n), CROWDED_DAY, callsAttended=[bulk_id(10, 0)]) for n in range(CROWD)),
        ],
    }


def company_gong() -> Gong:
    bulk = list(bulk_calls())
    return Gong(
        calls=[stored(document) for document in (*named_calls(), *(call for call, _ in bulk))],
        transcripts=[*named_transcripts(), *(spoken for _, spoken in bulk if spoken)],
        users=users(),
        lists={
            **LISTS,
            "/v2/workspaces": workspaces(),
            "/v2/settings/trackers": trackers(),
            "/v2/settings/scorecards": scorecards(),
        },
        answered_scorecards=answered_scorecards(),
        folders=library(),
        interaction_stats=interaction_stats(),
        activity=activity(),
        overlap=1,
    )
