"""`gong-assets audit`: the days to audit, and the run that does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from gong_assets.cli.dagster_home import ensure_dagster_home
from gong_assets.cli.graph_run import RunListener
from gong_assets.cli.interruption import leaving
from gong_assets.cli.sync import InvalidDateRange, run_job
from gong_assets.dates import DateRange
from gong_assets.defs.first_partition import including
from gong_assets.ingestion.sources import MAX_SHOWN_IDS
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.settings import Settings
from gong_assets.settings.account_checks import check_accounts
from gong_assets.warehouse.connection import open_warehouse
from gong_assets.warehouse.migration import check_tables

_JOB = "gong_reconciliation"
_IDS = "differences"


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
    if first > today:
        raise InvalidDateRange(f"--from-date {first} is in the future (today is {today}, UTC)")
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
    with leaving(f"run {report.run_id} succeeded"), dg.DagsterInstance.get() as instance:
        events = instance.all_logs(report.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    found = [entry.asset_materialization.metadata for entry in events if entry.asset_materialization]
    by_day = [{name: _plain(entry.value) for name, entry in metadata.items()} for metadata in found]
    # The audit of another product's calls has the same metadata on each day: that of the whole run.
    return by_day[-1] if settings.is_adopted else total_of_days(by_day)


def total_of_days(by_day: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the metadata of a reconciliation: counts of the days are added up, and IDs are collected.

    Names that begin with `run/` have the same value on each day.
    """
    total: dict[str, Any] = {}
    for of_day in by_day:
        for name, value in of_day.items():
            if name == _IDS:
                ids = total.setdefault(name, {})
                for kind, call_ids in value.items():
                    ids[kind] = [*ids.get(kind, []), *call_ids][:MAX_SHOWN_IDS]
            elif name.startswith("run/") or not isinstance(value, int):
                total[name] = value
            else:
                total[name] = total.get(name, 0) + value
    return total


def _plain(value: Any) -> Any:
    """Return a table as a list of rows."""
    return [dict(record.data) for record in value.records] if hasattr(value, "records") else value
