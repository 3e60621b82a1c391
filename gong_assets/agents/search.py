"""Search by meaning: the segments whose embeddings are nearest to that of a text."""

from __future__ import annotations

from gong_assets.agents.results import AgentError, NotFound, Segment
from gong_assets.warehouse.connection import Warehouse, fetch

# What a model's card wants before a question. AI_EMBED has no parameter for it, so the caller puts it there; the
# segments were embedded with the counterpart in `dbt/macros`.
QUERY_PREFIXES = {
    "e5-base-v2": "query: ",
    "multilingual-e5-large": "query: ",
    "snowflake-arctic-embed-m": "Represent this sentence for searching relevant passages: ",
    "snowflake-arctic-embed-m-v1.5": "Represent this sentence for searching relevant passages: ",
    "snowflake-arctic-embed-l-v2.0": "query: ",
    "snowflake-arctic-embed-l-v2.0-8k": "query: ",
    "voyage-multilingual-2": "",
    "nv-embed-qa-4": "",
}

_MODEL = """
SELECT EMBEDDING_MODEL
FROM CORTEX_GONG_CALL_TRANSCRIPTS
WHERE TRANSCRIPT_EMBEDDING IS NOT NULL
ORDER BY CORTEX_PROCESSED_AT DESC
LIMIT 1
"""

# Segments of another model are left out: vectors of two models cannot be compared.
_QUERY = """
WITH question AS (
    SELECT AI_EMBED(%s, %s) AS EMBEDDING
),
compared AS (
    SELECT
        TRANSCRIPT_ID, CALL_ID, CALL_TITLE, CALL_DATETIME_UTC, SPEAKER_NAME, SPEAKER_TYPE, START_TIME_SECONDS,
        END_TIME_SECONDS, TRANSCRIPT_TEXT AS TEXT, SEGMENT_SENTIMENT,
        VECTOR_COSINE_SIMILARITY(TRANSCRIPT_EMBEDDING, question.EMBEDDING) AS SIMILARITY
    FROM VW_ENRICHED_GONG_CALL_TRANSCRIPTS
    CROSS JOIN question
    WHERE EMBEDDING_MODEL = %s AND TRANSCRIPT_EMBEDDING IS NOT NULL
)
SELECT *
FROM compared
WHERE SIMILARITY >= %s
ORDER BY SIMILARITY DESC, TRANSCRIPT_ID
LIMIT %s
"""


def similar_segments(
    warehouse: Warehouse, text: str, *, limit: int = 5, min_similarity: float | None = None
) -> list[Segment]:
    """The `limit` segments that are most similar to `text`, most similar first, with their cosine similarity (-1 to 1).

    Only the order is comparable between models: e5 gives 0.7 to 1.0 even to texts that have nothing in common.

    Raises:
        NotFound: no segment has an embedding yet.
        AgentError: the text is empty, or the tables were made with a model that is not known here.
        WarehouseError: the warehouse cannot be reached, or the views are not there yet.
    """
    if not text.strip():
        raise AgentError("the text to search for is empty")
    lowest = -1.0 if min_similarity is None else min_similarity
    with warehouse.connect() as connection:
        newest = fetch(connection, _MODEL)
        if not newest:
            raise NotFound(
                "no segment has an embedding yet: materialize the graph first (`gong-assets sync`)"
            )
        model = newest[0]["EMBEDDING_MODEL"]
        if model not in QUERY_PREFIXES:
            raise AgentError(f"embedding model {model!r} is not one of {', '.join(QUERY_PREFIXES)}")
        rows = fetch(connection, _QUERY, (model, QUERY_PREFIXES[model] + text, model, lowest, limit))
    return [Segment.of(row) for row in rows]
