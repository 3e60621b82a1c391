"""Airbyte's path for real: its CDK reads the simulated tenant, its records become tables, and the graph runs.

The CDK conflicts with the project's requirements, so it is installed in an environment of its own, which
takes a minute. GONG_ASSETS_TEST_AIRBYTE_CDK may name one that exists.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from gong_assets.dates import DateRange
from gong_assets.local import local_stack
from gong_assets_tests.defs.sources.graph import Deployment, metadata
from gong_assets_tests.warehouse.sources.airbyte_tables import write_typed
from gong_assets_tests.warehouse.sources.tenant import read_tenant

pytestmark = pytest.mark.slow

MANIFEST = Path(__file__).parents[2] / "data" / "airbyte_manifest.yaml"
STREAMS = ("users", "extensiveCalls", "callTranscripts")
DAYS = DateRange.single(datetime.now(UTC).date() - timedelta(days=9))

Json = dict[str, Any]


@pytest.fixture(scope="module")
def cdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of Airbyte's CDK that runs a declarative manifest."""
    if existing := os.environ.get("GONG_ASSETS_TEST_AIRBYTE_CDK"):
        return Path(existing) / "bin" / "source-declarative-manifest"
    venv = tmp_path_factory.mktemp("cdk") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    installed = subprocess.run(
        [venv / "bin" / "pip", "install", "--quiet", "airbyte-cdk"],
        capture_output=True,
        text=True,
        check=False,
    )
    if installed.returncode:
        pytest.skip(f"airbyte-cdk cannot be installed: {installed.stderr[-200:]}")
    return venv / "bin" / "source-declarative-manifest"


def read_with_airbyte(cdk: Path, home: Path, directory: Path) -> dict[str, list[Json]]:
    """Return the records that the connector emits, by stream."""
    gong = local_stack().up(home).gong
    start, end = DAYS.utc_bounds()
    config = {
        "base_url": f"{gong.base_url}/",
        "access_key": gong.access_key,
        "access_key_secret": gong.access_key_secret,
        "start_date": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "end_date": f"{end:%Y-%m-%dT%H:%M:%SZ}",
        "__injected_declarative_manifest": yaml.safe_load(MANIFEST.read_text("utf-8")),
    }
    catalog = {
        "streams": [
            {
                "stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
                "sync_mode": "full_refresh",
                "destination_sync_mode": "append",
            }
            for name in STREAMS
        ]
    }
    files = {"config": config, "catalog": catalog}
    for name, content in files.items():
        (directory / f"{name}.json").write_text(json.dumps(content), "utf-8")
    arguments = [part for name in files for part in (f"--{name}", str(directory / f"{name}.json"))]
    output = subprocess.run(
        [str(cdk), "read", *arguments], capture_output=True, text=True, check=True, timeout=300
    ).stdout
    records: defaultdict[str, list[Json]] = defaultdict(list)
    for line in output.splitlines():
        message = json.loads(line)
        if message["type"] == "RECORD":
            records[message["record"]["stream"]].append(message["record"]["data"])
    return records


def test_what_airbytes_cdk_reads_lands_as_what_the_api_returns(
    cdk: Path, stack_home: Path, tmp_path: Path
) -> None:
    records = read_with_airbyte(cdk, stack_home, tmp_path)
    assert all(records[stream] for stream in STREAMS)
    schema = f"CDK_{uuid.uuid4().hex[:8].upper()}"
    deployment = Deployment(stack_home, DAYS.start, {"gong_source": "airbyte", "gong_source_schema": schema})
    for stream in STREAMS:
        write_typed(deployment.warehouse, schema, stream, records[stream], datetime.now(UTC))
    assert deployment.run("gong_sync", DAYS).success

    truth = read_tenant(stack_home, DAYS)
    calls = {each["metaData"]["id"]: each for each in truth.calls if not each["metaData"]["isPrivate"]}
    landed = {
        row["CALL_ID"]: json.loads(row["RAW_DATA"]) for row in deployment.rows("SELECT * FROM GONG_CALLS_RAW")
    }
    assert landed == calls
    transcripts = deployment.rows("SELECT * FROM GONG_CALL_TRANSCRIPTS_RAW")
    assert {row["CALL_ID"]: json.loads(row["TRANSCRIPT_DATA"]) for row in transcripts} == {
        each["callId"]: each for each in truth.transcripts if each["callId"] in calls
    }
    assert deployment.count("VW_ENRICHED_GONG_CALLS") == len(calls)

    # The API finds nothing to change, so no text is sent to Cortex again.
    before = deployment.cortex_calls()
    assert before > 0
    again = deployment.run("gong_sync", DAYS, gong_source="api")
    assert again.success
    assert metadata(again, "gong_calls_raw")["rows_inserted"] == 0
    assert deployment.cortex_calls() == before
