"""`gong-assets audit`: the days to audit, and the run that does it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from gong_assets.cli.dagster_home import ensure_dagster_home
from gong_assets.cli.graph_run import RunListener
from gong_assets.cli.interruption import leaving
from gong_assets.cli.sync import InvalidDateRange, run_job
from gong_assets.dates import DateRange
from gong_assets.defs.first_partition import including
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.settings import Settings
from gong_assets.settings.account_checks import check_accounts
from gong_assets.warehouse.connection import open_warehouse
from gong_assets.warehouse.migration import check_tables

_JOB = "gong_reconciliation"


def days_to_audit(settings: Settings, first: date | None, last: date | None, today: date) -> DateRange:
    """Return the days to audit.

    Raises:
        InvalidDateRange: the options contradict each other.
    """
    last = last or today - timedelta(days=1)
    first = first or max(
        last - timedelta(days=settings.gong_reconciliation_days - 1), settings.first_day(today)
    )
    if last > today:
        raise InvalidDateRange(f"--to-date {last} is in the future (today is {today}, UTC)")
    if first > last:
        raise InvalidDateRange(f"--from-date {first} is after --to-date {last}")
    return DateRange.inclusive(first, last)


def run_audit(
    settings: Settings, days: DateRange, *, listener: RunListener, confirm_deletions: bool = False
) -> Mapping[str, Any]:
    """Audit these days in one Dagster run, and return the metadata of the audit.

    Raises:
        Interrupted: a signal arrived.
        RunFailed: the run failed.
        WarehouseError: the warehouse cannot be reached.
    """
    import dagster as dg

    with leaving("the run had not started, and nothing was changed"):
        ensure_dagster_home(settings)
        listener.message("loading the graph")
        from gong_assets.defs.build import build_defs

        check_accounts(settings)
        definitions = build_defs(including(settings, days.start))
        with open_warehouse(settings).connect() as connection:
            check_tables(connection, RAW_TABLES)
    report = run_job(definitions, _JOB, days, listener, resume=False, confirm_deletions=confirm_deletions)
    (name,) = report.assets
    with leaving(f"run {report.run_id} succeeded"), dg.DagsterInstance.get() as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey(name.split("/")))
    materialization = event.asset_materialization if event else None
    return {
        name: _plain(value.value)
        for name, value in (materialization.metadata if materialization else {}).items()
    }


def _plain(value: Any) -> Any:
    """Return a table as a list of rows."""
    return [dict(record.data) for record in value.records] if hasattr(value, "records") else value
