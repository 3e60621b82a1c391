"""Freshness policies and automation conditions of each layer.

Ingestion runs on a schedule (`schedules.py`). The layers below run by conditions, which the automation sensor evaluates.
A freshness policy is a signal in the Dagster UI: it looks at an asset's last materialization of any partition, so a
backfill of old days turns it green. The checks in `checks/` verify the data itself.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import dagster as dg

from gong_assets.settings import Settings

# Ingestion runs every 4 hours: one missed run warns, a working day without any fails.
RAW_FRESHNESS = dg.FreshnessPolicy.time_window(
    fail_window=timedelta(hours=12), warn_window=timedelta(hours=5)
)
# Scorecards, trackers, workspaces and the library are read once a day.
REFERENCE_DATA_FRESHNESS = dg.FreshnessPolicy.time_window(
    fail_window=timedelta(hours=50), warn_window=timedelta(hours=26)
)
# Staged tables, Cortex and views follow within the hour.
DERIVED_FRESHNESS = dg.FreshnessPolicy.time_window(
    fail_window=timedelta(hours=14), warn_window=timedelta(hours=7)
)
# HubSpot is read hourly.
HUBSPOT_FRESHNESS = dg.FreshnessPolicy.time_window(
    fail_window=timedelta(hours=6), warn_window=timedelta(hours=2)
)


def follow_each_day(lookback_days: int) -> dg.AutomationCondition[Any]:
    """A day is run again when the day above it changed, for each of the days that a sync re-reads.

    `eager()` alone looks at the newest partition only: a transcript that arrives for the day before would never reach
    the tables.
    """
    recent = dg.AutomationCondition.in_latest_time_window(timedelta(days=lookback_days))
    return (
        dg.AutomationCondition.eager()
        .replace(dg.AutomationCondition.in_latest_time_window(), recent)
        .with_label(f"follows_each_of_the_last_{lookback_days}_days")
    )


def follow_despite_holes() -> dg.AutomationCondition[Any]:
    """An unpartitioned table or view is run again when any day above it changed, even if other days never ran.

    `eager()` alone waits for every partition of its parents: one day that was never loaded would stop it for ever.
    """
    condition = dg.AutomationCondition.eager().without(~dg.AutomationCondition.any_deps_missing())
    return condition.with_label("follows_despite_holes")


def automation_sensor(settings: Settings) -> dg.AutomationConditionSensorDefinition:
    # The sensor that Dagster makes by itself for conditions is stopped: without this one nothing would follow.
    return dg.AutomationConditionSensorDefinition(
        "gong_automation",
        target=dg.AssetSelection.groups("staging", "cortex", "enriched", "monitoring"),
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=60,
        description="Stages, enriches and joins what ingestion changed.",
    )
