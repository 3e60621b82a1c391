"""Attributes of the component, and the `dg` commands in this checkout."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr, ValidationError

import gong_assets
from gong_assets import GongAssets
from gong_assets.defs.component import SettingsOverrides
from gong_assets.settings import Settings, SettingsError
from gong_assets_tests.cli.command_line import CommandLine

pytestmark = pytest.mark.extended

CHECKOUT = Path(gong_assets.__file__).parents[1]


def component(**attributes: Any) -> GongAssets:
    return GongAssets.from_attributes_dict(attributes=attributes)


def test_attributes_are_typed_and_misspelled_ones_are_rejected() -> None:
    loaded = component(
        key_prefix=["sales", "gong"],
        schedules={"ingestion": {"cron": "0 6 * * *"}},
        settings={"gong_lookback_days": 3, "gong_start_date": "2026-01-01"},
    )
    assert loaded.asset_key("gong_calls_raw") == dg.AssetKey(["sales", "gong", "gong_calls_raw"])
    assert loaded.schedules.ingestion.cron == "0 6 * * *"
    # What is not set follows the settings.
    assert loaded.schedules.ingestion.model_fields_set == {"cron"}
    assert loaded.schedules.hubspot.model_fields_set == set()
    assert loaded.settings.gong_lookback_days == 3
    for wrong in (
        {"key_prefx": "gong"},
        {"schedules": {"ingest": {}}},
        {"settings": {"gong_lookback": 3}},
        {"settings": {"gong_assets_esc": "acme/calls/production"}},
        {"settings": {"hubspot_shape": ["share"]}},
        {"sensors": {"resume": {"interval_seconds": 0}}},
    ):
        with pytest.raises(ValidationError):
            component(**wrong)


def test_every_setting_is_an_attribute_except_secrets_and_those_of_the_environment() -> None:
    secrets = {name for name, field in Settings.model_fields.items() if SecretStr in _types(field.annotation)}
    assert {"gong_access_key", "snowflake_password"} <= secrets
    environment_only = {"dagster_home", "gong_assets_esc"}
    assert SettingsOverrides.model_fields.keys() == Settings.model_fields.keys() - secrets - environment_only


def _types(annotation: Any) -> tuple[Any, ...]:
    return (annotation, *getattr(annotation, "__args__", ()))


def test_every_attribute_has_a_description() -> None:
    schema = GongAssets.model().model_json_schema()
    definitions = [schema, *schema["$defs"].values()]
    undescribed = {
        name
        for definition in definitions
        for name, value in definition.get("properties", {}).items()
        if "description" not in value
    }
    assert undescribed == set()


def test_schedules_and_sensors_follow_the_settings_unless_an_attribute_says_otherwise() -> None:
    given = component(
        schedules={"ingestion": {"cron": "0 6 * * *"}, "hubspot": {"timezone": "UTC"}},
        sensors={"resume": {"enabled": True}},
    )
    settings = Settings(
        gong_assets_schedules_enabled=False,
        gong_assets_timezone="Europe/Berlin",
        gong_assets_ingestion_cron="0 1 * * *",
        gong_assets_hubspot_cron="0 2 * * *",
    )
    options = given.with_settings(settings)
    ingestion, hubspot = options.schedules.ingestion, options.schedules.hubspot
    assert (ingestion.cron, ingestion.timezone, ingestion.enabled) == ("0 6 * * *", "Europe/Berlin", False)
    assert (hubspot.cron, hubspot.timezone) == ("0 2 * * *", "UTC")
    for name in type(options.sensors).model_fields:
        assert getattr(options.sensors, name).enabled == (name in ("resume", "orphaned_runs"))
    for name in type(options.schedules).model_fields:
        with pytest.raises(SettingsError, match=f"GONG_ASSETS_{name.upper()}_CRON: 'hourly' is not a cron"):
            given.with_settings(Settings(**{f"gong_assets_{name}_cron": "hourly"}))


def test_a_wrong_setting_is_reported_by_the_name_of_its_variable() -> None:
    with pytest.raises(SettingsError, match="GONG_LOOKBACK_DAYS: input should be greater than or equal to 1"):
        dg.components.build_defs_for_component(component(settings={"gong_lookback_days": 0}))


def test_dagster_finds_the_component_by_the_entry_point_of_the_package() -> None:
    registered = entry_points(group="dagster_dg_cli.registry_modules")
    assert "gong_assets" in {entry.value for entry in registered}
    assert "GongAssets" in dir(gong_assets)


@pytest.fixture
def dg_commands(stack_home: Path, tmp_path: Path) -> CommandLine:
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    variables = {
        "GONG_ASSETS_HOME": str(stack_home),
        "DAGSTER_HOME": str(tmp_path),
        "PYTHONPATH": str(CHECKOUT),
        "PATH": os.defpath,
    }
    return replace(CommandLine(tmp_path, variables), directory=CHECKOUT)


@pytest.mark.slow
@pytest.mark.xdist_group("definitions")
def test_dg_checks_lists_and_runs_the_definitions_of_the_checkout(
    dg_commands: CommandLine, tmp_path: Path
) -> None:
    dg_commands.run("dg", "check", "toml").succeeded()
    dg_commands.run("dg", "check", "defs").succeeded()
    stdout = dg_commands.run("dg", "list", "defs", "--json").succeeded().stdout
    listed = json.loads(stdout[stdout.index("{") :])
    assert "gong_calls_raw" in {asset["asset_key"] for asset in listed["assets"]}
    dg_commands.run("dg", "launch", "--assets", "gong_workspaces_raw").succeeded()
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance.get_latest_materialization_event(dg.AssetKey("gong_workspaces_raw"))
