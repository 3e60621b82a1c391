"""Standing checks: conditions over all days and layers, evaluated once a day.

The checks of a run look at the days of the run. These find what no run looks at: days that were never read,
rows that were lost or doubled between layers, and work that nobody repeated. They belong to the asset
`gong_pipeline_health`, and use one connection and few statements. Each lists its count, the first IDs and the
query to run.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import dagster as dg

from gong_assets.cortex.enrichments import ENRICHMENTS, functions_in_use
from gong_assets.cortex.prices import MAX_AGE_DAYS, SOURCE, Prices
from gong_assets.defs.checks.read_days import expected_days, read_days, settled_days_of_source
from gong_assets.defs.checks.results import HEALTH_ASSET, Finding, connection_of_check
from gong_assets.defs.cortex_budget import functions_of
from gong_assets.defs.options import DEFAULT_OPTIONS, GraphOptions
from gong_assets.defs.resources import SnowflakeResource
from gong_assets.error_advice import explain
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.security.texts import one_line
from gong_assets.settings import Settings
from gong_assets.warehouse import standing_queries as queries
from gong_assets.warehouse.connection import fetch
from gong_assets.warehouse.errors import is_unreachable
from gong_assets.warehouse.hubspot_tables import kept_columns
from gong_assets.warehouse.pending_changes import PENDING_CHANGES_TABLE
from gong_assets.warehouse.queries import existing_tables
from gong_assets.warehouse.report_queries import BATCHES
from gong_assets.warehouse.tables import CALLS, TRANSCRIPTS

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

OP = "gong_health_checks"

# Ingestion runs every 4 hours, and a transformation that fails is tried again with the next one.
MAX_PENDING_HOURS = 10
# A share of calls without a transcript is normal: voicemails, and recordings that were deleted.
MAX_UNTRANSCRIBED_FRACTION = 0.2
# The fraction of fewer calls says little.
MIN_CALLS_TO_JUDGE = 20
# Calls whose transcripts stopped being requested within this time.
EXPIRED_WITHIN = timedelta(days=14)
COST_DAYS = 30
# HubSpot loads its share daily. A connector may pause on a weekend. A load writes only the deals that
# changed, so on holidays none may be newer although the loads run.
MAX_HUBSPOT_HOURS = 72
MAX_QUIET_HUBSPOT_DAYS = 14

_PARTITIONED_ASSETS = (
    *(table.asset_name for table in RAW_TABLES if table.partition),
    *(name.lower() for name in queries.MODEL_KEYS if not name.startswith("VW_")),
    *(each.asset_name for each in ENRICHMENTS.values()),
)


@dataclass
class StandingChecks:
    """The evaluations, over one connection and the instance of the run."""

    connection: "SnowflakeConnection"
    instance: dg.DagsterInstance
    settings: Settings
    options: GraphOptions

    @property
    def _today(self) -> date:
        return datetime.now(UTC).date()

    @cached_property
    def _existing(self) -> set[str]:
        return existing_tables(self.connection)

    def every_day_is_read(self) -> Finding:
        """Find days between the first one that was read and yesterday that nothing has read."""
        missing: list[str] = []
        for table in (CALLS, TRANSCRIPTS):
            read = read_days(self.instance, self.options, table)
            if not read:
                continue
            expected = expected_days(date.fromisoformat(min(read)), self._today, self.settings)
            unread = [day for day in expected if day.isoformat() not in read]
            if unread and self.settings.is_adopted:
                age = timedelta(hours=MAX_PENDING_HOURS)
                delivered = settled_days_of_source(self.connection, self.settings, table, age)
                unread = [day for day in unread if day in delivered]
            missing += [f"{table.asset_name} {day}" for day in unread]
        return Finding(len(missing), missing, advice="Materialize these partitions of the raw assets.")

    def failed_days_are_repaired(self) -> Finding:
        """Find partitions whose last run failed or was canceled, and that no run has materialized since."""
        unrepaired: list[str] = []
        storage = self.instance.event_log_storage
        kept = self.settings.first_kept_day(self._today)
        for name in _PARTITIONED_ASSETS:
            attempts = storage.get_latest_asset_partition_materialization_attempts_without_materializations(
                self.options.asset_key(name)
            )
            failed = self._failed_runs({run_id for run_id, _ in attempts.values()})
            unrepaired += [
                f"{name} {day}"
                for day, (run_id, _) in sorted(attempts.items())
                if run_id in failed and (kept is None or day >= kept.isoformat())
            ]
        advice = "Launch a backfill of these partitions, or open the failed run and launch it again."
        return Finding(len(unrepaired), unrepaired, advice=advice)

    def _failed_runs(self, run_ids: set[str]) -> set[str]:
        ended = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
        runs = self.instance.get_runs(dg.RunsFilter(run_ids=list(run_ids), statuses=ended)) if run_ids else []
        return {run.run_id for run in runs}

    def layers_match(self) -> Finding:
        """Find rows without their counterpart in another layer."""
        existing = self._existing
        checked = {
            relation.name: relation
            for relation in queries.relations(redacted=self.settings.gong_redact_transcripts)
            if {relation.table, relation.other} <= existing
        }
        advice = "Materialize the days of these rows: the models, or the raw assets if raw rows are wrong."

        def sql(relations: Mapping[str, queries.Relation]) -> str:
            return queries.orphans([*relations.values()], existing)

        return self._counted(checked, sql, "RELATION", advice)

    def keys_are_unique(self) -> Finding:
        """Find keys with more than one row."""
        keys = {**{table.name: table.key.name for table in RAW_TABLES}, **queries.MODEL_KEYS}
        days = {table.name: table.partition.name for table in RAW_TABLES if table.partition}
        days |= dict.fromkeys(queries.MODEL_KEYS, "CALL_DATE")
        checked = {table: key for table, key in keys.items() if table in self._existing}
        advice = "Materialize the days of these rows. If raw rows are doubled, delete one of each first."
        return self._counted(checked, lambda each: queries.duplicates(each, days), "TABLE_NAME", advice)

    def _counted(
        self,
        checked: Mapping[str, Any],
        sql: Callable[[Mapping[str, Any]], str],
        group: str,
        advice: str,
    ) -> Finding:
        """Return the rows that the query finds, with the query of the groups that have any."""
        if not checked:  # No table exists before the first run.
            return Finding(0)
        rows = fetch(self.connection, sql(checked))
        counts = {row[group]: int(row["FOUND"]) for row in rows}
        ids = [f"{row[group]}: {row['ID']}" + (f" on {row['DAYS']}" if row["DAYS"] else "") for row in rows]
        query = sql({name: each for name, each in checked.items() if name in counts} or checked)
        more = {"by_relation": dg.MetadataValue.json(counts)} if counts else None
        return Finding(sum(counts.values()), ids, query, advice, more=more)

    def changes_are_transformed(self) -> Finding:
        """Find days whose landed changes have waited for too long."""
        sql = queries.long_pending_changes()
        if PENDING_CHANGES_TABLE not in self._existing:
            return Finding(0, query=sql)
        rows = fetch(self.connection, sql, (MAX_PENDING_HOURS,))
        ids = [f"{row['TABLE_NAME']}: {row['ID']}" for row in rows]
        advice = (
            "Look at the ticks of the sensor gong_transformation_sensor, and at the last runs of the job "
            "gong_transformation. Materialize the models for these days if they do not. No run transforms a "
            "day without a partition, which is one before GONG_START_DATE."
        )
        return Finding(len(rows), ids, sql.replace("%s", str(MAX_PENDING_HOURS)), advice)

    def transcripts_arrive(self) -> Finding:
        """Find recent calls whose transcripts are no longer requested."""
        sql = queries.expired_transcripts()
        if not {CALLS.name, TRANSCRIPTS.name} <= self._existing:
            return Finding(0)
        last = self._today - timedelta(days=self.settings.gong_transcript_retry_days + 1)
        first = last - EXPIRED_WITHIN
        rows = fetch(self.connection, sql, (first, last))
        missing = [row["ID"] for row in rows if row["IS_MISSING"]]
        fraction = len(missing) / len(rows) if rows else 0.0
        too_many = fraction > MAX_UNTRANSCRIBED_FRACTION and len(rows) >= MIN_CALLS_TO_JUDGE
        return Finding(
            len(missing),
            missing,
            sql.replace("%s", f"'{first}'", 1).replace("%s", f"'{last}'", 1),
            "See in Gong whether these calls have transcripts. If so, the next gong_reconciliation requests "
            "them; to have them now, materialize their days of gong_call_transcripts_raw.",
            dg.AssetCheckSeverity.ERROR if too_many else dg.AssetCheckSeverity.WARN,
            {"calls": len(rows), "fraction": round(fraction, 3)},
        )

    def cost_is_within_budget(self) -> Finding:
        """Compare the estimated cost of Cortex in 30 days with the budget."""
        sql = queries.cortex_spending()
        budget = self.settings.gong_cortex_monthly_budget
        rows = fetch(self.connection, sql, (COST_DAYS,)) if BATCHES in self._existing else []
        dollars = {row["FUNCTION_NAME"]: round(float(row["DOLLARS"] or 0), 4) for row in rows}
        spent = sum(dollars.values())
        return Finding(
            int(budget is not None and spent > budget),
            query=sql.replace("%s", str(COST_DAYS)),
            advice="VW_CORTEX_COSTS has the runs that spent it. GONG_CORTEX_TOKEN_BUDGET limits each run.",
            more={
                "estimated_dollars": round(spent, 4),
                "budget_dollars": "not set" if budget is None else budget,
                "by_function": dg.MetadataValue.json(dollars),
            },
        )

    def cortex_prices_are_recent(self) -> Finding:
        """Compare the dates of the prices with today: budgets and costs depend on them."""
        functions = functions_of(self.settings)
        used = functions_in_use(functions, redacts=self.settings.gong_redact_transcripts)
        old = Prices.of_vars(functions.variables).outdated(used, datetime.now(UTC).date())
        return Finding(
            len(old),
            [f"{price.name} ({price.as_of})" for price in old],
            advice=f"Compare the prices with {SOURCE}, and set the var cortex_prices, with their date.",
            severity=dg.AssetCheckSeverity.WARN,
        )

    def hubspot_is_recent(self) -> Finding:
        """Compare the age of the deal that was loaded last with the limits."""
        settings = self.settings
        sql = queries.hubspot_age(settings.hubspot_shape, settings.hubspot_database, settings.hubspot_schema)
        from snowflake.connector.errors import ProgrammingError

        advice = "See whether HubSpot's share or the connector that loads its tables still runs."
        try:
            hours, unknown = fetch(self.connection, sql)[0]["HOURS"], "no deals"
        except ProgrammingError:
            hours, unknown = None, "no HubSpot tables"
        if hours is None:  # HubSpot is optional, unless deals were staged before.
            kept = kept_columns(
                self.connection, settings.hubspot_shape, {queries.deals_table(settings.hubspot_shape)}
            )
            return Finding(len(kept), query=sql, advice=advice, more={"hours": unknown})
        is_old = hours > MAX_HUBSPOT_HOURS
        is_quiet = hours <= MAX_QUIET_HUBSPOT_DAYS * 24
        severity = dg.AssetCheckSeverity.WARN if is_quiet else dg.AssetCheckSeverity.ERROR
        return Finding(int(is_old), query=sql, advice=advice, severity=severity, more={"hours": int(hours)})


_DESCRIPTIONS: Mapping[str, str] = {
    "every_day_is_read": "Every day from the first one that was read to yesterday has calls and transcripts "
    "that were read, or was reconciled with Gong's list of calls. If another product loads the calls: every "
    "lookback day on which it has some.",
    "failed_days_are_repaired": "Every partition whose run failed or was canceled was materialized since.",
    "layers_match": "Each row has its counterpart in the layers above and below, for all days without "
    "pending changes.",
    "keys_are_unique": "Each key of the raw tables, of the models built by day and of the enriched views has "
    "one row.",
    "changes_are_transformed": f"Landed changes are transformed within {MAX_PENDING_HOURS} hours.",
    "transcripts_arrive": "Every call whose transcript is no longer requested, since at most "
    f"{EXPIRED_WITHIN.days} days, has one. An error if more than {MAX_UNTRANSCRIBED_FRACTION:.0%} of at "
    f"least {MIN_CALLS_TO_JUDGE} calls have none, otherwise a warning.",
    "cost_is_within_budget": f"The estimated cost of Cortex in {COST_DAYS} days is within "
    "GONG_CORTEX_MONTHLY_BUDGET, if that is set.",
    "cortex_prices_are_recent": f"The prices of the Cortex functions were read within {MAX_AGE_DAYS} days.",
    "hubspot_is_recent": f"A deal of HubSpot was loaded within {MAX_HUBSPOT_HOURS} hours. A load writes only "
    f"the deals that changed, so this is a warning. It is an error after {MAX_QUIET_HUBSPOT_DAYS} days, or "
    "if deals were staged and HubSpot has none.",
}


def _result(key: dg.AssetCheckKey, evaluate: Callable[[], Finding]) -> dg.AssetCheckResult:
    """Return the result of one check, which failed if it could not be evaluated.

    Raises:
        Exception: the warehouse does not answer. No other check can be evaluated either, and the step is
            tried again.
    """
    try:
        return evaluate().result(key)
    except Exception as error:
        if is_unreachable(str(error)):
            raise
        return dg.AssetCheckResult(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=False,
            description="The check could not be evaluated.",
            metadata={"error": one_line(explain(error))},
        )


def build_standing_checks(
    settings: Settings, options: GraphOptions = DEFAULT_OPTIONS
) -> list[dg.AssetChecksDefinition]:
    """Return the checks of the asset `gong_pipeline_health`, which the job gong_standing_checks evaluates."""
    specs = [
        dg.AssetCheckSpec(name, asset=options.asset_key(HEALTH_ASSET), description=description)
        for name, description in _DESCRIPTIONS.items()
    ]

    @dg.multi_asset_check(name=options.op_name(OP), specs=specs, can_subset=True)
    def standing_checks(
        context: dg.AssetCheckExecutionContext, gong_snowflake: SnowflakeResource
    ) -> Iterator[dg.AssetCheckResult]:
        with connection_of_check(gong_snowflake) as connection:
            checks = StandingChecks(connection, context.instance, settings, options)
            for key in sorted(context.selected_asset_check_keys, key=str):
                yield _result(key, getattr(checks, key.name))

    return [standing_checks]
