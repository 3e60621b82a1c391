"""Calls of reps and HubSpot records that changed, and of texts in several languages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from gong_assets_tests.dbt.records import Record
from gong_assets_tests.dbt.sales_calls import call, customer, days_ago, rep

PRICE = "The price of the annual plan is far too high for us."


def _named(user_id: str, name: str, email: str) -> Record:
    return {**rep(user_id), "name": name, "emailAddress": email}


def users() -> Iterator[Record]:
    for user_id, first, last, email, aliases in (
        ("moved", "Fay", "Moved", "fay@new-name.example", ["Fay@old-name.example"]),
        ("renamed", "Gia", "Abel", "gia.abel@seller.example", []),
        ("same1", "Sam", "Same", "sam1@seller.example", []),
        ("same2", "Sam", "Same", "sam2@seller.example", []),
    ):
        yield {
            "id": user_id, "firstName": first, "lastName": last, "emailAddress": email,
            "emailAliases": aliases, "active": True,
        }  # fmt: skip


def calls() -> Iterator[tuple[date, Record, None]]:
    for call_id, days, user_id, name, email in (
        ("I-old-mail", 20, "moved", "Fay Moved", "fay@old-name.example"),
        ("I-new-mail", 4, "moved", "Fay Moved", "fay@new-name.example"),
        ("I-zorn", 20, "renamed", "Gia Zorn", "gia.zorn@seller.example"),
        ("I-abel", 4, "renamed", "Gia Abel", "gia.abel@seller.example"),
        ("I-gone1", 20, "deleted", "Zoe Before", "zoe.before@seller.example"),
        ("I-gone2", 4, "deleted", "Zoe After", "zoe@seller.example"),
        ("I-same1", 4, "same1", "Sam Same", "sam1@seller.example"),
        ("I-same2", 4, "same2", "Sam Same", "sam2@seller.example"),
    ):
        parties = [_named(user_id, name, email), customer()]
        yield call(call_id, days_ago(days), user_id, parties)
    yield _merged("I-merged", "9023001", "9023901")
    yield _merged("I-renamed-company", "9023003", "9023903")
    yield from _of_trackers()
    yield from _of_meetings()
    yield call("I-scripts", days_ago(4), "scripts", [rep("scripts"), customer()])


def _merged(call_id: str, deal: str, company: str) -> tuple[date, Record, None]:
    day, record, error = call(call_id, days_ago(4), "merger", [rep("merger"), customer()], deal=deal)
    fields = [{"name": "name", "value": "Old name Ltd"}]
    account = {"objectType": "Account", "objectId": company, "timing": "Now", "fields": fields}
    record["context"][0]["objects"].append(account)
    return day, record, error


def _of_trackers() -> Iterator[tuple[date, Record, None]]:
    def tracker(name: str, *speakers: str, **values: Any) -> Record:
        occurrences = [{"startTime": at, "speakerId": speaker} for at, speaker in enumerate(speakers, 5)]
        return {"id": name, "name": name, "count": len(speakers), "occurrences": occurrences, **values}

    said = [
        tracker("Noise cancellation feature", "sCora"), tracker("Asterisk PBX", "sCora"),
        tracker("Wettbewerber", "sCora"), tracker("RISKS!", "sCora"), tracker("Competitors", "sscripts"),
        tracker("Objections", "sscripts", "sCora", "nobody"), tracker("Churn", count=2),
        tracker("Pricing", "sCora", "sCora"), tracker("Pricing", "sCora"),
    ]  # fmt: skip
    yield call("I-trackers", days_ago(4), "scripts", [rep("scripts"), customer()],
        content={"trackers": said})  # fmt: skip


def _of_meetings() -> Iterator[tuple[date, Record, None]]:
    for call_id, started in (("I-dropped", "10:00"), ("I-back", "10:12")):
        yield call(call_id, days_ago(4), "meets", [rep("meets"), customer()], deal="9049001",
            calendarEventId="event", started=f"{days_ago(4)}T{started}:00Z")  # fmt: skip
    yield call("I-next", days_ago(3), "meets", [rep("meets"), customer()], deal="9049001",
        calendarEventId="event")  # fmt: skip
    yield call("I-past", days_ago(60), "meets", [rep("meets"), customer()], deal="9032001")
    yield call("I-2062", date(2062, 11, 20), "meets", [rep("meets"), customer()], deal="9032001")


def transcripts() -> Iterator[tuple[date, Record]]:
    yield _said(20, "I-old-mail", PRICE)
    yield _said(4, "I-new-mail", PRICE)
    yield _said(20, "I-zorn", PRICE)
    yield _said(4, "I-merged", PRICE)
    yield _said(4, "I-scripts", "តម្លៃនេះថ្លៃពេកសម្រាប់យើង", "ລາຄານີ້ແພງເກີນໄປສໍາລັບພວກເຮົາ",
        "ဒီစျေးနှုန်းက ကျွန်တော်တို့အတွက် များလွန်းတယ်", "ราคานี้แพงเกินไป", "这个价格太贵了", "Yes.")  # fmt: skip


def _said(days: int, call_id: str, *texts: str) -> tuple[date, Record]:
    speaker = {"I-zorn": "srenamed"}.get(call_id, "sCora")
    turns = [
        {"speakerId": speaker, "topic": None, "sentences": [
            {"start": index * 5000, "end": index * 5000 + 4000, "text": text}]}
        for index, text in enumerate(texts)
    ]  # fmt: skip
    return days_ago(days), {"callId": call_id, "transcript": turns}


# Ids, names and the ids of the records that were merged into them, directly or before.
DEALS = (
    ("9023002", "Survivor deal", "9023000;9023001"),
    ("9023004", "Last of a chain", "9023005"),
    ("9023005", "Middle of a chain", "9023003"),
    ("9049001", "Dropped", ""),
    ("9032001", "Misdated", ""),
)
COMPANIES = (
    ("9023902", "New name Ltd", "9023901"),
    ("9023904", "O’Neill & Söhne\u00a0GmbH", "9023905"),
    ("9023905", "Middle", "9023903"),
)
