"""Check of the HubSpot tables."""

from __future__ import annotations

from gong_assets.cli.doctor.results import CheckResult
from gong_assets.defs.checks.hubspot import KEPT_HINT, find_source_tables, fix_hint, source_schema
from gong_assets.error_advice import explain
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse
from gong_assets.warehouse.errors import WarehouseError


def check_hubspot(settings: Settings, warehouse: Warehouse) -> CheckResult:
    """Check that the tables of the configured HubSpot shape exist and can be read."""
    try:
        with warehouse.connect() as connection:
            tables = find_source_tables(connection, settings)
    except WarehouseError as error:
        return CheckResult("fail", "hubspot", explain(error))
    schema = f"{source_schema(settings)} (shape {settings.hubspot_shape})"
    empty = f"; without rows: {', '.join(tables.empty)}" if tables.empty else ""
    missing = f"not found in {schema}: {', '.join(tables.missing)}" if tables.missing else f"{schema}"
    if tables.missing or tables.kept:
        consequence = KEPT_HINT if tables.kept else "The graph runs without HubSpot data."
        return CheckResult("fail", "hubspot", f"{missing}{empty}. {fix_hint(settings)} {consequence}")
    return CheckResult("ok", "hubspot", f"{schema} can be read{empty}")
