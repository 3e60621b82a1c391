"""Staged tables of calls, transcripts and users, including unusual records."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal

import pytest

from gong_assets_tests.dbt.project import DbtProject
from gong_assets_tests.dbt.records import (
    FULL,
    IMPORTED,
    INVALID,
    LONG_TURN,
    MONDAY,
    NEAR_MIDNIGHT,
    NO_HUBSPOT,
    SILENT,
    STRANGE,
    STRANGE_TEXT,
    TUESDAY,
)
from gong_assets_tests.dbt.warehouse import INGESTED_AT, Row, Tables

pytestmark = pytest.mark.xdist_group("dbt")


def segments(built: Tables, call_id: str) -> list[Row]:
    rows = [row for row in built["stg_gong_call_transcripts"].values() if row["CALL_ID"] == call_id]
    return sorted(rows, key=lambda row: (row["TURN_INDEX"], row["PART"]))


def test_a_call_is_staged_with_all_details_from_gong(built: Tables) -> None:
    call = built["stg_gong_calls"][FULL]
    expected = {
        "CALL_DATE": MONDAY,
        "CALL_TITLE": "Pricing",
        "CALL_DATETIME_UTC": datetime(2026, 11, 2, 10, 0, 0, 123456),
        "SCHEDULED_AT_UTC": datetime(2026, 11, 2, 10, 0),
        "CALL_DURATION_SECONDS": 1785,
        "CALL_DIRECTION": "Conference",
        "CALL_SYSTEM": "Zoom",
        "CALL_SCOPE": "External",
        "CALL_MEDIA": "Video",
        "CALL_LANGUAGE": "eng",
        "CALL_URL": "https://app.gong.io/call?id=1",
        "MEETING_URL": "https://zoom.example/j/7",
        "WORKSPACE_ID": "623457276584334",
        "IS_PRIVATE": True,
        "PRIMARY_USER_ID": "501",
        "PRIMARY_USER_EMAIL": "rita@seller.example",
        "PRIMARY_USER_NAME": "Rita Rep",
        "CONTACT_NAME": "Carl Customer",
        "TALK_RATIO": 0.7,
        "LONGEST_MONOLOGUE_SECONDS": 66,
        "INTERACTIVITY_SCORE": 4.2,
        "QUESTIONS_ASKED_COUNT": 7,
        "COMPANY_QUESTION_COUNT": 5,
        "CUSTOMER_QUESTION_COUNT": 2,
        "LONGEST_CUSTOMER_STORY_SECONDS": 95.5,
        "PATIENCE_SECONDS": 0.92,
        "PRESENTATION_SECONDS": Decimal("600.5"),
        "BROWSER_SECONDS": None,
        "HOST_WEBCAM_SECONDS": Decimal("1700.25"),
        "CUSTOMER_WEBCAM_SECONDS": None,
        "WEBCAM_SECONDS": None,
        "CALL_BRIEF": "They agreed.",
        "CALL_OUTCOME": "Meeting set",
        "CALL_OUTCOME_CATEGORY": "ANSWERED",
        "CALL_OUTCOME_ID": "1",
        "CALL_PURPOSE": "Negotiation",
        "SDR_DISPOSITION": "Connected",
        "CLIENT_UNIQUE_ID": "zoom-7",
        "CUSTOM_DATA": '{"a": 1}',
        "CALENDAR_EVENT_ID": "evt1",
    }
    assert {name: call[name] for name in expected} == expected
    assert json.loads(call["KEY_POINTS"]) == ["Price is fine", "Legal is next"]
    assert json.loads(call["KEY_TOPICS"]) == ["Security", "Pricing"]
    assert json.loads(call["NEXT_STEPS"]) == ["Send contract", "Call Tuesday"]
    (section,) = json.loads(call["OUTLINE"])
    assert (section["section"], section["startTime"]) == ("Pricing", 568.9000244140625)
    assert json.loads(call["HIGHLIGHTS"])[0]["items"][1] == {"text": "Call Tuesday"}
    assert json.loads(call["CALL_STRUCTURE"]) == [{"name": "Intro", "duration": 20}]


def test_a_call_without_gongs_analysis_has_null_columns(built: Tables) -> None:
    call = built["stg_gong_calls"][NO_HUBSPOT]
    for column in (
        "CALL_BRIEF",
        "KEY_POINTS",
        "KEY_TOPICS",
        "NEXT_STEPS",
        "OUTLINE",
        "HIGHLIGHTS",
        "CALL_OUTCOME",
    ):
        assert call[column] is None, column


def test_the_deal_is_the_current_hubspot_deal_and_deals_are_counted_once(built: Tables) -> None:
    call = built["stg_gong_calls"][FULL]
    expected = {
        "HUBSPOT_DEAL_ID": "8070190",
        "HUBSPOT_CONTACT_ID": "8801",
        "HUBSPOT_COMPANY_ID": "555",
        "CRM_OPPORTUNITY_ID": "8070190",
        "CRM_ACCOUNT_ID": "555",
        "CRM_DEAL_COUNT": 3,
        "DEAL_NAME": "Customer Ltd renewal",
        "DEAL_STAGE": "closedwon",
        "DEAL_VALUE": Decimal("12000.50"),
        "ACCOUNT_NAME": "Customer Ltd",
    }
    assert {name: call[name] for name in expected} == expected


def test_hubspot_records_can_have_the_types_deal_and_company(built: Tables) -> None:
    call = built["stg_gong_calls"][NEAR_MIDNIGHT]
    assert (call["HUBSPOT_DEAL_ID"], call["HUBSPOT_COMPANY_ID"]) == ("8070199", "556")


def test_a_deal_of_another_crm_is_not_a_hubspot_deal(built: Tables) -> None:
    call = built["stg_gong_calls"][NO_HUBSPOT]
    assert (call["HUBSPOT_DEAL_ID"], call["CRM_OPPORTUNITY_ID"], call["DEAL_VALUE"]) == (
        None,
        "006B",
        Decimal(1000),
    )


def test_every_linked_crm_record_has_one_row_with_its_fields_at_both_times(built: Tables) -> None:
    links = [row for row in built["stg_gong_call_crm_links"].values() if row["CALL_ID"] == FULL]
    columns = ("CRM_SYSTEM", "OBJECT_TYPE", "OBJECT_ID", "IS_LINKED_NOW", "IS_LINKED_AT_CALL", "PREFERENCE")
    assert sorted(tuple(row[name] for name in columns) for row in links) == [
        ("HubSpot", "Account", "555", True, False, 1),
        ("HubSpot", "Contact", "8801", True, False, None),
        ("HubSpot", "Opportunity", "8070190", True, True, 1),
        ("HubSpot", "Opportunity", "8070191", True, False, 2),
        ("HubSpot", "Opportunity", "8070192", False, True, None),
        ("Salesforce", "Opportunity", "006A", True, False, 3),
    ]
    deal = built["stg_gong_call_crm_links"][f"{FULL}_hubspot_opportunity_8070190"]
    assert json.loads(deal["FIELDS_NOW"]) == {
        "dealstage": "closedwon",
        "amount": 12000.5,
        "dealname": "Customer Ltd renewal",
    }
    assert json.loads(deal["FIELDS_AT_CALL"]) == {"dealstage": "appointmentscheduled", "amount": "100"}
    account = built["stg_gong_call_crm_links"][f"{FULL}_hubspot_account_555"]
    assert json.loads(account["FIELDS_NOW"]) == {"name": "Customer Ltd", 'a "note"': STRANGE}
    assert (deal["STAGE_AT_CALL"], deal["STAGE_NOW"]) == ("appointmentscheduled", "closedwon")
    assert (deal["AMOUNT_AT_CALL"], deal["AMOUNT_NOW"]) == (Decimal(100), Decimal("12000.50"))
    assert {row["CALL_DATE"] for row in links} == {MONDAY}
    contact = built["stg_gong_call_crm_links"][f"{FULL}_hubspot_contact_8801"]
    assert json.loads(contact["FIELDS_NOW"]) == {"company": "Customer Ltd"}
    assert {row["OBJECT_TYPE"] for row in links if not row["IS_OF_CALL"]} == {"Contact"}


def test_a_record_at_the_time_of_the_call_is_current_if_none_is_linked_now(built: Tables) -> None:
    (link,) = (row for row in built["stg_gong_call_crm_links"].values() if row["CALL_ID"] == NO_HUBSPOT)
    assert (link["OBJECT_ID"], link["IS_LINKED_NOW"], link["IS_CURRENT"]) == ("006B", False, True)


def test_a_late_call_in_america_has_the_next_date_in_utc(built: Tables) -> None:
    call = built["stg_gong_calls"][NEAR_MIDNIGHT]
    assert (call["CALL_DATE"], call["CALL_DATETIME_UTC"]) == (TUESDAY, datetime(2026, 11, 3, 7, 30))


def test_times_are_read_with_any_date_format_of_the_account(built: Tables, project: DbtProject) -> None:
    """The local server always reads them, but Snowflake would return NULL."""
    assert built
    log = (project.work_dir / "logs" / "dbt.log").read_text()
    sessions = [line for line in log.splitlines() if "alter session set query_tag" in line]
    assert sessions
    for parameter in ("date_input_format = 'AUTO'", "timestamp_input_format = 'AUTO'", "timezone = 'UTC'"):
        assert all(parameter in line for line in sessions)


def test_talk_ratio_falls_back_to_the_share_of_internal_participants(built: Tables) -> None:
    assert built["stg_gong_calls"][NEAR_MIDNIGHT]["TALK_RATIO"] == 0.75


def test_calls_without_parties_content_or_context_are_staged(built: Tables) -> None:
    for call_id in (IMPORTED, NO_HUBSPOT, SILENT):
        call = built["stg_gong_calls"][call_id]
        assert (call["TALK_RATIO"], call["PRIMARY_USER_NAME"], call["IS_PRIVATE"]) == (None, None, False)


def test_an_invalid_record_is_not_staged(built: Tables) -> None:
    assert INVALID not in built["stg_gong_calls"]
    status = built["vw_gong_ingestion_status"][INVALID]
    assert (status["INGESTION_STATUS"], status["PROCESSING_ERROR"]) == (
        "Invalid",
        "metaData.started: Field required",
    )


def test_a_person_listed_twice_is_one_participant_with_the_speaker_id(built: Tables) -> None:
    participants = {
        row["PARTICIPANT_ID"]: row
        for row in built["stg_gong_call_participants"].values()
        if row["CALL_ID"] == FULL
    }
    assert set(participants) == {f"{FULL}_4001", f"{FULL}_4002", f"{FULL}_4003"}
    customer = participants[f"{FULL}_4002"]
    expected = {
        "SPEAKER_ID": "7002",
        "USER_ID": None,
        "EMAIL_ADDRESS": "carl@customer.example",
        "PARTICIPANT_TYPE": "External",
        "COMPANY_NAME": "Customer Ltd",
        "TALK_TIME_SECONDS": 30,
        "TALK_RATIO": 0.25,
        "HUBSPOT_CONTACT_ID": "8801",
    }
    assert {name: customer[name] for name in expected} == expected


def test_topics_and_trackers_are_staged_with_times_and_speakers(built: Tables) -> None:
    topics = {row["TOPIC_NAME"]: row for row in built["stg_gong_call_topics"].values()}
    assert len(topics) == 6
    assert (topics["Security"]["TOPIC_CATEGORY"], topics["Security"]["TOTAL_DURATION_SECONDS"]) == (
        "Topic",
        90,
    )
    heard = (
        "MENTION_COUNT",
        "FIRST_MENTIONED_AT_SECONDS",
        "LAST_MENTIONED_AT_SECONDS",
        "MENTIONED_BY_SPEAKER",
    )
    assert [topics["Competitors"][name] for name in heard] == [3, 2.25, 40.0, "Carl Customer"]
    assert [topics["Budget"][name] for name in heard] == [1, 5.0, 5.0, "Rita Rep"]
    assert [topics["Unheard"][name] for name in heard] == [0, None, None, None]
    (phrase,) = json.loads(topics["Budget"]["PHRASES"])
    assert (phrase["phrase"], phrase["count"]) == ("budget", 1)


def test_action_items_are_kept_with_their_times(built: Tables) -> None:
    call = built["stg_gong_calls"][NEAR_MIDNIGHT]
    assert json.loads(call["NEXT_STEPS"]) == ["Send the paper"]
    assert json.loads(call["ACTION_ITEMS"]) == [
        {"snippet": "Send the paper", "snippetStartTime": 12.5, "snippetEndTime": 20}
    ]


def test_each_mention_of_a_tracker_is_a_row(built: Tables) -> None:
    columns = ("TRACKER_NAME", "TRACKER_TYPE", "PHRASE", "STARTED_AT_SECONDS", "SPEAKER_NAME", "SPEAKER_TYPE")
    occurrences = [
        tuple(row[name] for name in columns)
        for row in built["stg_gong_call_tracker_occurrences"].values()
        if row["CALL_ID"] == FULL
    ]
    assert sorted(occurrences, key=str) == [
        ("Budget", "SMART", "budget", 5.0, "Rita Rep", "Internal"),
        ("Competitors", "KEYWORD", None, 12.5, "Carl Customer", "External"),
        ("Competitors", "KEYWORD", None, 2.25, "Rita Rep", "Internal"),
        ("Competitors", "KEYWORD", None, 40.0, "Carl Customer", "External"),
    ]


def test_public_comments_are_staged_verbatim(built: Tables) -> None:
    comment, reply = (built["stg_gong_call_comments"][f"{FULL}_{number}"] for number in ("9001", "9002"))
    assert comment == {
        "COMMENT_ID": f"{FULL}_9001",
        "CALL_ID": FULL,
        "CALL_DATE": MONDAY,
        "COMMENT_INDEX": 0,
        "COMMENTER_USER_ID": "502",
        "COMMENT_TEXT": STRANGE,
        "START_TIME_SECONDS": 12.5,
        "END_TIME_SECONDS": 40.0,
        "POSTED_AT_UTC": datetime(2026, 11, 3, 7, 30),
        "IN_REPLY_TO_COMMENT_ID": None,
        "IS_DURING_CALL": False,
    }
    assert (reply["IN_REPLY_TO_COMMENT_ID"], reply["POSTED_AT_UTC"]) == (f"{FULL}_9001", None)


def test_each_turn_is_a_segment_with_its_speaker(built: Tables) -> None:
    columns = ("TRANSCRIPT_ID", "SPEAKER_NAME", "SPEAKER_TYPE", "TOPIC", "WORD_COUNT", "SENTENCE_COUNT")
    assert [tuple(row[name] for name in columns) for row in segments(built, FULL)] == [
        (f"{FULL}_1000_0", "Rita Rep", "Internal", "Small talk", 9, 2),
        (f"{FULL}_4200_0", "Carl Customer", "External", "Pricing", 9, 1),
        (f"{FULL}_9500_0", "Rita Rep", "Internal", None, 1, 1),
        (f"{FULL}_10000_0", None, "Unknown", None, 8, 1),
        (f"{FULL}_12000_0", None, "Unknown", None, 5, 1),
    ]
    first, second = segments(built, FULL)[:2]
    assert first["TRANSCRIPT_TEXT"] == "Hello Carl, thank you for joining. How are you?"
    times = ("START_TIME_SECONDS", "END_TIME_SECONDS", "SEGMENT_DURATION_SECONDS")
    assert [second[name] for name in times] == [4.2, 9.001, 4.801]


def test_simultaneous_turns_have_distinct_ids_and_silent_turns_have_no_rows(built: Tables) -> None:
    assert [row["TRANSCRIPT_ID"] for row in segments(built, NEAR_MIDNIGHT)] == ["1002_0_0", "1002_0_1"]


def test_a_long_turn_is_split_at_sentence_ends_and_a_long_sentence_is_not(built: Tables) -> None:
    assert [(row["TRANSCRIPT_ID"], row["WORD_COUNT"]) for row in segments(built, LONG_TURN)] == [
        ("1008_0_0", 180), ("1008_0_1", 180), ("1008_0_2", 60), ("1008_8000_0", 450), ("1008_8000_1", 4),
        ("1008_10000_0", 150),
    ]  # fmt: skip


def test_text_is_kept_exactly(built: Tables) -> None:
    assert built["stg_gong_calls"][STRANGE_TEXT]["CALL_TITLE"] == STRANGE
    assert segments(built, STRANGE_TEXT)[0]["TRANSCRIPT_TEXT"] == STRANGE


def test_a_transcript_has_the_date_of_its_call_and_needs_its_call(built: Tables) -> None:
    assert [row["CALL_DATE"] for row in segments(built, NO_HUBSPOT)] == [TUESDAY]
    assert segments(built, "1999") == []
    assert built["vw_gong_ingestion_status"]["1999"]["INGESTION_STATUS"] == "Landed"


@pytest.mark.parametrize(
    "table", ["stg_gong_call_participants", "stg_gong_call_topics", "stg_gong_call_transcripts"]
)
def test_each_row_of_a_call_has_the_landing_time_of_its_source(built: Tables, table: str) -> None:
    assert {row["INGESTED_AT"].replace(tzinfo=None) for row in built[table].values()} == {INGESTED_AT}


def test_users_are_staged(built: Tables) -> None:
    user = built["stg_gong_users"]["501"]
    assert (user["FULL_NAME"], user["EMAIL_ADDRESS"], user["IS_ACTIVE"], user["CREATED_AT_UTC"]) == (
        "Rita Rep", "rita@seller.example", True, datetime(2026, 6, 10, 19, 50, 7, 428000),
    )  # fmt: skip
    assert json.loads(user["EMAIL_ALIASES"]) == ["rita.rep@seller.example"]
    assert built["stg_gong_users"]["502"]["FULL_NAME"] == "Manager"
