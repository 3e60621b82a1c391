"""Ticks of the transformation sensor after runs that failed, or that built less than was pending.

The pending changes are a list of the test's, and the runs are of Dagster's, with an asset for each layer.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

from gong_assets.dates import DateRange
from gong_assets.defs import transformation_sensor
from gong_assets.defs.resources import SNOWFLAKE, SnowflakeResource
from gong_assets.defs.transformation import INCOMPLETE_TAG, Model, Models
from gong_assets.defs.transformation_sensor import build_transformation_sensor
from gong_assets.settings import Settings
from gong_assets.warehouse.pending_changes import PendingChange
from gong_assets.warehouse.tables import CALLS
from gong_assets_tests.instances import local_instance

TODAY = datetime.now(UTC).date()
PARTITIONS = dg.DailyPartitionsDefinition("2026-01-01", end_offset=1)
SINGLE_RUN = dg.BackfillPolicy.single_run()


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


class CodeLocation:
    """A raw table, the model that reads it, and the sensor."""

    def __init__(self, instance: dg.DagsterInstance, settings: Settings) -> None:
        self.instance = instance
        self.cursor: str | None = None
        self.pending: list[PendingChange] = []
        self.run_keys: list[str | None] = []
        self.changed_rows, self.is_broken, self.is_incomplete = 0, False, False

        @dg.asset(partitions_def=PARTITIONS, backfill_policy=SINGLE_RUN)
        def gong_calls_raw() -> dg.MaterializeResult[None]:
            return dg.MaterializeResult(metadata={"rows_inserted": self.changed_rows, "rows_deleted": 0})

        @dg.asset(partitions_def=PARTITIONS, backfill_policy=SINGLE_RUN, deps=[gong_calls_raw])
        def stg_gong_calls(context: dg.AssetExecutionContext) -> None:
            if self.is_broken:
                raise dg.Failure("the warehouse is away", allow_retries=False)
            if self.is_incomplete:
                context.instance.add_run_tags(context.run.run_id, {INCOMPLETE_TAG: "some days"})

        models = Models([Model(stg_gong_calls.key, frozenset({CALLS.name}), False, True, "1")])
        self.sensor = build_transformation_sensor(settings, models)
        self.definitions = dg.Definitions(
            [gong_calls_raw, stg_gong_calls],
            jobs=[
                dg.define_asset_job("gong_ingestion", [gong_calls_raw]),
                dg.define_asset_job("gong_transformation", [stg_gong_calls]),
                dg.define_asset_job("gong_sync"),
            ],
            sensors=[self.sensor],
            resources={SNOWFLAKE: SnowflakeResource(local_home="unused")},
        )

    def run(
        self, job: str, days: DateRange, *, changed_rows: int = 0, tags: Mapping[str, str] | None = None
    ) -> dg.ExecuteInProcessResult:
        self.changed_rows = changed_rows
        return self.definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance, tags={**days.as_run_tags(), **(tags or {})}, raise_on_error=False
        )

    def tick(self) -> list[str]:
        """Evaluate the sensor, execute the runs that it requests, and return their days."""
        with dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursor,
            repository_def=self.definitions.get_repository_def(),
            sensor_name=self.sensor.name,
            resources=dict(self.definitions.resources or {}),
        ) as context:
            tick = self.sensor.evaluate_tick(context)
        self.cursor = tick.cursor
        self.run_keys += [request.run_key for request in tick.run_requests or []]
        for request in tick.run_requests or []:
            self.run("gong_transformation", DateRange.inclusive(ago(3), TODAY), tags=request.tags)
        return [request.tags["gong_assets/days"] for request in tick.run_requests or []]

    def change(self, *ages: int) -> None:
        """Replace the pending changes."""
        self.pending[:] = [PendingChange(CALLS.name, ago(age), datetime.now(UTC)) for age in ages]


@pytest.fixture
def location(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CodeLocation]:
    """A code location in which a call has landed and is transformed."""
    settings = Settings(gong_assets_home=tmp_path, gong_start_date=date(2026, 1, 1))
    with local_instance(tmp_path) as instance:
        location = CodeLocation(instance, settings)
        monkeypatch.setattr(transformation_sensor._Tick, "_pending", lambda _: list(location.pending))
        location.change(0)
        assert location.run("gong_ingestion", RECENT, changed_rows=1).success
        assert location.tick() == [f"{ago(0)}"]
        location.change()
        assert location.tick() == []
        yield location


RECENT = DateRange.inclusive(ago(3), TODAY)


@pytest.mark.parametrize("is_landing", [True, False], ids=["the next landing", "five minutes"])
def test_days_of_a_failed_run_follow_after_a_person_has_transformed_one_of_them(
    location: CodeLocation, monkeypatch: pytest.MonkeyPatch, is_landing: bool
) -> None:
    location.change(2, 1)
    assert location.run("gong_ingestion", RECENT, changed_rows=2).success
    location.is_broken = True
    assert location.tick() == [f"{ago(2)}..{ago(1)}"]
    assert location.tick() == []
    location.is_broken = False

    assert location.run("gong_transformation", DateRange.single(ago(1))).success
    location.change(2)
    assert location.tick() == []
    if is_landing:
        assert location.run("gong_ingestion", RECENT).success
    else:
        monkeypatch.setattr(transformation_sensor, "RETRY_AFTER", timedelta(0))
    assert location.tick() == [f"{ago(2)}"]


def test_nothing_is_read_after_the_sensors_own_run_until_rows_change(location: CodeLocation) -> None:
    location.change(2)  # no landing has recorded it, so only a read shows it
    assert location.run("gong_ingestion", RECENT).success
    assert location.tick() == []
    assert location.run("gong_ingestion", RECENT, changed_rows=1).success
    assert location.tick() == [f"{ago(2)}"]


def test_a_day_that_a_sync_changed_outside_of_its_own_days_follows(location: CodeLocation) -> None:
    location.is_incomplete = True
    assert location.run("gong_sync", DateRange.single(ago(0)), changed_rows=1).success
    location.is_incomplete = False
    location.change(3)
    assert location.tick() == [f"{ago(3)}"]


def test_a_landing_by_a_machine_with_a_slow_clock_is_considered_once(location: CodeLocation) -> None:
    location.change(2)
    with slow_clock(minutes=3):
        assert location.run("gong_ingestion", RECENT, changed_rows=1).success
    assert location.tick() == [f"{ago(2)}"]
    location.change(1)  # no landing has recorded it, so only a read shows it
    assert location.tick() == []


def test_requests_of_machines_with_slow_clocks_have_different_run_keys(location: CodeLocation) -> None:
    with slow_clock(minutes=3):
        for age in (2, 1):
            location.change(age)
            assert location.run("gong_ingestion", RECENT, changed_rows=1).success
            assert location.tick() == [f"{ago(age)}"]
    assert len(location.run_keys) == len(set(location.run_keys)) == 3


@contextmanager
def slow_clock(*, minutes: int) -> Iterator[None]:
    """Let events have the time of a machine whose clock is slow."""
    now = time.time
    with patch("time.time", lambda: now() - minutes * 60):
        yield


@pytest.mark.parametrize(("asset", "is_blocking"), [
    ("gong_calls_raw", True), ("stg_gong_calls", True), ("asset_of_another_project", False),
])  # fmt: skip
def test_the_sensor_waits_for_backfills_of_the_graph_only(
    location: CodeLocation, asset: str, is_blocking: bool
) -> None:
    location.change(2)
    assert location.run("gong_ingestion", RECENT, changed_rows=1).success
    for number in range(25):
        is_running = number == (0 if is_blocking else 24)  # the oldest or the newest one
        backfill = PartitionBackfill(
            backfill_id=str(number),
            status=BulkActionStatus.REQUESTED if is_running else BulkActionStatus.COMPLETED_SUCCESS,
            from_failure=False,
            tags={},
            backfill_timestamp=time.time(),
            asset_selection=[dg.AssetKey(asset)],
        )
        location.instance.add_backfill(backfill)
    assert location.tick() == ([] if is_blocking else [f"{ago(2)}"])
