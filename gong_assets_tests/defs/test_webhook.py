"""Announced calls: stored durably, requested once, landed with their transcripts."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import httpx
import pytest

from gong_assets.dates import DateRange
from gong_assets.defs import webhook
from gong_assets.defs.assets.missing_transcripts import awaited_transcripts
from gong_assets.defs.parts import Part
from gong_assets.defs.runs import landings_of_run
from gong_assets.defs.webhook import (
    ASSET,
    JOB,
    OP,
    AnnouncedCalls,
    announced_since,
    build_webhook,
    store_announcement,
)
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse
from gong_assets.warehouse.pending_changes import pending_changes
from gong_assets_tests.defs.ingestion_runs import Ingestion, calls, ids, transcript
from gong_assets_tests.end_to_end.gong_server import Gong
from gong_assets_tests.gong.webhook.signing import payload, public_key, signed
from gong_assets_tests.instances import local_instance

KEY = dg.AssetKey(ASSET)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
MARCH = DateRange(date(2025, 3, 1), date(2025, 3, 3))
SETTINGS = Settings(gong_webhook_url="https://hooks.example.com/")


@pytest.fixture
def ingestion(warehouse: Warehouse, tmp_path: Path) -> Iterator[Ingestion]:
    """Two days of five calls each, of which the last one has no transcript yet."""
    gong = Gong(calls=calls(list(MARCH), per_day=5))
    gong.transcripts = [transcript(call_id) for call_id in ids(gong.calls)[:-1]]
    with dg.DagsterInstance.ephemeral() as instance, gong.served():
        yield Ingestion(gong, warehouse, tmp_path, instance)


def land(ingestion: Ingestion, *call_ids: str, settings: Settings = SETTINGS) -> dg.ExecuteInProcessResult:
    (job,) = build_webhook(settings).jobs
    return job.execute_in_process(
        instance=ingestion.instance,
        resources={name: ingestion.resources()[name] for name in ("gong", "gong_snowflake")},
        run_config=dg.RunConfig(ops={OP: AnnouncedCalls(call_ids=list(call_ids))}),
    )


def test_announced_calls_land_with_their_transcripts_and_nothing_else(ingestion: Ingestion) -> None:
    announced = [ids(ingestion.gong.calls)[index] for index in (0, 6)]
    assert land(ingestion, *announced).success
    assert ingestion.stored() == ingestion.stored("GONG_CALL_TRANSCRIPTS_RAW") == announced
    assert [request.path for request in ingestion.gong.log] == ["/v2/calls/extensive", "/v2/calls/transcript"]
    # Announced again without a change, it costs two requests and no row.
    landed_at = "SELECT MAX(INGESTED_AT) AS AT FROM GONG_CALLS_RAW"
    before = ingestion.warehouse.query(landed_at)
    assert land(ingestion, announced[0]).success
    assert ingestion.warehouse.query(landed_at) == before
    # The next read of the days adds the others.
    assert ingestion.run(MARCH).success
    assert ingestion.stored() == ids(ingestion.gong.calls)


def test_announced_calls_do_not_make_a_raw_table_look_freshly_read(ingestion: Ingestion) -> None:
    """Only a part of their days was read: neither Dagster nor the landings call the days complete."""
    key = dg.AssetKey("gong_calls_raw")
    announced = ids(ingestion.gong.calls)[0]
    read_at = "SELECT LANDED_AT, CORRELATION_ID FROM GONG_RAW_LANDINGS WHERE TABLE_NAME = 'GONG_CALLS_RAW'"
    result = land(ingestion, announced)
    assert ingestion.instance.get_latest_materialization_event(key) is None
    assert ingestion.materialized("gong_calls_raw") == set()
    assert ingestion.warehouse.query(read_at) == [{"LANDED_AT": None, "CORRELATION_ID": None}]
    # The transformation follows all the same.
    landings = list(landings_of_run(ingestion.instance, result.run_id))
    assert {(each.asset_key, each.partition) for each in landings} >= {(key, "2025-03-01")}
    assert sum(int(each.metadata["rows_inserted"].value) for each in landings if each.asset_key == key) == 1

    assert ingestion.run(MARCH).success
    before = ingestion.warehouse.query(read_at)
    read = ingestion.instance.get_latest_materialization_event(key)
    ingestion.gong.calls[0].document["metaData"]["title"] = "Another title"
    assert land(ingestion, announced).success
    assert ingestion.warehouse.query(read_at) == before
    latest = ingestion.instance.get_latest_materialization_event(key)
    assert read is not None
    assert latest is not None
    assert latest.timestamp == read.timestamp


def test_a_transcript_that_is_not_finished_is_awaited(ingestion: Ingestion) -> None:
    *_, first, last = ids(ingestion.gong.calls)
    assert land(ingestion, first, last).success
    assert ingestion.stored() == [first, last]
    assert ingestion.stored("GONG_CALL_TRANSCRIPTS_RAW") == [first]
    transcripts = dg.AssetKey("gong_call_transcripts_raw")
    assert list(awaited_transcripts(ingestion.instance, transcripts, MARCH)) == [last]
    # A call that was read with all of its day before stays awaited, and is not awaited twice.
    ingestion.gong.transcripts = []
    assert ingestion.run(MARCH, confirm=True).success
    assert land(ingestion, first).success
    assert sorted(awaited_transcripts(ingestion.instance, transcripts, MARCH)) == ids(ingestion.gong.calls)
    ingestion.gong.transcripts = [transcript(call_id) for call_id in ids(ingestion.gong.calls)]
    assert land(ingestion, first).success
    assert first not in awaited_transcripts(ingestion.instance, transcripts, MARCH)


def test_a_private_call_does_not_land(ingestion: Ingestion) -> None:
    call = ingestion.gong.calls[0]
    call.document["metaData"]["isPrivate"] = True
    assert land(ingestion, str(call.id)).success
    assert [request.path for request in ingestion.gong.log] == ["/v2/calls/extensive"]


def test_a_call_from_before_the_first_partition_does_not_land(
    ingestion: Ingestion, capfd: pytest.CaptureFixture[str]
) -> None:
    """No model reads its day, so the change would stay pending."""
    settings = SETTINGS.model_copy(update={"gong_start_date": MARCH.last})
    early, kept = (ids(ingestion.gong.calls)[index] for index in (0, 6))
    assert land(ingestion, early, kept, settings=settings).success
    assert ingestion.stored() == ingestion.stored("GONG_CALL_TRANSCRIPTS_RAW") == [kept]
    with ingestion.warehouse.connect() as connection:
        assert {change.day for change in pending_changes(connection)} == {MARCH.last}
    assert f"such as {early}, started before 2025-03-02, the first partition" in capfd.readouterr().err


def test_a_call_that_gong_does_not_return_is_requested_once_more(
    ingestion: Ingestion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "NOT_FOUND_SECONDS", 0)
    known = ids(ingestion.gong.calls)[0]
    assert land(ingestion, "123", known).success
    assert ingestion.stored() == [known]
    assert [request.path for request in ingestion.gong.log] == [
        "/v2/calls/extensive", "/v2/calls/transcript",
    ] * 2  # fmt: skip


def test_a_sensor_requests_each_announced_call_once(tmp_path: Path) -> None:
    (sensor,) = build_webhook(SETTINGS).sensors
    with local_instance(tmp_path) as instance:

        def tick(cursor: str | None) -> tuple[list[list[str]], str]:
            context = dg.build_sensor_context(instance=instance, cursor=cursor)
            result = sensor.evaluate_tick(context)
            requests = [r.run_config["ops"][OP]["config"]["call_ids"] for r in result.run_requests or ()]
            assert result.cursor is not None
            return requests, result.cursor

        requests, cursor = tick(None)
        assert requests == []
        for call_id in ("3", "1", "3"):
            store_announcement(instance, KEY, call_id)
        requests, cursor = tick(cursor)
        assert requests == [["3", "1"]]
        assert tick(cursor) == ([], cursor)
        store_announcement(instance, KEY, "3")
        requests, cursor = tick(cursor)
        assert requests == [["3"]]


def test_old_announcements_are_not_requested(tmp_path: Path) -> None:
    with local_instance(tmp_path) as instance:
        store_announcement(instance, KEY, "1")
        assert announced_since(instance, KEY, 0, LONG_AGO)[0] == ["1"]
        assert announced_since(instance, KEY, 0, datetime.now(UTC) + timedelta(seconds=5)) == ([], 0)


def test_the_graph_has_a_webhook_only_if_one_is_configured() -> None:
    gong = {"gong_access_key": "k", "gong_access_key_secret": "s", "gong_assets_target": "local"}
    assert build_webhook(Settings(**gong)) == Part()  # type: ignore[arg-type]
    (job,) = build_webhook(Settings(**gong, gong_webhook_url="https://h.example")).jobs  # type: ignore[arg-type]
    assert job.name == JOB


@pytest.mark.slow
def test_what_was_answered_survives_a_killed_receiver(tmp_path: Path) -> None:
    """Kill the real command between requests: each announcement that got its 200 is in the storage."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}/gong"
    home = tmp_path / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    environment = {
        **os.environ, "DAGSTER_HOME": str(home), "GONG_ASSETS_HOME": str(tmp_path / "home"),
        "GONG_WEBHOOK_URL": url, "GONG_WEBHOOK_PUBLIC_KEY": public_key(),
    }  # fmt: skip
    command = [Path(sys.executable).parent / "gong-assets", "webhook", "--port", str(port)]
    answered: list[str] = []
    for round_number in range(3):
        process = subprocess.Popen(command, env=environment, cwd=tmp_path)
        try:
            _wait_until_healthy(port, process)
            for number in range(3):
                call_id = f"{round_number}{number}"
                body = payload(call_id)
                headers = {"authorization": signed(body, webhook_url=url)}
                assert httpx.post(url, content=body, headers=headers, timeout=30).status_code == 200
                answered.append(call_id)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert announced_since(instance, KEY, 0, LONG_AGO)[0] == answered


def _wait_until_healthy(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            pytest.fail("the receiver ended")
        try:
            if httpx.get(f"http://127.0.0.1:{port}/health", timeout=5).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail("the receiver did not start")
