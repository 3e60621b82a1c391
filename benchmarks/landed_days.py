"""Landed calls and transcripts in a local warehouse, for the staging benchmarks.

    with stack_in(home) as warehouse, warehouse.connect() as connection:
        sentences = land(connection, days, calls_per_day=20, sentences_per_call=150)
        dbt(home, warehouse, "build", ...)

The calls and transcripts are those of one busy day of the simulated tenant, with parties, CRM objects, topics
and trackers, repeated with their own ids and start times. They are landed like those of the graph, through
Parquet files, a stage and COPY INTO.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import msgspec
from snowflake.connector import SnowflakeConnection

from gong_assets.dates import contiguous_ranges
from gong_assets.defs.dbt.project import PROJECT_DIR, dbt_environment, dbt_executable
from gong_assets.gong.endpoints import CONTENT_SELECTOR
from gong_assets.ingestion.spool import Row, Spool
from gong_assets.local import stack
from gong_assets.local.gong_tenant.call_documents import extensive, transcript
from gong_assets.local.gong_tenant.calls import CallGenerator
from gong_assets.local.gong_tenant.company import DEFAULT_SEED, Company
from gong_assets.local.gong_tenant.request_bodies import ContentSelector
from gong_assets.warehouse.connection import Warehouse, local_arguments
from gong_assets.warehouse.landing import replace
from gong_assets.warehouse.tables import CALLS, TRANSCRIPTS, create_raw_tables

DOCUMENTS = 100
WORDS_PER_SENTENCE = 10
FIRST_ID = 7_000_000_000_000_000_000
STAGED = "tag:partitioned,path:models/staging"

Document = dict[str, Any]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextmanager
def stack_in(home: Path) -> Iterator[Warehouse]:
    """Yield the warehouse of a local stack, and stop the stack at the end."""
    try:
        yield Warehouse(local_arguments(home))
    finally:
        stack.down(home)


def land(
    connection: SnowflakeConnection, days: Sequence[date], *, calls_per_day: int, sentences_per_call: int
) -> int:
    """Land calls on each of the days, and return the number of sentences of their transcripts.

    Each transcript is truncated or repeated to have `sentences_per_call`.
    """
    create_raw_tables(connection, [CALLS, TRANSCRIPTS])
    documents = cycle(_documents(sentences_per_call))
    spools = {CALLS: Spool(), TRANSCRIPTS: Spool()}
    ranges = contiguous_ranges(days)
    try:
        number = sentences = 0
        for day in days:
            for call, said in islice(documents, calls_per_day):
                call_id = str(FIRST_ID + number)
                started = datetime(day.year, day.month, day.day, 8, tzinfo=UTC) + timedelta(
                    seconds=number % 36_000
                )
                number += 1
                sentences += sum(len(turn["sentences"]) for turn in said)
                call["metaData"] |= {"id": call_id, "started": started.isoformat()}
                spools[CALLS].append(_row(call_id, call, day))
                spools[TRANSCRIPTS].append(_row(call_id, {"callId": call_id, "transcript": said}, day))
        for table, spool in spools.items():
            spool.close()
            begin = time.perf_counter()
            replace(connection, table, spool, ranges=ranges, correlation_id="benchmark")
            seconds = time.perf_counter() - begin
            say(f"{spool.rows:,} rows ({spool.bytes / 1e6:,.0f} MB) landed in {table.name}, {seconds:.0f} s")
    finally:
        for spool in spools.values():
            spool.discard()
    return sentences


def _row(call_id: str, record: Document, day: date) -> Row:
    payload = msgspec.json.encode(record)
    return Row(call_id, payload, day, hashlib.sha256(payload).hexdigest(), None)


def _documents(sentences_per_call: int) -> list[tuple[Document, list[Document]]]:
    """Return calls with the turns of their transcripts."""
    company = Company(DEFAULT_SEED)
    # More words than necessary, because longer transcripts are truncated.
    words = sentences_per_call * WORDS_PER_SENTENCE * 5 // 4
    generator = CallGenerator(company, calls_per_day=DOCUMENTS, words_per_call=words)
    selector = ContentSelector.model_validate(dict(CONTENT_SELECTOR))
    documents = []
    for call in generator.calls_on(date(2025, 3, 3)):
        conversation = generator.conversation(call)
        document = extensive(company, call, conversation, selector, datetime(2025, 6, 1, tzinfo=UTC))
        document["metaData"] |= {"scheduled": None, "isPrivate": False}
        documents.append(
            (
                document,
                _with_sentences(transcript(company, call, conversation)["transcript"], sentences_per_call),
            )
        )
    return documents


def _with_sentences(turns: Sequence[Document], sentences: int) -> list[Document]:
    """Return turns with exactly `sentences` sentences; if there are fewer, repeat them with later times."""
    cut: list[Document] = []
    length = max(sentence["end"] for turn in turns for sentence in turn["sentences"]) + 1000
    for position, turn in enumerate(cycle(turns)):
        later = position // len(turns) * length
        said = [
            {**sentence, "start": sentence["start"] + later, "end": sentence["end"] + later}
            for sentence in turn["sentences"][:sentences]
        ]
        if said:
            cut.append({**turn, "sentences": said})
            sentences -= len(said)
        if not sentences:
            return cut
    raise AssertionError("a transcript has turns")


def dbt(home: Path, warehouse: Warehouse, *arguments: str) -> tuple[float, list[Document]]:
    """Run a dbt command, and return its seconds and dbt's result for each model and test."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("DBT_", "SNOWFLAKE_"))},
        **dbt_environment(warehouse.arguments),
        "GONG_ASSETS_TARGET": "local",
        "DBT_PROJECT_DIR": str(PROJECT_DIR),
        "DBT_PROFILES_DIR": str(PROJECT_DIR),
        "DBT_TARGET_PATH": str(home / "target"),
        "DBT_LOG_PATH": str(home / "logs"),
        # As in the graph's runs.
        "DBT_INDIRECT_SELECTION": "buildable",
    }
    begin = time.perf_counter()
    done = subprocess.run(
        [dbt_executable(), *arguments], cwd=home, env=environment, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - begin
    if done.returncode:
        raise SystemExit(f"dbt {' '.join(arguments)} failed:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
    results: list[Document] = json.loads((home / "target" / "run_results.json").read_bytes())["results"]
    return seconds, results


def name_of(result: Document) -> str:
    """Return the name of a node, such as `stg_gong_calls` for `model.gong_assets.stg_gong_calls`."""
    return str(result["unique_id"]).split(".")[2]


def is_model(result: Document) -> bool:
    return str(result["unique_id"]).startswith("model.")
