"""A text that Cortex refuses, in a real run of the graph: it costs the run a few retries and nobody else anything."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pytest

from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse, open_warehouse
from gong_assets_tests.cli.command_line import CommandLine, Outcome
from gong_assets_tests.end_to_end.company import company

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("refusing")]

# Only in a dialogue does the speaker's name stand before it, and "passage" where it is embedded: its segments are answered.
SAID = "Honestly the price is far too high"
REFUSED = f"(?<!passage): {SAID}"


@dataclass(frozen=True)
class Synced:
    outcome: Outcome
    warehouse: Warehouse
    instance: dg.DagsterInstance


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synced]:
    directory = tmp_path_factory.mktemp("refusing")
    with company().served() as gong:
        transcript = next(each for each in gong.transcripts if SAID in json.dumps(each))
        call = next(each for each in gong.calls if each.id == str(transcript["callId"]))
        day = call.time.date().isoformat()
        environment = {
            "GONG_ASSETS_HOME": str(directory / "home"),
            "GONG_ASSETS_LOCAL_CORTEX_REFUSES": REFUSED,
            **gong.environment,
        }
        command_line = CommandLine(directory, environment)
        command_line.gong_assets("local", "up").succeeded()
        outcome = command_line.gong_assets("sync", "--mode", "backfill", "--from-date", day, "--to-date", day)
        home = directory / "home"
        with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
            yield Synced(outcome, open_warehouse(Settings(gong_assets_home=home)), instance)
        command_line.gong_assets("local", "down").succeeded()


def test_the_run_succeeds_after_retries_and_the_refused_dialogue_is_left_with_its_error(
    synced: Synced,
) -> None:
    synced.outcome.succeeded()
    calls = synced.warehouse.query("SELECT * FROM CORTEX_GONG_CALLS")
    (refused,) = [row for row in calls if row["CORTEX_ERROR"]]
    assert (refused["CORTEX_ATTEMPTS"], refused["PROCESSED_BY_CORTEX"], refused["CALL_SUMMARY"]) == (
        3,
        False,
        None,
    )
    segments = synced.warehouse.query("SELECT * FROM CORTEX_GONG_CALL_TRANSCRIPTS")
    assert all(row["PROCESSED_BY_CORTEX"] or row["IS_TOO_SHORT"] for row in segments)
    assert refused["SENTIMENT_SCORE"] is not None


def test_the_days_and_the_checks_say_that_something_failed(synced: Synced) -> None:
    (day,) = synced.warehouse.query("SELECT * FROM VW_CORTEX_STATUS WHERE SEGMENTS > 0")
    assert (day["CORTEX_STATUS"], day["FAILED_CALLS"], day["WAITING_CALLS"]) == ("Failed", 1, 0)
    assert "calls_are_summarized" in synced.outcome.stdout + synced.outcome.stderr


def test_what_was_sent_is_metadata_of_the_assets_by_function(synced: Synced) -> None:
    def metadata(asset: str) -> Mapping[str, dg.MetadataValue[Any]]:
        event = synced.instance.get_latest_materialization_event(dg.AssetKey(asset))
        assert event is not None
        assert event.asset_materialization is not None
        return event.asset_materialization.metadata

    def functions(asset: str) -> set[tuple[Any, Any]]:
        table = metadata(asset)["cortex/by_function"]
        assert isinstance(table, dg.TableMetadataValue)
        return {(record.data["function_name"], record.data["status"]) for record in table.records}

    assert functions("cortex_gong_call_transcripts") == {("AI_EMBED", "Answered"), ("SENTIMENT", "Answered")}
    assert functions("cortex_gong_calls") == {("AI_SUMMARIZE_AGG", "Sent"), ("AI_SUMMARIZE_AGG", "Answered")}
    spent = metadata("cortex_gong_call_transcripts")["cortex/estimated_dollars"].value
    assert isinstance(spent, float)
    assert spent > 0
    costs = synced.warehouse.query(
        "SELECT SUM(ESTIMATED_DOLLARS) AS SPENT FROM VW_CORTEX_COSTS WHERE MODEL_NAME = 'cortex_gong_call_transcripts'"
    )
    assert costs[0]["SPENT"] == pytest.approx(spent)
