"""Parts of the graph that are built in one place and put together in `build.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg


@dataclass(frozen=True)
class Part:
    """Assets with their jobs, and the schedules and sensors that start these."""

    assets: Sequence[dg.AssetsDefinition | dg.AssetSpec] = ()
    jobs: Sequence[Any] = ()
    schedules: Sequence[dg.ScheduleDefinition] = ()
    sensors: Sequence[dg.SensorDefinition] = ()
