"""A deployment under a person who does anything at any time: it becomes right again by itself.

    OPERATOR_ACTIONS=100 OPERATOR_SEED=7 pytest gong_assets_tests/ui/test_random_operator.py -s

does so many things, about 10 a minute, and prints each. Without them, each kind of action is done once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random

import dagster as dg
import pytest
from dagster._core.scheduler.instigation import TickStatus

from gong_assets.defs.assets.ingestion import GONG_POOL
from gong_assets.defs.dbt.assets import DBT_POOL
from gong_assets.local import stack
from gong_assets.warehouse.connection import Warehouse, local_arguments
from gong_assets.warehouse.errors import WarehouseQueryFailed
from gong_assets_tests.end_to_end.deployment import compared_layers
from gong_assets_tests.ui.random_operator import Operator, Tenant
from tools.browser import dagster_ui

pytestmark = [pytest.mark.extended, pytest.mark.slow, pytest.mark.xdist_group("browser")]

ACTIONS = int(os.environ.get("OPERATOR_ACTIONS", "10"))
SEED = int(os.environ.get("OPERATOR_SEED", "1"))

AGE = 20
TODAY = datetime.now(UTC).date()
DAYS = [(TODAY - timedelta(days=age)).isoformat() for age in range(AGE, -1, -1)]
# Two reconciliations and what they cause, with what was requested before them.
SECONDS_TO_SETTLE = 300
VARIABLES = {
    "GONG_START_DATE": DAYS[0],
    "GONG_RECONCILIATION_DAYS": str(AGE),
    "GONG_ASSETS_SCHEDULES_ENABLED": "true",
    "GONG_ASSETS_INGESTION_CRON": "* * * * *",
    "GONG_ASSETS_RECONCILIATION_CRON": "*/2 * * * *",
    "DAGSTER_DISABLE_TELEMETRY": "yes",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
}


@dataclass
class Watched:
    """A deployment with its daemon on, and what it is compared with."""

    url: str
    tenant: Tenant
    warehouse: Warehouse
    instance: dg.DagsterInstance

    def settled(self) -> list[str]:
        """Wait until nothing differs, and return what still does after a while."""
        deadline = time.monotonic() + SECONDS_TO_SETTLE
        while (found := self._differences()) and time.monotonic() < deadline:
            time.sleep(3)
        return found

    def _differences(self) -> list[str]:
        """Return a line for each table that differs from the tenant, and each place an ended run keeps."""
        calls, spoken = self.tenant.calls(), self.tenant.spoken()
        try:
            tables = compared_layers(self.warehouse, calls, spoken & calls)
        except WarehouseQueryFailed as error:  # Some table has not been created yet.
            return [str(error)]
        return [*tables, *self._places_of_ended_runs()]

    def _places_of_ended_runs(self) -> Iterator[str]:
        storage = self.instance.event_log_storage
        for pool in (GONG_POOL, DBT_POOL):
            info = storage.get_concurrency_info(pool)
            for run_id in info.active_run_ids | info.assigned_run_ids | info.pending_run_ids:
                run = self.instance.get_run_by_id(run_id)
                if run is None or run.is_finished:
                    yield f"{pool}: the run {run_id} has ended and keeps its place in the queue"


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    variables = {**VARIABLES, "GONG_ASSETS_HOME": str(tmp_path)}
    try:
        with (
            dagster_ui(tmp_path, variables) as url,
            dg.DagsterInstance.from_config(str(tmp_path / "dagster")) as instance,
        ):
            tenant = Tenant(stack.up(tmp_path).gong, TODAY - timedelta(days=AGE), Random(SEED))
            yield Watched(url, tenant, Warehouse(local_arguments(tmp_path)), instance)
    finally:
        stack.down(tmp_path)


@pytest.mark.usefixtures("one_day")
def test_a_deployment_becomes_right_by_itself_whatever_its_operator_did(watched: Watched) -> None:
    assert watched.settled() == []
    operator = Operator(watched.url, watched.instance, DAYS, Random(SEED))
    for done in islice(operator.actions(), ACTIONS):
        print(f"{done}; {watched.tenant.change()}", flush=True)
    assert watched.settled() == []
    assert [*failed_ticks(watched.instance)] == []


def failed_ticks(instance: dg.DagsterInstance) -> Iterator[str]:
    """Yield the evaluations of schedules and sensors that failed."""
    for state in instance.all_instigator_state():
        failures = instance.get_ticks(
            state.instigator_origin_id,
            state.selector_id,
            statuses=[TickStatus.FAILURE],
        )
        for tick in failures:
            yield f"{state.instigator_name}: {tick.error and tick.error.message}"
