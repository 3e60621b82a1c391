"""Examples of Gong's OpenAPI document, odd records and invalid ones: all land, valid ones are staged."""

from __future__ import annotations

import json
from datetime import date, datetime

import pytest

from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.cli.command_line import CommandLine
from gong_assets_tests.end_to_end import odd_records as odd
from gong_assets_tests.end_to_end.gong_server import Gong
from gong_assets_tests.end_to_end.openapi_examples import examples
from gong_assets_tests.end_to_end.runs import Run, Snapshot, changes, take_snapshot
from gong_assets_tests.hostile import ALL, VISIBLE

pytestmark = [pytest.mark.extended, pytest.mark.slow, pytest.mark.xdist_group("sales")]

EXAMPLE = "7782342274025937895"
SENTENCE = "No wait, I think we should check that out first."
UTC_TIME = datetime(2018, 2, 17, 10, 30)


@pytest.fixture
def tables(sales_run: Run) -> Snapshot:
    return sales_run.tables


def test_every_record_lands_with_the_json_that_gong_sent(tables: Snapshot, strange_gong: Gong) -> None:
    def sorted_json(records: list[object]) -> list[str]:
        return sorted(json.dumps(record, sort_keys=True) for record in records)

    for table, payload, sent in (
        ("GONG_CALLS_RAW", "RAW_DATA", [each.document for each in strange_gong.calls]),
        ("GONG_CALL_TRANSCRIPTS_RAW", "TRANSCRIPT_DATA", strange_gong.transcripts),
        ("GONG_USERS_RAW", "RAW_DATA", strange_gong.users),
    ):
        landed = [json.loads(row[payload]) for row in tables.tables[table]]
        assert sorted_json(landed) == sorted_json(list(sent)), table


def test_numeric_ids_are_exact(tables: Snapshot) -> None:
    expected = {str(call["metaData"]["id"]) for call in examples()["calls"]}
    for table in ("GONG_CALLS_RAW", "GONG_CALL_TRANSCRIPTS_RAW", "STG_GONG_CALLS", "VW_ENRICHED_GONG_CALLS"):
        assert expected <= {row["CALL_ID"] for row in tables.tables[table]}, table


def test_the_example_call_reaches_the_views_with_all_its_fields(tables: Snapshot) -> None:
    row = tables.row("VW_ENRICHED_GONG_CALLS", call_id=EXAMPLE)
    expected = {
        "CALL_TITLE": "Example call",
        "CALL_DATETIME_UTC": UTC_TIME,
        "CALL_DATE": date(2018, 2, 17),
        "CALL_DURATION_SECONDS": 460,
        "CALL_DIRECTION": "Inbound",
        "CALL_SYSTEM": "Outreach",
        "CALL_SCOPE": "Internal",
        "CALL_LANGUAGE": "eng",
        "WORKSPACE_ID": "623457276584334",
        "PRIMARY_USER_ID": "234599484848423",
        "PRIMARY_USER_NAME": "Jon Snow",
        "PRIMARY_USER_EMAIL": "test@test.com",
        "CRM_OPPORTUNITY_ID": "0013601230sV7grAAC",
        "HUBSPOT_DEAL_ID": None,
        "DEAL_NAME": "Gong Inc.",
        "CALL_OUTCOME": "Meeting booked",
        "TALK_RATIO": 1.0,
        "INTERACTIVITY_SCORE": 56,
        "PROCESSED_BY_CORTEX": True,
    }
    assert {name: row[name] for name in expected} == expected
    assert json.loads(row["KEY_TOPICS"]) == ["Objections"]


def test_the_example_sentence_is_enriched_and_has_its_speaker(tables: Snapshot) -> None:
    row = tables.row("VW_ENRICHED_GONG_CALL_TRANSCRIPTS", call_id=EXAMPLE)
    assert row["TRANSCRIPT_TEXT"] == SENTENCE
    assert (row["SPEAKER_NAME"], row["SPEAKER_TYPE"], row["TOPIC"]) == ("Jon Snow", "Internal", "Objections")
    assert (row["START_TIME_SECONDS"], row["END_TIME_SECONDS"]) == (460.23, 462.343)
    assert row["SEGMENT_SENTIMENT"] is not None
    assert len(row["TRANSCRIPT_EMBEDDING"]) == 768


def test_the_example_trackers_and_topics_are_staged(tables: Snapshot) -> None:
    found = {row["TOPIC_NAME"]: row for row in tables.rows("STG_GONG_CALL_TOPICS", call_id=EXAMPLE)}
    assert (found["Competitors"]["MENTION_COUNT"], found["Competitors"]["FIRST_MENTIONED_AT_SECONDS"]) == (
        7,
        32.56,
    )
    assert found["Objections"]["TOTAL_DURATION_SECONDS"] == 86


def test_every_crm_is_linked_and_only_hubspot_ids_are_hubspot_ids(
    tables: Snapshot,
) -> None:
    found = {}
    for call in examples()["calls"]:
        row = tables.row("STG_GONG_CALLS", call_id=str(call["metaData"]["id"]))
        linked = row["CRM_OPPORTUNITY_ID"] or row["CRM_ACCOUNT_ID"]
        found[call["context"][0]["system"]] = (linked, row["HUBSPOT_DEAL_ID"] or row["HUBSPOT_COMPANY_ID"])
    crm_id = "0013601230sV7grAAC"
    assert found == {
        "Salesforce": (crm_id, None),
        "HubSpot": (crm_id, crm_id),
        "MicrosoftDynamic": (crm_id, None),
        "Generic": (crm_id, None),
    }


def test_the_example_user_is_staged(tables: Snapshot) -> None:
    row = tables.row("STG_GONG_USERS", user_id="234599484848423")
    assert (row["FULL_NAME"], row["MANAGER_ID"], row["IS_ACTIVE"]) == ("Jon Snow", "563515258458745", True)
    assert row["CREATED_AT_UTC"] == UTC_TIME


@pytest.mark.parametrize(
    "call_id", [odd.SPARSE, odd.NULLS, odd.TEXTS, odd.NOISE, odd.TWICE, odd.NEWER, odd.UNSTARTED, odd.HOSTILE]
)
def test_an_odd_call_is_valid_and_reaches_the_views(tables: Snapshot, call_id: str) -> None:
    assert tables.row("GONG_CALLS_RAW", call_id=call_id)["PROCESSING_ERROR"] is None
    assert tables.row("VW_ENRICHED_GONG_CALLS", call_id=call_id)["CALL_DATE"] == date(2018, 2, 19)


def test_numbers_and_booleans_in_text_form_are_parsed(tables: Snapshot) -> None:
    row = tables.row("STG_GONG_CALLS", call_id=odd.TEXTS)
    assert (row["CALL_DURATION_SECONDS"], row["IS_PRIVATE"], row["TALK_RATIO"]) == (1785, False, 0.25)
    assert (row["HUBSPOT_DEAL_ID"], row["DEAL_NAME"], row["DEAL_VALUE"]) == (
        "2271307570613351879",
        "From Gong",
        232,
    )
    segments = sorted(
        tables.rows("STG_GONG_CALL_TRANSCRIPTS", call_id=odd.TEXTS), key=lambda row: row["TURN_INDEX"]
    )
    assert [(row["TRANSCRIPT_TEXT"], row["SPEAKER_ID"], row["START_TIME_SECONDS"]) for row in segments] == [
        ("Numbers may come as texts.", "77", 1.2),
        ("Nobody knows when this was said.", None, None),
    ]


def test_hostile_texts_reach_the_views_unchanged_and_control_no_terminal(
    tables: Snapshot, sales: CommandLine
) -> None:
    assert tables.row("VW_ENRICHED_GONG_CALLS", call_id=odd.HOSTILE)["CALL_TITLE"] == ALL
    assert tables.row("STG_GONG_CALL_TRANSCRIPTS", call_id=odd.HOSTILE)["SPEAKER_NAME"] == ALL
    for command in (("transcript", odd.HOSTILE), ("analyze", odd.HOSTILE)):
        shown = sales.gong_assets(*command).succeeded().stdout
        assert VISIBLE in shown
        assert all(line.isprintable() for line in shown.split("\n"))
        answer = sales.gong_assets(*command, "--json").succeeded()
        assert answer.json["call_title"] == ALL
        assert all(line.isprintable() for line in answer.stdout.split("\n"))


def test_integers_and_imprecise_floats_are_parsed(tables: Snapshot) -> None:
    row = tables.row("STG_GONG_CALLS", call_id=odd.NOISE)
    assert (row["CALL_DURATION_SECONDS"], row["TALK_RATIO"], row["LONGEST_MONOLOGUE_SECONDS"]) == (
        1785,
        1.0,
        12.7,
    )
    assert json.loads(row["NEXT_STEPS"]) == ["Send the contract"]
    topics = {topic["TOPIC_NAME"]: topic for topic in tables.rows("STG_GONG_CALL_TOPICS", call_id=odd.NOISE)}
    assert topics["Pricing"]["TOTAL_DURATION_SECONDS"] == 90.5
    assert topics["Budget"]["MENTION_COUNT"] == 0


def test_a_person_listed_twice_is_one_participant(tables: Snapshot) -> None:
    rows = tables.rows("STG_GONG_CALL_PARTICIPANTS", call_id=odd.TWICE)
    assert sorted(str(row["SPEAKER_ID"]) for row in rows) == ["55", "None", "None"]
    assert tables.row("STG_GONG_CALL_TRANSCRIPTS", call_id=odd.TWICE)["SPEAKER_NAME"] == "Ann"


def test_an_invalid_record_lands_with_its_error(tables: Snapshot) -> None:
    errors = [row for row in tables.tables["GONG_CALLS_RAW"] if row["PROCESSING_ERROR"]]
    assert len(errors) == len(odd.unusable_calls())
    messages = " | ".join(sorted(row["PROCESSING_ERROR"] for row in errors))
    for words in (
        "metaData.id: Field required",
        "metaData.started",
        "neither started nor scheduled",
        "metaData: ",
    ):
        assert words in messages
    unidentified = [row for row in errors if row["CALL_ID"].startswith("unidentified-")]
    assert len(unidentified) == 5


def test_an_invalid_record_is_excluded_from_staging_and_reported(
    sales_run: Run,
) -> None:
    tables = sales_run.tables
    unusable = {row["CALL_ID"] for row in tables.tables["GONG_CALLS_RAW"] if row["PROCESSING_ERROR"]}
    for name, rows in tables.tables.items():
        if name not in ("GONG_CALLS_RAW", "VW_GONG_INGESTION_STATUS"):
            assert not unusable & {row.get("CALL_ID") for row in rows}, name
    assert {
        row["CALL_ID"]
        for row in tables.tables["VW_GONG_INGESTION_STATUS"]
        if row["INGESTION_STATUS"] == "Invalid"
    } == unusable
    assert "check failed gong_calls_raw: records_validate" in sales_run.outcome.stdout
    assert [row["USER_ID"][:13] for row in tables.tables["GONG_USERS_RAW"] if row["PROCESSING_ERROR"]] == [
        "unidentified-"
    ]


def test_days_without_calls_succeed_and_request_no_transcripts(
    sales_run: Run, sales: CommandLine, sales_warehouse: Warehouse, strange_gong: Gong
) -> None:
    strange_gong.log.clear()
    sales.gong_assets("sync", "--no-transcripts").succeeded()
    assert {(request.path, request.status) for request in strange_gong.log} == {
        ("/v2/calls/extensive", 404),
        ("/v2/users", 200),
    }
    assert changes(sales_run.tables, take_snapshot(sales_warehouse)) == []
