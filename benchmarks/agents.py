"""Duration of each question of an agent over 130,000 segments, compared with numpy on the same vectors.

    python -m benchmarks.agents [--calls 3000] [--sentences-per-call 105] [--rounds 7] [--match-by-domain]

The calls of the last 150 days are landed and staged. Their answers of Cortex are invented, with random
embeddings, and the real models join and enrich them. Then each question is asked as an MCP client asks it,
over one connection. In each round, numpy computes the cosine of the same vectors (float32) with that of the
search text and takes the greatest. The server caches the embedding of a text after the first round, so that
no duration includes the model.

Prints medians, and the seconds of the statements and of the slowest one of them. `--match-by-domain` sets the
var match_calls_by_domain.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from snowflake.connector import SnowflakeConnection

from benchmarks.landed_days import dbt, land, say, stack_in
from gong_assets import agents
from gong_assets.agents.call_filters import date_filters
from gong_assets.agents.call_search import Search, search_statement
from gong_assets.cortex.functions import Functions
from gong_assets.cortex.tables import create_statements
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.settings.dbt_vars import default_vars
from gong_assets.warehouse import connection as connections
from gong_assets.warehouse.connection import Warehouse, fetch
from gong_assets.warehouse.embedding_models import embedding_models
from gong_assets.warehouse.tables import create_raw_tables

MODEL, DIMENSION, NEAREST = "e5-base-v2", 768, 10
SEARCH_TEXT = "the customer finds it too expensive"
DAYS = 150
BATCH_SIZE = 10_000

# The text of a segment decides its vector, so that a sentence that is said twice has the same vector twice.
NUMBERED = """
CREATE TABLE BENCHMARK_TEXTS AS
SELECT
    CALL_ID, CALL_DATE, CONTENT_HASH,
    ROW_NUMBER() OVER (ORDER BY CALL_DATE, CALL_ID, CONTENT_HASH) AS NUMBER
FROM (SELECT DISTINCT CALL_ID, CALL_DATE, CONTENT_HASH FROM STG_GONG_CALL_TRANSCRIPTS WHERE WORD_COUNT >= 3)
"""
NUMBERS_OF_SEGMENTS = """
SELECT NUMBER
FROM STG_GONG_CALL_TRANSCRIPTS AS segments
INNER JOIN BENCHMARK_TEXTS AS texts
    ON segments.CALL_ID = texts.CALL_ID AND segments.CONTENT_HASH = texts.CONTENT_HASH
"""
VECTORS = "CREATE TABLE BENCHMARK_VECTORS (NUMBER NUMBER(38, 0), EMBEDDING VECTOR(FLOAT, 768))"
COPY = """
COPY INTO BENCHMARK_VECTORS
FROM (SELECT $1:NUMBER::NUMBER, $1:EMBEDDING::VECTOR(FLOAT, 768) FROM @BENCHMARK_STAGE)
FILE_FORMAT = (TYPE = PARQUET)
"""
SEGMENT_ANSWERS = """
INSERT INTO GONG_CORTEX_ANSWERS
    (ENRICHMENT, CALL_ID, CALL_DATE, TEXT_HASH, CORTEX_REQUEST, SENTIMENT, EMBEDDING_768, CORTEX_MODEL,
     ENRICHMENT_VERSION, BATCH_ID, ANSWERED_AT, FIRST_ANSWERED_AT)
SELECT
    'segments', CALL_ID, CALL_DATE, CONTENT_HASH, %s, (MOD(texts.NUMBER * 7919, 2001) - 1000) / 1000.0,
    EMBEDDING, 'e5-base-v2', '1', 'benchmark', CURRENT_TIMESTAMP(), CURRENT_TIMESTAMP()
FROM BENCHMARK_TEXTS AS texts
INNER JOIN BENCHMARK_VECTORS AS vectors ON texts.NUMBER = vectors.NUMBER
"""
CALL_ANSWERS = """
INSERT INTO GONG_CORTEX_ANSWERS
    (ENRICHMENT, CALL_ID, CALL_DATE, TEXT_HASH, CORTEX_REQUEST, ANSWER_TEXT, CORTEX_MODEL,
     ENRICHMENT_VERSION, BATCH_ID, ANSWERED_AT, FIRST_ANSWERED_AT)
SELECT
    'summaries', CALL_ID, CALL_DATE, TRANSCRIPT_HASH, %s, 'What was said on call ' || CALL_ID, 'model', '1',
    'benchmark', CURRENT_TIMESTAMP(), CURRENT_TIMESTAMP()
FROM INT_GONG_DIALOGUES
"""
ATTEMPTS = """
INSERT INTO GONG_CORTEX_ATTEMPTS
    (ENRICHMENT, CALL_ID, CALL_DATE, TEXT_HASH, CORTEX_REQUEST, ATTEMPT, BATCH_ID, ATTEMPTED_AT)
SELECT ENRICHMENT, CALL_ID, CALL_DATE, TEXT_HASH, CORTEX_REQUEST, 1, BATCH_ID, ANSWERED_AT
FROM GONG_CORTEX_ANSWERS
"""
COMPARISON = """
WITH query AS (SELECT AI_EMBED(%s, %s) AS EMBEDDING)
SELECT TRANSCRIPT_ID, VECTOR_COSINE_SIMILARITY(TRANSCRIPT_EMBEDDING, query.EMBEDDING) AS SIMILARITY
FROM CORTEX_GONG_CALL_TRANSCRIPTS
CROSS JOIN query
ORDER BY SIMILARITY DESC NULLS LAST, TRANSCRIPT_ID
LIMIT %s
"""

Vectors = npt.NDArray[np.float32]
Question = Callable[[], Any]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=3000, help="number of calls (default: 3,000)")
    parser.add_argument(
        "--sentences-per-call", type=int, default=105, help="sentences per call (default: 105)"
    )
    parser.add_argument("--rounds", type=int, default=7, help="rounds after a warm-up (default: 7)")
    parser.add_argument("--match-by-domain", action="store_true", help="set the var match_calls_by_domain")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        build = ["run", "--vars", json.dumps({"match_calls_by_domain": options.match_by_domain})]
        with stack_in(home) as warehouse:
            vectors = fill(home, warehouse, build, options.calls, options.sentences_per_call)
            measure(warehouse, vectors, options.rounds)


def fill(home: Path, warehouse: Warehouse, build: list[str], calls: int, sentences: int) -> Vectors:
    """Land, stage and enrich the calls, and return the vectors of their segments."""
    functions = Functions({**default_vars()})
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    days = [yesterday - timedelta(days=back) for back in reversed(range(DAYS))]
    with warehouse.connect() as connection:
        create_raw_tables(connection, RAW_TABLES)
        for statement in create_statements(functions, ()):
            fetch(connection, statement)
        land(connection, days, calls_per_day=calls // DAYS, sentences_per_call=sentences)
        dbt(home, warehouse, *build, "--select", "path:models/staging")
        say("staged")
        fetch(connection, NUMBERED)
        count = fetch(connection, "SELECT COUNT(*) AS N FROM BENCHMARK_TEXTS")[0]["N"]
        vectors = unit_vectors(count)
        upload(connection, vectors)
        fetch(connection, SEGMENT_ANSWERS, (functions.request(["sentiment", "embedding"]),))
        fetch(connection, CALL_ANSWERS, (functions.request(["summary"]),))
        fetch(connection, ATTEMPTS)
        numbers = [row["NUMBER"] - 1 for row in fetch(connection, NUMBERS_OF_SEGMENTS)]
        for table in ("BENCHMARK_TEXTS", "BENCHMARK_VECTORS"):
            fetch(connection, f"DROP TABLE {table}")
    dbt(home, warehouse, *build, "--exclude", "path:models/staging")
    say("enriched")
    return vectors[numbers]


def unit_vectors(count: int) -> Vectors:
    vectors = np.random.default_rng(1).standard_normal((count, DIMENSION), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def upload(connection: SnowflakeConnection, vectors: Vectors) -> None:
    fetch(connection, VECTORS)
    fetch(connection, "CREATE TEMPORARY STAGE BENCHMARK_STAGE")
    with tempfile.TemporaryDirectory() as directory:
        for first in range(0, len(vectors), BATCH_SIZE):
            some = vectors[first : first + BATCH_SIZE]
            offsets = np.arange(0, some.size + 1, DIMENSION, dtype=np.int32)
            table = pa.table(
                {
                    "NUMBER": pa.array(range(first + 1, first + 1 + len(some)), pa.int64()),
                    "EMBEDDING": pa.ListArray.from_arrays(pa.array(offsets), pa.array(some.ravel())),
                }
            )
            file = Path(directory) / f"{first}.parquet"
            pq.write_table(table, file)
            fetch(connection, f"PUT file://{file} @BENCHMARK_STAGE AUTO_COMPRESS = FALSE")
            file.unlink()
    fetch(connection, COPY)
    say(f"{len(vectors):,} embeddings written")


def measure(warehouse: Warehouse, vectors: Vectors, rounds: int) -> None:
    kept = Warehouse(warehouse.arguments, keep_open=True)
    asked = questions(kept)
    others = comparisons(kept, vectors)
    assert others["search statement"]() == others["comparison only"](), "the nearest segments differ"
    times: dict[str, list[float]] = defaultdict(list)
    statements: dict[str, list[tuple[int, float, float]]] = defaultdict(list)
    for number in range(rounds + 1):
        for name, ask in {**asked, **others}.items():
            with timed_statements() as sent:
                start = time.perf_counter()
                ask()
                seconds = time.perf_counter() - start
            if number:  # The first round fills caches.
                times[name].append(seconds)
                statements[name].append((len(sent), sum(sent), max(sent, default=0)))
        say(f"round {number} of {rounds}")
    start = time.perf_counter()
    warehouse.check()
    print(f"{len(vectors):,} embedded segments; a sign-in takes {time.perf_counter() - start:.3f} s")
    print(f"{'':38}{'ms':>8}{'vs. cosine':>12}{'statements':>12}{'their ms':>10}{'slowest':>9}")
    cosine = median(times["numpy, cosine"])
    for name, seconds in times.items():
        count, total, slowest = (median(column) for column in zip(*statements[name], strict=True))
        print(
            f"{name:38}{median(seconds) * 1000:8.0f}{median(seconds) / cosine:12.1f}{count:12.0f}"
            f"{total * 1000:10.0f}{slowest * 1000:9.0f}"
        )


@contextmanager
def timed_statements() -> Iterator[list[float]]:
    """Yield a list of the seconds of each statement of the block."""
    sent: list[float] = []
    original = connections.fetch_table

    def timed(*arguments: Any, **options: Any) -> Any:
        start = time.perf_counter()
        try:
            return original(*arguments, **options)
        finally:
            sent.append(time.perf_counter() - start)

    with mock.patch.object(connections, "fetch_table", timed):
        yield sent


def questions(warehouse: Warehouse) -> dict[str, Question]:
    """Return each question that a tool answers, with the filters that it has, by a description."""
    (deal,) = warehouse.query(
        "SELECT HUBSPOT_DEAL_ID AS ID FROM VW_DEAL_CALLS GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT 1"
    )
    (company,) = warehouse.query(
        "SELECT ACCOUNT_ID AS ID, MAX(ACCOUNT_NAME) AS NAME FROM VW_ACCOUNT_TIMELINE "
        "GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT 1"
    )
    (call,) = warehouse.query(
        "SELECT CALL_ID AS ID, PRIMARY_USER_NAME AS REP FROM VW_ENRICHED_GONG_CALLS "
        "WHERE DEAL_NAME IS NOT NULL ORDER BY CALL_DATE DESC, 1 LIMIT 1"
    )
    day = datetime.now(UTC).date() - timedelta(days=DAYS // 2)
    big = {"max_characters": 40_000}

    def search(**filters: Any) -> Question:
        return lambda: agents.similar_segments(warehouse, SEARCH_TEXT, **filters, **big)

    return {
        "find_records, part of a name": lambda: agents.find_records(
            warehouse, "Company", company["NAME"][:4], **big
        ),
        "find_records, a rep": lambda: agents.find_records(warehouse, "Rep", call["REP"], **big),
        "find_calls, newest": lambda: agents.find_calls(warehouse, **big),
        "find_calls, one day": lambda: agents.find_calls(warehouse, from_date=day, to_date=day, **big),
        "find_calls, of a rep": lambda: agents.find_calls(warehouse, rep=call["REP"], **big),
        "find_calls, of a deal": lambda: agents.find_calls(warehouse, deal=deal["ID"], **big),
        "find_calls, of a company": lambda: agents.find_calls(warehouse, company=company["ID"], **big),
        "read_transcript": lambda: agents.read_transcript(warehouse, call["ID"], **big),
        "analyze_call": lambda: agents.analyze_call(warehouse, call["ID"], **big),
        "account_timeline": lambda: agents.account_timeline(warehouse, company["ID"], **big),
        "coaching_opportunities": lambda: agents.coaching_opportunities(warehouse, **big),
        "deals_at_risk": lambda: agents.deals_at_risk(warehouse, **big),
        "similar_calls": search(),
        "similar_calls, one day": search(from_date=day, to_date=day),
        "similar_calls, of a rep": search(rep=call["REP"]),
        "similar_calls, of a deal": search(deal=deal["ID"]),
        "similar_calls, of a company": search(company=company["ID"]),
        "similar_calls, customers": search(speaker="External"),
        "similar_calls, two turns of context": search(context=2),
    }


def comparisons(warehouse: Warehouse, vectors: Vectors) -> dict[str, Question]:
    """Return the functions to compare a search with."""
    query = (MODEL, embedding_models()[MODEL].query_prefix + SEARCH_TEXT)
    (row,) = warehouse.query("SELECT AI_EMBED(%s, %s) AS EMBEDDING", query)
    embedding = np.array(row["EMBEDDING"], dtype=np.float32)

    def nearest(similarities: Vectors) -> list[int]:
        greatest = np.argpartition(-similarities, NEAREST)[:NEAREST]
        return [int(number) for number in greatest[np.argsort(-similarities[greatest])]]

    def cosine() -> list[int]:
        lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors)) * np.linalg.norm(embedding)
        return nearest((vectors @ embedding) / lengths)

    def ids(sql: str, values: tuple[Any, ...]) -> Question:
        return lambda: [row["TRANSCRIPT_ID"] for row in warehouse.query(sql, values)]

    # The statement fetches one hit more, which tells whether there is a next page.
    everything = Search(SEARCH_TEXT, NEAREST - 1, None, {})
    nothing = everything._replace(filters=date_filters(date(2999, 1, 1), None))
    return {
        "numpy, cosine": cosine,
        "numpy, dot product": lambda: nearest(vectors @ embedding),
        "search statement": ids(*search_statement(MODEL, everything)),
        "comparison only": ids(COMPARISON, (*query, NEAREST)),
        "search statement over no segment": ids(*search_statement(MODEL, nothing)),
    }


if __name__ == "__main__":
    main()
