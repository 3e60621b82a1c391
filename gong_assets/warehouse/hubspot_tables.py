"""Tables of HubSpot by shape (the sources of the dbt project, for Python), and queries of the checks."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import yaml  # type: ignore[import-untyped]

from gong_assets.warehouse.connection import fetch
from gong_assets.warehouse.queries import existing_tables

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

_SOURCES = Path(__file__).parents[1] / "dbt" / "models" / "staging" / "src_hubspot.yml"


@dataclass(frozen=True)
class HubSpotTable:
    """A table that one or more shapes have; see `src_hubspot.yml`."""

    name: str
    shapes: tuple[str, ...]
    optional: bool = False
    has_labels: bool = False
    staged_in: str | None = None


@cache
def hubspot_tables() -> tuple[HubSpotTable, ...]:
    """Return all tables, in the order of the dbt sources."""
    (source,) = yaml.safe_load(_SOURCES.read_text("utf-8"))["sources"]
    return tuple(
        HubSpotTable(
            table["name"].upper(),
            shapes=tuple(meta["shapes"]),
            optional=meta.get("optional", False),
            has_labels=meta.get("has_labels", False),
            staged_in=meta.get("staged_in"),
        )
        for table in source["tables"]
        for meta in [table["config"]["meta"]]
    )


def required_tables() -> Mapping[str, tuple[str, ...]]:
    """Return the names of the tables that each shape needs."""
    return {
        shape: tuple(table.name for table in hubspot_tables() if shape in table.shapes and not table.optional)
        for shape in dict.fromkeys(shape for table in hubspot_tables() for shape in table.shapes)
    }


def stage_label_tables() -> Mapping[str, str]:
    """Return the table with the stage labels, for the shapes whose deals have stage ids."""
    return {shape: table.name for table in hubspot_tables() if table.has_labels for shape in table.shapes}


def staged_columns(shape: str) -> Mapping[str, str]:
    """Return MODEL.COLUMN by table: a column with values only if the table had rows when it was staged."""
    tables = (table for table in hubspot_tables() if shape in table.shapes)
    return {table.name: table.staged_in for table in tables if table.staged_in}


def kept_columns(connection: SnowflakeConnection, shape: str, lost: Collection[str]) -> list[str]:
    """Return the staged columns with values from tables that have no rows now. Runs keep their models."""
    columns = dict.fromkeys(column for table, column in staged_columns(shape).items() if table in lost)
    existing = existing_tables(connection) if columns else set()
    kept = []
    for each in columns:
        model, _, column = each.partition(".")
        found = f"SELECT 1 AS FOUND FROM {model} WHERE {column} IS NOT NULL LIMIT 1"
        if model.upper() in existing and fetch(connection, found):
            kept.append(each)
    return kept


def source_version(connection: SnowflakeConnection, shape: str, database: str, schema: str) -> str | None:
    """Return a value that changes when a table of the shape changes, or None if Snowflake does not know.

    Snowflake records the last change of tables, but not that of what a view reads.
    """
    names = [table.name for table in hubspot_tables() if shape in table.shapes]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT TABLE_NAME, ROW_COUNT, LAST_ALTERED FROM {database}.INFORMATION_SCHEMA.TABLES "
            "WHERE TABLE_SCHEMA = %s AND TABLE_TYPE <> 'VIEW' "
            f"AND TABLE_NAME IN ({', '.join(['%s'] * len(names))}) ORDER BY TABLE_NAME",
            (schema.upper(), *names),
        )
        rows = cursor.fetchall()
    found = {name for name, *_ in rows}
    if any(altered is None for *_, altered in rows) or not set(required_tables()[shape]) <= found:
        return None
    return hashlib.sha256(repr(rows).encode()).hexdigest()[:16]


def deals_in_a_stage() -> str:
    """Return SQL for the number of staged deals in a stage, and of those without the label of the stage."""
    return (
        "SELECT COUNT(DEAL_STAGE_ID) AS DEALS, COUNT_IF(DEAL_STAGE_ID = DEAL_STAGE) AS UNLABELLED "
        "FROM STG_HUBSPOT_DEALS"
    )


def stages_without_label(limit: int) -> str:
    """Return SQL for the stages without a label, with the number of their deals, most deals first."""
    return (
        "SELECT DEAL_STAGE_ID, COUNT(*) AS DEALS FROM STG_HUBSPOT_DEALS WHERE DEAL_STAGE_ID = DEAL_STAGE "
        f"GROUP BY DEAL_STAGE_ID ORDER BY DEALS DESC, DEAL_STAGE_ID LIMIT {limit}"
    )


_DEAL_CALLS = (
    "SELECT links.CALL_ID, links.OBJECT_ID AS DEAL_ID, deals.DEAL_ID IS NOT NULL AS IS_KNOWN "
    "FROM STG_GONG_CALL_CRM_LINKS AS links "
    "LEFT JOIN STG_HUBSPOT_MERGED_RECORDS AS merged "
    "ON links.OBJECT_TYPE = merged.OBJECT_TYPE AND links.OBJECT_ID = merged.MERGED_ID "
    "LEFT JOIN STG_HUBSPOT_DEALS AS deals ON COALESCE(merged.SURVIVOR_ID, links.OBJECT_ID) = deals.DEAL_ID "
    "WHERE links.IS_CURRENT AND links.CRM_SYSTEM = 'HubSpot' AND links.OBJECT_TYPE = 'Opportunity'"
)


def calls_with_a_deal() -> str:
    """Return SQL for the number of calls with a HubSpot deal, and of those whose deal HubSpot lacks."""
    return (
        "SELECT COUNT(DISTINCT CALL_ID) AS CALLS, COUNT(DISTINCT IFF(IS_KNOWN, NULL, CALL_ID)) AS UNKNOWN "
        f"FROM ({_DEAL_CALLS}) AS deal_calls"
    )


def unknown_deals(limit: int) -> str:
    """Return SQL for the deals of calls that HubSpot lacks, with the number of their calls, most first."""
    return (
        "SELECT DEAL_ID, COUNT(*) AS CALLS, MIN(CALL_ID) AS EXAMPLE_CALL_ID "
        f"FROM ({_DEAL_CALLS}) AS deal_calls WHERE NOT IS_KNOWN "
        f"GROUP BY DEAL_ID ORDER BY CALLS DESC, DEAL_ID LIMIT {limit}"
    )
