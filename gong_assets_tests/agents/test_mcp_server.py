"""The MCP server as a process: what it writes where, whom it listens to, and what an agent learns before its first question.

What the tools answer over real tables is in `end_to_end/test_mcp.py`.
"""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from mcp import Client
from mcp.types import ListToolsResult

from gong_assets.local import stack
from gong_assets_tests.agents.mcp_clients import (
    COMMAND,
    asked_over_http,
    asked_over_stdio,
    error_of,
    http_server,
)
from gong_assets_tests.cli.command_line import CommandLine

INITIALIZE = {
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[CommandLine]:
    """A home in which nothing runs and nothing is materialized."""
    home = tmp_path / "home"
    yield CommandLine(tmp_path, {"GONG_ASSETS_HOME": str(home)})
    stack.down(home)


async def list_tools(client: Client) -> ListToolsResult:
    return await client.list_tools()


def call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"method": "tools/call", "params": {"name": name, "arguments": arguments}}


def test_an_agent_learns_what_to_use_when_before_anything_is_started(project: CommandLine) -> None:
    async def learn(client: Client) -> tuple[str | None, ListToolsResult]:
        return client.instructions, await client.list_tools()

    instructions, listed = asked_over_stdio(project, learn)

    tools = {tool.name: tool for tool in listed.tools}
    assert tools.keys() == {"coaching_opportunities", "analyze_call", "similar_calls", "account_timeline"}
    for name, tool in tools.items():
        assert name in (instructions or "")
        assert "Use it" in (tool.description or "")
        assert tool.annotations is not None
        assert (tool.annotations.read_only_hint, tool.annotations.destructive_hint) == (True, False)
        assert tool.output_schema is not None
        assert tool.output_schema["type"] == "object"
        assert tool.input_schema["additionalProperties"] is False
        for argument in tool.input_schema["properties"].values():
            assert argument["description"]
        assert tool.input_schema["properties"].get("limit", {"maximum": 1000})["maximum"] == 1000
    assert stack.status(project.directory / "home") is None


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_clients_of_the_older_protocol_are_served_too(project: CommandLine, mode: str) -> None:
    assert len(asked_over_stdio(project, list_tools, mode).tools) == 4


def test_the_standard_output_holds_the_protocol_only_also_while_the_local_stack_is_started(
    project: CommandLine,
) -> None:
    requests = [
        {"id": 1, **INITIALIZE},
        {"method": "notifications/initialized"},
        {"id": 2, **call("coaching_opportunities")},
        {"id": 3, **call("similar_calls", text=" ")},
    ]
    # An answer has to be waited for: what is asked and not yet answered when the input ends is dropped.
    process = subprocess.Popen(
        [COMMAND, "mcp"],
        cwd=project.directory,
        env=project.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    for request in requests:
        process.stdin.write(json.dumps({"jsonrpc": "2.0", **request}) + "\n")
    process.stdin.flush()
    answers = [json.loads(process.stdout.readline()) for _ in range(3)]
    rest, errors = process.communicate(timeout=30)

    assert rest == ""
    assert process.returncode == 0
    assert "Traceback" not in errors
    told = {answer["id"]: answer["result"] for answer in answers}
    assert told[1]["serverInfo"]["name"] == "gong-assets"
    # Nothing is materialized: the stack runs now, and has no views.
    assert "VW_ENRICHED_GONG_CALLS" in told[2]["content"][0]["text"]
    assert "gong-assets sync" in told[2]["content"][0]["text"]
    assert told[3]["content"][0]["text"] == "the text to search for is empty"
    assert stack.status(project.directory / "home") is not None


def test_a_warehouse_that_does_not_answer_is_told_in_a_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    account = {
        "SNOWFLAKE_ACCOUNT": "none", "SNOWFLAKE_USER": "u", "SNOWFLAKE_PASSWORD": "hidden",
        "SNOWFLAKE_HOST": "127.0.0.1", "SNOWFLAKE_PORT": str(port), "SNOWFLAKE_PROTOCOL": "http",
    }  # fmt: skip

    async def ask(client: Client) -> str:
        return error_of(await client.call_tool("analyze_call", {"call_id": "1"}))

    told = asked_over_stdio(CommandLine(tmp_path, account), ask)
    assert told.startswith(f"Snowflake at 127.0.0.1:{port} does not answer")
    assert "hidden" not in told


def test_http_is_served_on_this_machine_only(project: CommandLine) -> None:
    with http_server(project) as (url, process):
        assert len(asked_over_http(url, list_tools).tools) == 4
        listening = psutil.Process(process.pid).net_connections(kind="inet")
        assert {each.laddr.ip for each in listening} == {"127.0.0.1"}
        # A page that a browser shows under another name must not reach it.
        request = {"jsonrpc": "2.0", "id": 1, **INITIALIZE}
        accepted = {"Accept": "application/json, text/event-stream"}
        for header in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
            assert httpx.post(url, json=request, headers={**accepted, **header}).status_code in (403, 421)
        assert httpx.post(url, json=request, headers=accepted).status_code == 200
        process.terminate()
        printed, errors = process.communicate(timeout=20)
    assert printed == ""
    assert errors.startswith(f"MCP server on {url}\n")
    assert "Traceback" not in errors


def test_a_server_for_the_network_says_that_nobody_has_to_sign_in(project: CommandLine) -> None:
    with http_server(project, "--host", "0.0.0.0") as (_, process):
        listening = psutil.Process(process.pid).net_connections(kind="inet")
        process.terminate()
        _, errors = process.communicate(timeout=20)
    assert {each.laddr.ip for each in listening} == {"0.0.0.0"}
    assert "there is no sign-in" in errors


def test_a_local_stack_that_was_stopped_is_started_again_for_the_next_question(project: CommandLine) -> None:
    async def ask(client: Client) -> list[str]:
        question = ("analyze_call", {"call_id": "1"})
        first = error_of(await client.call_tool(*question))
        assert stack.down(project.directory / "home")
        return [first, error_of(await client.call_tool(*question))]

    first, second = asked_over_stdio(project, ask)
    assert "VW_ENRICHED_GONG_CALLS" in first
    assert first == second


def test_a_port_that_is_in_use_is_told_in_a_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = CommandLine(tmp_path).gong_assets("mcp", "--http", "--port", str(port))
    assert (outcome.code, outcome.stdout) == (1, "")
    assert outcome.stderr == f"error: cannot listen on 127.0.0.1, port {port}: Address already in use\n"


def test_a_host_that_does_not_exist_is_told_in_a_line(tmp_path: Path) -> None:
    outcome = CommandLine(tmp_path).gong_assets("mcp", "--http", "--host", "nosuch.invalid")
    assert (outcome.code, outcome.stdout) == (1, "")
    assert outcome.stderr.startswith("error: cannot listen on nosuch.invalid, port 8808: ")
    assert len(outcome.stderr.splitlines()) == outcome.stderr.count("nosuch.invalid") == 1


def test_a_host_without_http_is_wrong_usage(tmp_path: Path) -> None:
    outcome = CommandLine(tmp_path).gong_assets("mcp", "--host", "0.0.0.0")
    assert outcome.code == 2
    assert "--http" in outcome.stderr


def test_settings_that_make_no_sense_are_told_before_anything_is_served(tmp_path: Path) -> None:
    outcome = CommandLine(tmp_path, {"GONG_ASSETS_TARGET": "nowhere"}).gong_assets("mcp")
    assert (outcome.code, outcome.stdout) == (2, "")
    assert "GONG_ASSETS_TARGET" in outcome.stderr
