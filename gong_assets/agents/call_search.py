"""Semantic search: the segments whose embeddings are nearest to that of a text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

from gong_assets.agents.arguments import (
    MAX_ROWS,
    ContextTurns,
    DealId,
    FromDate,
    Limit,
    MinSimilarity,
    MinWords,
    Rep,
    SearchText,
    Speaker,
    ToDate,
    for_display,
    validated,
)
from gong_assets.agents.errors import AgentError, InvalidArgument, NotFound
from gong_assets.agents.results import SimilarSegment, SimilarSegments, Turn
from gong_assets.agents.views import CALLS, SEGMENTS
from gong_assets.warehouse.connection import Warehouse, fetch
from gong_assets.warehouse.cortex_search import newest_embedding_model
from gong_assets.warehouse.embedding_models import embedding_models
from gong_assets.warehouse.errors import WarehouseQueryFailed

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

# SQL conditions with the values bound to each.
Filters = dict[str, tuple[Any, ...]]
Statement = tuple[str, tuple[Any, ...]]

_FROM_DATE, _TO_DATE = "CALL_DATE >= %s", "CALL_DATE <= %s"
_HAS_REP = (
    "(PRIMARY_USER_ID = %s OR LOWER(PRIMARY_USER_NAME) = LOWER(%s) OR LOWER(PRIMARY_USER_EMAIL) = LOWER(%s))"
)
# VW_DEAL_CALLS, because a call can have several deals and HUBSPOT_DEAL_ID is only the first.
_HAS_DEAL = "CALL_ID IN (SELECT CALL_ID FROM VW_DEAL_CALLS WHERE HUBSPOT_DEAL_ID = %s)"

# Only vectors of the same model are comparable. Unprocessed segments have no embedding of their present text,
# and segments without a text await redaction.
_IS_SEARCHABLE = "EMBEDDING_MODEL = %s AND PROCESSED_BY_CORTEX AND TRANSCRIPT_TEXT IS NOT NULL"

# Embeddings are large, so each is compared in the table that stores it, and only similarities pass through
# the filters and joins of the view. The view's details are read for the nearest segments only. The date
# condition is applied to the table too, so that Snowflake can prune its partitions. Any condition on the
# embedding or the similarity would copy the embeddings or compute the similarities twice.
_SEARCH = f"""
WITH query AS (
    SELECT AI_EMBED(%s, %s) AS EMBEDDING
),
compared AS (
    SELECT
        embedded.TRANSCRIPT_ID,
        VECTOR_COSINE_SIMILARITY(embedded.TRANSCRIPT_EMBEDDING, query.EMBEDDING) AS SIMILARITY
    FROM CORTEX_GONG_CALL_TRANSCRIPTS AS embedded
    CROSS JOIN query
    WHERE {{days}}
),
candidates AS (
    SELECT TRANSCRIPT_ID
    FROM {SEGMENTS} AS segments
    WHERE {{conditions}}
),
nearest AS (
    SELECT TRANSCRIPT_ID, SIMILARITY
    FROM compared
    WHERE TRANSCRIPT_ID IN (SELECT TRANSCRIPT_ID FROM candidates)
    ORDER BY SIMILARITY DESC NULLS LAST, TRANSCRIPT_ID
    LIMIT %s
)
SELECT
    segments.TRANSCRIPT_ID, segments.CALL_ID, segments.CALL_TITLE, segments.CALL_DATETIME_UTC,
    segments.SPEAKER_NAME, segments.SPEAKER_TYPE, segments.START_TIME_SECONDS, segments.END_TIME_SECONDS,
    segments.TRANSCRIPT_TEXT AS TEXT, segments.SEGMENT_SENTIMENT, segments.PRIMARY_USER_NAME AS HOST_NAME,
    segments.HUBSPOT_DEAL_ID, segments.DEAL_NAME, segments.HUBSPOT_COMPANY_ID,
    segments.HUBSPOT_COMPANY_NAME AS COMPANY_NAME, nearest.SIMILARITY
FROM nearest
INNER JOIN {SEGMENTS} AS segments ON nearest.TRANSCRIPT_ID = segments.TRANSCRIPT_ID
WHERE nearest.SIMILARITY >= %s
ORDER BY nearest.SIMILARITY DESC, nearest.TRANSCRIPT_ID
"""

# Positions are counted here, because TURN_INDEX also counts turns without words, which have no segment.
_CONTEXT = f"""
WITH turns AS (
    SELECT
        TRANSCRIPT_ID, CALL_ID, SPEAKER_NAME, SPEAKER_TYPE, START_TIME_SECONDS, END_TIME_SECONDS,
        TRANSCRIPT_TEXT AS TEXT,
        ROW_NUMBER() OVER (PARTITION BY CALL_ID ORDER BY TURN_INDEX, PART, TRANSCRIPT_ID) AS TURN_NUMBER
    FROM {SEGMENTS} AS segments
    WHERE CALL_ID IN ({{calls}}) AND TRANSCRIPT_TEXT IS NOT NULL
),
hits AS (
    SELECT TRANSCRIPT_ID, CALL_ID, TURN_NUMBER
    FROM turns
    WHERE TRANSCRIPT_ID IN ({{hits}})
)
SELECT hits.TRANSCRIPT_ID AS HIT_ID, turns.TURN_NUMBER < hits.TURN_NUMBER AS IS_BEFORE, turns.*
FROM hits
INNER JOIN turns
    ON hits.CALL_ID = turns.CALL_ID
    AND turns.TURN_NUMBER BETWEEN hits.TURN_NUMBER - %s AND hits.TURN_NUMBER + %s
    AND turns.TURN_NUMBER <> hits.TURN_NUMBER
ORDER BY HIT_ID, turns.TURN_NUMBER
"""

_ANY_CALL = f"SELECT CALL_ID FROM {CALLS} AS calls WHERE {{condition}} LIMIT 1"

# Segments that are too short are never embedded.
_COUNT_UNSEARCHABLE = f"""
SELECT COUNT(*) AS SEGMENT_COUNT
FROM {SEGMENTS} AS segments
WHERE {{conditions}}
    AND TRANSCRIPT_ID NOT IN (SELECT TRANSCRIPT_ID FROM CORTEX_GONG_CALL_TRANSCRIPTS WHERE IS_TOO_SHORT)
"""


@validated
def similar_segments(
    warehouse: Warehouse,
    text: SearchText,
    *,
    limit: Limit = 5,
    min_similarity: MinSimilarity = None,
    from_date: FromDate = None,
    to_date: ToDate = None,
    rep: Rep = None,
    deal_id: DealId = None,
    speaker: Speaker = None,
    min_words: MinWords = 0,
    context: ContextTurns = 0,
) -> SimilarSegments:
    """Return the `limit` segments most similar in meaning to `text`, most similar first.

    `similarity` is a cosine similarity (-1 to 1). Its scale depends on the embedding model: e5 scores even
    unrelated texts at 0.7 to 1.0. `context` adds the turns before and after each hit.

    Raises:
        NotFound: no segment has an embedding yet, or no call has this rep or deal.
        InvalidArgument: an argument is invalid, or the result could exceed 1,000 rows.
        AgentError: the segments were embedded with an unknown model.
        WarehouseError: the warehouse is unreachable, or the views do not exist.
    """
    _check_combination(text, limit, context, from_date, to_date)
    filters = search_filters(from_date, to_date, rep, deal_id, speaker, min_words)
    with _explain_token_limit(), warehouse.connect() as connection:
        model = _embedding_model(connection)
        rows = fetch(connection, *search_statement(model, text, limit, min_similarity, filters))
        if not rows:
            _require_call(connection, "rep", rep, _HAS_REP)
            _require_call(connection, "deal", deal_id, _HAS_DEAL)
            return SimilarSegments(note=_unsearchable_note(connection, model, filters))
        turns = _turns_around(connection, rows, context) if context else {}
    return SimilarSegments(
        SimilarSegment.from_row(row, **turns.get(row["TRANSCRIPT_ID"], {})) for row in rows
    )


def _check_combination(
    text: str, limit: int, context: int, from_date: date | None, to_date: date | None
) -> None:
    if not text.strip():
        raise InvalidArgument("the text to search for is empty")
    if from_date and to_date and from_date > to_date:
        raise InvalidArgument(f"from_date {from_date} is after to_date {to_date}")
    if (turns := limit * (1 + 2 * context)) > MAX_ROWS:
        raise InvalidArgument(
            f"limit {limit} with context {context} could return {turns:,} turns; the maximum is {MAX_ROWS:,}"
        )


@contextmanager
def _explain_token_limit() -> Iterator[None]:
    """Raise InvalidArgument if the model rejects the text, whose tokens may outnumber its characters."""
    try:
        yield
    except WarehouseQueryFailed as error:
        if "tokens" not in str(error):
            raise
        raise InvalidArgument("the text is too long for the embedding model; shorten it") from error


def search_filters(
    from_date: date | None = None,
    to_date: date | None = None,
    rep: str | None = None,
    deal_id: str | None = None,
    speaker: str | None = None,
    min_words: int = 0,
) -> Filters:
    """Return the conditions of the given arguments on VW_ENRICHED_GONG_CALL_TRANSCRIPTS."""
    filters: Filters = {
        _FROM_DATE: (from_date,),
        _TO_DATE: (to_date,),
        _HAS_REP: (rep, rep, rep),
        _HAS_DEAL: (deal_id,),
        "SPEAKER_TYPE = %s": (speaker,),
        "WORD_COUNT >= %s": (min_words or None,),
    }
    return {condition: values for condition, values in filters.items() if values[0] is not None}


def search_statement(
    model: str, text: str, limit: int, min_similarity: float | None, filters: Filters
) -> Statement:
    """Return the SQL of a search and its bound values."""
    days = {condition: values for condition, values in filters.items() if condition in (_FROM_DATE, _TO_DATE)}
    sql = _SEARCH.format(
        days=" AND ".join(f"embedded.{condition}" for condition in days) or "TRUE",
        conditions=" AND ".join([_IS_SEARCHABLE, *filters]),
    )
    lowest = -1.0 if min_similarity is None else min_similarity
    query = embedding_models()[model].query_prefix + text
    return sql, (model, query, *_values(days), model, *_values(filters), limit, lowest)


def unsearchable_statement(model: str, filters: Filters) -> Statement:
    """Return the SQL that counts matching segments without a comparable embedding, and its bound values."""
    conditions = " AND ".join([f"NOT COALESCE({_IS_SEARCHABLE}, FALSE)", *filters])
    return _COUNT_UNSEARCHABLE.format(conditions=conditions), (model, *_values(filters))


def _values(filters: Filters) -> list[Any]:
    return [value for values in filters.values() for value in values]


def _embedding_model(connection: SnowflakeConnection) -> str:
    model = newest_embedding_model(connection)
    if model is None:
        raise NotFound("no segment has an embedding yet: materialize the graph first (`gong-assets sync`)")
    if model not in embedding_models():
        raise AgentError(f"embedding model {model!r} is not one of {', '.join(embedding_models())}")
    return model


def _require_call(connection: SnowflakeConnection, noun: str, value: str | None, condition: str) -> None:
    """Raise NotFound if no call has the value.

    Otherwise an empty result is due to the other filters.
    """
    if value is None:
        return
    if not fetch(connection, _ANY_CALL.format(condition=condition), [value] * condition.count("%s")):
        raise NotFound(f"no call in VW_ENRICHED_GONG_CALLS has {noun} {for_display(value)}")


def _unsearchable_note(connection: SnowflakeConnection, model: str, filters: Filters) -> str:
    """Explain an empty result: count matching segments without a comparable embedding."""
    count = fetch(connection, *unsearchable_statement(model, filters))[0]["SEGMENT_COUNT"]
    if not count:
        return ""
    return (
        f"{count:,} matching segments could not be searched: they have no embedding of {model} yet, or await "
        "redaction (VW_CORTEX_STATUS lists the days)"
    )


def _turns_around(
    connection: SnowflakeConnection, hits: Sequence[dict[str, Any]], count: int
) -> dict[str, dict[str, list[Turn]]]:
    """Return the `count` turns before and after each hit, by the hit's id."""
    calls = sorted({hit["CALL_ID"] for hit in hits})
    ids = [hit["TRANSCRIPT_ID"] for hit in hits]
    sql = _CONTEXT.format(calls=_placeholders(calls), hits=_placeholders(ids))
    turns: dict[str, dict[str, list[Turn]]] = {
        hit_id: {"context_before": [], "context_after": []} for hit_id in ids
    }
    for row in fetch(connection, sql, (*calls, *ids, count, count)):
        side = "context_before" if row["IS_BEFORE"] else "context_after"
        turns[row["HIT_ID"]][side].append(Turn.from_row(row))
    return turns


def _placeholders(values: Sequence[Any]) -> str:
    return ", ".join(["%s"] * len(values))
