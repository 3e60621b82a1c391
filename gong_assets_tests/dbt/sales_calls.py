"""Calls of several kinds about HubSpot deals, each in a company of its own, for the figures about selling.

Each case has its own reps, calls and deals, so that one build serves all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from gong_assets_tests.dbt.records import Record


def days_ago(days: int) -> date:
    return datetime.now(UTC).date() - timedelta(days=days)


def rep(user_id: str, *, talk: float | None = None, spoke: bool = True, came: bool = True) -> Record:
    return {
        "id": f"p{user_id}", "userId": user_id, "speakerId": f"s{user_id}" if spoke and came else None,
        "name": f"Rep {user_id}", "emailAddress": f"{user_id}@seller.example", "affiliation": "Internal",
        "methods": ["Invitee", "Attendee"] if came else ["Invitee"], "talk": talk,
    }  # fmt: skip


def customer(
    name: str | None = "Cora",
    *,
    came: bool = True,
    spoke: bool = True,
    talk: float | None = None,
    **details: Any,
) -> Record:
    contact = details.pop("contact", None)
    objects = [{"objectType": "Contact", "objectId": contact, "timing": "Now", "fields": []}]
    return {
        "id": f"p{name or details.get('phoneNumber')}", "name": name, "affiliation": "External",
        "speakerId": f"s{name}" if spoke and came else None,
        "methods": ["Invitee", "Attendee"] if came else ["Invitee"],
        "context": [{"system": "HubSpot", "objects": objects}] if contact else [],
        "talk": talk, **details,
    }  # fmt: skip


def call(
    call_id: str, day: date, host: str, parties: list[Record], *, deal: str | None = None, **fields: Any
) -> tuple[date, Record, None]:
    """Return a landed call. Only parties with a talk time are in Gong's list of speakers."""
    stats = [{"name": "Talk Ratio", "value": fields.pop("talk_ratio")}] if "talk_ratio" in fields else []
    stats += [{"name": name, "value": value} for name, value in fields.pop("stats", {}).items()]
    content = fields.pop("content", {})
    speakers = [
        {"id": party["id"], "userId": party.get("userId"), "talkTime": party["talk"]}
        for party in parties
        if party.get("talk")
    ]
    objects = [{"objectType": "Deal", "objectId": deal, "timing": "Now", "fields": []}]
    meta = {"id": call_id, "title": call_id, "started": f"{day}T10:00:00Z", "duration": 1800}
    return day, {
        "metaData": {**meta, "primaryUserId": host, "scope": "External", "direction": "Conference", **fields},
        "parties": [{name: value for name, value in party.items() if name != "talk"} for party in parties],
        "context": [{"system": "HubSpot", "objects": objects}] if deal else [],
        "content": content,
        "interaction": {"speakers": speakers, "interactionStats": stats},
    }, None  # fmt: skip


def calls() -> Iterator[tuple[date, Record, None]]:
    yield from _of_closed_deals()
    yield from _of_open_deals()
    yield from _of_one_rep()
    yield call("H-share", days_ago(5), "share", [
        rep("share", talk=360), rep("expert", talk=990), customer(talk=450)])  # fmt: skip
    for call_id, value in (("H-negative", -3), ("H-measured", 30)):
        yield call(call_id, days_ago(4), "measured", [rep("measured"), customer()],
            stats={"Talk Ratio": value, "Longest Monologue": value})  # fmt: skip
    yield call("H-nobody", days_ago(5), "nobody", [
        {"id": "a", "affiliation": "Unknown", "speakerId": "1", "name": "Gil Recorder", "talk": 100},
        {"id": "b", "affiliation": "Unknown", "speakerId": "2", "phoneNumber": "+15550146", "talk": 300},
    ])  # fmt: skip
    yield call("H-absent", days_ago(5), "absent", [
        rep("absent", came=False), rep("expert", talk=900), customer(talk=450)])  # fmt: skip
    yield call("H-contact", days_ago(5), "contact", [
        rep("contact", talk=100), customer("Abe Absent", came=False, contact="9001"),
        customer("Carl's Notetaker (Otter.ai)", spoke=False, contact="9003"),
        customer("Bea Buyer", talk=200, contact="9002")])  # fmt: skip


def _of_closed_deals() -> Iterator[tuple[date, Record, None]]:
    """Two business reviews after the close of `8000001`; an internal review after the call of `8000002`."""
    yield call("H-qbr1", date(2026, 9, 14), "success", [rep("success"), customer()], deal="8000001")
    yield call("H-qbr2", date(2026, 10, 12), "success", [rep("success"), customer()], deal="8000001")
    yield call("H-sold", date(2026, 9, 3), "closer", [rep("closer"), customer()], deal="8000002")
    yield call("H-forecast", date(2026, 9, 6), "director", [rep("director"), rep("closer")], deal="8000002",
        scope="Internal")  # fmt: skip
    yield call("H-voicemail", date(2026, 9, 7), "director", [rep("director"), customer(spoke=False)],
        deal="8000002", direction="Outbound", duration=90)  # fmt: skip
    yield call("H-kickoff", date(2026, 10, 1), "success", [rep("success"), customer()], deal="8000002")


def _of_open_deals() -> Iterator[tuple[date, Record, None]]:
    yield call("H-quiet", days_ago(47), "closer", [rep("closer"), customer()], deal="8000003")
    yield call("H-pipeline", days_ago(1), "director", [rep("director"), rep("closer")], deal="8000003",
        scope="Internal")  # fmt: skip
    yield call("H-met", days_ago(37), "waits", [rep("waits"), customer()], deal="8000004")
    yield call("H-noshow", days_ago(2), "waits", [rep("waits", talk=12), customer(came=False)],
        deal="8000004", duration=240)  # fmt: skip
    yield call("H-botonly", days_ago(1), "waits", [
        rep("waits", talk=12), customer("Read.ai meeting notes", spoke=False)],
        deal="8000004")  # fmt: skip
    yield call("H-angry", days_ago(6), "phone", [rep("phone", talk=100), {
        "id": "dial-in", "affiliation": "Unknown", "speakerId": "2", "phoneNumber": "+15550100",
        "methods": ["Attendee"], "talk": 300}], deal="8000005", direction="Outbound")  # fmt: skip
    for day, number in ((9, "+15550142"), (8, "001 555 0142"), (7, "+1 (555) 0142")):
        yield call(f"H-phone{day}", days_ago(day), "phone", [
            rep("phone", talk=100), customer(None, phoneNumber=number, talk=100)],
            deal="8000006", direction="Outbound")  # fmt: skip


def _of_one_rep() -> Iterator[tuple[date, Record, None]]:
    """Four conversations, six voicemails and three internal meetings in one month."""
    for day in range(1, 5):
        yield call(f"H-talk{day}", date(2026, 9, day), "dialer", [rep("dialer"), customer()], talk_ratio=0.45)
    for day in range(1, 7):
        yield call(f"H-vm{day}", date(2026, 9, day), "dialer", [rep("dialer"), customer(spoke=False)],
            talk_ratio=1, duration=25, direction="Outbound")  # fmt: skip
    for day in range(1, 4):
        yield call(f"H-int{day}", date(2026, 9, day), "dialer", [rep("dialer"), rep("closer")],
            talk_ratio=0.85, scope="Internal")  # fmt: skip
    # A month later one call of nine has a talk ratio.
    for day in range(1, 10):
        ratio = {"talk_ratio": 0.9} if day == 1 else {}
        yield call(f"H-oct{day}", date(2026, 10, day), "dialer", [rep("dialer"), customer()], **ratio)


def transcripts() -> Iterator[tuple[date, Record]]:
    def said(call_id: str, *turns: tuple[str, str]) -> Record:
        return {"callId": call_id, "transcript": [
            {"speakerId": speaker, "topic": None, "sentences": [
                {"start": index * 5000, "end": index * 5000 + 4000, "text": text}]}
            for index, (speaker, text) in enumerate(turns)
        ]}  # fmt: skip

    yield (
        days_ago(6),
        said(
            "H-angry",
            ("sphone", "Hello, how is it going with the software today?"),
            (
                "2",
                "Honestly it is terrible, we are very unhappy and angry, the worst experience, we hate it.",
            ),
        ),
    )
    for day in range(1, 5):
        yield (
            date(2026, 9, day),
            said(
                f"H-talk{day}",
                ("sCora", "This is wonderful, we love the product and we are very happy with it."),
            ),
        )


# Ids, stages, close dates and amounts of the deals in HubSpot.
DEALS = (
    ("8000001", "closedwon", "2023-05-10", 120000),
    ("8000002", "closedwon", "2026-09-07", 50000),
    ("8000003", "sent", "2099-01-01", 1),
    ("8000004", "sent", "2099-01-01", 1),
    ("8000005", "sent", "2099-01-01", 1),
    ("8000006", "sent", "2099-01-01", 1),
    ("8000007", "closedwon", "2026-09-20", 700),
)
