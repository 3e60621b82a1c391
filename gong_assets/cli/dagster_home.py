"""Dagster's home directory for our own commands."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from gong_assets.settings import Settings

# The location name is the same as in a checkout's workspace.yaml: Dagster stores the state of schedules and
# sensors under it.
WORKSPACE = """\
load_from:
  - python_module:
      module_name: gong_assets.definitions
      location_name: gong_assets
"""


def ensure_dagster_home(settings: Settings) -> Path:
    """Return DAGSTER_HOME. If it is not set, create one with our `dagster.yaml`, and set the variable."""
    if settings.dagster_home is not None:
        return settings.dagster_home
    home = settings.home / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(Path(__file__).with_name("dagster.yaml"), home / "dagster.yaml")
    (home / "workspace.yaml").write_text(WORKSPACE)
    os.environ["DAGSTER_HOME"] = str(home)
    return home
