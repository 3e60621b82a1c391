"""The graph over Airbyte's tables: what the audit finds and heals, and how the graph follows the tables."""

from __future__ import annotations

import copy
import uuid
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from gong_assets.dates import DateRange
from gong_assets.defs import source_sensor
from gong_assets.defs.assets.missing_transcripts import awaited_transcripts
from gong_assets.defs.build import build_defs
from gong_assets.defs.resources import SnowflakeResource
from gong_assets.defs.runs import landings_of_run
from gong_assets.defs.source_sensor import build_source_sensor, ranges_to_land
from gong_assets.ingestion.audit import KINDS, LandedCall, calls_to_compare
from gong_assets.ingestion.reconciliation import BasicCall
from gong_assets.settings import Settings
from gong_assets_tests.defs.sources.graph import Deployment, metadata
from gong_assets_tests.warehouse.sources.airbyte_tables import connector_records, write_typed
from gong_assets_tests.warehouse.sources.records import call, transcript
from gong_assets_tests.warehouse.sources.tenant import Tenant, read_tenant

pytestmark = [pytest.mark.extended, pytest.mark.slow]

# The tenant's calls of these days are complete, and change no more.
TODAY = datetime.now(UTC).date()
LAST = TODAY - timedelta(days=20)
DAYS = DateRange.lookback(LAST, 18)
SYNCED = datetime.now(UTC) - timedelta(days=1)
LOST, WITHOUT_TRANSCRIPT, KEPT = 23, 30, 4


@pytest.fixture(scope="module")
def tenant(stack_home: Path) -> Tenant:
    return read_tenant(stack_home, DAYS)


@pytest.fixture
def deployment(stack_home: Path) -> Deployment:
    schema = f"AIRBYTE_{uuid.uuid4().hex[:8].upper()}"
    return Deployment(stack_home, DAYS.start, {"gong_source": "airbyte", "gong_source_schema": schema})


def sync(deployment: Deployment, streams: dict[str, list[dict[str, Any]]], at: datetime = SYNCED) -> None:
    for stream, records in streams.items():
        write_typed(deployment.warehouse, deployment.settings["gong_source_schema"], stream, records, at)


def with_losses(tenant: Tenant) -> dict[str, list[dict[str, Any]]]:
    """Return what Airbyte has with its default settings: it lost records, and kept deleted calls."""
    records = copy.deepcopy(connector_records(tenant))
    calls = records["extensiveCalls"]
    public = [each for each in calls if not each["metaData"]["isPrivate"]]  # The others are not landed.
    lost = {each["metaData"]["id"] for each in public[::5][:LOST]}
    present = [each for each in public if each["metaData"]["id"] not in lost]
    kept = [call(f"70000{number}", f"{DAYS.start + timedelta(number)}T09:00:00Z") for number in range(KEPT)]
    without = {each["metaData"]["id"] for each in present[::6][: WITHOUT_TRANSCRIPT - LOST]} | lost
    present[1]["metaData"]["title"] = "An older title"
    moved = present[2]["metaData"]
    moved["started"] = (datetime.fromisoformat(moved["started"]) + timedelta(days=1)).isoformat()
    ghosts = connector_records(
        Tenant(kept, [transcript(each["metaData"]["id"]) for each in kept], [], [], [], [])
    )
    return {
        "extensiveCalls": [each for each in calls if each["metaData"]["id"] not in lost]
        + ghosts["extensiveCalls"],
        "callTranscripts": [each for each in records["callTranscripts"] if each["callId"] not in without]
        + ghosts["callTranscripts"],
        "users": records["users"],
    }


@pytest.fixture
def audited(deployment: Deployment, tenant: Tenant) -> Deployment:
    """A deployment that has landed what Airbyte has."""
    sync(deployment, with_losses(tenant))
    result = deployment.run("gong_ingestion", DAYS)
    assert result.success
    return deployment


def recorded_changes(deployment: Deployment) -> Counter[str]:
    """Return the changed rows that the last run recorded, by raw asset."""
    (run,) = deployment.instance.get_runs(limit=1)
    changes: Counter[str] = Counter()
    for each in landings_of_run(deployment.instance, run.run_id):
        for name in ("rows_inserted", "rows_deleted"):
            if name in each.metadata:
                changes[each.asset_key.path[-1]] += int(each.metadata[name].value)  # type: ignore[call-overload]
    return changes


def test_the_audit_finds_and_heals_what_the_connector_lost_and_kept(
    audited: Deployment, tenant: Tenant
) -> None:
    truth = {each["metaData"]["id"] for each in tenant.calls if not each["metaData"]["isPrivate"]}
    transcripts = {each["callId"] for each in tenant.transcripts} & truth
    before = metadata(audited.run("gong_reconciliation", DAYS, gong_source_heal=False), "gong_source_audit")
    assert [before[kind] for kind in ("lost_calls", "kept_calls", "stale_calls", "wrong_days")] == [
        LOST, KEPT, 1, 1
    ]  # fmt: skip
    lost_transcripts = before["lost_transcripts"]
    assert lost_transcripts == len(transcripts) - sum(
        row["CALL_ID"] in transcripts for row in audited.rows("SELECT CALL_ID FROM GONG_CALL_TRANSCRIPTS_RAW")
    )
    assert before["healed"] is False
    assert audited.count("GONG_CALLS_RAW") == len(truth) - LOST + KEPT, (
        "an audit that does not heal changed rows"
    )
    rows = [record.data for record in before["by_day"].records]
    assert sum(int(row["lost_calls"]) for row in rows) == LOST
    assert {(row["day"], row["source"]) for row in rows} == {(str(day), "airbyte") for day in DAYS}
    assert sum(int(row["calls_landed"]) for row in rows) == before["calls_landed"]
    assert 0 < before["gong_requests"] < 20
    assert sum(before["gong_requests_by_check"].values()) == before["gong_requests"]
    assert sum(float(row["gong_requests"]) for row in rows) == pytest.approx(before["gong_requests"], abs=0.1)

    healed = metadata(audited.run("gong_reconciliation", DAYS), "gong_source_audit")
    assert (healed["lost_calls"], healed["kept_calls"], healed["healed"]) == (LOST, KEPT, True)
    # The transformation follows only what a run recorded for a raw table.
    recorded = recorded_changes(audited)
    assert recorded["gong_calls_raw"] >= LOST + KEPT
    assert recorded["gong_call_transcripts_raw"] >= lost_transcripts
    assert {row["CALL_ID"] for row in audited.rows("SELECT CALL_ID FROM GONG_CALLS_RAW")} == truth
    assert {
        row["CALL_ID"] for row in audited.rows("SELECT CALL_ID FROM GONG_CALL_TRANSCRIPTS_RAW")
    } == transcripts
    sources = {row["SOURCE"]: row["N"] for row in audited.rows(
        "SELECT SOURCE, COUNT(*) AS N FROM GONG_CALLS_RAW GROUP BY 1")}  # fmt: skip
    assert sources == {"api": LOST + 2, "airbyte": len(truth) - LOST - 2}

    after = metadata(audited.run("gong_reconciliation", DAYS), "gong_source_audit")
    assert {kind: after[kind] for kind in KINDS} == dict.fromkeys(KINDS, 0)

    # The connector syncs again, and still has the same losses.
    assert audited.run("gong_ingestion", DAYS).success
    again = metadata(audited.run("gong_reconciliation", DAYS), "gong_source_audit")
    assert {kind: again[kind] for kind in KINDS} == dict.fromkeys(KINDS, 0)


def test_a_change_of_content_alone_is_found_and_healed(deployment: Deployment, tenant: Tenant) -> None:
    records = copy.deepcopy(connector_records(tenant))
    changed = records["extensiveCalls"][3]
    changed["content"]["brief"] = "An older summary"
    sync(deployment, {each: records[each] for each in ("extensiveCalls", "callTranscripts")})
    assert deployment.run("gong_ingestion", DAYS).success

    def audit(**settings: Any) -> dict[str, Any]:
        return metadata(deployment.run("gong_reconciliation", DAYS, **settings), "gong_source_audit")

    none = audit(gong_source_content_audits=0, gong_source_heal=False)
    assert (none["content_compared"], none["findings"]) == (0, 0)
    part = audit(gong_source_heal=False)
    calls = len(records["extensiveCalls"])
    assert 0 < part["content_compared"] < calls / 2
    found = audit(gong_source_content_audits=1)
    assert found["content_compared"] == calls
    assert found["ids"] == {"stale_content": [changed["metaData"]["id"]]}
    assert found["gong_requests_by_check"]["content of calls"] >= calls / 100
    assert found["calls_healed"] == 1
    assert audit(gong_source_content_audits=1)["findings"] == 0
    (row,) = deployment.rows("SELECT CALL_ID FROM GONG_CALLS_RAW WHERE SOURCE = 'api'")
    assert row["CALL_ID"] == changed["metaData"]["id"], "only what was healed changes its source"


def test_over_the_weeks_the_content_of_each_call_is_compared_once() -> None:
    landed = {str(number): LandedCall(BasicCall(DAYS.start, ()), "airbyte") for number in range(1000)}
    landed["other"] = LandedCall(BasicCall(DAYS.start, ()), "fivetran")
    parts = [calls_to_compare(landed, {"airbyte"}, 4, week) for week in range(2_000, 2_004)]
    assert sorted(call_id for part in parts for call_id in part) == sorted(landed.keys() - {"other"})
    assert all(200 < len(part) < 300 for part in parts)


def test_calls_that_wait_for_a_run_are_not_lost(deployment: Deployment, tenant: Tenant) -> None:
    records = connector_records(tenant)
    sync(
        deployment,
        {"extensiveCalls": records["extensiveCalls"][1:], "callTranscripts": records["callTranscripts"]},
    )
    found = metadata(deployment.run("gong_reconciliation", DAYS), "gong_source_audit")
    assert (found["lost_calls"], found["lost_transcripts"], found["calls_healed"]) == (1, 0, 1)
    assert found["calls_to_land"] == len(records["extensiveCalls"]) - 1


def test_the_audit_refuses_a_mass_deletion(deployment: Deployment, tenant: Tenant) -> None:
    ghosts = [
        call(f"8000{number:04}", f"{DAYS.start}T0{number % 9}:00:00Z")
        for number in range(len(tenant.calls) + 50)
    ]
    sync(
        deployment,
        {"extensiveCalls": connector_records(Tenant(ghosts, [], [], [], [], []))["extensiveCalls"]},
    )
    assert deployment.run("gong_ingestion", DAYS).success
    landed = deployment.count("GONG_CALLS_RAW")
    result = deployment.run("gong_reconciliation", DAYS)
    assert not result.success
    assert deployment.count("GONG_CALLS_RAW") == landed


def test_transcripts_that_the_connector_has_not_delivered_are_requested_of_gong(
    deployment: Deployment, stack_home: Path
) -> None:
    days = DateRange.inclusive(TODAY - timedelta(days=4), TODAY - timedelta(days=3))
    recent = read_tenant(stack_home, days)
    records = connector_records(recent)
    missing = records["callTranscripts"][::3]
    kept = [each for each in records["callTranscripts"] if each not in missing]
    sync(deployment, {"extensiveCalls": records["extensiveCalls"], "callTranscripts": kept})
    assert deployment.run("gong_ingestion", days).success
    key = dg.AssetKey("gong_call_transcripts_raw")
    expected = {each["callId"] for each in missing}
    awaited = awaited_transcripts(deployment.instance, key, days)
    assert expected <= awaited.keys()
    defs = build_defs(deployment.loaded())
    sensor = defs.get_sensor_def("gong_missing_transcripts")
    with dg.build_sensor_context(instance=deployment.instance) as context:
        (request,) = sensor.evaluate_tick(context).run_requests or ()
    job = defs.resolve_job_def("gong_transcripts")
    result = job.execute_in_process(instance=deployment.instance, run_config=request.run_config)
    assert result.success
    landed = deployment.rows("SELECT CALL_ID FROM GONG_CALL_TRANSCRIPTS_RAW WHERE SOURCE = 'api'")
    assert expected <= {row["CALL_ID"] for row in landed}
    assert not expected & awaited_transcripts(deployment.instance, key, days).keys()
    # A new look at the connector's tables does not forget them, and does not await them again.
    assert deployment.run("gong_ingestion", days).success
    assert not expected & awaited_transcripts(deployment.instance, key, days).keys()


def test_without_credentials_or_healing_no_transcript_is_requested(deployment: Deployment) -> None:
    for changed in ({"gong_assets_source": None}, {"gong_source_heal": False}):
        sensors = build_defs(deployment.loaded(**changed)).sensors or ()
        assert "gong_missing_transcripts" not in {each.name for each in sensors}


def test_without_gong_credentials_the_audit_says_what_it_cannot_know(audited: Deployment) -> None:
    rows = audited.count("GONG_CALLS_RAW")
    result = audited.run("gong_reconciliation", DAYS, gong_assets_source=None)
    assert result.success
    assert "GONG_ACCESS_KEY" in metadata(result, "gong_source_audit")["unknown"]
    assert audited.count("GONG_CALLS_RAW") == rows


def test_what_the_source_lacks_is_a_check_and_no_failure(audited: Deployment) -> None:
    result = audited.run("gong_reference_data", DAYS)
    assert result.success
    failed = {
        each.asset_key.to_user_string(): each.severity
        for each in result.get_asset_check_evaluations()
        if each.check_name == "source_has_table" and not each.passed
    }
    assert failed["gong_trackers_raw"] == dg.AssetCheckSeverity.WARN
    assert "gong_scorecards_raw" in failed, "the stream was not synced"
    assert audited.count("GONG_TRACKERS_RAW") == 0


def test_the_sensor_follows_the_newest_extraction_until_its_runs_have_landed_it(
    deployment: Deployment, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(deployment, {"extensiveCalls": connector_records(tenant)["extensiveCalls"]})
    sensor = build_source_sensor(deployment.loaded())

    def tick(cursor: str | None) -> Any:
        resource = SnowflakeResource.from_settings(deployment.loaded())
        with dg.build_sensor_context(
            instance=deployment.instance, cursor=cursor, resources={"gong_snowflake": resource}
        ) as context:
            return sensor.evaluate_tick(context)

    first = tick(None)
    assert first.cursor is not None
    assert first.run_requests == [], "the lookback days have no calls"
    assert [each.asset_key.to_user_string() for each in first.asset_events] == ["gong_source_tables"]
    assert tick(first.cursor).run_requests == []
    day = DAYS.start + timedelta(days=3)
    sync(
        deployment,
        {"extensiveCalls": connector_records(Tenant([call("71", f"{day}T10:00:00Z")], [], [], [], [], []))[
            "extensiveCalls"]},
        datetime.now(UTC),
    )  # fmt: skip
    second = tick(first.cursor)
    (request,) = second.run_requests
    assert DateRange.from_run_tags(request.tags) == DateRange.single(day)

    def ended(request: dg.RunRequest, status: dg.DagsterRunStatus) -> None:
        tags = {**request.tags, "dagster/sensor_name": source_sensor.NAME}
        run = dg.DagsterRun("gong_ingestion", run_id=str(uuid.uuid4()), status=status, tags=tags)
        deployment.instance.add_run(run)

    # Its run failed. The day is requested again after a while, until a run has landed it.
    ended(request, dg.DagsterRunStatus.FAILURE)
    assert tick(second.cursor).run_requests == []
    monkeypatch.setattr(source_sensor, "RETRY_AFTER", timedelta(0))
    (again,) = tick(second.cursor).run_requests
    assert DateRange.from_run_tags(again.tags) == DateRange.single(day)
    assert again.run_key != request.run_key
    ended(again, dg.DagsterRunStatus.SUCCESS)
    assert tick(second.cursor).run_requests == []


def test_the_first_look_requests_no_history_and_later_ones_any_day() -> None:
    settings = Settings(gong_source="airbyte", gong_start_date=date(2020, 1, 1))
    today = date(2026, 3, 10)
    days = [date(2020, 5, 1), date(2026, 3, 1), date(2026, 3, 6), date(2026, 3, 9), date(2019, 1, 1)]
    assert ranges_to_land(settings, days, today, is_first=True) == [
        DateRange.inclusive(date(2026, 3, 6), date(2026, 3, 9))
    ]
    assert ranges_to_land(settings, days, today, is_first=False) == [
        DateRange.single(date(2020, 5, 1)),
        DateRange.inclusive(date(2026, 3, 1), date(2026, 3, 9)),
    ]
