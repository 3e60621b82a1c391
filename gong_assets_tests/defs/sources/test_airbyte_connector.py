"""Airbyte's path for real: its CDK reads the simulated tenant, its records become tables, and the graph runs.

The CDK conflicts with the project's requirements, so it is installed in an environment of its own, which
takes a minute. GONG_ASSETS_TEST_AIRBYTE_CDK may name one that exists.
"""

from __future__ import annotations

import json
import os
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gong_assets.local import local_stack
from gong_assets_tests.defs.sources import airbyte_cdk
from gong_assets_tests.defs.sources.airbyte_cdk import STREAMS, Connection
from gong_assets_tests.defs.sources.days import weekdays
from gong_assets_tests.defs.sources.graph import Deployment, metadata
from gong_assets_tests.warehouse.sources.airbyte_tables import write_typed
from gong_assets_tests.warehouse.sources.tenant import read_tenant

pytestmark = [pytest.mark.extended, pytest.mark.slow]

DAYS = weekdays(1)
# Gong's list of calls, which the connector reads transcripts by, filters conferences by their scheduled time.
MARGIN = timedelta(hours=1)

Json = dict[str, Any]


@pytest.fixture(scope="module")
def cdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The environment of Airbyte's CDK."""
    if existing := os.environ.get("GONG_ASSETS_TEST_AIRBYTE_CDK"):
        return Path(existing)
    try:
        return airbyte_cdk.install(tmp_path_factory.mktemp("cdk"))
    except airbyte_cdk.InstallError as error:
        pytest.skip(str(error))


@pytest.fixture
def connection(cdk: Path, stack_home: Path, tmp_path: Path) -> Connection:
    """A connection that has not synced yet."""
    start, _ = DAYS.utc_bounds()
    return Connection(cdk, tmp_path, local_stack().up(stack_home).gong, start - MARGIN)


def test_what_airbytes_cdk_reads_lands_as_what_the_api_returns(
    connection: Connection, stack_home: Path
) -> None:
    _, end = DAYS.utc_bounds()
    records = connection.sync(end + MARGIN)
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
    assert metadata(again, "gong_calls_raw")["run/rows_inserted"] == 0
    assert deployment.cortex_calls() == before


def test_a_second_sync_reads_only_what_started_after_the_cursor(connection: Connection) -> None:
    start, end = DAYS.utc_bounds()
    first = connection.sync(start + timedelta(hours=18))
    second = connection.sync(end)
    everything = Connection(connection.environment, connection.directory, connection.gong, connection.start)
    whole = everything.sync(end)
    for stream, key in (("extensiveCalls", "id"), ("callTranscripts", "callId")):
        ids = [{record[key] for record in records[stream]} for records in (first, second, whole)]
        assert ids[0] | ids[1] == ids[2]
        assert ids[0] - ids[1], f"{stream}: the second sync read everything again"
        assert ids[1] - ids[0]
