"""Daily partitions by UTC call date.

A partition is the UTC date on which a call started. Today has a partition too, which each sync reads again
until the day is over. Which partitions run is decided in `schedules.py` and `sensors.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

import dagster as dg

from gong_assets.dates import DateRange, parse_ranges
from gong_assets.settings import Settings

# On a run over a range of partitions: the days of the range that it transforms. The others are up to date.
DAYS_TAG = "gong_assets/days"

SELECT_DAYS = (
    "Select days in the dialog `Materialize`, add `--partition` or `--partition-range` to the command, or "
    "run `gong-assets sync`, which reads the last days."
)
"""Advice on a run that was launched without partitions."""


class KeptDays(dg.DailyPartitionsDefinition):
    """Daily partitions of which the first ones expire (GONG_RETENTION_DAYS).

    A run loads them anew, with fewer days than when it was requested: before midnight, while Gong's quota was
    exhausted, or by a code location that was loaded weeks ago. Dagster refuses a range that starts before the
    first partition. Here the days that have expired are no longer in the range.
    """

    def get_partition_keys_in_range(self, partition_key_range: dg.PartitionKeyRange) -> Sequence[str]:
        first = self.start.date().isoformat()
        if partition_key_range.end < first:
            return []
        kept = dg.PartitionKeyRange(max(partition_key_range.start, first), partition_key_range.end)
        return super().get_partition_keys_in_range(kept)


def daily_partitions(start: date, *, expire: bool = False) -> dg.DailyPartitionsDefinition:
    """Return daily partitions from `start` up to and including today.

    Args:
        expire: the first days have no partitions in later runs.
    """
    definition = KeptDays if expire else dg.DailyPartitionsDefinition
    return definition(start_date=start.isoformat(), timezone="UTC", end_offset=1)


def partition_date_range(window: dg.TimeWindow) -> DateRange:
    """Return the days of a run's partition window."""
    return DateRange(window.start.astimezone(UTC).date(), window.end.astimezone(UTC).date())


def date_range_of_run(context: dg.AssetExecutionContext) -> DateRange:
    """Return the days of the run's partitions.

    Raises:
        dagster.Failure: the run has no partition.
    """
    if not (context.has_partition_key or context.has_partition_key_range):
        raise dg.Failure(
            f"{context.job_name} was launched without partitions, so no day was read or changed. "
            f"{SELECT_DAYS}",
            allow_retries=False,
        )
    return partition_date_range(context.partition_time_window)


def days_to_read(context: dg.AssetExecutionContext, settings: Settings) -> DateRange:
    """Return the days of the run's partitions without those that GONG_RETENTION_DAYS no longer keeps.

    The run may have been requested when they were kept, see `KeptDays`.

    Raises:
        dagster.Failure: the run has no partition, or all of its days have expired.
    """
    days = date_range_of_run(context)
    kept = settings.first_kept_day(datetime.now(UTC).date())
    if kept is None or days.start >= kept:
        return days
    if days.end <= kept:
        raise dg.Failure(
            f"GONG_RETENTION_DAYS keeps the days since {kept}, so {days} was not read, and nothing was "
            "changed. Reload the code location: it has no partitions for expired days.",
            allow_retries=False,
        )
    context.log.info(f"The days before {kept} have expired (GONG_RETENTION_DAYS) and are not read.")
    return DateRange(kept, days.end)


def days_of_run(context: dg.AssetExecutionContext) -> list[DateRange]:
    """Return the days to transform: those that the run names in its tag, or its whole partition window.

    Raises:
        dagster.Failure: the run has no partition.
    """
    named = context.run.tags.get(DAYS_TAG)
    return parse_ranges(named) if named else [date_range_of_run(context)]
