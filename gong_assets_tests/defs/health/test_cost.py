"""The estimate of what a day costs."""

from __future__ import annotations

from pathlib import Path

from gong_assets.defs.checks.gong_completeness import MAX_CALLS, MAX_DAYS
from gong_assets.defs.health import cost
from gong_assets.defs.health.cost import CortexUse, assumed_cortex_use, estimate, estimate_for
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse


def test_cost_grows_with_the_calls_up_to_what_the_schedules_allow(tmp_path: Path) -> None:
    settings = Settings(gong_assets_home=tmp_path)
    quiet, small, large, huge = (estimate(calls, settings) for calls in (0, 20, 2000, 20_000))
    assert quiet.warehouse_minutes < 12
    assert quiet.cortex_dollars == 0
    assert quiet.statements < small.statements < large.statements == huge.statements
    assert small.gong_requests < large.gong_requests < 10_000
    assert huge.cortex_tokens == 10 * large.cortex_tokens


def test_the_runs_are_those_of_the_schedules_that_the_settings_have(tmp_path: Path) -> None:
    by_default = estimate(0, Settings(gong_assets_home=tmp_path))
    assert by_default.runs == {
        "landings": 6, "transcripts": 0, "transformations": 0, "reconciliations": 1 / 7, "reference data": 1,
        "HubSpot refreshes": 1, "standing checks": 1,
    }  # fmt: skip
    hourly = Settings(
        gong_assets_home=tmp_path, gong_assets_ingestion_cron="0 * * * *", hubspot_schema="V2_LIVE"
    )
    busy = estimate(0, hourly)
    assert (busy.runs["landings"], busy.runs["HubSpot refreshes"]) == (24, 24)
    assert busy.gong_requests > 3 * by_default.gong_requests
    # Each wake-up is billed for a minute at least.
    assert busy.warehouse_minutes - by_default.warehouse_minutes > (24 - 6) + (24 - 1)


def test_every_assumed_function_has_a_price() -> None:
    assert all(use.dollars > 0 for use in assumed_cortex_use())


def test_the_estimate_uses_the_averages_of_the_last_days(warehouse: Warehouse, tmp_path: Path) -> None:
    settings = Settings(gong_assets_home=tmp_path)
    assert not estimate_for(settings, warehouse).is_measured
    now = "CURRENT_TIMESTAMP()"
    with warehouse.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE CORTEX_GONG_CALLS AS SELECT COLUMN1 AS CALL_ID, "
            "DATEADD('day', IFF(COLUMN1 = 'misdated', 9, 0), SYSDATE()::DATE) AS CALL_DATE, "
            f"DATEADD('day', COLUMN2, {now}) AS CORTEX_PROCESSED_AT "
            "FROM VALUES ('1', 0), ('2', 0), ('3', NULL), ('misdated', NULL), ('long ago', -40)"
        )
        # Calls of the batch that was sent long ago have been deleted since.
        cursor.execute(
            "CREATE TABLE GONG_CORTEX_BATCHES AS SELECT 'AI_EMBED' AS FUNCTION_NAME, "
            "COLUMN3 AS INPUT_TOKENS, 20 AS OUTPUT_TOKENS, 0.5 AS ESTIMATED_DOLLARS, COLUMN1 AS STATUS, "
            f"DATEADD('day', COLUMN2, {now}) AS SENT_AT "
            "FROM VALUES ('Answered', 0, 100), ('Over Budget', NULL, 100), ('Answered', -40, 9000)"
        )
    measured = estimate_for(settings, warehouse)
    assert measured.calls_per_day == 4
    assert measured.cortex == [CortexUse("AI_EMBED", 60.0, 0.25)]
    assert estimate_for(settings, warehouse, 50).calls_per_day == 50
    with warehouse.connect() as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM GONG_CORTEX_BATCHES WHERE INPUT_TOKENS = 100")
    unsent = estimate_for(settings, warehouse)
    assert (unsent.calls_per_day, unsent.is_measured) == (4, False)
    assert unsent.cortex == assumed_cortex_use()


def test_the_declared_numbers_are_those_of_the_graph() -> None:
    assert cost.STANDING_CHECK_DAYS == MAX_DAYS
    assert MAX_CALLS / cost.RECORDS_PER_PAGE == cost.STANDING_CHECK_REQUESTS
