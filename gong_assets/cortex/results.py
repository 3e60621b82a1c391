"""SQL for the results of an enrichment.

Each query reads the CTE `batch`, which has a row for each part of a text: CALL_ID, TEXT_HASH, PART (from 0),
SENT_TEXT and ASKED. It returns a row for each text, with CORTEX_ERROR if the function failed or returned
nothing, and reads each result only once, because a CTE that is referenced twice may call, and bill, the
function twice.
"""

from __future__ import annotations

from gong_assets.cortex.functions import QUESTIONS, Functions
from gong_assets.warehouse.literals import literal

# Errors of AI_REDACT fail the whole statement, even with error details requested, unless this is set:
# https://docs.snowflake.com/en/sql-reference/functions/ai_redact
CONTINUE_ON_ERROR = "ALTER SESSION SET AI_SQL_ERROR_HANDLING_USE_FAIL_ON_ERROR = FALSE"


def segment_results(functions: Functions) -> str:
    """Return SQL for sentiment and embedding of segments."""
    name = functions.of("embedding").name
    return f"""
SELECT
    CALL_ID,
    TEXT_HASH,
    {functions.sentiment_score("SENTIMENT_RESULT")}::FLOAT AS SENTIMENT,
    {embedding_column(functions)},
    COALESCE(
        {functions.sentiment_error("SENTIMENT_RESULT")},
        IFF({embedding_column(functions)} IS NULL, '{name} returned no embedding', NULL)
    ) AS CORTEX_ERROR
FROM (
    SELECT
        CALL_ID,
        TEXT_HASH,
        {functions.sentiment("SENT_TEXT")} AS SENTIMENT_RESULT,
        {functions.embedding("SENT_TEXT")} AS {embedding_column(functions)}
    FROM batch
) AS answered"""


def embedding_column(functions: Functions) -> str:
    """Return the column of the vectors of this dimension, which a table cannot change."""
    return f"EMBEDDING_{functions.dimension}"


def summary_results(functions: Functions) -> str:
    """Return SQL for summaries.

    AI_SUMMARIZE_AGG takes any number of parts. SUMMARIZE takes one, so the summaries of several are
    summarized.
    """
    name = functions.of("summary").name
    if name == "AI_SUMMARIZE_AGG":
        summaries = (
            "SELECT CALL_ID, TEXT_HASH, AI_SUMMARIZE_AGG(SENT_TEXT) AS SUMMARY\nFROM batch\n"
            "GROUP BY CALL_ID, TEXT_HASH"
        )
    else:
        summaries = """SELECT
    CALL_ID,
    TEXT_HASH,
    COALESCE(SNOWFLAKE.CORTEX.SUMMARIZE(IFF(PARTS > 1, PART_SUMMARIES, NULL)), PART_SUMMARIES) AS SUMMARY
FROM (
    SELECT
        CALL_ID,
        TEXT_HASH,
        COUNT(*) AS PARTS,
        NULLIF(LISTAGG(PART_SUMMARY, '\\n') WITHIN GROUP (ORDER BY PART), '') AS PART_SUMMARIES
    FROM (
        SELECT CALL_ID, TEXT_HASH, PART, SNOWFLAKE.CORTEX.SUMMARIZE(SENT_TEXT) AS PART_SUMMARY FROM batch
    ) AS summarized_parts
    GROUP BY CALL_ID, TEXT_HASH
) AS summarized_texts"""
    return f"""
SELECT
    CALL_ID,
    TEXT_HASH,
    SUMMARY AS ANSWER_TEXT,
    IFF(SUMMARY IS NULL, '{name} returned no summary', NULL) AS CORTEX_ERROR
FROM (
{summaries}
) AS summaries"""


def insight_results(functions: Functions) -> str:
    """Return SQL for insights: an object with a list for each question that was asked.

    The lists of the parts are concatenated in order. If a part failed, the text did.
    """
    lists = ",\n".join(
        f"            '{name}', IFF(ARRAY_SIZE({name}_LISTS) > 0, ARRAY_FLATTEN({name}_LISTS), NULL)"
        for name in QUESTIONS
    )
    collected = ",\n".join(
        f"        ARRAY_AGG(IFF(IS_ARRAY(ANSWER:{name}), ANSWER:{name}, NULL)::ARRAY) "
        f"WITHIN GROUP (ORDER BY PART) AS {name}_LISTS"
        for name in QUESTIONS
    )
    answer_lists = f"OBJECT_CONSTRUCT(\n{lists}\n        )"
    return f"""
SELECT
    CALL_ID,
    TEXT_HASH,
    IFF(
        CORTEX_ERROR IS NULL,
        {answer_lists},
        NULL
    )::VARIANT AS ANSWER_LISTS,
    CORTEX_ERROR
FROM (
    SELECT
        CALL_ID,
        TEXT_HASH,
{collected},
        MAX(CORTEX_ERROR) AS CORTEX_ERROR
    FROM ({_extracted_parts(functions)}
    ) AS answered_parts
    GROUP BY CALL_ID, TEXT_HASH
) AS collected"""


def _extracted_parts(functions: Functions) -> str:
    """Return SQL for a row for each part, with ANSWER, an object of lists."""
    if functions.of("insights").name == "EXTRACT_ANSWER":
        return _answers_of_legacy_questions()
    return "\n    UNION ALL".join(_extracted_with(asked) for asked in possible_questions())


def possible_questions() -> tuple[tuple[str, ...], ...]:
    """Return the questions that a text can be asked: for what Gong does not give, and always for risks."""
    return (("key_topics", "risks"), ("next_steps", "risks"), ("key_topics", "next_steps", "risks"))


def asked(questions: tuple[str, ...]) -> str:
    """Return the value of the column ASKED."""
    return ", ".join(questions)


def _extracted_with(questions: tuple[str, ...]) -> str:
    """Return SQL for the parts with these questions. A response format is a constant of its statement."""
    properties = ", ".join(
        f"'{name}': {{'description': {literal(QUESTIONS[name])}, 'type': 'array'}}" for name in questions
    )
    schema = f"{{'schema': {{'type': 'object', 'properties': {{{properties}}}}}}}"
    return f"""
    SELECT
        CALL_ID,
        TEXT_HASH,
        PART,
        RESULT:response AS ANSWER,
        COALESCE(RESULT:error::VARCHAR, IFF(RESULT:response IS NULL, 'AI_EXTRACT returned no answer', NULL))
            AS CORTEX_ERROR
    FROM (
        SELECT
            CALL_ID,
            TEXT_HASH,
            PART,
            AI_EXTRACT(
                text => SENT_TEXT,
                responseFormat => {schema}
            ) AS RESULT
        FROM batch
        WHERE ASKED = '{asked(questions)}'
    ) AS extracted"""


def _answers_of_legacy_questions() -> str:
    """Return SQL with EXTRACT_ANSWER, which takes one question.

    It returns an array of {answer, score}. The documentation calls it a string, so that is read as well.
    """
    answers = ",\n            ".join(
        f"IFF(CONTAINS(ASKED, '{name}'), TO_VARIANT(SNOWFLAKE.CORTEX.EXTRACT_ANSWER("
        f"IFF(CONTAINS(ASKED, '{name}'), SENT_TEXT, NULL), {literal(question)})), NULL) AS {name}"
        for name, question in QUESTIONS.items()
    )
    lists = ", ".join(
        f"'{name}', IFF(CONTAINS(ASKED, '{name}'), "
        f"ARRAY_CONSTRUCT_COMPACT(COALESCE({name}[0]:answer, {name})), NULL)"
        for name in QUESTIONS
    )
    unanswered = " OR ".join(f"CONTAINS(ASKED, '{name}') AND {name} IS NULL" for name in QUESTIONS)
    answer = f"OBJECT_CONSTRUCT({lists})"
    return f"""
    SELECT
        CALL_ID,
        TEXT_HASH,
        PART,
        {answer}::VARIANT AS ANSWER,
        IFF({unanswered}, 'EXTRACT_ANSWER returned no answer', NULL) AS CORTEX_ERROR
    FROM (
        SELECT
            CALL_ID,
            TEXT_HASH,
            PART,
            ASKED,
            {answers}
        FROM batch
    ) AS answered"""


def redaction_results(functions: Functions) -> str:
    """Return SQL for redacted texts; NULL if a part failed, because half a text would read as the whole."""
    name = functions.of("redaction").name
    return f"""
SELECT
    CALL_ID,
    TEXT_HASH,
    IFF(COUNT(REDACTED) = COUNT(*), LISTAGG(REDACTED, ' ') WITHIN GROUP (ORDER BY PART), NULL) AS ANSWER_TEXT,
    MAX(IFF(REDACTED IS NULL, COALESCE(ERROR, '{name} returned no text'), NULL)) AS CORTEX_ERROR
FROM (
    SELECT CALL_ID, TEXT_HASH, PART, RESULT:value::VARCHAR AS REDACTED, RESULT:error::VARCHAR AS ERROR
    FROM (
        SELECT CALL_ID, TEXT_HASH, PART, AI_REDACT(SENT_TEXT, TRUE) AS RESULT FROM batch
    ) AS answered_parts
) AS redacted_parts
GROUP BY CALL_ID, TEXT_HASH"""
