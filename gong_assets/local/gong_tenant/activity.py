"""What people did with calls: scorecards filled in, habits of speech over time, daily activity, the library.

Derived from the calls that the archive shows, so that it agrees with them. Days are days in the company's time zone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from gong_assets.local.gong_tenant.call_analysis import talk_stats
from gong_assets.local.gong_tenant.call_documents import has_comment
from gong_assets.local.gong_tenant.call_store import Archive
from gong_assets.local.gong_tenant.calls import HISTORY, Call
from gong_assets.local.gong_tenant.company import TIME_ZONE, Company, User
from gong_assets.local.gong_tenant.reference_data import folders
from gong_assets.local.gong_tenant.request_bodies import CallsFilter, ScorecardsFilter, StatsFilter

Json = dict[str, Any]

MANUAL_REVIEW_RATE = 4  # one call in so many is reviewed by the manager,
AUTOMATIC_REVIEW_RATE = 3  # and one in so many by Gong's AI
LONGEST_REVIEW_DELAY = timedelta(days=5)  # from a call to its last review: processing takes two days at most
LIBRARY_CALLS = 5  # in each folder: one from each of the last weeks

# The counters of /v2/stats/activity that this tenant's people never move.
IDLE_ACTIVITIES = (
    "callsGaveFeedback",
    "callsRequestedFeedback",
    "callsReceivedFeedback",
    "ownCallsListenedTo",
    "othersCallsListenedTo",
    "callsSharedInternally",
    "callsSharedExternally",
    "callsMarkedAsFeedbackGiven",
    "callsMarkedAsFeedbackReceived",
)


def answered_scorecards(archive: Archive, asked: ScorecardsFilter) -> list[Json]:
    """What POST /v2/stats/activity/scorecards lists. Cards by AI only if AUTOMATIC or BOTH is asked for."""
    today = archive.clock.now().astimezone(TIME_ZONE).date()
    first = asked.call_from_date or (
        asked.review_from_date - LONGEST_REVIEW_DELAY if asked.review_from_date else today - HISTORY
    )
    answered = []
    for call in _calls_of_days(archive, first, asked.call_to_date or today + timedelta(days=1)):
        for card in _cards(archive, call):
            reviewed = datetime.fromisoformat(card["reviewTime"]).date()
            if (
                asked.review_method in ("BOTH", card["reviewMethod"])
                and (asked.review_from_date or date.min) <= reviewed < (asked.review_to_date or date.max)
                and (asked.reviewed_user_ids is None or card["reviewedUserId"] in asked.reviewed_user_ids)
                and (asked.scorecard_ids is None or card["scorecardId"] in asked.scorecard_ids)
            ):
                answered.append(card)
    return answered


def interaction_stats(archive: Archive, asked: StatsFilter) -> list[Json]:
    """Averages over the calls that each user hosted in those days; users who hosted none are absent."""
    measured: defaultdict[str, list[dict[str, float]]] = defaultdict(list)
    for call in _calls_of_days(archive, asked.from_date, asked.to_date):
        if not call.imported:
            measured[call.host.id].append(talk_stats(call, archive.diary.conversation(call)).named())
    return [
        {
            "userId": user.id,
            "userEmailAddress": user.email,
            "personInteractionStats": [
                {"name": name, "value": round(sum(stats[name] for stats in calls) / len(calls), 3)}
                for name in calls[0]
                if name != "Talk Ratio"  # a measure of one call, which Gong does not average here
            ],
        }
        for user in archive.diary.company.users
        if (calls := measured[user.id]) and _is_asked_for(asked, user.id)
    ]


def daily_activity(archive: Archive, asked: StatsFilter) -> list[Json]:
    """For each user and day, the ids of the calls that they did something with."""
    days = [asked.from_date + timedelta(days=n) for n in range((asked.to_date - asked.from_date).days)]
    touched: defaultdict[tuple[str, date, str], list[str]] = defaultdict(list)
    for call in _calls_of_days(archive, asked.from_date, asked.to_date):
        for user_id, activity in _activities(archive, call):
            touched[user_id, call.started.date(), activity].append(call.id)
    return [
        {
            "userId": user.id,
            "userEmailAddress": user.email,
            "userDailyActivityStats": [
                {
                    "fromDate": midnight(day).isoformat(),
                    "toDate": midnight(day + timedelta(days=1)).isoformat(),
                    **{activity: touched[user.id, day, activity] for activity in ACTIVITIES},
                    **{activity: [] for activity in IDLE_ACTIVITIES},
                }
                for day in days
            ],
        }
        for user in archive.diary.company.users
        if _is_asked_for(asked, user.id)
    ]


ACTIVITIES = (
    "callsAsHost",
    "callsAttended",
    "callsCommentsGiven",
    "callsCommentsReceived",
    "callsScorecardsFilled",
    "callsScorecardsReceived",
)


def folder_content(archive: Archive, folder_id: str) -> Json | None:
    """A library folder with its calls; None if there is no such folder. The first call is there twice, as two snippets."""
    company = archive.diary.company
    position = next((n for n, folder in enumerate(folders(company)) if folder["id"] == folder_id), None)
    if position is None:
        return None
    folder = folders(company)[position]
    today = archive.clock.now().astimezone(TIME_ZONE).date()
    days = [today - timedelta(weeks=week, days=position + 1) for week in range(LIBRARY_CALLS)]
    calls = [call for day in days for call in list(_calls_of_days(archive, day, day + timedelta(days=1)))[:1]]
    return {
        "id": folder["id"],
        "name": folder["name"],
        "createdBy": folder["createdBy"],
        "updated": folder["updated"],
        "calls": [
            {
                "id": call.id,
                "title": call.kind.title.format(account=call.account.name),
                "note": company.folders[position]["note"],
                "addedBy": company.manager.id,
                "created": call.lifecycle.visible_at.astimezone(TIME_ZONE).isoformat(),
                "url": f"https://app.gong.example/call?id={call.id}",
                "snippet": {"fromSec": 10 + 20 * number, "toSec": 30 + 20 * number},
            }
            for number, call in enumerate(calls[:1] + calls)
        ],
    }


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), TIME_ZONE)


def _calls_of_days(archive: Archive, first: date, end: date) -> Iterator[Call]:
    if first < end:
        yield from archive.listed(CallsFilter(from_date_time=midnight(first), to_date_time=midnight(end)))[0]


def _is_asked_for(asked: StatsFilter, user_id: str) -> bool:
    return asked.user_ids is None or user_id in asked.user_ids


def _activities(archive: Archive, call: Call) -> Iterator[tuple[str, str]]:
    """(user id, activity) for everything that was done with a call."""
    manager = archive.diary.company.manager
    for person in call.attendees:
        if isinstance(person, User):
            yield person.id, "callsAsHost" if person is call.host else "callsAttended"
    if has_comment(call):
        yield manager.id, "callsCommentsGiven"
        yield call.host.id, "callsCommentsReceived"
    for card in _cards(archive, call):
        yield call.host.id, "callsScorecardsReceived"
        if card["reviewerUserId"]:
            yield card["reviewerUserId"], "callsScorecardsFilled"


def _cards(archive: Archive, call: Call) -> Iterator[Json]:
    """The scorecards that a call has been given by now."""
    company = archive.diary.company
    digits = int(call.id)
    for scorecard in company.scorecards:
        manual = scorecard["review_method"] == "MANUAL"
        if digits % (MANUAL_REVIEW_RATE if manual else AUTOMATIC_REVIEW_RATE):
            continue
        reviewed = (
            call.lifecycle.visible_at + timedelta(hours=1 + digits % 47)
            if manual
            else call.lifecycle.enriched_at
        )
        if reviewed <= archive.clock.now():
            yield _card(company, call, scorecard, reviewed.astimezone(TIME_ZONE))


def _card(company: Company, call: Call, scorecard: Json, reviewed: datetime) -> Json:
    manual = scorecard["review_method"] == "MANUAL"
    return {
        "answeredScorecardId": company.gong_id("answered", scorecard["name"], call.id),
        "scorecardId": company.gong_id("scorecard", scorecard["name"]),
        "scorecardName": scorecard["name"],
        "callId": call.id,
        "callStartTime": call.started.isoformat(),
        "reviewedUserId": call.host.id,
        "reviewerUserId": company.manager.id if manual else None,
        "reviewMethod": scorecard["review_method"],
        "editorUserId": None,
        "reviewTime": reviewed.isoformat(),
        "visibilityType": "PUBLIC",
        "answers": [
            {
                "questionId": company.gong_id("question", question),
                "questionRevisionId": company.gong_id("question revision", question),
                "isOverall": question.startswith("Overall"),
                "score": None if (options := scorecard["options"].get(question)) else _score(call),
                "answerText": None,
                "notApplicable": False,
                # Options are named by their ids.
                "selectedOptions": [str(int(call.id) % len(options))] if options else None,
            }
            for question in scorecard["questions"]
        ],
    }


def _score(call: Call) -> int:
    """1 to 5: calls go well where the customer is happy and the host lets them talk."""
    return max(1, min(5, round(4 + call.mood - 4 * max(0.0, call.host.talk_share - 0.5))))
