"""A `sync` that waits or works: what it says, what it costs, and how signals end it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psutil
import pytest

from gong_assets.cli import dagster_home
from gong_assets.defs.assets.ingestion import GONG_POOL
from gong_assets.local import stack
from gong_assets_tests.cli.command_line import CommandLine
from gong_assets_tests.pools import held_pool

pytestmark = [pytest.mark.extended, pytest.mark.slow]

START_SECONDS = 180


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """A project in a directory with an apostrophe, in an environment whose proxies do not answer."""
    directory = tmp_path_factory.mktemp("o'brien")
    home = directory / "home"
    proxies = {"HTTP_PROXY": "http://127.0.0.1:9", "ALL_PROXY": "socks5://127.0.0.1:9"}
    yield CommandLine(directory, {"GONG_ASSETS_HOME": str(home), "TMPDIR": str(directory), **proxies})
    stack.down(home)


@pytest.fixture
def instance(project: CommandLine) -> Iterator[dg.DagsterInstance]:
    home = project.directory / "home" / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(dagster_home.__file__).with_name("dagster.yaml"), home)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance


class Sync:
    """A running `gong-assets sync`."""

    def __init__(
        self, project: CommandLine, log: Path, *, output: int | None = None, **variables: str
    ) -> None:
        self.log = log
        with log.open("w") as file:
            self.process = subprocess.Popen(
                [Path(sys.executable).with_name("gong-assets"), "sync", "--no-transcripts"],
                cwd=project.directory,
                env=project.with_variables(**variables).environment,
                stdout=output or file,
                stderr=output or file,
                # As for a command in a terminal: a test runner in the background ignores SIGINT.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
                process_group=0,
            )

    def wait_for(self, text: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while text not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)

    def end(self, how: signal.Signals) -> tuple[int, str]:
        """Return the exit code and the last line."""
        self.process.send_signal(how)
        try:
            code = self.process.wait(20)
        finally:
            self.process.kill()
        return code, self.log.read_text().splitlines()[-1]

    def press_ctrl_c(self) -> tuple[int, str]:
        """Interrupt the command and its processes, as a terminal does. Returns the exit code and the log."""
        os.killpg(self.process.pid, signal.SIGINT)
        try:
            code = self.process.wait(20)
        finally:
            self.process.kill()
        return code, self.log.read_text()


def latest(instance: dg.DagsterInstance) -> dg.DagsterRun:
    return instance.get_runs(limit=1)[0]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGHUP])
def test_a_waiting_sync_says_for_what_uses_no_cpu_and_ends_with_a_signal(
    project: CommandLine, instance: dg.DagsterInstance, tmp_path: Path, how: signal.Signals
) -> None:
    with held_pool(instance) as holder:
        sync = Sync(project, tmp_path / "log")
        sync.wait_for(f"waiting for run {holder.run_id} (gong_ingestion, since ")
        process = psutil.Process(sync.process.pid)
        before = sum(process.cpu_times()[:2])
        time.sleep(5)
        assert sum(process.cpu_times()[:2]) - before < 1, "a waiting command uses CPU"
        code, last = sync.end(how)
        run = latest(instance)
        assert (code, last) == (
            130,
            f"error: interrupted: run {run.run_id} is canceled, and days that it landed are complete",
        )
        assert run.status is dg.DagsterRunStatus.CANCELED
        info = instance.event_log_storage.get_concurrency_info(GONG_POOL)
        assert (info.active_run_ids, info.pending_run_ids) == ({holder.run_id}, set())


def test_a_sync_that_is_terminated_while_it_reads_is_canceled_and_leaves_nothing(
    project: CommandLine, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    sync = Sync(project, tmp_path / "log", GONG_MAX_REQUESTS_PER_SECOND="0.02")
    sync.wait_for("gong_users_raw")  # waits for the rate limit for 50 s
    time.sleep(1)
    code, last = sync.end(signal.SIGTERM)
    run = latest(instance)
    assert (code, run.status) == (130, dg.DagsterRunStatus.CANCELED), last
    assert last.startswith(f"error: interrupted: run {run.run_id}")
    assert instance.event_log_storage.get_concurrency_info(GONG_POOL).active_run_ids == set()
    assert not list(project.directory.glob("gong_assets-*")), os.listdir(project.directory)
    assert "GONG_USERS_RAW" in project.gong_assets("sql", "SELECT * FROM GONG_USERS_RAW").stderr


def test_ctrl_c_in_a_terminal_prints_one_line(
    project: CommandLine, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    sync = Sync(project, tmp_path / "log", GONG_MAX_REQUESTS_PER_SECOND="0.02")
    sync.wait_for("gong_users_raw")  # waits for the rate limit for 50 s
    started = psutil.Process(sync.process.pid).children(recursive=True)
    # Without the local servers, which have a process group of their own, and stay.
    children = [child for child in started if os.getpgid(child.pid) == sync.process.pid]
    assert any("watch_orphans" in " ".join(child.cmdline()) for child in children)
    time.sleep(1)
    code, log = sync.press_ctrl_c()
    run = latest(instance)
    assert (code, run.status) == (130, dg.DagsterRunStatus.CANCELED), log
    assert "Traceback" not in log
    assert log.splitlines()[-1].startswith(f"error: interrupted: run {run.run_id}")
    _, alive = psutil.wait_procs(children, timeout=5)
    assert not alive, "the processes that copy the output are left behind"


def test_a_sync_whose_reader_leaves_succeeds(
    project: CommandLine, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    reading, writing = os.pipe()
    sync = Sync(project, tmp_path / "log", output=writing)
    os.close(writing)
    assert os.read(reading, 1)
    os.close(reading)
    assert sync.process.wait(START_SECONDS) == 0
    assert latest(instance).status is dg.DagsterRunStatus.SUCCESS
