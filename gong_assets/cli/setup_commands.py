"""Commands that set up and check the environment: `doctor` and `local`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from gong_assets.cli import output
from gong_assets.cli.errors import WORK_FAILED, CommandError
from gong_assets.cli.help import HelpGroup
from gong_assets.cli.options import JsonOption

local_app = typer.Typer(
    cls=HelpGroup,
    name="local",
    help="Manage the local stack: a Snowflake-compatible server and a simulated Gong tenant.\n\n"
    "Its servers listen on 127.0.0.1 only. Other commands and Dagster start them when they need them.",
    no_args_is_help=True,
)


def doctor(
    as_json: JsonOption = False,
    send_test_alert: Annotated[
        bool, typer.Option("--send-test-alert", help="Send a test alert to the webhook and by e-mail.")
    ] = False,
    deep: Annotated[
        bool,
        typer.Option("--deep", help="Run every statement for Cortex on temporary tables, for a few cents."),
    ] = False,
) -> None:
    """Check settings, credentials, privileges and Cortex, and say what to do. Exit 1 if a check fails.

    Tables, views and a stage are created and removed again, and a few words are sent to each Cortex function,
    which costs less than a cent.
    """
    from gong_assets.cli.doctor import run_checks
    from gong_assets.settings import load_settings

    results = output.check_results(
        run_checks(load_settings(), send_test_alert=send_test_alert, deep=deep), as_json=as_json
    )
    if any(result.status == "fail" for result in results):
        raise typer.Exit(WORK_FAILED)


def migrate(
    yes: Annotated[
        bool, typer.Option("--yes", help="Migrate the tables. By default, only show how.")
    ] = False,
) -> None:
    """Migrate the tables of an earlier system or version in the configured schema.

    Old tables are kept under another name, and their calls and transcripts are copied. A migration that was
    interrupted continues with the next one. Stop the schedules first.
    """
    from gong_assets.ingestion.streams import RAW_TABLES
    from gong_assets.settings import load_settings
    from gong_assets.warehouse.connection import open_warehouse
    from gong_assets.warehouse.migration import migrate, migration_steps

    settings = load_settings()
    schema = ".".join(settings.place.values())
    with open_warehouse(settings).connect() as connection:
        steps = migration_steps(connection, RAW_TABLES)
        for step in steps:
            output.line(f"{step.table} {step.reason}. {step.action}")
            if yes:
                with output.status(f"migrating {step.table}"):
                    migrate(connection, [step])
    if not steps:
        output.line(f"the tables in {schema} are up to date")
    elif yes:
        output.line("migrated; `gong-assets sync --mode full` stages the copied days")
    else:
        output.line("nothing was changed; `gong-assets migrate --yes` migrates these tables")


@local_app.command()
def up(as_json: JsonOption = False) -> None:
    """Start the servers that are not running, and wait until they respond."""
    from gong_assets.local import local_stack
    from gong_assets.settings import load_settings

    with output.status("starting the local stack"):
        settings = load_settings()
        running = local_stack().up(settings.home, **settings.place)
    output.local_status(running, as_json=as_json)


@local_app.command()
def down() -> None:
    """Stop the servers. Their data is kept."""
    from gong_assets.local import local_stack
    from gong_assets.settings import load_settings

    with output.status("stopping the local stack"):
        stopped = local_stack().down(load_settings().home)
    output.line("stopped" if stopped else "the local stack is not running")


@local_app.command()
def status(as_json: JsonOption = False) -> None:
    """Show how to connect to the stack. Exit 1 if it is not running."""
    from gong_assets.local import local_stack
    from gong_assets.settings import load_settings

    settings = load_settings()
    running = local_stack().status(settings.home, **settings.place)
    if running is None:
        raise CommandError("the local stack is not running: start it with `gong-assets local up`")
    output.local_status(running, as_json=as_json)


@local_app.command()
def call(as_json: JsonOption = False) -> None:
    """Add a call that has just ended to the simulated tenant, and announce it to `gong-assets webhook`.

    The call exists until the tenant stops.
    """
    from gong_assets.local import local_stack
    from gong_assets.settings import load_settings

    settings = load_settings()
    stack = local_stack()
    with output.status("starting the local stack"):
        tenant = stack.up(settings.home, **settings.place).gong
    call_id = stack.add_call(tenant)
    if as_json:
        output.json_text(json.dumps({"call_id": call_id}))
    else:
        output.line(call_id)
