"""The commands that find calls, records and deals, over tables of a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.agents.tables import call, company, create_views, deal_risk, rep, segment
from gong_assets_tests.cli.command_line import CommandLine


@pytest.fixture
def project(stack_home: Path, warehouse: Warehouse, tmp_path: Path) -> CommandLine:
    create_views(
        warehouse,
        calls=[call(each, primary_user_id="77", primary_user_name="Tomáš Novák") for each in "123"],
        segments=[segment("1_0", "Good morning."), segment("1_65", "Goodbye.")],
        directory=[rep("77", "Tomáš Novák", "tomas@x.example"), company("900", "Ünal")],
        deal_risks=[deal_risk("10", "Stalled", "Overdue", deal_owner="Rita")],
    )
    schema = str(warehouse.arguments["schema"])
    return CommandLine(tmp_path, {"GONG_ASSETS_HOME": str(stack_home), "SNOWFLAKE_SCHEMA": schema})


@pytest.mark.slow
def test_calls_are_listed_page_by_page(project: CommandLine) -> None:
    first = project.gong_assets("calls", "--rep", "tomas novak", "--from-date", " 20261110", "--limit", "2")
    assert [row.split()[0] for row in first.succeeded().stdout.splitlines()] == ["call", "3", "2"]
    age, rest = first.stderr.splitlines()
    assert age == "calls were last read from Gong at 2026-11-12 08:30 UTC"
    token = rest.rpartition(" --page ")[2]
    second = project.gong_assets("calls", "--rep", "tomas novak", "--page", token, "--json").succeeded()
    assert [each["call_id"] for each in second.json["calls"]] == ["1"]
    assert "next_page" not in second.json


@pytest.mark.slow
def test_a_transcript_is_printed_with_its_minutes_and_seconds(project: CommandLine) -> None:
    lines = project.gong_assets("transcript", "1").succeeded().stdout.splitlines()
    assert lines[1:] == [
        "https://gong.example/call?id=1",
        "  00:00  Unknown: Good morning.",
        "  01:05  Unknown: Goodbye.",
    ]


@pytest.mark.slow
def test_records_and_deals_are_listed(project: CommandLine) -> None:
    found = project.gong_assets("find", "REP", "novak").succeeded().stdout.splitlines()
    assert found[1].split() == ["77", "Gong", "Tomáš", "Novák", "tomas@x.example", "part"]
    deals = project.gong_assets("deals", "--level", "LOW").succeeded().stdout.splitlines()
    assert deals[1].split() == ["10", "Low", "Deal", "10", "Rita", "Stalled;", "Overdue"]


@pytest.mark.slow
def test_an_unknown_name_is_one_line_with_similar_names(project: CommandLine) -> None:
    outcome = project.gong_assets("account", "Unall")
    assert (outcome.code, outcome.stdout) == (1, "")
    assert outcome.stderr == 'error: there is no company Unall; use a whole name or an id: "Ünal" (900)\n'
