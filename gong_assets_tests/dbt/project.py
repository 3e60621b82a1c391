"""Runs the dbt project like its users: the `dbt` command with environment variables only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gong_assets

PROJECT_DIR = Path(gong_assets.__file__).parent / "dbt"
DBT = Path(sys.executable).with_name("dbt")


@dataclass(frozen=True)
class DbtProject:
    """The project with a separate target directory, so that the checkout stays unchanged.

    Attributes:
        work_dir: where dbt writes its target directory and logs.
        environment: the variables that name the warehouse.
        project_dir: the project, or a copy of it.
    """

    work_dir: Path
    environment: dict[str, str] = field(default_factory=dict)
    project_dir: Path = PROJECT_DIR

    def command(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `dbt ARGUMENTS` and return the result, even if it failed."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SNOWFLAKE_", "DBT_", "HUBSPOT_", "GONG_"))
        }
        project = ["--project-dir", str(self.project_dir), "--profiles-dir", str(self.project_dir)]
        return subprocess.run(
            [str(DBT), "--no-use-colors", *arguments, *project],
            env={
                **inherited,
                "DBT_TARGET_PATH": str(self.work_dir / "target"),
                "DBT_LOG_PATH": str(self.work_dir / "logs"),
                **self.environment,
                **environment,
            },
            cwd=self.work_dir,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def succeed(self, *arguments: str, **environment: str) -> str:
        """Run `dbt ARGUMENTS`, assert success, and return its standard output."""
        done = self.command(*arguments, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def manifest(self) -> dict[str, Any]:
        """Return the manifest of the last command."""
        manifest: dict[str, Any] = json.loads((self.work_dir / "target" / "manifest.json").read_text())
        return manifest

    def compiled(self) -> dict[str, str]:
        """Return the compiled SQL of each model from the last command."""
        return {
            node["name"]: node["compiled_code"]
            for node in self.manifest()["nodes"].values()
            if node["resource_type"] == "model" and node.get("compiled_code")
        }

    def failures(self) -> list[str]:
        """Return the failed tests of the last command, including warnings."""
        results = json.loads((self.work_dir / "target" / "run_results.json").read_text())["results"]
        return [
            result["unique_id"].split(".")[2] for result in results if result["status"] in ("fail", "warn")
        ]
