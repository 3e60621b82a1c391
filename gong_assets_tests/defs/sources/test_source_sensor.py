"""The sensor over another product's tables: which days it requests while a sync still commits records."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from gong_assets.dates import DateRange
from gong_assets.defs.resources import SnowflakeResource
from gong_assets.defs.source_sensor import OVERLAP, build_source_sensor
from gong_assets_tests.defs.sources.graph import Deployment
from gong_assets_tests.warehouse.sources.airbyte_tables import connector_records, write_typed
from gong_assets_tests.warehouse.sources.records import call, tenant

pytestmark = pytest.mark.slow

NOW = datetime.now(UTC)


def ago(days: int) -> date:
    return NOW.date() - timedelta(days=days)


class Sensor:
    """The sensor of a graph that follows Airbyte's tables. They have a call of 90 days ago at first."""

    def __init__(self, home: Path) -> None:
        self.schema = f"AIRBYTE_{uuid.uuid4().hex[:8].upper()}"
        settings = {"gong_source": "airbyte", "gong_source_schema": self.schema}
        self.deployment = Deployment(home, ago(100), settings)
        self.sensor = build_source_sensor(self.deployment.loaded())
        self.cursor: str | None = None
        self.commit(ago(90), NOW - timedelta(days=1))

    def commit(self, day: date, extracted_at: datetime, stream: str = "extensiveCalls") -> None:
        """Commit a record of this day that the connector extracted at this time."""
        number = str(10_000 + (NOW.date() - day).days)
        records = connector_records(tenant(call(number, f"{day}T10:00:00Z")))[stream]
        write_typed(self.deployment.warehouse, self.schema, stream, records, extracted_at)

    def tick(self) -> list[DateRange | None]:
        """Evaluate the sensor, and return the days that it requests."""
        resource = SnowflakeResource.from_settings(self.deployment.loaded())
        with dg.build_sensor_context(
            instance=self.deployment.instance, cursor=self.cursor, resources={"gong_snowflake": resource}
        ) as context:
            found: Any = self.sensor.evaluate_tick(context)
        self.cursor = found.cursor
        return [DateRange.from_run_tags(each.tags) for each in found.run_requests]


@pytest.fixture
def sensor(stack_home: Path) -> Sensor:
    return Sensor(stack_home)


def test_a_record_that_is_committed_after_newer_ones_is_requested(sensor: Sensor) -> None:
    assert sensor.tick() == [], "the lookback days have no calls"
    sensor.commit(ago(40), NOW - timedelta(minutes=10))
    assert sensor.tick() == [DateRange.single(ago(40))]
    sensor.commit(ago(60), NOW - timedelta(minutes=12))
    assert DateRange.single(ago(60)) in sensor.tick()
    assert sensor.tick() == [], "nothing has changed since the last look"


def test_a_table_that_is_committed_after_another_one_is_requested(sensor: Sensor) -> None:
    sensor.commit(ago(90), NOW - timedelta(days=1), "callTranscripts")
    sensor.tick()
    sensor.commit(ago(40), NOW - timedelta(minutes=1))
    sensor.tick()
    sensor.commit(ago(60), NOW - timedelta(hours=12), "callTranscripts")
    assert sensor.tick() == [DateRange.single(ago(60))]


def test_days_from_before_the_overlap_are_not_requested_again(sensor: Sensor) -> None:
    sensor.tick()
    for day, hours in ((40, 20), (50, 12), (60, 1)):
        sensor.commit(ago(day), NOW - timedelta(hours=hours))
        assert DateRange.single(ago(day)) in sensor.tick()
    assert timedelta(hours=4) < OVERLAP < timedelta(hours=11)
    sensor.commit(ago(20), NOW)
    assert sensor.tick() == [DateRange.single(ago(60)), DateRange.single(ago(20))]


def test_the_cursor_of_an_earlier_version_is_continued(sensor: Sensor) -> None:
    newest = NOW - timedelta(hours=3)
    sensor.commit(ago(40), newest)
    sensor.cursor = json.dumps({"newest": newest.isoformat(), "looked_at": newest.timestamp()})
    assert sensor.tick() == []
    sensor.commit(ago(60), NOW)
    sensor.commit(ago(60), NOW, "callTranscripts")
    assert sensor.tick() == [DateRange.single(ago(60))]
