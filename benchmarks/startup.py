"""Startup times, compared with a one-asset Dagster project and a one-model dbt project.

    python benchmarks/startup.py [--rounds 5]

Each command is a process of its own. Ours and the reference alternate, so that a drift in the speed of the
machine affects both. Prints the medians and the median ratio. Starts a local stack of its own.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gong_assets.defs.dbt.project import PROJECT_DIR, dbt_environment, dbt_executable
from gong_assets.local import stack

ONE_ASSET = """
import dagster as dg

@dg.asset(partitions_def=dg.DailyPartitionsDefinition("2025-01-01"))
def one() -> None: ...

defs = dg.Definitions(assets=[one], executor=dg.in_process_executor)
"""
ONE_MODEL_PROJECT = """
name: one
version: "1.0.0"
profile: gong_assets
flags: {send_anonymous_usage_stats: false}
"""


@dataclass(frozen=True)
class Comparison:
    """A command of this project, and the one that it is compared with."""

    title: str
    ours: list[str]
    reference: list[str]
    directory: Path


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="runs of each command (default: 5)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        running = stack.up(home / "home")
        try:
            compare(home, running, rounds)
        finally:
            stack.down(home / "home")


def compare(home: Path, running: stack.LocalStack, rounds: int) -> None:
    create_references(home)
    environment = command_environment(home, running)
    print(f"{'':28}{'ours':>8}{'reference':>12}{'ratio':>8}   (medians of {rounds}, seconds)")
    for comparison in comparisons(home):
        seconds: dict[str, list[float]] = {"ours": [], "reference": []}
        for number in range(rounds + 1):
            for name, command in (("ours", comparison.ours), ("reference", comparison.reference)):
                elapsed = timed(command, environment, comparison.directory)
                if number:  # The first round fills caches: the parsed dbt project, compiled modules.
                    seconds[name].append(elapsed)
        medians = {name: statistics.median(values) for name, values in seconds.items()}
        ratio = statistics.median(a / b for a, b in zip(seconds["ours"], seconds["reference"], strict=True))
        print(f"{comparison.title:28}{medians['ours']:8.1f}{medians['reference']:12.1f}{ratio:8.2f}")


def create_references(home: Path) -> None:
    """Create the one-asset Dagster project and the one-model dbt project."""
    (home / "one").mkdir()
    (home / "one" / "one_asset.py").write_text(ONE_ASSET)
    (home / "dbt_one" / "models").mkdir(parents=True)
    (home / "dbt_one" / "dbt_project.yml").write_text(ONE_MODEL_PROJECT)
    (home / "dbt_one" / "models" / "one.sql").write_text("select 1 as ONE")
    (home / "dagster").mkdir()
    (home / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")


def command_environment(home: Path, running: stack.LocalStack) -> dict[str, str]:
    return {
        **os.environ,
        **dbt_environment(asdict(running.snowflake)),
        "DAGSTER_HOME": str(home / "dagster"),
        "GONG_ASSETS_HOME": str(home / "home"),
        "GONG_ASSETS_TARGET": "local",
        "DBT_PROFILES_DIR": str(PROJECT_DIR),
        "DBT_TARGET_PATH": str(home / "target"),
        "DBT_LOG_PATH": str(home / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }


def comparisons(home: Path) -> list[Comparison]:
    day = (datetime.now(UTC).date() - timedelta(days=1)).isoformat()
    load = "from {module} import defs; defs.get_repository_def()"
    materialize = [sys.executable, "-m", "dagster", "asset", "materialize", "--partition", day]
    # Like the graph, without unit tests: they need the tables of the parents.
    build = [dbt_executable(), "build", "--exclude-resource-type", "unit_test", "--project-dir"]
    return [
        Comparison(
            "load the code location",
            [sys.executable, "-c", load.format(module="gong_assets.definitions")],
            [sys.executable, "-c", load.format(module="one_asset")],
            home / "one",
        ),
        Comparison(
            "materialize one partition",
            [*materialize, "-m", "gong_assets.definitions", "--select", "gong_calls_raw"],
            [*materialize, "-m", "one_asset", "--select", "one"],
            home / "one",
        ),
        Comparison(
            "one dbt command",
            [*build, str(PROJECT_DIR), "--select", "stg_hubspot_merged_records"],
            [*build, str(home / "dbt_one"), "--target-path", str(home / "target_one")],
            home / "dbt_one",
        ),
    ]


def timed(command: list[str], environment: dict[str, str], directory: Path) -> float:
    """Run a command and return its seconds."""
    started = time.perf_counter()
    result = subprocess.run(
        command, env=environment, cwd=directory, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{result.stdout[-2000:]}{result.stderr[-2000:]}")
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
