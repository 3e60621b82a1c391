"""Calls and transcripts for the tests of sources, in the shape of Gong's API."""

from __future__ import annotations

from typing import Any

from gong_assets_tests.warehouse.sources.tenant import Tenant

Json = dict[str, Any]


def call(call_id: str, started: str, *, private: bool = False, **meta: Any) -> Json:
    return {
        "metaData": {
            "id": call_id,
            "url": f"https://app.gong.example/call?id={call_id}",
            "title": f"Call {call_id}",
            "scheduled": None,
            "started": started,
            "duration": 600,
            "primaryUserId": "501",
            "direction": "Outbound",
            "system": "Zoom",
            "scope": "External",
            "media": "Video",
            "language": "eng",
            "workspaceId": "77",
            "sdrDisposition": None,
            "clientUniqueId": None,
            "customData": None,
            "purpose": None,
            "meetingUrl": None,
            "isPrivate": private,
            "calendarEventId": None,
            **meta,
        },
        "context": [],
        "parties": [
            {
                "id": f"9{call_id[-5:]}",
                "emailAddress": "ann@customer.example",
                "name": "Ann",
                "title": None,
                "userId": None,
                "phoneNumber": None,
                "speakerId": "71",
                "context": [],
                "affiliation": "External",
                "methods": ["Attendee"],
            }
        ],
        "content": {"brief": f"About {call_id}.", "trackers": []},
        "interaction": {"questions": {"companyCount": 1, "nonCompanyCount": 2}},
        "collaboration": {"publicComments": []},
    }


def transcript(call_id: str, text: str = "Good morning.") -> Json:
    sentence = {"start": 0, "end": 900, "text": text}
    return {
        "callId": call_id,
        "transcript": [{"speakerId": "71", "topic": None, "sentences": [sentence]}],
    }


def tenant(*calls: Json) -> Tenant:
    """Return a tenant with these calls, each with a transcript."""
    transcripts = [transcript(each["metaData"]["id"]) for each in calls]
    return Tenant(list(calls), transcripts, users=[], workspaces=[], scorecards=[], answered=[])
