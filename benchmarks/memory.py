"""Peak memory of a run over 40,000 calls, compared with a run over 10,000.

    python benchmarks/memory.py [--calls 10000 40000] [--calls-per-day 1000]

For each size, a process runs the assets of calls and transcripts with Dagster over all days, from a server
without latency into a new local warehouse. Both servers are separate processes and are not included. Prints
the peak resident memory (`ru_maxrss`), the peak before the run, and the ratio to the first size.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from datetime import timedelta
from pathlib import Path
from typing import Any

# Only the measured processes import the project: on Linux a process starts with the peak of its parent.

KILOBYTE = 1 if sys.platform == "darwin" else 1024
TABLES = ("GONG_CALLS_RAW", "GONG_CALL_TRANSCRIPTS_RAW")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--calls",
        type=int,
        nargs="+",
        default=[10_000, 40_000],
        help="calls of each run (default: 10000 40000)",
    )
    parser.add_argument("--calls-per-day", type=int, default=1_000, help="calls per day (default: 1,000)")
    parser.add_argument("--run-in", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run_in:
        run(options.calls[0], max(1, options.calls[0] // options.calls_per_day), options.run_in)
        return
    first: int | None = None
    for calls in options.calls:
        print(f"running over {calls:,} calls", file=sys.stderr, flush=True)
        begin = time.perf_counter()
        measured = measure(calls, options.calls_per_day)
        first = first or measured["peak"]
        before, peak = (f"{measured[when] / 1e6:,.0f} MB" for when in ("before", "peak"))
        seconds = time.perf_counter() - begin
        ratio = measured["peak"] / first
        print(
            f"{calls:,} calls: peak {peak}, before {before}, ratio {ratio:.2f} ({seconds:.0f} s)", flush=True
        )


def measure(calls: int, calls_per_day: int) -> Any:
    with tempfile.TemporaryDirectory() as home:
        sizes = ["--calls", str(calls), "--calls-per-day", str(calls_per_day)]
        command = [sys.executable, __file__, *sizes, "--run-in", home]
        result = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return json.loads(result.stdout.splitlines()[-1])


def run(calls: int, days: int, home: Path) -> None:
    import dagster as dg
    from fast_gong import FIRST_DAY, serving

    from gong_assets.dates import DateRange
    from gong_assets.defs.assets.raw import build_raw_assets
    from gong_assets.defs.io_manager import SnowflakeIOManager
    from gong_assets.defs.partitions import daily_partitions
    from gong_assets.defs.resources import GongResource, SnowflakeResource
    from gong_assets.local import stack
    from gong_assets.settings import Settings

    warnings.filterwarnings("ignore", category=dg.BetaWarning)
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"
    (home / "dagster").mkdir()
    quiet = {"python_logs": {"python_log_level": "INFO"}}
    stack.up(home)
    try:
        with (
            serving(calls, days) as base_url,
            dg.DagsterInstance.local_temp(str(home / "dagster"), overrides=quiet) as instance,
        ):
            values = {
                "gong_assets_home": home,
                "gong_assets_target": "local",
                "gong_base_url": base_url,
                "gong_access_key": "key",
                "gong_access_key_secret": "secret",
                "gong_max_requests_per_second": 0,
                "gong_max_requests_per_day": 0,
                "gong_start_date": FIRST_DAY,
            }
            settings = Settings.model_validate(values)
            snowflake = SnowflakeResource.from_settings(settings)
            before = peak()
            dg.materialize(
                build_raw_assets(settings, daily_partitions(FIRST_DAY)),
                instance=instance,
                selection=dg.AssetSelection.assets(*(table.lower() for table in TABLES)),
                resources={
                    "gong": GongResource.from_settings(settings),
                    "gong_snowflake": snowflake,
                    "gong_snowflake_io_manager": SnowflakeIOManager(snowflake=snowflake),
                },
                tags=DateRange(FIRST_DAY, FIRST_DAY + timedelta(days=days)).as_run_tags(),
            )
            figures = {"before": before, "peak": peak()}
            for table in TABLES:
                [row] = snowflake.warehouse().query(f"SELECT COUNT(*) AS LANDED FROM {table}")
                if row["LANDED"] != calls:
                    raise SystemExit(f"{table}: {row['LANDED']} of {calls} rows landed")
    finally:
        stack.down(home)
    print(json.dumps(figures))


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KILOBYTE


if __name__ == "__main__":
    main()
