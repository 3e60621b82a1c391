"""Problems that can be read from the present state of the instance.

Failed checks of severity ERROR, assets whose freshness policy fails, schedules and sensors whose last tick
failed, and backfills that failed. Each has ended once it is no longer in the state.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import dagster as dg
from dagster._core.definitions.freshness import FreshnessState
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus
from dagster._core.scheduler.instigation import InstigatorState, InstigatorTick, TickStatus
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecord,
    AssetCheckExecutionRecordStatus,
)

from gong_assets.defs.alerts.causes import cause_of, error_text, fingerprint
from gong_assets.defs.alerts.ledger import WHOLE, Problem
from gong_assets.defs.alerts.runs import Texts
from gong_assets.defs.failures import error_chain
from gong_assets.error_advice import advice_for

# A failed backfill stays failed; one of last week is no news.
BACKFILL_AGE = timedelta(days=2)


def failed_checks(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, texts: Texts
) -> Iterator[Problem]:
    """Yield the checks whose latest evaluation failed with severity ERROR."""
    graph = repository.asset_graph
    latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(list(graph.asset_check_keys))
    for key, newest in latest.items():
        evaluation = _last_evaluation(instance, key, newest)
        if evaluation is None or evaluation.passed or evaluation.severity is not dg.AssetCheckSeverity.ERROR:
            continue
        yield Problem(
            key=f"check:{key.asset_key.to_user_string()}:{key.name}",
            kind="check",
            name=f"Check {key.name} of {key.asset_key.to_user_string()}",
            reason=texts.shown(_check_reason(graph.get_check_spec(key).description, evaluation)),
            advice="The metadata of the check in the Dagster UI has the IDs or their query, and what to do.",
            path=f"/assets/{'/'.join(key.asset_key.path)}?view=checks",
        )


def _last_evaluation(
    instance: dg.DagsterInstance, key: dg.AssetCheckKey, newest: AssetCheckExecutionRecord
) -> Any:
    """Return the last evaluation of the check.

    The run of a newer evaluation that is planned may end before it, so the last result counts until then.
    """
    if newest.status is not AssetCheckExecutionRecordStatus.PLANNED:
        return newest.evaluation
    evaluated = {AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED}
    records = instance.event_log_storage.get_asset_check_execution_history(key, limit=1, status=evaluated)
    return records[0].evaluation if records else None


def _check_reason(condition: str | None, evaluation: Any) -> str:
    """Return the condition, and the numbers of the evaluation. Its texts may be values of records."""
    numbers = ", ".join(
        f"{name.rpartition('/')[2]}: {value.value:,}"
        for name, value in evaluation.metadata.items()
        if isinstance(value, dg.IntMetadataValue) and value.value is not None
    )
    # dbt's tests have descriptions of several lines.
    expected = f"Expected: {' '.join(condition.split())}" if condition else ""
    return "\n".join(filter(None, [expected, numbers]))


def overdue_assets(instance: dg.DagsterInstance, repository: dg.RepositoryDefinition) -> Iterator[Problem]:
    """Yield the assets whose freshness policy fails."""
    keys = sorted(repository.asset_graph.materializable_asset_keys)
    for key, record in instance.get_freshness_state_records(keys).items():
        if record.freshness_state is not FreshnessState.FAIL:
            continue
        name = key.to_user_string()
        yield Problem(
            key=f"freshness:{name}",
            kind="freshness",
            name=name,
            failure="is overdue",
            reason="The asset was not materialized within the time that its freshness policy allows.",
            advice="Check that the daemon runs, that schedules and sensors are on, and that no run is stuck.",
            path=f"/assets/{'/'.join(key.path)}",
            group="freshness",
        )


def failed_ticks(
    instance: dg.DagsterInstance, location: str | None, since: datetime | None, texts: Texts
) -> Iterator[Problem]:
    """Yield a problem for each cause for which ticks of running schedules and sensors fail.

    The last tick failed, or one since the last evaluation.
    """
    causes: dict[str, list[tuple[InstigatorState, list[Any]]]] = {}
    for state in instance.all_instigator_state():
        code_location = state.origin.repository_origin.code_location_origin.location_name
        if not state.is_running or location not in (None, code_location):
            continue
        if tick := _failed_tick(instance, state, since):
            chain = list(error_chain(tick.error))
            text = error_text(chain)
            causes.setdefault(cause_of(chain, text, texts.shown(text)), []).append((state, chain))
    for cause, failed in causes.items():
        state, chain = failed[0]
        repository = state.origin.repository_origin
        code_location = repository.code_location_origin.location_name
        kind = state.instigator_type.name.lower()
        names = ", ".join(each.instigator_name for each, _ in failed)
        what = kind.capitalize() if len(failed) == 1 else "Schedules and sensors"
        yield Problem(
            key=f"tick:{fingerprint(cause)}",
            kind="tick",
            name=f"{what} {names}",
            reason=texts.shown(error_text(chain)),
            advice=advice_for(error.cls_name or "" for error in chain)
            or "No runs are requested until a tick succeeds. The ticks have the traceback.",
            path=f"/locations/{repository.repository_name}@{code_location}/{kind}s/{state.instigator_name}",
            subjects={f"tick:{each.instigator_name}": WHOLE for each, _ in failed},
        )


def _failed_tick(
    instance: dg.DagsterInstance, state: InstigatorState, since: datetime | None
) -> InstigatorTick | None:
    """Return the last tick that failed, if it is the last one that ended or has ended since then."""
    identity = (state.instigator_origin_id, state.selector_id)
    ended = [TickStatus.FAILURE, TickStatus.SUCCESS, TickStatus.SKIPPED]
    for failed in instance.get_ticks(*identity, limit=1, statuses=[TickStatus.FAILURE]):
        newest = instance.get_ticks(*identity, limit=1, statuses=ended)
        # A tick has the time of its start, and may take longer than the interval of the alerts.
        end = failed.end_timestamp or failed.timestamp
        if list(newest) == [failed] or (since and end >= since.timestamp()):
            return failed
    return None


def failed_backfills(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, now: datetime, texts: Texts
) -> Iterator[Problem]:
    """Yield the backfills that could not go on. A backfill whose runs failed is reported by these runs."""
    own = repository.asset_graph.materializable_asset_keys
    filters = BulkActionsFilter(statuses=[BulkActionStatus.FAILED])
    oldest = (now - BACKFILL_AGE).timestamp()
    for backfill in instance.get_backfills(filters=filters, limit=50):
        # A backfill may have been launched days before it fails.
        if (backfill.backfill_end_timestamp or backfill.backfill_timestamp) < oldest:
            continue
        is_own_job = backfill.job_name is not None and repository.has_job(backfill.job_name)
        if not is_own_job and own.isdisjoint(backfill.asset_selection or ()):
            continue
        chain = list(error_chain(backfill.error))
        yield Problem(
            key=f"backfill:{backfill.backfill_id}",
            kind="backfill",
            name=f"Backfill {backfill.backfill_id}",
            reason=texts.shown(error_text(chain)),
            advice="Launch the backfill again for the partitions that are missing.",
            path=f"/runs/b/{backfill.backfill_id}",
            is_event=True,
        )
