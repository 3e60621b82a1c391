"""The dbt project that this package ships: where it is, its manifest, and the environment in which dbt runs.

The manifest is made by `dbt parse` when there is none for these very files, and kept in the project's home: a wheel in a
read-only site-packages works, and an edited model is never out of step with the graph.
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
    """`dbt parse` failed; the text is what dbt said."""


class DbtDocsError(Exception):
    """`dbt docs generate` failed; the text is what dbt said."""


def dbt_executable() -> str:
    """The `dbt` of this very Python: a virtual environment need not be on the PATH to be used."""
    beside = Path(sys.executable).with_name("dbt")
    return str(beside) if beside.exists() else "dbt"


def prepared_project(settings: Settings) -> DbtProject:
    """The project with its manifest, which is parsed first (a few seconds) if the files changed since the last time.

    Raises:
        DbtParseError: a file of the project does not parse.
    """
    # Takes seconds, and an error's name in this module is all that some commands need of it.
    from dagster_dbt import DbtProject

    target_path = settings.home / "dbt" / f"{settings.target}-{_fingerprint(settings)}"
    if not (target_path / "manifest.json").exists():
        target_path.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{target_path}.lock"):
            if not (target_path / "manifest.json").exists():
                _parse(target_path, settings)
    return DbtProject(PROJECT_DIR, target_path=target_path, profiles_dir=PROJECT_DIR, target=settings.target)


def _parse(target_path: Path, settings: Settings) -> None:
    result = _run_dbt(["parse"], target_path, settings, dbt_environment({}))
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


def write_docs(
    settings: Settings, directory: Path | str, *, arguments: Mapping[str, Any] | None = None
) -> Path:
    """The models' documentation as one HTML file in `directory`, which needs no server; its path.

    Types and row counts are those of the warehouse that the settings, or the connector's `arguments`, name; a table that
    is not built there is documented without them. The local stack is started on first need.

    Raises:
        DbtDocsError: dbt could not make it.
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
    """Changes with each thing that the manifest depends on: the files, dbt itself, where it runs, and the source names."""
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
    """What the project reads when it is parsed: where its sources are, and whether transcripts are redacted."""
    return {
        "HUBSPOT_DATABASE": settings.hubspot_database,
        "HUBSPOT_SCHEMA": settings.hubspot_schema,
        "HUBSPOT_SHAPE": settings.hubspot_shape,
        "GONG_REDACT_TRANSCRIPTS": str(settings.gong_redact_transcripts).lower(),
    }


def dbt_environment(arguments: Mapping[str, Any]) -> dict[str, str]:
    """What `profiles.yml` reads, for the connector's `arguments`: dbt signs in as the rest of the graph does."""
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
        # dbt-snowflake spells the names in lower case and compares them so.
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
    """After a successful command: keep what dbt parsed for the next one, and remove the command's own directory.

    Each command of dagster-dbt writes a directory of about a megabyte and never removes it. A failed command's directory
    stays: its compiled SQL shows what was wrong.
    """
    parsed = invocation_path / "partial_parse.msgpack"
    if parsed.exists():
        os.replace(parsed, project.target_path / "partial_parse.msgpack")
    shutil.rmtree(invocation_path, ignore_errors=True)
