"""Waiting for a pool slot: without using CPU, interruptible, and with the reason.

Dagster's executor for steps in one process waits in a loop. In Dagster 1.13 the loop never sleeps, because
`InstanceConcurrencyContext.interval_to_next_pending_claim_check` returns 0 or less, and it does not notice
signals. `install` replaces this one method.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext
from dagster._utils.interrupts import pop_captured_interrupt

# How long a signal may take to end a waiting run.
LONGEST_SLEEP_SECONDS = 1.0


@dataclass(frozen=True)
class PoolWait:
    """A run that waits for a pool slot, and the runs that have the slots."""

    pool: str
    holders: tuple[str, ...]

    def __str__(self) -> str:
        return f"waiting for {' and '.join(self.holders) or 'another run'} to leave pool {self.pool}"


class WaitHooks(Protocol):
    """What a command does while its run waits, and when the wait is interrupted."""

    def waiting(self) -> None: ...
    def interrupted(self) -> None: ...


_hooks: list[WaitHooks] = []


@contextmanager
def wait_hooks(hooks: WaitHooks) -> Iterator[None]:
    """Call `hooks` about once a second while a run of this process waits for a pool slot."""
    _hooks.append(hooks)
    try:
        yield
    finally:
        _hooks.remove(hooks)


_original = InstanceConcurrencyContext.interval_to_next_pending_claim_check


def install() -> None:
    """Replace Dagster's method in this process."""
    InstanceConcurrencyContext.interval_to_next_pending_claim_check = _interval  # type: ignore[assignment, method-assign]


def _interval(context: InstanceConcurrencyContext) -> float:
    """Return how long to sleep until the next attempt; raises if a signal has arrived."""
    if not context._pending_claims:
        return 0.0
    if pop_captured_interrupt():
        for hooks in _hooks:
            hooks.interrupted()
        raise DagsterExecutionInterruptedError
    for hooks in _hooks:
        hooks.waiting()
    next_claim = min(context._pending_timeouts.values(), default=0.0)
    return min(max(next_claim - time.time(), 0.0), LONGEST_SLEEP_SECONDS)


def pool_waits(instance: dg.DagsterInstance, run_id: str) -> list[PoolWait]:
    """Return the pools for which a run waits."""
    storage = instance.event_log_storage
    waits = []
    for pool in sorted(storage.get_concurrency_keys()):
        info = storage.get_concurrency_info(pool)
        if run_id in info.pending_run_ids:
            waits.append(PoolWait(pool, tuple(_holder(instance, other) for other in info.active_run_ids)))
    return waits


def _holder(instance: dg.DagsterInstance, run_id: str) -> str:
    record = instance.get_run_record_by_id(run_id)
    if record is None:
        return f"run {run_id}"
    since = datetime.fromtimestamp(record.start_time or record.create_timestamp.timestamp(), UTC)
    return f"run {run_id} ({record.dagster_run.job_name}, since {since:%Y-%m-%d %H:%M} UTC)"
