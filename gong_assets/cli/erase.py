"""Erasure of persons and calls: stores the tombstones, and applies them in a Dagster run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gong_assets.cli.dagster_home import ensure_dagster_home
from gong_assets.cli.graph_run import RunListener, execute
from gong_assets.cli.interruption import leaving
from gong_assets.defs.own_tables import model_tables
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.security.private_files import create_private_directory
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import open_warehouse
from gong_assets.warehouse.erase import add_tombstones, erase
from gong_assets.warehouse.erasures import Action, Erasure

if TYPE_CHECKING:
    import dagster as dg


def run_erase(
    settings: Settings,
    identifiers: Sequence[tuple[str, str]],
    action: Action,
    listener: RunListener,
    *,
    dry_run: bool,
) -> dict[str, Any]:
    """Erase the records of these pairs of kind and identifier, and return the receipt.

    The receipt is also written to the home. With `dry_run` nothing is changed or written.

    Raises:
        Interrupted: a signal arrived. The message says whether the tombstones are stored.
        RunFailed: the run failed. The tombstones are stored, and the job `gong_erasure` applies them.
        WarehouseError: the warehouse cannot be reached.
    """
    erasure = Erasure.of(identifiers, action)
    receipt: dict[str, Any] = {
        "erasure_id": erasure.id,
        "action": action,
        "identifiers": {kind: sum(of == kind for of, _ in identifiers) for kind, _ in identifiers},
        "dry_run": dry_run,
    }
    if dry_run:
        with open_warehouse(settings).connect() as connection:
            found = erase(connection, RAW_TABLES, model_tables(), "dry run", dry_run=erasure)
        return {**receipt, **found.as_json()}
    with leaving("nothing was erased"):
        job = _load_job(settings, listener)
    with leaving("the erasure may be stored"), open_warehouse(settings).connect() as connection:
        add_tombstones(connection, erasure)
    with leaving(f"the erasure {erasure.id} is stored, and the job {job.name} applies it"):
        receipt |= {**_run(job, listener), "erased_at": datetime.now(UTC).isoformat(timespec="seconds")}
        directory = settings.home / "erasures"
        create_private_directory(directory)
        (directory / f"{erasure.id}.json").write_text(json.dumps(receipt, indent=2) + "\n", "utf-8")
    return receipt


def _load_job(settings: Settings, listener: RunListener) -> dg.JobDefinition:
    ensure_dagster_home(settings)
    listener.message("loading the graph")
    from gong_assets.defs.assets.erasures import JOB
    from gong_assets.defs.build import build_defs

    return build_defs(settings).resolve_job_def(JOB)


def _run(job: dg.JobDefinition, listener: RunListener) -> dict[str, Any]:
    """Apply all erasures, and return the receipt of the run."""
    import dagster as dg

    from gong_assets.defs.assets.erasures import ASSET, RECEIPT
    from gong_assets.defs.orphaned_runs import LeaseObserver

    with dg.DagsterInstance.get() as instance:
        LeaseObserver().fail_dead_runs(instance)
        execute(job, instance, None, {ASSET: "health"}, listener, tags={})
        event = instance.get_latest_materialization_event(dg.AssetKey(ASSET))
    materialization = event.asset_materialization if event else None
    value: Any = materialization.metadata[RECEIPT].value if materialization else {}
    return {"run_id": event.run_id if event else None, **value}
