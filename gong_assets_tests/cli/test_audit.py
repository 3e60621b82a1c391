"""`gong-assets audit` over Airbyte's tables of the simulated tenant, from end to end."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gong_assets.dates import DateRange
from gong_assets_tests.cli.command_line import CommandLine
from gong_assets_tests.schemas import emptied
from gong_assets_tests.warehouse.sources.airbyte_tables import connector_records, write_typed
from gong_assets_tests.warehouse.sources.records import call, tenant
from gong_assets_tests.warehouse.sources.tenant import read_tenant

pytestmark = pytest.mark.extended

DAY = datetime.now(UTC).date() - timedelta(days=20)


def test_help_says_what_the_audit_finds(tmp_path: Path) -> None:
    stdout = CommandLine(tmp_path, {"COLUMNS": "200"}).gong_assets("audit", "--help").succeeded().stdout
    assert "Compare the landed calls and transcripts with Gong's own list" in stdout
    for option in ("--from-date", "--to-date", "--no-heal", "--confirm-deletions", "--json"):
        assert option in stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--from-date", "2026-02-02", "--to-date", "2026-02-01"], "--from-date 2026-02-02 is after"),
        (["--to-date", "2999-01-01"], "--to-date 2999-01-01 is in the future"),
        (["--from-date", "2999-01-01"], "--from-date 2999-01-01 is in the future"),
        (["--from-date", "yesterday"], "'yesterday' is not a date"),
        (["--repair"], "no such option: --repair"),
    ],
)
def test_wrong_usage_exits_with_2_and_a_reason(tmp_path: Path, arguments: list[str], words: str) -> None:
    command = CommandLine(tmp_path, {"GONG_SOURCE": "airbyte", "GONG_START_DATE": "2026-01-01"})
    outcome = command.gong_assets("audit", *arguments)
    assert (outcome.code, outcome.stdout) == (2, "")
    assert words in outcome.stderr
    assert "Traceback" not in outcome.stderr


@pytest.mark.slow
def test_the_audit_reports_then_heals_then_finds_nothing(stack_home: Path, tmp_path: Path) -> None:
    warehouse, connector = emptied(stack_home, "AUDITED"), f"AIRBYTE_{uuid.uuid4().hex[:8].upper()}"
    command = CommandLine(
        tmp_path,
        {
            "GONG_ASSETS_HOME": str(stack_home),
            "DAGSTER_HOME": str(tmp_path / "dagster"),
            "GONG_ASSETS_SOURCE": "simulated",
            "GONG_START_DATE": DAY.isoformat(),
            "GONG_SOURCE": "airbyte",
            "GONG_SOURCE_SCHEMA": connector,
            "SNOWFLAKE_SCHEMA": "AUDITED",
            "COLUMNS": "200",
        },
    )
    (tmp_path / "dagster").mkdir()
    dates = ["--from-date", str(DAY), "--to-date", str(DAY)]
    # Without any table of Airbyte.
    outcome = command.gong_assets("audit", *dates)
    assert outcome.code == 1
    assert f"{connector} has no table with calls" in outcome.stderr
    assert "Traceback" not in outcome.stderr

    records = connector_records(read_tenant(stack_home, DateRange.single(DAY)))
    lost, *rest = records["extensiveCalls"]
    kept = connector_records(tenant(call("7001", f"{DAY}T10:00:00Z")))["extensiveCalls"]
    for stream, each in (("extensiveCalls", [*rest, *kept]), ("callTranscripts", records["callTranscripts"])):
        write_typed(warehouse, connector, stream, each, datetime.now(UTC) - timedelta(days=1))
    command.gong_assets("sync", "--mode", "backfill", *dates).succeeded()

    found = command.gong_assets("audit", *dates, "--no-heal", "--json").succeeded().json
    assert (found["lost_calls"], found["kept_calls"], found["healed"]) == (1, 1, False)
    assert found["ids"] == {"lost_calls": [lost["metaData"]["id"]], "kept_calls": ["7001"]}
    (row,) = found["by_day"]
    assert (row["day"], row["lost_calls"], row["kept_calls"]) == (str(DAY), 1, 1)
    assert row["gong_requests"] == found["gong_requests"] > 0

    text = command.gong_assets("audit", *dates).succeeded().stdout
    assert "lost calls: 1" in text
    assert "calls healed: 1" in text
    again = command.gong_assets("audit", *dates, "--json").succeeded().json
    assert again["findings"] == 0


@pytest.mark.slow
def test_without_gong_credentials_the_audit_says_what_it_cannot_know(
    stack_home: Path, tmp_path: Path
) -> None:
    (tmp_path / "dagster").mkdir()
    emptied(stack_home, "AUDITED")
    command = CommandLine(
        tmp_path,
        {
            "GONG_ASSETS_HOME": str(stack_home),
            "DAGSTER_HOME": str(tmp_path / "dagster"),
            "GONG_ASSETS_TARGET": "local",
            "GONG_START_DATE": DAY.isoformat(),
            "GONG_SOURCE": "airbyte",
            "SNOWFLAKE_SCHEMA": "AUDITED",
        },
    )
    outcome = command.gong_assets("audit", "--from-date", str(DAY), "--to-date", str(DAY), "--json")
    assert "GONG_ACCESS_KEY" in outcome.succeeded().json["unknown"]


@pytest.mark.slow
def test_without_another_product_the_counts_are_those_of_all_days(stack_home: Path, tmp_path: Path) -> None:
    (tmp_path / "dagster").mkdir()
    emptied(stack_home, "AUDITED")
    command = CommandLine(
        tmp_path,
        {
            "GONG_ASSETS_HOME": str(stack_home),
            "DAGSTER_HOME": str(tmp_path / "dagster"),
            "GONG_ASSETS_SOURCE": "simulated",
            "GONG_START_DATE": DAY.isoformat(),
            "SNOWFLAKE_SCHEMA": "AUDITED",
            "COLUMNS": "200",
        },
    )
    days = DateRange.inclusive(DAY, DAY + timedelta(days=2))
    dates = ["--from-date", str(days.start), "--to-date", str(DAY + timedelta(days=2))]
    found = command.gong_assets("audit", *dates, "--json").succeeded().json
    new = found["differences"]["new"]
    assert found["run/days_that_differ"] == 3
    assert len(set(new)) == len(new) == found["calls_listed"] == found["calls_new"]
    text = command.gong_assets("audit", *dates).succeeded().stdout
    assert "days that differ: 0" in text
    assert f"calls landed: {found['calls_listed']}" in text
    assert "differences" not in text
    assert "run/" not in text
