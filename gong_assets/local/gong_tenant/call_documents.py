"""The JSON of calls and transcripts.

Response keys follow Gong's OpenAPI document. A block that was not selected, or is not computed yet, is absent
rather than null.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from gong_assets.local.gong_tenant import call_analysis
from gong_assets.local.gong_tenant.calls import Call
from gong_assets.local.gong_tenant.company import TIME_ZONE, Account, Company, Contact, Deal, User
from gong_assets.local.gong_tenant.request_bodies import ContentSelector
from gong_assets.local.gong_tenant.speech import Conversation, topic_label

Json = dict[str, Any]

COMMENT_RATE = 20  # one of this many calls has a comment
SPARSE_PARTY_RATE = 3  # one of this many external parties lacks the keys without a value
MEDIA_URL_SECONDS = 28_799  # eight hours, as Gong signs them


def basic(company: Company, call: Call, conversation: Conversation, now: datetime) -> Json:
    """Return CallBasicData: an item of GET /v2/calls, and ``metaData`` of POST /v2/calls/extensive."""
    title = call.kind.title.format(account=call.account.name)
    return {
        "id": call.id,
        "url": f"https://app.gong.example/call?id={call.id}",
        "title": title if call.titled else None,
        "scheduled": None if call.by_phone or call.imported else call.scheduled.isoformat(),
        "started": call.started.isoformat(),
        "duration": conversation.duration_seconds,
        "primaryUserId": call.host.id,
        "direction": _direction(call),
        "system": "Upload API" if call.imported else "Outreach" if call.by_phone else "Zoom",
        "scope": "Unknown" if call.imported else "External",
        "media": "Audio" if call.by_phone or call.imported else "Video",
        "language": "eng",
        "workspaceId": company.workspace_id,
        "sdrDisposition": "Connected" if call.by_phone else None,
        "clientUniqueId": f"upload-{call.id[-6:]}" if call.imported else None,
        "customData": None,
        "purpose": call.kind.name.replace("_", " ").capitalize() if call.titled else None,
        "meetingUrl": None if call.by_phone or call.imported else f"https://zoom.example/j/{call.id[:11]}",
        "isPrivate": call.lifecycle.is_private(now),
        "calendarEventId": None if call.by_phone or call.imported else f"evt{call.id[-12:]}",
    }


def is_conference(call: Call) -> bool:
    """Return whether a call is a web conference, which GET /v2/calls filters by its scheduled time."""
    return _direction(call) == "Conference"


def extensive(
    company: Company, call: Call, conversation: Conversation, selector: ContentSelector, now: datetime
) -> Json:
    """Return CallData: an item of POST /v2/calls/extensive."""
    fields = selector.exposed_fields
    document: Json = {"metaData": basic(company, call, conversation, now)}
    if selector.context != "None":
        document["context"] = _context(call, selector, now)
    if fields.parties and not call.imported:
        document["parties"] = _parties(company, call, conversation, selector)
    if call.lifecycle.enriched_at <= now and (
        block := call_analysis.content(company, call, conversation, fields.content)
    ):
        document["content"] = block
    if not call.imported and (
        block := call_analysis.interaction(company, call, conversation, fields.interaction)
    ):
        document["interaction"] = block
    if fields.collaboration.public_comments:
        document["collaboration"] = _collaboration(company, call, conversation)
    if fields.media:
        document["media"] = _media(call)
    return document


def transcript(company: Company, call: Call, conversation: Conversation) -> Json:
    """Return an item of POST /v2/calls/transcript, with times in milliseconds from the start of the call."""
    return {
        "callId": call.id,
        "transcript": [
            {
                "speakerId": call_analysis.speaker_id(company, call, turn.speaker),
                # In Gong most monologues have no topic.
                "topic": topic_label(turn.topic) if number % 3 == 0 else None,
                "sentences": [
                    {"start": sentence.start_ms, "end": sentence.end_ms, "text": sentence.text}
                    for sentence in turn.sentences
                ],
            }
            for number, turn in enumerate(conversation.turns)
        ],
    }


def _direction(call: Call) -> str:
    if call.imported:
        return "Unknown"
    if not call.by_phone:
        return "Conference"
    return "Outbound" if int(call.id) % 4 else "Inbound"


def _parties(
    company: Company, call: Call, conversation: Conversation, selector: ContentSelector
) -> list[Json]:
    speakers = call_analysis.talk_seconds(conversation)
    return [
        {
            "id": call_analysis.party_id(company, call, position),
            **_person(person, sparse=(int(call.id) + position) % SPARSE_PARTY_RATE == 0),
            "speakerId": call_analysis.speaker_id(company, call, position) if position in speakers else None,
            "context": [] if selector.context == "None" else _party_context(call, person, selector),
            "affiliation": "Internal" if isinstance(person, User) else "External",
            "methods": ["Invitee"] if position in call.silent else ["Invitee", "Attendee"],
        }
        for position, person in enumerate(call.attendees)
    ]


def _person(person: User | Contact, *, sparse: bool) -> Json:
    known = {"emailAddress": person.email, "name": person.name}
    if isinstance(person, User):
        return known | {"title": person.title, "userId": person.id, "phoneNumber": None}
    return known if sparse else known | {"title": person.title, "userId": None, "phoneNumber": None}


def _party_context(call: Call, person: User | Contact, selector: ContentSelector) -> list[Json]:
    if not call.deals or isinstance(person, User):
        return []
    fields = {"firstname": person.first_name, "lastname": person.last_name, "jobtitle": person.title}
    objects = [_crm_object("Contact", person.id, fields, timing, selector) for timing in _timings(selector)]
    return [{"system": "HubSpot", "objects": objects}]


def _context(call: Call, selector: ContentSelector, now: datetime) -> list[Json]:
    deals = call.deals_before if call.lifecycle.awaits_relinking(now) else call.deals
    if not deals:
        return []
    return [{"system": "HubSpot", "objects": list(_crm_objects(call, deals, selector, now))}]


def _crm_objects(
    call: Call, deals: Sequence[Deal], selector: ContentSelector, now: datetime
) -> Iterator[Json]:
    """Yield account and deals for each timing, with Gong's types: a HubSpot deal is an Opportunity."""
    for timing in _timings(selector):
        moment = now if timing == "Now" else call.started
        yield _crm_object("Account", call.account.id, _account_fields(call.account), timing, selector)
        for deal in deals:
            fields = _deal_fields(deal, moment)
            yield _crm_object("Opportunity", deal.id, fields, timing, selector)


def _timings(selector: ContentSelector) -> tuple[str, ...]:
    return selector.context_timing if selector.context == "Extended" else ("Now",)


def _crm_object(kind: str, object_id: str, fields: Json, timing: str, selector: ContentSelector) -> Json:
    """Return a CRM object: the link only for ``Basic`` context, with fields and timing for ``Extended``."""
    link: Json = {"objectType": kind, "objectId": object_id}
    if selector.context == "Basic":
        return link
    return link | {
        "fields": [{"name": name, "value": value} for name, value in fields.items()],
        "timing": timing,
    }


def _account_fields(account: Account) -> Json:
    return {
        "name": account.name,
        "domain": account.domain,
        "industry": account.industry,
        "numberofemployees": account.employees,
        "annualrevenue": str(account.revenue),
    }


def _deal_fields(deal: Deal, moment: datetime) -> Json:
    """Return CRM fields with Gong's mix of types: numbers, and strings of numbers, booleans and dates."""
    day = max(moment.astimezone(TIME_ZONE).date(), deal.opened)
    stage = deal.stage(day)
    return {
        "dealname": deal.name,
        "dealstage": stage.id,
        "pipeline": deal.pipeline.id,
        "amount": deal.amount_on(day),
        "deal_currency_code": deal.account.currency,
        "hs_deal_stage_probability": str(stage.probability),
        "closedate": deal.closes.isoformat(),
        "dealtype": deal.deal_type,
        "hs_is_closed": "true" if day >= deal.closes else "false",
        "hs_priority": None,
    }


def has_comment(call: Call) -> bool:
    return int(call.id) % COMMENT_RATE == 0


def _collaboration(company: Company, call: Call, conversation: Conversation) -> Json:
    if not has_comment(call):
        return {}
    turn = conversation.turns[len(conversation.turns) // 2]
    comment = {
        "id": company.gong_id("comment", call.id),
        "audioStartTime": turn.start_ms / 1000,
        "audioEndTime": turn.end_ms / 1000,
        "commenterUserId": company.manager.id,
        "comment": 'Nice "pause" here 👏\nTry to ask one more open question.',
        "posted": call.lifecycle.visible_at.astimezone(TIME_ZONE).isoformat(),
        "inReplyTo": None,
        "duringCall": False,
    }
    return {"publicComments": [comment]}


def _media(call: Call) -> Json:
    """Return media links. As in Gong, each response has new signatures; the links lead nowhere."""
    kinds = {"audioUrl": "mp3"} if call.by_phone or call.imported else {"audioUrl": "mp3", "videoUrl": "mp4"}
    return {
        name: f"https://media.gong.example/{call.id}.{extension}"
        f"?X-Amz-Expires={MEDIA_URL_SECONDS}&X-Amz-Signature={secrets.token_hex(32)}"
        for name, extension in kinds.items()
    }
