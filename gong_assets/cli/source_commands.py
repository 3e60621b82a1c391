"""Commands for a source other than Gong's API: `audit`, and `source` for the connection's configuration."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from gong_assets.cli import output
from gong_assets.cli.help import HelpGroup
from gong_assets.cli.options import FromDate, JsonOption, ToDate
from gong_assets.cli.progress import Progress

source_app = typer.Typer(
    cls=HelpGroup,
    name="source",
    help="Configure a connection of Airbyte or Fivetran that loads Gong's records (GONG_SOURCE).",
    no_args_is_help=True,
)
airbyte_app = typer.Typer(
    cls=HelpGroup, name="airbyte", help="Airbyte's Gong connector.", no_args_is_help=True
)
fivetran_app = typer.Typer(
    cls=HelpGroup, name="fivetran", help="Fivetran's Gong connector.", no_args_is_help=True
)
source_app.add_typer(airbyte_app)
source_app.add_typer(fivetran_app)


class ConfigForm(StrEnum):
    api = "api"
    terraform = "terraform"


FormOption = Annotated[
    ConfigForm,
    typer.Option("--form", help="api: the bodies of the requests, as JSON. terraform: resources in HCL."),
]


def audit(
    from_date: FromDate = None,
    to_date: ToDate = None,
    heal: Annotated[
        bool | None,
        typer.Option(
            "--heal/--no-heal",
            help="Repair what is found, or only report it. Defaults to GONG_SOURCE_HEAL.",
        ),
    ] = None,
    confirm_deletions: Annotated[
        bool,
        typer.Option(
            "--confirm-deletions",
            help="Delete all calls that Gong no longer has, even if they exceed GONG_MAX_VANISHED_SHARE.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare the landed calls and transcripts with Gong's own list, and repair the differences.

    It finds what another product (GONG_SOURCE) lost, kept after a deletion in Gong, has not updated, or has
    on a wrong day. The dates default to the last GONG_RECONCILIATION_DAYS days up to yesterday.
    """
    from gong_assets.cli.audit import days_to_audit, run_audit
    from gong_assets.defs.first_partition import with_first_partition
    from gong_assets.settings import load_settings

    overrides = {} if heal is None else {"gong_source_heal": heal}
    settings = with_first_partition(load_settings(**overrides))
    days = days_to_audit(settings, from_date, to_date, datetime.now(UTC).date())
    with Progress() as progress:
        found = run_audit(settings, days, listener=progress, confirm_deletions=confirm_deletions)
    if as_json:
        output.json_text(json.dumps(found, indent=2, default=str))
    else:
        output.audit(found)


@source_app.command("refresh")
def refresh_connection() -> None:
    """Read the connection of GONG_SOURCE_CONNECTION from the API of Airbyte or Fivetran.

    Its streams are written to GONG_ASSETS_HOME, where the code location finds them: loading it calls no API.
    Run the command again, and reload the code location, after a change of the connection's streams.
    """
    import dagster as dg

    from gong_assets.cli.errors import CommandError
    from gong_assets.defs import connector
    from gong_assets.gong import blocking
    from gong_assets.settings import SettingsError, load_settings

    settings = load_settings()
    if settings.gong_source_connection is None:
        raise SettingsError("GONG_SOURCE_CONNECTION is not set: it names the connection to read")
    try:
        streams = blocking.run(connector.refresh(settings))
    except (connector.ConnectionNotFound, dg.Failure) as error:
        raise CommandError(str(error)) from error
    path = connector.state_path(settings)
    output.text(f"{settings.gong_source_connection} loads {', '.join(streams)}.\nWritten to {path}.")


@airbyte_app.command("config")
def airbyte_config(form: FormOption = ConfigForm.api) -> None:
    """Print the configuration of a source, a destination and a connection in Airbyte.

    It is made from the settings and has no secret: replace the placeholders, or set the variables.
    """
    from gong_assets.cli.connector_config import airbyte_requests, airbyte_terraform
    from gong_assets.settings import load_settings

    settings = load_settings()
    if form is ConfigForm.terraform:
        output.text(airbyte_terraform(settings))
    else:
        output.text(json.dumps(airbyte_requests(settings), indent=2))


@fivetran_app.command("config")
def fivetran_config(form: FormOption = ConfigForm.api) -> None:
    """Print the configuration of a connection in Fivetran.

    It is made from the settings and has no secret: replace the placeholders, or set the variables. The
    destination is that of the group.
    """
    from gong_assets.cli.connector_config import fivetran_requests, fivetran_terraform
    from gong_assets.settings import load_settings

    settings = load_settings()
    if form is ConfigForm.terraform:
        output.text(fivetran_terraform(settings))
    else:
        output.text(json.dumps(fivetran_requests(settings), indent=2))
