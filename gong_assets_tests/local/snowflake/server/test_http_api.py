"""Behavior of the HTTP API that the connector does not expose."""

from __future__ import annotations

import asyncio
import json
import urllib.request
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from snowflake.connector import SnowflakeConnection

from gong_assets.local.snowflake.server import http_api
from gong_assets_tests.local.snowflake.conftest import ServerProcess

Connect = Callable[..., SnowflakeConnection]


def post(server: ServerProcess, connection: SnowflakeConnection, sql: str, request_id: str) -> dict[str, Any]:
    """Send a statement in the format of the connector."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/queries/v1/query-request?requestId={request_id}",
        data=json.dumps({"sqlText": sql}).encode(),
        headers={
            "Authorization": f'Snowflake Token="{connection.rest.token}"',
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request) as response:
        body: dict[str, Any] = json.load(response)
        return body


def test_a_repeated_request_runs_once(server: ServerProcess, connect: Connect) -> None:
    connection = connect()
    connection.cursor().execute("create table t (n int)")
    request_id = str(uuid.uuid4())

    first = post(server, connection, "insert into t select 1", request_id)
    again = post(server, connection, "insert into t select 1", request_id)

    assert first == again
    assert connection.cursor().execute("select count(*) from t").fetchone() == (1,)


def test_a_failed_statement_is_a_200_response(server: ServerProcess, connect: Connect) -> None:
    answer = post(server, connect(), "select nothing_like_it", str(uuid.uuid4()))

    assert (answer["success"], answer["code"], answer["data"]["sqlState"]) == (False, "000904", "42000")


def test_a_slow_statement_is_in_progress_until_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_api, "IN_PROGRESS_SECONDS", 0.01)
    answer: Future[bytes] = Future()
    query = http_api.Query("some-id", "request", answer)

    async def poll_twice() -> tuple[bytes, bytes]:
        before = await http_api.wait_for_response(query)
        answer.set_result(b'{"success": true}')
        return bytes(before.body), bytes((await http_api.wait_for_response(query)).body)

    before, after = asyncio.run(poll_twice())

    assert json.loads(before)["code"] == "333333"
    assert json.loads(before)["data"]["getResultUrl"] == "/queries/some-id/result"
    assert json.loads(after) == {"success": True}


def test_the_server_disables_the_telemetry_of_the_connector(connect: Connect) -> None:
    assert connect().telemetry_enabled is False
