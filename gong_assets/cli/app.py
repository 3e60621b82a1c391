"""The commands and their options. What a command prints is in `output.py`, what it does elsewhere in the package."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gong_assets.cli import output
from gong_assets.settings import SettingsError, load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gong_assets.warehouse.connection import Warehouse

app = typer.Typer(
    name="gong-assets",
    help="Gong sales calls as agent-ready tables in Snowflake.\n\n"
    "With no variable set, everything runs on this machine: a simulated Gong tenant and a Snowflake-speaking server. "
    "Set SNOWFLAKE_ACCOUNT and GONG_ACCESS_KEY (see the README) for the real ones.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
local_app = typer.Typer(
    name="local",
    help="The embedded stack: a Snowflake-speaking server and a simulated Gong tenant, on 127.0.0.1 only.\n\n"
    "Other commands and Dagster start it when they need it.",
    no_args_is_help=True,
)
app.add_typer(local_app)


class Mode(StrEnum):
    incremental = "incremental"
    full = "full"
    backfill = "backfill"


class Speaker(StrEnum):
    internal = "Internal"
    external = "External"


class Format(StrEnum):
    table = "table"
    json = "json"
    csv = "csv"


MCP_HOST, MCP_PORT = "127.0.0.1", 8808
MCP_LOOPBACK = (MCP_HOST, "localhost", "::1")

JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no date (YYYY-MM-DD)") from None


@app.callback()
def options(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the traceback of an error.")] = False,
) -> None:
    if verbose:
        os.environ["GONG_ASSETS_VERBOSE"] = "1"


@app.command()
def sync(
    mode: Annotated[
        Mode,
        typer.Option(
            help="incremental: the last GONG_LOOKBACK_DAYS days. backfill: the days given. "
            "full: everything since GONG_START_DATE, or since the first call if that is not set."
        ),
    ] = Mode.incremental,
    from_date: Annotated[
        date | None, typer.Option(parser=_date, metavar="DATE", help="First call date (UTC).")
    ] = None,
    to_date: Annotated[
        date | None,
        typer.Option(parser=_date, metavar="DATE", help="Last call date, inclusive; today by default."),
    ] = None,
    transcripts: Annotated[
        bool,
        typer.Option("--transcripts/--no-transcripts", help="Calls only, without transcripts and Cortex."),
    ] = True,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume/--no-resume",
            help="When an earlier full sync or backfill of the same days was stopped (by Gong's daily quota, or killed), "
            "read only the days that it had not finished; or read all of them again.",
        ),
    ] = True,
    confirm_deletions: Annotated[
        bool,
        typer.Option(
            "--confirm-deletions",
            help="Delete what Gong does not return any more, even if that is more than GONG_MAX_VANISHED_SHARE.",
        ),
    ] = False,
) -> None:
    """Materialize the graph for a span of days, as a Dagster run.

    A day is replaced whole: running the same days again changes only what changed in Gong, and sends nothing to Cortex
    that it had before.
    """
    from gong_assets.cli.sync import days_to_sync, run_sync

    settings = load_settings()
    days = days_to_sync(settings, mode.value, from_date, to_date, datetime.now(UTC).date())
    with output.Progress() as progress:
        report = run_sync(
            settings,
            days,
            watcher=progress,
            transcripts=transcripts,
            resume=resume and mode is not Mode.incremental,
            confirm_deletions=confirm_deletions,
        )
    output.run_report(report)


@local_app.command()
def up(as_json: JsonOption = False) -> None:
    """Start what is not running, and wait until it answers."""
    from gong_assets.local import local_stack

    with output.status("starting the local stack"):
        running = local_stack().up(load_settings().home)
    output.local_status(running, as_json=as_json)


@local_app.command()
def down() -> None:
    """Stop the stack; its data stays."""
    from gong_assets.local import local_stack

    with output.status("stopping the local stack"):
        stopped = local_stack().down(load_settings().home)
    output.line("stopped" if stopped else "nothing was running")


@local_app.command()
def status(as_json: JsonOption = False) -> None:
    """Show how to reach the stack; exit 1 if it is not running."""
    from gong_assets.local import local_stack

    running = local_stack().status(load_settings().home)
    if running is None:
        raise _Failed("the local stack is not running: start it with `gong-assets local up`")
    output.local_status(running, as_json=as_json)


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="One SQL statement.")],
    form: Annotated[Format, typer.Option("--format", help="How to print the rows.")] = Format.table,
) -> None:
    """Run one query against the configured warehouse."""
    from gong_assets.warehouse.connection import fetch_table

    with _warehouse().connect() as connection:
        columns, found = fetch_table(connection, query)
    output.rows(columns, found, form.value)


@app.command()
def coach(
    days: Annotated[int, typer.Option(min=1, max=36500, help="How many days back.")] = 14,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many calls at most.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """List the calls that need coaching, worst first, with the reasons."""
    from gong_assets.agents import coaching_opportunities

    output.coaching(coaching_opportunities(_warehouse(), days=days, limit=limit), as_json=as_json)


@app.command()
def analyze(
    call_id: Annotated[str, typer.Argument(help="Gong's call id.")], as_json: JsonOption = False
) -> None:
    """Analyze one call: summary, overall sentiment, and its risk segments in time order."""
    from gong_assets.agents import analyze_call

    output.analysis(analyze_call(_warehouse(), call_id), as_json=as_json)


@app.command()
def search(
    text: Annotated[str, typer.Argument(help="What to look for, in your own words.")],
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many segments at most.")] = 5,
    min_similarity: Annotated[
        float | None,
        # Its range is the function's to check: Typer takes "nan" for a number that is too large.
        typer.Option(
            help="Leave out what is less similar (-1 to 1). The scale depends on the embedding model."
        ),
    ] = None,
    from_date: Annotated[
        date | None, typer.Option(parser=_date, metavar="DATE", help="First call date (UTC).")
    ] = None,
    to_date: Annotated[
        date | None, typer.Option(parser=_date, metavar="DATE", help="Last call date, inclusive.")
    ] = None,
    rep: Annotated[
        str | None, typer.Option(help="Calls that this user hosted: Gong's user id, whole name or e-mail.")
    ] = None,
    deal: Annotated[
        str | None, typer.Option(help="Calls that are about this deal: HubSpot's id of it.")
    ] = None,
    speaker: Annotated[
        Speaker | None,
        typer.Option(
            case_sensitive=False, help="External: what customers said. Internal: what our people said."
        ),
    ] = None,
    min_words: Annotated[int, typer.Option(min=0, max=10_000, help="Leave out shorter segments.")] = 0,
    context: Annotated[
        int, typer.Option(min=0, max=20, help="Show so many turns before and after each segment.")
    ] = 0,
    as_json: JsonOption = False,
) -> None:
    """Find the segments of calls that are most similar in meaning.

    The filters choose the segments that are compared at all. There is always a nearest segment: the similarity says how
    near it is.
    """
    from gong_assets.agents import similar_segments

    segments = similar_segments(
        _warehouse(),
        text,
        limit=limit,
        min_similarity=min_similarity,
        from_date=from_date,
        to_date=to_date,
        rep=rep,
        deal_id=deal,
        speaker=speaker.value if speaker else None,
        min_words=min_words,
        context=context,
    )
    output.segments(segments, as_json=as_json)


@app.command()
def account(
    company: Annotated[str, typer.Argument(help="The company's id in the CRM, or its whole name.")],
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many calls at most.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Show the newest calls with one company, the newest last: deal, sentiment, summary and next steps."""
    from gong_assets.agents import account_timeline

    output.account(account_timeline(_warehouse(), company, limit=limit), as_json=as_json)


@app.command()
def mcp(
    http: Annotated[
        bool, typer.Option("--http", help="Streamable HTTP instead of the standard streams.")
    ] = False,
    host: Annotated[
        str | None,
        typer.Option(
            show_default=MCP_HOST,
            help="Address to listen on, with --http. Whoever reaches it can read the calls: there is no sign-in.",
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, show_default=str(MCP_PORT), help="Port to listen on, with --http."),
    ] = None,
) -> None:
    """Serve coach, analyze, search and account to AI agents as the tools of an MCP server.

    An MCP client starts it as `gong-assets mcp` and talks to it over the standard streams. With --http it serves many
    clients at http://HOST:PORT/mcp, on this machine only unless --host says otherwise. It only reads.
    """
    from gong_assets.agents import mcp_server
    from gong_assets.warehouse.connection import open_warehouse

    if not http and (host or port):
        raise typer.BadParameter("--host and --port are for --http")
    settings = load_settings()

    def warehouse() -> Warehouse:
        return open_warehouse(settings, query_tag="gong_assets mcp")

    with suppress(KeyboardInterrupt):
        if not http:
            mcp_server.serve_stdio(warehouse, _warehouse_error)
            return
        host, port = host or MCP_HOST, port or MCP_PORT
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            listening = socket.create_server((host, port), family=family)
        except OSError as error:
            # Python adds the address to the text of the operating system.
            reason = str(error.strerror).partition(" (while")[0]
            raise _Failed(f"cannot listen on {host}, port {port}: {reason}") from error
        with listening:
            shown = f"[{host}]" if ":" in host else host
            output.note(f"MCP server on http://{shown}:{port}{mcp_server.PATH}")
            if host not in MCP_LOOPBACK:
                output.note("Whoever reaches this address can read the calls: there is no sign-in.")
            mcp_server.serve_http(warehouse, _warehouse_error, listening, host)


@app.command()
def doctor(as_json: JsonOption = False) -> None:
    """Check settings, credentials, hosts and privileges, and say what to do. Exit 1 if something is wrong."""
    from gong_assets.cli.doctor import examine

    findings = list(examine(load_settings()))
    output.findings(findings, as_json=as_json)
    if any(not finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command()
def dev(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the Dagster UI.")] = 3000,
) -> None:
    """Open the Dagster UI with the graph, its daemon and, where it is needed, the local stack."""
    from gong_assets.cli.sync import ensure_dagster_home

    settings = load_settings()
    home = ensure_dagster_home(settings)
    if settings.needs_local_stack:
        from gong_assets.local import local_stack

        with output.status("starting the local stack"):
            local_stack().up(settings.home)
    workspace = home / "workspace.yaml"
    where = ["-w", str(workspace)] if workspace.exists() else ["-m", "gong_assets.definitions"]
    command = [sys.executable, "-m", "dagster", "dev", *where, "-p", str(port)]
    os.execv(sys.executable, command)  # noqa: S606 - our own interpreter, with our own arguments


@app.command()
def demo(
    days: Annotated[int, typer.Option(min=1, max=366, help="How many days back.")] = 14,
) -> None:
    """Run the whole graph over the last days, then ask it what agents ask."""
    from gong_assets.cli.demo import run

    run(load_settings(), days)


def _warehouse() -> Warehouse:
    from gong_assets.warehouse.connection import Warehouse, open_warehouse

    warehouse = open_warehouse(load_settings())

    def arguments() -> Mapping[str, object]:
        # Starts the local stack on first need: when the question is asked, and so not for one that is none.
        with output.status("connecting"):
            return warehouse.arguments

    return Warehouse(arguments)


class _Failed(Exception):
    """The work failed; the text is for the user."""


def _expected_errors() -> dict[type[Exception], int]:
    """Errors that are told in a line or two, and the exit code of each."""
    from gong_assets.agents import AgentError, InvalidArgument
    from gong_assets.cli.sync import DateRangeError, SyncError
    from gong_assets.defs.dbt.project import DbtParseError
    from gong_assets.gong import GongError
    from gong_assets.local import LocalStackError
    from gong_assets.warehouse.errors import WarehouseError

    work = (_Failed, AgentError, DbtParseError, GongError, LocalStackError, SyncError, WarehouseError)
    return {SettingsError: 2, DateRangeError: 2, InvalidArgument: 2, **dict.fromkeys(work, 1)}


# The base of what Typer raises for wrong usage; the name of its module has changed between versions.
_UsageError: type[Exception] = typer.BadParameter.mro()[1]


def main() -> None:
    """Exit codes: 0 done, 1 the work failed, 2 wrong usage or settings, 130 interrupted."""
    try:
        sys.exit(app(standalone_mode=False))
    except _UsageError as error:
        if told := _wrong_usage(error):
            output.error(told)
        sys.exit(2)
    except typer.Abort:
        sys.exit(130)
    except BrokenPipeError:
        os._exit(0)  # The reader of our output, such as `head`, has all that it wanted.
    except Exception as error:
        if os.environ.get("GONG_ASSETS_VERBOSE"):
            raise
        codes: dict[type[Exception], int] = (
            {SettingsError: 2} if isinstance(error, SettingsError) else _expected_errors()
        )
        for kind, code in codes.items():
            if isinstance(error, kind):
                output.error(_explained(error))
                sys.exit(code)
        output.error(f"{type(error).__name__}: {error}\nThis is a bug of gong-assets; --verbose shows where.")
        sys.exit(1)


def _wrong_usage(error: Any) -> str:
    """What was wrong and how to get help; nothing for a command without arguments, which has shown its help instead."""
    what = error.format_message().replace("Value error, ", "")
    help_of = error.ctx.command_path if error.ctx else "gong-assets"
    return what and f"{what[:1].lower()}{what[1:]}\n`{help_of} --help` tells what there is."


def _warehouse_error(error: Exception) -> str | None:
    """Return the message and advice for an error of the warehouse, or None for any other error."""
    from gong_assets.local import LocalStackError
    from gong_assets.warehouse.errors import WarehouseError

    return _explained(error) if isinstance(error, LocalStackError | WarehouseError) else None


def _explained(error: Exception) -> str:
    from gong_assets.gong import GongError
    from gong_assets.warehouse.errors import WarehouseError

    if isinstance(error, GongError | WarehouseError):
        from gong_assets.error_advice import explain

        return explain(error)
    return str(error)


__all__ = ["app", "main"]
