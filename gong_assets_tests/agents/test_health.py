"""The report of `/health`, from the local server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gong_assets.agents import health
from gong_assets.agents.health import Health
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.local.snowflake.conftest import ServerProcess

TABLE = "VW_GONG_LANDINGS"


@pytest.fixture
def arguments(tmp_path: Path) -> Iterator[dict[str, Any]]:
    server = ServerProcess(tmp_path)
    yield server.arguments()
    server.stop()


def test_probes_query_the_warehouse_seldom_and_check_the_sign_in_each_time(
    arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = Warehouse(arguments)
    warehouse.query(f"CREATE TABLE {TABLE} (TABLE_NAME VARCHAR, LAST_READ_AT TIMESTAMP_TZ)")
    warehouse.query(f"INSERT INTO {TABLE} VALUES ('GONG_CALLS_RAW', '2026-11-26T06:00:00Z')")
    given: dict[str, Any] = dict(arguments)
    checked = Health(lambda: Warehouse(given), str)
    monkeypatch.setattr(health, "SECONDS_BETWEEN_CHECKS", -1)
    monkeypatch.setattr(health, "SECONDS_TO_WAIT", 30)

    first = checked.report()
    assert first == {"status": "ok", "warehouse": "connected", "data_as_of": "2026-11-26T06:00:00+00:00"}
    warehouse.query(f"UPDATE {TABLE} SET LAST_READ_AT = '2026-11-26T10:00:00Z'")
    assert checked.report() == first
    given["password"] = "wrong"
    assert checked.report() == {"status": "degraded", "warehouse": "sign-in refused"}
    given["password"] = arguments["password"]
    assert checked.report() == first
    monkeypatch.setattr(health, "SECONDS_BETWEEN_QUERIES", -1)
    assert checked.report()["data_as_of"] == "2026-11-26T10:00:00+00:00"
