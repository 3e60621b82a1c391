"""Dagster's home directory for our own commands."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from gong_assets.security.private_files import create_private_directory, replace_private_file
from gong_assets.settings import Settings, SettingsError

# The location name is the same as in a checkout's workspace.yaml: Dagster stores the state of schedules and
# sensors under it.
WORKSPACE = """\
load_from:
  - python_module:
      module_name: gong_assets.definitions
      location_name: gong_assets
"""


def ensure_dagster_home(settings: Settings) -> Path:
    """Return DAGSTER_HOME. If it is not set, create one with our `dagster.yaml`, and set the variable.

    Raises:
        SettingsError: DAGSTER_HOME is not the absolute path of a directory, which Dagster needs.
    """
    if settings.dagster_home is not None:
        return _checked(settings.dagster_home)
    home = settings.home / "dagster"
    create_private_directory(home)
    options = Path(__file__).with_name("dagster.yaml").read_text()
    _write(home / "dagster.yaml", f"{options}\n{yaml.safe_dump(event_log_options(home))}")
    _write(home / "workspace.yaml", WORKSPACE)
    os.environ["DAGSTER_HOME"] = str(home)
    return home


def _write(path: Path, content: str) -> None:
    """Write the file atomically if its content changed: other processes may be reading it."""
    if not path.exists() or path.read_text("utf-8") != content:
        replace_private_file(path, content)


def _checked(home: Path) -> Path:
    path = home.expanduser()
    if not path.is_absolute():
        raise SettingsError(f"DAGSTER_HOME: {home} is a relative path; use {path.absolute()}")
    if not path.is_dir():
        raise SettingsError(
            f"DAGSTER_HOME: {home} is not a directory; create it, or unset the variable to use one in "
            "GONG_ASSETS_HOME"
        )
    return path


def event_log_options(home: Path) -> dict[str, Any]:
    """Return the options of `dagster.yaml` for our event log, with its files in Dagster's usual place."""
    return {
        "event_log_storage": {
            "module": "gong_assets.cli.event_log_storage",
            "class": "PooledSqliteEventLogStorage",
            "config": {"base_dir": str(home / "history" / "runs")},
        }
    }
