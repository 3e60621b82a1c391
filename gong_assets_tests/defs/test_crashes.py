"""Killed runs, a killed warehouse, and concurrent runs: each day is either old or new, and ends up exact."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from gong_assets.dates import DateRange
from gong_assets.defs import failures
from gong_assets.local import stack
from gong_assets.settings import Settings
from gong_assets.warehouse import connection, landing
from gong_assets.warehouse.connection import Warehouse, open_warehouse
from gong_assets_tests.defs.ingestion_runs import Ingestion, call, calls, ids, transcript, why
from gong_assets_tests.end_to_end.gong_server import Gong
from gong_assets_tests.instances import local_instance

pytestmark = [pytest.mark.extended, pytest.mark.slow, pytest.mark.xdist_group("crashes")]

MARCH = DateRange(date(2025, 3, 1), date(2025, 3, 15))
KILLS = 20

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([__name__, "snowflake.connector", "pyarrow.parquet"])


def ingest(
    environment: Gong, arguments: dict[str, Any], home: Path, days: DateRange, per_second: float
) -> None:
    """A run in a process of its own; exits with 0 if it succeeds."""
    dagster_home = home / f"dagster-{os.getpid()}"
    dagster_home.mkdir(parents=True)
    settings = {"gong_max_requests_per_second": per_second}
    with local_instance(dagster_home) as instance:
        result = Ingestion(environment, Warehouse(arguments), home, instance, settings).run(days)
    raise SystemExit(0 if result.success else 1)


def started(
    gong: Gong, warehouse: Warehouse, home: Path, days: DateRange, per_second: float = 0
) -> BaseProcess:
    # The process asks the server that runs here: it needs to know where that is, and holds no calls itself.
    elsewhere = Gong(base_url=gong.base_url)
    process = _processes.Process(target=ingest, args=(elsewhere, warehouse.arguments, home, days, per_second))
    process.start()
    return process


@pytest.fixture
def gong() -> Iterator[Gong]:
    gong = Gong()
    edit(gong, version=0)
    with gong.served():
        yield gong


def edit(gong: Gong, version: int) -> None:
    """Every call is edited, and on every day one call comes and another one goes."""
    gong.calls = [
        call(int(str(each.id)[2:]), each.time, title=f"version {version}")
        for index, each in enumerate(calls(list(MARCH), per_day=20))
        if index % 20 != version % 20
    ]
    gong.transcripts = [transcript(call_id) for call_id in ids(gong.calls)]


def contents(gong: Gong) -> dict[date, set[tuple[str, str]]]:
    """The ids and titles of each day, as Gong has them."""
    days: dict[date, set[tuple[str, str]]] = {day: set() for day in MARCH}
    for each in gong.calls:
        days[each.time.date()].add((str(each.id), each.document["metaData"]["title"]))
    return days


def stored(warehouse: Warehouse) -> dict[date, set[tuple[str, str]]]:
    days: dict[date, set[tuple[str, str]]] = {day: set() for day in MARCH}
    rows = warehouse.query(
        "SELECT CALL_ID, CALL_DATE, RAW_DATA:metaData:title::VARCHAR AS TITLE FROM GONG_CALLS_RAW"
    )
    for row in rows:
        days[row["CALL_DATE"]].add((row["CALL_ID"], row["TITLE"]))
    assert sum(map(len, days.values())) == len(rows), "a call is there twice"
    return days


def test_a_run_killed_at_any_moment_leaves_each_day_wholly_old_or_wholly_new(
    gong: Gong, warehouse: Warehouse, tmp_path: Path
) -> None:
    first = started(gong, warehouse, tmp_path / "first", MARCH)
    first.join()
    assert first.exitcode == 0
    begin = time.monotonic()
    again = started(gong, warehouse, tmp_path / "again", MARCH)
    again.join()
    duration = time.monotonic() - begin

    moments = random.Random(20)
    old, killed = contents(gong), 0
    for number in range(KILLS):
        edit(gong, version=number + 1)
        new = contents(gong)
        run = started(gong, warehouse, tmp_path / f"killed-{number}", MARCH)
        run.join(moments.uniform(0.05, 1.0) * duration)
        run.kill()
        run.join()
        killed += run.exitcode == -signal.SIGKILL
        found = stored(warehouse)
        for day in MARCH:
            assert found[day] in (old[day], new[day]), (
                f"kill {number}: {day} is neither the old day nor the new one"
            )
        old = found
    assert killed >= KILLS // 2

    last = started(gong, warehouse, tmp_path / "last", MARCH)
    last.join()
    assert last.exitcode == 0
    assert stored(warehouse) == contents(gong)
    transcripts = warehouse.query("SELECT CALL_ID FROM GONG_CALL_TRANSCRIPTS_RAW ORDER BY CALL_ID")
    assert [row["CALL_ID"] for row in transcripts] == ids(gong.calls)


def test_two_runs_at_once_keep_to_the_limit_together_and_leave_exact_tables(
    gong: Gong, warehouse: Warehouse, tmp_path: Path
) -> None:
    per_second = 10
    gong.calls = calls(list(MARCH), per_day=120)
    gong.transcripts = [transcript(call_id) for call_id in ids(gong.calls)]
    gong.log.clear()
    # A backfill of all days, and the schedule's run of the last ones. Their Dagsters do not know of each
    # other, so that no pool keeps them apart; the home is the same.
    backfill = started(gong, warehouse, tmp_path, MARCH, per_second)
    schedule = started(gong, warehouse, tmp_path, DateRange(date(2025, 3, 8), MARCH.end), per_second)
    backfill.join()
    schedule.join()
    assert (backfill.exitcode, schedule.exitcode) == (0, 0)
    assert stored(warehouse) == contents(gong)
    transcripts = warehouse.query("SELECT CALL_ID FROM GONG_CALL_TRANSCRIPTS_RAW ORDER BY CALL_ID")
    assert [row["CALL_ID"] for row in transcripts] == ids(gong.calls)
    arrived = sorted(asked.at for asked in gong.log)
    assert len(arrived) >= 50
    # Each of the two alone would send as many in a second: together they would be twice as fast.
    fastest = min(later - earlier for earlier, later in zip(arrived, arrived[per_second + 1 :], strict=False))
    assert fastest > 0.9, "more than the limit arrived within a second"
    assert len(list(pairwise(arrived))) / (arrived[-1] - arrived[0]) <= per_second


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[Warehouse]:
    """A local stack that a test may kill."""
    home = tmp_path / "own"
    yield open_warehouse(Settings(gong_assets_home=home))
    stack.down(home)


def kill_warehouse(home: Path) -> None:
    running = stack.status(home)
    assert running is not None
    os.kill(running.pids["snowflake"], signal.SIGKILL)


def test_a_warehouse_killed_in_mid_transaction_holds_the_old_days(
    gong: Gong, own_stack: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "own"
    with dg.DagsterInstance.ephemeral() as instance:
        ingestion = Ingestion(gong, own_stack, tmp_path, instance)
        assert ingestion.run(MARCH).success
        old = contents(gong)
        edit(gong, version=1)

        replace_rows = landing._replace_rows

        def replace_and_die(*arguments: Any) -> Any:
            replaced = replace_rows(*arguments)  # All that a transaction does, but for its COMMIT.
            kill_warehouse(home)
            return replaced

        with monkeypatch.context() as patched:
            # The connector would go on trying for a quarter of an hour, in case that the server comes back.
            patched.setitem(connection._ALWAYS, "network_timeout", 2)
            patched.setattr(landing, "_replace_rows", replace_and_die)
            patched.setattr(failures, "STEP_RETRIES", 0)
            assert not ingestion.run(MARCH).success
        # Whoever needs the stack next starts it again, on another port.
        restarted = open_warehouse(Settings(gong_assets_home=home))
        assert stored(restarted) == old
        again = Ingestion(gong, restarted, tmp_path, instance).run(MARCH)
        assert again.success, why(again)
        assert stored(restarted) == contents(gong)
