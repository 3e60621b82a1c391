"""Starting, finding, repairing and stopping the local stack, with the real servers."""

from __future__ import annotations

import errno
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

pytestmark = [pytest.mark.extended, pytest.mark.slow]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home with a space in its name; its servers are stopped after the test."""
    home = tmp_path / "a home"
    yield home
    stack.down(home)


@pytest.fixture(scope="module")
def running_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("running")
    yield home
    stack.down(home)


@pytest.fixture
def running(running_home: Path) -> LocalStack:
    """A stack for tests that leave one running, be it another."""
    return stack.up(running_home)


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


def test_both_servers_respond_and_the_hubspot_share_is_loaded(running: LocalStack) -> None:
    auth = (running.gong.access_key, running.gong.access_key_secret)
    assert httpx.get(f"{running.gong.base_url}/v2/users", auth=auth).status_code == 200
    assert deals(running.snowflake) > 100


def test_a_running_stack_is_not_started_again(running: LocalStack) -> None:
    assert stack.up(running.home) == running
    assert stack.status(running.home) == running


def test_a_second_start_ignores_files_that_the_running_warehouse_deletes(
    running: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = stack.status
    results = [None]  # As if the other process started the servers while this one waits for the lock.

    def status_later(home: Path, **place: str) -> LocalStack | None:
        return results.pop() if results else status(home, **place)

    def list_deleted_file(*_: object) -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "stage.csv")

    monkeypatch.setattr(stack, "status", status_later)
    monkeypatch.setattr(Path, "rglob", list_deleted_file)
    assert stack.up(running.home) == running


def test_another_process_finds_the_same_stack(running: LocalStack) -> None:
    program = (
        "from pathlib import Path; from gong_assets.local.stack import up;"
        f" print(up(Path({str(running.home)!r})).pids)"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert found.strip() == str(dict(running.pids))


def test_finding_a_stack_imports_neither_duckdb_nor_the_connector(running: LocalStack) -> None:
    program = (
        "import sys; from pathlib import Path; from gong_assets.local.stack import up\n"
        f"up(Path({str(running.home)!r}))\n"
        "print([name for name in ('duckdb', 'snowflake.connector', 'dagster',"
        " 'starlette') if name in sys.modules])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert loaded.strip() == "[]"


@pytest.mark.slow
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


def test_a_recorded_process_id_of_another_program_is_ignored(running: LocalStack) -> None:
    unrelated = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        state_file = running.home / "stack.json"
        state = json.loads(state_file.read_text())
        real = state["servers"]["gong"]["pid"]
        state["servers"]["gong"]["pid"] = (
            unrelated.pid
        )  # as if the server had ended and its process id were reused
        state_file.write_text(json.dumps(state))
        after = stack.up(running.home)
        assert after.pids["gong"] != unrelated.pid
        assert not psutil.pid_exists(real) or psutil.Process(real).status() == psutil.STATUS_ZOMBIE
        assert unrelated.poll() is None
    finally:
        unrelated.kill()
        unrelated.wait()


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"secret": "x", "servers": {"gong": {"pid": "x", "port": 1}}}']
)
def test_an_invalid_state_file_is_ignored(home: Path, content: str) -> None:
    home.mkdir()
    (home / "stack.json").write_text(content)
    assert stack.status(home) is None


@pytest.mark.slow
def test_servers_of_a_lost_state_file_are_replaced(running: LocalStack) -> None:
    before = stack.up(running.home)
    (running.home / "stack.json").write_text("{")
    after = stack.up(running.home)
    assert set(after.pids.values()).isdisjoint(before.pids.values())
    assert sorted(process.pid for process in processes.find_by_home(running.home)) == sorted(
        after.pids.values()
    )


def test_a_step_of_the_clock_leaves_the_servers_alone(
    running: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stack.up(running.home)
    create_time = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: create_time(process) + 3)
    assert stack.up(running.home) == before


@pytest.mark.slow
def test_only_the_owner_can_read_files_of_the_stack_even_if_an_older_version_made_them(home: Path) -> None:
    (home / "warehouse" / "databases").mkdir(parents=True)
    old = home / "warehouse" / "databases" / "notes.txt"
    old.touch(0o644)
    stack.up(home)
    paths = [home / "stack.json", *(home / "warehouse").rglob("*"), *(home / "logs").rglob("*")]
    assert old in paths
    assert {path: oct(path.stat().st_mode) for path in paths if path.stat().st_mode & 0o077} == {}


@pytest.mark.slow
def test_servers_have_no_secrets_in_their_environment_and_command_line(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GONG_ACCESS_KEY_SECRET", "SNOWFLAKE_PASSWORD", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "hunter2")
    running = stack.up(home)
    for pid in running.pids.values():
        process = psutil.Process(pid)
        public = f"{process.environ()} {process.cmdline()}"
        assert "hunter2" not in public
        assert running.snowflake.password not in public
    assert running.snowflake.password not in repr(running)


@pytest.mark.slow
def test_concurrent_starts_result_in_one_stack(home: Path) -> None:
    program = (
        "import sys; from pathlib import Path;"
        " from gong_assets.local.stack import up; print(up(Path(sys.argv[1])).pids)"
    )
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


@pytest.mark.slow
def test_down_stops_all_processes_and_up_reuses_the_ports(home: Path) -> None:
    first = stack.up(home)
    assert stack.down(home) is True
    assert list(processes.find_by_home(home)) == []
    assert stack.status(home) is None
    assert stack.down(home) is False
    second = stack.up(home)
    assert (second.snowflake.port, second.gong) == (first.snowflake.port, first.gong)


def test_down_stops_the_servers_on_a_full_disk_too(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack.up(home)

    def fails(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    files = sorted(file.name for file in home.iterdir())
    with monkeypatch.context() as full:
        full.setattr(os, "replace", fails)
        assert stack.down(home)
    assert not list(processes.find_by_home(home))
    assert sorted(file.name for file in home.iterdir()) == files
    assert stack.status(home) is None
    assert not stack.down(home)


def test_down_of_an_unknown_home_does_nothing(tmp_path: Path) -> None:
    assert stack.down(tmp_path / "nowhere") is False
    assert stack.status(tmp_path / "nowhere") is None
    assert not (tmp_path / "nowhere").exists()


def test_servers_of_a_killed_starter_are_stopped(home: Path) -> None:
    command = [sys.executable, "-m", "gong_assets.local.gong_tenant", "--port", "1"]
    home.mkdir()
    left_over = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)", *command],
        env={**os.environ, HOME_VARIABLE: str(home.resolve())},
    )
    try:
        assert stack.down(home) is True
        assert left_over.wait(10) == -signal.SIGTERM
    finally:
        left_over.kill()


def test_a_start_that_is_interrupted_leaves_no_server(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(pid: int) -> str:
        raise KeyboardInterrupt

    # The process runs by then, and nothing has recorded it.
    monkeypatch.setattr(processes, "start_of", interrupt)
    with pytest.raises(KeyboardInterrupt):
        stack.up(home)
    assert list(processes.find_by_home(home)) == []


def test_a_server_that_ignores_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "GRACE_SECONDS", 0.3)
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import signal, time; signal.signal(signal.SIGTERM,"
            " signal.SIG_IGN); print(flush=True); time.sleep(600)",
        ],
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    process.stdout.readline()
    processes.stop([psutil.Process(process.pid)])
    assert process.wait(10) == -signal.SIGKILL
    process.stdout.close()


def test_a_port_in_use_is_avoided(tmp_path: Path) -> None:
    derived = processes.choose_port("gong", tmp_path, None)
    assert processes.choose_port("gong", tmp_path, None) == derived
    remembered = processes.choose_port("another service", tmp_path, None)
    assert processes.choose_port("gong", tmp_path, remembered) == remembered
    with socket.create_server(("127.0.0.1", derived)):
        assert processes.choose_port("gong", tmp_path, None) != derived
        assert processes.choose_port("gong", tmp_path, derived) != derived


def test_health_of_another_process_is_ignored(running: LocalStack) -> None:
    gong = stack.up(running.home)
    port = int(gong.gong.base_url.rpartition(":")[2])
    assert processes.health(port) == ("gong", gong.pids["gong"])
    start = processes.start_of(gong.pids["snowflake"])
    assert not processes.Server("gong", gong.pids["snowflake"], start, port).is_healthy()
    assert not processes.Server("snowflake", gong.pids["snowflake"], start, port).is_healthy()


@pytest.mark.slow
def test_a_server_that_ends_at_once_is_reported_with_its_log(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GONG_ASSETS_LOCAL_CALLS_PER_DAY", "0")
    with pytest.raises(LocalStackError, match=r"gong server stopped.*must be 1 or more") as caught:
        stack.up(home)
    assert "\n" not in str(caught.value)
    assert list(processes.find_by_home(home)) == []


def test_a_setting_that_is_not_a_number_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONG_ASSETS_LOCAL_SEED", "lucky")
    with pytest.raises(LocalStackError, match="GONG_ASSETS_LOCAL_SEED is 'lucky'"):
        stack.up(home)


def test_an_unknown_time_zone_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONG_ASSETS_LOCAL_TIME_ZONE", "Europe/Atlantis")
    with pytest.raises(LocalStackError, match="GONG_ASSETS_LOCAL_TIME_ZONE is 'Europe/Atlantis'"):
        stack.up(home)


@pytest.mark.slow
def test_the_tenant_can_be_in_another_time_zone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONG_ASSETS_LOCAL_TIME_ZONE", "Asia/Tokyo")
    gong = stack.up(home).gong
    calls = httpx.get(f"{gong.base_url}/v2/calls", auth=(gong.access_key, gong.access_key_secret)).json()
    assert {call["started"][-6:] for call in calls["calls"]} == {"+09:00"}


def test_missing_libraries_are_named_with_the_command_that_installs_them(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fakesnow", None)
    with pytest.raises(LocalStackError, match=r"requires fakesnow.*pip install 'gong_assets\[local\]'"):
        stack.up(home)
    assert list(processes.find_by_home(home)) == []


def test_a_home_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalStackError, match=r"cannot use .*file: File exists"):
        stack.up(tmp_path / "file")


@pytest.mark.slow
def test_servers_do_not_keep_pipes_of_the_caller_open(home: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from gong_assets.local.stack import up; up(Path(sys.argv[1]))"
    )
    # communicate() returns only when every process that holds the pipe has closed it.
    done = subprocess.run(
        [sys.executable, "-c", program, str(home)], capture_output=True, timeout=120, check=True
    )
    assert done.stdout == b""
    assert stack.status(home)
