"""Enriched tables and views: results from Cortex and records from HubSpot."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from gong_assets_tests.dbt.records import FULL, IMPORTED, NEAR_MIDNIGHT, NO_HUBSPOT, SILENT
from gong_assets_tests.dbt.warehouse import Row, Tables

pytestmark = pytest.mark.xdist_group("dbt")


def test_a_segment_is_enriched_and_a_short_one_is_not_sent(built: Tables) -> None:
    enriched = built["cortex_gong_call_transcripts"]
    unhappy, short = enriched[f"{FULL}_4200_0"], enriched[f"{FULL}_9500_0"]
    assert -1 <= unhappy["SEGMENT_SENTIMENT"] < 0 < enriched[f"{FULL}_10000_0"]["SEGMENT_SENTIMENT"] <= 1
    assert len(unhappy["TRANSCRIPT_EMBEDDING"]) == 768
    assert unhappy["PROCESSED_BY_CORTEX"]
    assert unhappy["EMBEDDING_MODEL"] == "e5-base-v2"
    assert not short["PROCESSED_BY_CORTEX"]
    assert (short["SEGMENT_SENTIMENT"], short["TRANSCRIPT_EMBEDDING"]) == (None, None)
    assert set(enriched) == set(built["stg_gong_call_transcripts"])


def test_a_text_in_any_script_is_truncated_to_the_limit_of_cortex(built: Tables) -> None:
    for segment in ("1008_8000_0", "1008_10000_0"):
        assert built["cortex_gong_call_transcripts"][segment]["PROCESSED_BY_CORTEX"]


def test_call_sentiment_is_the_mean_of_its_segments_weighted_by_words(built: Tables) -> None:
    segments = [row for row in built["vw_enriched_gong_call_transcripts"].values() if row["CALL_ID"] == FULL]
    scored = [row for row in segments if row["SEGMENT_SENTIMENT"] is not None]
    # The customer, and two speakers who are not known.
    customers = [row for row in scored if row["SPEAKER_TYPE"] != "Internal"]
    assert len(customers) == 3
    call = built["cortex_gong_calls"][FULL]
    assert call["SENTIMENT_SCORE"] == pytest.approx(_weighted_mean(scored))
    assert call["CUSTOMER_SENTIMENT"] == pytest.approx(_weighted_mean(customers))
    assert call["SELLER_SENTIMENT"] != call["CUSTOMER_SENTIMENT"]


def _weighted_mean(segments: list[Row]) -> float:
    words = sum(row["WORD_COUNT"] for row in segments)
    mean: float = sum(row["SEGMENT_SENTIMENT"] * row["WORD_COUNT"] for row in segments) / words
    return mean


def test_a_call_is_summarized_from_its_dialogue(built: Tables) -> None:
    call = built["cortex_gong_calls"][NO_HUBSPOT]
    assert "renewal is on track" in call["CALL_SUMMARY"]
    assert call["PROCESSED_BY_CORTEX"]


def test_a_call_without_speech_has_no_sentiment_category_or_summary(built: Tables) -> None:
    call = built["vw_enriched_gong_calls"][SILENT]
    assert (call["SENTIMENT_SCORE"], call["SENTIMENT_CATEGORY"], call["CALL_SUMMARY"]) == (None, None, None)
    assert not call["PROCESSED_BY_CORTEX"]
    assert built["vw_gong_ingestion_status"][SILENT]["INGESTION_STATUS"] == "Enriched"


def test_a_call_has_its_hubspot_deal_contact_and_company_once(built: Tables) -> None:
    assert set(built["vw_enriched_gong_calls"]) == set(built["stg_gong_calls"])
    call = built["vw_enriched_gong_calls"][FULL]
    expected = {
        "HUBSPOT_DEAL_ID": "8070190",
        "DEAL_NAME": "Renewal 2027",
        "DEAL_STAGE": "Closed Won",
        "DEAL_AMOUNT": Decimal("15000.50"),
        "CLOSE_DATE": date(2026, 11, 12),
        "PIPELINE_NAME": "Sales Pipeline",
        "DEAL_OWNER": "Olga Owner",
        "DEAL_STATUS": "Won",
        "DEAL_OUTCOME": "Won",
        "DAYS_TO_CLOSE": 10,
        "HUBSPOT_CONTACT_ID": "8801",
        "EMAIL": "carl@customer.example",
        "JOB_TITLE": "CTO",
        "HUBSPOT_COMPANY_ID": "555",
        "HUBSPOT_COMPANY_NAME": "Customer Limited",
        "NUMBER_OF_EMPLOYEES": 250,
        "INDUSTRY": None,
    }
    assert {name: call[name] for name in expected} == expected


def test_a_deal_that_is_not_in_hubspot_has_no_outcome(built: Tables) -> None:
    call = built["vw_enriched_gong_calls"][NEAR_MIDNIGHT]
    assert (call["HUBSPOT_DEAL_ID"], call["DEAL_OUTCOME"], call["CLOSE_DATE"]) == ("8070199", None, None)
    assert built["vw_enriched_gong_calls"][NO_HUBSPOT]["DEAL_STAGE"] == "Won"


def test_a_host_who_is_not_a_participant_is_named_from_the_users(built: Tables) -> None:
    call = built["vw_enriched_gong_calls"][IMPORTED]
    assert (call["PRIMARY_USER_NAME"], call["PRIMARY_USER_EMAIL"]) == ("Manager", "max@seller.example")


def test_a_segment_has_its_call_and_deal(built: Tables) -> None:
    segment = built["vw_enriched_gong_call_transcripts"][f"{FULL}_4200_0"]
    assert (segment["CALL_TITLE"], segment["DEAL_NAME"]) == ("Pricing", "Renewal 2027")


def test_a_segments_category_follows_from_its_score(built: Tables) -> None:
    """The stand-in provides the score, and the vars of the project have the thresholds."""
    bands = [
        (0.7, "Very Positive"),
        (0.3, "Positive"),
        (-0.3, "Neutral"),
        (-0.7, "Negative"),
        (-1.1, "Very Negative"),
    ]
    seen = set()
    for segment in built["vw_enriched_gong_call_transcripts"].values():
        score = segment["SEGMENT_SENTIMENT"]
        expected = None if score is None else next(name for above, name in bands if score > above)
        assert segment["SEGMENT_SENTIMENT_CATEGORY"] == expected
        seen.add(expected)
    assert {None, "Neutral"} < seen


def test_hubspot_deals_have_labels_owners_and_a_status(built: Tables) -> None:
    deals = built["stg_hubspot_deals"]
    columns = (
        "DEAL_STAGE",
        "DEAL_STATUS",
        "DEAL_OWNER_EMAIL",
        "ASSOCIATED_COMPANY_ID",
        "ASSOCIATED_CONTACT_ID",
    )
    assert {deal_id: tuple(row[name] for name in columns) for deal_id, row in deals.items()} == {
        "8070190": ("Closed Won", "Won", "olga@seller.example", "555", None),
        "8070300": ("Contract Sent", "In Progress", "olga@seller.example", None, None),
        "8070301": ("Contract Sent", "Overdue", "olga@seller.example", None, None),
    }
    assert built["stg_hubspot_companies"]["555"]["COMPANY_SIZE_CATEGORY"] == "Mid-Market"
