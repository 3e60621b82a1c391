"""Statistics and content that depend on calls: answered scorecards, interactions, activity, library.

They are computed from the visible calls, so that they agree with them. Days are in the company's time zone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from gong_assets.local.gong_tenant.call_analysis import talk_stats
from gong_assets.local.gong_tenant.call_documents import has_comment
from gong_assets.local.gong_tenant.call_store import CallStore
from gong_assets.local.gong_tenant.calls import HISTORY, Call
from gong_assets.local.gong_tenant.company import TIME_ZONE, Company, User
from gong_assets.local.gong_tenant.reference_data import folders
from gong_assets.local.gong_tenant.request_bodies import CallsFilter, ScorecardsFilter, StatsFilter

Json = dict[str, Any]

MANUAL_REVIEW_RATE = 4  # the manager reviews one of this many calls
AUTOMATIC_REVIEW_RATE = 3  # Gong's AI reviews one of this many calls
LONGEST_REVIEW_DELAY = timedelta(days=5)  # from a call to its last review: processing takes two days at most
LIBRARY_WEEKS = 5  # Each folder has a call of each of these last whole weeks.

# Activities of Gong that do not occur in this tenant.
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


def answered_scorecards(store: CallStore, filters: ScorecardsFilter) -> list[Json]:
    """Return the items of POST /v2/stats/activity/scorecards; AI scorecards only for AUTOMATIC or BOTH."""
    today = store.clock.now().astimezone(TIME_ZONE).date()
    first = filters.call_from_date or (
        filters.review_from_date - LONGEST_REVIEW_DELAY if filters.review_from_date else today - HISTORY
    )
    answered = []
    for call in _calls_between(store, first, filters.call_to_date or today + timedelta(days=1)):
        for card in _answered_cards(store, call):
            reviewed = datetime.fromisoformat(card["reviewTime"]).date()
            if (
                filters.review_method in ("BOTH", card["reviewMethod"])
                and (filters.review_from_date or date.min) <= reviewed < (filters.review_to_date or date.max)
                and (filters.reviewed_user_ids is None or card["reviewedUserId"] in filters.reviewed_user_ids)
                and (filters.scorecard_ids is None or card["scorecardId"] in filters.scorecard_ids)
            ):
                answered.append(card)
    return answered


def interaction_stats(store: CallStore, filters: StatsFilter) -> list[Json]:
    """Return averages over the calls that each user hosted on those days, without users who hosted none."""
    measured: defaultdict[str, list[dict[str, float]]] = defaultdict(list)
    for call in _calls_between(store, filters.from_date, filters.to_date):
        if not call.imported:
            measured[call.host.id].append(talk_stats(call, store.generator.conversation(call)).by_name())
    return [
        {
            "userId": user.id,
            "userEmailAddress": user.email,
            "personInteractionStats": [
                {"name": name, "value": round(sum(stats[name] for stats in calls) / len(calls), 3)}
                for name in calls[0]
                if name != "Talk Ratio"  # reported per call only
            ],
        }
        for user in store.company.users
        if (calls := measured[user.id]) and _includes_user(filters, user.id)
    ]


def daily_activity(store: CallStore, filters: StatsFilter) -> list[Json]:
    """Return the ids of the calls by user, day and activity, of the users with activity on those days."""
    days = [filters.from_date + timedelta(days=n) for n in range((filters.to_date - filters.from_date).days)]
    call_ids: defaultdict[tuple[str, date, str], list[str]] = defaultdict(list)
    for call in _calls_between(store, filters.from_date, filters.to_date):
        for user_id, activity in _activities(store, call):
            call_ids[user_id, call.started.date(), activity].append(call.id)
    active = {user_id for user_id, _, _ in call_ids}
    return [
        {
            "userId": user.id,
            "userEmailAddress": user.email,
            "userDailyActivityStats": [
                {
                    "fromDate": midnight(day).isoformat(),
                    "toDate": midnight(day + timedelta(days=1)).isoformat(),
                    **{activity: call_ids[user.id, day, activity] for activity in ACTIVITIES},
                    **{activity: [] for activity in IDLE_ACTIVITIES},
                }
                for day in days
            ],
        }
        for user in store.company.users
        if user.id in active and _includes_user(filters, user.id)
    ]


ACTIVITIES = (
    "callsAsHost",
    "callsAttended",
    "callsCommentsGiven",
    "callsCommentsReceived",
    "callsScorecardsFilled",
    "callsScorecardsReceived",
)


def folder_content(store: CallStore, folder_id: str) -> Json | None:
    """Return a library folder with its calls, newest first, or None if it does not exist.

    Each Monday the call of the last week is added, and the oldest one removed. The calls of every other week
    have two snippets.
    """
    company = store.company
    position = next((n for n, folder in enumerate(folders(company)) if folder["id"] == folder_id), None)
    if position is None:
        return None
    folder = folders(company)[position]
    today = store.clock.now().astimezone(TIME_ZONE).date()
    monday = today - timedelta(days=today.weekday())
    days = [monday - timedelta(weeks=week, days=-position) for week in range(1, LIBRARY_WEEKS + 1)]
    calls = [call for day in days for call in list(_calls_between(store, day, day + timedelta(days=1)))[:1]]
    snippets = [(call, n) for call in calls for n in range(1 + _week(call.started) % 2)]
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
            for call, number in snippets
        ],
    }


def _week(moment: datetime) -> int:
    return moment.astimezone(TIME_ZONE).date().toordinal() // 7


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), TIME_ZONE)


def _calls_between(store: CallStore, first: date, end: date) -> Iterator[Call]:
    if first < end:
        yield from store.list_calls(CallsFilter(from_date_time=midnight(first), to_date_time=midnight(end)))[
            0
        ]


def _includes_user(filters: StatsFilter, user_id: str) -> bool:
    return filters.user_ids is None or user_id in filters.user_ids


def _activities(store: CallStore, call: Call) -> Iterator[tuple[str, str]]:
    """Yield (user id, activity) for all activities on a call."""
    manager = store.company.manager
    for person in call.attendees:
        if isinstance(person, User):
            yield person.id, "callsAsHost" if person is call.host else "callsAttended"
    if has_comment(call):
        yield manager.id, "callsCommentsGiven"
        yield call.host.id, "callsCommentsReceived"
    for card in _answered_cards(store, call):
        yield call.host.id, "callsScorecardsReceived"
        if card["reviewerUserId"]:
            yield card["reviewerUserId"], "callsScorecardsFilled"


def _answered_cards(store: CallStore, call: Call) -> Iterator[Json]:
    """Yield the scorecards of a call that are answered by now."""
    company = store.company
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
        if reviewed <= store.clock.now():
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
                # Options are identified by id.
                "selectedOptions": [str(int(call.id) % len(options))] if options else None,
            }
            for question in scorecard["questions"]
        ],
    }


def _score(call: Call) -> int:
    """Return a score of 1 to 5: high if the customer is happy and the host does not talk most of the time."""
    return max(1, min(5, round(4 + call.mood - 4 * max(0.0, call.host.talk_share - 0.5))))
