"""Leases of runs: the process that executes a run shows every 30 seconds that it is alive.

A process id and a host name mean nothing in another container, so whether a run is dead is told by its lease.
The lease is a value in the instance's own storage that changes with each renewal. An observer compares values
and no clocks: clocks may step or differ between machines, and a suspended machine renews nothing for hours.

The resources of the graph keep the lease while they are in use. With the in-process executor, which all jobs
of the graph use, that is the whole run. With an executor that starts a process for each step the lease is
held during steps, and a run without a held lease is left alone.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
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


@dataclass
class _Keeper:
    """The thread that renews the lease of a run, and how many resources need it."""

    users: int
    stop: threading.Event


_keepers: dict[str, _Keeper] = {}
_lock = threading.Lock()


class KeepsLease:
    """Base class of resources that keep the lease of the run that uses them."""

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        super().setup_for_execution(context)  # type: ignore[misc]  # of ConfigurableResource
        if context.instance is not None and context.run is not None:
            keep(context.instance, context.run.run_id)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        super().teardown_after_execution(context)  # type: ignore[misc]
        if context.instance is not None and context.run is not None:
            release(context.instance, context.run.run_id)


@contextmanager
def lease_kept(context: dg.InitResourceContext) -> Iterator[None]:
    """Keep the lease of the run until the block ends; do nothing outside of a run."""
    if context.instance is None or context.run is None:
        yield
        return
    keep(context.instance, context.run.run_id)
    try:
        yield
    finally:
        release(context.instance, context.run.run_id)


def keep(instance: dg.DagsterInstance, run_id: str) -> None:
    """Renew the run's lease in a thread until `release` was called as often as this function."""
    with _lock:
        if keeper := _keepers.get(run_id):
            keeper.users += 1
            return
        keeper = _keepers[run_id] = _Keeper(1, threading.Event())
        _store(instance, run_id, 0)
    threading.Thread(
        target=_renew, args=(instance, run_id, keeper.stop), name=f"lease-{run_id[:8]}", daemon=True
    ).start()


def release(instance: dg.DagsterInstance, run_id: str) -> None:
    """Undo one call of `keep`."""
    with _lock:
        keeper = _keepers.get(run_id)
        if keeper is None:
            return
        keeper.users -= 1
        if keeper.users:
            return
        del _keepers[run_id]
        keeper.stop.set()
        _store(instance, run_id, -1, held=False)


def leases(instance: dg.DagsterInstance, run_ids: Sequence[str]) -> dict[str, Lease]:
    """Return the leases of these runs; a run that never had one is missing."""
    keys = {_key(run_id): run_id for run_id in run_ids}
    values = instance.daemon_cursor_storage.get_cursor_values(set(keys)) if keys else {}
    return {keys[key]: msgspec.json.decode(value, type=Lease) for key, value in values.items()}


def _renew(instance: dg.DagsterInstance, run_id: str, stop: threading.Event) -> None:
    renewals = 0
    while not stop.wait(RENEWAL_SECONDS):
        renewals += 1
        with _lock:
            if stop.is_set():
                return
            try:
                _store(instance, run_id, renewals)
            except Exception:
                # The next renewal may succeed. A run is not failed for one or two that did not.
                logger.warning("The lease of run %s could not be renewed.", run_id, exc_info=True)


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
