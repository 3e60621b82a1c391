"""Thirty days of a company's calls, each of which tests one thing that can go wrong on the way to the tables.

A comment says what a record is for. The tests have the expected results. The company's other records are in
`company_gong.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from gong_assets_tests.end_to_end.gong_records import Record, StoredCall, stored
from gong_assets_tests.end_to_end.gong_server import Gong

# Daylight saving time begins on March 9 in the United States, so the company's offset changes within these
# days.
FIRST, LAST = date(2025, 3, 1), date(2025, 3, 30)

REP, CUSTOMER = "6432345678555530067", "6432345678555530068"  # speakerIds, which differ from the parties' ids
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
    'She said "it\'s 100% fine" \\ no \\n newline, \\u0041\nreal newline\r\n\ttab 😀👩🏽\u200d💻 für 日本語 '
    "\u202bעברית\u202c e\u0301 \u2028 "
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

# Reviews. Their dates in UTC and in the company's time zone are: FIRST_REVIEW March 1 and February 28,
# LAST_REVIEW March 30 in both, LATE_REVIEW March 6 and 5, AFTER_REVIEW March 31 and 30.
REVIEW, AI_REVIEW, LATE_REVIEW, FIRST_REVIEW, LAST_REVIEW, AFTER_REVIEW = (
    f"50234599484848420{n}" for n in range(6)
)
LANDED_REVIEWS = {REVIEW, AI_REVIEW, LATE_REVIEW, FIRST_REVIEW, LAST_REVIEW}

ONBOARDING, EMPTY_FOLDER = "3843152912968920037", "3843152912968920038"
SNIPPETS = ((21, 132), (0, 60))  # of PRICING, in ONBOARDING, which also has the whole of RENEWAL

# Days with statistics, in the company's time zone: the first has those of Rita only; the second, after the
# start of daylight saving time, those of more users than fit on a page.
STATS_DAY, CROWDED_DAY = date(2025, 3, 3), date(2025, 3, 10)
CROWD = 120

BULK_DAYS, BULK_PER_DAY = 30, 8
# Days without transcripts. They have more than 100 consecutive calls, so that one request for transcripts
# finds none.
SILENT_DAYS = range(10, 25)


def moment(day: int, hour: int = 15) -> str:
    """Return a time with the offset of the American west coast."""
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
        "id": "56825452554556", "speakerId": REP, "userId": REP_USER, "name": "Rita O'Neill",
        "affiliation": "Internal", "emailAddress": "Rita@seller.example", "title": "Account Executive",
        "methods": ["Invitee", "Attendee"],
        "context": [],
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
    field_list = [{"name": name, "value": value} for name, value in fields.items()]
    return {
        "objectType": kind,
        "objectId": object_id,
        "fields": field_list,
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
    """Return a transcript of turns (speakerId, topic, sentences) with one second per sentence."""
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


def named_calls() -> Iterator[Record]:
    yield call(
        PRICING,
        moment(2),
        meta={"title": "Pricing with Customer Ltd", "scheduled": moment(2), "language": "eng",
              "scope": "External"},
        context=[
            crm("Salesforce", crm_object("Opportunity", "0063000000aBcDe", "Now", Name="In Salesforce",
                                         StageName="Won")),
            crm(
                "HubSpot",
                crm_object("Opportunity", "8800000001", "TimeOfCall", dealstage="appointmentscheduled",
                           amount="100"),
                # A number that a float cannot represent exactly, as Gong sends CRM ids.
                crm_object("Opportunity", 2271307570613351879, "Now", dealname="Platform", amount=12000.5),
                crm_object("Opportunity", "8800000001", "Now", dealname="Add-on", amount="232",
                           isWon="false"),
                crm_object("Account", "9900000001", "Now", name="Customer Ltd"),
            ),
        ],
        content={
            "brief": "They talked about the price.",
            "topics": [{"name": "Pricing", "duration": 60}, {"name": "Small talk", "duration": 0}],
            "trackers": [{"id": "77", "name": "Competitors", "count": 1, "type": "KEYWORD", "phrases": [],
                          "occurrences": [{"startTime": 568.9000244140625, "speakerId": CUSTOMER}]}],
            "keyPoints": [{"text": "The price is too high"}, {"text": "Legal is next"}],
            "highlights": [
                {"title": "Next steps", "items": [{"text": "Send a new offer", "startTimes": [1.5]}]},
            ],
            "callOutcome": {"id": "1", "category": "ANSWERED", "name": "Meeting set"},
        },
        interaction=talk(60, 120),
        collaboration={},
    )  # fmt: skip
    # HubSpot's own object types for a deal and a company, and ids as text.
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

    # Late evening in California and after midnight in Paris, so the UTC date differs from the local date.
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


def named_transcripts() -> Iterator[Record]:
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


def bulk_calls() -> Iterator[tuple[Record, Record | None]]:
    for day in range(1, BULK_DAYS + 1):
        for number in range(BULK_PER_DAY):
            call_id = bulk_id(day, number)
            spoken = transcript(
                call_id, (REP, None, [f"The agenda of day {day} has point {number}.", "It was soon done."])
            )
            yield call(call_id, moment(day, number)), None if day in SILENT_DAYS else spoken


def users() -> list[Record]:
    # More than a page, and one of Gong's staff, who is listed only if the request includes avatars.
    named = {
        "id": REP_USER, "firstName": "Rita", "lastName": "O'Neill", "emailAddress": "Rita@seller.example",
        "active": True, "created": "2024-06-10T21:50:07.428+02:00", "managerId": "563515258458745",
        "settings": {}, "spokenLanguages": [],
    }  # fmt: skip
    others = [{"id": other_user(n), "firstName": f"User {n}", "active": n % 2 == 0} for n in range(CROWD)]
    return [
        named,
        *others,
        {"id": "900000000000000001", "firstName": "Gong", "lastName": "Admin", "avatar": True},
    ]


def other_user(number: int) -> str:
    """Return the id of a user. Number 0 is the manager."""
    return str(int(MANAGER_USER) + number)


def in_days(each: StoredCall) -> bool:
    return datetime.combine(FIRST, datetime.min.time(), UTC) <= each.time < datetime(2025, 3, 31, tzinfo=UTC)


def landed_calls(gong: Gong) -> dict[str, Record]:
    """Return the calls that must be in the tables, by id."""
    return {
        each.document["metaData"]["id"]: each.document
        for each in gong.calls
        if in_days(each) and not each.document["metaData"].get("isPrivate")
    }


def change(gong: Gong) -> None:
    """Change some calls in Gong, which does not report changes."""
    gong.calls = [each for each in gong.calls if each.id != DELETED]
    for index, each in enumerate(gong.calls):
        if each.id == HIDDEN:
            each.document["metaData"]["isPrivate"] = True
        if each.id == MOVED:
            later = datetime.fromisoformat(each.document["metaData"]["started"]) + timedelta(days=1)
            gong.calls[index] = stored(
                {**each.document, "metaData": {**each.document["metaData"], "started": later.isoformat()}}
            )
    edited = next(each for each in gong.transcripts if each["callId"] == EDITED)
    edited["transcript"][1]["sentences"][0]["text"] = EDITED_TO
    gong.transcripts.append(
        transcript(AWAITED, (CUSTOMER, None, ["The transcript took Gong a whole day to finish."]))
    )
