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
