"""Runs every statement of the enrichments once, on temporary tables with a call of three segments.

Some forms of SQL are not documented in each combination, and no test without an account can tell whether
Snowflake takes them. `gong-assets doctor --deep` finds it out in a minute, for a few cents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from gong_assets.cortex import texts
from gong_assets.cortex.batching import count_queue
from gong_assets.cortex.budget import BudgetLeft, spending
from gong_assets.cortex.enrichments import ENRICHMENTS, Enrichment, enabled
from gong_assets.cortex.functions import Functions
from gong_assets.cortex.planning import Plan
from gong_assets.cortex.prices import Prices
from gong_assets.cortex.results import CONTINUE_ON_ERROR
from gong_assets.cortex.tables import ANSWERS, ATTEMPTS, BATCHES, create_statements
from gong_assets.cortex.texts import Scope
from gong_assets.security.texts import one_line
from gong_assets.warehouse.connection import fetch
from gong_assets.warehouse.literals import literal

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

# The last is too long for SENTIMENT, for the embedding models, and for AI_REDACT.
_TEXTS = (
    "The price is fine, but we worry about the date.",
    "I will send the contract to you on Monday.",
    "7 " * 1500,
)
_CALL, _DAY = "doctor", "'2026-01-01'::DATE"
_LIMIT = BudgetLeft(1_000_000, 1.0, 1_000_000, 1.0)
_RUN = "doctor"


@dataclass(frozen=True)
class Rehearsed:
    """Result of rehearsing the statements of an enrichment.

    Attributes:
        failures: what each statement does that failed, with Snowflake's message.
        dollars: estimated cost of what was sent.
    """

    enrichment: Enrichment
    statements: int
    failures: tuple[tuple[str, str], ...]
    tokens: int
    dollars: float


def rehearse(connection: SnowflakeConnection, functions: Functions, *, redacts: bool) -> Iterator[Rehearsed]:
    """Run the statements of each enrichment, and yield what became of them."""
    scope = Scope(functions, None, redacts)
    own = _Names(
        f"GONG_ASSETS_DOCTOR_{uuid4().hex[:8].upper()}_",
        [rf"{each.queue}\w*" for each in ENRICHMENTS.values()],
    )
    for statement in (*create_statements(functions, ()), *_source_tables()):
        fetch(connection, own.sql(statement))
    for enrichment in enabled(redacts=redacts):
        yield _rehearse(connection, enrichment, scope, own)


@dataclass(frozen=True)
class _Names:
    """Temporary tables under names of their own."""

    prefix: str
    queues: list[str]

    def sql(self, statement: str) -> str:
        tables = (
            *(texts.SEGMENTS, texts.CALLS, texts.DIALOGUES, texts.DIALOGUE_LINES, "GONG_CALLS_RAW"),
            *(ANSWERS, ATTEMPTS, BATCHES, *self.queues),
        )
        named = re.sub(rf"\b({'|'.join(tables)})\b", rf"{self.prefix}\1", statement)
        return re.sub(
            r"^CREATE (OR REPLACE TRANSIENT )?TABLE (IF NOT EXISTS )?", "CREATE TEMPORARY TABLE ", named
        )


def _source_tables() -> Iterator[str]:
    """Yield statements that create what the enrichments read: a call that Gong says nothing about."""
    rows = ", ".join(f"({number}, {literal(text)})" for number, text in enumerate(_TEXTS, 1))
    yield (
        f"CREATE TABLE {texts.SEGMENTS} AS SELECT '{_CALL}_' || COLUMN1::VARCHAR AS TRANSCRIPT_ID, "
        f"'{_CALL}' AS CALL_ID, {_DAY} AS CALL_DATE, COLUMN2 AS TRANSCRIPT_TEXT, 10 AS WORD_COUNT, "
        f"SHA2(COLUMN2, 256) AS CONTENT_HASH, COLUMN1 AS LINE_NUMBER FROM VALUES {rows}"
    )
    yield (
        f"CREATE TABLE {texts.CALLS} AS SELECT '{_CALL}' AS CALL_ID, {_DAY} AS CALL_DATE, "
        "NULL::ARRAY AS KEY_TOPICS, NULL::ARRAY AS NEXT_STEPS, NULL::VARCHAR AS CALL_BRIEF"
    )
    yield f"CREATE TABLE GONG_CALLS_RAW AS SELECT '{_CALL}' AS CALL_ID"
    yield (
        f"CREATE TABLE {texts.DIALOGUE_LINES} AS SELECT CALL_ID, CALL_DATE, LINE_NUMBER, "
        f"'Carl: ' || TRANSCRIPT_TEXT AS LINE FROM {texts.SEGMENTS}"
    )
    yield (
        f"CREATE TABLE {texts.DIALOGUES} AS SELECT CALL_ID, CALL_DATE, "
        "SHA2(LISTAGG(LINE, '\\n') WITHIN GROUP (ORDER BY LINE_NUMBER), 256) AS TRANSCRIPT_HASH "
        f"FROM {texts.DIALOGUE_LINES} GROUP BY CALL_ID, CALL_DATE"
    )


def statements(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield each statement with what it does, in the order of a run."""
    yield "find what waits", plan.survey(1)
    yield "read what was spent", spending(plan.run_key)
    yield "count tokens and plan batches", plan.create_queue(_LIMIT)
    yield "count the planned texts", count_queue(plan.queue, _LIMIT)
    yield "record the batches", plan.record_batches()
    yield "read the estimated cost", plan.estimates()
    yield "record an attempt", plan.claim(1)
    yield "send a batch and keep its answers", plan.send(1)
    yield "count the attempt", plan.count_attempts(1)
    yield "record that a batch is answered", plan.set_status(1, "Answered")
    for statement in plan.sent.move():
        yield "move what was sent to another day", statement
    for statement in plan.sent.delete_stale():
        yield "delete what is no longer said", statement
    for statement in plan.sent.delete_orphaned(1):
        yield "delete what is no longer landed", statement


def _rehearse(
    connection: SnowflakeConnection, enrichment: Enrichment, scope: Scope, own: _Names
) -> Rehearsed:
    from snowflake.connector.errors import ProgrammingError

    variables = scope.functions.variables
    plan = Plan(enrichment, scope, Prices.of_vars(variables), _RUN, uuid4().hex)
    run = list(statements(plan))
    failures = []
    if enrichment.name == "redactions":
        fetch(connection, CONTINUE_ON_ERROR)
    for what, statement in run:
        try:
            fetch(connection, own.sql(statement))
        except ProgrammingError as error:
            failures.append((what, one_line(str(error))))
    errors = (
        f"SELECT CORTEX_ERROR FROM {ANSWERS} WHERE ENRICHMENT = '{enrichment.name}' "
        "AND CORTEX_ERROR IS NOT NULL"
    )
    failures += [
        ("answer for a text", str(row["CORTEX_ERROR"])) for row in fetch(connection, own.sql(errors))
    ]
    (spent,) = fetch(
        connection,
        own.sql(
            "SELECT COALESCE(SUM(INPUT_TOKENS + OUTPUT_TOKENS), 0) AS TOKENS, "
            f"COALESCE(SUM(ESTIMATED_DOLLARS), 0) AS DOLLARS FROM {BATCHES} "
            f"WHERE MODEL_NAME = '{enrichment.model}' AND STATUS = 'Answered'"
        ),
    )
    return Rehearsed(enrichment, len(run), tuple(failures), int(spent["TOKENS"]), float(spent["DOLLARS"]))
