"""Reruns: effects on the days of the run, on other days, and on the Cortex bill."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest

from gong_assets.dates import DateRange, format_ranges
from gong_assets_tests.dbt.project import DbtProject
from gong_assets_tests.dbt.records import (
    FULL,
    IMPORTED,
    LONG_TURN,
    MONDAY,
    NEAR_MIDNIGHT,
    NO_HUBSPOT,
    SILENT,
    STRANGE_TEXT,
    TUESDAY,
    meta,
    sentence,
    turn,
)
from gong_assets_tests.dbt.warehouse import Tables, Warehouse

pytestmark = [pytest.mark.extended, pytest.mark.xdist_group("dbt")]

STAGED = [
    "stg_gong_calls", "stg_gong_call_participants", "stg_gong_call_transcripts", "stg_gong_call_topics",
    "stg_gong_call_tracker_occurrences", "stg_gong_call_crm_links", "stg_gong_call_comments",
]  # fmt: skip
PARTITIONED = [*STAGED, "cortex_gong_calls", "cortex_gong_call_transcripts", "cortex_gong_call_insights"]


@dataclass(frozen=True)
class Run:
    """The tables after a run, and its Cortex calls."""

    tables: Tables
    cortex: list[tuple[str, int]]


@dataclass(frozen=True)
class Reruns:
    unchanged: Run  # every day again, over unchanged records
    tuesday: Run  # Tuesday again, after changes on every day
    full_refresh: Run  # everything from nothing


@pytest.fixture(scope="module")
def reruns(built: Tables, warehouse: Warehouse, project: DbtProject) -> Reruns:
    def run(*arguments: str, days: list[DateRange] | None = None) -> Run:
        before = len(warehouse.cortex_usage())
        window = {} if days is None else {"GONG_ASSETS_DAYS": format_ranges(days)}
        project.succeed("run", *arguments, **window)
        return Run(warehouse.tables(), warehouse.cortex_usage()[before:])

    warehouse.land_everything()
    unchanged = run(days=[DateRange(MONDAY, date(2026, 11, 5))])

    warehouse.delete_call(IMPORTED)
    # The second of two simultaneous turns changes, and a Wednesday call moves to Tuesday.
    warehouse.land_transcripts([(TUESDAY, {"callId": NEAR_MIDNIGHT, "transcript": [
        turn("7001", sentence(0, 900, "We start at once.")),
        turn("7002", sentence(0, 800, "No, we start tomorrow.")),
    ]})])  # fmt: skip
    warehouse.land_calls(
        [(TUESDAY, {"metaData": meta(STRANGE_TEXT, "2026-11-03T12:00:00Z", title="Moved")}, None)]
    )
    # Changes on days outside the run.
    warehouse.land_calls([(MONDAY, {"metaData": meta(FULL, "2026-11-02T10:00:00Z", title="Not yet")}, None)])
    warehouse.delete_call(LONG_TURN)
    tuesday = run(days=[DateRange.single(TUESDAY)])

    warehouse.land_everything()
    full_refresh = run("--full-refresh")
    return Reruns(unchanged, tuesday, full_refresh)


def test_a_run_over_unchanged_records_changes_no_row_and_sends_nothing_to_cortex(
    built: Tables, reruns: Reruns
) -> None:
    for table in PARTITIONED:
        assert reruns.unchanged.tables[table] == built[table]
    assert reruns.unchanged.cortex == []


def test_only_the_changed_segment_and_its_call_are_sent_again(reruns: Reruns) -> None:
    before, after = (
        reruns.unchanged.tables["cortex_gong_call_transcripts"],
        reruns.tuesday.tables["cortex_gong_call_transcripts"],
    )
    sent = {
        key for key, row in after.items() if row["CORTEX_PROCESSED_AT"] != before[key]["CORTEX_PROCESSED_AT"]
    }
    assert sent == {f"{NEAR_MIDNIGHT}_0_1"}
    sent_to = dict(reruns.tuesday.cortex)
    assert set(sent_to) == {"AI_EMBED", "SENTIMENT", "AI_SUMMARIZE_AGG", "AI_EXTRACT"}
    # "passage: No, we start tomorrow." has about ten tokens; all segments of Tuesday have many more.
    assert sent_to["AI_EMBED"] < 20
    assert sent_to["SENTIMENT"] < 20

    summaries = {
        call_id: row["CORTEX_PROCESSED_AT"]
        for call_id, row in reruns.tuesday.tables["cortex_gong_calls"].items()
    }
    earlier = reruns.unchanged.tables["cortex_gong_calls"]
    # The moved call lost its only named speaker, so the text of its summary changed as well.
    changed = {call_id for call_id, at in summaries.items() if at != earlier[call_id]["CORTEX_PROCESSED_AT"]}
    assert changed == {NEAR_MIDNIGHT, STRANGE_TEXT}


def test_a_deleted_call_disappears_from_every_layer(reruns: Reruns) -> None:
    for table, rows in reruns.tuesday.tables.items():
        assert IMPORTED not in {row.get("CALL_ID") for row in rows.values()}, table


def test_a_call_that_moved_to_a_day_of_the_run_has_one_row(reruns: Reruns) -> None:
    moved = reruns.tuesday.tables["stg_gong_calls"][STRANGE_TEXT]
    assert (moved["CALL_DATE"], moved["CALL_TITLE"]) == (TUESDAY, "Moved")
    for table in PARTITIONED:
        days = {
            row["CALL_DATE"]
            for row in reruns.tuesday.tables[table].values()
            if row["CALL_ID"] == STRANGE_TEXT
        }
        assert days <= {TUESDAY}, table


def test_a_transcript_that_landed_on_another_day_stays_with_its_call(reruns: Reruns) -> None:
    for run in (reruns.unchanged, reruns.tuesday):
        said = run.tables["stg_gong_call_transcripts"].values()
        assert [row["CALL_DATE"] for row in said if row["CALL_ID"] == NO_HUBSPOT] == [TUESDAY]


def test_other_days_are_unchanged(reruns: Reruns) -> None:
    for table in PARTITIONED:
        before, after = reruns.unchanged.tables[table], reruns.tuesday.tables[table]
        for call_id in (FULL, LONG_TURN):
            assert {key: row for key, row in after.items() if row["CALL_ID"] == call_id} == {
                key: row for key, row in before.items() if row["CALL_ID"] == call_id
            }, table


def test_the_status_shows_deleted_calls_until_a_run_of_their_day(built: Tables, reruns: Reruns) -> None:
    status = built["vw_gong_ingestion_status"]
    assert {status[call_id]["INGESTION_STATUS"] for call_id in (FULL, NO_HUBSPOT, SILENT)} == {"Enriched"}
    changed = reruns.tuesday.tables["vw_gong_ingestion_status"]
    assert IMPORTED not in changed
    assert changed[LONG_TURN]["INGESTION_STATUS"] == "Deleted"


def test_a_full_refresh_restores_the_staged_tables_and_sends_only_lost_texts(
    built: Tables, reruns: Reruns
) -> None:
    for table in STAGED:
        assert reruns.full_refresh.tables[table] == built[table]
    enriched = reruns.full_refresh.tables["cortex_gong_call_transcripts"]
    assert enriched.keys() == built["cortex_gong_call_transcripts"].keys()
    sent = {
        key
        for key, row in enriched.items()
        if row["CORTEX_PROCESSED_AT"] != built["cortex_gong_call_transcripts"][key]["CORTEX_PROCESSED_AT"]
    }
    assert sent == {f"{IMPORTED}_5_0", f"{NEAR_MIDNIGHT}_0_1"}


def test_a_full_refresh_of_some_days_is_rejected(project: DbtProject) -> None:
    refused = project.command(
        "run", "--full-refresh", "--event-time-start", str(MONDAY), "--event-time-end", str(TUESDAY)
    )
    assert refused.returncode != 0
    assert "--full-refresh cannot be combined with the days of a run" in refused.stdout


def test_a_write_that_fails_after_the_delete_keeps_the_old_rows(
    reruns: Reruns, warehouse: Warehouse, project: DbtProject
) -> None:
    """The DDL of the next model reuses the connection and must not commit the DELETE of the failed one."""
    warehouse.query("alter table cortex_gong_calls add column unknown_to_the_model varchar")
    warehouse.query("update cortex_gong_calls set unknown_to_the_model = ''")
    warehouse.query("alter table cortex_gong_calls alter column unknown_to_the_model set not null")

    done = project.command("run", "--threads", "1", "--select", "cortex_gong_calls", "stg_gong_users")

    failed, next_one = done.stdout.index("ERROR creating"), done.stdout.index("OK created")
    assert failed < next_one, done.stdout
    rows = warehouse.rows("cortex_gong_calls", "CALL_ID")
    assert rows.keys() == reruns.full_refresh.tables["cortex_gong_calls"].keys()
    warehouse.query("alter table cortex_gong_calls drop column unknown_to_the_model")
