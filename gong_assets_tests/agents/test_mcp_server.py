"""The MCP server as a process: its streams, listening addresses, tool list and start-up errors.

`end_to_end/test_mcp.py` tests the results of the tools over real tables.
"""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from mcp import Client
from mcp.types import ListToolsResult

from gong_assets.local import stack
from gong_assets_tests.agents.authorization_server import RESOURCE, authorization_server
from gong_assets_tests.agents.mcp_clients import (
    COMMAND,
    http_server,
    run_over_http,
    run_over_stdio,
    tool_error,
)
from gong_assets_tests.cli.command_line import CommandLine

pytestmark = pytest.mark.extended

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
    """A home without a running stack and without materialized tables."""
    home = tmp_path / "home"
    yield CommandLine(tmp_path, {"GONG_ASSETS_HOME": str(home)})
    stack.down(home)


async def list_tools(client: Client) -> ListToolsResult:
    return await client.list_tools()


def call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"method": "tools/call", "params": {"name": name, "arguments": arguments}}


@pytest.mark.slow
def test_tools_are_listed_and_described_without_starting_the_local_stack(project: CommandLine) -> None:
    async def describe(client: Client) -> tuple[str | None, ListToolsResult]:
        return client.instructions, await client.list_tools()

    instructions, listed = run_over_stdio(project, describe)

    tools = {tool.name: tool for tool in listed.tools}
    assert tools.keys() == {
        "find_records", "find_calls", "read_transcript", "deals_at_risk", "coaching_opportunities",
        "analyze_call", "similar_calls", "account_timeline",
    }  # fmt: skip
    for name, tool in tools.items():
        assert name in (instructions or "")
        assert "Use it" in (tool.description or "")
        assert tool.annotations is not None
        assert (tool.annotations.read_only_hint, tool.annotations.destructive_hint) == (True, False)
        # With an output schema, each answer would be sent twice.
        assert tool.output_schema is None
        assert tool.input_schema["additionalProperties"] is False
        for argument in tool.input_schema["properties"].values():
            assert argument["description"]
        assert tool.input_schema["properties"].get("limit", {"maximum": 1000})["maximum"] == 1000
    assert stack.status(project.directory / "home") is None


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_clients_of_an_older_protocol_version_are_supported(project: CommandLine, mode: str) -> None:
    assert len(run_over_stdio(project, list_tools, mode).tools) == 8


@pytest.mark.slow
def test_standard_output_has_only_protocol_messages_while_the_local_stack_starts(
    project: CommandLine,
) -> None:
    requests = [
        {"id": 1, **INITIALIZE},
        {"method": "notifications/initialized"},
        {"id": 2, **call("coaching_opportunities")},
        {"id": 3, **call("similar_calls", text=" ")},
    ]
    # Read each response before closing the input, because the server drops pending requests at its end.
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
    responses = [json.loads(process.stdout.readline()) for _ in range(3)]
    rest, errors = process.communicate(timeout=30)

    assert rest == ""
    assert process.returncode == 0
    assert "Traceback" not in errors
    result = {response["id"]: response["result"] for response in responses}
    assert result[1]["serverInfo"]["name"] == "gong-assets"
    # The stack runs now and has no views, because nothing is materialized.
    assert "VW_COACHING_OPPORTUNITIES" in result[2]["content"][0]["text"]
    assert "gong-assets sync" in result[2]["content"][0]["text"]
    assert result[3]["content"][0]["text"] == "text: should not be blank"
    assert stack.status(project.directory / "home") is not None


@pytest.mark.slow
def test_an_unreachable_warehouse_is_a_one_line_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
    account = {
        "SNOWFLAKE_ACCOUNT": "none", "SNOWFLAKE_USER": "u", "SNOWFLAKE_PASSWORD": "hidden",
        "SNOWFLAKE_HOST": "127.0.0.1", "SNOWFLAKE_PORT": str(port), "SNOWFLAKE_PROTOCOL": "http",
    }  # fmt: skip

    async def call_tool(client: Client) -> str:
        return tool_error(await client.call_tool("analyze_call", {"call_id": "1"}))

    result = run_over_stdio(CommandLine(tmp_path, account), call_tool)
    assert result.startswith(f"Snowflake at 127.0.0.1:{port} does not answer")
    assert "hidden" not in result


@pytest.mark.slow
def test_http_listens_on_loopback_only(project: CommandLine) -> None:
    with http_server(project) as (url, process):
        assert len(run_over_http(url, list_tools).tools) == 8
        listening = psutil.Process(process.pid).net_connections(kind="inet")
        assert {each.laddr.ip for each in listening} == {"127.0.0.1"}
        # A web page of another origin must not reach the server.
        request = {"jsonrpc": "2.0", "id": 1, **INITIALIZE}
        accepted = {"Accept": "application/json, text/event-stream"}
        for header in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
            assert httpx.post(url, json=request, headers={**accepted, **header}).status_code == 403
        assert httpx.post(url, json=request, headers=accepted).status_code == 200
        process.terminate()
        printed, errors = process.communicate(timeout=20)
    assert printed == ""
    assert errors.startswith(f"MCP server on {url}\n")
    assert "Traceback" not in errors


@pytest.mark.slow
def test_a_server_on_all_addresses_needs_a_token_and_rejects_web_pages(project: CommandLine) -> None:
    refused = project.gong_assets("mcp", "--http", "--host", "0.0.0.0")
    assert (refused.code, refused.stdout) == (1, "")
    assert "add a token with `gong-assets mcp token add NAME`" in refused.stderr
    unnamed = project.gong_assets(
        "mcp", "--http", "--host", "0.0.0.0", "--oauth-issuer", "https://idp.example"
    )
    assert (unnamed.code, "require --oauth-resource" in unnamed.stderr) == (2, True)
    token = project.gong_assets("mcp", "token", "add", "alice").succeeded().stdout.strip()
    assert project.gong_assets("mcp", "token", "list").succeeded().stdout.startswith("alice  20")
    with http_server(project, "--host", "0.0.0.0", "--allow-host", "calls.acme.example") as (url, process):
        listening = psutil.Process(process.pid).net_connections(kind="inet")
        for headers, status in (
            ({"Host": "127.0.0.1:1"}, 200),
            ({"Host": "calls.acme.example", "Origin": "http://calls.acme.example"}, 200),
            ({"Host": "rebinding.example"}, 403),
            ({"Origin": "http://192.0.2.1"}, 403),
            ({"Origin": "null"}, 403),
        ):
            accepted = {"Accept": "application/json, text/event-stream", **headers}
            request = {"jsonrpc": "2.0", "id": 1, **INITIALIZE}
            without = 401 if status == 200 else status
            assert httpx.post(url, json=request, headers=accepted).status_code == without, headers
            accepted["Authorization"] = f"Bearer {token}"
            assert httpx.post(url, json=request, headers=accepted).status_code == status, headers
        project.gong_assets("mcp", "token", "revoke", "alice").succeeded()
        assert httpx.post(url, json=request, headers={**accepted, "Origin": url}).status_code in (401, 403)
        assert httpx.get(url.replace("/mcp", "/health")).status_code == 200
        process.terminate()
        _, errors = process.communicate(timeout=20)
    assert {each.laddr.ip for each in listening} == {"0.0.0.0"}
    audit = [
        json.loads(line) for line in (project.directory / "home" / "mcp_audit.log").read_text().splitlines()
    ]
    assert {each["token"] for each in audit} == {"alice", None}
    assert token not in errors + str(audit)


@pytest.mark.slow
def test_a_proxy_and_its_clients_reach_a_server_on_loopback_with_access_tokens(project: CommandLine) -> None:
    with authorization_server() as idp:
        options = (
            "--oauth-issuer", idp.issuer, "--oauth-resource", RESOURCE, "--oauth-scope", "calls:read",
        )  # fmt: skip
        with http_server(project, *options) as (url, _):
            proxied = {"Accept": "application/json, text/event-stream", "Host": "calls.acme.example"}
            request = {"jsonrpc": "2.0", "id": 1, **INITIALIZE}
            refused = httpx.post(url, json=request, headers=proxied)
            assert refused.status_code == 401
            assert "https://calls.acme.example/.well-known/" in refused.headers["www-authenticate"]
            proxied["Authorization"] = f"Bearer {idp.token()}"
            assert httpx.post(url, json=request, headers=proxied).status_code == 200
            assert httpx.post(url, json=request, headers={**proxied, "Host": "192.0.2.1"}).status_code == 403
            idp.rotate()
            assert httpx.post(url, json=request, headers=proxied).status_code == 200  # within the lifespan


@pytest.mark.slow
def test_health_reports_an_unreachable_warehouse_without_details(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
    account = {
        "SNOWFLAKE_ACCOUNT": "none", "SNOWFLAKE_USER": "secret_user", "SNOWFLAKE_PASSWORD": "hidden",
        "SNOWFLAKE_HOST": "127.0.0.1", "SNOWFLAKE_PORT": str(port), "SNOWFLAKE_PROTOCOL": "http",
    }  # fmt: skip
    with http_server(CommandLine(tmp_path, account)) as (url, _):
        health = url.replace("/mcp", "/health")
        response = httpx.get(health, timeout=10)
        assert response.status_code == 200
        assert response.json() in (
            {"status": "degraded", "warehouse": "connecting"},
            {"status": "degraded", "warehouse": "unreachable"},
        )
        for header in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
            assert httpx.get(health, headers=header).status_code == 403


@pytest.mark.slow
def test_health_reports_the_connection(project: CommandLine) -> None:
    stack.up(project.directory / "home")
    with http_server(project) as (url, _):
        # Nothing has landed, so there are no views.
        assert httpx.get(url.replace("/mcp", "/health"), timeout=10).json() == {
            "status": "degraded",
            "warehouse": "connected, but without tables",
        }


@pytest.mark.slow
def test_in_a_terminal_the_server_says_what_it_waits_for_and_ends_by_ctrl_c(project: CommandLine) -> None:
    terminal, its_side = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, "mcp"],
        cwd=project.directory,
        env=project.environment,
        stdin=its_side,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(its_side)
    try:
        assert process.stderr
        assert "Waiting for an MCP client" in process.stderr.readline()
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        printed, errors = process.communicate(timeout=10)
    finally:
        process.kill()
        os.close(terminal)
    assert (process.returncode, printed, errors) == (130, "", "Stopped.\n")


@pytest.mark.slow
def test_a_server_over_http_ends_by_ctrl_c(project: CommandLine) -> None:
    with http_server(project) as (url, process):
        assert len(run_over_http(url, list_tools).tools) == 8
        process.send_signal(signal.SIGINT)
        printed, errors = process.communicate(timeout=20)
    assert (process.returncode, printed) == (130, "")
    assert errors.splitlines() == [f"MCP server on {url}", "Stopped."]


@pytest.mark.slow
def test_a_stopped_local_stack_is_restarted_by_the_next_request(project: CommandLine) -> None:
    async def call_twice(client: Client) -> list[str]:
        request = ("analyze_call", {"call_id": "1"})
        first = tool_error(await client.call_tool(*request))
        assert stack.down(project.directory / "home")
        return [first, tool_error(await client.call_tool(*request))]

    first, second = run_over_stdio(project, call_twice)
    assert "VW_ENRICHED_GONG_CALLS" in first
    assert first == second


@pytest.mark.slow
def test_a_port_in_use_is_reported_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = CommandLine(tmp_path).gong_assets("mcp", "--http", "--port", str(port))
    assert (outcome.code, outcome.stdout) == (1, "")
    assert outcome.stderr.splitlines() == [
        f"error: Port {port} of 127.0.0.1 is in use by another program, which may be another `gong-assets`. "
        "Nothing was started.",
        "Stop that program, or choose another port with --port.",
    ]


@pytest.mark.slow
def test_an_unknown_host_is_a_one_line_error(tmp_path: Path) -> None:
    command_line = CommandLine(tmp_path)
    assert command_line.gong_assets("mcp", "token", "add", "agent").code == 0
    outcome = command_line.gong_assets("mcp", "--http", "--host", "nosuch.invalid")
    assert (outcome.code, outcome.stdout) == (1, "")
    assert outcome.stderr.startswith("error: cannot listen on nosuch.invalid, port 8808: ")
    assert len(outcome.stderr.splitlines()) == outcome.stderr.count("nosuch.invalid") == 1


@pytest.mark.slow
def test_host_without_http_is_a_usage_error(tmp_path: Path) -> None:
    outcome = CommandLine(tmp_path).gong_assets("mcp", "--host", "0.0.0.0")
    assert outcome.code == 2
    assert "--http" in outcome.stderr
    for option in ("--oauth-resource", "--oauth-jwks-url", "--oauth-scope"):
        outcome = CommandLine(tmp_path).gong_assets("mcp", "--http", option, "https://calls.acme.example/mcp")
        assert (outcome.code, "require --oauth-issuer" in outcome.stderr) == (2, True)
    outcome = CommandLine(tmp_path).gong_assets("mcp", "--http", "--oauth-issuer", "http://idp.example")
    assert (outcome.code, "should be an https URL" in outcome.stderr) == (2, True)


@pytest.mark.slow
def test_invalid_settings_are_reported_before_serving(tmp_path: Path) -> None:
    outcome = CommandLine(tmp_path, {"GONG_ASSETS_TARGET": "nowhere"}).gong_assets("mcp")
    assert (outcome.code, outcome.stdout) == (2, "")
    assert "GONG_ASSETS_TARGET" in outcome.stderr
