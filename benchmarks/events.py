"""Storing the events of a run over 31 days of 20 tables, event by event and in batches.

    python -m benchmarks.events [--rounds 3]

Both alternate, in the event log of the `gong-assets` commands (SQLite), and in PostgreSQL with the options of
deploy/dagster.yaml, whose server has to be installed. Prints medians of whole runs, which do nothing else.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import dagster as dg
import yaml  # type: ignore[import-untyped]

from gong_assets.cli.event_log_storage import BATCH_SIZE, BATCH_SIZE_VARIABLE
from gong_assets_tests.instances import local_instance
from gong_assets_tests.postgres import postgres_server

FIRST_AND_LAST = {"start": "2026-01-01", "end": "2026-01-31"}
TABLES = [f"table{number}" for number in range(20)]
DAYS = dg.DailyPartitionsDefinition(FIRST_AND_LAST["start"])
RANGE = {
    "dagster/asset_partition_range_start": "2026-01-01",
    "dagster/asset_partition_range_end": "2026-01-31",
}
DEPLOYED = Path(__file__).parents[1] / "deploy" / "dagster.yaml"


@dg.multi_asset(
    specs=[dg.AssetSpec(name, partitions_def=DAYS) for name in TABLES],
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def tables() -> Iterator[dg.MaterializeResult[None]]:
    for name in TABLES:
        yield dg.MaterializeResult(name, metadata={"compiled_sql": "x" * 500})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="runs of each (default: 3)")
    rounds = parser.parse_args().rounds
    logging.disable(logging.CRITICAL)
    for name, instance_of in (("SQLite", local_instance), ("PostgreSQL", postgres_instance)):
        with tempfile.TemporaryDirectory() as directory, instance_of(Path(directory)) as instance:
            measured: dict[str, list[float]] = {"0": [], BATCH_SIZE: []}
            seconds_of_run(instance, "0")  # Creates the files and tables.
            for _ in range(rounds):
                for size, seconds in measured.items():
                    seconds.append(seconds_of_run(instance, size))
            for size, seconds in measured.items():
                print(f"{name:12} batches of {size:>4} events: {statistics.median(seconds):6.2f} s")


def seconds_of_run(instance: dg.DagsterInstance, batch_size: str) -> float:
    os.environ[BATCH_SIZE_VARIABLE] = batch_size
    job = dg.Definitions([tables]).resolve_implicit_global_asset_job_def()
    started = time.perf_counter()
    job.execute_in_process(instance=instance, tags=RANGE)
    return time.perf_counter() - started


@contextmanager
def postgres_instance(directory: Path) -> Iterator[dg.DagsterInstance]:
    storage = {"storage": yaml.safe_load(DEPLOYED.read_text())["storage"]}
    (directory / "dagster.yaml").write_text(yaml.safe_dump(storage))
    with postgres_server() as port:
        server = {"HOST": "127.0.0.1", "PORT": str(port), "DB": "postgres", "USER": "dagster"}
        variables = {f"DAGSTER_POSTGRES_{name}": value for name, value in server.items()}
        with (
            mock.patch.dict(os.environ, {**variables, "DAGSTER_POSTGRES_PASSWORD": "none"}),
            dg.DagsterInstance.from_config(str(directory)) as instance,
        ):
            yield instance


if __name__ == "__main__":
    main()
