"""Buttons of the UI, by what they send: materialize, backfill, re-execute, and execute a check.

The deployment reads from the company's Gong, of which a test can break parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import dagster as dg
import pytest

from gong_assets.defs import failures
from gong_assets.defs.assets import ingestion
from gong_assets.gong import GongError, GongNotFoundError, GongServerError
from gong_assets.local import stack
from gong_assets_tests.end_to_end.company import FIRST, STATS_DAY
from gong_assets_tests.end_to_end.company_gong import company_gong
from gong_assets_tests.end_to_end.gong_server import Gong
from gong_assets_tests.ui.webserver import Webserver, webserver

pytestmark = [pytest.mark.extended, pytest.mark.slow, pytest.mark.xdist_group("ui")]

ACTIVITY_PATH = "/v2/stats/activity/day-by-day"
INGESTED = {
    "gong_calls_raw",
    "gong_call_transcripts_raw",
    "gong_answered_scorecards_raw",
    "gong_interaction_stats_raw",
    "gong_user_activity_raw",
    "gong_users_raw",
}
DAY = STATS_DAY.isoformat()


@pytest.fixture(scope="module")
def gong() -> Iterator[Gong]:
    with company_gong().served() as served:
        yield served


@pytest.fixture(scope="module")
def deployment(gong: Gong, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Webserver]:
    home = tmp_path_factory.mktemp("home")
    variables = {
        **gong.environment,
        "GONG_ASSETS_HOME": str(home),
        "GONG_ASSETS_TARGET": "local",
        "GONG_START_DATE": FIRST.isoformat(),
    }
    with pytest.MonkeyPatch.context() as environment:
        for name, value in variables.items():
            environment.setenv(name, value)
        with webserver(tmp_path_factory.mktemp("dagster")) as served:
            yield served
    stack.down(home)


def test_a_stream_that_fails_stops_only_its_own_checks_and_is_all_that_a_reexecution_reads(
    deployment: Webserver, gong: Gong
) -> None:
    gong.broken_paths = {ACTIVITY_PATH}
    try:
        run = deployment.launch("gong_ingestion", tags={"dagster/partition": DAY})
    finally:
        gong.broken_paths = set()
    assert run.failures.keys() == {"gong_user_activity_raw"}
    assert ACTIVITY_PATH in run.failures["gong_user_activity_raw"]
    assert run.retries == [], "404 is permanent"
    rest = INGESTED - {"gong_user_activity_raw"}
    assert run.materialized == rest
    assert {check.asset_key.path[-1] for check in run.evaluations} == rest
    again = deployment.reexecute_from_failure(run)
    assert again.is_success, again.failures
    assert again.materialized == {"gong_user_activity_raw"}
    assert {check.check_name for check in again.evaluations} == {
        "scope_is_granted",
        "records_validate",
        "schema_is_known",
    }


@pytest.mark.parametrize(
    ("error", "retries"),
    [
        (GongServerError("GET /v2/workspaces: 503", status=503), 1),
        (GongNotFoundError("GET /v2/workspaces: 404", status=404), 0),
    ],
)
def test_a_step_is_retried_if_its_error_can_pass(
    deployment: Webserver, monkeypatch: pytest.MonkeyPatch, error: GongError, retries: int
) -> None:
    read_source, errors = ingestion.read_source, [error]

    def fails_once(*arguments: Any, **options: Any) -> Any:
        if errors:
            raise errors.pop()
        return read_source(*arguments, **options)

    monkeypatch.setattr(failures, "STEP_RETRY_SECONDS", 1)
    monkeypatch.setattr(ingestion, "read_source", fails_once)
    run = deployment.launch("gong_reference_data", assets=["gong_workspaces_raw"])
    assert run.retries == ["gong_workspaces_raw"] * retries
    assert run.is_success == bool(retries)


def test_a_backfill_of_seven_days_is_one_run_that_materializes_each_day(deployment: Webserver) -> None:
    days = [(FIRST + timedelta(days=number)).isoformat() for number in range(7)]
    (run,) = deployment.backfill(["gong_calls_raw", "gong_call_transcripts_raw"], days)
    assert run.is_success, run.failures
    for asset in ("gong_calls_raw", "gong_call_transcripts_raw"):
        materialized = deployment.instance.get_materialized_partitions(dg.AssetKey(asset))
        assert set(days) <= materialized


@pytest.fixture(scope="module")
def materialized(deployment: Webserver) -> Webserver:
    """The deployment after "Materialize all" for one day."""
    graph = deployment.context.create_request_context().asset_graph
    runs = deployment.backfill(
        [key.path[-1] for key in graph.materializable_asset_keys - {dg.AssetKey("gong_call_reconciliation")}],
        [date(2025, 3, 4).isoformat()],
    )
    for run in runs:
        assert run.is_success, run.failures
    return deployment


def test_materialize_all_materializes_every_asset(materialized: Webserver) -> None:
    graph = materialized.context.create_request_context().asset_graph
    built = {
        key
        for key in graph.materializable_asset_keys
        if materialized.instance.get_latest_materialization_event(key)
    }
    assert graph.materializable_asset_keys - built == {dg.AssetKey("gong_call_reconciliation")}


def test_each_check_can_be_executed_alone(materialized: Webserver) -> None:
    """The button launches a run without assets and, for checks of daily assets too, without days."""
    checks = [
        ("gong_calls_raw", "calls_are_recent"),
        ("gong_user_activity_raw", "schema_is_known"),
        ("stg_hubspot_deals", "hubspot_is_shared"),
        ("vw_enriched_gong_calls", "hubspot_knows_the_deals"),
        ("cortex_gong_call_transcripts", "segments_are_enriched"),
        ("cortex_gong_calls", "calls_are_summarized"),
    ]
    run = materialized.launch("__ASSET_JOB", assets=[], checks=checks)
    assert run.is_success, run.failures
    assert {(check.asset_key.path[-1], check.check_name) for check in run.evaluations} == set(checks)
    assert run.materialized == set()
