"""A text that Cortex rejects in a real run: it is retried, and no other text is affected."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pytest

from gong_assets.local.cortex.failure_injection import InjectedFailureError
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse, open_warehouse
from gong_assets_tests.cli.command_line import CommandLine, Outcome
from gong_assets_tests.end_to_end.company_gong import company_gong

pytestmark = [pytest.mark.extended, pytest.mark.slow, pytest.mark.xdist_group("refusing")]

# Matches the text in a dialogue, where a speaker's name precedes it, but not in a segment. Before the text of
# an embedding there is "passage".
TEXT = "Honestly the price is far too high"
REJECTED = f"(?<!passage): {TEXT}"


@dataclass(frozen=True)
class Synced:
    outcome: Outcome
    warehouse: Warehouse
    instance: dg.DagsterInstance


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synced]:
    directory = tmp_path_factory.mktemp("refusing")
    with company_gong().served() as gong:
        transcript = next(each for each in gong.transcripts if TEXT in json.dumps(each))
        call = next(each for each in gong.calls if each.id == str(transcript["callId"]))
        day = call.time.date().isoformat()
        environment = {
            "GONG_ASSETS_HOME": str(directory / "home"),
            "GONG_ASSETS_TARGET": "local",
            "GONG_ASSETS_LOCAL_CORTEX_REFUSES": REJECTED,
            **gong.environment,
        }
        command_line = CommandLine(directory, environment)
        command_line.gong_assets("local", "up").succeeded()
        outcome = command_line.gong_assets("sync", "--mode", "backfill", "--from-date", day, "--to-date", day)
        home = directory / "home"
        with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
            yield Synced(outcome, open_warehouse(Settings(gong_assets_home=home)), instance)
        command_line.gong_assets("local", "down").succeeded()


def test_the_run_succeeds_after_retries_and_the_rejected_dialogue_keeps_its_error(
    synced: Synced,
) -> None:
    synced.outcome.succeeded()
    calls = synced.warehouse.query("SELECT * FROM CORTEX_GONG_CALLS")
    (rejected,) = [row for row in calls if row["CORTEX_ERROR"]]
    assert (rejected["CORTEX_ATTEMPTS"], rejected["PROCESSED_BY_CORTEX"], rejected["CALL_SUMMARY"]) == (
        3,
        False,
        None,
    )
    segments = synced.warehouse.query("SELECT * FROM CORTEX_GONG_CALL_TRANSCRIPTS")
    assert all(row["PROCESSED_BY_CORTEX"] or row["IS_TOO_SHORT"] for row in segments)
    assert rejected["SENTIMENT_SCORE"] is not None


def test_no_event_quotes_the_rejected_text(synced: Synced) -> None:
    assert TEXT in str(InjectedFailureError("AI_SUMMARIZE_AGG", TEXT)), "the error quotes it"
    events = [
        dg.serialize_value(entry)
        for run in synced.instance.get_runs()
        for entry in synced.instance.all_logs(run.run_id)
    ]
    batches = [event for event in events if "Cortex did not answer a batch" in event]
    assert batches
    assert all("Request failed for external function AI_SUMMARIZE_AGG" in event for event in batches)
    assert not [event for event in events if TEXT in event]


def test_the_status_view_and_a_check_report_the_failure(synced: Synced) -> None:
    (day,) = synced.warehouse.query("SELECT * FROM VW_CORTEX_STATUS WHERE SEGMENTS > 0")
    assert (day["CORTEX_STATUS"], day["FAILED_CALLS"], day["WAITING_CALLS"]) == ("Failed", 1, 0)
    assert "calls_are_summarized" in synced.outcome.stdout + synced.outcome.stderr


def test_the_assets_have_metadata_for_each_cortex_function(synced: Synced) -> None:
    def metadata(asset: str) -> Mapping[str, dg.MetadataValue[Any]]:
        event = synced.instance.get_latest_materialization_event(dg.AssetKey(asset))
        assert event is not None
        assert event.asset_materialization is not None
        return event.asset_materialization.metadata

    def functions(asset: str) -> set[tuple[Any, Any]]:
        table = metadata(asset)["cortex/by_function"]
        assert isinstance(table, dg.TableMetadataValue)
        return {(record.data["function_name"], record.data["status"]) for record in table.records}

    assert functions("gong_cortex_segments") == {("AI_EMBED", "Answered"), ("SENTIMENT", "Answered")}
    assert functions("gong_cortex_summaries") == {
        ("AI_SUMMARIZE_AGG", "Sent"),
        ("AI_SUMMARIZE_AGG", "Answered"),
    }
    dollars = metadata("gong_cortex_segments")["cortex/estimated_dollars"].value
    assert isinstance(dollars, float)
    assert dollars > 0
    costs = synced.warehouse.query(
        "SELECT SUM(ESTIMATED_DOLLARS) AS DOLLARS FROM VW_CORTEX_COSTS "
        "WHERE MODEL_NAME = 'cortex_gong_call_transcripts'"
    )
    assert costs[0]["DOLLARS"] == pytest.approx(dollars)
