"""Servers and runs that are killed at random moments, and their repair.

`KILLS=20 pytest gong_assets_tests/local/test_kills.py` kills each of them 20 times.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import psutil
import pytest

from gong_assets.defs.orphaned_runs import LeaseObserver
from gong_assets.defs.resources import SNOWFLAKE, SnowflakeResource
from gong_assets.local import processes, stack
from gong_assets_tests.local.test_stack import deals

pytestmark = [pytest.mark.extended, pytest.mark.slow]

KILLS = int(os.environ.get("KILLS", "3"))
POOL = "gong_api"

_processes = multiprocessing.get_context("forkserver")


@pytest.mark.parametrize("service", ["snowflake", "gong"])
def test_a_server_killed_at_any_moment_is_replaced(tmp_path: Path, service: str) -> None:
    moments = random.Random(service)
    running = stack.up(tmp_path)
    expected = deals(running.snowflake)
    try:
        for _ in range(KILLS):
            starter = _processes.Process(target=stack.up, args=(tmp_path,))
            psutil.Process(running.pids[service]).kill()
            starter.start()  # may be killed while it starts the server again
            time.sleep(moments.uniform(0, 4))
            for process in processes.find_by_home(tmp_path.resolve()):
                if service in str(process.cmdline()):
                    process.kill()
            starter.kill()
            starter.join()
            running = stack.up(tmp_path)
            assert deals(running.snowflake) == expected
            assert len(list(processes.find_by_home(tmp_path.resolve()))) == 2
    finally:
        stack.down(tmp_path)


def run_in_a_loop(home: str) -> None:
    with dg.DagsterInstance.from_config(home) as instance:
        while True:
            _job().execute_in_process(instance=instance)


def _job() -> dg.JobDefinition:
    @dg.op(required_resource_keys={SNOWFLAKE}, pool=POOL)
    def work() -> None:
        time.sleep(0.1)

    @dg.job(name="gong_ingestion", resource_defs={SNOWFLAKE: SnowflakeResource(local_home="unused")})
    def gong_ingestion() -> None:
        work()

    return gong_ingestion


def test_a_run_killed_at_any_moment_blocks_no_other(tmp_path: Path) -> None:
    moments = random.Random(1)
    # Dagster's capture of a killed process's output would run on.
    (tmp_path / "dagster.yaml").write_text(
        "concurrency: {pools: {default_limit: 1}}\n"
        "compute_logs:\n"
        "  module: dagster._core.storage.noop_compute_log_manager\n"
        "  class: NoOpComputeLogManager\n"
    )
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        started = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
        repaired = left = 0
        for _ in range(KILLS):
            process = _processes.Process(target=run_in_a_loop, args=(str(tmp_path),))
            process.start()
            _wait(lambda known=left: instance.get_runs_count(started) > known)  # type: ignore[misc]
            time.sleep(moments.uniform(0, 0.5))
            process.kill()
            process.join()
            assert process.exitcode == -signal.SIGKILL
            repaired += len(LeaseObserver().fail_dead_runs(instance))
            # A run that was killed before it had a lease is failed after a grace time. It has no slot.
            left = instance.get_runs_count(started)
            assert instance.event_log_storage.get_concurrency_info(POOL).active_run_ids == set()
            assert _job().execute_in_process(instance=instance).success
        assert repaired + left <= KILLS
        assert repaired > 0 or KILLS < 10
        print(f"{repaired} of {KILLS} runs repaired at once, {left} without a lease")


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
