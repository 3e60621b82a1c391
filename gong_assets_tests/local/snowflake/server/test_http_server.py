"""The server process: start, stop, recovery, and rejected options."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gong_assets_tests.local.snowflake.conftest import PASSWORD, ServerProcess, free_port


def start(data: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a server that is expected to fail at start."""
    command = [sys.executable, "-m", "gong_assets.local.snowflake", "--data", str(data), *options]
    return subprocess.run(
        command, input=f"{PASSWORD}\n", capture_output=True, text=True, timeout=60, check=False
    )


def test_health_returns_the_service_and_the_process_id(server: ServerProcess) -> None:
    health = server.health()

    assert server.process is not None
    assert (health["service"], health["pid"]) == ("snowflake", server.process.pid)
    assert health["version"]


@pytest.mark.slow
def test_a_second_server_on_the_same_directory_exits_with_1(server: ServerProcess) -> None:
    second = start(server.data, "--port", str(free_port()))

    assert second.returncode == 1
    assert second.stderr.strip() == f"Another server uses {server.data}."


def test_a_port_in_use_exits_with_1(server: ServerProcess, tmp_path: Path) -> None:
    second = start(tmp_path, "--port", str(server.port))

    assert second.returncode == 1
    assert second.stderr.strip() == f"Cannot listen on 127.0.0.1:{server.port}: Address already in use."


@pytest.mark.slow
@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.10", "example.com"])
def test_an_address_that_is_not_loopback_is_rejected(tmp_path: Path, host: str) -> None:
    failed = start(tmp_path, "--port", str(free_port()), "--host", host)

    assert failed.returncode == 2
    assert f"{host} is not a loopback address" in failed.stderr


@pytest.mark.slow
def test_sigterm_checkpoints_the_databases_and_exits_with_0(
    own_server: ServerProcess,
) -> None:
    with own_server.connect() as connection:
        connection.cursor().execute("create table kept (n int) as select 1")

        assert own_server.stop(signal.SIGTERM) == 0

    assert not list(own_server.data.rglob("*.wal"))


@pytest.mark.slow
def test_a_restarted_server_has_all_committed_data(own_server: ServerProcess) -> None:
    with own_server.connect() as connection:
        cursor = connection.cursor()
        cursor.execute(
            "create table calls (id varchar(20), embedding vector(float, 768)) comment = 'the calls'"
        )
        cursor.execute("insert into calls select 'a', ai_embed('e5-base-v2', 'hello')")
        cursor.execute(
            "create view enriched as select id, snowflake.cortex.sentiment('I love it') score from calls"
        )
        cursor.execute("create stage landing")
        cursor.execute("create database second")
        cursor.execute("create table second.public.t as select 1 as n")
    own_server.stop()
    own_server.start()

    with own_server.connect() as connection:
        cursor = connection.cursor()
        assert cursor.execute("select id, score > 0 from enriched").fetchall() == [("a", True)]
        assert cursor.execute(
            "select vector_cosine_similarity(embedding, embedding) from calls"
        ).fetchone() == (pytest.approx(1, abs=1e-6),)
        described = {row[0]: row[1] for row in cursor.execute("describe table calls").fetchall()}
        assert described == {"ID": "VARCHAR(20)", "EMBEDDING": "VECTOR(FLOAT, 768)"}
        assert cursor.execute("list @landing").fetchall() == []
        databases = {row[1] for row in cursor.execute("show databases").fetchall()}
        assert {"TESTS", "SECOND", "SNOWFLAKE"} <= databases
        assert cursor.execute("select n from second.public.t").fetchall() == [(1,)]


@pytest.mark.slow
def test_a_killed_server_keeps_committed_data_only(own_server: ServerProcess) -> None:
    connection = own_server.connect()
    cursor = connection.cursor()
    cursor.execute("create table rows_of_a_day (n int)")
    cursor.execute("insert into rows_of_a_day select 1")
    cursor.execute("begin")
    cursor.execute("delete from rows_of_a_day")
    cursor.execute("insert into rows_of_a_day select 2")
    own_server.stop(signal.SIGKILL)
    own_server.start()

    connection.close()
    with own_server.connect() as again:
        assert again.cursor().execute("select n from rows_of_a_day").fetchall() == [(1,)]


@pytest.mark.slow
def test_a_dropped_database_stays_dropped_after_a_restart(own_server: ServerProcess) -> None:
    with own_server.connect() as connection:
        cursor = connection.cursor()
        cursor.execute("create database short_lived")
        cursor.execute("drop database short_lived")
        cursor.execute("drop database if exists short_lived")
    own_server.stop()
    own_server.start()

    with own_server.connect() as connection:
        assert "SHORT_LIVED" not in {
            row[1] for row in connection.cursor().execute("show databases").fetchall()
        }
