"""Dagster instances of tests."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from gong_assets.cli.dagster_home import event_log_options


def local_instance(directory: Path) -> dg.DagsterInstance:
    """Return an instance with its storage in the directory, as that of our own commands."""
    return dg.DagsterInstance.local_temp(str(directory), overrides=event_log_options(directory))
