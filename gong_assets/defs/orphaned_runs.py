"""Runs of commands whose process was killed."""

from __future__ import annotations

import os
import socket

import dagster as dg
import psutil

_PROCESS_TAG = "gong_assets/process"


def process_tags() -> dict[str, str]:
    """Return run tags that identify this process on this machine."""
    started = psutil.Process().create_time()
    return {_PROCESS_TAG: f"{socket.gethostname()} {os.getpid()} {started:.2f}"}


def fail_orphaned_runs(instance: dg.DagsterInstance) -> None:
    """Mark the runs of killed commands as failed, and free their pool slots, which they would keep for ever.

    The Dagster daemon does this for the runs that it launches. A command may run without a daemon.
    """
    for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
        if (process := run.tags.get(_PROCESS_TAG)) and not _is_alive(process):
            instance.report_run_failed(run, "The command that executed this run was killed.")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def _is_alive(process: str) -> bool:
    host, pid, started = process.rsplit(" ", 2)
    if host != socket.gethostname():
        return True  # Only the other machine can tell.
    try:
        return bool(abs(psutil.Process(int(pid)).create_time() - float(started)) < 1)
    except psutil.NoSuchProcess:
        return False
