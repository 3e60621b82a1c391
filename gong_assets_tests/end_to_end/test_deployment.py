"""A deployment that is left alone: after each trigger every layer equals Gong, and nothing runs in vain."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from gong_assets.defs.health.cost import (
    STATEMENTS_OF_HUBSPOT_REFRESH,
    STATEMENTS_OF_LANDING,
    STATEMENTS_OF_TRANSFORMATION,
)
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.defs.ingestion_runs import call, ids, transcript, why
from gong_assets_tests.end_to_end.deployment import Deployment, at, transformed_days
from gong_assets_tests.end_to_end.gong_records import StoredCall
from gong_assets_tests.end_to_end.gong_server import Gong
from gong_assets_tests.instances import local_instance
from gong_assets_tests.statements import recorded_statements

pytestmark = pytest.mark.slow

TODAY = datetime.now(UTC).date()
NIGHT = at(TODAY, 2)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def day_of(stored: StoredCall) -> date:
    return datetime.fromisoformat(stored.document["metaData"]["started"]).date()


@pytest.fixture
def deployment(warehouse: Warehouse, tmp_path: Path) -> Iterator[Deployment]:
    """Calls of the last 5 days, 3 weeks ago and 50 days ago, each with a transcript."""
    ages = [0, 1, 1, 2, 4, 20, 20, 21, 50]
    gong = Gong(calls=[call(number, at(ago(age), 1)) for number, age in enumerate(ages)])
    gong.transcripts = [transcript(call_id) for call_id in ids(gong.calls)]
    local = local_instance(tmp_path)
    with local as instance, gong.served():
        yield Deployment.of(gong, warehouse, tmp_path, instance)


@pytest.mark.usefixtures("one_day")
def test_a_deployment_is_right_after_every_trigger_and_quiet_between_them(deployment: Deployment) -> None:
    gong = deployment.gong
    recent = [each for each in gong.calls if day_of(each) >= ago(6)]
    older = [each for each in gong.calls if each not in recent]

    # An empty warehouse: nothing is requested before something has landed.
    assert deployment.settle() == deployment.schedule("hubspot_schedule", NIGHT) == []
    gong.calls = recent
    (ingestion,) = deployment.schedule("gong_ingestion_schedule", NIGHT)
    assert ingestion.success, why(ingestion)
    (first,) = deployment.settle()
    assert first.success, why(first)
    gong.transcripts = [each for each in gong.transcripts if each["callId"] in ids(gong.calls)]
    assert deployment.differences() == []

    # Nothing changed: no transformation, one sign-in, and few statements.
    with recorded_statements() as sent:
        (ingestion,) = deployment.schedule("gong_ingestion_schedule", NIGHT + timedelta(hours=4))
        assert deployment.settle() == []
    assert ingestion.success
    assert sent.logins == 1
    assert len(sent.statements) <= STATEMENTS_OF_LANDING, sent.by_kind()

    # Older calls come to light, at three ages.
    gong.calls = [*recent, *older]
    gong.transcripts = [transcript(call_id) for call_id in ids(gong.calls)]
    (reconciliation,) = deployment.schedule("gong_reconciliation_schedule", NIGHT)
    assert reconciliation.success, why(reconciliation)
    (run,) = deployment.settle()
    assert run.success, why(run)
    assert transformed_days(run) == f"{ago(50)},{ago(21)}..{ago(20)}"
    assert deployment.differences() == []

    # One is deleted, one becomes private, one is edited; the only call of its day among them.
    gong.calls = [each for each in gong.calls if day_of(each) != ago(50)]
    gone = [each for each in gong.calls if day_of(each) == ago(21)]
    gone[0].document["metaData"]["isPrivate"] = True
    edited = next(each for each in gong.calls if day_of(each) == ago(20))
    edited.document["metaData"]["title"] = "Another title"
    with recorded_statements() as sent:
        deployment.schedule("gong_reconciliation_schedule", NIGHT + timedelta(days=7))
        (run,) = deployment.settle()
    assert len(sent.statements) <= STATEMENTS_OF_TRANSFORMATION, sent.by_kind()
    # The run that lands, the sensor, and the run that transforms with its two dbt commands.
    assert sent.logins <= 5
    assert transformed_days(run) == f"{ago(50)},{ago(21)}..{ago(20)}"
    assert deployment.differences() == []
    assert deployment.sensor("gong_missing_transcripts") == []

    with recorded_statements() as sent:
        (refresh,) = deployment.schedule("hubspot_schedule", NIGHT)
    assert refresh.success, why(refresh)
    assert len(sent.statements) <= STATEMENTS_OF_HUBSPOT_REFRESH, sent.by_kind()
    assert deployment.settle() == []

    # A person builds HubSpot's deals alone. What calls show of deals follows.
    alone = dg.RunRequest(asset_selection=[dg.AssetKey("stg_hubspot_deals")])
    assert deployment.execute("hubspot_refresh", alone).success
    (run,) = deployment.settle()
    assert run.success, why(run)
    assert run.dagster_run.asset_selection == {dg.AssetKey("int_gong_call_deals")}


@pytest.mark.usefixtures("one_day")
def test_a_person_may_refresh_hubspot_before_anything_has_landed(deployment: Deployment) -> None:
    joined = {"int_gong_call_crm_links", "int_gong_call_deals", "int_gong_inferred_records"}

    def built(run: dg.ExecuteInProcessResult) -> set[str]:
        return {
            event.asset_key.path[-1] for event in run.get_asset_materialization_events() if event.asset_key
        }

    refresh = deployment.execute("hubspot_refresh", dg.RunRequest())
    assert refresh.success, why(refresh)
    assert "stg_hubspot_deals" in built(refresh)
    assert all(name.startswith("stg_hubspot_") for name in built(refresh))
    (warning,) = [
        entry.user_message
        for entry in deployment.instance.all_logs(refresh.run_id)
        if entry.level >= logging.WARNING
    ]
    assert joined <= set(re.findall(r"\w+", warning))
    # A join alone is nothing to do, and says so.
    alone = dg.RunRequest(asset_selection=[dg.AssetKey("int_gong_call_deals")])
    nothing = deployment.execute("hubspot_refresh", alone)
    assert nothing.success, why(nothing)
    assert built(nothing) == set()

    (ingestion,) = deployment.schedule("gong_ingestion_schedule", NIGHT)
    assert ingestion.success, why(ingestion)
    (first,) = deployment.settle()
    assert first.success, why(first)
    assert joined <= built(first)
    again = deployment.execute("hubspot_refresh", dg.RunRequest())
    assert again.success, why(again)
    assert joined <= built(again)
