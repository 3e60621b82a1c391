"""Checks that tell whether HubSpot is there: the graph runs without it, and then knows nothing of deals.

What is in the staged tables is checked by dbt's tests; which tables are read is in `src_hubspot.yml`,
and which columns in `dbt/macros/hubspot`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dagster as dg

from gong_assets.defs.resources import SnowflakeResource
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import fetch
from gong_assets.warehouse.hubspot_tables import required_tables, stage_label_tables

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

TABLES = required_tables()
STAGE_TABLES = stage_label_tables()

# A stage is deleted now and then, and the deals in it stay. More than this are labels that were not found.
MOST_UNLABELLED_DEALS = 0.1
SHOWN_STAGES = 20

_UNLABELLED_STAGES = f"""
    SELECT DEAL_STAGE_ID, COUNT(*) AS DEALS
    FROM STG_HUBSPOT_DEALS
    WHERE DEAL_STAGE_ID = DEAL_STAGE
    GROUP BY DEAL_STAGE_ID
    ORDER BY DEALS DESC, DEAL_STAGE_ID
    LIMIT {SHOWN_STAGES}
"""
_DEALS = """
    SELECT COUNT(DEAL_STAGE_ID) AS DEALS, COUNT_IF(DEAL_STAGE_ID = DEAL_STAGE) AS UNLABELLED
    FROM STG_HUBSPOT_DEALS
"""

# Deals are deleted now and then, and the calls about them stay. More than this is another portal, or a half-filled table.
MOST_UNKNOWN_CALLS = 0.1
SHOWN_DEALS = 20

_DEAL_CALLS = """
    SELECT links.CALL_ID, links.OBJECT_ID AS DEAL_ID, deals.DEAL_ID IS NOT NULL AS IS_KNOWN
    FROM STG_GONG_CALL_CRM_LINKS AS links
    LEFT JOIN STG_HUBSPOT_MERGED_RECORDS AS merged
        ON links.OBJECT_TYPE = merged.OBJECT_TYPE AND links.OBJECT_ID = merged.MERGED_ID
    LEFT JOIN STG_HUBSPOT_DEALS AS deals ON COALESCE(merged.SURVIVOR_ID, links.OBJECT_ID) = deals.DEAL_ID
    WHERE links.IS_CURRENT AND links.CRM_SYSTEM = 'HubSpot' AND links.OBJECT_TYPE = 'Opportunity'
"""
_CALLS = f"""
    SELECT COUNT(DISTINCT CALL_ID) AS CALLS, COUNT(DISTINCT IFF(IS_KNOWN, NULL, CALL_ID)) AS UNKNOWN
    FROM ({_DEAL_CALLS}) AS deal_calls
"""
_UNKNOWN_DEALS = f"""
    SELECT DEAL_ID, COUNT(*) AS CALLS, MIN(CALL_ID) AS A_CALL_ID
    FROM ({_DEAL_CALLS}) AS deal_calls
    WHERE NOT IS_KNOWN
    GROUP BY DEAL_ID
    ORDER BY CALLS DESC, DEAL_ID
    LIMIT {SHOWN_DEALS}
"""


@dataclass(frozen=True)
class Found:
    """What became of looking for the tables of a shape.

    Attributes:
        missing: why a table cannot be read, by its name; one that may not be read is for Snowflake one that is not there.
        empty: those that have no rows.
    """

    missing: dict[str, str] = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        return not (self.missing or self.empty)


def place(settings: Settings) -> str:
    return f"{settings.hubspot_database}.{settings.hubspot_schema}"


def look_for_tables(connection: SnowflakeConnection, settings: Settings) -> Found:
    """Read a row of each table that the shape needs."""
    from snowflake.connector.errors import ProgrammingError

    found = Found()
    for table in TABLES[settings.hubspot_shape]:
        try:
            rows = fetch(connection, f"SELECT 1 AS FOUND FROM {place(settings)}.{table} LIMIT 1")
        except ProgrammingError as error:
            found.missing[table] = " ".join(str(error.msg).split())
        else:
            if not rows:
                found.empty.append(table)
    return found


def remedy(settings: Settings) -> str:
    """What to do about tables that are not found."""
    role = settings.snowflake_role or "<the graph's role>"
    grant = (
        f"GRANT IMPORTED PRIVILEGES ON DATABASE {settings.hubspot_database} TO ROLE {role}"
        if settings.hubspot_shape == "share"
        else f"USAGE on {settings.hubspot_database} and on {place(settings)}, and SELECT on its tables, granted to {role}"
    )
    return (
        "Set HUBSPOT_DATABASE and HUBSPOT_SCHEMA to where HubSpot's tables are, and HUBSPOT_SHAPE to how they came there: "
        f"{', '.join(TABLES)}. Tables that are there and are not found need {grant}."
    )


def label_remedy(settings: Settings) -> str:
    """What to do about stages without labels."""
    return (
        f"Labels of stages are read from {place(settings)}.{STAGE_TABLES[settings.hubspot_shape]}. If it has no rows, grant or "
        "sync it; if it has rows, its columns have names that are not looked for: add them in "
        f"gong_assets/dbt/macros/hubspot/{settings.hubspot_shape}.sql, and look at those of pipelines and owners too."
    )


def build_hubspot_checks(settings: Settings) -> list[dg.AssetChecksDefinition]:
    @dg.asset_check(
        asset="stg_hubspot_deals",
        name="hubspot_is_shared",
        description=f"Each table of the shape `{settings.hubspot_shape}` is in {place(settings)} and has rows. Without them "
        "the graph runs, and what HubSpot knows stays empty.",
    )
    def hubspot_is_shared(snowflake: SnowflakeResource) -> dg.AssetCheckResult:
        with snowflake.get_connection() as connection:
            found = look_for_tables(connection, settings)
        metadata: dict[str, Any] = {"looked_for_in": place(settings), "shape": settings.hubspot_shape}
        if not found.is_complete:
            metadata |= {
                "missing": found.missing,
                "empty": found.empty,
                "what_to_do": remedy(settings),
            }
        return dg.AssetCheckResult(
            passed=found.is_complete, severity=dg.AssetCheckSeverity.WARN, metadata=metadata
        )

    @dg.asset_check(
        asset="stg_hubspot_deals",
        name="hubspot_labels_the_stages",
        description=f"Of the deals in a stage, at most {MOST_UNLABELLED_DEALS:.0%} show its id, as HubSpot has no label for it.",
    )
    def hubspot_labels_the_stages(snowflake: SnowflakeResource) -> dg.AssetCheckResult:
        with snowflake.get_connection() as connection:
            deals, unlabelled = (int(count) for count in fetch(connection, _DEALS)[0].values())
            stages = fetch(connection, _UNLABELLED_STAGES) if unlabelled else []
        share = unlabelled / deals if deals else 0.0
        passed = share <= MOST_UNLABELLED_DEALS
        metadata: dict[str, Any] = {
            "deals_in_a_stage": deals,
            "deals_in_a_stage_without_label": unlabelled,
            "share": share,
        }
        if stages:
            metadata["stages_without_label"] = {
                stage["DEAL_STAGE_ID"]: int(stage["DEALS"]) for stage in stages
            }
        if not passed:
            metadata["what_to_do"] = label_remedy(settings)
        return dg.AssetCheckResult(passed=passed, severity=dg.AssetCheckSeverity.WARN, metadata=metadata)

    @dg.asset_check(
        asset="vw_enriched_gong_calls",
        name="hubspot_knows_the_deals",
        description=f"Of the calls that are linked to a HubSpot deal, at most {MOST_UNKNOWN_CALLS:.0%} name one that HubSpot does "
        "not have: a deleted one, or one of another portal. Merged deals are known.",
    )
    def hubspot_knows_the_deals(snowflake: SnowflakeResource) -> dg.AssetCheckResult:
        with snowflake.get_connection() as connection:
            calls, unknown = (int(count) for count in fetch(connection, _CALLS)[0].values())
            deals = fetch(connection, _UNKNOWN_DEALS) if unknown else []
        share = unknown / calls if calls else 0.0
        metadata: dict[str, Any] = {
            "calls_with_a_deal": calls,
            "calls_with_an_unknown_deal": unknown,
            "share": share,
        }
        if deals:
            metadata["unknown_deals"] = [
                {"deal_id": deal["DEAL_ID"], "calls": int(deal["CALLS"]), "a_call_id": deal["A_CALL_ID"]}
                for deal in deals
            ]
        return dg.AssetCheckResult(
            passed=share <= MOST_UNKNOWN_CALLS, severity=dg.AssetCheckSeverity.WARN, metadata=metadata
        )

    checks = [hubspot_is_shared, hubspot_knows_the_deals]
    return [*checks, hubspot_labels_the_stages] if settings.hubspot_shape in STAGE_TABLES else checks
