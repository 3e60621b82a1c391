"""A company's thirty days of calls, each of them for one thing that can go wrong on the way to the tables; and its settings,
reviews, library and statistics of those days.

What a record is for stands beside it; what must become of it is in the tests. Reviews, library and statistics name only calls
that stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from gong_assets_tests.end_to_end.gong_server import ACTIVITIES, Gong, HeldCall, HeldFolder, Record, held

# Daylight saving time begins on March 9 in the United States: the company's own offset changes within the days.
FIRST, LAST = date(2025, 3, 1), date(2025, 3, 30)

REP, CUSTOMER = "6432345678555530067", "6432345678555530068"  # speakerIds; a party's id is another number
REP_USER = "234599484848423"

# Ids of 18 to 20 digits; the longest exceeds 64 bits.
PRICING, RENEWAL, MONOLOGUE = "7782342274025937895", "99999999999999999999", "778234227402593001"
WEST, EAST, MICROSECONDS, KATHMANDU = (
    "778234227402593010",
    "778234227402593011",
    "778234227402593012",
    "778234227402593013",
)
FIRST_MOMENT, BEFORE, AFTER = "778234227402593014", "778234227402593015", "778234227402593016"
STRANGE, BARE, NOTHING_SAID, NOBODY, PRIVATE = (f"77823422740259302{n}" for n in range(5))
DELETED, EDITED, HIDDEN, MOVED, AWAITED = (f"77823422740259303{n}" for n in range(5))

STRANGE_TEXT = (
    'She said "it\'s 100% fine" \\ no \\n newline, \\u0041\nreal newline\r\n\ttab 😀👩🏽\u200d💻 für 日本語 \u202bעברית\u202c e\u0301 \u2028 '
    "$$ %s %(x)s {{ jinja }} ' '' ; -- /* */ <b>&amp;</b> NULL \x7f"
)
PRICE_COMPLAINT = (
    "Honestly the price is far too high for us and we are very unhappy with this terrible offer."
)
TOO_LATE = "The migration of the database to the new data center failed horribly last night."
EDITED_TO = "Our gardener planted forty olive trees and roses behind the office."

MANAGER_USER = "563515258458745"
WORKSPACE, OTHER_WORKSPACE = "623457276584334", "623457276584335"
COMPETITORS, SECURITY = "7686842637000665959", "7686842637000665960"  # trackers
DISCOVERY, SPOTLIGHT = (
    "6843152912968920037",
    "6843152912968920038",
)  # scorecards: by the manager, by Gong's AI
OVERALL, METHODS = "7003152912968920037", "7003152912968920038"  # questions

# Reviews. FIRST_REVIEW is of March 1 in UTC and of February 28 in the company's time zone, LAST_REVIEW of March 30 in both,
# LATE_REVIEW of March 6 in UTC and of March 5 in the company's, AFTER_REVIEW of March 31 in UTC and of March 30 in the company's.
REVIEW, AI_REVIEW, LATE_REVIEW, FIRST_REVIEW, LAST_REVIEW, AFTER_REVIEW = (
    f"50234599484848420{n}" for n in range(6)
)
LANDED_REVIEWS = {REVIEW, AI_REVIEW, LATE_REVIEW, FIRST_REVIEW, LAST_REVIEW}

ONBOARDING, EMPTY_FOLDER = "3843152912968920037", "3843152912968920038"
SNIPPETS = ((21, 132), (0, 60))  # of PRICING, in ONBOARDING; RENEWAL is there whole

# Days of the company's with statistics: on the first one of Rita alone, on the second one, when daylight saving time has begun,
# of more people than fit on a page.
STATS_DAY, CROWDED_DAY = date(2025, 3, 3), date(2025, 3, 10)
CROWD = 120

BULK_DAYS, BULK_PER_DAY = 30, 8
# Days without any transcript: more than a hundred calls in a row, so that a whole request for transcripts finds none.
SILENT_DAYS = range(10, 25)


def moment(day: int, hour: int = 15) -> str:
    """A time as a company of the American west coast has it."""
    offset = -8 if day < 9 else -7
    return f"2025-03-{day:02}T{hour:02}:00:00{offset:+03}:00"


def call(call_id: str, started: str, *, parties: list[Record] | None = None, **blocks: Any) -> Record:
    meta = {"duration": 1800, "primaryUserId": REP_USER, "system": "Zoom", **blocks.pop("meta", {})}
    return {
        "metaData": {
            "id": call_id,
            "started": started,
            "title": f"Call {call_id}",
            "isPrivate": False,
            **meta,
        },
        "parties": [rep(), customer()] if parties is None else parties,
        **blocks,
    }


def rep() -> Record:
    return {
        "id": "56825452554556", "speakerId": REP, "userId": REP_USER, "name": "Rita O'Neill", "affiliation": "Internal",
        "emailAddress": "Rita@seller.example", "title": "Account Executive", "methods": ["Invitee", "Attendee"], "context": [],
    }  # fmt: skip


def customer() -> Record:
    return {
        "id": "56825452554557", "speakerId": CUSTOMER, "name": "Çağla Müller", "affiliation": "External",
        "emailAddress": "cagla@customer.example", "methods": ["Attendee"],
        "context": [crm("HubSpot", crm_object("Contact", "7700000001", None, company="Customer Ltd"))],
    }  # fmt: skip


def crm(system: str, *objects: Record) -> Record:
    return {"system": system, "objects": list(objects)}


def crm_object(kind: str, object_id: Any, timing: str | None, **fields: Any) -> Record:
    listed = [{"name": name, "value": value} for name, value in fields.items()]
    return {
        "objectType": kind,
        "objectId": object_id,
        "fields": listed,
        **({"timing": timing} if timing else {}),
    }


def talk(rep_seconds: float, customer_seconds: float, **stats: float) -> Record:
    ratio = rep_seconds / (rep_seconds + customer_seconds)
    return {
        "speakers": [
            {"id": "56825452554556", "userId": REP_USER, "talkTime": rep_seconds},
            {"id": "56825452554557", "talkTime": customer_seconds},
        ],
        "interactionStats": [
            {"name": "Talk Ratio", "value": ratio},
            {"name": "Longest Monologue", "value": 66},
            *({"name": name, "value": value} for name, value in stats.items()),
        ],
        "questions": {"companyCount": 5, "nonCompanyCount": 2},
    }


def transcript(call_id: str, *turns: tuple[str | None, str | None, list[str]]) -> Record:
    """Turns of (speakerId, topic, sentences), a second for each sentence."""
    clock = iter(range(0, 10_000_000, 1_000))
    return {
        "callId": call_id,
        "transcript": [
            {
                "speakerId": speaker,
                "topic": topic,
                "sentences": [
                    {"start": (start := next(clock)), "end": start + 900, "text": text} for text in sentences
                ],
            }
            for speaker, topic, sentences in turns
        ],
    }


def _named_calls() -> Iterator[Record]:
    yield call(
        PRICING,
        moment(2),
        meta={"title": "Pricing with Customer Ltd", "scheduled": moment(2), "language": "eng", "scope": "External"},
        context=[
            crm("Salesforce", crm_object("Opportunity", "0063000000aBcDe", "Now", Name="In Salesforce", StageName="Won")),
            crm(
                "HubSpot",
                crm_object("Opportunity", "8800000001", "TimeOfCall", dealstage="appointmentscheduled", amount="100"),
                # A bare number beyond what a float holds exactly, as Gong sends ids of its CRM integrations.
                crm_object("Opportunity", 2271307570613351879, "Now", dealname="Platform", amount=12000.5),
                crm_object("Opportunity", "8800000001", "Now", dealname="Add-on", amount="232", isWon="false"),
                crm_object("Account", "9900000001", "Now", name="Customer Ltd"),
            ),
        ],
        content={
            "brief": "They talked about the price.",
            "topics": [{"name": "Pricing", "duration": 60}, {"name": "Small talk", "duration": 0}],
            "trackers": [{"id": "77", "name": "Competitors", "count": 1, "type": "KEYWORD", "phrases": [],
                          "occurrences": [{"startTime": 568.9000244140625, "speakerId": CUSTOMER}]}],
            "keyPoints": [{"text": "The price is too high"}, {"text": "Legal is next"}],
            "highlights": [{"title": "Next steps", "items": [{"text": "Send a new offer", "startTimes": [1.5]}]}],
            "callOutcome": {"id": "1", "category": "ANSWERED", "name": "Meeting set"},
        },
        interaction=talk(60, 120),
        collaboration={},
    )  # fmt: skip
    # HubSpot's own names for a deal and a company, and the id as a text of digits.
    yield call(
        RENEWAL,
        moment(3),
        context=[
            crm(
                "HubSpot", crm_object("Deal", "8800000002", "Now"), crm_object("Company", "9900000002", "Now")
            )
        ],
        interaction=talk(50, 50),
    )
    yield call(MONOLOGUE, moment(4), context=[], interaction=talk(950, 50))

    # Late evening in California, and after midnight in Paris: the UTC date is another than the local one.
    yield call(WEST, "2025-02-28T23:30:00-08:00", interaction=talk(20, 80, Interactivity=1))
    yield call(EAST, "2025-03-31T01:30:00+02:00")
    yield call(MICROSECONDS, "2025-03-09T03:04:05.041977-07:00")
    yield call(KATHMANDU, "2025-03-10T00:15:00+05:45")
    yield call(FIRST_MOMENT, "2025-03-01T00:00:00Z")
    yield call(BEFORE, "2025-02-28T23:59:59.999999Z")
    yield call(AFTER, "2025-03-31T00:00:00Z")

    yield call(STRANGE, moment(5), meta={"title": STRANGE_TEXT, "customData": "{\"a\": [1, 'b']}"})
    yield {"metaData": {"id": BARE, "started": moment(5), "title": None}}
    yield call(NOTHING_SAID, moment(6), parties=[])
    yield call(NOBODY, moment(6), parties=[{"id": "1", "name": None, "affiliation": "Unknown"}])
    yield call(PRIVATE, moment(7), meta={"isPrivate": True, "title": "Board only"})

    for day, call_id in enumerate((DELETED, EDITED, HIDDEN, MOVED, AWAITED), start=25):
        yield call(call_id, moment(day))


def _named_transcripts() -> Iterator[Record]:
    yield transcript(
        PRICING,
        (REP, "Small talk", ["Hello Çağla, thank you for joining.", "How is the weather in Istanbul today?"]),
        (CUSTOMER, "Pricing", [PRICE_COMPLAINT]),
        (REP, None, ["Let us look at the discount that we can give you for three years."]),
        (CUSTOMER, None, ["This is a bad and disappointing experience, I am angry about the delays."]),
    )
    yield transcript(
        RENEWAL,
        (CUSTOMER, None, ["We love the product and the wonderful support, it is a great success."]),
        (REP, None, ["That is excellent, I am happy to renew the contract with you."]),
    )
    yield transcript(
        MONOLOGUE,
        (REP, None, ["Our platform has many features that I will now present one after another."]),
        (CUSTOMER, None, ["I have no question."]),
    )
    yield transcript(STRANGE, (REP, STRANGE_TEXT, [STRANGE_TEXT, "A sentence after it."]))
    yield {"callId": NOTHING_SAID, "transcript": []}
    yield {
        "callId": NOBODY,
        "transcript": [
            {
                "speakerId": None,
                "topic": None,
                "sentences": [{"start": 0, "end": 900, "text": "Who is speaking here now?"}],
            },
            {"speakerId": REP, "topic": None, "sentences": []},
            {"speakerId": REP, "topic": None, "sentences": [{"start": 950, "end": 990, "text": "   "}]},
            {
                "speakerId": "1",
                "topic": None,
                "sentences": [{"start": 1000, "end": 1900, "text": "Nobody can tell who this is."}],
            },
        ],
    }
    yield transcript(PRIVATE, (REP, None, ["The board wants to sell the company, tell nobody."]))
    yield transcript(DELETED, (REP, None, [TOO_LATE]))
    yield transcript(
        EDITED,
        (REP, None, ["We begin with the agenda of today."]),
        (CUSTOMER, None, ["Mumble mumble, something unclear."]),
    )
    yield transcript(HIDDEN, (REP, None, ["The salaries of the whole team are in this spreadsheet."]))
    yield transcript(MOVED, (REP, None, ["This meeting was moved to another day."]))


def bulk_id(day: int, number: int) -> str:
    return f"5000000000000{day:02}{number:03}"


def _bulk() -> Iterator[tuple[Record, Record | None]]:
    for day in range(1, BULK_DAYS + 1):
        for number in range(BULK_PER_DAY):
            call_id = bulk_id(day, number)
            spoken = transcript(
                call_id, (REP, None, [f"The agenda of day {day} has point {number}.", "It was soon done."])
            )
            yield call(call_id, moment(day, number)), None if day in SILENT_DAYS else spoken


def users() -> list[Record]:
    # More than a page, and one of Gong's own staff that is listed only when avatars are asked for.
    named = {
        "id": REP_USER, "firstName": "Rita", "lastName": "O'Neill", "emailAddress": "Rita@seller.example", "active": True,
        "created": "2024-06-10T21:50:07.428+02:00", "managerId": "563515258458745", "settings": {}, "spokenLanguages": [],
    }  # fmt: skip
    others = [{"id": other_user(n), "firstName": f"User {n}", "active": n % 2 == 0} for n in range(CROWD)]
    return [
        named,
        *others,
        {"id": "900000000000000001", "firstName": "Gong", "lastName": "Admin", "avatar": True},
    ]


def other_user(number: int) -> str:
    """The manager is number 0."""
    return str(int(MANAGER_USER) + number)


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
            "saidAtUnit": "Minutes", "saidInTopics": ["Pricing"], "filterQuery": '{"type":"And","filters":[]}',
            "created": "2024-06-10T21:50:07-07:00", "creatorUserId": None,
            "updated": "2024-06-10T21:50:07.816562-07:00", "updaterUserId": MANAGER_USER,
        },
        {"trackerId": SECURITY, "trackerName": "Security", "workspaceId": OTHER_WORKSPACE, "languageKeywords": []},
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
                question(OVERALL, "Overall, how did it go?", isOverall=True, questionType="RANGE", minRange="1",
                         maxRange="5", answerGuide=None, answerOptions=[], **times, updaterUserId=MANAGER_USER),
                question(METHODS, "Which methods were used?", isOverall=False, questionType="MULTI_SELECT",
                         answerOptions=options, **times, updaterUserId=MANAGER_USER),
            ],
        },
        {
            "scorecardId": SPOTLIGHT, "scorecardName": "Spotlight", "workspaceId": None, "enabled": True,
            "updaterUserId": "-1", **times, "reviewMethod": "AUTOMATIC",
            "questions": [question(OVERALL, "Overall, how did it go?", isOverall=True, minRange=1, maxRange=50)],
        },
    ]  # fmt: skip


def answered_scorecards() -> list[Record]:
    def review(review_id: str, reviewed: str, call_id: str = PRICING, **fields: Any) -> Record:
        return {
            "answeredScorecardId": review_id, "scorecardId": DISCOVERY, "scorecardName": "Discovery", "callId": call_id,
            "callStartTime": moment(2), "reviewedUserId": REP_USER, "reviewerUserId": MANAGER_USER, "reviewMethod": "MANUAL",
            "editorUserId": None, "reviewTime": reviewed, "visibilityType": "PUBLIC", "answers": [answer(OVERALL, 3)],
            **fields,
        }  # fmt: skip

    def answer(question_id: str, score: int | None, **fields: Any) -> Record:
        return {
            "questionId": question_id, "questionRevisionId": f"{question_id}1", "isOverall": question_id == OVERALL,
            "score": score, "answerText": None, "notApplicable": False, "selectedOptions": None, **fields,
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


def library() -> list[HeldFolder]:
    def folder(folder_id: str, name: str, parent: str | None) -> Record:
        return {
            "id": folder_id, "name": name, "parentFolderId": parent, "createdBy": MANAGER_USER,
            "updated": "2025-03-09T01:30:00-08:00",
        }  # fmt: skip

    def listed(call_id: str, snippet: tuple[int, int] | None = None) -> Record:
        return {
            "id": call_id, "title": f"Call {call_id}", "note": STRANGE_TEXT, "addedBy": REP_USER, "created": moment(20),
            "url": f"https://app.gong.io/call?id={call_id}",
            "snippet": dict(zip(("fromSec", "toSec"), snippet, strict=True)) if snippet else None,
        }  # fmt: skip

    calls = [*(listed(PRICING, snippet) for snippet in SNIPPETS), listed(RENEWAL)]
    return [
        HeldFolder(folder(ONBOARDING, "Onboarding", None), calls, WORKSPACE),
        HeldFolder(folder(EMPTY_FOLDER, "To do", ONBOARDING), [], OTHER_WORKSPACE),
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
    """On the crowded day everybody attended one call, and Rita hosted it."""

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


def company() -> Gong:
    bulk = list(_bulk())
    return Gong(
        calls=[held(document) for document in (*_named_calls(), *(call for call, _ in bulk))],
        transcripts=[*_named_transcripts(), *(spoken for _, spoken in bulk if spoken)],
        users=users(),
        workspaces=workspaces(),
        trackers=trackers(),
        scorecards=scorecards(),
        answered_scorecards=answered_scorecards(),
        folders=library(),
        interaction_stats=interaction_stats(),
        activity=activity(),
        overlap=1,
    )


def in_days(each: HeldCall) -> bool:
    return datetime.combine(FIRST, datetime.min.time(), UTC) <= each.time < datetime(2025, 3, 31, tzinfo=UTC)


def landed_calls(gong: Gong) -> dict[str, Record]:
    """The calls that must be in the tables, by id."""
    return {
        each.document["metaData"]["id"]: each.document
        for each in gong.calls
        if in_days(each) and not each.document["metaData"].get("isPrivate")
    }


def change(gong: Gong) -> None:
    """What happens in Gong between two runs, to calls that it says nothing about having changed."""
    gong.calls = [each for each in gong.calls if each.id != DELETED]
    for index, each in enumerate(gong.calls):
        if each.id == HIDDEN:
            each.document["metaData"]["isPrivate"] = True
        if each.id == MOVED:
            later = datetime.fromisoformat(each.document["metaData"]["started"]) + timedelta(days=1)
            gong.calls[index] = held(
                {**each.document, "metaData": {**each.document["metaData"], "started": later.isoformat()}}
            )
    edited = next(each for each in gong.transcripts if each["callId"] == EDITED)
    edited["transcript"][1]["sentences"][0]["text"] = EDITED_TO
    gong.transcripts.append(
        transcript(AWAITED, (CUSTOMER, None, ["The transcript took Gong a whole day to finish."]))
    )
