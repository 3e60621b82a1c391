"""Results that several checks share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg

from gong_assets.defs.failures import fail_step
from gong_assets.defs.resources import SnowflakeResource
from gong_assets.ingestion.landing_metadata import RUN_ROWS
from gong_assets.provisioning.objects import Layer
from gong_assets.security.texts import markdown_code, one_line
from gong_assets.warehouse.errors import WarehouseError, is_unknown_object
from gong_assets.warehouse.standing_queries import MAX_IDS

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

# The asset of the checks that look at all days.
HEALTH_ASSET = "gong_pipeline_health"


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        count: number of violations; the check passes without any.
        ids: the first violations, as IDs and days, never texts of records.
        query: the SQL statement with which to look further, or an empty text.
        severity: severity of a failure.
        more: further metadata.
    """

    count: int
    ids: Sequence[str] = ()
    query: str = ""
    advice: str = ""
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR
    more: Mapping[str, Any] | None = None

    def result(self, key: dg.AssetCheckKey) -> dg.AssetCheckResult:
        metadata: dict[str, Any] = {"count": self.count, **(self.more or {})}
        if self.ids:
            metadata["ids"] = dg.MetadataValue.json(list(self.ids[:MAX_IDS]))
        if self.query:
            metadata["query"] = dg.MetadataValue.md(markdown_code(self.query, "sql"))
        if self.count and self.advice:
            metadata["what_to_do"] = self.advice
        return dg.AssetCheckResult(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=self.count == 0,
            severity=self.severity,
            metadata=metadata,
        )


@contextmanager
def connection_of_check(
    snowflake: SnowflakeResource, layer: Layer = Layer.LOADER
) -> Iterator[SnowflakeConnection]:
    """Yield a connection for the statements of a check.

    Raises:
        dagster.Failure: the warehouse cannot be reached, or refused a statement.
    """
    try:
        with snowflake.get_connection(layer) as connection:
            yield connection
    except WarehouseError as error:
        fail_step(error)


def unless_missing(key: dg.AssetCheckKey, evaluate: Callable[[], dg.AssetCheckResult]) -> dg.AssetCheckResult:
    """Return the result of `evaluate`, or a failed check if a table that it reads does not exist."""
    try:
        return evaluate()
    except Exception as error:
        if not is_unknown_object(error):
            raise
        return dg.AssetCheckResult(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=False,
            severity=dg.AssetCheckSeverity.WARN,
            description="A table does not exist yet, or the role may not see it. Materialize the raw "
            "assets first.",
            metadata={"error": one_line(str(error))},
        )


def table_changed(context: dg.AssetCheckExecutionContext, asset_key: dg.AssetKey) -> bool:
    """Return False if this run has landed the raw table without changing a row."""
    event = context.instance.get_latest_materialization_event(asset_key)
    if event is None or event.run_id != context.run.run_id or event.asset_materialization is None:
        return True
    metadata = event.asset_materialization.metadata
    counts = [metadata.get(name) for name in RUN_ROWS]
    return any(count is None or count.value for count in counts)


def passed_before(
    context: dg.AssetCheckExecutionContext, names: Collection[str]
) -> dict[dg.AssetCheckKey, dg.AssetCheckResult]:
    """Return the results of the selected checks with these names whose last evaluation passed."""
    storage = context.instance.event_log_storage
    results = {}
    for key in context.selected_asset_check_keys:
        if key.name not in names:
            continue
        # The newest record is the planned evaluation of this run.
        records = storage.get_asset_check_execution_history(key, limit=3)
        evaluations = (record.evaluation for record in records)
        last = next((each for each in evaluations if isinstance(each, dg.AssetCheckEvaluation)), None)
        if last is not None and last.passed:
            results[key] = dg.AssetCheckResult(
                asset_key=key.asset_key,
                check_name=key.name,
                passed=True,
                severity=last.severity,
                description=last.description,
                metadata=last.metadata,
            )
    return results
