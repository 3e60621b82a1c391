"""Lists that do not depend on calls: users, workspaces, trackers, scorecards, outcomes and library folders.

To add a plain list endpoint, add one function with the decorator ``_list_endpoint``. All ids are strings, as
in Gong's actual responses, even where its OpenAPI document specifies int64.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gong_assets.local.gong_tenant.company import TIME_ZONE, Company, User

Json = dict[str, Any]
Items = Callable[[Company], list[Json]]

FOUNDED = datetime(2023, 2, 6, 9, 30, 7, 428_000, TIME_ZONE)  # when the tenant and its settings were created
BUILT_IN = "-1"  # Gong's id for the updater of built-in records


@dataclass(frozen=True)
class ListEndpoint:
    """A GET endpoint that returns a list without reading calls."""

    path: str
    key: str  # of the list in the response
    scope: str
    items: Items
    paged: bool
    by_workspace: bool  # accepts the query parameter workspaceId


LIST_ENDPOINTS: list[ListEndpoint] = []


def _list_endpoint(
    path: str, *, key: str, scope: str, paged: bool = False, by_workspace: bool = False
) -> Callable[[Items], Items]:
    """Serve the list that a function returns at a path. A new plain list needs nothing else."""

    def register(items: Items) -> Items:
        LIST_ENDPOINTS.append(ListEndpoint(path, key, scope, items, paged, by_workspace))
        return items

    return register


@_list_endpoint("/v2/users", key="users", scope="api:users:read", paged=True)
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
        "conferencingProviders": [],  # returned by Gong, but not in its OpenAPI document
    }


def user_created(company: Company, user: User) -> datetime:
    """Return when the user joined; one user joins every eight weeks."""
    return FOUNDED + timedelta(weeks=8 * company.users.index(user))


@_list_endpoint("/v2/workspaces", key="workspaces", scope="api:workspaces:read")
def workspaces(company: Company) -> list[Json]:
    return [{"id": company.workspace_id, "name": "Initial workspace", "description": "Everybody"}]


@_list_endpoint(
    "/v2/settings/trackers", key="keywordTrackers", scope="api:settings:trackers:read", by_workspace=True
)
def keyword_trackers(company: Company) -> list[Json]:
    """Return the keyword trackers. As in Gong, smart trackers appear on calls but not in this list."""
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


@_list_endpoint("/v2/settings/scorecards", key="scorecards", scope="api:settings:scorecards:read")
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


@_list_endpoint("/v2/call-outcomes", key="outcomes", scope="api:call-outcomes:read")
def call_outcomes(company: Company) -> list[Json]:
    """Return the outcomes of the tenant's calls, and one for calls without an answer."""
    outcomes = [*company.outcomes, {"category": "NOT_ANSWERED", "name": "No answer"}]
    sentiments = ("NEUTRAL", "POSITIVE", "NEGATIVE", "NEUTRAL", "NEUTRAL")
    return [
        {
            "callOutcome": outcome["name"],
            "displayOrder": number,
            "connectStatus": "CONNECTED" if outcome["category"] == "ANSWERED" else "NOT_CONNECTED",
            "sentiment": sentiment,
            "todoAction": "COMPLETE",
            "automation": "MARK_AS_OPT_OUT" if sentiment == "NEGATIVE" else None,
            "category": outcome["category"],
        }
        for number, (outcome, sentiment) in enumerate(zip(outcomes, sentiments, strict=True), start=1)
    ]


@_list_endpoint("/v2/library/folders", key="folders", scope="api:library:read", by_workspace=True)
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
