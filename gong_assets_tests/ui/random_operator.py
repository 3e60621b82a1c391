"""A person who does anything at any time in the UI of a deployment, and a tenant that changes meanwhile.

All choices follow from a seed. How far the runs are at each of them depends on the machine.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import dagster as dg
import httpx

from gong_assets.defs.runs import IN_FLIGHT
from gong_assets.local import GongEndpoint
from gong_assets_tests.ui import mutations
from tools.browser import graphql

# A run is interrupted so many seconds after it started, at most. Most runs take longer.
LONGEST_DELAY = 10
SECONDS_TO_START = 30
# A code server looks for dead processes twice a second. If it is asked to terminate one before, it waits for
# ever, and starts no run any more: see docs/architecture.md.
SECONDS_TO_NOTICE = 3

_NODES = """
query Nodes($selector: RepositorySelector!) {
  repositoryOrError(repositorySelector: $selector) {
    ... on Repository { assetNodes { assetKey { path } isPartitioned isExecutable } }
  }
}"""
_SENSORS = """
query Sensors($selector: RepositorySelector!) {
  sensorsOrError(repositorySelector: $selector) {
    ... on Sensors { results { name sensorState { id status } } }
  }
}"""


@dataclass
class Operator:
    """Acts by the requests that the buttons of the UI send.

    Attributes:
        days: the days of the deployment.
    """

    url: str
    instance: dg.DagsterInstance
    days: list[str]
    random: Random

    def __post_init__(self) -> None:
        nodes = self._query(_NODES, selector=mutations.REPOSITORY_SELECTOR)["assetNodes"]
        names = {
            node["assetKey"]["path"][-1]: node["isPartitioned"] for node in nodes if node["isExecutable"]
        }
        self.daily = sorted(name for name, is_partitioned in names.items() if is_partitioned)
        self.others = sorted(name for name, is_partitioned in names.items() if not is_partitioned)

    def actions(self) -> Iterator[str]:
        """Do one thing after another, each kind before one is repeated, and yield what was done."""
        kinds: list[Callable[[], str]] = [
            self.sync_a_day, self.materialize_some_assets, self.backfill, self.reconcile, self.reexecute,
            self.wipe, self.switch_a_sensor_off_and_on, self.kill, self.terminate, self.delete,
        ]  # fmt: skip
        while True:
            self.random.shuffle(kinds)
            for act in kinds:
                yield f"{datetime.now(UTC):%X} {act.__name__}: {act()}"

    def sync_a_day(self) -> str:
        day = self.random.choice(self.days)
        return f"{day} {self._launch('gong_sync', tags={'dagster/partition': day})}"

    def materialize_some_assets(self) -> str:
        if self.random.random() < 0.3:
            assets = self.random.sample(self.others, 2)
            return f"{assets} {self._launch('__ASSET_JOB', assets)}"
        assets, day = self.random.sample(self.daily, 3), self.random.choice(self.days)
        return f"{assets} of {day} {self._launch('__ASSET_JOB', assets, {'dagster/partition': day})}"

    def backfill(self) -> str:
        first, length = self.random.randrange(len(self.days)), self.random.randint(1, 5)
        days = self.days[first : first + length]
        assets = self.random.choice([["gong_calls_raw"], self.daily, self.random.sample(self.daily, 3)])
        parameters = {"assetSelection": [{"path": [name]} for name in assets], "partitionNames": days}
        return f"{len(assets)} assets of {days} {self._query(mutations.BACKFILL, parameters=parameters)}"

    def reconcile(self) -> str:
        return self._launch("gong_reconciliation")

    def reexecute(self) -> str:
        ended = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
        runs = self.instance.get_runs(dg.RunsFilter(statuses=ended), limit=3)
        if not runs:
            return "no run failed"
        run, strategy = self.random.choice(list(runs)), self.random.choice(["FROM_FAILURE", "ALL_STEPS"])
        parameters = {"parentRunId": run.run_id, "strategy": strategy}
        return f"{_named(run)} {strategy} {self._query(mutations.REEXECUTE, parameters=parameters)}"

    def wipe(self) -> str:
        # Dagster does not wipe single partitions.
        name = self.random.choice([*self.daily, *self.others])
        return f"{name} {self._query(mutations.WIPE, assets=[{'assetKey': {'path': [name]}}])}"

    def switch_a_sensor_off_and_on(self) -> str:
        sensors = self._query(_SENSORS, selector=mutations.REPOSITORY_SELECTOR)["results"]
        on = [each for each in sensors if each["sensorState"]["status"] == "RUNNING"]
        sensor = self.random.choice(on)
        self._query(mutations.STOP_SENSOR, id=sensor["sensorState"]["id"])
        time.sleep(self.random.uniform(1, LONGEST_DELAY))
        started = {**mutations.REPOSITORY_SELECTOR, "sensorName": sensor["name"]}
        return f"{sensor['name']} {self._query(mutations.START_SENSOR, selector=started)}"

    def kill(self) -> str:
        run = self._working()
        pid = run and self._pid(run)
        if not run or not pid:
            return "no run works"
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        time.sleep(SECONDS_TO_NOTICE)
        return f"{_named(run)} {pid}"

    def terminate(self) -> str:
        if (self.random.random() < 0.3) and (
            runs := self.instance.get_runs(dg.RunsFilter(statuses=IN_FLIGHT))
        ):
            run: dg.DagsterRun | None = self.random.choice(list(runs))
        else:
            run = self._working()
        return (
            f"{_named(run)} {self._query(mutations.TERMINATE, runId=run.run_id)}" if run else "no run works"
        )

    def delete(self) -> str:
        run = self._working()
        return f"{_named(run)} {self._query(mutations.DELETE, runId=run.run_id)}" if run else "no run works"

    def _working(self) -> dg.DagsterRun | None:
        """Return a run that executes steps, at any moment of it, or None if there is none for a while."""
        started = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
        deadline = time.monotonic() + SECONDS_TO_START
        while not (runs := self.instance.get_runs(started)):
            if time.monotonic() > deadline:
                return None
            time.sleep(0.5)
        time.sleep(self.random.uniform(0, LONGEST_DELAY))
        return self.random.choice(list(runs))

    def _pid(self, run: dg.DagsterRun) -> int | None:
        """Return the process of the run, which Dagster records at its start."""
        for entry in self.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
            event = entry.dagster_event
            if event and (pid := event.engine_event_data.metadata.get("pid")):
                return int(str(pid.value))
        return None

    def _launch(self, job: str, assets: list[str] | None = None, tags: dict[str, str] | None = None) -> str:
        parameters = {
            "selector": mutations.selector(job, assets),
            "runConfigData": "{}",
            "executionMetadata": {"tags": [{"key": k, "value": v} for k, v in (tags or {}).items()]},
        }
        return str(self._query(mutations.LAUNCH, executionParams=parameters))

    def _query(self, query: str, **variables: Any) -> Any:
        (result,) = graphql(self.url, query, **variables).values()
        return result


def _named(run: dg.DagsterRun) -> str:
    return f"{run.job_name} {run.run_id[:8]} ({run.status.value})"


@dataclass
class Tenant:
    """The simulated tenant, as its API shows it, and changes of it.

    Attributes:
        since: the first day whose calls are listed.
    """

    endpoint: GongEndpoint
    since: date
    random: Random
    client: httpx.Client = field(init=False, repr=False)

    def __post_init__(self) -> None:
        credentials = (self.endpoint.access_key, self.endpoint.access_key_secret)
        self.client = httpx.Client(base_url=self.endpoint.base_url, auth=credentials, trust_env=False)

    def change(self) -> str:
        """Add a call, delete one, or make one private."""
        what = self.random.choice(["add", "delete", "make-private"])
        if what == "add":
            call_id = self.client.post("/simulator/calls").raise_for_status().json()["id"]
        else:
            call_id = self.random.choice(sorted(self.calls()))
            self.client.post(f"/simulator/calls/{call_id}/{what}").raise_for_status()
        return f"{what} {call_id}"

    def calls(self) -> set[str]:
        """Return the IDs of the calls that are not private."""
        pages = self._pages("GET", "/v2/calls", self._window())
        return {call["id"] for page in pages for call in page["calls"] if not call.get("isPrivate")}

    def spoken(self) -> set[str]:
        """Return the IDs of the calls that have a transcript."""
        pages = self._pages("POST", "/v2/calls/transcript", self._window())
        return {each["callId"] for page in pages for each in page["callTranscripts"]}

    def _window(self) -> dict[str, str]:
        first = datetime.combine(self.since, datetime.min.time(), UTC)
        return {
            "fromDateTime": first.isoformat(),
            "toDateTime": (datetime.now(UTC) + timedelta(days=1)).isoformat(),
        }

    def _pages(self, method: str, path: str, window: dict[str, str]) -> Iterator[Any]:
        cursor = {}
        while True:
            is_get = method == "GET"
            sent: Any = {"params": {**window, **cursor}} if is_get else {"json": {"filter": window, **cursor}}
            answer = self.client.request(method, path, **sent)
            if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:  # The runs have the same limit.
                time.sleep(1)
                continue
            page = answer.raise_for_status().json()
            yield page
            if "cursor" not in page["records"]:
                return
            cursor = {"cursor": page["records"]["cursor"]}
