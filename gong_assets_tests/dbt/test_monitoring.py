"""Monitoring views on the test records. dbt unit tests cover their rules."""

from __future__ import annotations

import pytest

from gong_assets_tests.dbt.records import MONDAY, TUESDAY, WEDNESDAY
from gong_assets_tests.dbt.warehouse import Tables

pytestmark = pytest.mark.xdist_group("dbt")


def test_completeness_counts_the_calls_of_each_day_by_status(built: Tables) -> None:
    days = built["vw_gong_ingestion_completeness"]
    assert set(days) == {MONDAY, TUESDAY, WEDNESDAY}
    tuesday = days[TUESDAY]
    expected = {
        "LANDED_CALLS": 5,
        "INVALID_CALLS": 1,
        "TRANSCRIPTS_WITHOUT_CALL": 1,
        "STAGED_CALLS": 4,
        "CALLS_WITH_TRANSCRIPT": 4,
        "CALLS_TO_STAGE": 0,
        "CALLS_TO_ENRICH": 0,
        "ENRICHED_CALLS": 4,
        "STAGED_SEGMENTS": 4,
        "ENRICHED_SEGMENTS": 4,
        "TRANSCRIPT_COVERAGE": 1.0,
        "IS_COMPLETE": True,
    }
    assert {name: tuesday[name] for name in expected} == expected


def test_no_test_call_lacks_its_transcript(built: Tables) -> None:
    assert built["vw_calls_without_transcripts"] == {}


def test_cortex_status_counts_the_segments_and_calls_of_each_day(built: Tables) -> None:
    monday = built["vw_cortex_status"][MONDAY]
    expected = {
        "CALLS": 1,
        "SENT_CALLS": 1,
        "SEGMENTS": 5,
        "TOO_SHORT_SEGMENTS": 1,
        "SENT_SEGMENTS": 4,
        "WAITING_SEGMENTS": 0,
        "WAITING_CALLS": 0,
        "FAILED_SEGMENTS": 0,
        "FAILED_CALLS": 0,
        "EMBEDDING_MODELS": 1,
        "CORTEX_STATUS": "Complete",
    }
    assert {name: monday[name] for name in expected} == expected
    assert monday["LAST_SEGMENT_SENT_AT"] is not None


def test_pipeline_health_has_four_windows(built: Tables) -> None:
    windows = built["vw_pipeline_health"]
    assert sorted(int(row["WINDOW_HOURS"]) for row in windows.values()) == [1, 24, 168, 720]
    # The records landed on one day in the past, which can be in any window.
    for row in windows.values():
        assert row["LANDED_CALLS"] in (0, 9)
        assert (row["ERROR_RATE"] is None) == (row["LANDED_CALLS"] == 0)
        assert row["LAST_LANDED_AT_UTC"].isoformat() == "2026-11-05T06:00:00"
