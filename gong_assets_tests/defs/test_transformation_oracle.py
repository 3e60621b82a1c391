"""Random histories of a deployment: whatever happened, every day is transformed once the sensors are idle.

Landings, sensors, schedules and pending changes are real. In place of dbt, a step copies the IDs of the raw
calls of its days, which shows what it was asked to transform.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import dagster as dg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from gong_assets.defs.dbt.step import DbtStep
from gong_assets.defs.partitions import days_of_run
from gong_assets.defs.transformation import settled_changes
from gong_assets.ingestion import read
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.defs.ingestion_runs import call, transcript
from gong_assets_tests.end_to_end.deployment import Deployment, at
from gong_assets_tests.end_to_end.gong_server import Gong
from gong_assets_tests.instances import local_instance

pytestmark = pytest.mark.slow

TODAY = datetime.now(UTC).date()
EXAMPLES = 2

AGES = st.sampled_from([0, 1, 2, 5, 8, 13, 30, 45])


class Histories(RuleBasedStateMachine):
    """Changes in Gong at any age, mixed with ticks of schedules and sensors, failures and kills."""

    deployment: Deployment

    @initialize()
    def deploy(self) -> None:
        """Start with an empty Gong, an empty warehouse and an instance without runs."""
        self.number = 0
        self.transformed: dict[date, set[str]] = {}
        self.fails_next = False
        self.at = at(TODAY, 0)
        self.deployment.gong.calls.clear()
        self.deployment.gong.transcripts.clear()
        self.deployment.forget_cursors()
        for table in ("GONG_CALLS_RAW", "GONG_CALL_TRANSCRIPTS_RAW", "GONG_PENDING_CHANGES"):
            self.deployment.warehouse.query(f"DROP TABLE IF EXISTS {table}")
        self.directory = tempfile.TemporaryDirectory()
        self.instance = local_instance(Path(self.directory.name))
        self.deployment.instance = self.instance.__enter__()
        self.patch = mock.patch.object(DbtStep, "run", lambda step, _: self._transform(step))
        self.patch.start()

    def teardown(self) -> None:
        if not hasattr(self, "patch"):
            return
        try:
            self.fails_next = False
            self._come_to_rest()
            self._compare()
        finally:
            self.patch.stop()
            self.instance.__exit__(None, None, None)
            self.directory.cleanup()

    def _transform(self, step: DbtStep) -> Iterator[Any]:
        context, query = step.context, self.deployment.warehouse.query
        daily = context.has_partition_key or context.has_partition_key_range
        days = days_of_run(context) if daily else []
        with (
            self.deployment.warehouse.connect() as connection,
            settled_changes(context, connection, step.graph, days, sends_to_cortex=False),
        ):
            for day in (day for each in days for day in each):
                rows = query(
                    "SELECT CALL_ID, 'c' AS KIND FROM GONG_CALLS_RAW WHERE CALL_DATE = %s UNION ALL "
                    "SELECT CALL_ID, 't' AS KIND FROM GONG_CALL_TRANSCRIPTS_RAW WHERE CALL_DATE = %s",
                    (day, day),
                )
                self.transformed[day] = {f"{row['KIND']}{row['CALL_ID']}" for row in rows}
            if self.fails_next:
                self.fails_next = False
                raise dg.Failure("the warehouse is away", allow_retries=False)
        yield from (dg.Output(None, name) for name in self._outputs(context))

    def _outputs(self, context: dg.AssetExecutionContext) -> list[str]:
        """Return the outputs of a step, those of a model after those of its parents, as dbt builds them."""
        selected = context.op_execution_context.selected_output_names
        names = {key: name for name, key in context.assets_def.keys_by_output_name.items()}
        keys = self.deployment.definitions.resolve_asset_graph().toposorted_asset_keys
        models = [names[key] for key in keys if names.get(key) in selected]
        return [*models, *sorted(selected - set(models))]

    # What happens in Gong.

    @rule(age=AGES, with_transcript=st.booleans())
    def a_call_appears(self, age: int, with_transcript: bool) -> None:
        self.number += 1
        new = call(self.number, at(TODAY - timedelta(days=age), 0) + timedelta(minutes=self.number))
        self.deployment.gong.calls.append(new)
        if with_transcript:
            self.deployment.gong.transcripts.append(transcript(str(new.id)))

    @rule()
    def a_late_transcript_arrives(self) -> None:
        gong = self.deployment.gong
        present = {record["callId"] for record in gong.transcripts}
        if late := next((each for each in gong.calls if each.id not in present), None):
            gong.transcripts.append(transcript(str(late.id)))

    @rule(index=st.integers(0, 20))
    def a_call_is_deleted(self, index: int) -> None:
        calls = self.deployment.gong.calls
        if len(calls) > 3:
            calls.pop(index % len(calls))

    @rule(index=st.integers(0, 20))
    def a_call_becomes_private(self, index: int) -> None:
        calls = self.deployment.gong.calls
        if len(calls) > 3:
            calls[index % len(calls)].document["metaData"]["isPrivate"] = True

    # What happens in the deployment.

    @rule()
    def ingestion_is_due(self) -> None:
        self._ingest()

    @rule()
    def ingestion_is_killed_after_it_landed(self) -> None:
        """The rows are committed, and Dagster knows nothing about it."""

        def killed(*arguments: Any) -> Any:
            land(*arguments)
            raise RuntimeError("killed")

        land = read.land
        with mock.patch("gong_assets.defs.io_manager.land", killed):
            self._ingest()

    @rule()
    def reconciliation_is_due(self) -> None:
        self.at += timedelta(minutes=1)
        self.deployment.schedule("gong_reconciliation_schedule", self.at)

    @rule()
    def missing_transcripts_are_due(self) -> None:
        self.deployment.sensor("gong_missing_transcripts")

    @rule()
    def the_transformation_sensor_ticks(self) -> None:
        self.deployment.sensor("gong_transformation_sensor")

    @rule()
    def the_next_transformation_fails(self) -> None:
        self.fails_next = True

    @rule()
    def the_cursor_is_lost(self) -> None:
        self.deployment.forget_cursors()

    def _ingest(self) -> None:
        self.at += timedelta(minutes=1)
        self.deployment.schedule("gong_ingestion_schedule", self.at)

    def _come_to_rest(self) -> None:
        self.deployment.settle()
        self._ingest()
        self.reconciliation_is_due()
        self.deployment.settle()

    def _compare(self) -> None:
        raw: dict[date, set[str]] = {}
        for table, kind in (("GONG_CALLS_RAW", "c"), ("GONG_CALL_TRANSCRIPTS_RAW", "t")):
            for row in self.deployment.warehouse.query(f"SELECT CALL_ID, CALL_DATE FROM {table}"):
                raw.setdefault(row["CALL_DATE"], set()).add(f"{kind}{row['CALL_ID']}")
        transformed = {day: ids for day, ids in self.transformed.items() if ids}
        assert transformed == raw
        visible = [
            each for each in self.deployment.gong.calls if not each.document["metaData"].get("isPrivate")
        ]
        assert {f"c{each.id}" for each in visible} == {
            each for ids in raw.values() for each in ids if each.startswith("c")
        }


def test_every_history_ends_with_all_days_transformed(warehouse: Warehouse, tmp_path: Path) -> None:
    with Gong().served() as gong, dg.DagsterInstance.ephemeral() as instance:
        Histories.deployment = Deployment.of(gong, warehouse, tmp_path, instance)
        Histories.deployment.only = frozenset({"gong_calls_raw", "gong_call_transcripts_raw"})
        run_state_machine_as_test(
            Histories,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=12,
                phases=[Phase.generate],
                deadline=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
