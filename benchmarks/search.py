"""Duration of a search over 100,000 segments, compared with numpy on the same vectors.

    python benchmarks/search.py [--segments 100000] [--rounds 15]

The benchmark materializes the graph for one day with few calls, to get the real views, and then inserts as
many segments with random embeddings into the tables below them. In each round, numpy multiplies the matrix of
embeddings (float32, unit vectors) by that of the query and takes the ten greatest by `argpartition`; then
each statement runs once on an open connection. The server caches the embedding of the query after the first
run, so that no duration includes the model. Output: medians, and their ratios to numpy's.

`search` is the statement of `similar_segments`, over all segments and over the calls of one day in a hundred.
`comparison only` has no views, joins or filters. `overhead only` is a search over no segment.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from snowflake.connector import SnowflakeConnection

from gong_assets.agents.call_filters import date_filters
from gong_assets.agents.call_search import Search, search_statement
from gong_assets.warehouse.connection import Warehouse, fetch, local_arguments
from gong_assets.warehouse.embedding_models import embedding_models

MODEL, DIMENSION, NEAREST = "e5-base-v2", 768, 10
SEARCH_TEXT = "the customer finds it too expensive"
FIRST_DAY, DAYS = date(2026, 1, 1), 100
SEGMENTS_PER_CALL = 100
BATCH_SIZE = 10_000

EMBED = "SELECT AI_EMBED(%s, %s) AS EMBEDDING"
COMPARISON = f"""
WITH query AS ({EMBED})
SELECT TRANSCRIPT_ID, VECTOR_COSINE_SIMILARITY(TRANSCRIPT_EMBEDDING, query.EMBEDDING) AS SIMILARITY
FROM CORTEX_GONG_CALL_TRANSCRIPTS
CROSS JOIN query
ORDER BY SIMILARITY DESC, TRANSCRIPT_ID
LIMIT %s
"""

COPY = """
COPY INTO CORTEX_GONG_CALL_TRANSCRIPTS
    (TRANSCRIPT_ID, CALL_ID, CALL_DATE, TRANSCRIPT_EMBEDDING, PROCESSED_BY_CORTEX, CORTEX_PROCESSED_AT,
     CONTENT_HASH, EMBEDDING_MODEL, ENRICHMENT_VERSION)
FROM (
    SELECT $1:ID::VARCHAR, $1:CALL_ID::VARCHAR, $1:CALL_DATE::DATE, $1:EMBEDDING::VECTOR(FLOAT, 768), TRUE,
        CURRENT_TIMESTAMP()::TIMESTAMP_LTZ, $1:ID::VARCHAR, 'e5-base-v2', '1'
    FROM @VECTORS
)
FILE_FORMAT = (TYPE = PARQUET)
"""
# The other columns that a search reads.
SEGMENTS = """
INSERT INTO STG_GONG_CALL_TRANSCRIPTS
    (TRANSCRIPT_ID, CALL_ID, CALL_DATE, SPEAKER_TYPE, TRANSCRIPT_TEXT, WORD_COUNT, TURN_INDEX, PART,
     CONTENT_HASH)
SELECT
    TRANSCRIPT_ID, CALL_ID, CALL_DATE, 'External', 'Text of segment ' || TRANSCRIPT_ID, 12, 0, 0, CONTENT_HASH
FROM CORTEX_GONG_CALL_TRANSCRIPTS
"""
CALLS = """
INSERT INTO STG_GONG_CALLS
    (CALL_ID, CALL_DATE, CALL_TITLE, CALL_DATETIME_UTC, PRIMARY_USER_NAME, HUBSPOT_DEAL_ID)
SELECT DISTINCT CALL_ID, CALL_DATE, 'Call ' || CALL_ID, CALL_DATE::TIMESTAMP_NTZ, 'Rita', CALL_ID
FROM STG_GONG_CALL_TRANSCRIPTS
"""
EMPTIED_TABLES = ("STG_GONG_CALLS", "STG_GONG_CALL_TRANSCRIPTS", "CORTEX_GONG_CALL_TRANSCRIPTS")

Vectors = npt.NDArray[np.float32]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--segments", type=int, default=100_000, help="number of segments (default 100,000)")
    parser.add_argument("--rounds", type=int, default=15, help="number of rounds (default 15)")
    options = parser.parse_args()
    vectors = unit_vectors(options.segments)
    with materialized_stack() as warehouse, warehouse.connect() as connection:
        fill(connection, vectors)
        measure(connection, vectors, options.rounds)


def log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def unit_vectors(count: int) -> Vectors:
    vectors = np.random.default_rng(1).standard_normal((count, DIMENSION), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@contextmanager
def materialized_stack() -> Iterator[Warehouse]:
    """Start a local warehouse with all tables and views in a temporary home, and stop it at the end."""
    command = Path(sys.executable).with_name("gong-assets")
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **os.environ,
            "GONG_ASSETS_HOME": home,
            "GONG_ASSETS_TARGET": "local",
            "GONG_ASSETS_LOCAL_CALLS_PER_DAY": "3",
        }
        log("materializing the graph for its views (about a minute)")
        try:
            finished = subprocess.run(
                [command, "sync"],
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            if finished.returncode:
                raise SystemExit(finished.stderr)
            yield Warehouse(local_arguments(Path(home)))
        finally:
            subprocess.run(
                [command, "local", "down"], env=environment, stdout=subprocess.DEVNULL, check=False
            )


def fill(connection: SnowflakeConnection, vectors: Vectors) -> None:
    for table in EMPTIED_TABLES:
        fetch(connection, f"DELETE FROM {table}")
    fetch(connection, "CREATE TEMPORARY STAGE VECTORS")
    with tempfile.TemporaryDirectory() as directory:
        for first in range(0, len(vectors), BATCH_SIZE):
            file = Path(directory) / f"{first}.parquet"
            pq.write_table(to_table(vectors[first : first + BATCH_SIZE], first), file)
            fetch(connection, f"PUT file://{file} @VECTORS AUTO_COMPRESS = FALSE")
            file.unlink()
            log(f"{min(first + BATCH_SIZE, len(vectors)):,} of {len(vectors):,} embeddings written")
        fetch(connection, COPY)
    fetch(connection, SEGMENTS)
    fetch(connection, CALLS)
    log("loaded")


def to_table(vectors: Vectors, first: int) -> pa.Table:
    numbers = range(first, first + len(vectors))
    calls = [number // SEGMENTS_PER_CALL for number in numbers]
    offsets = np.arange(0, vectors.size + 1, DIMENSION, dtype=np.int32)
    return pa.table(
        {
            "ID": [str(number) for number in numbers],
            "CALL_ID": [f"call {call}" for call in calls],
            "CALL_DATE": [str(FIRST_DAY + timedelta(days=call % DAYS)) for call in calls],
            "EMBEDDING": pa.ListArray.from_arrays(pa.array(offsets), pa.array(vectors.ravel())),
        }
    )


def measure(connection: SnowflakeConnection, vectors: Vectors, rounds: int) -> None:
    candidates = benchmarked(connection, vectors)
    expected = candidates["numpy"]()
    for name in ("numpy, cosine", "search", "comparison only"):
        assert candidates[name]() == expected, f"{name} and numpy return different segments"
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for number in range(rounds):
        for name, candidate in candidates.items():
            start = time.perf_counter()
            candidate()
            times[name].append(time.perf_counter() - start)
        log(f"round {number + 1} of {rounds}")
    print(f"{len(vectors):,} segments with {DIMENSION} dimensions, medians of {rounds} rounds")
    print(f"{'':30}{'':11}{'vs. numpy':>12}{'vs. its cosine':>16}")
    for name, seconds in times.items():
        to_product, to_cosine = (
            median(seconds) / median(times[other]) for other in ("numpy", "numpy, cosine")
        )
        print(f"{name:<30}{median(seconds) * 1000:8.1f} ms{to_product:12.1f}{to_cosine:16.1f}")


def benchmarked(connection: SnowflakeConnection, vectors: Vectors) -> dict[str, Callable[[], list[str]]]:
    """Return the functions to compare, by name. Each returns the ids of the nearest segments."""
    query = (MODEL, embedding_models()[MODEL].query_prefix + SEARCH_TEXT)
    (row,) = fetch(connection, EMBED, query)
    embedding = np.array(row["EMBEDDING"], dtype=np.float32)

    def nearest(similarities: Vectors) -> list[str]:
        greatest = np.argpartition(-similarities, NEAREST)[:NEAREST]
        return [str(number) for number in greatest[np.argsort(-similarities[greatest])]]

    def cosine() -> list[str]:
        lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors)) * np.linalg.norm(embedding)
        return nearest((vectors @ embedding) / lengths)

    def statement(sql: str, values: tuple[Any, ...]) -> Callable[[], list[str]]:
        return lambda: [str(row["TRANSCRIPT_ID"]) for row in fetch(connection, sql, values)]

    def search(from_date: date | None = None, to_date: date | None = None) -> Callable[[], list[str]]:
        # The statement fetches one hit more, which tells whether there is a next page.
        filters = date_filters(from_date, to_date)
        return statement(*search_statement(MODEL, Search(SEARCH_TEXT, NEAREST - 1, None, filters)))

    return {
        "numpy": lambda: nearest(vectors @ embedding),
        "numpy, cosine": cosine,
        "search": search(),
        "search, one day of a hundred": search(from_date=FIRST_DAY, to_date=FIRST_DAY),
        "comparison only": statement(COMPARISON, (*query, NEAREST)),
        "overhead only": search(from_date=date(2999, 1, 1)),
    }


if __name__ == "__main__":
    main()
