"""Odd records as live accounts send them, and invalid records.

All are dated February 2018, like the examples of Gong's OpenAPI document. A comment says what is odd about
each record; the expected results are in `test_foreign_records.py`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from gong_assets_tests.end_to_end.gong_records import Record, StoredCall, stored
from gong_assets_tests.hostile import ALL

SPARSE, NULLS, TEXTS, NOISE, TWICE, NEWER, UNSTARTED, HOSTILE = (str(10**17 + n) for n in range(8))

ANN = {"id": "5", "name": "Ann", "affiliation": "External"}

STARTED = "2018-02-19T09:00:00.816562+02:00"


def call(call_id: Any, started: str | None = STARTED, *, meta: Record | None = None, **blocks: Any) -> Record:
    return {"metaData": {"id": call_id, "started": started, **(meta or {})}, **blocks}


def odd_calls() -> list[StoredCall]:
    return [
        # Blocks that Gong has not computed yet are absent or empty, and a party may have little more than an
        # id.
        stored(
            call(
                SPARSE,
                context=[],
                parties=[{"id": "1", "speakerId": None}],
                content={},
                interaction={},
                collaboration={},
            )
        ),
        # Any field may be null.
        stored(
            call(
                NULLS,
                meta=dict.fromkeys(
                    (
                        *("title", "scheduled", "duration", "primaryUserId", "direction", "isPrivate"),
                        "customData",
                    )
                ),
                context=None,
                parties=[{"id": "1", "name": None, "affiliation": None, "methods": None, "context": None}],
                content=dict.fromkeys(
                    ("topics", "trackers", "brief", "highlights", "keyPoints", "callOutcome")
                ),
                interaction=dict.fromkeys(("speakers", "interactionStats", "questions")),
                collaboration=None,
            )
        ),
        # Numbers and booleans in text form, and CRM field values of every type.
        stored(
            call(
                TEXTS,
                meta={
                    "duration": "1785",
                    "isPrivate": "false",
                    "language": "zxx",
                    "scope": "Unknown",
                    "customData": '{"k": 1}',
                },
                context=[
                    {
                        "system": "hubspot",
                        "objects": [
                            {
                                "objectType": "DEAL",
                                "objectId": 2271307570613351879,
                                "timing": None,
                                "fields": [
                                    {"name": "dealname", "value": "From Gong"},
                                    {"name": "amount", "value": "232"},
                                    {"name": "isclosed", "value": "false"},
                                    {"name": "closedate", "value": "2018-03-01"},
                                    {"name": "owners", "value": [1, None]},
                                    {"name": None},
                                ],
                            },
                            {"objectType": None, "objectId": None, "fields": None},
                        ],
                    }
                ],
                interaction={
                    "interactionStats": [
                        {"name": "Talk Ratio", "value": "0.25"},
                        {"name": "Patience", "value": None},
                    ]
                },
            )
        ),
        # Rounding errors of float32, integers among fractions, speakerID with a capital D, a tracker without
        # occurrences.
        stored(
            call(
                NOISE,
                meta={"duration": 1785.0},
                content={
                    "outline": [
                        {
                            "section": "A",
                            "startTime": 568.9000244140625,
                            "duration": 3.0517578125e-05,
                            "items": [],
                        }
                    ],
                    "trackers": [
                        {
                            "id": "1",
                            "name": "Budget",
                            "count": 0,
                            "type": "SMART",
                            "occurrences": None,
                            "phrases": [],
                        }
                    ],
                    "topics": [{"name": "Pricing", "duration": 0}, {"name": "Pricing", "duration": 90.5}],
                    "pointsOfInterest": {
                        "actionItems": [
                            {
                                "snippetStartTime": 10.1,
                                "snippetEndTime": 12,
                                "speakerID": "77",
                                "snippet": "Send the contract",
                            }
                        ]
                    },
                },
                interaction={
                    "interactionStats": [
                        {"name": "Talk Ratio", "value": 1},
                        {"name": "Longest Monologue", "value": 12.7},
                    ]
                },
            )
        ),
        # The same person as invitee and as attendee, and parties without an id.
        stored(
            call(
                TWICE,
                parties=[
                    {**ANN, "methods": ["Invitee"], "speakerId": None},
                    {**ANN, "methods": ["Attendee"], "speakerId": "55"},
                    {"phoneNumber": "+1 123", "affiliation": "Unknown"},
                    {"phoneNumber": "+1 456", "affiliation": "Unknown"},
                ],
            )
        ),
        # Fields that Gong may add without notice.
        stored(
            call(
                NEWER,
                meta={"newIn2027": {"nested": [1, {"x": None}]}},
                content={"newBlock": []},
                newTop=[],
            )
        ),
        # Texts that each reader could take for more than texts.
        stored(
            call(
                HOSTILE,
                meta={"title": ALL},
                parties=[{"id": "9", "speakerId": "99", "name": ALL, "affiliation": "External"}],
                content={"trackers": [{"id": "1", "name": ALL, "count": 1}], "brief": ALL},
            )
        ),
        # Scheduled, but never started.
        StoredCall(call(UNSTARTED, None, meta={"scheduled": STARTED}), datetime.fromisoformat(STARTED)),
    ]  # fmt: skip


def unusable_calls() -> list[StoredCall]:
    """Return invalid calls."""
    when = datetime(2018, 2, 20, 12, tzinfo=UTC)
    documents: list[Record] = [
        {"metaData": {"started": STARTED, "title": "no id"}, "parties": []},
        {"metaData": {"id": "", "started": STARTED, "title": "an empty id"}},
        call("200000000000000001", "yesterday"),
        call("200000000000000002", None),
        {"parties": [], "context": []},
        {"metaData": None},
        {"metaData": {"id": {"value": 1}, "started": 1519000000}},
    ]
    return [StoredCall(document, when) for document in documents]


def odd_transcripts() -> list[Record]:
    def sentence(start: Any, text: Any, **more: Any) -> Record:
        return {"start": start, "end": start, "text": text, **more}

    return [
        {"callId": SPARSE, "transcript": None},
        {"callId": NULLS},
        {
            "callId": TEXTS,
            "transcript": [
                {
                    "speakerId": 77,
                    "topic": None,
                    "sentences": [sentence("1200", "Numbers may come as texts.", newKey=1)],
                },
                {"speakerId": None, "sentences": None},
                {"sentences": [sentence(None, "Nobody knows when this was said."), sentence(None, None)]},
            ],
        },
        {
            "callId": NOISE,
            "transcript": [{"speakerId": "77", "sentences": [sentence(0, "It begins at zero.")]}],
        },
        {
            "callId": TWICE,
            "transcript": [{"speakerId": "55", "sentences": [sentence(1, "I am here only once.")]}],
        },
        {
            "callId": HOSTILE,
            "transcript": [{"speakerId": "99", "sentences": [sentence(1, ALL)]}],
        },
    ]


def odd_users() -> list[Record]:
    return [
        {"id": "1"},
        {
            "id": 234599484848424,
            "active": None,
            "created": None,
            "emailAddress": None,
            "conferencingProviders": [{"a": 1}],
        },
        {"emailAddress": "nobody@example.com"},
    ]
