"""Checks that HubSpot's tables exist and match the calls. The graph runs without HubSpot, with empty HubSpot
columns.

What is in the staged tables is checked by dbt's tests; which tables are read is in `src_hubspot.yml`,
and which columns in `dbt/macros/hubspot`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dagster as dg

from gong_assets.defs.checks.results import connection_of_check
from gong_assets.defs.options import DEFAULT_OPTIONS, GraphOptions
from gong_assets.defs.resources import SnowflakeResource
from gong_assets.security.texts import one_line
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import fetch
from gong_assets.warehouse.hubspot_tables import (
    calls_with_a_deal,
    deals_in_a_stage,
    kept_columns,
    required_tables,
    stage_label_tables,
    stages_without_label,
    unknown_deals,
)

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

TABLES = required_tables()
STAGE_TABLES = stage_label_tables()

KEPT_HINT = (
    "These tables had rows when they were staged. Until they have rows again, runs keep the models that read "
    "them. To continue without these tables, drop the models: the job hubspot_refresh builds them again."
)

# A deleted stage leaves its deals without a label, so a few are normal. More mean that the labels were not
# found.
MAX_UNLABELLED_FRACTION = 0.1
SHOWN_STAGES = 20

# A deleted deal leaves its calls, so a few are normal. More mean another HubSpot portal or an incomplete
# table.
MAX_UNKNOWN_FRACTION = 0.1
SHOWN_DEALS = 20


@dataclass(frozen=True)
class SourceTables:
    """The tables of a shape that cannot be read or are empty.

    Attributes:
        missing: error by table. Snowflake gives the same error for a missing table and a missing privilege.
        empty: tables without rows.
        kept: staged columns, as MODEL.COLUMN, with values from these tables.
    """

    missing: dict[str, str] = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        return not (self.missing or self.empty)


def source_schema(settings: Settings) -> str:
    return f"{settings.hubspot_database}.{settings.hubspot_schema}"


def find_source_tables(connection: SnowflakeConnection, settings: Settings) -> SourceTables:
    """Read one row of each table of the shape, and of what was staged from tables without one."""
    from snowflake.connector.errors import ProgrammingError

    found = SourceTables()
    for table in TABLES[settings.hubspot_shape]:
        try:
            rows = fetch(connection, f"SELECT 1 AS FOUND FROM {source_schema(settings)}.{table} LIMIT 1")
        except ProgrammingError as error:
            found.missing[table] = one_line(str(error.msg))
        else:
            if not rows:
                found.empty.append(table)
    found.kept.extend(kept_columns(connection, settings.hubspot_shape, {*found.missing, *found.empty}))
    return found


def fix_hint(settings: Settings) -> str:
    """Return what to do about missing tables."""
    role = settings.snowflake_role or "<the graph's role>"
    grant = (
        f"GRANT IMPORTED PRIVILEGES ON DATABASE {settings.hubspot_database} TO ROLE {role}"
        if settings.hubspot_shape == "share"
        else f"USAGE on {settings.hubspot_database} and on {source_schema(settings)}, and SELECT on its "
        f"tables, granted to {role}"
    )
    return (
        "Set HUBSPOT_DATABASE and HUBSPOT_SCHEMA to the location of HubSpot's tables, and HUBSPOT_SHAPE to "
        f"the way they are loaded: {', '.join(TABLES)}. If the tables exist, they need {grant}."
    )


def label_fix_hint(settings: Settings) -> str:
    """Return what to do about stages without labels."""
    return (
        f"Labels of stages are read from {source_schema(settings)}.{STAGE_TABLES[settings.hubspot_shape]}. "
        "If this table is empty, grant access to it or sync it. If it has rows, its columns have other "
        f"names than expected: add them in gong_assets/dbt/macros/hubspot/{settings.hubspot_shape}.sql, and "
        "check those of pipelines and owners too."
    )


def build_hubspot_checks(
    settings: Settings, options: GraphOptions = DEFAULT_OPTIONS
) -> list[dg.AssetChecksDefinition]:
    checks = [_tables_check(settings, options), _deals_check(options)]
    return [*checks, _labels_check(settings, options)] if settings.hubspot_shape in STAGE_TABLES else checks


def _tables_check(settings: Settings, options: GraphOptions) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=options.asset_key("stg_hubspot_deals"),
        name="hubspot_is_shared",
        description=f"Every table of the shape `{settings.hubspot_shape}` exists in "
        f"{source_schema(settings)} and has rows. Otherwise the graph still runs, and the columns from "
        "HubSpot are empty, which is a warning. If a table had rows before, the staged rows are kept, which "
        "is an error.",
    )
    def hubspot_is_shared(gong_snowflake: SnowflakeResource) -> dg.AssetCheckResult:
        with connection_of_check(gong_snowflake) as connection:
            found = find_source_tables(connection, settings)
        metadata: dict[str, Any] = {"location": source_schema(settings), "shape": settings.hubspot_shape}
        if not found.is_complete:
            metadata |= {
                "missing": found.missing,
                "empty": found.empty,
                "what_to_do": fix_hint(settings),
            }
        if found.kept:
            metadata |= {"kept": found.kept, "what_to_do": f"{fix_hint(settings)} {KEPT_HINT}"}
        severity = dg.AssetCheckSeverity.ERROR if found.kept else dg.AssetCheckSeverity.WARN
        return dg.AssetCheckResult(passed=found.is_complete, severity=severity, metadata=metadata)

    return hubspot_is_shared


def _labels_check(settings: Settings, options: GraphOptions) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=options.asset_key("stg_hubspot_deals"),
        name="hubspot_labels_the_stages",
        description=f"At most {MAX_UNLABELLED_FRACTION:.0%} of the deals in a stage have the ID of the "
        "stage instead of its label.",
    )
    def hubspot_labels_the_stages(gong_snowflake: SnowflakeResource) -> dg.AssetCheckResult:
        with connection_of_check(gong_snowflake) as connection:
            deals, unlabelled = (int(count) for count in fetch(connection, deals_in_a_stage())[0].values())
            stages = fetch(connection, stages_without_label(SHOWN_STAGES)) if unlabelled else []
        share = unlabelled / deals if deals else 0.0
        passed = share <= MAX_UNLABELLED_FRACTION
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
            metadata["what_to_do"] = label_fix_hint(settings)
        return dg.AssetCheckResult(passed=passed, severity=dg.AssetCheckSeverity.WARN, metadata=metadata)

    return hubspot_labels_the_stages


def _deals_check(options: GraphOptions) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=options.asset_key("vw_enriched_gong_calls"),
        name="hubspot_knows_the_deals",
        description=f"At most {MAX_UNKNOWN_FRACTION:.0%} of the calls that are linked to a HubSpot deal "
        "name a deal that HubSpot does not have, because it was deleted or is in another portal. Merged "
        "deals do not count.",
    )
    def hubspot_knows_the_deals(gong_snowflake: SnowflakeResource) -> dg.AssetCheckResult:
        with connection_of_check(gong_snowflake) as connection:
            calls, unknown = (int(count) for count in fetch(connection, calls_with_a_deal())[0].values())
            deals = fetch(connection, unknown_deals(SHOWN_DEALS)) if unknown else []
        share = unknown / calls if calls else 0.0
        metadata: dict[str, Any] = {
            "calls_with_a_deal": calls,
            "calls_with_an_unknown_deal": unknown,
            "share": share,
        }
        if deals:
            metadata["unknown_deals"] = [
                {
                    "deal_id": deal["DEAL_ID"],
                    "calls": int(deal["CALLS"]),
                    "example_call_id": deal["EXAMPLE_CALL_ID"],
                }
                for deal in deals
            ]
        return dg.AssetCheckResult(
            passed=share <= MAX_UNKNOWN_FRACTION, severity=dg.AssetCheckSeverity.WARN, metadata=metadata
        )

    return hubspot_knows_the_deals
