"""Airbyte's CDK, which reads the simulated tenant with a manifest of our own.

It conflicts with the project's requirements, so it is installed in an environment of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from gong_assets.local import GongEndpoint

MANIFEST = Path(__file__).parents[2] / "data" / "airbyte_manifest.yaml"
STREAMS = ("users", "extensiveCalls", "callTranscripts")
_READ_SECONDS = 300

Json = dict[str, Any]


class InstallError(Exception):
    """The CDK cannot be installed."""


def install(directory: Path) -> Path:
    """Install the CDK in a new environment in the directory, which takes a minute, and return its path.

    Raises:
        InstallError: pip failed.
    """
    environment = directory / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    installed = subprocess.run(
        [environment / "bin" / "pip", "install", "--quiet", "airbyte-cdk"],
        capture_output=True,
        text=True,
        check=False,
    )
    if installed.returncode:
        raise InstallError(f"airbyte-cdk cannot be installed: {installed.stderr[-200:]}")
    return environment


@dataclass
class Connection:
    """A connection of Airbyte whose syncs continue where the last one ended, as with its default settings.

    Attributes:
        environment: the virtual environment of the CDK.
        directory: for the files of a sync.
        start: the oldest call.
        states: the state of each stream after the last sync.
    """

    environment: Path
    directory: Path
    gong: GongEndpoint
    start: datetime
    streams: Sequence[str] = STREAMS
    lookback_days: int = 0
    states: dict[str, Json] = field(default_factory=dict)

    def sync(self, until: datetime) -> dict[str, list[Json]]:
        """Return the records that are new since the last sync, by stream."""
        files = {"config": self._config(until), "catalog": self._catalog(), "state": [*self.states.values()]}
        for name, content in files.items():
            (self.directory / f"{name}.json").write_text(json.dumps(content), "utf-8")
        arguments = [part for name in files for part in (f"--{name}", str(self.directory / f"{name}.json"))]
        command = [str(self.environment / "bin" / "source-declarative-manifest"), "read", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_READ_SECONDS)
        if done.returncode:
            raise RuntimeError(f"The CDK ended with {done.returncode}: {done.stdout[-2000:]}")
        records: defaultdict[str, list[Json]] = defaultdict(list)
        for line in done.stdout.splitlines():
            message = json.loads(line)
            if message["type"] == "RECORD":
                records[message["record"]["stream"]].append(message["record"]["data"])
            elif message["type"] == "STATE":
                self.states[message["state"]["stream"]["stream_descriptor"]["name"]] = message["state"]
        return records

    def _config(self, until: datetime) -> Json:
        return {
            "base_url": f"{self.gong.base_url}/",
            "access_key": self.gong.access_key,
            "access_key_secret": self.gong.access_key_secret,
            "start_date": f"{self.start:%Y-%m-%dT%H:%M:%SZ}",
            "end_date": f"{until:%Y-%m-%dT%H:%M:%SZ}",
            "lookback_window_days": self.lookback_days,
            "__injected_declarative_manifest": yaml.safe_load(MANIFEST.read_text("utf-8")),
        }

    def _catalog(self) -> Json:
        return {"streams": [_configured(name) for name in self.streams]}


def _configured(stream: str) -> Json:
    """Return the stream in the catalog. Only users have no cursor."""
    mode = "full_refresh" if stream == "users" else "incremental"
    described = {"name": stream, "json_schema": {}, "supported_sync_modes": [mode]}
    return {"stream": described, "sync_mode": mode, "destination_sync_mode": "append"}
