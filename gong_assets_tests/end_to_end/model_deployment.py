"""The deployment of the model test: runs by name, expiry, erasures, and a reset between histories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from gong_assets.defs.assets.erasures import JOB as ERASURE_JOB
from gong_assets.defs.assets.retention import JOB_NAME as EXPIRY_JOB
from gong_assets.defs.build import build_defs
from gong_assets.defs.runs import IN_FLIGHT
from gong_assets.gong.http import rate_limiter
from gong_assets.warehouse.erase import add_tombstones
from gong_assets.warehouse.erasures import Action, Erasure
from gong_assets_tests.end_to_end.deployment import Deployment, at
from gong_assets_tests.end_to_end.model_company import TODAY
from gong_assets_tests.end_to_end.model_oracle import table_names

Runs = list[dg.ExecuteInProcessResult]


@dataclass
class ModelDeployment(Deployment):
    """A deployment whose runs are requested by their names.

    Attributes:
        minutes: how often runs were requested today, a minute apart.
        graphs: the graph by the days of retention with which it was loaded.
    """

    only: frozenset[str] = frozenset({"gong_calls_raw", "gong_call_transcripts_raw"})
    minutes: int = 0
    graphs: dict[int | None, dg.Definitions] = field(default_factory=dict)

    def run(self, name: str) -> Runs:
        """Evaluate what requests runs of this kind, and execute them."""
        self.minutes += 1
        now = at(TODAY, 0) + timedelta(minutes=self.minutes)
        match name:
            case "ingestion":
                return self.schedule("gong_ingestion_schedule", now)
            case "reconciliation":
                return self.schedule("gong_reconciliation_schedule", now)
            case "transformation":
                return self.sensor("gong_transformation_sensor")
        raise ValueError(name)

    def fail_dead_runs(self) -> None:
        """Mark runs that were killed as failed, as the sensor for orphaned runs does."""
        for run in self.instance.get_runs(dg.RunsFilter(statuses=IN_FLIGHT)):
            self.instance.report_run_failed(run)

    def expire(self, first_day: date) -> dg.ExecuteInProcessResult:
        """Load the graph with a retention that keeps the days since `first_day`, and delete all others."""
        self._load((datetime.now(UTC).date() - first_day).days + 1)
        return self.execute(EXPIRY_JOB, dg.RunRequest())

    def erase(self, identifiers: Sequence[tuple[str, str]], action: Action) -> dg.ExecuteInProcessResult:
        with self.warehouse.connect() as connection:
            add_tombstones(connection, Erasure.of(identifiers, action))
        return self.execute(ERASURE_JOB, dg.RunRequest())

    def end_faults(self) -> None:
        """Let Gong answer again. A quota that was exhausted is back."""
        self.gong.faults.clear()
        rate_limiter._limiters.clear()  # They remember until when Gong refuses.

    def reset(self) -> None:
        """Empty all tables. The models stay, because building all of them takes most of a minute."""
        self.end_faults()
        self.fail_dead_runs()
        self._load(None)
        self.forget_cursors()
        for table in table_names(self.warehouse, kind="BASE TABLE"):
            statement = "DROP TABLE" if table.startswith("GONG_CORTEX_QUEUE_") else "TRUNCATE TABLE"
            self.warehouse.query(f"{statement} {table}")

    def _load(self, retention_days: int | None) -> None:
        self.graphs.setdefault(None, self.definitions)
        if retention_days not in self.graphs:
            changed = self.settings.model_copy(update={"gong_retention_days": retention_days})
            self.graphs[retention_days] = build_defs(changed)
        self.definitions = self.graphs[retention_days]
