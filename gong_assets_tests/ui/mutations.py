"""The GraphQL mutations that the buttons of the Dagster UI send, and the selector of what they act on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

LOCATION, REPOSITORY = "gong_assets", "__repository__"
REPOSITORY_SELECTOR = {"repositoryLocationName": LOCATION, "repositoryName": REPOSITORY}

LAUNCH = """
mutation Launch($executionParams: ExecutionParams!) {
  launchRun(executionParams: $executionParams) {
    ... on LaunchRunSuccess { run { runId } }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on Error { message }
  }
}"""
REEXECUTE = """
mutation Reexecute($parameters: ReexecutionParams!) {
  launchRunReexecution(reexecutionParams: $parameters) {
    ... on LaunchRunSuccess { run { runId } }
    ... on Error { message }
  }
}"""
BACKFILL = """
mutation Backfill($parameters: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $parameters) {
    ... on LaunchBackfillSuccess { backfillId }
    ... on Error { message }
  }
}"""
TERMINATE = """
mutation Terminate($runId: String!) {
  terminateRun(runId: $runId) {
    ... on TerminateRunSuccess { run { runId } }
    ... on TerminateRunFailure { message }
    ... on Error { message }
  }
}"""
DELETE = """
mutation Delete($runId: String!) {
  deletePipelineRun(runId: $runId) {
    ... on DeletePipelineRunSuccess { runId }
    ... on Error { message }
  }
}"""
WIPE = """
mutation Wipe($assets: [PartitionsByAssetSelector!]!) {
  wipeAssets(assetPartitionRanges: $assets) {
    ... on AssetWipeSuccess { assetPartitionRanges { assetKey { path } } }
    ... on Error { message }
  }
}"""
STOP_SENSOR = """
mutation StopSensor($id: String!) {
  stopSensor(id: $id) {
    ... on StopSensorMutationResult { instigationState { status } }
    ... on Error { message }
  }
}"""
START_SENSOR = """
mutation StartSensor($selector: SensorSelector!) {
  startSensor(sensorSelector: $selector) {
    ... on Sensor { name }
    ... on Error { message }
  }
}"""


def selector(
    job: str, assets: Sequence[str] | None = None, checks: Sequence[tuple[str, str]] | None = None
) -> dict[str, Any]:
    """Return the selector that the UI sends for a job, or for some of its assets and checks (asset, name)."""
    selected: dict[str, Any] = {**REPOSITORY_SELECTOR, "pipelineName": job}
    if assets is not None or checks is not None:
        selected["assetSelection"] = [{"path": [name]} for name in assets or ()]
    if checks is not None:
        selected["assetCheckSelection"] = [
            {"assetKey": {"path": [asset]}, "name": name} for asset, name in checks
        ]
    return selected
