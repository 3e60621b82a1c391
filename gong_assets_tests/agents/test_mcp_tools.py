"""The tools of the MCP server, called by the official client over stdio and HTTP."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import CallToolResult

from gong_assets.agents.arguments import MAX_ANSWER_CHARACTERS
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.agents.mcp_clients import (
    http_server,
    run_over_http,
    run_over_stdio,
    tool_error,
    tool_result,
)
from gong_assets_tests.agents.tables import (
    call,
    coaching_opportunity,
    company,
    create_views,
    deal_risk,
    rep,
    segment,
)
from gong_assets_tests.cli.command_line import CommandLine

pytestmark = pytest.mark.extended

Request = tuple[str, dict[str, Any]]
CallTools = Callable[[list[Request]], list[CallToolResult]]

MANY = 300


@pytest.fixture(params=["stdio", "http"])
def call_tools(
    request: pytest.FixtureRequest, stack_home: Path, warehouse: Warehouse, tmp_path: Path
) -> CallTools:
    """Call tools in sequence on one connection, over tables of this test."""
    create_views(
        warehouse,
        calls=[call(f"{number:03}", primary_user_id="77", call_summary="x" * 100) for number in range(MANY)],
        segments=[segment(f"000_{turn}", f"Turn {turn} of the call.") for turn in range(MANY)],
        coaching=[
            coaching_opportunity("001", 0.5, "Talked Too Much", call_datetime_utc="2026-11-10 15:00:00")
        ],
        directory=[rep("77", "Tomáš Novák", "tomas@x.example"), rep("78", "Rita"), company("900", "Ünal")],
        deal_risks=[deal_risk("10", "Stalled")],
    )
    schema = str(warehouse.arguments["schema"])
    project = CommandLine(tmp_path, {"GONG_ASSETS_HOME": str(stack_home), "SNOWFLAKE_SCHEMA": schema})

    async def call_all(client: Client, requests: list[Request]) -> list[CallToolResult]:
        return [await client.call_tool(name, arguments) for name, arguments in requests]

    def connect(requests: list[Request]) -> list[CallToolResult]:
        if request.param == "stdio":
            return run_over_stdio(project, lambda client: call_all(client, requests))
        with http_server(project) as (url, _):
            return run_over_http(url, lambda client: call_all(client, requests))

    return connect


@pytest.mark.slow
def test_arguments_are_as_lenient_as_those_of_a_command(call_tools: CallTools) -> None:
    calls, transcript, records, deals, coaching = map(
        tool_result,
        call_tools(
            [
                ("find_calls", {"rep": " TOMAS novak ", "from_date": "20261110", "limit": "2", "deal": None}),
                ("read_transcript", {"call_id": "000", "max_characters": " 1000 "}),
                ("find_records", {"record_type": "COMPANY", "name": "unal", "limit": 1.0}),
                ("deals_at_risk", {"level": "low", "owner": None}),
                ("coaching_opportunities", {"days": "36500"}),
            ]
        ),
    )
    assert [each["call_id"] for each in calls["calls"]] == ["299", "298"]
    assert [each["text"] for each in transcript["turns"][:2]] == [
        "Turn 0 of the call.",
        "Turn 1 of the call.",
    ]
    assert records["records"][0]["match"] == "name"
    assert deals["deals"][0]["reasons"] == ["Stalled"]
    assert coaching["calls"][0]["call_url"] == "https://gong.example/call?id=001"
    for answer in (calls, transcript, records, deals, coaching):
        assert answer["data_as_of"] == "2026-11-12T08:30:00Z"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tool", "arguments", "items", "key"),
    [
        ("find_calls", {"limit": 1000}, "calls", "call_id"),
        ("read_transcript", {"call_id": "000", "max_characters": 10**6}, "turns", "transcript_id"),
        ("similar_calls", {"text": "a turn", "limit": 1000}, "segments", "transcript_id"),
    ],
)
def test_pages_of_a_capped_answer_are_disjoint_and_complete(
    call_tools: CallTools, tool: str, arguments: dict[str, Any], items: str, key: str
) -> None:
    (first,) = call_tools([(tool, arguments)])
    answers = [tool_result(first)]
    while page := answers[-1].get("next_page"):
        (result,) = call_tools([(tool, {**arguments, "page": page})])
        answers.append(tool_result(result))
    assert len(first.content[0].text) < MAX_ANSWER_CHARACTERS + 1000  # type: ignore[union-attr]
    assert len(answers) > 1
    found = [item[key] for answer in answers for item in answer[items]]
    assert len(found) == len(set(found)) == MANY


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("find_calls", {"from_date": "yesterday"}, "from_date: should be a date (YYYY-MM-DD)"),
    ("find_calls", {"from_date": "2026-11-02", "to_date": "2026-11-01"}, "is after to_date 2026-11-01"),
    ("find_calls", {"rep": "Tomas Nowak"}, 'use a whole name or an id: "Tomáš Novák" (77)'),
    ("find_calls", {"page": "junk"}, "page: should be the next_page of an earlier answer"),
    ("find_calls", {"host": "Rita"}, "find_calls has no argument host; its arguments are from_date"),
    ("find_records", {"record_type": "person"}, "record_type: input should be 'Rep', 'Company' or 'Deal'"),
    ("find_records", {}, "record_type: field required"),
    ("read_transcript", {"call_id": "'; DROP TABLE X; --"}, "is not in VW_ENRICHED_GONG_CALLS"),
    ("read_transcript", {"call_id": True}, "call_id: input should be a valid string"),
    ("read_transcript", {"call_id": "000", "max_characters": 10}, "max_characters: input should be greater"),
    ("deals_at_risk", {"level": "extreme"}, "level: input should be 'Low', 'Medium' or 'High'"),
    ("deals_at_risk", {"limit": "many"}, "limit: input should be a valid integer"),
]  # fmt: skip


@pytest.mark.slow
def test_a_wrong_argument_is_one_line_that_says_what_it_should_be(call_tools: CallTools) -> None:
    results = call_tools([(tool, arguments) for tool, arguments, _ in WRONG])
    for (tool, arguments, message), result in zip(WRONG, results, strict=True):
        assert message in tool_error(result), (tool, arguments)
