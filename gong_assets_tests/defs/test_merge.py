"""The graph merged with the definitions of a project that uses the same names, and the options for it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from gong_assets.dates import DateRange
from gong_assets.defs.build import build_defs
from gong_assets.defs.jobs import JOB_NAMES
from gong_assets.defs.options import (
    GraphOptions,
    ResourceKeys,
    ScheduleOptions,
    Schedules,
    SensorOptions,
    Sensors,
)
from gong_assets.defs.resources import GongResource
from gong_assets.defs.resumption import GONG_QUOTA, RESUME_AFTER_TAG, RESUMES_TAG, STOPPED_BY_TAG
from gong_assets.settings import Settings
from tools.generate import ASSET_GRAPH, asset_graph

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("definitions")]

PREFIXED = GraphOptions(
    key_prefix="sales/gong",
    group_prefix="gong_",
    owners=["team:sales"],
    tags={"domain": "sales"},
    schedules=Schedules(
        ingestion=ScheduleOptions(cron="0 6 * * *", timezone="Europe/Berlin"),
        hubspot=ScheduleOptions(enabled=False),
    ),
    sensors=Sensors(
        transformation=SensorOptions(enabled=False), missing_transcripts=SensorOptions(interval_seconds=1800)
    ),
)


class Account(dg.ConfigurableResource[Any]):
    """A resource of the project that has nothing to do with the graph."""

    name: str = "account"


@dg.asset(group_name="raw", tags={"layer": "raw"})
def orders() -> None: ...


@dg.asset(group_name="staging", deps=[orders], automation_condition=dg.AutomationCondition.eager())
def stg_orders() -> None: ...


@dg.op
def dbt_models() -> None: ...


@dg.job
def models() -> None:
    dbt_models()


PROJECT = dg.Definitions(
    assets=[orders, stg_orders],
    jobs=[models, dg.define_asset_job("nightly", dg.AssetSelection.assets(orders, stg_orders))],
    resources={"snowflake": Account(), "dbt": Account(), "snowflake_io_manager": dg.mem_io_manager},
    executor=dg.multiprocess_executor,
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(
        gong_assets_target="local",
        gong_assets_source="simulated",
        gong_assets_home=tmp_path_factory.mktemp("merge"),
        gong_start_date=date(2026, 2, 1),
    )


@pytest.fixture(scope="module")
def merged(settings: Settings) -> dg.Definitions:
    return dg.Definitions.merge(PROJECT, build_defs(settings))


@pytest.fixture(scope="module")
def prefixed(settings: Settings) -> dg.Definitions:
    return build_defs(settings, PREFIXED)


def names(keys: Sequence[dg.AssetKey] | set[dg.AssetKey]) -> set[str]:
    return {key.to_user_string() for key in keys}


def assets_of(defs: dg.Definitions, job: str) -> set[str]:
    return names(set(defs.resolve_job_def(job).asset_layer.executable_asset_keys))


def test_the_graph_merges_with_a_project_that_has_an_executor_and_the_same_resource_keys(
    merged: dg.Definitions,
) -> None:
    dg.Definitions.validate_loadable(merged)


@pytest.mark.parametrize("job", JOB_NAMES)
def test_no_job_of_the_graph_has_assets_of_the_project(merged: dg.Definitions, job: str) -> None:
    assert not assets_of(merged, job) & {"orders", "stg_orders"}


@pytest.mark.parametrize("job", JOB_NAMES)
def test_the_jobs_of_the_graph_run_in_one_process(merged: dg.Definitions, job: str) -> None:
    assert merged.resolve_job_def(job).executor_def.name == "in_process"


def test_the_jobs_of_the_project_keep_their_executor(merged: dg.Definitions) -> None:
    for job in ("nightly", "models", "__ASSET_JOB"):
        assert merged.resolve_job_def(job).executor_def.name == "multiprocess"


def test_a_prefix_changes_every_key_and_dependency_and_nothing_else(prefixed: dg.Definitions) -> None:
    def renamed(key: str) -> str:
        return f"sales/gong/{key}"

    expected = {
        renamed(key): {
            **spec,
            "group": f"gong_{spec['group']}",
            "deps": sorted(map(renamed, spec["deps"])),
        }
        for key, spec in json.loads(ASSET_GRAPH.read_text("utf-8")).items()
    }
    specs = prefixed.resolve_all_asset_specs()
    hubspot = {renamed(spec.key.path[-1]) for spec in specs if spec.key.path[2] == "hubspot"}
    found = {key: spec for key, spec in json.loads(asset_graph(prefixed)).items() if "/hubspot/" not in key}
    assert found == expected
    assert len(hubspot) == 8
    assert all(spec.owners == ["team:sales"] for spec in specs)
    assert all(spec.tags["domain"] == "sales" for spec in specs)


def test_a_prefixed_graph_has_all_checks_on_its_own_assets(
    prefixed: dg.Definitions, merged: dg.Definitions
) -> None:
    def checks(defs: dg.Definitions) -> set[tuple[str, str]]:
        keys = defs.resolve_asset_graph().asset_check_keys
        return {(key.asset_key.path[-1], key.name) for key in keys}

    assert checks(prefixed) == checks(merged)
    keys = prefixed.resolve_asset_graph().asset_check_keys
    assert {tuple(key.asset_key.path[:2]) for key in keys} == {("sales", "gong")}


@pytest.mark.parametrize("job", JOB_NAMES)
def test_a_prefixed_job_has_the_same_assets(
    prefixed: dg.Definitions, merged: dg.Definitions, job: str
) -> None:
    assert assets_of(prefixed, job) == {f"sales/gong/{key}" for key in assets_of(merged, job)}


def test_two_graphs_of_different_keys_have_no_asset_and_no_op_in_common(
    prefixed: dg.Definitions, merged: dg.Definitions
) -> None:
    def ops(defs: dg.Definitions) -> set[str]:
        return {node.name for node in defs.resolve_job_def("__ASSET_JOB").graph.nodes}

    assert not ops(prefixed) & ops(merged)


def test_schedules_and_sensors_follow_their_options(prefixed: dg.Definitions) -> None:
    ingestion = prefixed.resolve_schedule_def("gong_ingestion_schedule")
    assert (ingestion.cron_schedule, ingestion.execution_timezone) == ("0 6 * * *", "Europe/Berlin")
    assert ingestion.default_status == dg.DefaultScheduleStatus.RUNNING
    hubspot = prefixed.resolve_schedule_def("hubspot_schedule")
    assert (hubspot.cron_schedule, hubspot.default_status) == (
        "5 6 * * *",
        dg.DefaultScheduleStatus.STOPPED,
    )
    assert (
        prefixed.resolve_sensor_def("gong_transformation_sensor").default_status
        == dg.DefaultSensorStatus.STOPPED
    )
    transcripts = prefixed.resolve_sensor_def("gong_missing_transcripts")
    assert transcripts.minimum_interval_seconds == 1800
    assert transcripts.default_status == dg.DefaultSensorStatus.RUNNING


def stopped_run(instance: dg.DagsterInstance, **run: Any) -> str:
    """Add a run that the quota stopped an hour ago."""
    before = datetime.now(UTC) - timedelta(hours=1)
    tags = {
        STOPPED_BY_TAG: GONG_QUOTA,
        RESUME_AFTER_TAG: before.isoformat(),
        **DateRange.inclusive(date(2026, 2, 1), date(2026, 2, 3)).as_run_tags(),
    }
    run_id = str(uuid.uuid4())
    status = dg.DagsterRunStatus.FAILURE
    instance.add_run(dg.DagsterRun(run_id=run_id, status=status, tags=tags, **run))
    return run_id


def test_a_stopped_run_is_resumed_with_its_assets_days_and_config(prefixed: dg.Definitions) -> None:
    calls = dg.AssetKey(["sales", "gong", "gong_calls_raw"])
    config = {"ops": {"sales__gong__gong_calls_and_transcripts": {"config": {"confirm_deletions": True}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        in_catalog = stopped_run(
            instance,
            job_name="__ASSET_JOB",
            asset_selection=frozenset({calls}),
            run_config={**config, "execution": {"config": {"multiprocess": {}}}},
        )
        in_job = stopped_run(instance, job_name="gong_ingestion")
        stopped_run(instance, job_name="job_of_another_code_location")
        sensor = prefixed.resolve_sensor_def("gong_continue_stopped_runs")
        tick = sensor.evaluate_tick(dg.build_sensor_context(instance=instance, definitions=prefixed))
    requests = {request.tags[RESUMES_TAG]: request for request in tick.run_requests or []}
    assert requests.keys() == {in_catalog, in_job}
    assert requests[in_catalog].asset_selection == [calls]
    assert requests[in_catalog].run_config == config
    assert requests[in_catalog].tags["dagster/asset_partition_range_end"] == "2026-02-03"
    assert names(set(requests[in_job].asset_selection or [])) == assets_of(prefixed, "gong_ingestion")


def test_a_gong_resource_of_the_project_is_used(settings: Settings) -> None:
    options = GraphOptions(resource_keys=ResourceKeys(gong="emea_gong"))
    emea = GongResource(base_url="https://emea.api.gong.io", access_key="k", access_key_secret="s")
    project = dg.Definitions(resources={"emea_gong": emea})
    merged = dg.Definitions.merge(project, build_defs(settings, options))
    dg.Definitions.validate_loadable(merged)
    own = merged.resources or {}
    with dg.build_resources({"emea_gong": emea, "gong": own["gong"]}) as resources:
        assert resources.gong._config().base_url == "https://emea.api.gong.io"


def test_a_key_of_the_graph_cannot_name_a_snowflake_resource_of_the_project(settings: Settings) -> None:
    options = GraphOptions(resource_keys=ResourceKeys(snowflake="gong_snowflake"))
    with pytest.raises(ValueError, match=r"resource_keys\.snowflake"):
        build_defs(settings, options)


def test_a_project_without_the_named_resource_does_not_load(settings: Settings) -> None:
    options = GraphOptions(resource_keys=ResourceKeys(snowflake="warehouse"))
    with pytest.raises(dg.DagsterInvariantViolationError, match="'warehouse' required by"):
        dg.Definitions.validate_loadable(build_defs(settings, options))
