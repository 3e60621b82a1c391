"""The raw assets alone, run by Dagster against a Gong of the test's own and the local warehouse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from gong_assets.dates import DateRange
from gong_assets.defs.assets.raw import CALLS_AND_TRANSCRIPTS_OP, build_raw_assets
from gong_assets.defs.assets.reconciliation import build_reconciliation
from gong_assets.defs.io_manager import SnowflakeIOManager
from gong_assets.defs.partitions import daily_partitions
from gong_assets.defs.resources import GongResource, SnowflakeResource
from gong_assets.gong import Clock, GongClient
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.end_to_end.gong_records import Record, StoredCall, stored
from gong_assets_tests.end_to_end.gong_server import Gong

FIRST = date(2025, 1, 1)


class Calendar(Clock):
    """The machine's clock, so many days later."""

    later = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.later


class GongOnAnotherDay(GongResource):
    """Asks with the time of `calendar`, so that a daily quota comes back when the test says so."""

    def client(self) -> GongClient:
        return GongClient(self._config(), clock=calendar)


calendar = Calendar()

SHARED_OPS = dict.fromkeys(("gong_calls_raw", "gong_call_transcripts_raw"), CALLS_AND_TRANSCRIPTS_OP)


@dataclass
class Ingestion:
    """Runs of the raw assets, which share one Dagster instance."""

    gong: Gong
    warehouse: Warehouse
    home: Path
    instance: dg.DagsterInstance
    settings: dict[str, Any] = field(default_factory=dict)

    def run(
        self,
        days: DateRange,
        *assets: str,
        tags: dict[str, str] | None = None,
        confirm: bool = False,
    ) -> dg.ExecuteInProcessResult:
        """Run these assets, by default calls and transcripts; a run that fails is returned, not raised."""
        settings = self._settings()
        partitions = daily_partitions(FIRST)
        definitions = [*build_raw_assets(settings, partitions), build_reconciliation(settings, partitions)]
        selected = assets or ("gong_calls_raw", "gong_call_transcripts_raw")
        config = {"config": {"confirm_deletions": confirm}}
        return dg.materialize(
            definitions,
            instance=self.instance,
            selection=dg.AssetSelection.assets(*selected),
            resources=self.resources(settings),
            tags={**days.as_run_tags(), **(tags or {})},
            run_config={"ops": {SHARED_OPS.get(asset, asset): config for asset in selected}},
            raise_on_error=False,
        )

    def _settings(self) -> Settings:
        environment = {name.lower(): value for name, value in self.gong.environment.items()}
        values: dict[str, Any] = {"gong_max_requests_per_day": 0, **environment, **self.settings}
        return Settings(gong_assets_home=self.home, gong_start_date=FIRST, **values)

    def resources(self, settings: Settings | None = None) -> dict[str, Any]:
        snowflake = SnowflakeResource(arguments=self.warehouse.arguments)
        return {
            "gong": GongOnAnotherDay(**GongResource.from_settings(settings or self._settings()).model_dump()),
            "gong_snowflake": snowflake,
            "gong_snowflake_io_manager": SnowflakeIOManager(snowflake=snowflake),
        }

    def stored(self, table: str = "GONG_CALLS_RAW") -> list[str]:
        key = "CALL_ID"
        return [row[key] for row in self.warehouse.query(f"SELECT {key} FROM {table} ORDER BY {key}")]

    def materialized(self, asset: str) -> set[date]:
        keys = self.instance.get_materialized_partitions(dg.AssetKey(asset))
        return {date.fromisoformat(key) for key in keys}


def call(number: int, started: datetime, **meta: Any) -> StoredCall:
    text = started.isoformat()
    return stored({"metaData": {"id": f"77{number:016}", "started": text, "title": f"Call {number}", **meta}})


def calls(days: Sequence[date], per_day: int) -> list[StoredCall]:
    """So many calls on each day, an hour or less apart."""
    return [
        call(
            index * per_day + number,
            datetime(day.year, day.month, day.day, 1, tzinfo=UTC)
            + timedelta(minutes=number * 1200 / per_day),
        )
        for index, day in enumerate(days)
        for number in range(per_day)
    ]


def transcript(call_id: str) -> Record:
    sentences = [{"start": 0, "end": 900, "text": f"This is call {call_id}."}]
    return {"callId": call_id, "transcript": [{"speakerId": "1", "topic": None, "sentences": sentences}]}


def ids(stored_calls: Sequence[StoredCall]) -> list[str]:
    return sorted(str(each.id) for each in stored_calls)


def why(result: dg.ExecuteInProcessResult) -> str:
    """What the first failed step of a run says."""
    for event in result.all_events:
        if event.is_step_failure:
            failure = event.step_failure_data
            if failure.user_failure_data is not None:
                return str(failure.user_failure_data.description)
            return str(failure.error)
    return ""


def metadata_by_day(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, dict[str, Any]]:
    """Of the asset's materializations in the run, by partition."""
    return {
        str(each.materialization.partition): {
            name: value.value for name, value in each.materialization.metadata.items()
        }
        for each in result.all_events
        if each.is_step_materialization and each.asset_key == dg.AssetKey(asset)
    }


def metadata(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    """Of the asset's last materialization in the run."""
    events = [
        event
        for event in result.all_events
        if event.is_step_materialization and event.asset_key == dg.AssetKey(asset)
    ]
    return {name: value.value for name, value in events[-1].materialization.metadata.items()}
