"""A pool slot that another machine holds, so that runs wait for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import msgspec

from gong_assets.defs.assets.ingestion import GONG_POOL
from gong_assets.defs.leases import Lease


@contextmanager
def held_pool(
    instance: dg.DagsterInstance, pool: str = GONG_POOL, *, has_lease: bool = True
) -> Iterator[dg.DagsterRun]:
    """Let a run on another machine have the only slot of the pool for the block, and yield the run.

    The lease of the run is not renewed: after about 90 seconds, a code location takes the run for dead.
    Without a lease, it does so as soon as the run has ended or is deleted.
    """

    @dg.job(name="gong_ingestion")
    def elsewhere() -> None: ...

    run = instance.create_run_for_job(elsewhere, status=dg.DagsterRunStatus.STARTED)
    if has_lease:
        lease = Lease(held=True, renewals=1, renewed_at="then", machine="another", process="1/1")
        value = msgspec.json.encode(lease).decode()
        instance.daemon_cursor_storage.set_cursor_values({f"gong_assets/lease/{run.run_id}": value})
    storage = instance.event_log_storage
    storage.initialize_concurrency_limit_to_default(pool)
    assert storage.claim_concurrency_slot(pool, run.run_id, "elsewhere").is_claimed
    try:
        yield run
    finally:
        if instance.has_run(run.run_id):
            instance.report_run_canceled(run)
        storage.free_concurrency_slots_for_run(run.run_id)
