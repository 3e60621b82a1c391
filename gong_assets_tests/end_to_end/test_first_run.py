"""The first sync of a company's month: everything lands, unchanged, on the right day."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

import dagster as dg
import pytest
from jsonschema import Draft202012Validator

from gong_assets_tests.cli.command_line import CommandLine
from gong_assets_tests.cli.network import NetworkLog
from gong_assets_tests.end_to_end import company
from gong_assets_tests.end_to_end.company import CUSTOMER, REP, STRANGE_TEXT, landed_calls
from gong_assets_tests.end_to_end.gong_server import PAGE_SIZE, Gong
from gong_assets_tests.end_to_end.runs import SHARED_TABLES, Row, Run, Snapshot
from gong_assets_tests.gong_schemas import SCHEMAS

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("company")]


@pytest.fixture
def tables(first_run: Run) -> Snapshot:
    return first_run.tables


def by_id(rows: list[Row], key: str, payload: str) -> dict[str, Any]:
    return {row[key]: json.loads(row[payload]) for row in rows}


def test_every_call_lands_once_with_the_json_that_gong_sent(tables: Snapshot, gong: Gong) -> None:
    rows = tables.tables["GONG_CALLS_RAW"]
    # The calls that later runs change are compared by ID only, because Gong's records may have changed since.
    assert [row["CALL_ID"] for row in rows] == sorted({row["CALL_ID"] for row in rows})
    landed = by_id(rows, "CALL_ID", "RAW_DATA")
    changing = {company.DELETED, company.HIDDEN, company.MOVED}
    expected = landed_calls(gong)
    assert {*landed} - changing == {*expected} - changing
    assert {key: value for key, value in landed.items() if key not in changing} == {
        key: value for key, value in expected.items() if key not in changing
    }


def test_every_transcript_of_a_landed_call_lands(first_run: Run) -> None:
    landed = by_id(first_run.tables.tables["GONG_CALL_TRANSCRIPTS_RAW"], "CALL_ID", "TRANSCRIPT_DATA")
    assert landed == {
        each["callId"]: each for each in first_run.transcripts if each["callId"] != company.PRIVATE
    }


def test_every_sentence_reaches_the_staged_segments_in_order(first_run: Run) -> None:
    segments = sorted(
        first_run.tables.tables["STG_GONG_CALL_TRANSCRIPTS"], key=lambda row: (row["TURN_INDEX"], row["PART"])
    )
    staged: dict[str, list[str]] = {}
    for row in segments:
        staged.setdefault(row["CALL_ID"], []).append(row["TRANSCRIPT_TEXT"])
    for each in first_run.transcripts:
        sentences = [sentence["text"] for turn in each["transcript"] for sentence in turn["sentences"]]
        spoken = " ".join(text for text in sentences if text.strip())
        expected = "" if each["callId"] == company.PRIVATE else spoken
        assert " ".join(staged.get(each["callId"], [])) == expected


def test_users_land_including_those_of_gongs_staff(tables: Snapshot) -> None:
    users = by_id(tables.tables["GONG_USERS_RAW"], "USER_ID", "RAW_DATA")
    expected = {user["id"]: user for user in company.users()}
    expected["900000000000000001"].pop("avatar")
    assert users == expected
    assert tables.row("STG_GONG_USERS", user_id=company.REP_USER)["CREATED_AT_UTC"] == datetime(
        2024, 6, 10, 19, 50, 7, 428000
    )


@pytest.mark.parametrize(
    ("call_id", "expected"),
    [
        (company.WEST, datetime(2025, 3, 1, 7, 30)),
        (company.EAST, datetime(2025, 3, 30, 23, 30)),
        (company.MICROSECONDS, datetime(2025, 3, 9, 10, 4, 5, 41977)),
        (company.KATHMANDU, datetime(2025, 3, 9, 18, 30)),
        (company.FIRST_MOMENT, datetime(2025, 3, 1)),
        (company.PRICING, datetime(2025, 3, 2, 23)),
    ],
)
def test_times_with_any_offset_are_converted_to_utc_and_its_date(
    tables: Snapshot, call_id: str, expected: datetime
) -> None:
    assert tables.row("STG_GONG_CALLS", call_id=call_id)["CALL_DATETIME_UTC"] == expected
    for table in ("GONG_CALLS_RAW", "STG_GONG_CALLS", "CORTEX_GONG_CALLS", "VW_ENRICHED_GONG_CALLS"):
        assert tables.row(table, call_id=call_id)["CALL_DATE"] == expected.date()


def test_calls_outside_the_requested_days_do_not_land(tables: Snapshot) -> None:
    assert not tables.rows("GONG_CALLS_RAW", call_id=company.BEFORE)
    assert not tables.rows("GONG_CALLS_RAW", call_id=company.AFTER)
    dates = {row["CALL_DATE"] for row in tables.tables["GONG_CALLS_RAW"]}
    assert (min(dates), max(dates)) == (date(2025, 3, 1), date(2025, 3, 30))


def test_a_private_call_is_counted_and_appears_in_no_table(tables: Snapshot, project: CommandLine) -> None:
    for name, rows in tables.tables.items():
        assert company.PRIVATE not in repr(rows), name
        assert "The board wants to sell" not in repr(rows), name
    with dg.DagsterInstance.from_config(str(project.directory / "home" / "dagster")) as instance:
        events = instance.fetch_materializations(dg.AssetKey("gong_calls_raw"), limit=PAGE_SIZE).records
    first = min(events, key=lambda event: event.timestamp).run_id
    counts = [
        int(event.asset_materialization.metadata["private_calls_not_landed"].value)  # type: ignore[call-overload]
        for event in events
        if event.run_id == first and event.asset_materialization is not None
    ]
    assert sum(counts) == 1


def test_special_characters_are_unchanged_in_every_layer(tables: Snapshot) -> None:
    assert tables.row("STG_GONG_CALLS", call_id=company.STRANGE)["CALL_TITLE"] == STRANGE_TEXT
    assert tables.row("VW_ENRICHED_GONG_CALLS", call_id=company.STRANGE)["CALL_TITLE"] == STRANGE_TEXT
    segment = tables.row("VW_ENRICHED_GONG_CALL_TRANSCRIPTS", call_id=company.STRANGE)
    assert segment["TRANSCRIPT_TEXT"] == f"{STRANGE_TEXT} A sentence after it."
    assert segment["TOPIC"] == STRANGE_TEXT
    assert segment["TRANSCRIPT_EMBEDDING"] is not None


def test_a_call_with_only_an_id_and_a_time_reaches_the_views(tables: Snapshot) -> None:
    row = tables.row("VW_ENRICHED_GONG_CALLS", call_id=company.BARE)
    assert row["CALL_TITLE"] is None
    assert row["SENTIMENT_SCORE"] is None
    assert row["SENTIMENT_CATEGORY"] is None
    assert not row["PROCESSED_BY_CORTEX"]
    assert not tables.rows("STG_GONG_CALL_PARTICIPANTS", call_id=company.BARE)


def test_a_call_with_an_empty_transcript_has_no_segments(tables: Snapshot) -> None:
    assert tables.row("VW_ENRICHED_GONG_CALLS", call_id=company.NOTHING_SAID)["SENTIMENT_SCORE"] is None
    assert not tables.rows("STG_GONG_CALL_TRANSCRIPTS", call_id=company.NOTHING_SAID)


def test_an_unidentified_speaker_is_unknown(tables: Snapshot) -> None:
    segments = tables.rows("VW_ENRICHED_GONG_CALL_TRANSCRIPTS", call_id=company.NOBODY)
    assert [
        (row["SPEAKER_ID"], row["SPEAKER_NAME"], row["SPEAKER_TYPE"], row["TOPIC"]) for row in segments
    ] == [
        (None, None, "Unknown", None),
        ("1", None, "Unknown", None),
    ]


def test_segments_have_speaker_names_and_times_in_seconds(tables: Snapshot) -> None:
    segments = sorted(
        tables.rows("VW_ENRICHED_GONG_CALL_TRANSCRIPTS", call_id=company.PRICING),
        key=lambda row: row["TURN_INDEX"],
    )
    assert [row["SPEAKER_ID"] for row in segments] == [REP, CUSTOMER, REP, CUSTOMER]
    assert [row["SPEAKER_NAME"] for row in segments] == ["Rita O'Neill", "Çağla Müller"] * 2
    assert [row["SPEAKER_TYPE"] for row in segments] == ["Internal", "External"] * 2
    assert [(row["START_TIME_SECONDS"], row["END_TIME_SECONDS"]) for row in segments] == [
        (0.0, 1.9),
        (2.0, 2.9),
        (3.0, 3.9),
        (4.0, 4.9),
    ]
    assert tables.row("VW_ENRICHED_GONG_CALLS", call_id=company.PRICING)["TALK_RATIO"] == pytest.approx(1 / 3)


def test_a_call_with_several_deals_is_one_row_with_the_current_hubspot_deal(
    tables: Snapshot,
) -> None:
    row = tables.row("VW_ENRICHED_GONG_CALLS", call_id=company.PRICING)
    assert row["HUBSPOT_DEAL_ID"] == "2271307570613351879"
    assert row["CRM_DEAL_COUNT"] == 3
    assert row["DEAL_NAME"] == "Platform for Customer Ltd"
    assert row["HUBSPOT_COMPANY_NAME"] == "Customer Ltd, Istanbul"
    assert (row["HUBSPOT_CONTACT_ID"], row["EMAIL"]) == ("7700000001", "cagla@customer.example")


def test_hubspots_own_object_types_are_recognized(tables: Snapshot) -> None:
    row = tables.row("VW_ENRICHED_GONG_CALLS", call_id=company.RENEWAL)
    assert (row["HUBSPOT_DEAL_ID"], row["DEAL_NAME"]) == ("8800000002", "Renewal of Other GmbH")
    assert (row["HUBSPOT_COMPANY_ID"], row["HUBSPOT_COMPANY_NAME"]) == ("9900000002", "Other GmbH")
    assert row["DEAL_OUTCOME"] == "Won"


def test_every_segment_of_three_words_or_more_has_sentiment_and_embedding(tables: Snapshot) -> None:
    for row in tables.tables["VW_ENRICHED_GONG_CALL_TRANSCRIPTS"]:
        assert row["PROCESSED_BY_CORTEX"]
        assert -1 <= row["SEGMENT_SENTIMENT"] <= 1
        assert len(row["TRANSCRIPT_EMBEDDING"]) == 768
    unhappy = tables.row("VW_ENRICHED_GONG_CALLS", call_id=company.PRICING)
    happy = tables.row("VW_ENRICHED_GONG_CALLS", call_id=company.RENEWAL)
    assert unhappy["SENTIMENT_SCORE"] < 0 < happy["SENTIMENT_SCORE"]
    assert unhappy["CALL_SUMMARY"]


def test_requests_conform_to_gongs_openapi_document(first_run: Run) -> None:
    for request in first_run.requests:
        if schema := SCHEMAS["requests"].get(f"{request.method} {request.path}"):
            Draft202012Validator({**schema, "$defs": SCHEMAS["$defs"]}).validate(request.body)


def test_a_request_for_calls_without_transcripts_is_not_an_error(first_run: Run) -> None:
    statuses = [request.status for request in first_run.requests if request.path == "/v2/calls/transcript"]
    assert sorted(statuses) == [200, 200, 404]


def test_calls_cost_one_request_per_page_plus_one_per_parallel_window(first_run: Run) -> None:
    calls = len(first_run.tables.tables["GONG_CALLS_RAW"])
    requests = [request for request in first_run.requests if request.path == "/v2/calls/extensive"]
    windows = sum("cursor" not in request.body for request in requests)
    assert len(requests) <= -(-calls // PAGE_SIZE) + windows


def test_the_command_prints_the_rows_of_every_table(first_run: Run) -> None:
    printed = first_run.outcome.stdout
    for table, rows in first_run.tables.tables.items():
        if table in SHARED_TABLES:
            continue
        line = next(line for line in printed.splitlines() if f" {table.lower()} " in line)
        assert f" {len(rows):,} " in line


def test_no_other_host_is_contacted(first_run: Run, network: NetworkLog) -> None:
    assert "127.0.0.1" in network.hosts
    assert network.hosts <= {"127.0.0.1", "localhost"}
