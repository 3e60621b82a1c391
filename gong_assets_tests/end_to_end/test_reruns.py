"""Repeated syncs of the same days: they change and send nothing, except for records that changed in Gong."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from gong_assets.agents import similar_segments
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.end_to_end import company
from gong_assets_tests.end_to_end.runs import SHARED_TABLES, Row, Run, changes

pytestmark = [pytest.mark.extended, pytest.mark.slow, pytest.mark.xdist_group("company")]

GRAPH = Path(__file__).parents[1] / "data" / "asset_graph.json"

# Views with aggregates over several calls, which change with any of them.
AGGREGATES = (
    "VW_SALES_PERFORMANCE_ANALYSIS",
    "VW_GONG_INGESTION_COMPLETENESS",
    "VW_CORTEX_STATUS",
    "VW_PIPELINE_HEALTH",
    "VW_CORTEX_COSTS",
)

CHANGED = frozenset({company.DELETED, company.EDITED, company.HIDDEN, company.MOVED, company.AWAITED})


def rows_of_calls(run: Run, table: str, *calls: str) -> list[Row]:
    return [row for row in run.tables.tables[table] if row.get("CALL_ID") in calls]


def tables_with(run: Run, call: str) -> set[str]:
    return {name for name, rows in run.tables.tables.items() if call in repr(rows)}


def test_a_second_run_changes_nothing(first_run: Run, second_run: Run) -> None:
    # Some assets have no table of their own, and a snapshot leaves out the times of landings.
    excluded = {
        "gong_call_reconciliation", "gong_pipeline_health", "gong_retention", "gong_webhook",
        "vw_gong_landings",
    }  # fmt: skip
    assets = json.loads(GRAPH.read_text("utf-8")).keys() - excluded
    tables = {asset.upper() for asset in assets if not asset.startswith("gong_cortex_")}
    assert tables | SHARED_TABLES <= first_run.tables.tables.keys()
    assert changes(first_run.tables, second_run.tables) == []


def test_a_second_run_makes_no_cortex_call(first_run: Run, second_run: Run) -> None:
    # Sentiment and embedding in one statement, which has a row for each in the usage history, and two batches
    # of calls each for summaries and insights.
    assert (first_run.cortex_statements, second_run.cortex_statements) == (6, 0)


def test_a_call_deleted_in_gong_disappears_from_every_table(second_run: Run, third_run: Run) -> None:
    assert company.DELETED in repr(second_run.tables.tables["VW_ENRICHED_GONG_CALL_TRANSCRIPTS"])
    assert tables_with(third_run, company.DELETED) == set()


def test_a_call_that_became_private_disappears_from_every_table(second_run: Run, third_run: Run) -> None:
    assert company.HIDDEN in repr(second_run.tables.tables["VW_ENRICHED_GONG_CALL_TRANSCRIPTS"])
    assert tables_with(third_run, company.HIDDEN) == set()


def test_a_call_that_moved_is_only_on_its_new_day(third_run: Run) -> None:
    for table in ("GONG_CALLS_RAW", "STG_GONG_CALLS", "CORTEX_GONG_CALLS", "CORTEX_GONG_CALL_TRANSCRIPTS"):
        assert [row["CALL_DATE"] for row in rows_of_calls(third_run, table, company.MOVED)] == [
            date(2025, 3, 29)
        ]


def test_only_the_edited_sentence_of_a_call_is_enriched_again(second_run: Run, third_run: Run) -> None:
    before, after = (
        sorted(
            rows_of_calls(run, "VW_ENRICHED_GONG_CALL_TRANSCRIPTS", company.EDITED),
            key=lambda row: row["TURN_INDEX"],
        )
        for run in (second_run, third_run)
    )
    assert after[0] == before[0] | {"CALL_SENTIMENT_SCORE": after[0]["CALL_SENTIMENT_SCORE"]}
    assert after[1]["TRANSCRIPT_TEXT"] == company.EDITED_TO
    assert after[1]["TRANSCRIPT_ID"] == before[1]["TRANSCRIPT_ID"]
    assert after[1]["TRANSCRIPT_EMBEDDING"] != before[1]["TRANSCRIPT_EMBEDDING"]
    assert after[1]["CORTEX_PROCESSED_AT"] > before[1]["CORTEX_PROCESSED_AT"]


def test_a_late_transcript_is_enriched(second_run: Run, third_run: Run) -> None:
    assert rows_of_calls(second_run, "STG_GONG_CALL_TRANSCRIPTS", company.AWAITED) == []
    assert [
        row["PROCESSED_BY_CORTEX"]
        for row in rows_of_calls(third_run, "VW_ENRICHED_GONG_CALL_TRANSCRIPTS", company.AWAITED)
    ] == [True]
    assert (
        rows_of_calls(second_run, "VW_GONG_INGESTION_STATUS", company.AWAITED)[0]["INGESTION_STATUS"]
        == "Awaiting Transcript"
    )
    assert (
        rows_of_calls(third_run, "VW_GONG_INGESTION_STATUS", company.AWAITED)[0]["INGESTION_STATUS"]
        == "Enriched"
    )


def test_rows_of_other_calls_do_not_change(second_run: Run, third_run: Run) -> None:
    lines = changes(second_run.tables, third_run.tables, except_calls=CHANGED)
    assert [line for line in lines if not line.startswith(AGGREGATES)] == []


def test_aggregates_count_the_existing_calls(third_run: Run) -> None:
    calls = len(third_run.tables.tables["VW_ENRICHED_GONG_CALLS"])
    for view, column in (
        ("VW_SALES_PERFORMANCE_ANALYSIS", "TOTAL_CALLS"),
        ("VW_GONG_INGESTION_COMPLETENESS", "STAGED_CALLS"),
        ("VW_CORTEX_STATUS", "CALLS"),
    ):
        assert sum(row[column] for row in third_run.tables.tables[view]) == calls, view


def test_only_changed_texts_are_sent_to_cortex(second_run: Run, third_run: Run) -> None:
    sent = [
        row["TRANSCRIPT_TEXT"]
        for row in third_run.tables.tables["VW_ENRICHED_GONG_CALL_TRANSCRIPTS"]
        if row["CORTEX_PROCESSED_AT"]
        > max(
            each["CORTEX_PROCESSED_AT"] for each in second_run.tables.tables["CORTEX_GONG_CALL_TRANSCRIPTS"]
        )
    ]
    assert sorted(sent) == [company.EDITED_TO, "The transcript took Gong a whole day to finish."]
    assert third_run.cortex_statements == 4


def test_search_finds_the_edited_text_and_not_the_deleted_call(
    third_run: Run, company_warehouse: Warehouse
) -> None:
    found = similar_segments(
        company_warehouse, "Who planted trees and flowers behind the building?", limit=3
    ).segments
    assert found[0].call_id == company.EDITED
    assert company.DELETED not in {
        segment.call_id
        for segment in similar_segments(company_warehouse, company.TOO_LATE, limit=1000).segments
    }
