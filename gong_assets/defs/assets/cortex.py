"""The enrichments as assets: each sends the texts of its days that wait to Cortex, between dbt's two ops.

What is sent, and how, is in `gong_assets/cortex`. The dbt models in `models/cortex` show the answers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg

from gong_assets.cortex.enrichments import Enrichment, enabled
from gong_assets.cortex.sending import BatchFailed, CortexUnavailable, Outcome, Sender, TextCounts
from gong_assets.cortex.tables import ANSWERS
from gong_assets.cortex.texts import Scope
from gong_assets.defs.cortex_budget import CortexConfig, budget_of, functions_of
from gong_assets.defs.cortex_costs import add_costs
from gong_assets.defs.dbt.assets import DBT_POOL
from gong_assets.defs.failures import fail_step
from gong_assets.defs.options import DEFAULT_OPTIONS, REVENUE_OPERATIONS, GraphOptions
from gong_assets.defs.partitions import days_of_run
from gong_assets.defs.resources import SnowflakeResource, query_tag
from gong_assets.provisioning.objects import Layer
from gong_assets.security.redaction import first_lines, redact
from gong_assets.settings import Settings
from gong_assets.warehouse.errors import WarehouseError

# A text that fails makes its whole batch fail. A retry sends the texts of that batch in smaller batches, and
# finally one by one: three attempts for such a text, and one for each other text.
BATCH_RETRIES = 20
# Tokens are counted again a few times; then the texts wait for the next run of their days.
COUNT_RETRIES = 2
COUNT_RETRY_SECONDS = 10


def build_cortex_assets(
    settings: Settings, partitions: dg.DailyPartitionsDefinition, options: GraphOptions = DEFAULT_OPTIONS
) -> list[dg.AssetsDefinition]:
    """Return an asset for each enrichment; that of redactions only if transcripts are redacted."""
    return [
        _build(enrichment, number, settings, partitions, options)
        for number, enrichment in enumerate(enabled(redacts=settings.gong_redact_transcripts))
    ]


def _build(
    enrichment: Enrichment,
    number: int,
    settings: Settings,
    partitions: dg.DailyPartitionsDefinition,
    options: GraphOptions,
) -> Any:
    reads = set(enrichment.reads)
    if settings.gong_redact_transcripts and enrichment.name in ("summaries", "insights"):
        reads.add("gong_cortex_redactions")

    @dg.asset(
        key=options.asset_key(enrichment.asset_name),
        deps=[options.asset_key(name) for name in sorted(reads)],
        description=f"{enrichment.description} Texts are sent to Cortex once, within the budget.",
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=DBT_POOL,
        # The enrichments share the budget of a run, in this order.
        op_tags={"dagster/priority": str(-number)},
        code_version=enrichment.request(functions_of(settings)),
        kinds={"snowflake", "cortex"},
        metadata={"dagster/table_name": ".".join([*settings.place.values(), ANSWERS])},
        **options.asset_attributes("cortex", owner=REVENUE_OPERATIONS),
    )
    def enriched(
        context: dg.AssetExecutionContext, config: CortexConfig, gong_snowflake: SnowflakeResource
    ) -> Iterator[Any]:
        yield from _Step(context, config, gong_snowflake, settings, enrichment).run()

    return enriched


@dataclass(frozen=True)
class _Step:
    """One attempt of the step."""

    context: dg.AssetExecutionContext
    config: CortexConfig
    snowflake: SnowflakeResource
    settings: Settings
    enrichment: Enrichment

    def run(self) -> Iterator[dg.MaterializeResult[Any]]:
        """Send the texts that wait, and yield the materialization.

        Raises:
            dagster.Failure: the warehouse failed, or Cortex does not answer at all.
            dagster.RetryRequested: a batch failed, and is sent again in smaller batches.
        """
        try:
            outcome = self._send()
        except BatchFailed as error:
            # Cortex may quote the text that it rejects, and Dagster stores the message and the cause.
            reason = first_lines(redact(str(error)))
            self.context.log.warning(
                f"Cortex did not answer a batch. Its texts are sent again in smaller batches.\n{reason}"
            )
            raise dg.RetryRequested(max_retries=BATCH_RETRIES) from dg.Failure(reason)
        except CortexUnavailable as error:
            raise dg.Failure(
                f"Cortex does not answer: {error}. No text lost an attempt.", allow_retries=False
            ) from error
        except WarehouseError as error:
            fail_step(error)
        for partition in self.context.partition_keys:
            texts = outcome.by_day.get(date.fromisoformat(partition), TextCounts())
            of_day = {
                "gong_assets/texts": texts.texts,
                "gong_assets/texts_over_budget": texts.over_budget,
                "gong_assets/texts_not_counted": texts.uncounted,
            }
            self.context.add_asset_metadata(of_day, partition_key=partition)
        yield dg.MaterializeResult(metadata={"run/batches": outcome.batches})

    def _send(self) -> Outcome:
        run_key = query_tag(self.context.run.run_id)
        settings, log = self.settings, self.context.log
        scope = Scope(functions_of(settings), days_of_run(self.context), settings.gong_redact_transcripts)
        warehouse = self.snowflake.warehouse(query_tag=run_key, layer=Layer.ENRICHER)
        budget = budget_of(self.config, settings)
        sender = Sender(warehouse, self.enrichment, scope, budget, run_key, log.info, log.warning)
        with self.snowflake.get_connection(Layer.ENRICHER) as connection:
            outcome = sender.run(connection)
            self._count_again(outcome)
            has_batches = bool(outcome.texts or outcome.over_budget or self.context.retry_number)
            add_costs(self.context, connection, self.enrichment, run_key, has_batches=has_batches)
        return outcome

    def _count_again(self, outcome: Outcome) -> None:
        if outcome.uncounted and self.context.retry_number < COUNT_RETRIES:
            raise dg.RetryRequested(COUNT_RETRIES, COUNT_RETRY_SECONDS)
