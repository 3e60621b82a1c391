"""The Typer application: its commands in the order of `--help`, and the exit codes.

The modules of the commands import the rest of the package inside functions, so that `--help` starts fast.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from gong_assets.cli import (
    errors,
    graph_commands,
    mcp_command,
    output,
    privacy_commands,
    provision_commands,
    query_commands,
    report_command,
    setup_commands,
    source_commands,
    webhook_command,
)
from gong_assets.cli.help import HelpGroup
from gong_assets.cli.interruption import EXIT_CODE

app = typer.Typer(
    cls=HelpGroup,
    name="gong-assets",
    help="Turn Gong sales calls into agent-ready tables in Snowflake.\n\n"
    "With no variable set, everything runs on this machine, with a simulated Gong tenant and a "
    "Snowflake-compatible server. To use real accounts, set SNOWFLAKE_ACCOUNT and GONG_ACCESS_KEY "
    "(see the README).",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)

for panel, commands in (
    ("Run the graph", (graph_commands.sync, graph_commands.demo, graph_commands.dev)),
    (
        "Read the tables",
        (
            query_commands.find,
            query_commands.calls,
            query_commands.transcript,
            query_commands.deals,
            query_commands.coach,
            query_commands.analyze,
            query_commands.search,
            query_commands.account,
            query_commands.sql,
        ),
    ),
    (
        "Operate",
        (
            webhook_command.webhook,
            report_command.report,
            report_command.cost,
            source_commands.audit,
        ),
    ),
    (
        "Set up",
        (setup_commands.doctor, setup_commands.migrate, privacy_commands.erase, privacy_commands.rotate_key),
    ),
):
    for command in commands:
        app.command(rich_help_panel=panel)(command)
app.add_typer(mcp_command.mcp_app, rich_help_panel="Read the tables")
app.add_typer(setup_commands.local_app, rich_help_panel="Set up")
app.add_typer(source_commands.source_app, rich_help_panel="Set up")
app.add_typer(provision_commands.provision_app, rich_help_panel="Set up")


def _print_version(requested: bool) -> None:
    if requested:
        from importlib.metadata import version

        output.line(f"gong-assets {version('gong_assets')}")
        raise typer.Exit


@app.callback()
def options(
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show the traceback if a command fails.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    if verbose:
        os.environ["GONG_ASSETS_VERBOSE"] = "1"


def run() -> int:
    """Run the command line and return its exit code.

    0 is success, 1 the work failed, 2 wrong usage or settings, and 130 interrupted.
    """
    try:
        code: int = app(standalone_mode=False) or 0
        sys.stdout.flush()  # A full disk is an error of the command, not of the interpreter's end.
    except typer.Abort:  # Some versions of Typer raise it after Ctrl-C, and others return 130.
        code = EXIT_CODE
    except Exception as error:
        return _report(error)
    if code == EXIT_CODE:
        output.error("interrupted")
    return code


def _report(error: Exception) -> int:
    """Print the error and return the exit code; with --verbose, raise it for its traceback."""
    if isinstance(error, errors.UsageError):
        if errors.is_help(error):
            output.text(error.format_message())
        else:
            output.error(errors.usage_message(error))
        return error.exit_code
    if os.environ.get("GONG_ASSETS_VERBOSE"):
        raise error
    code = errors.exit_code(error)
    if code is None:
        output.error(
            f"{type(error).__name__}: {error}\n"
            "This is a bug in gong-assets. Run `gong-assets --verbose ...` for the traceback."
        )
        return errors.WORK_FAILED
    output.error(errors.message(error))
    return code


__all__ = ["app", "run"]
