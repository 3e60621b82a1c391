"""Throughput of the staged models over a million sentences.

    python benchmarks/staging.py [--sentences 1000000] [--sentences-per-call 150] [--rounds 3]

Lands the calls over 30 days in a local warehouse. Then builds each model from scratch, one dbt command at a
time, so that models do not compete for the machine. Prints for each model its rows, the median of the seconds
that dbt reports, rows per second, and its share of the total time. `cores` is the CPU time of the server
divided by the seconds of the model: 1.0 is one thread that never waits.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psutil
from landed_days import dbt, is_model, land, say, stack_in
from snowflake.connector import SnowflakeConnection

from gong_assets.local import stack
from gong_assets.warehouse.connection import Warehouse, fetch

DAYS = [date(2026, 10, 1) + timedelta(days=day) for day in range(30)]
# In the order of their dependencies.
MODELS = (
    "stg_gong_call_participants",
    "stg_gong_call_crm_links",
    "stg_gong_calls",
    "stg_gong_call_comments",
    "stg_gong_call_tracker_occurrences",
    "stg_gong_call_topics",
    "stg_gong_call_transcripts",
)


class Built(NamedTuple):
    """One build of a model."""

    seconds: float
    cpu_seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--sentences", type=int, default=1_000_000, help="number of sentences (default: 1,000,000)"
    )
    parser.add_argument(
        "--sentences-per-call", type=int, default=150, help="sentences per call (default: 150)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="builds of each model (default: 3)")
    options = parser.parse_args()
    calls_per_day = -(-options.sentences // options.sentences_per_call // len(DAYS))
    with tempfile.TemporaryDirectory() as directory, stack_in(Path(directory)) as warehouse:
        home = Path(directory)
        with warehouse.connect() as connection:
            sentences = land(
                connection, DAYS, calls_per_day=calls_per_day, sentences_per_call=options.sentences_per_call
            )
        built: defaultdict[str, list[Built]] = defaultdict(list)
        for number in range(options.rounds):
            for model, build in rebuilt(home, warehouse):
                built[model].append(build)
            say(f"round {number + 1} of {options.rounds}")
        with warehouse.connect() as connection:
            rows = {model: count(connection, model) for model in MODELS}
        print(
            f"{calls_per_day * len(DAYS):,} calls with {sentences:,} sentences, "
            f"medians of {options.rounds} builds"
        )
        show(built, rows, sentences)


def rebuilt(home: Path, warehouse: Warehouse) -> Iterator[tuple[str, Built]]:
    """Build each model from scratch."""
    status = stack.status(home)
    assert status is not None
    server = psutil.Process(status.pids["snowflake"])
    for model in MODELS:
        before = sum(server.cpu_times()[:2])
        _, results = dbt(home, warehouse, "run", "--full-refresh", "--select", model)
        cpu = sum(server.cpu_times()[:2]) - before
        (seconds,) = (result["execution_time"] for result in results if is_model(result))
        say(f"{model} {seconds:.1f} s")
        yield model, Built(seconds, cpu)


def count(connection: SnowflakeConnection, table: str) -> int:
    (row,) = fetch(connection, f"SELECT COUNT(*) AS ROW_COUNT FROM {table}")
    return int(row["ROW_COUNT"])


def show(built: Mapping[str, list[Built]], rows: Mapping[str, int], sentences: int) -> None:
    seconds = {model: median(build.seconds for build in builds) for model, builds in built.items()}
    total = sum(seconds.values())
    print(f"{'':36}{'rows':>10}{'seconds':>9}{'rows/s':>9}{'share':>7}{'cores':>7}")
    for model, taken in seconds.items():
        cores = median(build.cpu_seconds / build.seconds for build in built[model])
        print(
            f"{model:36}{rows[model]:10,}{taken:9.1f}{rows[model] / taken:9,.0f}"
            f"{taken / total:7.0%}{cores:7.1f}"
        )
    transcripts = seconds["stg_gong_call_transcripts"]
    print(f"{'sentences of transcripts':36}{sentences:10,}{transcripts:9.1f}{sentences / transcripts:9,.0f}")
    print(f"{'sentences of all':36}{sentences:10,}{total:9.1f}{sentences / total:9,.0f}")


if __name__ == "__main__":
    main()
