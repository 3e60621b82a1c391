"""The dbt project of this package: its directory, its manifest, and the environment of dbt commands.

The manifest is written by `dbt parse` to the home of the project, for each state of the files. So a wheel in
a read-only directory works, and the graph always matches the models.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from gong_assets.settings import Settings

if TYPE_CHECKING:
    from dagster_dbt import DbtProject

PROJECT_DIR = Path(__file__).parents[2] / "dbt"


class DbtParseError(Exception):
    """`dbt parse` failed; the text is its output."""


class DbtDocsError(Exception):
    """`dbt docs generate` failed; the text is its output."""


def dbt_executable() -> str:
    """Return the `dbt` of this Python's environment, which need not be on the PATH."""
    beside = Path(sys.executable).with_name("dbt")
    return str(beside) if beside.exists() else "dbt"


def prepared_project(settings: Settings) -> DbtProject:
    """Return the project with its manifest, after parsing it (a few seconds) if its files changed.

    Raises:
        DbtParseError: a file of the project does not parse.
    """
    # The import takes seconds, and some commands only need the exceptions of this module.
    from dagster_dbt import DbtProject

    target_path = settings.home / "dbt" / f"{settings.target}-{_fingerprint(settings)}"
    if not (target_path / "manifest.json").exists():
        target_path.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{target_path}.lock"):
            if not (target_path / "manifest.json").exists():
                _parse(target_path, settings)
    return DbtProject(PROJECT_DIR, target_path=target_path, profiles_dir=PROJECT_DIR, target=settings.target)


def _parse(target_path: Path, settings: Settings) -> None:
    # Nothing connects: the database and schema are only part of the names in the manifest.
    place = {"database": settings.snowflake_database, "schema": settings.snowflake_schema}
    result = _run_dbt(["parse"], target_path, settings, dbt_environment(place))
    if result.returncode != 0 or not (target_path / "manifest.json").exists():
        raise DbtParseError(f"dbt parse failed in {PROJECT_DIR}:\n{(result.stdout + result.stderr).strip()}")


def _run_dbt(
    command: Sequence[str], target_path: Path, settings: Settings, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [dbt_executable(), *command, "--quiet", "--target", settings.target],
        cwd=PROJECT_DIR,
        env={
            **os.environ,
            **environment,
            **dbt_source_environment(settings),
            "DBT_PROFILES_DIR": str(PROJECT_DIR),
            "DBT_PROJECT_DIR": str(PROJECT_DIR),
            "DBT_TARGET_PATH": str(target_path),
            "DBT_LOG_PATH": str(target_path),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def compile_sql(settings: Settings, template: str) -> str:
    """Return a Jinja template compiled with the macros and vars of the project. Nothing connects.

    Raises:
        DbtParseError: the project or the template does not compile.
    """
    target_path = Path(prepared_project(settings).target_path)
    place = {
        "account": settings.snowflake_account or "none",
        "user": settings.snowflake_user or "none",
        "database": settings.snowflake_database,
        "schema": settings.snowflake_schema,
    }
    command = ["compile", "--inline", template, "--no-introspect", "--no-populate-cache"]
    result = _run_dbt(command, target_path, settings, dbt_environment(place))
    if result.returncode != 0:
        raise DbtParseError(f"dbt compile failed:\n{(result.stdout + result.stderr).strip()}")
    return result.stdout.strip()


def write_docs(
    settings: Settings, directory: Path | str, *, arguments: Mapping[str, Any] | None = None
) -> Path:
    """Write the documentation of the models as one HTML file to `directory`, and return its path.

    Column types and row counts come from the warehouse of the settings, or of the connector's `arguments`. A
    table that does not exist there is documented without them. The local stack is started if necessary.

    Raises:
        DbtDocsError: dbt failed.
    """
    if arguments is None:
        from gong_assets.warehouse.connection import open_warehouse

        arguments = open_warehouse(settings).arguments
    with tempfile.TemporaryDirectory() as target:
        result = _run_dbt(
            ["docs", "generate", "--static"], Path(target), settings, dbt_environment(arguments)
        )
        page = Path(target) / "static_index.html"
        if result.returncode != 0 or not page.exists():
            raise DbtDocsError(f"dbt docs failed:\n{(result.stdout + result.stderr).strip()}")
        Path(directory).mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(page, Path(directory) / "index.html")).resolve()


def _fingerprint(settings: Settings) -> str:
    """Return a hash of all that the manifest depends on: files, versions of dbt, and names of tables."""
    digest = hashlib.sha256()
    for part in (str(PROJECT_DIR), version("dbt-core"), version("dbt-snowflake"), sys.prefix):
        digest.update(part.encode())
    names = (
        settings.snowflake_database,
        settings.snowflake_schema,
        *dbt_source_environment(settings).values(),
    )
    digest.update("\0".join(names).encode())
    for file in sorted(PROJECT_DIR.rglob("*")):
        relative = file.relative_to(PROJECT_DIR)
        if file.suffix in {".sql", ".yml", ".md"} and relative.parts[0] not in {
            "target",
            "logs",
            "dbt_packages",
        }:
            digest.update(str(relative).encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def dbt_source_environment(settings: Settings) -> dict[str, str]:
    """Return the variables that the project reads when it is parsed."""
    return {
        "HUBSPOT_DATABASE": settings.hubspot_database,
        "HUBSPOT_SCHEMA": settings.hubspot_schema,
        "HUBSPOT_SHAPE": settings.hubspot_shape,
        "GONG_REDACT_TRANSCRIPTS": str(settings.gong_redact_transcripts).lower(),
    }


def dbt_environment(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables of `profiles.yml`, so that dbt signs in with the connector's `arguments`."""
    private_key = arguments.get("private_key")
    authenticator = str(arguments.get("authenticator") or "")
    values = {
        "SNOWFLAKE_ACCOUNT": arguments.get("account"),
        "SNOWFLAKE_USER": arguments.get("user"),
        "SNOWFLAKE_ROLE": arguments.get("role"),
        "SNOWFLAKE_WAREHOUSE": arguments.get("warehouse"),
        "SNOWFLAKE_DATABASE": arguments.get("database"),
        "SNOWFLAKE_SCHEMA": arguments.get("schema"),
        "SNOWFLAKE_HOST": arguments.get("host"),
        "SNOWFLAKE_PORT": arguments.get("port"),
        "SNOWFLAKE_PROTOCOL": arguments.get("protocol"),
        # dbt-snowflake compares the names in lower case.
        "SNOWFLAKE_AUTHENTICATOR": authenticator
        if authenticator.startswith("https://")
        else authenticator.lower(),
        "SNOWFLAKE_PRIVATE_KEY": private_key and base64.b64encode(private_key).decode(),
        "SNOWFLAKE_PRIVATE_KEY_PATH": arguments.get("private_key_file"),
        "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": arguments.get("private_key_file_pwd"),
        "SNOWFLAKE_TOKEN": arguments.get("token"),
        "SNOWFLAKE_PASSWORD": arguments.get("password"),
        "SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER": arguments.get("workload_identity_provider"),
    }
    return {name: "" if value is None else str(value) for name, value in values.items()}


def keep_parse_state(project: DbtProject, invocation_path: Path) -> None:
    """Keep the parse state of a successful command for the next one, and remove the command's directory.

    Each command of dagster-dbt writes about a megabyte and never removes it. The directory of a failed
    command stays, because its compiled SQL helps to find the error.
    """
    parsed = invocation_path / "partial_parse.msgpack"
    if parsed.exists():
        os.replace(parsed, project.target_path / "partial_parse.msgpack")
    shutil.rmtree(invocation_path, ignore_errors=True)
