"""Dagster's webserver in this process: what the UI sends and shows, by GraphQL.

Launched runs are executed in this process too, one after the other, so that a test can replace what lies
behind the graph.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import dagster as dg
import yaml
from dagster._core.launcher.base import LaunchRunContext
from dagster._core.launcher.sync_in_memory_run_launcher import SyncInMemoryRunLauncher
from dagster._core.remote_origin import CodeLocationOrigin, InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceLoadTarget
from dagster._daemon.backfill import execute_backfill_iteration
from dagster_webserver.app import create_app_from_workspace_process_context
from starlette.testclient import TestClient

import gong_assets
from gong_assets.cli.dagster_home import event_log_options
from gong_assets_tests.ui.mutations import BACKFILL, LAUNCH, LOCATION, REEXECUTE, selector

DEFINITIONS = Path(gong_assets.__file__).with_name("definitions.py")

_DAGSTER_YAML = f"""
telemetry: {{enabled: false}}
run_launcher: {{module: {__name__}, class: ThreadRunLauncher}}
run_coordinator: {{module: dagster._core.run_coordinator, class: DefaultRunCoordinator}}
"""

_LAUNCHPAD = """
query Launchpad($selector: PipelineSelector!) {
  runConfigSchemaOrError(selector: $selector) {
    ... on RunConfigSchema { rootDefaultYaml }
    ... on Error { message }
  }
}"""


class ThreadRunLauncher(SyncInMemoryRunLauncher):
    """Executes each run in a thread of its own, and waits for it: a step starts an event loop."""

    def launch_run(self, context: LaunchRunContext) -> None:
        thread = Thread(target=super().launch_run, args=(context,))
        thread.start()
        thread.join()


@dataclass
class Webserver:
    client: TestClient
    instance: dg.DagsterInstance
    context: WorkspaceProcessContext

    def query(self, query: str, **variables: Any) -> Any:
        answer = self.client.post("/graphql", json={"query": query, "variables": variables}).json()
        assert "errors" not in answer, answer
        (result,) = answer["data"].values()
        return result

    def launchpad(self, job: str, assets: Sequence[str] | None = None) -> str:
        """Return the run config that the job's launchpad shows."""
        return str(self.query(_LAUNCHPAD, selector=selector(job, assets))["rootDefaultYaml"])

    def launch(
        self,
        job: str,
        run_config: Any = None,
        *,
        tags: Mapping[str, str] | None = None,
        assets: Sequence[str] | None = None,
        checks: Sequence[tuple[str, str]] | None = None,
    ) -> LaunchedRun:
        """Launch the job, or some of its assets or checks, and return the finished run."""
        parameters = {
            "selector": selector(job, assets, checks),
            "runConfigData": yaml.safe_dump(run_config or {}),
            "executionMetadata": {"tags": [{"key": k, "value": v} for k, v in (tags or {}).items()]},
        }
        result = self.query(LAUNCH, executionParams=parameters)
        assert "run" in result, result
        return self.run(result["run"]["runId"])

    def reexecute_from_failure(self, run: LaunchedRun) -> LaunchedRun:
        parameters = {"parentRunId": run.run.run_id, "strategy": "FROM_FAILURE"}
        return self.run(self.query(REEXECUTE, parameters=parameters)["run"]["runId"])

    def backfill(self, assets: Iterable[str], partitions: Sequence[str]) -> list[LaunchedRun]:
        """Backfill these partitions, as the daemon does, and return the runs, oldest first."""
        parameters = {
            "assetSelection": [{"path": [name]} for name in assets],
            "partitionNames": list(partitions),
        }
        backfill_id = self.query(BACKFILL, parameters=parameters)["backfillId"]
        backfill = self.instance.get_backfill(backfill_id)
        while backfill is not None and backfill.status.name == "REQUESTED":
            errors = list(execute_backfill_iteration(self.context, logging.getLogger("backfill")))
            assert not any(errors), errors
            backfill = self.instance.get_backfill(backfill_id)
        assert backfill is not None
        assert backfill.status.name == "COMPLETED_SUCCESS", backfill
        runs = self.instance.get_runs(dg.RunsFilter(tags={"dagster/backfill": backfill_id}))
        return [self.run(run.run_id) for run in reversed(runs)]

    def run(self, run_id: str) -> LaunchedRun:
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        return LaunchedRun(run, self.instance.all_logs(run_id))


@dataclass
class LaunchedRun:
    run: dg.DagsterRun
    log: list[dg.EventLogEntry] = field(repr=False)

    @property
    def is_success(self) -> bool:
        return self.run.status is dg.DagsterRunStatus.SUCCESS

    @property
    def events(self) -> list[dg.DagsterEvent]:
        return [entry.dagster_event for entry in self.log if entry.dagster_event is not None]

    @property
    def materialized(self) -> set[str]:
        return {
            event.asset_key.path[-1]
            for event in self.events
            if event.is_step_materialization and event.asset_key is not None
        }

    @property
    def evaluations(self) -> list[dg.AssetCheckEvaluation]:
        return [
            event.asset_check_evaluation_data
            for event in self.events
            if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION
        ]

    @property
    def retries(self) -> list[str]:
        """The keys of the steps that were retried, once for each retry."""
        return [str(event.step_key) for event in self.events if event.is_step_up_for_retry]

    @property
    def failures(self) -> dict[str, str]:
        """The reason of each failed step, by its key."""
        return {
            str(event.step_key): str(
                event.step_failure_data.user_failure_data.description
                if event.step_failure_data.user_failure_data
                else event.step_failure_data.error
            )
            for event in self.events
            if event.is_step_failure
        }


@dataclass
class _InProcess(WorkspaceLoadTarget):
    definitions: Path

    def create_origins(self) -> Sequence[CodeLocationOrigin]:
        target = LoadableTargetOrigin(python_file=str(self.definitions), attribute="defs")
        return [InProcessCodeLocationOrigin(target, location_name=LOCATION)]


@contextmanager
def webserver(home: Path) -> Iterator[Webserver]:
    """Serve the definitions of this process's environment, with Dagster's storage in `home`."""
    home.mkdir(exist_ok=True)
    # Dagster loads a file once per process, whatever the environment.
    definitions = home / "definitions.py"
    shutil.copyfile(DEFINITIONS, definitions)
    (home / "dagster.yaml").write_text(_DAGSTER_YAML + yaml.safe_dump(event_log_options(home)))
    with (
        dg.DagsterInstance.from_config(str(home)) as instance,
        WorkspaceProcessContext(instance, _InProcess(definitions)) as context,
        TestClient(create_app_from_workspace_process_context(context)) as client,
    ):
        yield Webserver(client, instance, context)
