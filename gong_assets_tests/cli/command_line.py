"""The real `gong-assets` and `dagster` commands, each in its own process and environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from gong_assets_tests.parsed_projects import ParsedProjects

# A full run takes a minute on two slow cores, so a command that takes ten minutes hangs.
TIMEOUT_SECONDS = 600


@dataclass(frozen=True)
class Outcome:
    """Result of a command."""

    code: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)

    def succeeded(self) -> Outcome:
        assert self.code == 0, f"exit {self.code}\n{self.stdout}\n{self.stderr}"
        return self


@dataclass(frozen=True)
class CommandLine:
    """Commands in one directory, with only these variables and the ones that every process needs."""

    directory: Path
    variables: dict[str, str] = field(default_factory=dict)
    parsed: ClassVar[ParsedProjects]

    def with_variables(self, **variables: str) -> CommandLine:
        return replace(self, variables={**self.variables, **variables})

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": os.defpath, "HOME": str(self.directory), "LANG": "C.UTF-8", **self.variables}

    def gong_assets(self, *arguments: str) -> Outcome:
        return self.run("gong-assets", *arguments)

    def run(self, command: str, *arguments: str) -> Outcome:
        """Run a command of the current virtual environment."""
        started = time.monotonic()
        with self.parsed.of_command(self.environment):
            finished = subprocess.run(
                [Path(sys.executable).with_name(command), *arguments],
                cwd=self.directory,
                env=self.environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=TIMEOUT_SECONDS,
            )
        return Outcome(finished.returncode, finished.stdout, finished.stderr, time.monotonic() - started)
