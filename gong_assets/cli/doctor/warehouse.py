"""Checks of the warehouse on one connection: privileges, Cortex, region, clock and tables.

What a role may do is found by doing it, with objects that are removed again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from gong_assets.cli.doctor.cortex import check_cortex
from gong_assets.cli.doctor.hubspot import check_hubspot
from gong_assets.cli.doctor.privileges import check_provisioned_privileges
from gong_assets.cli.doctor.results import CheckResult, guarded
from gong_assets.cli.doctor.session import Session
from gong_assets.error_advice import explain
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse, fetch, open_warehouse
from gong_assets.warehouse.errors import OutdatedTables, WarehouseError
from gong_assets.warehouse.migration import check_tables

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

MAX_CLOCK_SKEW_SECONDS = 60


def check_warehouse(settings: Settings, *, deep: bool = False) -> Iterator[CheckResult]:
    """Check what the graph does in the warehouse; `deep` runs every statement for Cortex."""
    warehouse = open_warehouse(settings)
    try:
        with warehouse.connect() as connection:
            session = Session(connection, warehouse.host)
            yield from _check_sign_in(session, settings, warehouse)
            yield from _check_privileges(session, settings)
            yield from check_provisioned_privileges(connection, settings)
            yield _check_tables(connection)
            yield from guarded("cortex", partial(check_cortex, session, settings, deep=deep))
            yield _check_usage_history(session)
    except WarehouseError as error:
        yield CheckResult("fail", "warehouse", explain(error))
        return
    yield check_hubspot(settings, warehouse)


def _check_sign_in(session: Session, settings: Settings, warehouse: Warehouse) -> Iterator[CheckResult]:
    before = datetime.now(UTC)
    (row,) = fetch(
        session.connection,
        "SELECT CURRENT_USER() AS USER_NAME, CURRENT_ROLE() AS ROLE_NAME, CURRENT_REGION() AS REGION, "
        "CURRENT_TIMESTAMP() AS NOW",
    )
    yield CheckResult(
        "ok", "warehouse", f"signed in to {warehouse.host} as {row['USER_NAME']}, role {row['ROLE_NAME']}"
    )
    yield _check_clock(row["NOW"], before, datetime.now(UTC))
    if settings.target == "snowflake":
        yield _check_region(session, row["REGION"])


def _check_clock(theirs: datetime, before: datetime, after: datetime) -> CheckResult:
    skew = max((before - theirs).total_seconds(), (theirs - after).total_seconds(), 0.0)
    if skew <= MAX_CLOCK_SKEW_SECONDS:
        return CheckResult("ok", "clock", f"differs from the warehouse's by less than {skew + 1:.0f} s")
    return CheckResult(
        "fail",
        "clock",
        f"differs from the warehouse's by {skew:.0f} s. Schedules, days and sign-ins with a key depend on "
        "it: synchronize the clock of this machine (NTP).",
    )


def _check_region(session: Session, region: str) -> CheckResult:
    """Report the region, and whether Cortex may use models of other regions."""
    statement = "SHOW PARAMETERS LIKE 'CORTEX_ENABLED_CROSS_REGION' IN ACCOUNT"
    error = session.error(statement)
    rows = [] if error else fetch(session.connection, statement)
    values = [str(row.get("value") or row.get("VALUE")) for row in rows]
    setting = values[0] if values else "cannot be read by this role"
    return CheckResult(
        "ok",
        "region",
        f"{region}; CORTEX_ENABLED_CROSS_REGION: {setting}. If a Cortex function is not available in the "
        "region, an administrator can set this parameter; texts are then processed in another region.",
    )


def _check_privileges(session: Session, settings: Settings) -> Iterator[CheckResult]:
    place = ".".join(settings.place.values())
    name = f"GONG_ASSETS_DOCTOR_{uuid4().hex[:8].upper()}"
    schema_advice = f"Grant USAGE on the database and the schema of {place}, and {{}} on the schema."
    yield session.check(
        "compute",
        "SELECT COUNT(*) AS N FROM TABLE(GENERATOR(ROWCOUNT => 1))",
        success="queries can use the warehouse",
        advice="Set SNOWFLAKE_WAREHOUSE, and grant USAGE on that warehouse to the role.",
    )
    kinds = (
        ("tables", "TABLE", name, "(ID INTEGER)"),
        ("views", "VIEW", f"{name}_VIEW", "AS SELECT 1 AS ID"),
        ("temporary tables", "TEMPORARY TABLE", f"{name}_TEMP", "(ID INTEGER)"),
    )
    for kind, type_, created, definition in kinds:
        plain_type = type_.split()[-1]
        write = [f"INSERT INTO {name} SELECT 1", f"DELETE FROM {name}"] if kind == "tables" else []
        yield session.check(
            kind,
            f"CREATE {type_} {created} {definition}",
            *write,
            cleanup=[f"DROP {plain_type} IF EXISTS {created}"],
            success=f"can be created in {place}" + (", written and dropped" if write else ""),
            advice=schema_advice.format(f"CREATE {plain_type}"),
        )
    yield _check_upload(session, f"{name}_STAGE", schema_advice.format("CREATE STAGE"))
    existing = [table.name for table in RAW_TABLES if session.error(f"DESCRIBE TABLE {table.name}") is None]
    for table in existing:
        if error := session.error(f"DELETE FROM {table} WHERE FALSE", f"SELECT * FROM {table} WHERE FALSE"):
            yield CheckResult(
                "fail",
                "existing tables",
                f"{str(error).rstrip('.')}. Grant OWNERSHIP of {table} to the role, which created it with "
                "another role.",
            )


def _check_upload(session: Session, stage: str, advice: str) -> CheckResult:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "doctor.txt"
        file.write_text("doctor")
        return session.check(
            "stages",
            f"CREATE TEMPORARY STAGE {stage}",
            f"PUT 'file://{file.as_posix()}' @{stage} AUTO_COMPRESS = FALSE",
            success="a file can be uploaded to a temporary stage",
            advice=f"{advice} Uploads go to the cloud storage of the account, which a firewall may block.",
        )


def _check_tables(connection: SnowflakeConnection) -> CheckResult:
    try:
        check_tables(connection, RAW_TABLES)
    except OutdatedTables as error:
        return CheckResult("fail", "existing tables", explain(error))
    return CheckResult("ok", "existing tables", "none is of an earlier system or version")


def _check_usage_history(session: Session) -> CheckResult:
    return session.check(
        "usage history",
        "SELECT * FROM SNOWFLAKE.ACCOUNT_USAGE.CORTEX_AI_FUNCTIONS_USAGE_HISTORY LIMIT 1",
        success="the billed Cortex usage can be read",
        advice="The graph runs without it. To compare estimates with the bill, grant the database role "
        "SNOWFLAKE.USAGE_VIEWER to the role.",
        failure="warn",
    )
