"""Freshness policies and automation conditions of each layer.

Ingestion runs on a schedule (`schedules.py`). The layers below run by conditions, which the automation sensor
evaluates. A freshness policy is a signal in the Dagster UI: it looks at an asset's last materialization of
any partition, so a backfill of old days turns it green. The checks in `checks/` verify the data itself.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import dagster as dg

from gong_assets.defs.options import DEFAULT_OPTIONS, GraphOptions, layers

AUTOMATION_INTERVAL_SECONDS = 60

# Ingestion runs every 4 hours: one missed run warns, a working day without any fails.
RAW_FRESHNESS = dg.FreshnessPolicy.time_window(
    fail_window=timedelta(hours=12), warn_window=timedelta(hours=5)
)
# Reference data, such as trackers and scorecards, is read once a day.
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
    """Return a condition that materializes each day of the lookback whose parents changed.

    `eager()` considers the latest partition only, so a transcript that arrives for an earlier day would never
    reach the staged tables.
    """
    recent = dg.AutomationCondition.in_latest_time_window(timedelta(days=lookback_days))
    return (
        dg.AutomationCondition.eager()
        .replace(dg.AutomationCondition.in_latest_time_window(), recent)
        .with_label(f"follows_each_of_the_last_{lookback_days}_days")
    )


def follow_despite_holes() -> dg.AutomationCondition[Any]:
    """Return a condition that materializes an unpartitioned asset when any partition of its parents changed.

    `eager()` waits for every partition of the parents, so a single day that was never loaded would block it.
    """
    condition = dg.AutomationCondition.eager().without(~dg.AutomationCondition.any_deps_missing())
    return condition.with_label("follows_despite_holes")


def automation_sensor(options: GraphOptions = DEFAULT_OPTIONS) -> dg.AutomationConditionSensorDefinition:
    """Return the sensor that evaluates the conditions of the graph's own assets.

    Its runs belong to no job of the graph, so they use the executor of the project.
    """
    sensor = options.sensors.automation
    return dg.AutomationConditionSensorDefinition(
        "gong_automation",
        target=layers("staging", "cortex", "enriched", "monitoring"),
        # Dagster's own sensor for automation conditions is stopped by default.
        default_status=sensor.default_status,
        minimum_interval_seconds=sensor.interval_seconds or AUTOMATION_INTERVAL_SECONDS,
        description="Materializes the staged tables, Cortex tables and views whose sources changed.",
    )
