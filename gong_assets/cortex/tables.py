"""The tables of what was sent to Cortex, and what it answered.

GONG_CORTEX_ANSWERS has the answers by content: enrichment, call and hash of the text. Rows are only inserted,
so a batch that was answered stays answered whatever happens to its run, and a table of the models can be
built again without sending anything. GONG_CORTEX_ATTEMPTS has a row for each time that a text was sent, and
GONG_CORTEX_BATCHES one for each batch and function, with the estimated cost. All rows lie on the day of their
call, so a run reads those of its days only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from gong_assets.cortex.functions import Functions
from gong_assets.cortex.results import embedding_column

ANSWERS = "GONG_CORTEX_ANSWERS"
ATTEMPTS = "GONG_CORTEX_ATTEMPTS"
BATCHES = "GONG_CORTEX_BATCHES"

# The batch of answers of an earlier version, which were in the tables of the models.
CARRIED_OVER = "carried over"

_CREATE_BATCHES = f"""CREATE TABLE IF NOT EXISTS {BATCHES} (
    RUN_KEY VARCHAR, INVOCATION_ID VARCHAR, MODEL_NAME VARCHAR, BATCH NUMBER(38, 0), FUNCTION_NAME VARCHAR,
    CORTEX_MODEL VARCHAR, CALLS NUMBER(38, 0), INPUT_TOKENS NUMBER(38, 0), OUTPUT_TOKENS NUMBER(38, 0),
    ESTIMATED_CREDITS FLOAT, ESTIMATED_DOLLARS FLOAT, STATUS VARCHAR, PLANNED_AT TIMESTAMP_LTZ,
    SENT_AT TIMESTAMP_LTZ, ANSWERED_AT TIMESTAMP_LTZ
)"""
_CREATE_ATTEMPTS = f"""CREATE TABLE IF NOT EXISTS {ATTEMPTS} (
    ENRICHMENT VARCHAR, CALL_ID VARCHAR, CALL_DATE DATE, TEXT_HASH VARCHAR, CORTEX_REQUEST VARCHAR,
    ATTEMPT NUMBER(38, 0), BATCH_ID VARCHAR, ATTEMPTED_AT TIMESTAMP_LTZ
) CLUSTER BY (CALL_DATE)"""
_CREATE_ANSWERS = f"""CREATE TABLE IF NOT EXISTS {ANSWERS} (
    ENRICHMENT VARCHAR, CALL_ID VARCHAR, CALL_DATE DATE, TEXT_HASH VARCHAR, CORTEX_REQUEST VARCHAR,
    SENTIMENT FLOAT, ANSWER_TEXT VARCHAR, ANSWER_LISTS VARIANT, CORTEX_MODEL VARCHAR,
    ENRICHMENT_VERSION VARCHAR, CORTEX_ERROR VARCHAR, BATCH_ID VARCHAR, ANSWERED_AT TIMESTAMP_LTZ,
    FIRST_ANSWERED_AT TIMESTAMP_LTZ
) CLUSTER BY (CALL_DATE)"""

# Enrichment: table of the model, hash of the text, and the columns of its results as those of the answers.
_EARLIER = {
    "redactions": (
        "CORTEX_GONG_REDACTED_TRANSCRIPTS", "CONTENT_HASH",
        {"ANSWER_TEXT": "REDACTED_TEXT", "CORTEX_MODEL": "'ai_redact'"},
    ),
    "segments": (
        "CORTEX_GONG_CALL_TRANSCRIPTS", "CONTENT_HASH",
        {"SENTIMENT": "SEGMENT_SENTIMENT", "CORTEX_MODEL": "EMBEDDING_MODEL"},
    ),
    "summaries": (
        "CORTEX_GONG_CALLS", "TRANSCRIPT_HASH",
        {"ANSWER_TEXT": "CALL_SUMMARY", "CORTEX_MODEL": "SUMMARY_MODEL"},
    ),
    "insights": (
        "CORTEX_GONG_CALL_INSIGHTS", "TRANSCRIPT_HASH",
        {
            "ANSWER_LISTS": "OBJECT_CONSTRUCT('key_topics', KEY_TOPICS, 'next_steps', NEXT_STEPS, "
            "'risks', RISKS)::VARIANT",
            "CORTEX_MODEL": "INSIGHTS_MODEL",
        },
    ),
}  # fmt: skip


def create_statements(functions: Functions, existing: Collection[str]) -> Iterator[str]:
    """Yield the statements that create the missing tables, with the answers of an earlier version.

    Args:
        existing: names of the tables of the schema.
    """
    if BATCHES not in existing:
        yield _CREATE_BATCHES
    if ATTEMPTS not in existing:
        yield _CREATE_ATTEMPTS
    if ANSWERS not in existing:
        yield _CREATE_ANSWERS
        yield add_dimension(functions)
        for enrichment, (table, *_) in _EARLIER.items():
            if table in existing:
                yield _carry_over_attempts(enrichment)
                yield _carry_over_answers(enrichment, functions)


def add_dimension(functions: Functions) -> str:
    """Return the statement that adds the column of the model's vectors."""
    return (
        f"ALTER TABLE {ANSWERS} ADD COLUMN {embedding_column(functions)} VECTOR(FLOAT, {functions.dimension})"
    )


def answer_columns() -> str:
    """Return SQL for the names of the columns of the answers."""
    return (
        "SELECT COLUMN_NAME FROM INFORMATION_SCHEMA.COLUMNS "
        f"WHERE TABLE_SCHEMA = CURRENT_SCHEMA() AND TABLE_NAME = '{ANSWERS}'"
    )


def _carry_over_attempts(enrichment: str) -> str:
    table, text_hash, _ = _EARLIER[enrichment]
    return f"""INSERT INTO {ATTEMPTS}
    (ENRICHMENT, CALL_ID, CALL_DATE, TEXT_HASH, CORTEX_REQUEST, ATTEMPT, BATCH_ID, ATTEMPTED_AT)
SELECT DISTINCT
    '{enrichment}', CALL_ID, CALL_DATE, {text_hash}, CORTEX_REQUEST, CORTEX_ATTEMPTS, '{CARRIED_OVER}',
    CURRENT_TIMESTAMP()
FROM {table}
WHERE {text_hash} IS NOT NULL AND CORTEX_REQUEST IS NOT NULL"""


def _carry_over_answers(enrichment: str, functions: Functions) -> str:
    table, text_hash, columns = _EARLIER[enrichment]
    if enrichment == "segments":
        columns = {**columns, embedding_column(functions): "TRANSCRIPT_EMBEDDING"}
    first = "FIRST_PROCESSED_AT" if enrichment == "summaries" else "CORTEX_PROCESSED_AT"
    return f"""INSERT INTO {ANSWERS}
    (ENRICHMENT, CALL_ID, CALL_DATE, TEXT_HASH, CORTEX_REQUEST, {", ".join(columns)}, ENRICHMENT_VERSION,
     CORTEX_ERROR, BATCH_ID, ANSWERED_AT, FIRST_ANSWERED_AT)
SELECT
    '{enrichment}', CALL_ID, CALL_DATE, {text_hash}, CORTEX_REQUEST, {", ".join(columns.values())},
    ENRICHMENT_VERSION, CORTEX_ERROR, '{CARRIED_OVER}', CORTEX_PROCESSED_AT, {first}
FROM {table}
WHERE {text_hash} IS NOT NULL AND CORTEX_REQUEST IS NOT NULL
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY CALL_ID, {text_hash} ORDER BY CORTEX_PROCESSED_AT DESC NULLS LAST
) = 1"""
