"""What the API says of the tenant itself: users, workspaces, trackers, scorecards and library folders, as JSON.

Nothing here depends on calls. Ids are strings throughout, as in Gong's live answers, even where its OpenAPI document
says int64.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from gong_assets.local.gong_tenant.company import TIME_ZONE, Company, User

Json = dict[str, Any]

FOUNDED = datetime(2023, 2, 6, 9, 30, 7, 428_000, TIME_ZONE)  # when the tenant and its settings were created
BUILT_IN = "-1"  # whom Gong names as the updater of what came with the product


def users(company: Company) -> list[Json]:
    return [_user(company, number, user) for number, user in enumerate(company.users)]


def _user(company: Company, number: int, user: User) -> Json:
    active = user.role != "former"
    return {
        "id": user.id,
        "emailAddress": user.email,
        "created": user_created(company, user).isoformat(timespec="milliseconds"),
        "active": active,
        "emailAliases": [user.email.replace("@", ".alias@")] if number % 3 == 0 else [],
        "trustedEmailAddress": None,
        "firstName": user.first_name,
        "lastName": user.last_name,
        "title": user.title,
        "phoneNumber": f"+1 415 555 {100 + number:04}" if active else None,
        "extension": None,
        "personalMeetingUrls": [f"https://zoom.example/my/{user.key}"] if user.role == "rep" else [],
        "settings": {
            "webConferencesRecorded": active,
            "preventWebConferenceRecording": False,
            "telephonyCallsImported": active,
            "emailsImported": active,
            "preventEmailImport": False,
            "nonRecordedMeetingsImported": active,
            "gongConnectEnabled": user.role == "rep",
        },
        "managerId": user.manager_id,
        "meetingConsentPageUrl": None,
        "spokenLanguages": [{"language": "en-US", "primary": True}],
        "conferencingProviders": [],  # in live answers, not in the OpenAPI document
    }


def user_created(company: Company, user: User) -> datetime:
    """When the user joined: one every eight weeks."""
    return FOUNDED + timedelta(weeks=8 * company.users.index(user))


def workspaces(company: Company) -> list[Json]:
    return [{"id": company.workspace_id, "name": "Initial workspace", "description": "Everybody"}]


def keyword_trackers(company: Company) -> list[Json]:
    """Smart trackers appear on calls but, as in Gong, not in this list."""
    return [
        {
            "trackerId": company.gong_id("tracker", tracker["name"]),
            "trackerName": tracker["name"],
            "workspaceId": company.workspace_id,
            "languageKeywords": [
                {"language": "eng", "keywords": tracker["keywords"], "includeRelatedForms": False}
            ],
            "affiliation": tracker["affiliation"],
            "partOfQuestion": False,
            "saidAt": "Anytime",
            "saidAtInterval": None,
            "saidAtUnit": None,
            "saidInTopics": [],
            "filterQuery": '{"type":"And","filters":[]}',
            "created": FOUNDED.isoformat(),
            "creatorUserId": None,
            "updated": FOUNDED.replace(microsecond=816_562).isoformat(),
            "updaterUserId": company.manager.id,
        }
        for tracker in company.trackers
    ]


def scorecards(company: Company) -> list[Json]:
    return [
        {
            "scorecardId": company.gong_id("scorecard", scorecard["name"]),
            "scorecardName": scorecard["name"],
            "workspaceId": company.workspace_id,
            "enabled": True,
            "updaterUserId": BUILT_IN if scorecard["review_method"] == "AUTOMATIC" else company.manager.id,
            "created": FOUNDED.isoformat(),
            "updated": FOUNDED.isoformat(),
            "reviewMethod": scorecard["review_method"],
            "questions": [
                {
                    "questionId": company.gong_id("question", question),
                    "questionRevisionId": company.gong_id("question revision", question),
                    "questionText": question,
                    "isOverall": question.startswith("Overall"),
                    "questionType": "SINGLE_SELECT" if question in scorecard["options"] else "RANGE",
                    "answerGuide": None,
                    "minRange": None if question in scorecard["options"] else "1",
                    "maxRange": None if question in scorecard["options"] else "5",
                    "answerOptions": [
                        {"id": number, "text": text}
                        for number, text in enumerate(scorecard["options"].get(question, []))
                    ],
                    "created": FOUNDED.isoformat(),
                    "updated": FOUNDED.isoformat(),
                    "updaterUserId": company.manager.id,
                }
                for question in scorecard["questions"]
            ],
        }
        for scorecard in company.scorecards
    ]


def folders(company: Company) -> list[Json]:
    return [
        {
            "id": company.gong_id("folder", folder["name"]),
            "name": folder["name"],
            "parentFolderId": None,
            "createdBy": company.manager.id,
            "updated": FOUNDED.isoformat(),
        }
        for folder in company.folders
    ]
