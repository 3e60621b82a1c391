"""The connection in Airbyte or Fivetran as assets of Dagster, with fake APIs of both."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from gong_assets.dates import DateRange
from gong_assets.defs import connector
from gong_assets.defs.build import build_defs
from gong_assets.defs.options import GraphOptions
from gong_assets.settings import Settings, SettingsError
from gong_assets_tests.cli.command_line import CommandLine
from gong_assets_tests.defs.sources.connector_apis import (
    CONNECTION_NAME,
    STREAMS,
    Airbyte,
    FakeApi,
    Fivetran,
    serve,
)
from gong_assets_tests.defs.sources.graph import Deployment
from gong_assets_tests.warehouse.sources.airbyte_tables import connector_records, write_typed
from gong_assets_tests.warehouse.sources.records import call, tenant

pytestmark = [pytest.mark.extended, pytest.mark.slow]

pytest.importorskip("dagster_airbyte", reason="needs the extra airbyte")
pytest.importorskip("dagster_fivetran", reason="needs the extra fivetran")

TODAY = datetime.now(UTC).date()


@pytest.fixture
def airbyte() -> Iterator[FakeApi]:
    with serve(Airbyte()) as api:
        yield api


@pytest.fixture
def fivetran(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    with serve(Fivetran()) as api:
        monkeypatch.setattr("dagster_fivetran.resources.FIVETRAN_API_BASE", api.url)
        yield api


def settings(home: Path, api: FakeApi, **changed: Any) -> Settings:
    values: dict[str, Any] = {
        "gong_assets_home": home,
        "gong_start_date": date(2026, 1, 1),
        "gong_source": "airbyte",
        "gong_source_connection": CONNECTION_NAME,
        "airbyte_url": f"{api.url}/",
        "airbyte_workspace_id": "w1",
        "airbyte_client_id": "id",
        "airbyte_client_secret": "secret",
        "snowflake_database": "SALES",
    }
    return Settings(**values | changed)


def of_fivetran(home: Path, api: FakeApi, **changed: Any) -> Settings:
    return settings(
        home,
        api,
        gong_source="fivetran",
        gong_source_connection="gong",
        fivetran_api_key="key",
        fivetran_api_secret="secret",
        **changed,
    )


def keys(assets: list[dg.AssetsDefinition]) -> set[str]:
    return {key.to_user_string() for each in assets for key in each.keys}


def test_refresh_reads_the_connection_and_loading_requests_nothing(airbyte: FakeApi, tmp_path: Path) -> None:
    loaded = settings(tmp_path, airbyte)
    assert asyncio.run(connector.refresh(loaded)) == sorted(STREAMS)
    assert "POST /api/v1/connections/get" in airbyte.requests
    airbyte.requests.clear()
    assets = connector.build_connector(loaded, GraphOptions(key_prefix="sales"))
    assert keys(assets) == {f"sales/airbyte/{stream}" for stream in STREAMS}, "only the named connection"
    (spec,) = (each for each in assets[0].specs if each.key.path[-1] == "extensiveCalls")
    assert spec.metadata["dagster/table_name"] == "SALES.GONG.EXTENSIVECALLS"
    assert spec.group_name == "source"
    assert airbyte.requests == []


def test_the_state_of_fivetran_has_its_tables(fivetran: FakeApi, tmp_path: Path) -> None:
    loaded = of_fivetran(tmp_path, fivetran)
    assert asyncio.run(connector.refresh(loaded)) == ["call", "call_participant", "transcript", "users"]
    fivetran.requests.clear()
    assets = connector.build_connector(loaded)
    assert "fivetran/call" in keys(assets)
    assert fivetran.requests == []


def test_a_connection_that_does_not_exist_leaves_the_state_as_it_was(
    airbyte: FakeApi, tmp_path: Path
) -> None:
    asyncio.run(connector.refresh(settings(tmp_path, airbyte)))
    with pytest.raises(
        connector.ConnectionNotFound, match=r"'Gnog'.*Billing to Snowflake, Gong to Snowflake"
    ):
        asyncio.run(connector.refresh(settings(tmp_path, airbyte, gong_source_connection="Gnog")))
    assert [each.name for each in tmp_path.iterdir()] == ["airbyte_connection.json"]
    assert keys(connector.build_connector(settings(tmp_path, airbyte, gong_source_connection="c1")))


def test_before_the_first_refresh_a_warning_says_what_to_do(
    airbyte: FakeApi, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert connector.build_connector(settings(tmp_path, airbyte)) == []
    assert "gong-assets source refresh" in caplog.text
    assert airbyte.requests == []


def test_the_settings_of_a_connection_are_checked(airbyte: FakeApi, tmp_path: Path) -> None:
    for changed, problem in (
        ({"gong_source": "api"}, "needs GONG_SOURCE airbyte or fivetran"),
        ({"airbyte_client_secret": None}, "needs AIRBYTE_CLIENT_SECRET"),
        ({"gong_source": "fivetran"}, "needs FIVETRAN_API_KEY, FIVETRAN_API_SECRET"),
    ):
        with pytest.raises(ValueError, match=f"GONG_SOURCE_CONNECTION: {problem}"):
            settings(tmp_path, airbyte, **changed)


def test_a_missing_extra_is_named(airbyte: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "dagster_airbyte", None)
    with pytest.raises(SettingsError, match=r"pip install 'gong_assets\[airbyte\]'"):
        connector.build_connector(settings(tmp_path, airbyte))


def test_refresh_is_a_command(airbyte: FakeApi, tmp_path: Path) -> None:
    command = CommandLine(
        tmp_path,
        {
            "GONG_SOURCE": "airbyte",
            "GONG_ASSETS_HOME": str(tmp_path),
            "AIRBYTE_URL": airbyte.url,
            "AIRBYTE_WORKSPACE_ID": "w1",
            "AIRBYTE_CLIENT_ID": "id",
            "AIRBYTE_CLIENT_SECRET": "hidden-secret",
        },
    )
    outcome = command.gong_assets("source", "refresh")
    assert (outcome.code, outcome.stderr) == (
        2,
        "error: GONG_SOURCE_CONNECTION is not set: it names the connection to read\n",
    )
    outcome = command.with_variables(GONG_SOURCE_CONNECTION="Gnog").gong_assets("source", "refresh")
    assert outcome.code == 1
    assert "no connection with streams" in outcome.stderr
    outcome = command.with_variables(GONG_SOURCE_CONNECTION="c1").gong_assets("source", "refresh").succeeded()
    assert "c1 loads callTranscripts, extensiveCalls, users" in outcome.stdout
    assert "hidden-secret" not in (tmp_path / "airbyte_connection.json").read_text() + outcome.stdout


@pytest.mark.slow
def test_a_sync_in_dagster_is_followed_by_the_landing_of_what_it_loaded(
    airbyte: FakeApi, stack_home: Path
) -> None:
    schema = f"AIRBYTE_{uuid.uuid4().hex[:8].upper()}"
    day = TODAY - timedelta(days=2)
    deployment = Deployment(
        stack_home,
        TODAY - timedelta(days=10),
        {
            "gong_source": "airbyte", "gong_source_schema": schema, "gong_source_connection": "c1",
            "airbyte_url": airbyte.url, "airbyte_workspace_id": "w1", "airbyte_client_id": "id",
            "airbyte_client_secret": "secret",
        },
    )  # fmt: skip

    def load(call_id: str, day: date) -> None:
        records = connector_records(tenant(call(call_id, f"{day}T10:00:00Z")))["extensiveCalls"]
        write_typed(deployment.warehouse, schema, "extensiveCalls", records, datetime.now(UTC))

    load("70", deployment.first)
    airbyte.sync = lambda: load("71", day)
    settings = deployment.loaded()
    try:
        asyncio.run(connector.refresh(settings))
        airbyte.requests.clear()
        defs = build_defs(settings)
        repository = defs.get_repository_def()
    finally:
        connector.state_path(settings).unlink()
    assert airbyte.requests == [], "loading the definitions called the API"
    graph = repository.asset_graph
    upstream = graph.get(dg.AssetKey("gong_source_tables")).parent_keys
    assert upstream == {dg.AssetKey(["airbyte", stream]) for stream in STREAMS}
    assert dg.AssetKey("gong_source_tables") in graph.get(dg.AssetKey("gong_calls_raw")).parent_keys
    # No job of the graph runs the sync: the connector has its own schedule.
    for job in repository.get_all_jobs():
        if job.name != "__ASSET_JOB":
            assert not upstream & set(job.asset_layer.executable_asset_keys), job.name

    sensor = defs.get_sensor_def("gong_source_sensor")

    def tick(cursor: str | None) -> Any:
        with dg.build_sensor_context(
            instance=deployment.instance, cursor=cursor, resources=dict(defs.resources or {})
        ) as context:
            return sensor.evaluate_tick(context)

    before = tick(None)
    assert before.run_requests == []
    early = tick(before.cursor)
    assert "No sync has ended in Dagster" in early.skip_message
    (sync,) = (
        each for each in defs.assets or () if dg.AssetKey(["airbyte", "users"]) in getattr(each, "keys", ())
    )
    result = dg.materialize([sync], instance=deployment.instance)
    assert result.success
    assert "POST /api/public/v1/jobs" in airbyte.requests
    (request,) = tick(before.cursor).run_requests
    days = DateRange.from_run_tags(request.tags)
    assert days == DateRange.single(day)
    assert deployment.run("gong_ingestion", days, gong_source_connection=None).success
    assert [row["CALL_ID"] for row in deployment.rows("SELECT CALL_ID FROM GONG_CALLS_RAW")] == ["71"]


def test_a_sync_of_fivetran_leaves_its_schedule_alone(fivetran: FakeApi, tmp_path: Path) -> None:
    loaded = of_fivetran(tmp_path, fivetran)
    asyncio.run(connector.refresh(loaded))
    fivetran.requests.clear()
    result = dg.materialize(connector.build_connector(loaded))
    assert {each.asset_key.to_user_string() for each in result.get_asset_materialization_events()} == {
        "fivetran/call", "fivetran/call_participant", "fivetran/transcript", "fivetran/users"
    }  # fmt: skip
    assert "POST /v1/connectors/f1/force" in fivetran.requests
    assert not [each for each in fivetran.requests if each.startswith("PATCH")]


def test_the_component_of_dagster_airbyte_can_be_upstream_instead(airbyte: FakeApi, tmp_path: Path) -> None:
    from dagster_airbyte import AirbyteWorkspaceComponent

    component = AirbyteWorkspaceComponent.from_attributes_dict(
        attributes={
            "workspace": {
                "rest_api_base_url": f"{airbyte.url}/api/public/v1",
                "configuration_api_base_url": f"{airbyte.url}/api/v1",
                "workspace_id": "w1",
            },
            "translation": {"key": "airbyte/{{ props.table_name }}"},
        }
    )
    state = tmp_path / "state"
    asyncio.run(component.write_state_to_path(state))
    theirs = dg.components.build_defs_for_component(connector.FromFile(component, state))
    ours = build_defs(
        settings(tmp_path, airbyte, gong_source_connection=None, gong_assets_source="simulated"),
        GraphOptions(source_assets=["airbyte/extensiveCalls", "airbyte/callTranscripts"]),
    )
    graph = dg.Definitions.merge(ours, theirs).get_repository_def().asset_graph
    assert graph.get(dg.AssetKey("gong_source_tables")).parent_keys == {
        dg.AssetKey(["airbyte", "extensiveCalls"]), dg.AssetKey(["airbyte", "callTranscripts"])
    }  # fmt: skip
    assert graph.get(dg.AssetKey(["airbyte", "invoices"])).is_materializable
