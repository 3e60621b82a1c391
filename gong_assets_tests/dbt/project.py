"""Runs the dbt project like its users: commands of dbt with environment variables only."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import snowflake.connector
from snowflake.connector import SnowflakeConnection

import gong_assets
from gong_assets.cortex.sending import create_tables
from gong_assets.dates import parse_ranges
from gong_assets.defs.dbt.project import parsed_manifest
from gong_assets_tests.cli.command_line import CommandLine
from gong_assets_tests.dbt.enriching import enrich, scope_of

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

PROJECT_DIR = Path(gong_assets.__file__).parent / "dbt"
DBT = Path(sys.executable).with_name("dbt")


STAGING = ("--select", "path:models/staging")
OTHERS = ("--select", "path:models/cortex", "path:models/enriched", "path:models/monitoring")


class RefusedError(Exception):
    """dbt does not parse the project."""

    def __init__(self, result: subprocess.CompletedProcess[str]) -> None:
        super().__init__(result.stdout)
        self.result = result


@functools.cache
def variables_of_dbt() -> set[str]:
    """Return the names of the vars that the project's SQL reads. The others are for sending texts to Cortex.

    dbt parses the project for each combination of vars, so tests should not pass others.
    """
    return {
        name for file in PROJECT_DIR.rglob("*.sql") for name in re.findall(r"var\('(\w+)'", file.read_text())
    }


@contextlib.contextmanager
def connected_to(
    environment: Mapping[str, str],
) -> Iterator[tuple[SnowflakeConnection, dict[str, Any]]]:
    """Connect to the warehouse of dbt's variables, and yield the connection and its options."""
    options = {
        **dict.fromkeys(("account", "user", "password"), "local"),
        "host": "127.0.0.1",
        "port": int(environment["SNOWFLAKE_PORT"]),
        "protocol": "http",
        "database": environment["SNOWFLAKE_DATABASE"],
        "schema": environment["SNOWFLAKE_SCHEMA"],
    }
    with snowflake.connector.connect(**options, session_parameters={"TIMEZONE": "UTC"}) as connection:
        yield connection, options


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
    _targets: list[Path] = field(default_factory=list, init=False)

    def command(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `dbt ARGUMENTS` and return the result, even if it failed.

        dbt's runner in this process does what the command does, without the seconds of its start. Like the
        graph, it is given the manifest, unless the command parses or the project is a copy.
        """
        with mock.patch.dict(os.environ, self._environment(arguments, environment), clear=True):
            if arguments[0] == "parse" or self.project_dir != PROJECT_DIR:
                return self._invoke(*arguments)
            # The SQL of the option is parsed by the command itself.
            variables = "" if "--inline" in arguments else dict(pairwise(arguments)).get("--vars", "")
            given = {**self.environment, **environment}
            given.pop("GONG_COMPANY_TIMEZONE", None)  # It is read when a model is built.

            def parse() -> Path:
                parsed = self._invoke("parse", *(("--vars", variables) if variables else ()))
                if parsed.returncode:
                    raise RefusedError(parsed)
                return self._targets[-1]

            try:
                target = CommandLine.parsed.of_variables(given, variables, parse)
            except RefusedError as refused:
                return refused.result
            return self._invoke(*arguments, manifest=parsed_manifest(target))

    def _invoke(self, *arguments: str, manifest: Manifest | None = None) -> subprocess.CompletedProcess[str]:
        from dbt.cli.main import dbtRunner

        project = ["--project-dir", str(self.project_dir), "--profiles-dir", str(self.project_dir)]
        command = ["--no-use-colors", *arguments, *project]
        output = io.StringIO()
        with contextlib.chdir(self.work_dir), contextlib.redirect_stdout(output):
            result = dbtRunner(manifest=manifest).invoke(command)
        if result.exception:
            output.write(str(result.exception))
        return subprocess.CompletedProcess(command, int(not result.success), output.getvalue(), "")

    def command_in_a_process(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `dbt ARGUMENTS` as a user does."""
        project = ["--project-dir", str(self.project_dir), "--profiles-dir", str(self.project_dir)]
        return subprocess.run(
            [str(DBT), "--no-use-colors", *arguments, *project],
            env=self._environment(arguments, environment),
            cwd=self.work_dir,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def _environment(self, arguments: Sequence[str], environment: Mapping[str, str]) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SNOWFLAKE_", "DBT_", "HUBSPOT_", "GONG_"))
        }
        # dbt parses the whole project again when the vars differ from those of the last command.
        given = dict(pairwise(arguments)).get("--vars", "")
        target = self.work_dir / ("target" + hashlib.sha256(given.encode()).hexdigest()[:8] * bool(given))
        self._targets.append(target)
        return {
            **inherited,
            "DBT_TARGET_PATH": str(target),
            "DBT_LOG_PATH": str(self.work_dir / "logs"),
            # Tests read the whole log, however many commands ran before.
            "DBT_LOG_FILE_MAX_BYTES": "0",
            **self.environment,
            **environment,
        }

    def succeed(self, *arguments: str, **environment: str) -> str:
        """Run `dbt ARGUMENTS`, assert success, and return its standard output.

        If all models are built, the staged texts are sent to Cortex before the models after them.
        """
        if arguments[0] not in ("run", "build") or "--select" in arguments:
            return self._succeed(*arguments, **environment)
        if arguments[0] == "build":  # As the graph does: a test of two models runs when both exist.
            arguments = (*arguments, "--indirect-selection", "buildable")
        variables = {**self.environment, **environment}
        with connected_to(variables) as (connection, options):
            scope = scope_of(
                json.loads(dict(pairwise(arguments)).get("--vars", "{}")),
                parse_ranges(variables["GONG_ASSETS_DAYS"]) if "GONG_ASSETS_DAYS" in variables else None,
                redacts=variables.get("GONG_REDACT_TRANSCRIPTS") == "true",
            )
            create_tables(connection, scope.functions)
            output = self._succeed(*arguments, *STAGING, **environment)
            assert enrich(connection, options, scope).errors == {}
        return output + self._succeed(*arguments, *OTHERS, **environment)

    def _succeed(self, *arguments: str, **environment: str) -> str:
        done = self.command(*arguments, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def compile_inline(self, sql: str) -> str:
        """Return SQL with its macros replaced."""
        output = self.succeed("--quiet", "compile", "--inline", sql, "--output", "json")
        return str(json.loads(output)["compiled"])

    def manifest(self) -> dict[str, Any]:
        """Return the manifest of the last command that wrote one."""
        written = (target / "manifest.json" for target in reversed(self._targets))
        file = next(path for path in written if path.exists())
        manifest: dict[str, Any] = json.loads(file.read_text())
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
        results = json.loads((self._targets[-1] / "run_results.json").read_text())["results"]
        return [
            result["unique_id"].split(".")[2] for result in results if result["status"] in ("fail", "warn")
        ]
