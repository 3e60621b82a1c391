"""Commands that run the graph: `sync`, `demo` and `dev`."""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from gong_assets.cli import output
from gong_assets.cli.options import FromDate, ToDate
from gong_assets.cli.ports import LOOPBACK, listen
from gong_assets.cli.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

    from gong_assets.settings import Settings


# Dagster advises `dg dev`, which a user of this command does not need.
_QUIET = "ignore:Function `dev_command` is superseded:FutureWarning"


class Mode(StrEnum):
    incremental = "incremental"
    full = "full"
    backfill = "backfill"


ModeOption = Annotated[
    Mode,
    typer.Option(
        help="incremental: the last GONG_LOOKBACK_DAYS days. backfill: the given dates. "
        "full: everything since GONG_START_DATE, or since the first call if that is not set."
    ),
]
TranscriptsOption = Annotated[
    bool,
    typer.Option(
        "--transcripts/--no-transcripts", help="Include transcripts and Cortex, or read only calls."
    ),
]
ResumeOption = Annotated[
    bool,
    typer.Option(
        "--resume/--no-resume",
        help="If the latest full sync or backfill of the same dates did not finish (it used up Gong's daily "
        "quota, for example), read only its remaining days, or read all days again.",
    ),
]
ConfirmDeletionsOption = Annotated[
    bool,
    typer.Option(
        "--confirm-deletions",
        help="Delete all records that Gong no longer returns, even if they exceed GONG_MAX_VANISHED_SHARE.",
    ),
]


def sync(
    mode: ModeOption = Mode.incremental,
    from_date: FromDate = None,
    to_date: ToDate = None,
    transcripts: TranscriptsOption = True,
    resume: ResumeOption = True,
    confirm_deletions: ConfirmDeletionsOption = False,
) -> None:
    """Materialize the graph for a range of call dates, in one Dagster run.

    Each day is replaced atomically. Syncing the same dates again writes only what changed in Gong and sends
    only new or changed texts to Cortex. --to-date defaults to today.
    """
    from gong_assets.cli.sync import days_to_sync, run_sync
    from gong_assets.defs.first_partition import with_first_partition
    from gong_assets.settings import load_settings

    settings = with_first_partition(load_settings())
    days = days_to_sync(settings, mode.value, from_date, to_date, datetime.now(UTC).date())
    with Progress() as progress:
        report = run_sync(
            settings,
            days,
            listener=progress,
            last=to_date,
            transcripts=transcripts,
            resume=resume and mode is not Mode.incremental,
            confirm_deletions=confirm_deletions,
        )
    output.run_report(report)


def demo(
    days: Annotated[
        int, typer.Option(min=1, max=366, help="Number of days, up to and including today.")
    ] = 14,
) -> None:
    """Materialize the graph for the last days, then print sample agent queries."""
    from gong_assets.cli.demo import run_demo
    from gong_assets.settings import load_settings

    run_demo(load_settings(), days)


def dev(
    port: Annotated[
        int, typer.Option("--port", "-p", min=1, max=65535, help="Port of the Dagster UI.")
    ] = 3000,
    schedules: Annotated[
        bool | None,
        typer.Option(
            "--schedules/--no-schedules",
            help="Start the schedules and sensors by default, or leave them off. Defaults to "
            "GONG_ASSETS_SCHEDULES_ENABLED.",
        ),
    ] = None,
) -> None:
    """Start the Dagster UI and daemon and, if the settings need it, the local stack."""
    from gong_assets.cli.dagster_home import ensure_dagster_home
    from gong_assets.defs.options import DEFAULT_OPTIONS
    from gong_assets.settings import load_settings
    from gong_assets.settings.account_checks import check_accounts

    if schedules is not None:
        os.environ["GONG_ASSETS_SCHEDULES_ENABLED"] = str(schedules).lower()
    settings = load_settings()
    check_accounts(settings)
    DEFAULT_OPTIONS.with_settings(settings)  # Checks the cron expressions.
    # `dagster dev` starts everything else before it finds the port in use.
    listen(LOOPBACK, port, option="--port").close()
    home = ensure_dagster_home(settings)
    _fail_dead_runs()
    if settings.needs_local_stack:
        from gong_assets.local import local_stack

        with output.status("starting the local stack"):
            local_stack().up(settings.home)
    _look_up_first_partition(settings)
    if settings.gong_assets_webserver_url is None:
        os.environ["GONG_ASSETS_WEBSERVER_URL"] = f"http://{LOOPBACK}:{port}"
    # Dagster treats SIGTERM as SIGINT. Background jobs of a shell ignore SIGINT, and nothing would end them.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execv(sys.executable, _dagster_dev(home, port))  # noqa: S606 - our own interpreter, with our own arguments


def _dagster_dev(home: Path, port: int) -> list[str]:
    """Return the command that serves the UI of the home's workspace."""
    workspace = home / "workspace.yaml"
    target = ["-w", str(workspace)] if workspace.exists() else ["-m", "gong_assets.definitions"]
    return [sys.executable, "-W", _QUIET, "-m", "dagster", "dev", *target, "-p", str(port)]


def _look_up_first_partition(settings: Settings) -> None:
    """Look up the first call, unless it is known. The UI starts without it too."""
    from gong_assets.defs.first_partition import look_up_first_partition, with_first_partition
    from gong_assets.error_advice import EXPECTED_ERRORS, explain
    from gong_assets.settings import FIRST_POSSIBLE_CALL_DATE

    if with_first_partition(settings).gong_start_date > FIRST_POSSIBLE_CALL_DATE:
        return
    try:
        with output.status("looking up the first call in Gong"):
            look_up_first_partition(settings)
    except EXPECTED_ERRORS as error:
        output.note(f"The first call is unknown, so partitions start in 2015. {explain(error)}")


def _fail_dead_runs() -> None:
    """Fail the runs that a killed `dev` or `sync` left, so that they block none of the new ones."""
    import dagster as dg

    from gong_assets.defs.orphaned_runs import LeaseObserver

    with dg.DagsterInstance.get() as instance:
        for run in LeaseObserver().fail_dead_runs(instance):
            output.note(f"run {run.run_id} ({run.job_name}) was dead and is marked as failed")
