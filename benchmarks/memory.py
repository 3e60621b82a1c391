"""Peak memory of a run over 40,000 calls, compared with that of a run over 10,000.

    python benchmarks/memory.py [--calls 10000 40000] [--calls-per-day 1000]

Each size is a process of its own, in which Dagster runs the assets of calls and transcripts once over all
days, from a Gong without latency into a new local warehouse. Both servers are other processes and do not
count. The output has the resident memory before the run, the peak (`ru_maxrss`), and its ratio to the first
size.
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

# Only the measured processes import the project: on Linux they start with the peak of their parent.

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
        help="sizes of the runs (default 10000 40000)",
    )
    parser.add_argument("--calls-per-day", type=int, default=1_000, help="default 1,000")
    parser.add_argument("--run-in", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run_in:
        run(options.calls[0], max(1, options.calls[0] // options.calls_per_day), options.run_in)
        return
    first: int | None = None
    for calls in options.calls:
        print(f"a run over {calls:,} calls ...", file=sys.stderr, flush=True)
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

    from gong_assets.assets.raw import build_raw_assets
    from gong_assets.local import stack
    from gong_assets.partitions import daily_partitions, run_tags
    from gong_assets.resources import GongResource, SnowflakeResource
    from gong_assets.settings import Settings
    from gong_assets.warehouse.io_manager import SnowflakeIOManager
    from gong_assets.warehouse.landing import Days

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
                    "snowflake": snowflake,
                    "snowflake_io_manager": SnowflakeIOManager(snowflake=snowflake),
                },
                tags=dict(run_tags(Days(FIRST_DAY, FIRST_DAY + timedelta(days=days)))),
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
