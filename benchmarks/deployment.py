"""What a deployment does in a day: runs, statements and sign-ins per hour, and whether every layer is right.

    python -m benchmarks.deployment [--hours 24] [quiet|busy|unsteady ...]

The real graph runs against a Gong of this script and the local Snowflake server. Schedules and sensors are
evaluated for each hour of a simulated day, as Dagster's daemon does, and the runs that they request are
executed at once. Three companies: one in which nothing happens, one with 20 calls a day, and one whose calls
of the last 60 days arrive late, are deleted, become private and are edited.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from gong_assets.cli.dagster_home import event_log_options
from gong_assets.local import local_stack
from gong_assets.warehouse.connection import Warehouse, local_arguments
from gong_assets_tests.defs.ingestion_runs import call, ids, transcript
from gong_assets_tests.end_to_end.deployment import Deployment
from gong_assets_tests.end_to_end.gong_server import Gong
from gong_assets_tests.statements import recorded_statements

MIDNIGHT = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass
class Company:
    """A Gong whose records change by the hour."""

    gong: Gong = field(default_factory=Gong)
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1_000_000)))
    random: random.Random = field(default_factory=lambda: random.Random(1))

    def add(self, days_ago: float, *, with_transcript: bool = True) -> None:
        number = next(self.numbers)
        new = call(number, MIDNIGHT - timedelta(days=days_ago, minutes=-number % 600))
        self.gong.calls.append(new)
        if with_transcript:
            self.gong.transcripts.append(transcript(str(new.id)))

    def first_hour(self) -> None:
        for age in range(1, 61):
            self.add(age)

    def hour(self, hour: int) -> None:
        """Change nothing."""


class Busy(Company):
    def hour(self, hour: int) -> None:
        if 8 <= hour < 18:
            self.add(0)
            self.add(0, with_transcript=hour % 3 > 0)


class Unsteady(Busy):
    def hour(self, hour: int) -> None:
        super().hour(hour)
        age = self.random.randint(1, 60)
        of_some_day = [each for each in self.gong.calls if (MIDNIGHT - each.time).days > 0]
        chosen = self.random.choice(of_some_day)
        match hour % 4:
            case 0:
                self.add(age)
            case 1:
                self.gong.calls.remove(chosen)
            case 2:
                chosen.document["metaData"]["isPrivate"] = True
            case 3:
                chosen.document["metaData"]["title"] = f"Edited at {hour}"
        missing = set(ids(self.gong.calls)) - {record["callId"] for record in self.gong.transcripts}
        self.gong.transcripts += [transcript(call_id) for call_id in sorted(missing)[:1]]


COMPANIES: dict[str, tuple[str, type[Company]]] = {
    "quiet": ("Nothing happens", Company),
    "busy": ("20 calls a day", Busy),
    "unsteady": ("Late, deleted, private and edited calls of the last 60 days", Unsteady),
}

SCHEDULES = {
    "gong_reference_data_schedule": lambda hour: hour == 0,
    "gong_reconciliation_schedule": lambda hour: hour == 1,
    "gong_ingestion_schedule": lambda hour: hour % 4 == 0,
    "hubspot_schedule": lambda hour: hour == 6,
    "gong_standing_checks_schedule": lambda hour: hour == 7,
}


@contextmanager
def deployed(company: Company) -> Iterator[Deployment]:
    # The lease of the last run may be written once more.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        home = Path(directory)
        warehouse = Warehouse({**local_arguments(home), "schema": "GONG_DATA"})
        try:
            local = dg.DagsterInstance.local_temp(directory, overrides=event_log_options(home))
            with local as instance, company.gong.served():
                yield Deployment.of(company.gong, warehouse, home, instance)
        finally:
            local_stack().down(home)


def run_hour(deployment: Deployment, hour: int) -> tuple[Counter[str], str]:
    before, bytes_before = len(deployment.runs), stored_bytes(deployment)
    # dbt writes its progress to the output.
    with recorded_statements() as sent, redirect_stdout(sys.stderr):
        for schedule, is_due in SCHEDULES.items():
            if is_due(hour):
                deployment.schedule(schedule, MIDNIGHT + timedelta(hours=hour))
        deployment.settle()
        if deployment.sensor("gong_missing_transcripts"):
            deployment.settle()
    runs = deployment.runs[before:]
    counts = Counter(
        runs=len(runs),
        statements=len(sent.statements),
        logins=sent.logins,
        failed=sum(not run.success for run in runs),
        bytes=stored_bytes(deployment) - bytes_before,
    )
    return counts, ", ".join(run.dagster_run.job_name.removeprefix("gong_") for run in runs)


def simulate(name: str, company: Company, hours: int) -> None:
    columns = (
        f"{'hour':>6} {'runs':>6} {'statements':>11} {'logins':>7} {'failed':>7} {'stored MB':>10}  jobs"
    )
    print(f"\n{name}\n{columns}")
    company.first_hour()
    total: Counter[str] = Counter()
    with deployed(company) as deployment:
        counts, jobs = run_hour(deployment, 0)
        print_row("first", counts, jobs)
        for hour in range(1, hours + 1):
            company.hour(hour % 24)
            counts, jobs = run_hour(deployment, hour % 24)
            total += counts
            if counts["runs"]:
                print_row(str(hour % 24), counts, jobs)
        print_row("day", total, "")
        # What the schedules have not seen yet: the reconciliation is weekly.
        with redirect_stdout(sys.stderr):
            deployment.schedule("gong_ingestion_schedule", MIDNIGHT + timedelta(days=2))
            deployment.schedule("gong_reconciliation_schedule", MIDNIGHT + timedelta(days=2))
            deployment.settle()
        print("differences:", deployment.differences() or "none")


def stored_bytes(deployment: Deployment) -> int:
    """Return the size of the events of all runs; ticks are not stored here."""
    deployment.instance.event_log_storage.dispose()  # Moves what is in the logs of SQLite to its files.
    files = (Path(deployment.instance.root_directory) / "history").rglob("*.db*")
    return sum(file.stat().st_size for file in files)


def print_row(hour: str, counts: Counter[str], jobs: str) -> None:
    print(
        f"{hour:>6} {counts['runs']:6} {counts['statements']:11,} {counts['logins']:7} {counts['failed']:7}"
        f" {counts['bytes'] / 1e6:5.1f}  {jobs}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("companies", nargs="*", choices=[[], *COMPANIES], help="all without one")
    options = parser.parse_args()
    for name in options.companies or COMPANIES:
        description, company = COMPANIES[name]
        simulate(description, company(), options.hours)


if __name__ == "__main__":
    main()
