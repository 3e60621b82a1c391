"""Commands that set up and check the environment: `doctor` and `local`."""

from __future__ import annotations

import typer

from gong_assets.cli import output
from gong_assets.cli.errors import WORK_FAILED, CommandError
from gong_assets.cli.options import JsonOption

local_app = typer.Typer(
    name="local",
    help="Manage the local stack: a Snowflake-compatible server and a simulated Gong tenant.\n\n"
    "Its servers listen on 127.0.0.1 only. Other commands and Dagster start them when they need them.",
    no_args_is_help=True,
)


def doctor(as_json: JsonOption = False) -> None:
    """Check settings, credentials, hosts and privileges, and say what to do. Exit 1 if a check fails."""
    from gong_assets.cli.doctor import run_checks
    from gong_assets.settings import load_settings

    results = list(run_checks(load_settings()))
    output.check_results(results, as_json=as_json)
    if any(not result.ok for result in results):
        raise typer.Exit(WORK_FAILED)


@local_app.command()
def up(as_json: JsonOption = False) -> None:
    """Start the servers that are not running, and wait until they respond."""
    from gong_assets.local import local_stack
    from gong_assets.settings import load_settings

    with output.status("starting the local stack"):
        running = local_stack().up(load_settings().home)
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

    running = local_stack().status(load_settings().home)
    if running is None:
        raise CommandError("the local stack is not running: start it with `gong-assets local up`")
    output.local_status(running, as_json=as_json)
