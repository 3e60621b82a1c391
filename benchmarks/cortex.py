"""Throughput of the Cortex stand-ins, and of the dbt model that sends segments to them.

    python benchmarks/cortex.py [--segments 20000] [--functions SENTIMENT AI_EMBED ...]

Stages segments of the simulated tenant, makes each text unique, and sends all of them to one function after
the other in one statement, as the post-hooks of the models do. The last column is the time of a statement
that only reads the texts. Then runs the model CORTEX_GONG_CALL_TRANSCRIPTS over 5,000 segments: once with all
of them pending, and once with none. This includes counting tokens, the queue, and the batches and their
updates.

The stand-ins run on this machine, so the results do not apply to Snowflake. EMBED_TEXT_768 and
EMBED_TEXT_1024 use the same embedding model as AI_EMBED and are not measured.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from landed_days import STAGED, dbt, land, say, stack_in
from snowflake.connector import SnowflakeConnection

from gong_assets.cortex.budget import Budget
from gong_assets.cortex.enrichments import SEGMENTS
from gong_assets.cortex.functions import Functions
from gong_assets.cortex.sending import Sender, create_tables
from gong_assets.cortex.texts import Scope
from gong_assets.dates import DateRange
from gong_assets.settings.dbt_vars import default_vars
from gong_assets.warehouse.connection import Warehouse

CALLS_PER_DAY, SENTENCES_PER_CALL = 20, 150
LAST_DAY = date(2026, 10, 30)
MODEL_SEGMENTS = 5_000

# The call of each function. Those in CALL_FUNCTIONS get a call at a time, the others a segment.
STATEMENTS = {
    "AI_COUNT_TOKENS": "AI_COUNT_TOKENS('ai_embed', 'e5-base-v2', TEXT)",
    "SENTIMENT": "SNOWFLAKE.CORTEX.SENTIMENT(TEXT)",
    "AI_SENTIMENT": "AI_SENTIMENT(TEXT)",
    "AI_REDACT": "AI_REDACT(TEXT)",
    "AI_SUMMARIZE_AGG": "AI_SUMMARIZE_AGG(TEXT)",
    "SUMMARIZE": "SNOWFLAKE.CORTEX.SUMMARIZE(TEXT)",
    "AI_EXTRACT": "AI_EXTRACT(text => TEXT, responseFormat => ARRAY_CONSTRUCT('What are the next steps?'))",
    "EXTRACT_ANSWER": "SNOWFLAKE.CORTEX.EXTRACT_ANSWER(TEXT, 'What are the next steps?')",
    "AI_EMBED": "AI_EMBED('e5-base-v2', TEXT)",
}
CALL_FUNCTIONS = {"AI_SUMMARIZE_AGG", "SUMMARIZE", "AI_EXTRACT"}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--segments", type=int, default=20_000, help="number of segments (default: 20,000)")
    parser.add_argument(
        "--functions", nargs="+", default=list(STATEMENTS), choices=STATEMENTS, metavar="NAME"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, stack_in(Path(directory)) as warehouse:
        home = Path(directory)
        with warehouse.connect() as connection:
            fill(home, warehouse, connection, options.segments)
            print("| function | texts | seconds | texts/s | segments/s | read only, s |")
            print("|---|---|---|---|---|---|")
            for function in options.functions:
                measure(connection, function)
        send_segments(warehouse, min(MODEL_SEGMENTS, options.segments))


def fill(home: Path, warehouse: Warehouse, connection: SnowflakeConnection, segments: int) -> None:
    """Create the tables TEXTS, with a unique text per segment, and DIALOGUES, with a text per call."""
    days, staged = 0, 0
    while staged < segments:
        days += max(1, segments // 20_000)
        land(
            connection,
            [LAST_DAY - timedelta(days=back) for back in reversed(range(days))],
            calls_per_day=CALLS_PER_DAY,
            sentences_per_call=SENTENCES_PER_CALL,
        )
        say(f"staging {days} days")
        dbt(home, warehouse, "run", "--select", STAGED)
        staged = query(connection, "SELECT COUNT(*) FROM STG_GONG_CALL_TRANSCRIPTS")[0][0]
        days *= 2
    query(
        connection,
        "CREATE OR REPLACE TABLE TEXTS AS "
        "SELECT CALL_ID, TRANSCRIPT_TEXT || ' ' || TRANSCRIPT_ID AS TEXT, WORD_COUNT "
        f"FROM STG_GONG_CALL_TRANSCRIPTS ORDER BY CALL_DATE DESC, TRANSCRIPT_ID LIMIT {segments}",
    )
    query(
        connection,
        "CREATE OR REPLACE TABLE DIALOGUES AS "
        "SELECT CALL_ID, LISTAGG(TEXT, '\\n') WITHIN GROUP (ORDER BY TEXT) AS TEXT, "
        "COUNT(*) AS SEGMENTS FROM TEXTS GROUP BY CALL_ID",
    )
    words, count = query(connection, "SELECT AVG(WORD_COUNT), COUNT(*) FROM TEXTS")[0]
    say(f"{count:,} segments, {words:.0f} words each")


def measure(connection: SnowflakeConnection, function: str) -> None:
    table = "DIALOGUES" if function in CALL_FUNCTIONS else "TEXTS"
    say(f"{function} over {table}")
    grouped = " GROUP BY CALL_ID" if function == "AI_SUMMARIZE_AGG" else ""
    read = timed(connection, f"CREATE OR REPLACE TABLE ANSWERS AS SELECT LENGTH(TEXT) AS ANSWER FROM {table}")
    seconds = timed(
        connection,
        f"CREATE OR REPLACE TABLE ANSWERS AS SELECT {STATEMENTS[function]} AS ANSWER FROM {table}{grouped}",
    )
    texts = query(connection, f"SELECT COUNT(*) FROM {table}")[0][0]
    segments = query(connection, "SELECT COUNT(*) FROM TEXTS")[0][0]
    print(
        f"| {function} | {texts:,} | {seconds:.1f} | {texts / seconds:,.0f} | {segments / seconds:,.0f} "
        f"| {read:.2f} |",
        flush=True,
    )


def send_segments(warehouse: Warehouse, segments: int) -> None:
    """Send the segments of the latest days as a run of the graph does."""
    variables = default_vars()
    with warehouse.connect() as connection:
        day = query(
            connection,
            "SELECT MAX(CALL_DATE) FROM ("
            "SELECT CALL_DATE, SUM(COUNT(*)) OVER (ORDER BY CALL_DATE DESC) AS SEGMENTS "
            f"FROM STG_GONG_CALL_TRANSCRIPTS GROUP BY CALL_DATE) WHERE SEGMENTS >= {segments}",
        )[0][0]
        scope = Scope(Functions(variables), [DateRange.inclusive(day, LAST_DAY)])  # type: ignore[arg-type]
        create_tables(connection, scope.functions)
        sender = Sender(warehouse, SEGMENTS, scope, Budget.of_vars(variables), "benchmark", say, say)
        for pending in ("all pending", "none pending"):
            begin = time.perf_counter()
            outcome = sender.run(connection)
            seconds = time.perf_counter() - begin
            print(f"\nsegments, {pending}: {outcome.texts:,} texts in {seconds:.1f} s", flush=True)


def timed(connection: SnowflakeConnection, statement: str) -> float:
    begin = time.perf_counter()
    query(connection, statement)
    return time.perf_counter() - begin


def query(connection: SnowflakeConnection, statement: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()  # type: ignore[return-value]


if __name__ == "__main__":
    main()
