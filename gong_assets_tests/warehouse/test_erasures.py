"""Erasures: tombstones without personal data, applied to the raw tables and to every later landing."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Any

import pytest

from gong_assets.dates import DateRange
from gong_assets.ingestion.spool import Row, Spool
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.warehouse.connection import Warehouse
from gong_assets.warehouse.deletions import DeletionPolicy
from gong_assets.warehouse.erase import Receipt, add_tombstones, erase
from gong_assets.warehouse.erased_text import ERASED, Person, hashed
from gong_assets.warehouse.erasures import Action, Erasure, erased_calls
from gong_assets.warehouse.landing import replace
from gong_assets.warehouse.pending_changes import pending_changes
from gong_assets.warehouse.tables import CALLS, TRANSCRIPTS, RawTable

DAY = date(2026, 3, 2)
SENTINELS = ("zelda", "quintero", "zelda@customer.example", "15551234567", "CRM-7781", "my dog is ill")


def call(call_id: str, **more: Any) -> dict[str, Any]:
    return {
        "metaData": {"id": call_id, "title": "Zelda Quintero and Bo", "duration": 12345678901234567890},
        "parties": [
            {"id": "1", "speakerId": "s1", "name": "Bo Ek", "emailAddress": "bo@seller.example"},
            {
                "id": "2",
                "speakerId": "s2",
                "name": "Zelda Quintero",
                "emailAddress": "Zelda@Customer.example",
                "phoneNumber": "+1 (555) 123-4567",
                "context": [
                    {"system": "HubSpot", "objects": [{"objectType": "Contact", "objectId": "CRM-7781"}]}
                ],
            },
        ],
        "content": {"brief": "ZELDA's team called +1 555 123 4567 and zelda@customer.example."},
        **more,
    }


def transcript(call_id: str) -> dict[str, Any]:
    said = {"s1": "Hello Zelda, this is Bo.", "s2": "My dog is ill."}
    turns = [
        {"speakerId": who, "sentences": [{"start": 0, "end": 9, "text": text}]} for who, text in said.items()
    ]
    return {"callId": call_id, "transcript": turns}


def land(warehouse: Warehouse, table: RawTable, records: dict[str, dict[str, Any]]) -> None:
    spool = Spool()
    try:
        for key, record in records.items():
            payload = json.dumps(record).encode()
            spool.append(Row(key, payload, DAY, hashlib.sha256(payload).hexdigest(), None))
        spool.close()
        with warehouse.connect() as connection:
            replace(
                connection,
                table,
                spool,
                ranges=[DateRange.single(DAY)],
                correlation_id="run",
                deletions=DeletionPolicy(1.0),
            )
    finally:
        spool.discard()


def sync(warehouse: Warehouse, *calls: dict[str, Any]) -> None:
    land(warehouse, CALLS, {each["metaData"]["id"]: each for each in calls})
    kept = {row["CALL_ID"] for row in warehouse.query("SELECT CALL_ID FROM GONG_CALLS_RAW")}
    ids = [each["metaData"]["id"] for each in calls]
    land(warehouse, TRANSCRIPTS, {id: transcript(id) for id in ids if id in kept})


def erased(warehouse: Warehouse, action: Action, *identifiers: tuple[str, str]) -> Receipt:
    with warehouse.connect() as connection:
        add_tombstones(connection, Erasure.of(identifiers, action))
        return erase(connection, RAW_TABLES, [], "erasing")


def everything(warehouse: Warehouse) -> str:
    tables = ("GONG_CALLS_RAW", "GONG_CALL_TRANSCRIPTS_RAW", "GONG_ERASURES", "GONG_PENDING_CHANGES")
    return " ".join(str(warehouse.query(f"SELECT * FROM {table}")) for table in tables).lower()


def found(warehouse: Warehouse) -> list[str]:
    text = everything(warehouse)
    return [sentinel for sentinel in SENTINELS if sentinel.lower() in text]


@pytest.mark.parametrize(
    "identifier",
    [("email", " ZELDA@customer.example"), ("phone", "1-555-123-4567"), ("crm", "CRM-7781")],
    ids=lambda pair: pair[0],
)
def test_a_person_is_redacted_in_landed_records_and_in_all_that_land_later(
    warehouse: Warehouse, identifier: tuple[str, str]
) -> None:
    sync(warehouse, call("1"))
    assert found(warehouse) == [each for each in SENTINELS if each != "15551234567"]
    receipt = erased(warehouse, "redact", identifier)
    assert receipt.as_json()["tables"] == [
        {"table": "GONG_CALLS_RAW", "deleted": 0, "redacted": 1},
        {"table": "GONG_CALL_TRANSCRIPTS_RAW", "deleted": 0, "redacted": 1},
    ]
    assert found(warehouse) == []
    (row,) = warehouse.query("SELECT RAW_DATA FROM GONG_CALLS_RAW")
    record = json.loads(row["RAW_DATA"])
    assert record["parties"][1] == {"id": "2", "speakerId": "s2", "name": ERASED}
    assert record["parties"][0]["name"] == "Bo Ek"
    assert record["metaData"] == {
        "id": "1",
        "title": f"{ERASED} {ERASED} and Bo",
        "duration": 12345678901234567890,
    }
    assert record["content"]["brief"] == f"{ERASED} team called {ERASED} and {ERASED}."

    # The same call, an edited version of it, and a new call with her.
    sync(warehouse, call("1"))
    assert found(warehouse) == []
    sync(warehouse, call("1", content={"brief": "Zelda again"}), call("3"))
    assert found(warehouse) == []
    rows = warehouse.query("SELECT TRANSCRIPT_DATA AS T FROM GONG_CALL_TRANSCRIPTS_RAW ORDER BY CALL_ID")
    for each in rows:
        texts = [turn["sentences"][0]["text"] for turn in json.loads(each["T"])["transcript"]]
        assert texts == [f"Hello {ERASED}, this is Bo.", ERASED]


def test_the_calls_of_a_person_are_deleted_and_do_not_land_again(warehouse: Warehouse) -> None:
    other = call("2", parties=[{"name": "Bo Ek"}])
    sync(warehouse, call("1"), other)
    receipt = erased(warehouse, "delete", ("email", "zelda@customer.example"))
    assert receipt.calls == 1
    for records in ((call("1"), other), (call("1"), other, call("3"))):
        sync(warehouse, *records)
        for table in ("GONG_CALLS_RAW", "GONG_CALL_TRANSCRIPTS_RAW"):
            assert [row["CALL_ID"] for row in warehouse.query(f"SELECT CALL_ID FROM {table}")] == ["2"]
    with warehouse.connect() as connection:
        assert erased_calls(connection, ["1", "2", "3"]) == {"1", "3"}
        assert (CALLS.name, DAY) in {(each.table, each.day) for each in pending_changes(connection)}


def test_a_call_is_deleted_by_its_id(warehouse: Warehouse) -> None:
    sync(warehouse, call("1"), call("2"))
    assert erased(warehouse, "delete", ("call", "2")).calls == 1
    sync(warehouse, call("1"), call("2"))
    assert [row["CALL_ID"] for row in warehouse.query("SELECT CALL_ID FROM GONG_CALLS_RAW")] == ["1"]


def test_a_dry_run_counts_and_changes_nothing(warehouse: Warehouse) -> None:
    sync(warehouse, call("1"))
    before = everything(warehouse)
    erasure = Erasure.of([("email", "zelda@customer.example")], "redact")
    with warehouse.connect() as connection:
        receipt = erase(connection, RAW_TABLES, [], "dry run", dry_run=erasure)
    assert receipt.redacted["GONG_CALLS_RAW"] == 1
    assert everything(warehouse) == before
    assert json.dumps(receipt.as_json()).lower().count("zelda") == 0


def test_rows_of_models_are_deleted_by_call_and_by_identifier(warehouse: Warehouse) -> None:
    sync(warehouse, call("1"))
    warehouse.query(
        "CREATE TABLE STG_CONTACTS AS SELECT '7' AS CONTACT_ID, 'zelda@customer.example' AS EMAIL"
    )
    warehouse.query("CREATE TABLE STG_CALLS AS SELECT '1' AS CALL_ID UNION ALL SELECT '9'")
    warehouse.query("CREATE TABLE NOT_OURS AS SELECT '1' AS CALL_ID")
    with warehouse.connect() as connection:
        add_tombstones(connection, Erasure.of([("email", "zelda@customer.example")], "redact"))
        receipt = erase(connection, RAW_TABLES, ["STG_CONTACTS", "STG_CALLS"], "erasing")
    assert (receipt.deleted["STG_CONTACTS"], receipt.deleted["STG_CALLS"]) == (1, 1)
    assert warehouse.query("SELECT CALL_ID FROM STG_CALLS") == [{"CALL_ID": "9"}]
    assert warehouse.query("SELECT CALL_ID FROM NOT_OURS") == [{"CALL_ID": "1"}]


def test_only_whole_words_are_redacted() -> None:
    person = Person("salt", (), {hashed("salt", "ann"), hashed("salt", "o'neill")})
    assert person.redact("Ann's annual plan; ANN, Joann, O'Neill.") == (
        f"{ERASED} annual plan; {ERASED}, Joann, {ERASED}."
    )
