"""Assembly of the graph: the only module that imports all others."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from gong_assets.defs import pool_waits
from gong_assets.defs.alerts.sensor import build_alert_sensor
from gong_assets.defs.assets.adopted import build_adopted_assets, build_source_tables
from gong_assets.defs.assets.agent_objects import build_agent_objects, build_agent_objects_schedule
from gong_assets.defs.assets.cortex import build_cortex_assets
from gong_assets.defs.assets.cortex_search import build_search_service
from gong_assets.defs.assets.erasures import build_erasure_job, build_erasures
from gong_assets.defs.assets.raw import build_raw_assets
from gong_assets.defs.assets.reconciliation import build_reconciliation
from gong_assets.defs.assets.retention import build_retention
from gong_assets.defs.assets.source_audit import build_source_audit
from gong_assets.defs.checks.account import build_account_check
from gong_assets.defs.checks.cortex import build_cortex_checks
from gong_assets.defs.checks.gong_completeness import build_completeness_check
from gong_assets.defs.checks.hubspot import build_hubspot_checks
from gong_assets.defs.checks.raw_tables import build_checks
from gong_assets.defs.checks.standing import build_standing_checks
from gong_assets.defs.connector import build_connector
from gong_assets.defs.dbt.assets import build_dbt_assets
from gong_assets.defs.first_partition import with_first_partition
from gong_assets.defs.health.asset import build_health_asset, build_health_job, build_health_schedule
from gong_assets.defs.io_manager import snowflake_io_manager
from gong_assets.defs.jobs import build_jobs
from gong_assets.defs.options import DEFAULT_OPTIONS, GraphOptions, ResourceKeys
from gong_assets.defs.orphaned_runs import build_orphaned_runs_sensor
from gong_assets.defs.partitions import daily_partitions
from gong_assets.defs.parts import Part
from gong_assets.defs.resources import (
    GONG,
    IO_MANAGER,
    SNOWFLAKE,
    GongResource,
    SnowflakeResource,
    bound_gong,
    bound_snowflake,
    without_config,
)
from gong_assets.defs.schedules import build_schedules
from gong_assets.defs.sensors import build_sensors
from gong_assets.defs.source_sensor import build_source_sensor
from gong_assets.defs.storage_cleanup import build_storage_cleanup
from gong_assets.defs.transformation import Models
from gong_assets.defs.transformation_sensor import build_transformation_sensor
from gong_assets.defs.webhook import build_webhook
from gong_assets.settings import Settings
from gong_assets.settings.account_checks import check_accounts


def build_defs(
    settings: Settings,
    options: GraphOptions = DEFAULT_OPTIONS,
    *,
    resources: Mapping[str, Any] | None = None,
) -> dg.Definitions:
    """Return the whole graph, to be used alone or merged with the definitions of a project.

    It has no executor, so that a project can have its own: the graph's jobs run their steps in one process,
    and all other runs use the executor of the project.

    Args:
        settings: the accounts and what is read from them.
        options: names, schedules, sensors, and resources of the project to use.
        resources: replacements for the graph's own resources by key (`gong`, `gong_snowflake`,
            `gong_snowflake_io_manager`). `gong_snowflake` may be a `dagster_snowflake.SnowflakeResource`.

    Raises:
        DbtParseError: the dbt project does not parse.
        SettingsError: a cron expression is invalid, or calls could be written to a warehouse by mistake (see
            `account_checks.py`).
    """
    pool_waits.install()
    settings = with_first_partition(settings)
    options = options.with_settings(settings)
    settings, accounts = account_resources(settings, options.resource_keys, dict(resources or {}))
    # `backfill_policy` is beta, and makes a range of days one run. Assets without partitions have it too,
    # because Dagster's commands require it of each asset that is launched for a range.
    with warnings.catch_warnings(action="ignore", category=dg.BetaWarning):
        return _definitions(settings, options, accounts)


def _definitions(settings: Settings, options: GraphOptions, accounts: Mapping[str, Any]) -> dg.Definitions:
    first_day = settings.first_day(datetime.now(UTC).date())
    partitions = daily_partitions(first_day, expire=settings.gong_retention_days is not None)
    project, models, dbt_assets = build_dbt_assets(settings, partitions, options)
    connector, upstream = _connector(settings, options)
    parts = build_parts(settings, options)
    python_assets = [
        *_assets(settings, partitions, options, upstream),
        *(asset for part in parts for asset in part.assets),
        *build_agent_objects(settings, Path(project.manifest_path), options),
    ]
    assets = [*dg.with_source_code_references(python_assets), *dbt_assets]  # Models refer to their SQL.
    keys = {key for each in assets if isinstance(each, dg.AssetsDefinition) for key in each.keys}
    parts = [build_storage_cleanup(settings, options, keys, Path(project.target_path)), *parts]
    automation = build_automation(settings, options, models, keys, parts, upstream)
    return dg.Definitions(
        assets=[*assets, *connector],
        asset_checks=build_asset_checks(settings, options),
        jobs=automation.jobs,
        schedules=automation.schedules,
        sensors=automation.sensors,
        resources={IO_MANAGER: snowflake_io_manager, **accounts},
    )


def build_parts(settings: Settings, options: GraphOptions) -> list[Part]:
    """Return the parts that exist only with their settings."""
    return [
        build_webhook(settings, options),
        build_retention(settings, options),
        build_agent_objects_schedule(settings, options),
    ]


def build_automation(
    settings: Settings,
    options: GraphOptions,
    models: Models,
    keys: Collection[dg.AssetKey],
    parts: Sequence[Part],
    upstream: Collection[dg.AssetKey] = (),
) -> Part:
    """Return all jobs, schedules and sensors; docs/operations.md lists them.

    Args:
        models: the dbt models.
        keys: the assets of the graph.
        parts: those with jobs, schedules and sensors of their own.
        upstream: the assets that load the tables of GONG_SOURCE.
    """
    jobs = build_jobs(settings, options)
    own_jobs = [build_health_job(options), build_erasure_job(options)]
    schedules = [*build_schedules(settings, options), build_health_schedule(options)]
    return Part(
        jobs=[*jobs.values(), *own_jobs, *(job for part in parts for job in part.jobs)],
        schedules=[*schedules, *(schedule for part in parts for schedule in part.schedules)],
        sensors=[
            *build_sensors(settings, jobs, options),
            *(sensor for part in parts for sensor in part.sensors),
            *([build_source_sensor(settings, options, upstream)] if settings.is_adopted else []),
            build_transformation_sensor(settings, models, options),
            build_orphaned_runs_sensor(options, keys),
            build_alert_sensor(settings, options),
        ],
    )


def build_asset_checks(settings: Settings, options: GraphOptions) -> list[dg.AssetChecksDefinition]:
    """Return all checks but those of dbt and those that a raw asset evaluates itself."""
    return [
        *build_checks(settings, options),
        *build_cortex_checks(settings, options),
        *build_hubspot_checks(settings, options),
        *build_standing_checks(settings, options),
        *build_account_check(settings, options),
        *([build_completeness_check(settings, options)] if settings.can_read_gong else []),
    ]


def _connector(
    settings: Settings, options: GraphOptions
) -> tuple[list[dg.AssetsDefinition], set[dg.AssetKey]]:
    """Return the assets of the connection, and the keys of all assets that load the source's tables."""
    connector = build_connector(settings, options)
    keys = {dg.AssetKey.from_user_string(key) for key in options.source_assets}
    return connector, keys.union(*(each.keys for each in connector))


def build_raw_layer(
    settings: Settings,
    partitions: dg.DailyPartitionsDefinition,
    options: GraphOptions,
    upstream: Collection[dg.AssetKey],
) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """Return the raw assets of Gong's API with their reconciliation, or of another product with its audit."""
    if not settings.is_adopted:
        return [
            *build_raw_assets(settings, partitions, options),
            build_reconciliation(settings, partitions, options),
        ]
    return [
        build_source_tables(settings, options, upstream),
        *build_adopted_assets(settings, partitions, options),
        build_source_audit(settings, partitions, options),
    ]


def _assets(
    settings: Settings,
    partitions: dg.DailyPartitionsDefinition,
    options: GraphOptions,
    upstream: Collection[dg.AssetKey],
) -> list[Any]:
    """Return all assets but those of dbt and those that follow from its manifest."""
    return [
        *build_raw_layer(settings, partitions, options, upstream),
        *build_cortex_assets(settings, partitions, options),
        *build_search_service(settings, options),
        build_health_asset(settings, options),
        build_erasures(options),
    ]


def account_resources(
    settings: Settings, keys: ResourceKeys, given: dict[str, Any]
) -> tuple[Settings, dict[str, Any]]:
    """Return the settings that fit the given resources, and all resources for Gong and Snowflake by key.

    None of them has run config, so that a launchpad neither shows nor sends any.

    Raises:
        SettingsError: calls could be written to a warehouse by mistake.
        ValueError: a key of the project's resources is one of the graph's own.
    """
    if keys.snowflake == SNOWFLAKE:
        raise ValueError(f"resource_keys.snowflake: {SNOWFLAKE!r} is the graph's own resource")
    check_accounts(
        settings,
        has_gong_resource=bool(keys.gong or (GONG in given and not getattr(given[GONG], "simulated", False))),
        has_snowflake_resource=bool(
            keys.snowflake or (SNOWFLAKE in given and getattr(given[SNOWFLAKE], "arguments", True))
        ),
    )
    if GONG not in given and keys.gong != GONG:
        given[GONG] = bound_gong(keys.gong) if keys.gong else GongResource.from_settings(settings)
    snowflake_key = keys.snowflake
    if SNOWFLAKE in given and not isinstance(given[SNOWFLAKE], SnowflakeResource):
        snowflake_key = f"{SNOWFLAKE}_account"
        given[snowflake_key] = given.pop(SNOWFLAKE)
    if snowflake_key:
        # The dbt profile of the target `local` has a user and password only.
        settings = settings.model_copy(update={"gong_assets_target": "snowflake"})
        given[SNOWFLAKE] = bound_snowflake(snowflake_key, settings)
    elif SNOWFLAKE not in given:
        given[SNOWFLAKE] = SnowflakeResource.from_settings(settings)
    return settings, {
        key: without_config(resource) if isinstance(resource, dg.ConfigurableResource) else resource
        for key, resource in given.items()
    }
