"""The definitions as Dagster loads them: attributes of assets, and requests of schedules and sensors.

`data/asset_graph.json` is the reviewed graph. `make generate` writes it after a change.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import dagster as dg
import pytest
from dagster._core.definitions.freshness import TimeWindowFreshnessPolicy

import gong_assets
from gong_assets.dates import DateRange
from gong_assets.defs.build import build_defs
from gong_assets.defs.freshness import ingestion_freshness, longest_gap, reconciliation_freshness
from gong_assets.defs.jobs import JOB_NAMES, OPTIONAL_JOB_NAMES
from gong_assets.defs.options import GraphOptions, Layer, ScheduleOptions, Schedules
from gong_assets.defs.schedules import days_to_ingest
from gong_assets.settings import Settings
from gong_assets_tests.instances import local_instance
from tools.generate import ASSET_GRAPH, asset_graph

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("definitions")]

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = "2026-03-10"
PACKAGE = Path(gong_assets.__file__).parent
WITHOUT_TABLE = ("gong_call_reconciliation", "gong_pipeline_health", "gong_retention", "gong_erasures")


def settings(home: Path) -> Settings:
    return Settings(gong_assets_home=home, gong_start_date=date(2026, 2, 1))


@pytest.fixture(scope="module")
def defs(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    return build_defs(settings(tmp_path_factory.mktemp("definitions")))


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    with local_instance(tmp_path_factory.mktemp("instance")) as instance:
        yield instance


def schedule_context(
    defs: dg.Definitions, instance: dg.DagsterInstance, time: datetime
) -> dg.ScheduleEvaluationContext:
    return dg.build_schedule_context(
        instance=instance, scheduled_execution_time=time, repository_def=defs.get_repository_def()
    )


# The first part of the keys of external assets: HubSpot's tables, and the announcements of calls.
EXTERNAL = ("hubspot", "gong_webhook")


def own_specs(defs: dg.Definitions) -> list[dg.AssetSpec]:
    """Return the assets that the graph materializes, without external ones."""
    return [spec for spec in defs.resolve_all_asset_specs() if spec.key.path[0] not in EXTERNAL]


def test_the_definitions_load(defs: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(defs)


OPTIONAL_PARTS = {
    "gong_retention_days": 30,
    "gong_redact_transcripts": True,
    "gong_include_private_calls": True,
    "gong_provisioned": True,
    "gong_provision_separate_warehouses": True,
    "gong_cortex_token_budget": 1_000_000,
    "gong_webhook_url": "https://calls.example.com/gong/a-long-random-path",
}


@pytest.mark.parametrize(
    "accounts",
    [
        {"gong_assets_source": "simulated"},
        {"gong_source": "airbyte", "gong_assets_target": "local"},
        {
            "gong_access_key": "k",
            "gong_access_key_secret": "s",
            "snowflake_account": "a1",
            "snowflake_user": "GONG",
            "snowflake_token": "token",
            "snowflake_warehouse": "LOADING",
            "gong_cortex_search": True,
            "gong_agent_objects": True,
        },
    ],
    ids=["simulated", "Airbyte", "Snowflake"],
)
def test_the_definitions_load_with_all_optional_parts(tmp_path: Path, accounts: dict[str, Any]) -> None:
    chosen = {"gong_assets_home": tmp_path, "gong_start_date": date(2026, 2, 1), **OPTIONAL_PARTS, **accounts}
    defs = build_defs(Settings(**chosen), GraphOptions(key_prefix="sales"))
    dg.Definitions.validate_loadable(defs)
    # The daily job evaluates the check, although it is not declared with the others.
    absent = set() if "gong_agent_objects" in accounts else {"gong_agent_objects"}
    assert {job.name for job in defs.jobs or ()} == {*JOB_NAMES, *OPTIONAL_JOB_NAMES} - absent
    steps = {node.name for node in defs.resolve_job_def("gong_standing_checks").nodes}
    assert any(name.endswith("account_is_as_declared") for name in steps), steps
    page = (PACKAGE.parent / "docs" / "operations.md").read_text("utf-8")
    parts = [*(defs.jobs or ()), *(defs.schedules or ()), *(defs.sensors or ())]
    checks = [spec for each in defs.asset_checks or () for spec in each.check_specs]
    assert [each.name for each in (*parts, *checks) if f"\n- `{each.name}`" not in page] == []
    # `dg launch --partition-range` requires it of each selected asset, also of those without partitions.
    graph = defs.resolve_asset_graph()
    for key in graph.executable_asset_keys:
        assert graph.get(key).backfill_policy == dg.BackfillPolicy.single_run(), key


def test_the_graph_is_the_one_that_was_reviewed(defs: dg.Definitions) -> None:
    assert asset_graph(defs) == ASSET_GRAPH.read_text("utf-8"), "to accept this change, run `make generate`"


def test_every_asset_has_a_description_group_owner_and_table(defs: dg.Definitions) -> None:
    for spec in own_specs(defs):
        assert spec.description, spec.key
        assert spec.group_name in get_args(Layer), spec.key
        assert spec.owners, spec.key
        assert "snowflake" in spec.kinds, spec.key
        if spec.key.path[-1] in WITHOUT_TABLE:
            continue
        # The enrichments write into one table.
        is_enrichment = spec.key.path[-1].startswith("gong_cortex_")
        table = f"SOPHIA_AI.GONG_DATA.{'GONG_CORTEX_ANSWERS' if is_enrichment else spec.key.path[-1]}"
        assert spec.metadata["dagster/table_name"].upper() == table.upper()


def test_every_executable_asset_refers_to_its_code(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    for key in graph.executable_asset_keys:
        references = graph.get(key).metadata.get("dagster/code_references")
        assert isinstance(references, dg.CodeReferencesMetadataValue), key
        (file,) = references.code_references
        assert isinstance(file, dg.LocalFileCodeReference), key
        assert Path(file.file_path).is_relative_to(PACKAGE), key
        assert Path(file.file_path).is_file(), key


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
    assert resolved.asset_layer.executable_asset_keys or job in (
        "gong_transcripts",
        "gong_announced_calls",
        "gong_storage_cleanup",
    )
    assert resolved.description


def test_the_calls_job_has_no_transcript_and_no_cortex_asset(defs: dg.Definitions) -> None:
    keys = {
        key.to_user_string() for key in defs.resolve_job_def("gong_calls").asset_layer.selected_asset_keys
    }
    assert {"gong_calls_raw", "stg_gong_calls"} <= keys
    assert not [key for key in keys if "transcript" in key or "cortex" in key]


def test_the_ingestion_schedule_requests_the_lookback_days_in_one_run(
    defs: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    schedule = defs.resolve_schedule_def("gong_ingestion_schedule")
    context = schedule_context(defs, instance, NOW)
    (request,) = schedule.evaluate_tick(context).run_requests or []
    first, last = (request.tags[f"dagster/asset_partition_range_{end}"] for end in ("start", "end"))
    assert (first, last) == ("2026-03-04", TODAY)
    assert {first, last} <= set(daily_keys(defs))


def test_each_tick_of_a_day_has_its_own_run_key(defs: dg.Definitions, instance: dg.DagsterInstance) -> None:
    schedule = defs.resolve_schedule_def("gong_ingestion_schedule")
    keys = set()
    for hour in (0, 4, 8):
        context = schedule_context(defs, instance, NOW.replace(hour=hour))
        keys |= {request.run_key for request in schedule.evaluate_tick(context).run_requests or []}
    assert len(keys) == 3


@pytest.mark.parametrize(
    ("last_success", "first"),
    [
        (None, date(2026, 3, 4)),
        (date(2026, 3, 10), date(2026, 3, 4)),
        (date(2026, 3, 9), date(2026, 3, 4)),
        (date(2026, 2, 28), date(2026, 2, 23)),
        (date(2025, 1, 1), date(2026, 2, 1)),
    ],
)
def test_after_an_outage_the_ingestion_reads_the_missed_days_too(
    tmp_path: Path, last_success: date | None, first: date
) -> None:
    days = days_to_ingest(settings(tmp_path), NOW.date(), last_success)
    assert (days.start, days.last) == (first, NOW.date())


@pytest.mark.parametrize(
    ("status", "first"),
    [
        (dg.DagsterRunStatus.FAILURE, "2026-03-03"),
        (dg.DagsterRunStatus.CANCELED, "2026-03-03"),
        (dg.DagsterRunStatus.STARTED, "2026-03-03"),
        (dg.DagsterRunStatus.SUCCESS, "2026-03-04"),
    ],
)
def test_a_run_that_did_not_succeed_is_followed_by_one_that_reads_its_days_too(
    defs: dg.Definitions, tmp_path: Path, status: dg.DagsterRunStatus, first: str
) -> None:
    instance = local_instance(tmp_path)  # The other tests share one without runs.
    schedule = defs.resolve_schedule_def("gong_ingestion_schedule")
    for hours_ago, ended in ((8, dg.DagsterRunStatus.SUCCESS), (4, status)):
        context = schedule_context(defs, instance, NOW.replace(hour=0) - timedelta(hours=hours_ago))
        (request,) = schedule.evaluate_tick(context).run_requests or []
        instance.create_run_for_job(
            dg.GraphDefinition("gong_ingestion").to_job(),
            tags={**request.tags, "dagster/schedule_name": schedule.name},
            status=ended,
        )
    context = schedule_context(defs, instance, NOW.replace(hour=0))
    (request,) = schedule.evaluate_tick(context).run_requests or []
    assert request.tags["dagster/asset_partition_range_start"] == first
    assert request.tags["dagster/asset_partition_range_end"] == TODAY


def test_the_days_of_a_run_that_did_not_succeed_are_read_unless_they_have_no_partitions(
    tmp_path: Path,
) -> None:
    failed = DateRange.inclusive(date(2026, 1, 1), date(2026, 1, 7))
    days = days_to_ingest(settings(tmp_path), NOW.date(), date(2026, 3, 9), failed)
    assert (days.start, days.last) == (date(2026, 2, 1), NOW.date())


def test_freshness_policies_follow_from_the_schedules(defs: dg.Definitions) -> None:
    """A policy passes if each run of the schedule succeeds, and fails after two that did not."""
    feeding = {
        "gong_calls_raw": ("gong_ingestion_schedule", timedelta(hours=4)),
        "gong_users_raw": ("gong_ingestion_schedule", timedelta(hours=4)),
        "gong_trackers_raw": ("gong_reference_data_schedule", timedelta(days=1)),
        "stg_hubspot_deals": ("hubspot_schedule", timedelta(days=1)),
        "gong_call_reconciliation": ("gong_reconciliation_schedule", timedelta(days=7)),
        "gong_pipeline_health": ("gong_standing_checks_schedule", timedelta(days=1)),
    }
    specs = {spec.key.path[-1]: spec for spec in own_specs(defs)}
    for asset, (schedule, gap) in feeding.items():
        cron = defs.resolve_schedule_def(schedule).cron_schedule
        assert isinstance(cron, str)
        assert longest_gap(cron, "UTC") == gap
        policy = specs[asset].freshness_policy
        assert isinstance(policy, TimeWindowFreshnessPolicy)
        assert gap < policy.warn_window.to_timedelta() < 2 * gap  # type: ignore[union-attr]
        assert 2 * gap < policy.fail_window.to_timedelta() < 3 * gap
    # Models are materialized when their sources change, so no schedule says how old they may be.
    with_policy = {name for name, spec in specs.items() if spec.freshness_policy is not None}
    assert {name for name in with_policy if not name.endswith("_raw")} == {
        "gong_call_reconciliation",
        "gong_pipeline_health",
        *(name for name in specs if name.startswith("stg_hubspot_")),
    }


def test_a_comparison_without_days_has_no_freshness_policy(tmp_path: Path) -> None:
    """Its schedule requests no run, so the last comparison of an earlier setting gets older for ever."""
    assert reconciliation_freshness(settings(tmp_path), GraphOptions()) is not None
    short = Settings(gong_assets_home=tmp_path, gong_lookback_days=7, gong_reconciliation_days=6)
    assert reconciliation_freshness(short, GraphOptions()) is None


def test_an_asset_of_a_disabled_schedule_has_no_freshness_policy() -> None:
    off = GraphOptions(schedules=Schedules(ingestion=ScheduleOptions(enabled=False)))
    assert ingestion_freshness(off) is None
    weekdays = GraphOptions(schedules=Schedules(ingestion=ScheduleOptions(cron="0 9,17 * * 1-5")))
    policy = ingestion_freshness(weekdays)
    assert isinstance(policy, TimeWindowFreshnessPolicy)
    assert policy.fail_window.to_timedelta() > timedelta(days=5)


def test_the_reconciliation_schedule_requests_the_days_before_the_lookback(
    defs: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    schedule = defs.resolve_schedule_def("gong_reconciliation_schedule")
    context = schedule_context(defs, instance, NOW)
    (request,) = schedule.evaluate_tick(context).run_requests or []
    first, last = (request.tags[f"dagster/asset_partition_range_{end}"] for end in ("start", "end"))
    assert (first, last) == ("2026-02-01", "2026-03-03")


def daily_keys(defs: dg.Definitions) -> list[str]:
    partitions = next(spec.partitions_def for spec in own_specs(defs) if spec.partitions_def is not None)
    return list(partitions.get_partition_keys(current_time=NOW))
