"""MCP clients connected to the installed command over stdio or HTTP, as a host would connect them."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from mcp import Client, StdioServerParameters, stdio_client
from mcp.types import CallToolResult

from gong_assets.agents.mcp_tools import NOTICE
from gong_assets_tests.cli.command_line import CommandLine

T = TypeVar("T")

COMMAND = Path(sys.executable).with_name("gong-assets")
START_SECONDS = 30

ClientTask = Callable[[Client], Awaitable[T]]


@asynccontextmanager
async def stdio_session(project: CommandLine, mode: str = "auto") -> AsyncIterator[Client]:
    """Start a server for one client. Its errors go to `mcp.log` in the project's directory."""
    parameters = StdioServerParameters(
        command=str(COMMAND), args=["mcp"], env=project.environment, cwd=project.directory
    )
    with (project.directory / "mcp.log").open("a") as log:
        async with Client(stdio_client(parameters, errlog=log), mode=mode) as client:
            yield client


def run_over_stdio(project: CommandLine, task: ClientTask[T], mode: str = "auto") -> T:
    async def connect() -> T:
        async with stdio_session(project, mode) as client:
            return await task(client)

    return asyncio.run(connect())


def run_over_http(url: str, task: ClientTask[T], mode: str = "auto") -> T:
    async def connect() -> T:
        async with Client(url, mode=mode) as client:
            return await task(client)

    return asyncio.run(connect())


@contextmanager
def http_server(project: CommandLine, *options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start a server for many clients, and yield its URL and process."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [COMMAND, "mcp", "--http", "--port", str(port), *options],
        cwd=project.directory,
        env=project.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for_port(port, process)
        yield f"http://127.0.0.1:{port}/mcp", process
    finally:
        if process.poll() is None:
            process.terminate()
            process.communicate(timeout=20)


def wait_for_port(port: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, process.communicate()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def tool_error(result: CallToolResult) -> str:
    """Return the one-line message of a tool error."""
    assert result.is_error
    assert result.structured_content is None
    (content,) = result.content
    assert content.type == "text"
    assert len(content.text.splitlines()) == 1
    assert "Traceback" not in content.text
    return content.text


def tool_result(result: CallToolResult) -> dict[str, Any]:
    """Return the answer of a tool, after checking that it is sent once and without unknown fields."""
    assert not result.is_error, result.content
    assert result.structured_content is None
    (content,) = result.content
    assert content.type == "text"
    assert ":null" not in content.text
    answer: dict[str, Any] = json.loads(content.text)
    assert next(iter(answer)) == "content_notice"
    assert answer.pop("content_notice") == NOTICE
    return answer
