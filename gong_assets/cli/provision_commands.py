"""`gong-assets provision`: the roles, users, warehouses and policies of the Snowflake account."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gong_assets.cli import output
from gong_assets.cli.errors import WORK_FAILED
from gong_assets.cli.help import HelpGroup
from gong_assets.cli.options import JsonOption

if TYPE_CHECKING:
    from gong_assets.provisioning.drift import Drift

provision_app = typer.Typer(
    cls=HelpGroup,
    name="provision",
    help="Declare the roles, users, warehouses and policies of the Snowflake account.\n\n"
    "Their names and options are the settings that start with GONG_PROVISION.",
    no_args_is_help=True,
)


@provision_app.command("sql")
def sql(
    role: Annotated[
        str | None, typer.Option("--role", help="Only the statements that this role runs.")
    ] = None,
) -> None:
    """Print the SQL, grouped by the role that runs it. Every statement can be repeated."""
    from gong_assets.provisioning.declaration import declare
    from gong_assets.provisioning.statements import ROLES, script
    from gong_assets.settings import load_settings

    if role is not None and role.upper() not in ROLES:
        raise typer.BadParameter(f"{role!r} is not one of {', '.join(ROLES)}", param_hint="--role")
    output.text(script(declare(load_settings()), role))


@provision_app.command("dcm")
def dcm(
    directory: Annotated[Path, typer.Argument(help="Directory, in which files are replaced.")],
    project: Annotated[
        str,
        typer.Option(help="Full name of the DCM project. It must be in a schema that it does not define."),
    ] = "DCM.PROJECTS.GONG_ASSETS",
) -> None:
    """Write the declaration as a project for `snow dcm plan` and `snow dcm deploy`.

    `pre_deploy.sql` runs before, and `post_deploy.sql` afterwards and once more after the first sync: they
    have what DCM cannot define, such as users and grants on views that do not exist yet.
    """
    from gong_assets.provisioning.dcm import dcm_project
    from gong_assets.provisioning.declaration import declare
    from gong_assets.settings import load_settings

    settings = load_settings()
    files = dcm_project(declare(settings), settings.snowflake_account or "<account>", project)
    for name, text in files.items():
        output.file(directory / name, text)
        output.line(str(directory / name))


@provision_app.command("apply")
def apply(
    yes: Annotated[bool, typer.Option("--yes", help="Run the SQL. By default, only show the plan.")] = False,
) -> None:
    """Show how the account differs from the declaration, and run the SQL with --yes.

    The configured user needs ACCOUNTADMIN. Extra objects of the account are shown and never removed.
    """
    from gong_assets.provisioning import apply as provisioning
    from gong_assets.provisioning.declaration import declare
    from gong_assets.provisioning.statements import statements
    from gong_assets.settings import load_settings
    from gong_assets.warehouse.connection import open_warehouse

    settings = load_settings()
    account = declare(settings)
    with open_warehouse(settings, query_tag="gong_assets provision").connect() as connection:
        _print(provisioning.differences(connection, account))
        if not yes:
            count = len(statements(account))
            output.line(f"nothing was changed; `gong-assets provision apply --yes` runs {count} statements")
            return
        done = list(provisioning.apply(connection, account))
        for applied in done:
            if applied.skipped:
                output.line(f"skipped: {applied.statement.sql} ({applied.skipped})")
        skipped = sum(applied.skipped is not None for applied in done)
        output.line(f"ran {len(done) - skipped} statements, and skipped {skipped}")
        _print(provisioning.differences(connection, account))


@provision_app.command("check")
def check(as_json: JsonOption = False) -> None:
    """Show missing, different and extra objects of the account. Exit 1 if there are any.

    The configured user needs ACCOUNTADMIN. Nothing is changed.
    """
    from gong_assets.provisioning.apply import differences
    from gong_assets.provisioning.declaration import declare
    from gong_assets.settings import load_settings
    from gong_assets.warehouse.connection import open_warehouse

    settings = load_settings()
    with open_warehouse(settings, query_tag="gong_assets provision").connect() as connection:
        found = differences(connection, declare(settings))
    if as_json:
        listed = [
            {"kind": each.kind, "what": each.what, "statements": list(each.statements)} for each in found
        ]
        output.json_text(json.dumps(listed, indent=2))
    else:
        _print(found)
    if found:
        raise typer.Exit(WORK_FAILED)


def _print(found: list[Drift]) -> None:
    for drift in found:
        output.line(str(drift))
        for statement in drift.statements:
            output.text(f"    {statement};")
    if not found:
        output.line("the account is as declared")
