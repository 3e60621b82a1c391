"""The DCM project: every declared statement is in one of its files, in the form that DCM takes."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from gong_assets.provisioning.dcm import dcm_project
from gong_assets.provisioning.declaration import declare
from gong_assets.provisioning.statements import statements
from gong_assets.settings import Settings
from gong_assets_tests.cli.command_line import CommandLine

EVERYTHING = {
    "gong_provision_separate_warehouses": True,
    "gong_provision_allowed_ips": "192.0.2.7",
    "gong_provision_hubspot_share": "ORGANIZATION.HUBSPOT",
}


def lines(text: str) -> list[str]:
    """Return the statements of a file, without the comments and changes of role."""
    kept = (line for line in text.splitlines() if line and not line.startswith(("--", "USE ROLE")))
    return [line.removesuffix(";") for line in kept]


@pytest.mark.parametrize("options", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_every_statement_is_in_one_file(options: dict[str, object]) -> None:
    account = declare(Settings(**options))
    files = dcm_project(account, "ORG-ACCOUNT", "DCM.PROJECTS.GONG_ASSETS")
    written = [line for name, text in files.items() if name.endswith(".sql") for line in lines(text)]

    declared = [each.sql for each in statements(account)]
    assert len(written) == len(declared)
    undefined = {line for line in written if not line.startswith("DEFINE ")}
    assert undefined <= set(declared)
    created = {_created(sql) for sql in declared if sql not in undefined}
    assert {_created(line) for line in written if line not in undefined} == created


def _created(sql: str) -> str:
    for words in ("CREATE OR ALTER ", "CREATE ", "DEFINE ", "IF NOT EXISTS "):
        sql = sql.replace(words, "", 1)
    return sql.replace(" WITH ", " ", 1) if sql.startswith("WAREHOUSE") else sql


def test_definitions_have_no_other_statements_than_definitions_and_grants() -> None:
    files = dcm_project(declare(Settings(**EVERYTHING)), "ORG-ACCOUNT", "DCM.PROJECTS.GONG_ASSETS")
    definitions = {name: lines(text) for name, text in files.items() if name.startswith("sources/")}

    grants = definitions.pop("sources/definitions/grants.sql")
    assert all(line.startswith("DEFINE ") for each in definitions.values() for line in each)
    assert all(line.startswith("GRANT ") for line in grants)
    # https://docs.snowflake.com/en/user-guide/dcm-projects/dcm-projects-supported-entities
    assert not [each for each in grants if "ON ACCOUNT" in each or "FUTURE" in each or "IMPORTED" in each]
    assert (
        "DEFINE ROLE GONG_ASSETS_LOADER COMMENT = 'Reads Gong and writes the raw tables'"
        in (definitions["sources/definitions/roles.sql"])
    )
    warehouses = definitions["sources/definitions/warehouses.sql"]
    assert all(" WITH WAREHOUSE_SIZE = " in line for line in warehouses)


def test_the_command_writes_a_project(tmp_path: Path) -> None:
    commands = CommandLine(tmp_path, {"GONG_ASSETS_HOME": str(tmp_path / "home")})

    written = commands.gong_assets("provision", "dcm", "project").succeeded().stdout.split()

    assert "project/manifest.yml" in written
    manifest = yaml.safe_load((tmp_path / "project/manifest.yml").read_text())
    assert (manifest["manifest_version"], manifest["type"]) == (2, "DCM_PROJECT")
    target = manifest["targets"][manifest["default_target"]]
    assert target["project_name"] == "DCM.PROJECTS.GONG_ASSETS"
    assert all((tmp_path / name).read_text() for name in written)
