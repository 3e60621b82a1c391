"""After an erasure and another sync, nothing that the project writes names the person."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from gong_assets.cli.erase import run_erase
from gong_assets.cli.progress import Progress
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.end_to_end.company import CUSTOMER, REP, call, moment, rep, transcript
from gong_assets_tests.end_to_end.deployment import Deployment, at
from gong_assets_tests.end_to_end.gong_records import Record, stored
from gong_assets_tests.end_to_end.gong_server import Gong

pytestmark = [pytest.mark.extended, pytest.mark.slow]

SENTINELS = ("zephyrine", "quackenbush", "15550199887", "555 0199 887", "moonshine", "hubspot-contact-881")
EMAIL = "zephyrine@quackenbush.example"


def person() -> Record:
    contact = {"objectType": "Contact", "objectId": "hubspot-contact-881", "fields": []}
    return {
        "id": "9",
        "speakerId": CUSTOMER,
        "name": "Zephyrine Quackenbush",
        "affiliation": "External",
        "emailAddress": EMAIL,
        "phoneNumber": "+1 555 0199 887",
        "context": [{"system": "HubSpot", "objects": [contact]}],
    }


def her_call(number: int) -> Record:
    return call(
        f"55000000000000000{number}",
        moment(3, 10 + number),
        parties=[rep(), person()],
        meta={"title": "Zephyrine and Rita", "isPrivate": False},
        content={"brief": "Zephyrine asked to be called at +1 555 0199 887."},
    )


def her_transcript(number: int) -> Record:
    return transcript(
        f"55000000000000000{number}",
        (REP, None, ["Good morning Zephyrine, shall we look at the offer for this year together?"]),
        (CUSTOMER, None, ["Our moonshine distillery is terribly unhappy with this awful price."]),
    )


@pytest.fixture
def gong() -> Iterator[Gong]:
    served = Gong()
    served.calls = [stored(her_call(1)), stored(call("550000000000000009", moment(3)))]
    served.transcripts = [her_transcript(1)]
    with served.served():
        yield served


def tables_with_person(warehouse: Warehouse, schema: str) -> list[str]:
    names = warehouse.query(
        "SELECT TABLE_NAME AS NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = %s", (schema,)
    )
    return sorted(
        row["NAME"]
        for row in names
        if any(each in str(warehouse.query(f"SELECT * FROM {row['NAME']}")).lower() for each in SENTINELS)
    )


def files_with_person(*directories: Path) -> list[str]:
    return [
        str(file)
        for directory in directories
        for file in directory.rglob("*")
        if file.is_file() and any(each.encode() in file.read_bytes().lower() for each in SENTINELS)
    ]


def test_no_table_file_or_event_names_an_erased_person(
    gong: Gong, warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    home, dagster_home = tmp_path / "home", tmp_path / "dagster"
    dagster_home.mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(dagster_home))
    schema = warehouse.arguments["schema"]
    with dg.DagsterInstance.get() as instance:
        deployment = Deployment.of(gong, warehouse, home, instance)
        deployment.only = frozenset({"gong_calls_raw", "gong_call_transcripts_raw"})
        synced = deployment.schedule("gong_ingestion_schedule", at(date(2025, 3, 4))) + deployment.settle()
        assert all(run.success for run in synced)
        held = tables_with_person(warehouse, schema)
        assert {"GONG_CALLS_RAW", "STG_GONG_CALL_PARTICIPANTS", "GONG_CORTEX_ANSWERS"} <= set(held)

        with Progress() as progress:
            receipt = run_erase(
                deployment.settings, [("email", EMAIL.upper())], "redact", progress, dry_run=False
            )
        assert receipt["calls"] == 1
        by_table = {each["table"]: each for each in receipt["tables"]}
        assert by_table["GONG_CALL_TRANSCRIPTS_RAW"]["redacted"] == 1
        assert by_table["GONG_CORTEX_ANSWERS"]["deleted"] > 0
        assert tables_with_person(warehouse, schema) == []

        # She is on a new call, and Gong still has the old one.
        gong.calls.append(stored(her_call(2)))
        gong.transcripts.append(her_transcript(2))
        again = deployment.settle()
        again += (
            deployment.schedule("gong_ingestion_schedule", at(date(2025, 3, 4), 16)) + deployment.settle()
        )
        assert len(again) == 3
        assert all(run.success for run in again)
        assert tables_with_person(warehouse, schema) == []
        rows = warehouse.query("SELECT CALL_ID, CALL_TITLE FROM VW_ENRICHED_GONG_CALLS ORDER BY CALL_ID")
        assert [row["CALL_TITLE"] for row in rows if row["CALL_ID"] != "550000000000000009"] == [
            "[erased] and Rita"
        ] * 2
        assert not deployment.differences()
    saved = json.loads((home / "erasures" / f"{receipt['erasure_id']}.json").read_text())
    assert saved == receipt
    assert files_with_person(home, dagster_home) == []
    output = "".join(capfd.readouterr()).lower()
    assert [each for each in SENTINELS if each in output] == []
