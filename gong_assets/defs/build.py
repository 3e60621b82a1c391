"""Where the graph is put together: the only module that knows all others."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import dagster as dg

from gong_assets.defs.assets.cortex_search import build_search_service
from gong_assets.defs.assets.raw import build_raw_assets
from gong_assets.defs.assets.reconciliation import build_reconciliation
from gong_assets.defs.automation import automation_sensor
from gong_assets.defs.checks.cortex import build_cortex_checks
from gong_assets.defs.checks.hubspot import build_hubspot_checks
from gong_assets.defs.checks.raw_tables import build_checks
from gong_assets.defs.checks.schema_drift import build_schema_checks
from gong_assets.defs.dbt.assets import build_dbt_assets
from gong_assets.defs.dbt.project import dbt_executable
from gong_assets.defs.io_manager import SnowflakeIOManager
from gong_assets.defs.jobs import JOBS
from gong_assets.defs.partitions import daily_partitions
from gong_assets.defs.resources import GongDbtResource, GongResource, SnowflakeResource
from gong_assets.defs.schedules import build_schedules
from gong_assets.defs.sensors import build_sensors
from gong_assets.settings import Settings

# `backfill_policy=` is what makes a span of days one run; that it is beta needs no line in every run's output.
warnings.filterwarnings("ignore", category=dg.BetaWarning)


def build_defs(settings: Settings, *, resources: Mapping[str, Any] | None = None) -> dg.Definitions:
    """The whole code location.

    Args:
        settings: what the environment says.
        resources: replace those of the settings, by key (`gong`, `snowflake`, `dbt`, `snowflake_io_manager`).

    Raises:
        DbtParseError: the dbt project does not parse.
    """
    partitions = daily_partitions(settings.gong_start_date)
    project, dbt_assets = build_dbt_assets(settings, partitions)
    snowflake = SnowflakeResource.from_settings(settings)
    return dg.Definitions(
        assets=[
            *build_raw_assets(settings, partitions),
            build_reconciliation(settings, partitions),
            *dbt_assets,
            *build_search_service(settings),
        ],
        asset_checks=[
            *build_checks(settings),
            *build_cortex_checks(settings),
            *build_hubspot_checks(settings),
            *build_schema_checks(),
        ],
        jobs=JOBS,
        schedules=build_schedules(settings),
        sensors=[*build_sensors(settings), automation_sensor(settings)],
        resources={
            "gong": GongResource.from_settings(settings),
            "snowflake": snowflake,
            "snowflake_io_manager": SnowflakeIOManager(snowflake=snowflake),
            "dbt": GongDbtResource(
                project_dir=str(project.project_dir), target=project.target, dbt_executable=dbt_executable()
            ),
            **(resources or {}),
        },
        # The steps of a run follow one another. A process for each would import everything again: about 10 s a step.
        executor=dg.in_process_executor,
    )
