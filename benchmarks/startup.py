"""What starting costs, against a one-asset Dagster project and a one-model dbt project run beside it.

    python benchmarks/startup.py [--rounds 5]

Each command is run as a whole process, ours and the reference in turn, so that a machine whose speed drifts slows both.
Medians are printed, and their ratio. The local stack is started first; nothing but it is needed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="runs of each command (default 5)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        running = stack.up(home / "home")
        try:
            compare(home, running, rounds)
        finally:
            stack.down(home / "home")


def compare(home: Path, running: stack.LocalStack, rounds: int) -> None:
    (home / "one").mkdir()
    (home / "one" / "one_asset.py").write_text(ONE_ASSET)
    dbt_one = home / "dbt_one"
    (dbt_one / "models").mkdir(parents=True)
    (dbt_one / "dbt_project.yml").write_text(ONE_MODEL_PROJECT)
    (dbt_one / "models" / "one.sql").write_text("select 1 as ONE")
    dagster_home = home / "dagster"
    dagster_home.mkdir()
    (dagster_home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")

    day = (datetime.now(UTC).date() - timedelta(days=1)).isoformat()
    environment = {
        **os.environ,
        **dbt_environment(asdict(running.snowflake)),
        "DAGSTER_HOME": str(dagster_home),
        "GONG_ASSETS_HOME": str(home / "home"),
        "GONG_ASSETS_TARGET": "local",
        "DBT_PROFILES_DIR": str(PROJECT_DIR),
        "DBT_TARGET_PATH": str(home / "target"),
        "DBT_LOG_PATH": str(home / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }
    load = "from {module} import defs; defs.get_repository_def()"
    materialize = ["-m", "dagster", "asset", "materialize", "--partition", day]
    comparisons: list[tuple[str, list[str], list[str], Path]] = [
        (
            "load the code location",
            [sys.executable, "-c", load.format(module="gong_assets.definitions")],
            [sys.executable, "-c", load.format(module="one_asset")],
            home / "one",
        ),
        (
            "materialize one partition",
            [sys.executable, *materialize, "-m", "gong_assets.definitions", "--select", "gong_calls_raw"],
            [sys.executable, *materialize, "-m", "one_asset", "--select", "one"],
            home / "one",
        ),
        (
            "one dbt command",
            [dbt_executable(), "build", "--project-dir", str(PROJECT_DIR), "--select", "stg_hubspot_deals"],
            [
                dbt_executable(),
                "build",
                "--project-dir",
                str(dbt_one),
                "--target-path",
                str(home / "target_one"),
            ],
            dbt_one,
        ),
    ]
    print(f"{'':28}{'ours':>8}{'reference':>12}{'ratio':>8}   (medians of {rounds}, seconds)")
    for title, ours, reference, directory in comparisons:
        seconds: dict[str, list[float]] = {"ours": [], "reference": []}
        for number in range(rounds + 1):
            for name, command in (("ours", ours), ("reference", reference)):
                elapsed = timed(command, environment, directory)
                if number:  # The first pair warms caches: the parsed dbt project, compiled modules.
                    seconds[name].append(elapsed)
        medians = {name: statistics.median(values) for name, values in seconds.items()}
        ratio = statistics.median(a / b for a, b in zip(seconds["ours"], seconds["reference"], strict=True))
        print(f"{title:28}{medians['ours']:8.1f}{medians['reference']:12.1f}{ratio:8.2f}")


def timed(command: list[str], environment: dict[str, str], directory: Path) -> float:
    started = time.perf_counter()
    result = subprocess.run(
        command, env=environment, cwd=directory, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{result.stdout[-2000:]}{result.stderr[-2000:]}")
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
