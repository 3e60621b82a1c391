"""Calls, deals and companies whose figures depend on currencies, time zones, or which deal a call shows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from gong_assets_tests.dbt.records import Record
from gong_assets_tests.dbt.sales_calls import customer, rep

DEAL_COLUMNS = {
    "OBJECTID": "number(38, 0)", "PROPERTY_DEALNAME": "varchar", "PROPERTY_DEALSTAGE": "varchar",
    "PROPERTY_AMOUNT": "number(38, 2)", "PROPERTY_AMOUNT_IN_HOME_CURRENCY": "number(38, 2)",
    "PROPERTY_DEAL_CURRENCY_CODE": "varchar", "PROPERTY_CLOSEDATE": "timestamp_ntz",
    "PROPERTY_CREATEDATE": "timestamp_ntz", "PROPERTY_HS_PRIMARY_ASSOCIATED_COMPANY": "varchar",
}  # fmt: skip
OPEN, WON, LOST = "appointmentscheduled", "closedwon", "closedlost"
CREATED = "2025-01-01 12:00:00"
DEALS: list[tuple[Any, ...]] = [
    # Two currencies; the won deals of `quin`, of which one has no home amount; those of `yuki` have none.
    (9004001, "Tokyo", OPEN, 5000000, 33000, "JPY", None, CREATED, "9004900"),
    (9004002, "Austin", OPEN, 40000, 40000, "USD", None, CREATED, "9004900"),
    (9025001, "Yen without home", WON, 5000000, None, "JPY", "2026-11-21 12:00:00", CREATED, None),
    (9025002, "Dollar", WON, 40000, 40000, "USD", "2026-11-21 12:00:00", CREATED, None),
    (9025003, "Yen alone", WON, 5000000, None, "JPY", "2026-11-21 12:00:00", CREATED, None),
    # Cleared in HubSpot; Gong has a name and 99,000.
    (9024001, None, OPEN, None, None, None, None, CREATED, None),
    # New Year's Eve in New York, half past nine in the evening; the hours around the changes of the clock.
    (9026001, "Year end", WON, 10000, 10000, "USD", "2026-01-01 02:30:00", CREATED, None),
    (9026002, "Spring", WON, 1, 1, "USD", "2026-03-09 03:30:00", CREATED, None),
    (9026003, "Autumn", WON, 1, 1, "USD", "2026-11-02 04:30:00", CREATED, None),
    (9026004, "Autumn, after midnight", WON, 1, 1, "USD", "2026-11-02 05:30:00", CREATED, None),
    # Won two hours after its call.
    (9042001, "Same day", WON, 5000, 5000, "USD", "2026-11-12 17:00:00", CREATED, "9042900"),
    # Won between its two calls of one day.
    (9042002, "Kick-off", WON, 5000, 5000, "USD", "2026-11-12 17:00:00", CREATED, None),
    (9027001, "Lost 2023", LOST, 1, 1, "USD", "2023-05-01 12:00:00", "2023-01-01 12:00:00", "9027900"),
    (9027002, "Open now", OPEN, 80000, 80000, "USD", None, "2026-10-01 12:00:00", "9027900"),
    (9027003, "Open before", OPEN, 70000, 70000, "USD", None, "2026-02-01 12:00:00", "9027900"),
]  # fmt: skip
COMPANIES = [
    (9004900, "Minato KK", "minato.example"), (9042900, "Sameday Inc", None), (9027900, "Twodeals", None),
    (9029900, "Domain Co", "domainco.example"), (9029901, "One of two", "shared.example"),
    (9029902, "Two of two", "shared.example"), (9029903, "Us", "seller.example"),
]  # fmt: skip


def call(
    call_id: str, start: str, host: str, records: list[Record], *, system: str = "HubSpot", **fields: Any
) -> tuple[date, Record, None]:
    parties = [rep(host), fields.pop("customer", None) or customer(emailAddress="cora@gmail.com")]
    return date.fromisoformat(start[:10]), {
        "metaData": {
            "id": call_id, "title": call_id, "started": start, "duration": 1800, "primaryUserId": host,
            "scope": "External", "direction": "Conference", **fields,
        },
        "parties": [{name: value for name, value in party.items() if name != "talk"} for party in parties],
        "context": [{"system": system, "objects": records}] if records else [],
        "content": {},
        "interaction": {},
    }, None  # fmt: skip


def record(kind: str, record_id: str, **fields: Any) -> Record:
    values = [{"name": name, "value": value} for name, value in fields.items()]
    return {"objectType": kind, "objectId": record_id, "timing": "Now", "fields": values}


def deal(record_id: str, **fields: Any) -> Record:
    return record("Deal", record_id, **fields)


def calls() -> Iterator[tuple[date, Record, None]]:
    yield call("M-yen", "2026-11-12T10:00:00Z", "emi", [deal("9004001"), record("Company", "9004900")])
    yield call("M-dollar", "2026-11-13T10:00:00Z", "emi", [deal("9004002")])
    yield call("M-won1", "2026-11-20T19:00:00Z", "quin", [deal("9025001")])
    yield call("M-won2", "2026-11-20T19:30:00Z", "quin", [deal("9025002")])
    yield call("M-won3", "2026-11-20T19:30:00Z", "yuki", [deal("9025003")])
    yield call(
        "M-cleared", "2026-11-20T18:00:00Z", "pia", [deal("9024001", dealname="Cleared", amount="99000")]
    )
    yield call("M-gone", "2026-11-20T18:00:00Z", "pia", [
        deal("9024999", dealname="Deleted", amount="5,000", deal_currency_code="usd")])  # fmt: skip
    yield call("M-list", "2026-11-20T15:00:00Z", "moe", [
        record("Opportunity", "006X1", Name=["Array", "name"], Amount="1.234,56 €",
            StageName={"label": "Negotiation"}),
        record("Account", "001X1", Name='["Fields Inc"]')], system="Salesforce")  # fmt: skip
    yield call("M-unread", "2026-11-20T15:30:00Z", "moe", [
        record("Opportunity", "006X2", Name=[], Amount="1.234", CurrencyIsoCode="EUR",
            StageName=[{"label": "Proposal"}])], system="Salesforce")  # fmt: skip
    yield call("M-number", "2026-11-20T16:00:00Z", "moe", [
        record("Opportunity", "006X3", Name="[EXT] Pilot", Amount=1.234)], system="Salesforce")  # fmt: skip
    for name, amount in {
        "sign": "¥1,200,000", "object": {"value": 1200, "currency": "EUR"},
        "name": {"value": 1200, "currency": "Euro"}, "dollar": {"value": 1200, "currency": "usd"},
    }.items():  # fmt: skip
        yield call(f"M-in-{name}", "2026-11-20T17:00:00Z", "noa", [
            record("Opportunity", f"006-{name}", Amount=amount)], system="Salesforce")  # fmt: skip
    yield from _of_local_days()
    yield call("D-several", "2026-11-20T20:00:00Z", "sue", [
        deal("9027001"), deal("9027003"), deal("9027002"), record("Company", "9027900")])  # fmt: skip
    for name, address in {
        "match": "cto@domainco.example", "subdomain": "cto@eu.domainco.example", "shared": "x@shared.example",
        "free": "x@gmail.com", "own": "x@seller.example",
    }.items():  # fmt: skip
        yield call(f"D-{name}", "2026-11-20T22:00:00Z", "uma", [], customer=customer(emailAddress=address))


def _of_local_days() -> Iterator[tuple[date, Record, None]]:
    """The end of the year and of October, in which the clock changes, and negative lengths."""
    yield call("T-eve", "2025-12-31T19:00:00Z", "ray", [deal("9026001")])
    yield call("T-night", "2026-01-01T04:59:00Z", "ray", [])
    yield call("T-october", "2026-11-01T03:30:00Z", "ray", [])
    yield call("T-signing", "2026-11-12T15:00:00Z", "cat", [
        deal("9042001"), record("Company", "9042900")])  # fmt: skip
    yield call("T-sold", "2026-11-11T15:00:00Z", "ida", [deal("9042002")])
    yield call("T-kickoff", "2026-11-12T19:00:00Z", "kai", [deal("9042002")])
    yield call("T-negative", "2026-11-20T12:00:00Z", "jan", [], duration=-5)
    yield call("T-positive", "2026-11-20T13:00:00Z", "jan", [], duration=100)


TRANSCRIPT: Record = {
    "callId": "T-negative",
    "transcript": [
        {"speakerId": "sjan", "sentences": [{"start": 9000, "end": 5000, "text": "It ends too early."}]},
        {"speakerId": "sCora", "sentences": [{"start": 2000, "end": 30000, "text": "It has a length."}]},
    ],
}  # fmt: skip
