"""A deployment in this process: the real graph, whose schedules and sensors are evaluated as the daemon does.

Ticks come when the test says so, and requested runs are executed at once, so that nothing is waited for and
every run is seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Self

import dagster as dg

from gong_assets.defs.build import build_defs
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.end_to_end.gong_server import Gong

# Layers below the raw calls, by table and whether each call has rows in it.
CALL_TABLES = (
    "STG_GONG_CALLS",
    "CORTEX_GONG_CALLS",
    "VW_ENRICHED_GONG_CALLS",
)
TRANSCRIPT_TABLES = (
    "STG_GONG_CALL_TRANSCRIPTS",
    "CORTEX_GONG_CALL_TRANSCRIPTS",
    "VW_ENRICHED_GONG_CALL_TRANSCRIPTS",
)


@dataclass
class Deployment:
    """The graph with an instance of its own, a Gong and a schema of the local warehouse.

    Attributes:
        only: the raw assets that the ingestion reads, if not all of them.
    """

    gong: Gong
    warehouse: Warehouse
    instance: dg.DagsterInstance
    settings: Settings
    definitions: dg.Definitions
    runs: list[dg.ExecuteInProcessResult] = field(default_factory=list)
    only: frozenset[str] = frozenset()
    _cursors: dict[str, str | None] = field(default_factory=dict)

    @classmethod
    def of(
        cls, gong: Gong, warehouse: Warehouse, home: Path, instance: dg.DagsterInstance, **changed: Any
    ) -> Self:
        """Return a deployment that reads this Gong, with other settings if given."""
        values = {name.lower(): value for name, value in gong.environment.items()}
        arguments = warehouse.arguments
        settings = Settings(
            gong_assets_home=home,
            gong_start_date=date(2025, 1, 1),
            gong_assets_target="snowflake",
            snowflake_account=arguments["account"],
            snowflake_user=arguments["user"],
            snowflake_password=arguments["password"],
            snowflake_host=arguments["host"],
            snowflake_port=arguments["port"],
            snowflake_protocol=arguments["protocol"],
            snowflake_database=arguments["database"],
            snowflake_schema=arguments["schema"],
            gong_max_requests_per_day=0,
            **{**values, **changed},
        )
        return cls(gong, warehouse, instance, settings, build_defs(settings))

    def schedule(self, name: str, at: datetime) -> list[dg.ExecuteInProcessResult]:
        """Evaluate a schedule for this moment, and execute the runs that it requests."""
        schedule = self.definitions.resolve_schedule_def(name)
        with dg.build_schedule_context(
            instance=self.instance,
            scheduled_execution_time=at,
            repository_def=self.definitions.get_repository_def(),
            resources=dict(self.definitions.resources or {}),
        ) as context:
            requests = schedule.evaluate_tick(context).run_requests or []
        return [self.execute(schedule.job_name, request) for request in requests]

    def sensor(self, name: str) -> list[dg.ExecuteInProcessResult]:
        """Evaluate a sensor once, and execute the runs that it requests."""
        sensor = self.definitions.resolve_sensor_def(name)
        with dg.build_sensor_context(
            instance=self.instance,
            cursor=self._cursors.get(name),
            repository_def=self.definitions.get_repository_def(),
            sensor_name=name,
            resources=dict(self.definitions.resources or {}),
        ) as context:
            tick = sensor.evaluate_tick(context)
        self._cursors[name] = tick.cursor
        return [self.execute(sensor.job_name, request) for request in tick.run_requests or []]

    def settle(self) -> list[dg.ExecuteInProcessResult]:
        """Evaluate the transformation sensor until it requests nothing, and return the runs."""
        runs: list[dg.ExecuteInProcessResult] = []
        while new := self.sensor("gong_transformation_sensor"):
            runs += new
            assert len(runs) < 5, "the sensor does not come to rest"
        return runs

    def execute(self, job_name: str, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
        """Execute the run that was requested, as the daemon would."""
        job = self.definitions.resolve_job_def(job_name)
        selection = list(request.asset_selection or ())
        if job_name == "gong_ingestion" and self.only:
            selection = [dg.AssetKey(name) for name in sorted(self.only)]
        result = job.execute_in_process(
            instance=self.instance,
            asset_selection=selection or None,
            tags=dict(request.tags),
            run_config=request.run_config or None,
            raise_on_error=False,
        )
        self.runs.append(result)
        return result

    def forget_cursors(self) -> None:
        """Forget what the sensors have seen, as a reset in the Dagster UI does."""
        self._cursors.clear()

    def differences(self) -> list[str]:
        """Compare every layer with Gong: one line for each table that holds other calls."""
        calls = {str(call.id) for call in self.gong.calls if not call.document["metaData"].get("isPrivate")}
        spoken = {str(record["callId"]) for record in self.gong.transcripts} & calls
        return compared_layers(self.warehouse, calls, spoken)


def compared_layers(warehouse: Warehouse, calls: set[str], spoken: set[str]) -> list[str]:
    """Return a line for each table that holds other calls than these; `spoken` have a transcript."""
    found = []
    for expected, tables in (
        (calls, ("GONG_CALLS_RAW", *CALL_TABLES)),
        (spoken, ("GONG_CALL_TRANSCRIPTS_RAW", *TRANSCRIPT_TABLES)),
    ):
        for table in tables:
            rows = warehouse.query(f"SELECT DISTINCT CALL_ID FROM {table}")
            held = {str(row["CALL_ID"]) for row in rows}
            if held != expected:
                found.append(f"{table}: lacks {expected - held}, and has {held - expected} too many")
    return found


def at(day: date, hour: int = 12) -> datetime:
    return datetime.combine(day, time(hour), UTC)


def transformed_days(run: dg.ExecuteInProcessResult) -> str:
    """Return the days that a run names, as `2026-11-01..2026-11-02,2026-11-07`."""
    return run.dagster_run.tags.get("gong_assets/days", "")
