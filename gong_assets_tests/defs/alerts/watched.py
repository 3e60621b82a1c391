"""A code location that the alert sensor evaluates."""

from __future__ import annotations

import dagster as dg

from gong_assets.defs.alerts.sensor import build_alert_sensor
from gong_assets.settings import Settings


class WatchedLocation:
    """Base class of code locations with an instance and an alert sensor; `defs` is set by the subclass."""

    defs: dg.Definitions

    def __init__(self, instance: dg.DagsterInstance, settings: Settings) -> None:
        self.instance, self.sensor = instance, build_alert_sensor(settings)
        self.cursor: str | None = None

    def tick(self) -> str:
        context = dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, repository_def=self.defs.get_repository_def()
        )
        data = self.sensor.evaluate_tick(context)
        self.cursor = data.cursor
        return str(data.skip_message)
