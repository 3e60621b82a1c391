"""The definitions as Dagster loads them: attributes of assets, and requests of schedules and sensors.

`data/asset_graph.json` is the reviewed graph. `make generate` writes it after a change.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from gong_assets.defs.build import build_defs
from gong_assets.defs.jobs import JOB_NAMES
from gong_assets.defs.resources import SnowflakeResource
from gong_assets.ingestion.spool import Row, Spool
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse
from gong_assets.warehouse.landing import replace
from gong_assets.warehouse.tables import CALLS, create_raw_tables
from tools.generate import ASSET_GRAPH, asset_graph

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("definitions")]

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
FIRST_DAY, LAST_WEEK, YESTERDAY, TODAY = "2026-02-01", "2026-03-05", "2026-03-09", "2026-03-10"
BEFORE_THE_LOOKBACK = "2026-02-20"


def settings(home: Path) -> Settings:
    return Settings(gong_assets_home=home, gong_start_date=date(2026, 2, 1))


@pytest.fixture(scope="module")
def defs(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    return build_defs(settings(tmp_path_factory.mktemp("definitions")))


def own_specs(defs: dg.Definitions) -> list[dg.AssetSpec]:
    """Return the assets of the graph without HubSpot's tables, which are external."""
    return [spec for spec in defs.resolve_all_asset_specs() if spec.key.path[0] != "hubspot"]


def test_the_definitions_load(defs: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(defs)


def test_the_graph_is_the_one_that_was_reviewed(defs: dg.Definitions) -> None:
    assert asset_graph(defs) == ASSET_GRAPH.read_text("utf-8"), "to accept this change, run `make generate`"


def test_every_asset_has_a_description_group_owner_and_table(defs: dg.Definitions) -> None:
    for spec in own_specs(defs):
        assert spec.description, spec.key
        assert spec.group_name in {
            "raw",
            "staging",
            "hubspot",
            "cortex",
            "enriched",
            "monitoring",
            "health",
        }, spec.key
        assert spec.owners, spec.key
        assert "snowflake" in spec.kinds, spec.key
        if spec.key.path[-1] in ("gong_call_reconciliation", "gong_pipeline_health"):
            continue  # They have no tables of their own.
        assert spec.freshness_policy is not None, spec.key
        table = f"SOPHIA_AI.GONG_DATA.{spec.key.path[-1]}"
        assert spec.metadata["dagster/table_name"].upper() == table.upper()


def test_hubspot_tables_are_external_assets_with_a_description(defs: dg.Definitions) -> None:
    tables = [spec for spec in defs.resolve_all_asset_specs() if spec.key.path[0] == "hubspot"]
    assert len(tables) == 8
    for spec in tables:
        assert spec.description, spec.key
        assert (spec.group_name, spec.kinds) == ("hubspot", {"hubspot", "snowflake"}), spec.key
        assert spec.metadata["dagster/table_name"].startswith("HUBSPOT_SHARE.V2_DAILY."), spec.key


def test_every_column_of_the_raw_tables_is_described(defs: dg.Definitions) -> None:
    for spec in own_specs(defs):
        if spec.group_name == "raw" and spec.key.path[-1] != "gong_call_reconciliation":
            columns = spec.metadata["dagster/column_schema"].columns
            assert all(column.description or column.name == "INGESTED_AT" for column in columns), spec.key


@pytest.mark.parametrize("job", JOB_NAMES)
def test_every_job_resolves_and_has_a_description(defs: dg.Definitions, job: str) -> None:
    resolved = defs.resolve_job_def(job)
    assert resolved.asset_layer.executable_asset_keys or job == "gong_transcripts"
    assert resolved.description


def test_the_calls_job_has_no_transcript_and_no_cortex_asset(defs: dg.Definitions) -> None:
    keys = {
        key.to_user_string() for key in defs.resolve_job_def("gong_calls").asset_layer.selected_asset_keys
    }
    assert {"gong_calls_raw", "stg_gong_calls"} <= keys
    assert not [key for key in keys if "transcript" in key or "cortex" in key]


def test_the_ingestion_schedule_requests_the_lookback_days_in_one_run(defs: dg.Definitions) -> None:
    schedule = defs.resolve_schedule_def("gong_ingestion_schedule")
    context = dg.build_schedule_context(
        scheduled_execution_time=NOW, repository_def=defs.get_repository_def()
    )
    (request,) = schedule.evaluate_tick(context).run_requests or []
    first, last = (request.tags[f"dagster/asset_partition_range_{end}"] for end in ("start", "end"))
    assert (first, last) == ("2026-03-04", TODAY)
    assert {first, last} <= set(daily_keys(defs))


def test_each_tick_of_a_day_has_its_own_run_key(defs: dg.Definitions) -> None:
    schedule = defs.resolve_schedule_def("gong_ingestion_schedule")
    keys = set()
    for hour in (0, 4, 8):
        context = dg.build_schedule_context(
            scheduled_execution_time=NOW.replace(hour=hour), repository_def=defs.get_repository_def()
        )
        keys |= {request.run_key for request in schedule.evaluate_tick(context).run_requests or []}
    assert len(keys) == 3


def test_the_reconciliation_schedule_requests_the_days_before_the_lookback(defs: dg.Definitions) -> None:
    schedule = defs.resolve_schedule_def("gong_reconciliation_schedule")
    context = dg.build_schedule_context(
        scheduled_execution_time=NOW, repository_def=defs.get_repository_def()
    )
    (request,) = schedule.evaluate_tick(context).run_requests or []
    first, last = (request.tags[f"dagster/asset_partition_range_{end}"] for end in ("start", "end"))
    assert (first, last) == ("2026-02-01", "2026-03-03")


def daily_keys(defs: dg.Definitions) -> list[str]:
    partitions = next(spec.partitions_def for spec in own_specs(defs) if spec.partitions_def is not None)
    return list(partitions.get_partition_keys(current_time=NOW))


def test_missing_transcripts_are_requested_by_call_id_in_one_run(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    today = datetime.now(UTC).date()
    recent = Settings(gong_assets_home=tmp_path, gong_start_date=today - timedelta(days=20))
    resource = SnowflakeResource(arguments=warehouse.arguments)
    defs = build_defs(recent, resources={"gong_snowflake": resource})
    sensor = defs.resolve_sensor_def("gong_missing_transcripts")
    assert sensor.job_name == "gong_transcripts"

    with dg.DagsterInstance.ephemeral() as instance:

        def tick(cursor: str | None) -> Any:
            context = dg.build_sensor_context(
                instance=instance, cursor=cursor, definitions=defs, resources={"gong_snowflake": resource}
            )
            return sensor.evaluate_tick(context)

        assert "have not both landed yet" in tick(None).skip_message
        with warehouse.connect() as connection:
            create_raw_tables(connection, RAW_TABLES)
        land_calls(warehouse, [today - timedelta(days=age) for age in (1, 3, 5, 18)])
        first = tick(None)
        (request,) = first.run_requests or []
        # The last call is too old for another request; the check lists it.
        assert request.run_config["ops"]["request_missing_transcripts"]["config"]["call_ids"] == [
            "2",
            "1",
            "0",
        ]
        second = tick(first.cursor)
        assert not second.run_requests
        assert second.skip_message
        instance.add_run(
            dg.DagsterRun(
                job_name="gong_transcripts", run_id=str(uuid.uuid4()), status=dg.DagsterRunStatus.STARTED
            )
        )
        assert "has not finished" in tick(None).skip_message


def land_calls(warehouse: Warehouse, days: Iterable[date]) -> None:
    spool = Spool()
    for number, day in enumerate(days):
        spool.append(Row(str(number), b"{}", day, "hash", None))
    spool.close()
    with warehouse.connect() as connection:
        replace(connection, CALLS, spool, ranges=[], correlation_id="run")
    spool.discard()


class Automation:
    """Ticks of the automation sensor, between which a test materializes assets."""

    def __init__(self, defs: dg.Definitions) -> None:
        self.defs = defs
        self.instance = dg.DagsterInstance.ephemeral()
        self.cursor: Any = None
        self.time = NOW
        self.tick()

    def materialize(self, asset: str, *days: str) -> None:
        for day in days or (None,):
            self.instance.report_runless_asset_event(dg.AssetMaterialization(asset, partition=day))

    def tick(self) -> dict[str, set[str | None]]:
        self.time += timedelta(minutes=1)
        result = dg.evaluate_automation_conditions(
            defs=self.defs, instance=self.instance, cursor=self.cursor, evaluation_time=self.time
        )
        self.cursor = result.cursor
        requested: dict[str, set[str | None]] = {}
        for each in result.results:
            keys = {key.partition_key for key in each.true_subset.expensively_compute_asset_partitions()}
            if keys:
                requested[each.key.to_user_string()] = keys
        return requested


@pytest.fixture
def automation(defs: dg.Definitions) -> Automation:
    return Automation(defs)


def test_a_raw_day_of_the_lookback_requests_its_staged_day(
    automation: Automation,
) -> None:
    automation.materialize("gong_calls_raw", TODAY, LAST_WEEK)
    requested = automation.tick()
    assert requested["stg_gong_call_participants"] == {TODAY, LAST_WEEK}
    assert requested["stg_gong_calls"] == {TODAY, LAST_WEEK}


def test_a_late_transcript_requests_its_day_in_staging_and_cortex(
    automation: Automation,
) -> None:
    for asset in ("gong_calls_raw", "gong_call_transcripts_raw"):
        automation.materialize(asset, YESTERDAY, LAST_WEEK)
    for asset in (
        "stg_gong_call_participants",
        "stg_gong_calls",
        "stg_gong_call_topics",
        "stg_gong_call_transcripts",
        "cortex_gong_call_transcripts",
        "cortex_gong_calls",
    ):
        automation.materialize(asset, YESTERDAY, LAST_WEEK)
    automation.tick()
    automation.materialize("gong_call_transcripts_raw", LAST_WEEK)
    requested = automation.tick()
    for asset in ("stg_gong_call_transcripts", "cortex_gong_call_transcripts", "cortex_gong_calls"):
        assert requested[asset] == {LAST_WEEK}, asset


def test_a_backfill_before_the_lookback_requests_no_partitioned_model(automation: Automation) -> None:
    automation.materialize("gong_calls_raw", BEFORE_THE_LOOKBACK)
    assert "stg_gong_calls" not in automation.tick()


def test_a_view_is_requested_although_days_of_its_parents_never_ran(automation: Automation) -> None:
    automation.materialize("stg_gong_calls", YESTERDAY)
    assert "vw_enriched_gong_calls" in automation.tick()
