"""Days that were read, and those that should have been, from the partitions that Dagster has."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from gong_assets.dates import DateRange
from gong_assets.defs.options import GraphOptions
from gong_assets.settings import Settings
from gong_assets.warehouse.sources.adoption import changed_days
from gong_assets.warehouse.sources.registry import open_source
from gong_assets.warehouse.tables import CALLS, TRANSCRIPTS, RawTable

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection


def read_days(instance: dg.DagsterInstance, options: GraphOptions, table: RawTable) -> set[str]:
    """Return the days on which the calls or transcripts were read, or compared with Gong's list of calls.

    A reconciliation materializes a day of the raw assets only if it differs. A day whose calls were
    materialized has transcripts of its own to read, which a comparison of the calls does not replace.
    """

    def partitions(name: str) -> set[str]:
        return set(instance.get_materialized_partitions(options.asset_key(name)))

    compared = partitions("gong_call_reconciliation")
    if table is TRANSCRIPTS:
        compared -= partitions(CALLS.asset_name)
    return partitions(table.asset_name) | compared


def expected_days(first: date, today: date, settings: Settings) -> DateRange:
    """Return the days from `first` to yesterday that must have been read.

    From another product, days land when they change: the first look of its sensor requests the lookback, and
    one late change of an old record does not make the days in between due.
    """
    kept = settings.first_kept_day(today)
    start = max(first, kept) if kept else first
    if settings.is_adopted:
        start = DateRange.lookback(today, settings.gong_lookback_days, not_before=start).start
    return DateRange(start, today)


def settled_days_of_source(
    connection: SnowflakeConnection, settings: Settings, table: RawTable, age: timedelta
) -> set[date]:
    """Return the days on which the other product has records, none of which it extracted within `age`."""
    source = open_source(connection, settings)
    recent = changed_days(connection, source, [table], datetime.now(UTC) - age)
    return set(changed_days(connection, source, [table], None)).difference(recent)
