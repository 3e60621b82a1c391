"""The graph over the tables of another product, run by Dagster on the local stack."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg

from gong_assets.dates import DateRange
from gong_assets.defs.build import build_defs
from gong_assets.settings import Settings
from gong_assets_tests.schemas import emptied


@dataclass
class Deployment:
    """The graph in a schema that is empty at first, with its own Dagster instance.

    Attributes:
        settings: the source, as in `{"gong_source": "airbyte", "gong_source_schema": "..."}`.
    """

    home: Path
    first: date
    settings: dict[str, Any] = field(default_factory=dict)
    schema: str = "DEPLOYMENT"

    def __post_init__(self) -> None:
        self.instance = dg.DagsterInstance.ephemeral()
        self.warehouse = emptied(self.home, self.schema)

    def loaded(self, **changed: Any) -> Settings:
        """Return the settings, with Gong's simulated tenant for the audit."""
        values = {
            "gong_assets_home": self.home,
            "gong_assets_target": "local",
            "gong_assets_source": "simulated",
            "gong_start_date": self.first,
            "gong_max_requests_per_second": 0,
            "gong_cortex_token_budget": 50_000_000,
            "snowflake_schema": self.schema,
            **self.settings,
            **changed,
        }
        return Settings(**{name: value for name, value in values.items() if value is not None})

    def run(
        self, job: str, days: DateRange, *, confirm: bool = False, **changed: Any
    ) -> dg.ExecuteInProcessResult:
        """Execute a job for these days, with other settings if given."""
        resolved = build_defs(self.loaded(**changed)).resolve_job_def(job)
        confirmed = {"config": {"confirm_deletions": True}}
        ops = {"gong_calls_raw": confirmed, "gong_call_transcripts_raw": confirmed}
        return resolved.execute_in_process(
            instance=self.instance,
            tags=days.as_run_tags(),
            run_config={"ops": ops} if confirm else {},
            raise_on_error=False,
        )

    def rows(self, sql: str) -> list[dict[str, Any]]:
        return self.warehouse.query(sql)

    def count(self, table: str) -> int:
        return int(self.rows(f"SELECT COUNT(*) AS N FROM {table}")[0]["N"])

    def cortex_calls(self) -> int:
        """Return the number of Cortex calls of this deployment so far."""
        (row,) = self.rows("SELECT COALESCE(SUM(CALLS), 0) AS N FROM GONG_CORTEX_BATCHES")
        return int(row["N"])


def metadata(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    """Return the metadata of the run's first materialization of the asset."""
    found = [
        event.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(asset)
    ]
    assert found, f"{asset} was not materialized"
    return {name: value.value for name, value in found[0].metadata.items()}
