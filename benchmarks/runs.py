"""A run of the whole graph over one day, from launch to finish, against a bare start of dbt.

    python -m benchmarks.runs [--rounds 3]

Each command is a process of its own. The run, a bare `dbt build` of an empty project, and a script that sends
the statements of the run's dbt commands over one connection alternate, so that a drift in the speed of the
machine affects all of them. Prints medians. Starts a local stack of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gong_assets.defs.dbt.project import PROJECT_DIR, dbt_executable
from gong_assets.local import stack

EMPTY_PROJECT = """
name: empty
version: "1.0.0"
profile: gong_assets
flags: {send_anonymous_usage_stats: false}
"""
DBT_STEPS = ("gong_dbt_staging", "gong_dbt_models")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="runs of each command (default: 3)")
    parser.add_argument("--child", choices=["run", "replay"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        {"run": run, "replay": replay}[arguments.child]()
        return
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory) / "home"
        stack.up(home)
        try:
            compare(Path(directory), home, arguments.rounds)
        finally:
            stack.down(home)


def compare(directory: Path, home: Path, rounds: int) -> None:
    (directory / "empty").mkdir()
    (directory / "empty" / "dbt_project.yml").write_text(EMPTY_PROJECT)
    os.environ |= {
        "GONG_ASSETS_HOME": str(home),
        "BENCHMARK_FILE": str(directory / "run.json"),
        "BENCHMARK_DAY": (datetime.now(UTC).date() - timedelta(days=3)).isoformat(),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }
    profile = ("--profiles-dir", str(PROJECT_DIR), "--target", "local")
    bare = [dbt_executable(), "build", "--project-dir", str(directory / "empty"), *profile]
    child = [sys.executable, "-m", "benchmarks.runs", "--child"]
    for command in (bare, [*child, "run"]):  # Parses both projects, and creates all tables.
        seconds_of(command)
    measured: list[dict[str, float]] = []
    for _ in range(rounds):
        row = {"bare dbt start": seconds_of(bare), "run": seconds_of([*child, "run"])}
        row |= json.loads((directory / "run.json").read_text())["seconds"]
        measured.append({**row, "bare script": seconds_of([*child, "replay"])})
    print_medians(measured, json.loads((directory / "run.json").read_text()))


def print_medians(measured: list[dict[str, float]], last: dict[str, Any]) -> None:
    for name in measured[0]:
        print(f"{name:28} {statistics.median(row[name] for row in measured):6.2f} s")
    ratio = statistics.median(row["run"] / row["bare dbt start"] for row in measured)
    print(f"{'run / bare dbt start':28} {ratio:6.2f}")
    print(f"{last['statements']} statements over {last['logins']} connections, {len(last['dbt'])} of dbt")


def seconds_of(command: list[str]) -> float:
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return time.perf_counter() - started


def run() -> None:
    """Run the job in this process, and write its seconds by part, and its statements, to a file."""
    started = time.perf_counter()
    import dagster as dg

    from gong_assets.cli.dagster_home import ensure_dagster_home
    from gong_assets.defs.build import build_defs
    from gong_assets.settings import load_settings
    from gong_assets_tests.statements import recorded_statements

    settings = load_settings()
    ensure_dagster_home(settings)
    job = build_defs(settings).resolve_job_def("gong_sync")
    loaded = time.perf_counter()
    day = os.environ["BENCHMARK_DAY"]
    tags = {f"dagster/asset_partition_range_{edge}": day for edge in ("start", "end")}
    with dg.DagsterInstance.get() as instance, recorded_statements() as sent:
        result = job.execute_in_process(instance=instance, tags=tags, raise_on_error=False)
    finished = time.perf_counter()
    steps = {
        event.step_key: event.step_success_data.duration_ms / 1000
        for event in result.all_events
        if event.is_step_success
    }
    raw = sum(seconds for key, seconds in steps.items() if key.endswith(("_raw", "transcripts")))
    dbt_seconds = sum(steps[step] for step in DBT_STEPS)
    cortex = sum(seconds for key, seconds in steps.items() if key.startswith("gong_cortex_"))
    checks = sum(steps.values()) - raw - dbt_seconds - cortex
    seconds = {
        "  import and load the graph": loaded - started,
        "  read Gong and land": raw,
        "  dbt": dbt_seconds,
        "  Cortex": cortex,
        "  checks": checks,
        "  Dagster around the steps": finished - loaded - sum(steps.values()),
        "  (waiting for the warehouse)": sent.seconds,
    }
    dbt = [sql for sql in sent.statements if '"app": "dbt"' in sql]
    report = {
        "seconds": seconds,
        "statements": len(sent.statements),
        "logins": sent.logins,
        "dbt": dbt,
    }
    Path(os.environ["BENCHMARK_FILE"]).write_text(json.dumps(report))
    raise SystemExit(0 if result.success else "the run failed")


def replay() -> None:
    """Send the statements of the last run's dbt commands over one connection."""
    from gong_assets.settings import load_settings
    from gong_assets.warehouse.connection import open_warehouse

    statements = json.loads(Path(os.environ["BENCHMARK_FILE"]).read_text())["dbt"]
    with open_warehouse(load_settings()).connect() as connection, connection.cursor() as cursor:
        for sql in statements:
            cursor.execute(sql)


if __name__ == "__main__":
    main()
