"""Leases of runs: the process that executes a run shows every 30 seconds that it is alive.

A process ID and a host name mean nothing in another container, so the lease shows whether a run is dead.
The lease is a value in the instance's own storage that changes with each renewal. An observer compares values
and no clocks: clocks may step or differ between machines, and a suspended machine renews nothing for hours.

The resources of the graph start it, or an op that uses none of them. The process of the run renews it until
the run or the process ends. Dagster has no deletion of such values: a run leaves one of about 200 bytes.

With an executor that starts a process for each step the lease is held during steps, and a run without a held
lease is left alone.
"""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path

import dagster as dg
import msgspec

RENEWAL_SECONDS = 30.0

logger = logging.getLogger(__name__)


class Lease(msgspec.Struct, frozen=True):
    """The stored value."""

    held: bool
    renewals: int
    renewed_at: str
    """For people only: ISO-8601, by the clock of the process."""
    machine: str
    """The boot and the process namespace, or an empty text if they are not known. Process ids mean the same
    where these are the same."""
    process: str
    """The process id and the clock ticks from the boot to its start."""

    def ended_here(self) -> bool | None:
        """Return whether the process has ended; None if it is not on this machine."""
        if not self.machine or self.machine != _machine():
            return None
        return _process(int(self.process.split("/")[0])) != self.process


_kept: dict[str, tuple[weakref.ref[dg.DagsterInstance], threading.Event]] = {}
_lock = threading.Lock()


class KeepsLease:
    """Base class of resources that keep the lease of the run that uses them."""

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        super().setup_for_execution(context)  # type: ignore[misc]  # of ConfigurableResource
        if context.instance is not None and context.run is not None:
            keep_lease(context.instance, context.run)


def keep_lease(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Renew the lease of the run in a thread, until the run or this process ends."""
    if instance.is_ephemeral:
        return  # No other process can see the run.
    with _lock:
        if run.run_id in _kept:
            return
        try:
            _store(instance, run.run_id, 0)
        except Exception:
            # The first renewal stores it, long before a run without a lease counts as dead.
            logger.warning("The lease of run %s could not be stored.", run.run_id, exc_info=True)
        reference, stop = _kept[run.run_id] = (weakref.ref(instance), threading.Event())
    threading.Thread(
        target=_renew, args=(reference, run.run_id, stop), name=f"lease-{run.run_id[:8]}", daemon=True
    ).start()


def release_leases() -> None:
    """Stop the threads, and store that this process executes none of its runs any more."""
    with _lock:
        for run_id in list(_kept):
            _release(run_id)


# Called at the normal end of every process, also of those that `multiprocessing` starts for a step.
Finalize(None, release_leases, exitpriority=100)


def leases(instance: dg.DagsterInstance, run_ids: Sequence[str]) -> dict[str, Lease]:
    """Return the leases of these runs; a run that never had one is missing."""
    keys = {_key(run_id): run_id for run_id in run_ids}
    values = instance.daemon_cursor_storage.get_cursor_values(set(keys)) if keys else {}
    return {keys[key]: msgspec.json.decode(value, type=Lease) for key, value in values.items()}


def _renew(reference: weakref.ref[dg.DagsterInstance], run_id: str, stop: threading.Event) -> None:
    renewals = 0
    while not stop.wait(RENEWAL_SECONDS):
        renewals += 1
        with _lock:
            instance = reference()
            if instance is None or stop.is_set():
                break
            try:
                run = instance.get_run_by_id(run_id)
                if run is None or run.is_finished:
                    break
                _store(instance, run_id, renewals)
            except Exception:
                # The next renewal may succeed. A run is not failed for one or two that did not.
                logger.warning("The lease of run %s could not be renewed.", run_id, exc_info=True)
            del instance
    with _lock:
        _release(run_id)


def _release(run_id: str) -> None:
    """Stop the thread, and store that the lease is not held; the caller has the lock."""
    if run_id not in _kept:
        return
    reference, stop = _kept.pop(run_id)
    stop.set()
    # The instance may be closed, or its directory gone.
    with suppress(Exception):
        if instance := reference():
            _store(instance, run_id, -1, held=False)


def _store(instance: dg.DagsterInstance, run_id: str, renewals: int, *, held: bool = True) -> None:
    lease = Lease(held, renewals, datetime.now(UTC).isoformat(), _machine(), _process(os.getpid()) or "")
    instance.daemon_cursor_storage.set_cursor_values({_key(run_id): msgspec.json.encode(lease).decode()})


def _key(run_id: str) -> str:
    return f"gong_assets/lease/{run_id}"


@cache
def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _process(pid: int) -> str | None:
    """Return the process with its start, or None if there is none with this id (or no /proc)."""
    try:
        # The second field is the program's name in parentheses; the state is field 3, start ticks are 22.
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else f"{pid}/{fields[19]}"
