"""Check of the tables of another product, if it is the source (GONG_SOURCE)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from gong_assets.cli.doctor.results import CheckResult
from gong_assets.defs.connector import REFRESH_HINT, state_path
from gong_assets.error_advice import explain
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import open_warehouse
from gong_assets.warehouse.errors import WarehouseError
from gong_assets.warehouse.sources.adoption import newest_extraction
from gong_assets.warehouse.sources.registry import open_source

# Connectors sync once a day or more often.
STALE_AFTER = timedelta(days=2)


def check_source(settings: Settings) -> Iterator[CheckResult]:
    """Report the tables that the source has and lacks, its newest record, and what it never delivers."""
    if not settings.is_adopted:
        return
    if settings.gong_source_connection and not (path := state_path(settings)).exists():
        message = f"{path} does not exist, so Dagster does not show the connection: {REFRESH_HINT}"
        yield CheckResult("warn", "source", message)
    try:
        with open_warehouse(settings).connect() as connection:
            source = open_source(connection, settings)
            newest = newest_extraction(connection, source, RAW_TABLES)
    except WarehouseError as error:
        yield CheckResult("fail", "source", explain(error))
        return
    place = f"{settings.gong_source} in {source.location.database}.{source.location.schema}"
    found = [table.name for table in RAW_TABLES if source.is_available(table)]
    lacking = [table.name for table in RAW_TABLES if not source.is_available(table)]
    yield CheckResult("ok", "source", f"{place} fills {', '.join(found)}")
    if newest is None:
        yield CheckResult("warn", "source", f"{place} has no records yet")
    elif datetime.now(UTC) - newest > STALE_AFTER:
        message = f"the newest record of {place} is of {newest:%Y-%m-%d %H:%M} UTC: check its syncs"
        yield CheckResult("warn", "source", message)
    if lacking:
        yield CheckResult("warn", "source", f"{settings.gong_source} does not fill {', '.join(lacking)}")
    for gap in source.gaps():
        yield CheckResult("warn", "source", f"{settings.gong_source} lacks: {gap}")
