"""Gong records for the tests of the models, in all known shapes of Gong's API, including unusual ones.

Three days of calls, and the other lists. Comments give the purpose of a record.
"""

from __future__ import annotations

from datetime import date
from typing import Any

Record = dict[str, Any]

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 2), date(2026, 11, 3), date(2026, 11, 4)

# 20 digits exceed 64 bits. Gong's ids have up to 20 digits.
LONG_ID = "99999999999999999999"
FULL, NEAR_MIDNIGHT, IMPORTED, NO_HUBSPOT, SILENT = LONG_ID, "1002", "1003", "1004", "1005"
INVALID, STRANGE_TEXT, LONG_TURN = "1006", "1007", "1008"

STRANGE = 'She said "it\'s 100% fine" \\ no \\n newline\nreal newline 😀 für 日本語 $$ {{ jinja }} ; --'


def sentence(start: int, end: int, text: Any) -> Record:
    return {"start": start, "end": end, "text": text}


def turn(speaker_id: str | None, *sentences: Record, topic: str | None = None) -> Record:
    return {"speakerId": speaker_id, "topic": topic, "sentences": list(sentences)}


def meta(call_id: Any, started: str, **fields: Any) -> Record:
    return {"id": call_id, "started": started, "primaryUserId": "501", "duration": 1800, **fields}


def words(count: int, word: str) -> str:
    """Return a sentence with this many words."""
    return " ".join([word] * count) + "."


def _rep() -> Record:
    return {
        "id": "4001", "speakerId": "7001", "userId": "501", "name": "Rita Rep",
        "emailAddress": "Rita@Seller.example",
        "title": "Account Executive", "affiliation": "Internal", "methods": ["Invitee", "Attendee"],
        "context": [],
    }  # fmt: skip


def _customer() -> Record:
    return {
        "id": "4002", "speakerId": "7002", "name": "Carl Customer", "emailAddress": "carl@customer.example",
        "affiliation": "External", "methods": ["Attendee"],
        "context": [{"system": "HubSpot", "objects": [
            {"objectType": "Contact", "objectId": "8801",
                "fields": [{"name": "company", "value": "Customer Ltd"}]},
        ]}],
    }  # fmt: skip


def deal(deal_id: Any, timing: str | None, object_type: str = "Opportunity", **fields: Any) -> Record:
    return {
        "objectType": object_type,
        "objectId": deal_id,
        **({"timing": timing} if timing else {}),
        "fields": [{"name": name, "value": value} for name, value in fields.items()],
    }


def calls() -> list[tuple[date, Record, str | None]]:
    """Return (call date, RAW_DATA, PROCESSING_ERROR) of each call."""
    full = {
        "metaData": meta(
            FULL, "2026-11-02T03:00:00.123456-07:00", scheduled="2026-11-02T10:00:00Z", title="Pricing",
            direction="Conference", system="Zoom", scope="External", media="Video", language="eng",
            url="https://app.gong.io/call?id=1", workspaceId="623457276584334", isPrivate=True, duration=1785,
            purpose="Negotiation", sdrDisposition="Connected", clientUniqueId="zoom-7", customData='{"a": 1}',
            calendarEventId="evt1", meetingUrl="https://zoom.example/j/7",
        ),
        "context": [
            {"system": "Salesforce", "objects": [deal("006A", "Now", Name="SF deal",
                StageName="Prospecting")]},
            {"system": "HubSpot", "objects": [
                deal("8070190", "TimeOfCall", dealstage="appointmentscheduled", amount="100"),
                deal(8070190, "Now", dealstage="closedwon", amount=12000.5, dealname="Customer Ltd renewal"),
                deal("8070191", "Now", amount="not a number"),
                deal("8070192", "TimeOfCall"),
                deal("555", None, "ACCOUNT", name="Customer Ltd", **{'a "note"': STRANGE}),
            ]},
        ],
        # The customer is listed twice; the first entry has no speakerId.
        "parties": [{**_customer(), "speakerId": None}, _rep(), _customer(),
            {"affiliation": "Unknown", "id": "4003"}],
        "content": {
            "brief": "They agreed.",
            "topics": [{"name": "Pricing", "duration": 60}, {"name": "Small talk", "duration": 0},
                       {"name": "Security", "duration": 90}],
            "trackers": [
                {"id": "77", "name": "Competitors", "count": 3, "type": "KEYWORD", "occurrences": [
                    {"startTime": 12.5, "speakerId": "7002"}, {"startTime": 2.25, "speakerId": "7001"},
                    {"startTime": 40.0, "speakerId": "7002"}], "phrases": []},
                {"id": "78", "name": "Budget", "count": 1, "type": "SMART", "phrases": [
                    {"phrase": "budget", "count": 1,
                        "occurrences": [{"startTime": 5.0, "speakerId": "7001"}]}]},
                {"id": "79", "name": "Unheard", "count": 0},
            ],
            "keyPoints": [{"text": "Price is fine"}, {"text": "Legal is next"}],
            "highlights": [{"title": "Next Steps",
                "items": [{"text": "Send contract"}, {"text": "Call Tuesday"}]}],
            "callOutcome": {"id": "1", "category": "ANSWERED", "name": "Meeting set"},
            # Widened single-precision numbers.
            "outline": [{"section": "Pricing", "startTime": 568.9000244140625, "duration": 60.0, "items": [
                {"text": "The price", "startTime": 570.0}]}],
            "structure": [{"name": "Intro", "duration": 20}],
        },
        "interaction": {
            "speakers": [{"id": "4001", "userId": "501", "talkTime": 90.0}, {"id": "4002", "talkTime": 30.0}],
            "interactionStats": [
                {"name": "Talk Ratio", "value": 0.7}, {"name": "Longest Monologue", "value": 66},
                {"name": "Interactivity", "value": 4.2}, {"name": "Patience", "value": 0.92},
                {"name": "Longest Customer Story", "value": 95.5}],
            "video": [{"name": "Presentation", "duration": 600}, {"name": "Presentation", "duration": 0.5},
                      {"name": "WebcamPrimaryUser", "duration": 1700.25},
                      {"name": "Hologram", "duration": 9}],
            "questions": {"companyCount": 5, "nonCompanyCount": 2},
        },
        "collaboration": {"publicComments": [
            {"id": "9001", "audioStartTime": 12.5, "audioEndTime": 40.0, "commenterUserId": "502",
                "comment": STRANGE,
             "posted": "2026-11-02T23:30:00-08:00", "inReplyTo": None, "duringCall": False},
            {"id": "9002", "comment": "Thanks", "inReplyTo": "9001"}]},
    }  # fmt: skip
    near_midnight = {
        # 23:30 on Monday in Los Angeles is Tuesday in UTC.
        "metaData": meta(NEAR_MIDNIGHT, "2026-11-02T23:30:00-08:00", title=None, isPrivate=None),
        "context": [{"system": "hubspot", "objects": [
            deal("8070199", "Now", "Deal"), deal("556", "Now", "company", Name="Other Ltd")]}],
        "parties": [_rep(), _customer()],
        "content": {"pointsOfInterest": {"actionItems": [
            {"snippet": "Send the paper", "snippetStartTime": 12.5, "snippetEndTime": 20}]}, "topics": None},
        "interaction": {"speakers": [{"id": "4001", "talkTime": 60}, {"id": "4002", "talkTime": 20}]},
    }  # fmt: skip
    imported = {"metaData": meta(IMPORTED, "2026-11-03T10:00:00Z", title="Imported", primaryUserId="502")}
    no_hubspot = {
        "metaData": meta(NO_HUBSPOT, "2026-11-03T11:00:00+02:00"),
        "context": [{"system": "Salesforce", "objects": [
            deal("006B", "TimeOfCall", Name="SF only", StageName="Won", Amount="1e3"),
            {"objectType": "Account"}]}],
        "parties": [],
        "content": {},
        "interaction": {},
    }  # fmt: skip
    return [
        (MONDAY, full, None),
        (TUESDAY, near_midnight, None),
        (TUESDAY, imported, None),
        (TUESDAY, no_hubspot, None),
        (TUESDAY, {"metaData": meta(SILENT, "2026-11-03T12:00:00Z")}, None),
        (TUESDAY, {"metaData": {"id": INVALID}}, "metaData.started: Field required"),
        (
            WEDNESDAY,
            {"metaData": meta(STRANGE_TEXT, "2026-11-04T12:00:00Z", title=STRANGE), "parties": [_rep()]},
            None,
        ),
        (
            WEDNESDAY,
            {"metaData": meta(LONG_TURN, "2026-11-04T13:00:00Z"), "parties": [_rep(), _customer()]},
            None,
        ),
    ]


def transcripts() -> list[tuple[date, Record]]:
    """Return (call date, TRANSCRIPT_DATA) of each transcript."""
    return [
        (MONDAY, {"callId": FULL, "transcript": [
            turn("7001", sentence(1000, 2500, "Hello Carl, thank you for joining."),
                sentence(2500, 4000, "How are you?"),
                 topic="Small talk"),
            turn("7002", sentence(4200, 9001, "Honestly we are very unhappy with the terrible price."),
                topic="Pricing"),
            turn("7001", sentence(9500, 9900, "Ok.")),
            turn("9999", sentence(10000, 11000, "I love this wonderful product, it is great.")),
            turn(None, sentence(12000, 13000, "Nobody knows who said this.")),
        ]}),
        (TUESDAY, {"callId": NEAR_MIDNIGHT, "transcript": [
            # Two turns in the same millisecond, and turns without words.
            turn("7001", sentence(0, 900, "We start at once.")),
            turn("7002", sentence(0, 800, "We also start at once.")),
            turn("7001"),
            turn("7001", sentence(1000, 1100, ""), sentence(1100, 1200, "  "), sentence(1200, 1300, None)),
            {"speakerId": "7001", "topic": None},
        ]}),
        (TUESDAY, {"callId": IMPORTED, "transcript": [turn("1", sentence(5, 10, "Hello from an import."))]}),
        # Landed on another day than its call.
        (MONDAY, {"callId": NO_HUBSPOT,
            "transcript": [turn(None, sentence(0, 4000, "The renewal is on track for June."))]}),
        (TUESDAY, {"callId": SILENT, "transcript": []}),
        (TUESDAY, {"callId": "1999", "transcript": [turn("1", sentence(0, 10, "This call is not known."))]}),
        (WEDNESDAY, {"callId": STRANGE_TEXT, "transcript": [turn("7001", sentence(0, 5000, STRANGE))]}),
        (WEDNESDAY, {"callId": LONG_TURN, "transcript": [
            turn("7001", *(sentence(i * 1000, i * 1000 + 900, words(60, f"w{i}")) for i in range(7))),
            turn("7002", sentence(8000, 9000, words(450, "long")), sentence(9000, 9500, "And a short end.")),
            # Exceeds the token limit: an English model has a token for each of these letters.
            turn("7001", sentence(10000, 19000, words(150, "предложение"))),
        ]}),
    ]  # fmt: skip


def users() -> list[Record]:
    return [
        {"id": "501", "emailAddress": "Rita@Seller.example", "firstName": "Rita", "lastName": "Rep",
            "active": True,
         "emailAliases": ["rita.rep@seller.example"],
         "created": "2026-06-10T21:50:07.428+02:00", "title": "Account Executive", "managerId": "502"},
        {"id": "502", "emailAddress": "max@seller.example", "firstName": None, "lastName": "Manager",
            "active": False},
    ]  # fmt: skip
