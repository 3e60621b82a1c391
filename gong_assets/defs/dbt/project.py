"""The dbt project of this package: its directory, its manifest, and the environment of dbt commands.

The manifest is written by `dbt parse` to the home of the project, for each state of the files. So a wheel in
a read-only directory works, and the graph always matches the models.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from gong_assets.security.private_files import create_private_directory
from gong_assets.settings import Settings
from gong_assets.settings.dbt_vars import changed_vars

if TYPE_CHECKING:
    from dagster_dbt import DbtProject
    from dbt.contracts.graph.manifest import Manifest

PROJECT_DIR = Path(__file__).parents[2] / "dbt"

# Directory of the commands' output, beside the manifest.
INVOCATIONS = "runs"
KEPT_INVOCATIONS = 5
# Name of the directory of a parsed project: target and fingerprint.
PARSED_NAME = re.compile(r".+-[0-9a-f]{12}")


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

    target_path = parsed_directory(settings)
    if not (target_path / "manifest.json").exists():
        create_private_directory(target_path)
        with FileLock(f"{target_path}.lock"):
            if not (target_path / "manifest.json").exists():
                _parse(target_path, settings)
    return DbtProject(PROJECT_DIR, target_path=target_path, profiles_dir=PROJECT_DIR, target=settings.target)


def parsed_directory(settings: Settings) -> Path:
    """Return the directory of the manifest. Its name changes with all that the manifest depends on."""
    return settings.home / "dbt" / f"{settings.target}-{_fingerprint(settings)}"


def _parse(target_path: Path, settings: Settings) -> None:
    """Write the files of the parsed project to `target_path`, or none if dbt fails or is killed."""
    with tempfile.TemporaryDirectory(dir=target_path) as draft:
        # Nothing connects: the database and schema are only part of the names in the manifest.
        result = _run_dbt(["parse"], Path(draft), settings, dbt_environment(settings.place))
        if result.returncode != 0 or not Path(draft, "manifest.json").exists():
            raise DbtParseError(
                f"dbt parse failed in {PROJECT_DIR}:\n{(result.stdout + result.stderr).strip()}"
            )
        # The manifest is last: a project with a manifest counts as parsed.
        for name in ("partial_parse.msgpack", "manifest.json"):
            os.replace(Path(draft, name), target_path / name)


def _run_dbt(
    command: Sequence[str], target_path: Path, settings: Settings, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [dbt_executable(), *command, "--quiet", *command_options(settings, target_path)],
        cwd=PROJECT_DIR,
        env={**without_dbt_variables(os.environ), **environment, **dbt_source_environment(settings)},
        capture_output=True,
        text=True,
        check=False,
    )


def parsed_manifest(target_path: Path) -> Manifest:
    """Return the manifest that `dbt parse` wrote, as dbt's runner takes it.

    dbt itself would parse the whole project again if the account, user, role, warehouse or port differ from
    those of the parse. Only the database and schema are part of the result.
    """
    from dbt.contracts.graph.manifest import Manifest

    manifest = Manifest.from_msgpack((target_path / "partial_parse.msgpack").read_bytes())
    manifest.build_flat_graph()  # type: ignore[no-untyped-call]
    return manifest


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
        *settings.place.values(),
        *dbt_source_environment(settings).values(),
        json.dumps(changed_vars(settings.gong_dbt_vars_file), sort_keys=True),
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


def without_dbt_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without dbt's own variables, such as DBT_FULL_REFRESH.

    dbt reads its options from them, and they may be meant for another project of the user.
    """
    return {name: value for name, value in environment.items() if not name.startswith("DBT_")}


def dbt_source_environment(settings: Settings) -> dict[str, str]:
    """Return the variables that the project reads when it is parsed."""
    return {
        "HUBSPOT_DATABASE": settings.hubspot_database,
        "HUBSPOT_SCHEMA": settings.hubspot_schema,
        "HUBSPOT_SHAPE": settings.hubspot_shape,
        "GONG_REDACT_TRANSCRIPTS": str(settings.gong_redact_transcripts).lower(),
        "GONG_COMPANY_TIMEZONE": settings.gong_company_timezone or "",
        "GONG_PROVISIONED": str(settings.gong_provisioned).lower(),
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
    return {
        **{name: "" if value is None else str(value) for name, value in values.items()},
        **_without_proxy(str(arguments.get("host") or "")),
    }


def _without_proxy(host: str) -> dict[str, str]:
    """Return the variables with which a server on this machine is not reached through a proxy."""
    if host not in ("127.0.0.1", "localhost"):
        return {}
    excluded = filter(None, (os.environ.get("NO_PROXY"), os.environ.get("no_proxy"), host))
    return dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join(excluded))


def command_options(settings: Settings, target_path: Path) -> list[str]:
    """Return the options of a dbt command: the project, and the directory of its output."""
    variables = changed_vars(settings.gong_dbt_vars_file)
    return [
        *("--project-dir", str(PROJECT_DIR), "--profiles-dir", str(PROJECT_DIR)),
        *("--target", settings.target),
        *(("--vars", json.dumps(variables)) if variables else ()),
        *("--target-path", str(target_path), "--log-path", str(target_path)),
        "--no-send-anonymous-usage-stats",
    ]


def keep_output(state_path: Path, target_path: Path) -> None:
    """Keep the compiled SQL of a successful command, and remove its directory."""
    for file in (target_path / "compiled").rglob("*.sql"):
        kept = state_path / file.relative_to(target_path)
        kept.parent.mkdir(parents=True, exist_ok=True)
        os.replace(file, kept)
    shutil.rmtree(target_path, ignore_errors=True)


def remove_old_invocations(state_path: Path) -> None:
    """Remove the directories of failed and killed commands, except for the newest few.

    The directory of a failed command stays, because its compiled SQL helps to find the error.
    """
    directories = sorted((state_path / INVOCATIONS).glob("*"), key=lambda path: path.stat().st_mtime)
    for directory in directories[:-KEPT_INVOCATIONS]:
        shutil.rmtree(directory, ignore_errors=True)


def delete_old_output(target_path: Path, before: datetime) -> int:
    """Delete the output of old failed commands, and parsed projects that no process has used since `before`.

    Args:
        target_path: directory of the parsed project in use. Only its own output and parsed projects beside it
            are deleted.

    Returns the number of deleted directories.
    """
    unused = [path for path in target_path.parent.glob("*/") if path != target_path and _is_parsed(path)]
    deleted = 0
    for directory in [*(target_path / INVOCATIONS).glob("*/"), *unused]:
        with suppress(FileNotFoundError):  # A command that ends at this moment removes its own directory.
            newest = max(path.stat().st_mtime for path in (directory, *directory.iterdir()))
            if newest < before.timestamp():
                shutil.rmtree(directory, ignore_errors=True)
                deleted += 1
    return deleted


def _is_parsed(directory: Path) -> bool:
    return bool(PARSED_NAME.fullmatch(directory.name)) and (directory / "manifest.json").is_file()
