"""The tools of the MCP server over a company's month, called over stdio and HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from mcp import Client
from mcp.types import CallToolResult

from gong_assets.agents import (
    AccountTimeline,
    CallAnalysis,
    CoachingOpportunities,
    SimilarSegments,
    account_timeline,
    analyze_call,
    coaching_opportunities,
    similar_segments,
)
from gong_assets.warehouse.connection import Warehouse
from gong_assets_tests.agents.mcp_clients import (
    http_server,
    run_over_http,
    run_over_stdio,
    stdio_session,
    tool_error,
    tool_result,
)
from gong_assets_tests.cli.command_line import CommandLine
from gong_assets_tests.end_to_end import company
from gong_assets_tests.end_to_end.runs import changes, take_snapshot

pytestmark = [
    pytest.mark.extended,
    pytest.mark.slow,
    pytest.mark.xdist_group("company"),
    pytest.mark.usefixtures("first_run"),
]

EXPENSIVE = "the customer thinks that it costs too much"
CUSTOMER = "Customer Ltd, Istanbul"

Call = tuple[str, dict[str, Any]]
CallTools = Callable[[list[Call]], list[CallToolResult]]


@pytest.fixture(scope="module")
def url(project: CommandLine) -> Iterator[str]:
    with http_server(project) as (url, _):
        yield url


@pytest.fixture(params=["stdio", "http", "http, older protocol"])
def call_tools(request: pytest.FixtureRequest, project: CommandLine, url: str) -> CallTools:
    """Call tools in sequence on one connection."""

    async def call_all(client: Client, calls: list[Call]) -> list[CallToolResult]:
        return [await client.call_tool(name, arguments) for name, arguments in calls]

    def connect(calls: list[Call]) -> list[CallToolResult]:
        if request.param == "stdio":
            return run_over_stdio(project, lambda client: call_all(client, calls))
        mode = "legacy" if "older" in request.param else "auto"
        return run_over_http(url, lambda client: call_all(client, calls), mode)

    return connect


def days_since_march() -> int:
    return (datetime.now(UTC) - datetime(2025, 3, 1, tzinfo=UTC)).days + 1


def test_each_tool_returns_the_result_of_its_function(
    call_tools: CallTools, company_warehouse: Warehouse
) -> None:
    days = days_since_march()
    coaching, analysis, search, timeline = map(
        tool_result,
        call_tools(
            [
                ("coaching_opportunities", {"days": days, "limit": 3}),
                ("analyze_call", {"call_id": company.PRICING}),
                (
                    "similar_calls",
                    {
                        "text": EXPENSIVE, "limit": 2, "context": 1,
                        "from_date": "2025-03-01", "to_date": "2025-03-30",
                        "rep": "Rita O'Neill", "speaker": "External", "min_words": 4,
                    },
                ),
                ("account_timeline", {"company": CUSTOMER}),
            ]
        ),
    )  # fmt: skip
    assert CoachingOpportunities.model_validate(coaching) == coaching_opportunities(
        company_warehouse, days=days, limit=3
    )
    assert CallAnalysis.model_validate(analysis) == analyze_call(company_warehouse, company.PRICING)
    segments = similar_segments(
        company_warehouse, EXPENSIVE, limit=2, context=1, speaker="External", min_words=4
    )
    assert SimilarSegments.model_validate(search) == segments
    assert segments.segments[0].text == company.PRICE_COMPLAINT
    assert AccountTimeline.model_validate(timeline) == account_timeline(company_warehouse, CUSTOMER)


HOSTILE: list[tuple[str, dict[str, Any], str]] = [
    ("analyze_call", {"call_id": "'; DROP TABLE GONG_CALLS_RAW; --"}, "is not in VW_ENRICHED_GONG_CALLS"),
    ("analyze_call", {"call_id": "x" * 2**19}, "call_id: string should have at most 500 characters"),
    ("analyze_call", {"call_id": "1\0"}, "call_id: should not contain a NUL character"),
    ("analyze_call", {"call_id": 7.782342274025938e18}, "call_id: input should be a valid string"),
    ("analyze_call", {}, "call_id: field required"),
    ("account_timeline", {"company": "' OR '1' = '1"}, "there is no company ' OR '1' = '1"),
    ("account_timeline", {"company": CUSTOMER, "limit": 10**18}, "limit: input should be less than or equal"),
    ("account_timeline", {"company": ["a", {"b": None}]}, "company: input should be a valid string"),
    ("coaching_opportunities", {"days": -1}, "days: input should be greater than or equal to 1"),
    ("coaching_opportunities", {"limit": "10; DELETE"}, "limit: input should be a valid integer"),
    ("coaching_opportunities", {"sql": "DROP TABLE X"}, "coaching_opportunities has no argument sql"),
    ("similar_calls", {"text": "x" * 2**19}, "text: string should have at most 1500 characters"),
    ("similar_calls", {"text": " "}, "text: should not be blank"),
    ("similar_calls", {"text": "! " * 700}, "the text is too long for the embedding model; shorten it"),
    ("similar_calls", {"text": "a", "from_date": "2025-03-02", "to_date": "2025-03-01"}, "is after to_date"),
    ("similar_calls", {"text": EXPENSIVE, "from_date": "'; --"}, "from_date: should be a date"),
    ("similar_calls", {"text": EXPENSIVE, "rep": "%"}, "there is no rep %"),
    ("similar_calls", {"text": EXPENSIVE, "deal": "1; DROP"}, "there is no deal 1; DROP"),
    ("similar_calls", {"text": EXPENSIVE, "speaker": "Anybody"}, "speaker: input should be"),
    ("similar_calls", {"text": EXPENSIVE, "limit": 1000, "context": 20}, "could return 41,000 turns"),
    ("drop_table", {"name": "GONG_CALLS_RAW"}, "Unknown tool: drop_table"),
]  # fmt: skip


def test_invalid_arguments_are_one_line_tool_errors_and_change_no_table(
    call_tools: CallTools, company_warehouse: Warehouse
) -> None:
    before = take_snapshot(company_warehouse)
    results = call_tools([(name, arguments) for name, arguments, _ in HOSTILE])
    for (name, arguments, message), result in zip(HOSTILE, results, strict=True):
        line = tool_error(result)
        assert message in line, (name, str(arguments)[:100])
        assert len(line) < 300
    assert changes(before, take_snapshot(company_warehouse)) == []


def test_a_hostile_search_text_is_treated_as_text(call_tools: CallTools) -> None:
    (result,) = call_tools([("similar_calls", {"text": company.STRANGE_TEXT, "limit": 1})])
    assert company.STRANGE_TEXT in tool_result(result)["segments"][0]["text"]


def test_an_empty_result_is_not_an_error(call_tools: CallTools) -> None:
    coaching, search = call_tools(
        [("coaching_opportunities", {"days": 1}), ("similar_calls", {"text": EXPENSIVE, "min_similarity": 1})]
    )
    assert tool_result(coaching)["calls"] == []
    assert tool_result(search)["segments"] == []


def test_two_clients_are_served_concurrently_over_http(url: str) -> None:
    async def search(text: str, found: list[str]) -> None:
        async with Client(url) as client:
            for _ in range(3):
                result = tool_result(await client.call_tool("similar_calls", {"text": text, "limit": 1}))
                found.append(result["segments"][0]["text"])

    async def both() -> tuple[list[str], list[str]]:
        price: list[str] = []
        support: list[str] = []
        await asyncio.gather(search(EXPENSIVE, price), search("they are glad about the product", support))
        return price, support

    price, happy = asyncio.run(both())
    assert price == [company.PRICE_COMPLAINT] * 3
    assert happy == ["We love the product and the wonderful support, it is a great success."] * 3


def test_two_clients_can_each_run_their_own_server(project: CommandLine) -> None:
    async def both() -> list[CallToolResult]:
        async with stdio_session(project) as one, stdio_session(project) as other:
            return await asyncio.gather(
                *(client.call_tool("analyze_call", {"call_id": company.PRICING}) for client in (one, other))
            )

    first, second = map(tool_result, asyncio.run(both()))
    assert first == second
