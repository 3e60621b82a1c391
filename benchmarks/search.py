"""How long a search takes over 100,000 segments, against numpy on the same vectors.

    python benchmarks/search.py [--segments 100000] [--rounds 15]

The graph is materialized for one day of few calls, so that the real views are there, and as many segments with random
embeddings are put into the tables below them. In each round numpy multiplies the matrix of the embeddings (float32, unit
vectors) by the question's and takes the ten greatest by `argpartition`, and then each statement is run once on an open
connection. The question's embedding is in the server's cache from the first run on, so that no model is in any of the times.
Printed are the medians, and their ratios to numpy's.

`search` is the statement of `similar_segments` as it is, over all segments and over the calls of one day in a hundred;
`comparison alone` has no views, joins or filters; `translation alone` is the search over no segment at all.
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

from gong_assets.agents.search import given_filters, search_statement
from gong_assets.warehouse.connection import Warehouse, fetch, local_arguments
from gong_assets.warehouse.embedding_models import embedding_models

MODEL, DIMENSION, NEAREST = "e5-base-v2", 768, 10
QUESTION = "the customer finds it too expensive"
FIRST_DAY, DAYS = date(2026, 1, 1), 100
SEGMENTS_OF_A_CALL = 100
LOADED_AT_ONCE = 10_000

EMBED = "SELECT AI_EMBED(%s, %s) AS EMBEDDING"
COMPARISON = f"""
WITH question AS ({EMBED})
SELECT TRANSCRIPT_ID, VECTOR_COSINE_SIMILARITY(TRANSCRIPT_EMBEDDING, question.EMBEDDING) AS SIMILARITY
FROM CORTEX_GONG_CALL_TRANSCRIPTS
CROSS JOIN question
ORDER BY SIMILARITY DESC, TRANSCRIPT_ID
LIMIT %s
"""

COPY = """
COPY INTO CORTEX_GONG_CALL_TRANSCRIPTS
    (TRANSCRIPT_ID, CALL_ID, CALL_DATE, TRANSCRIPT_EMBEDDING, PROCESSED_BY_CORTEX, CORTEX_PROCESSED_AT, CONTENT_HASH,
     EMBEDDING_MODEL, ENRICHMENT_VERSION)
FROM (
    SELECT $1:ID::VARCHAR, $1:CALL_ID::VARCHAR, $1:CALL_DATE::DATE, $1:EMBEDDING::VECTOR(FLOAT, 768), TRUE,
        CURRENT_TIMESTAMP()::TIMESTAMP_LTZ, $1:ID::VARCHAR, 'e5-base-v2', '1'
    FROM @VECTORS
)
FILE_FORMAT = (TYPE = PARQUET)
"""
# The rest of what a search reads, for each embedding.
SEGMENTS = """
INSERT INTO STG_GONG_CALL_TRANSCRIPTS
    (TRANSCRIPT_ID, CALL_ID, CALL_DATE, SPEAKER_TYPE, TRANSCRIPT_TEXT, WORD_COUNT, TURN_INDEX, PART, CONTENT_HASH)
SELECT TRANSCRIPT_ID, CALL_ID, CALL_DATE, 'External', 'What was said in ' || TRANSCRIPT_ID, 12, 0, 0, CONTENT_HASH
FROM CORTEX_GONG_CALL_TRANSCRIPTS
"""
CALLS = """
INSERT INTO STG_GONG_CALLS (CALL_ID, CALL_DATE, CALL_TITLE, CALL_DATETIME_UTC, PRIMARY_USER_NAME, HUBSPOT_DEAL_ID)
SELECT DISTINCT CALL_ID, CALL_DATE, 'Call ' || CALL_ID, CALL_DATE::TIMESTAMP_NTZ, 'Rita', CALL_ID
FROM STG_GONG_CALL_TRANSCRIPTS
"""
EMPTIED = ("STG_GONG_CALLS", "STG_GONG_CALL_TRANSCRIPTS", "CORTEX_GONG_CALL_TRANSCRIPTS")

Vectors = npt.NDArray[np.float32]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--segments", type=int, default=100_000, help="how many there are (default 100,000)")
    parser.add_argument("--rounds", type=int, default=15, help="rounds (default 15)")
    options = parser.parse_args()
    vectors = unit_vectors(options.segments)
    with materialized_stack() as warehouse, warehouse.connect() as connection:
        fill(connection, vectors)
        measure(connection, vectors, options.rounds)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def unit_vectors(count: int) -> Vectors:
    drawn = np.random.default_rng(1).standard_normal((count, DIMENSION), dtype=np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


@contextmanager
def materialized_stack() -> Iterator[Warehouse]:
    """A local warehouse in a temporary home, with all tables and views, which is stopped in the end."""
    command = Path(sys.executable).with_name("gong-assets")
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **os.environ,
            "GONG_ASSETS_HOME": home,
            "GONG_ASSETS_TARGET": "local",
            "GONG_ASSETS_LOCAL_CALLS_PER_DAY": "3",
        }
        say("materializing the graph for its views, which takes about a minute")
        try:
            made = subprocess.run(
                [command, "sync"],
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            if made.returncode:
                raise SystemExit(made.stderr)
            yield Warehouse(local_arguments(Path(home)))
        finally:
            subprocess.run(
                [command, "local", "down"], env=environment, stdout=subprocess.DEVNULL, check=False
            )


def fill(connection: SnowflakeConnection, vectors: Vectors) -> None:
    for table in EMPTIED:
        fetch(connection, f"DELETE FROM {table}")
    fetch(connection, "CREATE TEMPORARY STAGE VECTORS")
    with tempfile.TemporaryDirectory() as directory:
        for first in range(0, len(vectors), LOADED_AT_ONCE):
            file = Path(directory) / f"{first}.parquet"
            pq.write_table(table_of(vectors[first : first + LOADED_AT_ONCE], first), file)
            fetch(connection, f"PUT file://{file} @VECTORS AUTO_COMPRESS = FALSE")
            file.unlink()
            say(f"{min(first + LOADED_AT_ONCE, len(vectors)):,} of {len(vectors):,} embeddings written")
        fetch(connection, COPY)
    fetch(connection, SEGMENTS)
    fetch(connection, CALLS)
    say("loaded")


def table_of(vectors: Vectors, first: int) -> pa.Table:
    numbers = range(first, first + len(vectors))
    calls = [number // SEGMENTS_OF_A_CALL for number in numbers]
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
    question = (MODEL, embedding_models()[MODEL].query_prefix + QUESTION)
    (embedded,) = fetch(connection, EMBED, question)
    asked = np.array(embedded["EMBEDDING"], dtype=np.float32)

    def numpy_search() -> list[str]:
        similarities = vectors @ asked
        nearest = np.argpartition(-similarities, NEAREST)[:NEAREST]
        return [str(number) for number in nearest[np.argsort(-similarities[nearest])]]

    def numpy_cosine() -> list[str]:
        lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors)) * np.linalg.norm(asked)
        similarities = (vectors @ asked) / lengths
        nearest = np.argpartition(-similarities, NEAREST)[:NEAREST]
        return [str(number) for number in nearest[np.argsort(-similarities[nearest])]]

    def statement(sql: str, values: tuple[Any, ...]) -> Callable[[], list[str]]:
        return lambda: [str(row["TRANSCRIPT_ID"]) for row in fetch(connection, sql, values)]

    def search(**filters: Any) -> Callable[[], list[str]]:
        return statement(*search_statement(MODEL, QUESTION, NEAREST, None, given_filters(**filters)))

    one_day = {"from_date": FIRST_DAY, "to_date": FIRST_DAY}
    contenders = {
        "numpy": numpy_search,
        "numpy, cosine": numpy_cosine,
        "search": search(),
        "search, one day of a hundred": search(**one_day),
        "comparison alone": statement(COMPARISON, (*question, NEAREST)),
        "translation alone": search(from_date=date(2999, 1, 1)),
    }
    expected = numpy_search()
    for name in ("numpy, cosine", "search", "comparison alone"):
        assert contenders[name]() == expected, f"{name} finds others than numpy"
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds):
        for name, contender in contenders.items():
            begin = time.perf_counter()
            contender()
            times[name].append(time.perf_counter() - begin)
        say(f"round {number + 1} of {rounds}")
    print(f"{len(vectors):,} segments of {DIMENSION} dimensions, medians of {rounds} rounds")
    print(f"{'':30}{'':11}{'to numpy':>10}{'to its cosine':>15}")
    for name, taken in times.items():
        to_product, to_cosine = (median(taken) / median(times[other]) for other in ("numpy", "numpy, cosine"))
        print(f"{name:<30}{median(taken) * 1000:8.1f} ms{to_product:10.1f}{to_cosine:15.1f}")


if __name__ == "__main__":
    main()
