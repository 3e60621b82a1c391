"""`gong-assets doctor`: checks of settings, Gong and the warehouse. A failed check says what to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gong_assets.dates import DateRange
from gong_assets.defs.checks.hubspot import find_source_tables, fix_hint, source_schema
from gong_assets.defs.dbt.project import DbtParseError, prepared_project
from gong_assets.defs.resources import GongResource
from gong_assets.error_advice import EXPECTED_ERRORS, explain
from gong_assets.gong import GongClient, GongPermissionError, Page, Window
from gong_assets.ingestion.streams import PARTITIONED_STREAMS, SNAPSHOT_STREAMS
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse, open_warehouse
from gong_assets.warehouse.errors import WarehouseError
from gong_assets.warehouse.tables import TRANSCRIPTS, RawTable


@dataclass(frozen=True)
class CheckResult:
    ok: bool
    subject: str
    message: str


def run_checks(settings: Settings) -> Iterator[CheckResult]:
    """Yield the result of each check as soon as it is known. Checks that need a failed one are skipped."""
    yield CheckResult(True, "settings", f"target {settings.target}, home {settings.home}")
    yield from _check_gong(settings)
    yield from _check_warehouse(settings)
    yield _check_dbt(settings)


def _check_gong(settings: Settings) -> Iterator[CheckResult]:
    """Request one page of the last day's calls, which needs the right host, key and scope."""
    resource = GongResource.from_settings(settings).process_config_and_initialize()
    now = datetime.now(UTC)

    async def count_calls() -> int:
        last_day = Window(now - timedelta(days=1), now)
        async with resource.client() as client, aclosing(client.calls(last_day)) as pages:
            async for page in pages:
                return page.total_records or 0
        return 0

    try:
        calls = asyncio.run(count_calls())
    except EXPECTED_ERRORS as error:
        yield CheckResult(False, "gong", explain(error))
        return
    source = (
        "the simulated tenant" if settings.uses_simulated_gong else settings.gong_base_url or "api.gong.io"
    )
    hint = "" if calls else "; if there were calls, the key's user may not have access to them"
    yield CheckResult(True, "gong", f"{source} responds, {calls} calls in the last 24 hours{hint}")
    yield from _check_scopes(resource)


def _check_scopes(resource: GongResource) -> Iterator[CheckResult]:
    """Send one request to each of the other endpoints, to find the scopes that the key lacks."""
    day = DateRange.single(datetime.now(UTC).date() - timedelta(days=2))

    def requests(client: GongClient) -> Iterator[tuple[RawTable, AsyncGenerator[Page, None]]]:
        yield TRANSCRIPTS, client.transcripts(["0"])
        for partitioned in PARTITIONED_STREAMS:
            yield partitioned.table, partitioned.request(client, day)
        for snapshot in SNAPSHOT_STREAMS:
            yield snapshot.table, snapshot.request(client, None)

    async def missing_scopes() -> dict[str, str]:
        missing = {}
        async with resource.client() as client:
            for table, pages in requests(client):
                try:
                    async with aclosing(pages):
                        await anext(pages, None)
                except GongPermissionError as error:
                    missing[table.name] = explain(error)
        return missing

    try:
        missing = asyncio.run(missing_scopes())
    except EXPECTED_ERRORS as error:
        yield CheckResult(False, "gong scopes", explain(error))
        return
    for table, reason in missing.items():
        yield CheckResult(False, "gong scopes", f"{table} cannot be read: {reason}")
    if not missing:
        yield CheckResult(True, "gong scopes", "the key has access to every endpoint that the graph reads")


def _check_warehouse(settings: Settings) -> Iterator[CheckResult]:
    warehouse = open_warehouse(settings)
    sign_in = _check_sign_in(warehouse)
    yield sign_in
    if not sign_in.ok:
        return
    yield _check_statement(
        warehouse,
        "write",
        "CREATE TEMPORARY TABLE GONG_ASSETS_DOCTOR (ID INTEGER)",
        success=f"tables can be created in {settings.snowflake_database}.{settings.snowflake_schema}",
        advice="Grant USAGE on the database, and USAGE, CREATE TABLE, CREATE VIEW and CREATE STAGE on the "
        "schema, to the role.",
    )
    yield _check_statement(
        warehouse,
        "cortex",
        "SELECT SNOWFLAKE.CORTEX.SENTIMENT('This works well.') AS SENTIMENT",
        success="Cortex functions can be called",
        advice="Grant USE AI FUNCTIONS on the account, and the database role SNOWFLAKE.CORTEX_USER, to the "
        "role.",
    )
    yield check_hubspot(settings, warehouse)


def _check_sign_in(warehouse: Warehouse) -> CheckResult:
    try:
        row = warehouse.query("SELECT CURRENT_USER() AS USER_NAME, CURRENT_ROLE() AS ROLE_NAME")[0]
    except WarehouseError as error:
        return CheckResult(False, "warehouse", explain(error))
    return CheckResult(
        True, "warehouse", f"signed in to {warehouse.host} as {row['USER_NAME']}, role {row['ROLE_NAME']}"
    )


def _check_statement(
    warehouse: Warehouse, subject: str, sql: str, *, success: str, advice: str
) -> CheckResult:
    try:
        warehouse.query(sql)
    except WarehouseError as error:
        return CheckResult(False, subject, f"{error}. {advice}")
    return CheckResult(True, subject, success)


def check_hubspot(settings: Settings, warehouse: Warehouse) -> CheckResult:
    """Check that the tables of the configured HubSpot shape exist and can be read."""
    try:
        with warehouse.connect() as connection:
            tables = find_source_tables(connection, settings)
    except WarehouseError as error:
        return CheckResult(False, "hubspot", explain(error))
    schema = f"{source_schema(settings)} (shape {settings.hubspot_shape})"
    empty = f"; without rows: {', '.join(tables.empty)}" if tables.empty else ""
    if tables.missing:
        return CheckResult(
            False,
            "hubspot",
            f"not found in {schema}: {', '.join(tables.missing)}{empty}. {fix_hint(settings)} "
            "The graph runs without HubSpot data.",
        )
    return CheckResult(True, "hubspot", f"{schema} can be read{empty}")


def _check_dbt(settings: Settings) -> CheckResult:
    try:
        project = prepared_project(settings)
    except DbtParseError as error:
        return CheckResult(False, "dbt", str(error))
    return CheckResult(True, "dbt", f"the project is parsed: {project.target_path}")
