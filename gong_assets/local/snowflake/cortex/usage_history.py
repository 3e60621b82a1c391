"""The view SNOWFLAKE.ACCOUNT_USAGE.CORTEX_AI_FUNCTIONS_USAGE_HISTORY.

Calls are counted while a query runs. When it ends, one row per query, function and model is written. Cached
answers are counted too, because Cortex would bill them.

The columns follow
https://docs.snowflake.com/en/sql-reference/account-usage/cortex_ai_functions_usage_history. Two details are
not documented and are assumed: METRICS has an output entry for functions that generate text, and IS_COMPLETED
is false for a failed query. Snowflake's view has a delay of 2 to 5 minutes; this one has none.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb
import orjson

DATABASE = "SNOWFLAKE"

# Credits per million tokens: estimates from Snowflake's published consumption tables. The real price depends
# on the model, the region and the date.
DEFAULT_CREDITS_PER_MILLION = 0.10
CREDITS_PER_MILLION: Mapping[str, float] = {
    "AI_EMBED": 0.05,
    "EMBED_TEXT_768": 0.03,
    "EMBED_TEXT_1024": 0.05,
    "AI_SIMILARITY": 0.05,
    "SENTIMENT": 0.08,
}

_CREATION = f"""
CREATE SCHEMA IF NOT EXISTS {DATABASE}.ACCOUNT_USAGE;
CREATE SCHEMA IF NOT EXISTS {DATABASE}.LOCAL_STORE;
CREATE TABLE IF NOT EXISTS {DATABASE}.LOCAL_STORE.CORTEX_CALLS (
    START_TIME TIMESTAMPTZ, END_TIME TIMESTAMPTZ, FUNCTION_NAME VARCHAR, MODEL_NAME VARCHAR, QUERY_ID VARCHAR,
    QUERY_TAG VARCHAR, ROLE_NAMES VARCHAR, USER_ID BIGINT, METRICS VARCHAR, CREDITS DOUBLE,
    IS_COMPLETED BOOLEAN
);
CREATE OR REPLACE VIEW {DATABASE}.ACCOUNT_USAGE.CORTEX_AI_FUNCTIONS_USAGE_HISTORY AS
SELECT START_TIME, END_TIME, FUNCTION_NAME, MODEL_NAME, QUERY_ID, NULL::BIGINT AS WAREHOUSE_ID,
    ROLE_NAMES::JSON AS ROLE_NAMES, QUERY_TAG, USER_ID, METRICS::JSON AS METRICS, CREDITS, IS_COMPLETED
FROM {DATABASE}.LOCAL_STORE.CORTEX_CALLS;
"""


@dataclass
class CallCounts:
    """Totals of one query, function and model."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True)
class QueryContext:
    """The session values and the start time of a query."""

    query_id: str
    query_tag: str
    role: str
    user_id: int
    started: datetime


class UsageHistory:
    """Counts the calls of running queries and stores those of ended queries in the database SNOWFLAKE."""

    def __init__(self, duck: duckdb.DuckDBPyConnection) -> None:
        duck.execute(_CREATION)
        self._duck = duck
        self._lock = threading.Lock()
        self._running: dict[str, dict[tuple[str, str], CallCounts]] = {}

    def record(
        self, query_id: str, function: str, model: str, calls: int, input_tokens: int, output_tokens: int = 0
    ) -> None:
        """Add ``calls`` calls of ``function`` to the counts of a running query."""
        with self._lock:
            counted = self._running.setdefault(query_id, {}).setdefault((function, model), CallCounts())
            counted.calls += calls
            counted.input_tokens += input_tokens
            counted.output_tokens += output_tokens

    def close_query(self, context: QueryContext, ended: datetime, *, completed: bool) -> None:
        """Write the rows of a query that ended, if it called any Cortex function."""
        with self._lock:
            counted = self._running.pop(context.query_id, {})
            for (function, model), counts in counted.items():
                self._write(context, ended, function, model, counts, completed)

    def _write(
        self,
        context: QueryContext,
        ended: datetime,
        function: str,
        model: str,
        counts: CallCounts,
        completed: bool,
    ) -> None:
        metrics = [_metric("input", counts.input_tokens)]
        if counts.output_tokens:
            metrics.append(_metric("output", counts.output_tokens))
        tokens = counts.input_tokens + counts.output_tokens
        price = CREDITS_PER_MILLION.get(function, DEFAULT_CREDITS_PER_MILLION)
        self._duck.execute(
            f"INSERT INTO {DATABASE}.LOCAL_STORE.CORTEX_CALLS VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                context.started,
                ended,
                function,
                model,
                context.query_id,
                context.query_tag,
                orjson.dumps([context.role]).decode(),
                context.user_id,
                orjson.dumps(metrics).decode(),
                tokens * price / 1_000_000,
                completed,
            ],
        )


def _metric(name: str, value: int) -> dict[str, object]:
    return {"key": {"metric": name, "unit": "tokens"}, "value": value}
