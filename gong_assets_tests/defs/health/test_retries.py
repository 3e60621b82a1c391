"""Steps of the job gong_standing_checks are retried while Gong or the warehouse does not answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import patch

import dagster as dg
import pytest

from gong_assets.defs import failures
from gong_assets.defs.checks import gong_completeness
from gong_assets.defs.checks.gong_completeness import build_completeness_check
from gong_assets.defs.checks.results import Finding
from gong_assets.defs.health import asset as health
from gong_assets.defs.resources import GongResource, SnowflakeResource
from gong_assets.gong import GongPermissionError, GongServerError
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse
from gong_assets.warehouse.errors import WarehouseUnreachable
from gong_assets_tests.defs.health.test_report import FIGURES

UNAVAILABLE = GongServerError("POST https://api.gong.io/v2/calls/extensive: 503 no", status=503)


@pytest.fixture
def resources(warehouse: Warehouse, stack_home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(failures, "STEP_RETRY_SECONDS", 0)
    return {
        "gong": GongResource(simulated=True, home=str(stack_home)),
        "gong_snowflake": SnowflakeResource(arguments=warehouse.arguments),
    }


def run(definition: Any, resources: dict[str, Any]) -> tuple[bool, int]:
    """Return whether the job of the asset or check succeeds, and the number of retries."""
    is_check = isinstance(definition, dg.AssetChecksDefinition)
    selection = (dg.AssetSelection.checks if is_check else dg.AssetSelection.assets)(definition)
    defs = dg.Definitions(
        assets=[] if is_check else [definition],
        asset_checks=[definition] if is_check else [],
        resources=resources,
        jobs=[dg.define_asset_job("job", selection)],
    )
    with dg.DagsterInstance.ephemeral() as instance:
        job = defs.resolve_job_def("job")
        result = job.execute_in_process(instance=instance, raise_on_error=False)
    retries = [each for each in result.all_events if each.event_type is dg.DagsterEventType.STEP_UP_FOR_RETRY]
    return result.success, len(retries)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("outcomes", "ended"),
    [
        ([UNAVAILABLE, UNAVAILABLE, Finding(0)], (True, 2)),
        ([UNAVAILABLE] * 3, (False, 2)),
        ([GongPermissionError("no", status=403)], (False, 0)),
    ],
)
def test_the_completeness_check_is_retried_while_gong_does_not_answer(
    outcomes: list[Any], ended: tuple[bool, int], resources: dict[str, Any], tmp_path: Path
) -> None:
    check = build_completeness_check(Settings(gong_assets_home=tmp_path))
    with patch.object(gong_completeness, "_evaluate", side_effect=outcomes):
        assert run(check, resources) == ended


@pytest.mark.slow
def test_the_report_is_retried_while_the_warehouse_does_not_answer(
    resources: dict[str, Any], tmp_path: Path
) -> None:
    asset = health.build_health_asset(Settings(gong_assets_home=tmp_path))
    outcomes = [WarehouseUnreachable("no"), FIGURES]
    with patch.object(health, "pipeline_figures", side_effect=outcomes):
        assert run(asset, resources) == (True, 1)
