"""How many segments a second each Cortex function of the local stack answers, and how many come through the dbt model.

    python benchmarks/cortex.py [--segments 20000] [--functions SENTIMENT AI_EMBED ...]

So many staged segments of the simulated tenant, each made a text of its own, are sent to one function after another by one
statement, as the models' post-hooks do. Beside each stands the time of a statement that only reads the same texts (their
lengths), measured right before it. Then the model CORTEX_GONG_CALL_TRANSCRIPTS is run over 5,000 of the segments, with everything
around the two functions that it calls: counting tokens, the queue, the batches and their updates; and once more, when there is
nothing to send.

The functions are stand-ins that run on this machine: the figures say what a laptop can do, and nothing of Snowflake. The legacy
EMBED_TEXT_768 and _1024 are the same model as AI_EMBED, and are not measured again.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from landed_days import dbt, is_model, land, name_of, say, stack_in
from snowflake.connector import SnowflakeConnection

CALLS_PER_DAY, SENTENCES_PER_CALL = 20, 150
LAST_DAY = date(2026, 10, 30)
MODEL_SEGMENTS = 5_000

# What each function is asked, of a segment; of the aggregates, for a call.
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
OF_CALLS = {"AI_SUMMARIZE_AGG", "SUMMARIZE", "AI_EXTRACT"}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--segments", type=int, default=20_000, help="segments (default 20000)")
    parser.add_argument(
        "--functions", nargs="+", default=list(STATEMENTS), choices=STATEMENTS, metavar="NAME"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, stack_in(Path(directory)) as warehouse:
        home = Path(directory)
        with warehouse.connect() as connection:
            fill(home, warehouse, connection, options.segments)
            print("| function | texts | seconds | texts/s | segments/s | reading alone, s |")
            print("|---|---|---|---|---|---|")
            for function in options.functions:
                measure(connection, function)
        model(home, warehouse)


def fill(home: Path, warehouse: object, connection: SnowflakeConnection, segments: int) -> None:
    """The tables TEXTS (a segment each, with other words than any other) and DIALOGUES (a call each)."""
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
        dbt(home, warehouse, "run", "--select", "tag:partitioned,path:models/staging")  # type: ignore[arg-type]
        staged = query(connection, "SELECT COUNT(*) FROM STG_GONG_CALL_TRANSCRIPTS")[0][0]
        days *= 2
    query(
        connection,
        "CREATE OR REPLACE TABLE TEXTS AS SELECT CALL_ID, TRANSCRIPT_TEXT || ' ' || TRANSCRIPT_ID AS TEXT, WORD_COUNT "
        f"FROM STG_GONG_CALL_TRANSCRIPTS ORDER BY CALL_DATE DESC, TRANSCRIPT_ID LIMIT {segments}",
    )
    query(
        connection,
        "CREATE OR REPLACE TABLE DIALOGUES AS SELECT CALL_ID, LISTAGG(TEXT, '\\n') WITHIN GROUP (ORDER BY TEXT) AS TEXT, "
        "COUNT(*) AS SEGMENTS FROM TEXTS GROUP BY CALL_ID",
    )
    words, count = query(connection, "SELECT AVG(WORD_COUNT), COUNT(*) FROM TEXTS")[0]
    say(f"{count:,} segments, {words:.0f} words each")


def measure(connection: SnowflakeConnection, function: str) -> None:
    table = "DIALOGUES" if function in OF_CALLS else "TEXTS"
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
        f"| {function} | {texts:,} | {seconds:.1f} | {texts / seconds:,.0f} | {segments / seconds:,.0f} | {read:.2f} |",
        flush=True,
    )


def model(home: Path, warehouse: object) -> None:
    """The Cortex model over the latest days, as a run of the graph builds it."""
    with warehouse.connect() as connection:  # type: ignore[attr-defined]
        day = query(
            connection,
            "SELECT MAX(CALL_DATE) FROM (SELECT CALL_DATE, SUM(COUNT(*)) OVER (ORDER BY CALL_DATE DESC) AS SEGMENTS "
            f"FROM STG_GONG_CALL_TRANSCRIPTS GROUP BY CALL_DATE) WHERE SEGMENTS >= {MODEL_SEGMENTS}",
        )[0][0]
    window = ("--event-time-start", str(day), "--event-time-end", str(LAST_DAY + timedelta(days=1)))
    for what in ("everything to send", "nothing to send"):
        say(f"the model, {what}")
        _, results = dbt(home, warehouse, "run", "--select", "cortex_gong_call_transcripts", *window)  # type: ignore[arg-type]
        seconds = sum(result["execution_time"] for result in results if is_model(result))
        with warehouse.connect() as connection:  # type: ignore[attr-defined]
            rows = query(connection, "SELECT COUNT(*) FROM CORTEX_GONG_CALL_TRANSCRIPTS")[0][0]
        print(
            f"\n{name_of(results[0])}, {what}: {rows:,} rows in {seconds:.1f} s, {rows / seconds:,.0f} rows/s",
            flush=True,
        )


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
