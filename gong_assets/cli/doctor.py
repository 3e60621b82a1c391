"""Examines settings, Gong and the warehouse, one finding after another, and says what to do about each problem."""

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
class Finding:
    ok: bool
    subject: str
    message: str


def examine(settings: Settings) -> Iterator[Finding]:
    yield Finding(True, "settings", f"target {settings.target}, home {settings.home}")
    yield from _gong(settings)
    warehouse = open_warehouse(settings)
    sign_in = _sign_in(warehouse)
    yield sign_in
    if sign_in.ok:
        yield _attempt(
            "write",
            warehouse,
            "CREATE TEMPORARY TABLE GONG_ASSETS_DOCTOR (ID INTEGER)",
            f"tables can be created in {settings.snowflake_database}.{settings.snowflake_schema}",
            "Grant USAGE on the database, and USAGE, CREATE TABLE, CREATE VIEW and CREATE STAGE on the schema.",
        )
        yield _attempt(
            "cortex",
            warehouse,
            "SELECT SNOWFLAKE.CORTEX.SENTIMENT('This works well.') AS SENTIMENT",
            "Cortex functions can be called",
            "Grant USE AI FUNCTIONS on the account and the database role SNOWFLAKE.CORTEX_USER to the role.",
        )
        yield _hubspot(settings, warehouse)
    yield _dbt(settings)


def _gong(settings: Settings) -> Iterator[Finding]:
    """One request: the last day's calls, of which the first page tells that the key, its host and its scope are right."""
    resource = GongResource.from_settings(settings).process_config_and_initialize()
    now = datetime.now(UTC)

    async def first_page() -> int:
        calls = Window(now - timedelta(days=1), now)
        async with resource.client() as client, aclosing(client.calls(calls)) as pages:
            async for page in pages:
                return page.total_records or 0
        return 0

    try:
        total = asyncio.run(first_page())
    except EXPECTED_ERRORS as error:
        yield Finding(False, "gong", explain(error))
        return
    where = (
        "the simulated tenant" if settings.uses_simulated_gong else settings.gong_base_url or "api.gong.io"
    )
    hint = "" if total else "; if calls were held, the key's user may not be allowed to see them"
    yield Finding(True, "gong", f"{where} answers, {total} calls in the last 24 hours{hint}")
    yield from _scopes(resource)


def _scopes(resource: GongResource) -> Iterator[Finding]:
    """One request to each of the other endpoints, of which the scopes are told that the key lacks."""
    day = DateRange.single(datetime.now(UTC).date() - timedelta(days=2))

    def questions(client: GongClient) -> Iterator[tuple[RawTable, AsyncGenerator[Page, None]]]:
        yield TRANSCRIPTS, client.transcripts(["0"])
        for daily in PARTITIONED_STREAMS:
            yield daily.table, daily.request(client, day)
        for whole in SNAPSHOT_STREAMS:
            yield whole.table, whole.request(client, None)

    async def refused() -> dict[str, str]:
        found = {}
        async with resource.client() as client:
            for table, pages in questions(client):
                try:
                    async with aclosing(pages):
                        await anext(pages, None)
                except GongPermissionError as error:
                    found[table.name] = explain(error)
        return found

    try:
        tables = asyncio.run(refused())
    except EXPECTED_ERRORS as error:
        yield Finding(False, "gong scopes", explain(error))
        return
    for table, reason in tables.items():
        yield Finding(False, "gong scopes", f"{table} is not read: {reason}")
    if not tables:
        yield Finding(True, "gong scopes", "the key may read all that the graph asks for")


def _sign_in(warehouse: Warehouse) -> Finding:
    try:
        row = warehouse.query("SELECT CURRENT_USER() AS USER_NAME, CURRENT_ROLE() AS ROLE_NAME")[0]
    except WarehouseError as error:
        return Finding(False, "warehouse", explain(error))
    return Finding(
        True, "warehouse", f"signed in at {warehouse.host} as {row['USER_NAME']}, role {row['ROLE_NAME']}"
    )


def _attempt(subject: str, warehouse: Warehouse, sql: str, success: str, remedy: str) -> Finding:
    try:
        warehouse.query(sql)
    except WarehouseError as error:
        return Finding(False, subject, f"{error}. {remedy}")
    return Finding(True, subject, success)


def _hubspot(settings: Settings, warehouse: Warehouse) -> Finding:
    try:
        with warehouse.connect() as connection:
            found = find_source_tables(connection, settings)
    except WarehouseError as error:
        return Finding(False, "hubspot", explain(error))
    where = f"{source_schema(settings)} (shape {settings.hubspot_shape})"
    empty = f"; without rows: {', '.join(found.empty)}" if found.empty else ""
    if found.missing:
        missing = ", ".join(found.missing)
        return Finding(
            False,
            "hubspot",
            f"not found in {where}: {missing}{empty}. {fix_hint(settings)} The graph runs without.",
        )
    return Finding(True, "hubspot", f"{where} can be read{empty}")


def _dbt(settings: Settings) -> Finding:
    try:
        project = prepared_project(settings)
    except DbtParseError as error:
        return Finding(False, "dbt", str(error))
    return Finding(True, "dbt", f"the project is parsed: {project.target_path}")
