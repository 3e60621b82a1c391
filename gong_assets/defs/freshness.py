"""Freshness policies, which follow from the schedules that feed the assets.

Only assets that a schedule materializes have a policy. Models are materialized when their sources change, so
their age says nothing; a standing check reports changes that await transformation for too long.

Dagster considers the last materialization of any partition, so a backfill of old days turns a policy green.
The checks in `checks/` verify the data itself.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise, takewhile

import dagster as dg
from dagster._utils.schedules import cron_string_iterator

from gong_assets.defs.options import GraphOptions, ScheduleOptions
from gong_assets.defs.schedules import (
    INGESTION_CRON,
    RECONCILIATION_CRON,
    REFERENCE_DATA_CRON,
    days_to_reconcile,
    hubspot_cron,
)
from gong_assets.settings import Settings

# A run is queued, and takes time.
RUN_TIME = timedelta(hours=2)

_TICKS = 1000


def freshness(schedule: ScheduleOptions, default_cron: str) -> dg.FreshnessPolicy | None:
    """Return the policy of an asset that the schedule materializes, or None if the schedule is off.

    It warns when a run is late, and fails when two runs in a row were missed.
    """
    if not schedule.enabled:
        return None
    gap = longest_gap(schedule.cron or default_cron, schedule.timezone)
    return dg.FreshnessPolicy.time_window(warn_window=gap + RUN_TIME, fail_window=2 * gap + RUN_TIME)


def longest_gap(cron: str, timezone: str) -> timedelta:
    """Return the longest time between two of the next ticks of a cron expression."""
    return _longest_gap(cron, timezone, datetime.now(UTC).date())


# Each asset of a schedule asks for it, and listing the ticks takes 50 ms.
@lru_cache
def _longest_gap(cron: str, timezone: str, first: date) -> timedelta:
    start = datetime.combine(first, datetime.min.time(), UTC)
    ticks = islice(cron_string_iterator(start.timestamp(), cron, timezone), _TICKS)
    return max(after - before for before, after in pairwise(ticks))


def runs_per_day(cron: str, timezone: str) -> float:
    """Return how often a day a cron expression ticks, on average over four weeks."""
    start, days = datetime.now(UTC), 28
    ticks = cron_string_iterator(start.timestamp(), cron, timezone)
    return sum(1 for _ in takewhile(lambda tick: tick <= start + timedelta(days=days), ticks)) / days


def ingestion_freshness(options: GraphOptions) -> dg.FreshnessPolicy | None:
    return freshness(options.schedules.ingestion, INGESTION_CRON)


def reference_data_freshness(options: GraphOptions) -> dg.FreshnessPolicy | None:
    return freshness(options.schedules.reference_data, REFERENCE_DATA_CRON)


def reconciliation_freshness(settings: Settings, options: GraphOptions) -> dg.FreshnessPolicy | None:
    """Return the policy of the weekly comparison; None if the schedule finds no days to compare."""
    if not days_to_reconcile(settings, datetime.now(UTC).date()):
        return None
    return freshness(options.schedules.reconciliation, RECONCILIATION_CRON)


def hubspot_freshness(settings: Settings, options: GraphOptions) -> dg.FreshnessPolicy | None:
    """Return the policy of the HubSpot models; None if they are only materialized after a change."""
    if settings.hubspot_shape != "share":
        return None
    return freshness(options.schedules.hubspot, hubspot_cron(settings))
