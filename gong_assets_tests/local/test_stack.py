"""The supervisor, with the real servers: started once, found again, repaired, and gone when told to go."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import httpx
import psutil
import pytest
import snowflake.connector

from gong_assets.local import processes, stack
from gong_assets.local.processes import HOME_VARIABLE
from gong_assets.local.stack import LocalStack, LocalStackError


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home with a space in its name, whose servers are stopped in the end."""
    home = tmp_path / "a home"
    yield home
    stack.down(home)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack for tests that repair it, or leave it as they found it."""
    home = tmp_path_factory.mktemp("running")
    yield stack.up(home)
    stack.down(home)


def kill(pid: int) -> None:
    process = psutil.Process(pid)
    process.kill()
    with suppress(psutil.TimeoutExpired):
        process.wait(10)


def deals(endpoint: stack.SnowflakeEndpoint) -> int:
    with snowflake.connector.connect(**asdict(endpoint)) as connection:
        row = (
            connection.cursor()
            .execute("SELECT COUNT(*) FROM HUBSPOT_SHARE.V2_DAILY.OBJECTS_DEALS")
            .fetchone()
        )
    assert isinstance(row, tuple)
    return int(row[0])


def test_both_servers_answer_and_the_hubspot_share_is_there(running: LocalStack) -> None:
    auth = (running.gong.access_key, running.gong.access_key_secret)
    assert httpx.get(f"{running.gong.base_url}/v2/users", auth=auth).status_code == 200
    assert deals(running.snowflake) > 100


def test_a_running_stack_is_found_and_not_started_again(running: LocalStack) -> None:
    assert stack.up(running.home) == running
    assert stack.status(running.home) == running


def test_another_process_finds_the_same_stack(running: LocalStack) -> None:
    program = f"from pathlib import Path; from gong_assets.local.stack import up; print(up(Path({str(running.home)!r})).pids)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert found.strip() == str(dict(running.pids))


def test_finding_a_stack_imports_neither_duckdb_nor_the_connector(running: LocalStack) -> None:
    program = (
        "import sys; from pathlib import Path; from gong_assets.local.stack import up\n"
        f"up(Path({str(running.home)!r}))\n"
        "print([name for name in ('duckdb', 'snowflake.connector', 'dagster', 'starlette') if name in sys.modules])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert loaded.strip() == "[]"


@pytest.mark.parametrize("service", ["snowflake", "gong"])
def test_a_killed_server_is_replaced_on_its_port_and_the_other_is_kept(
    running: LocalStack, service: str
) -> None:
    before = stack.up(running.home)
    kill(before.pids[service])
    assert stack.status(running.home) is None
    after = stack.up(running.home)
    (other,) = before.pids.keys() - {service}
    assert after.pids[service] != before.pids[service]
    assert after.pids[other] == before.pids[other]
    assert (after.snowflake, after.gong) == (before.snowflake, before.gong)
    assert deals(after.snowflake) > 100


def test_a_state_that_names_another_programs_process_is_not_believed(running: LocalStack) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        state_file = running.home / "stack.json"
        state = json.loads(state_file.read_text())
        real = state["gong"]["pid"]
        state["gong"]["pid"] = bystander.pid  # as if the server had died and its id were taken over
        state_file.write_text(json.dumps(state))
        after = stack.up(running.home)
        assert after.pids["gong"] != bystander.pid
        assert not psutil.pid_exists(real) or psutil.Process(real).status() == psutil.STATUS_ZOMBIE
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"gong": {}}', '{"gong": {"pid": "x", "created": 0, "port": 1}}']
)
def test_a_state_file_that_makes_no_sense_counts_as_none(home: Path, content: str) -> None:
    home.mkdir()
    (home / "stack.json").write_text(content)
    assert stack.status(home) is None


def test_the_servers_of_a_lost_state_file_are_replaced(running: LocalStack) -> None:
    before = stack.up(running.home)
    (running.home / "stack.json").write_text("{")
    after = stack.up(running.home)
    assert set(after.pids.values()).isdisjoint(before.pids.values())
    assert sorted(process.pid for process in processes.find_by_home(running.home)) == sorted(
        after.pids.values()
    )


def test_the_state_file_is_its_owners_alone(running: LocalStack) -> None:
    assert (running.home / "stack.json").stat().st_mode & 0o777 == 0o600


def test_many_that_start_at_once_get_one_stack(home: Path) -> None:
    program = "import sys; from pathlib import Path; from gong_assets.local.stack import up; print(up(Path(sys.argv[1])).pids)"
    others = [
        subprocess.Popen([sys.executable, "-c", program, str(home)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(str(stack.up(home).pids))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found += [other.communicate()[0].strip() for other in others]
    assert len(found) == 5
    assert len({str(sorted(json.loads(pids.replace("'", '"')).items())) for pids in found}) == 1
    assert len(list(processes.find_by_home(home))) == 2


def test_after_down_no_process_is_left_and_up_comes_back_on_the_same_ports(home: Path) -> None:
    first = stack.up(home)
    assert stack.down(home) is True
    assert list(processes.find_by_home(home)) == []
    assert stack.status(home) is None
    assert not (home / "stack.json").exists()
    assert stack.down(home) is False
    second = stack.up(home)
    assert (second.snowflake.port, second.gong) == (first.snowflake.port, first.gong)


def test_down_of_a_home_that_never_was_does_nothing(tmp_path: Path) -> None:
    assert stack.down(tmp_path / "nowhere") is False
    assert stack.status(tmp_path / "nowhere") is None
    assert not (tmp_path / "nowhere").exists()


def test_what_a_killed_supervisor_left_behind_is_stopped(home: Path) -> None:
    command = [sys.executable, "-m", "gong_assets.local.gong_tenant", "--port", "1"]
    home.mkdir()
    stray = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)", *command],
        env={**os.environ, HOME_VARIABLE: str(home.resolve())},
    )
    try:
        assert stack.down(home) is True
        assert stray.wait(10) == -signal.SIGTERM
    finally:
        stray.kill()


def test_a_server_that_ignores_the_request_to_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "GRACE_SECONDS", 0.3)
    deaf = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)",
        ],
        stdout=subprocess.PIPE,
    )
    assert deaf.stdout
    deaf.stdout.readline()
    processes.stop([psutil.Process(deaf.pid)])
    assert deaf.wait(10) == -signal.SIGKILL
    deaf.stdout.close()


def test_a_busy_port_is_avoided(tmp_path: Path) -> None:
    usual = processes.choose_port("gong", tmp_path, None)
    assert processes.choose_port("gong", tmp_path, None) == usual
    remembered = processes.choose_port("another service", tmp_path, None)
    assert processes.choose_port("gong", tmp_path, remembered) == remembered
    with socket.create_server(("127.0.0.1", usual)):
        assert processes.choose_port("gong", tmp_path, None) != usual
        assert processes.choose_port("gong", tmp_path, usual) != usual


def test_an_answer_of_somebody_elses_server_is_no_health(running: LocalStack) -> None:
    gong = stack.up(running.home)
    port = int(gong.gong.base_url.rpartition(":")[2])
    assert processes.health(port) == ("gong", gong.pids["gong"])
    created = psutil.Process(gong.pids["snowflake"]).create_time()
    assert not processes.Server("gong", gong.pids["snowflake"], created, port).is_healthy()
    assert not processes.Server("snowflake", gong.pids["snowflake"], created, port).is_healthy()


def test_a_server_that_ends_at_once_is_reported_with_its_last_words(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GONG_ASSETS_LOCAL_CALLS_PER_DAY", "0")
    with pytest.raises(LocalStackError, match=r"gong server stopped.*must be 1 or more") as caught:
        stack.up(home)
    assert "\n" not in str(caught.value)
    assert list(processes.find_by_home(home)) == []


def test_a_setting_that_is_no_number_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONG_ASSETS_LOCAL_SEED", "lucky")
    with pytest.raises(LocalStackError, match="GONG_ASSETS_LOCAL_SEED is 'lucky'"):
        stack.up(home)


def test_a_home_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalStackError, match=r"cannot use .*file: File exists"):
        stack.up(tmp_path / "file")


def test_the_servers_keep_no_pipe_of_the_caller_open(home: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from gong_assets.local.stack import up; up(Path(sys.argv[1]))"
    )
    # communicate() returns only when every process that holds the pipe has closed it.
    done = subprocess.run(
        [sys.executable, "-c", program, str(home)], capture_output=True, timeout=120, check=True
    )
    assert done.stdout == b""
    assert stack.status(home)
