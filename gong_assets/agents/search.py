"""Search by meaning: the segments whose embeddings are nearest to that of a text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from gong_assets.agents.arguments import (
    MAX_ROWS,
    Context,
    DealId,
    FromDate,
    Limit,
    MinSimilarity,
    MinWords,
    Question,
    Rep,
    Speaker,
    ToDate,
    checked,
    shown,
)
from gong_assets.agents.results import (
    AgentError,
    InvalidQuestion,
    NotFound,
    SimilarSegment,
    SimilarSegments,
    Turn,
)
from gong_assets.warehouse.connection import Warehouse, fetch
from gong_assets.warehouse.embedding_models import embedding_models
from gong_assets.warehouse.errors import WarehouseQueryFailed

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

# Conditions, each with the values that are bound in it.
Filters = dict[str, tuple[Any, ...]]

_MODEL = """
SELECT EMBEDDING_MODEL
FROM CORTEX_GONG_CALL_TRANSCRIPTS
WHERE TRANSCRIPT_EMBEDDING IS NOT NULL
ORDER BY CORTEX_PROCESSED_AT DESC
LIMIT 1
"""

_OF_REP = (
    "(PRIMARY_USER_ID = %s OR LOWER(PRIMARY_USER_NAME) = LOWER(%s) OR LOWER(PRIMARY_USER_EMAIL) = LOWER(%s))"
)
# A call may be about several deals: its own HUBSPOT_DEAL_ID is the first of them.
_OF_DEAL = "CALL_ID IN (SELECT CALL_ID FROM VW_DEAL_CALLS WHERE HUBSPOT_DEAL_ID = %s)"
_DAYS = _FROM_DATE, _TO_DATE = "CALL_DATE >= %s", "CALL_DATE <= %s"

_PUBLIC = "NOT COALESCE(IS_PRIVATE, FALSE)"

# Segments of another model are left out: vectors of two models cannot be compared. So is what is not processed, or was
# with another text than it has now, and one that is not redacted where transcripts are.
_COMPARABLE = "EMBEDDING_MODEL = %s AND PROCESSED_BY_CORTEX AND TRANSCRIPT_TEXT IS NOT NULL"
_NOT_COMPARABLE = f"NOT COALESCE({_COMPARABLE}, FALSE)"

# Embeddings are large: each is compared where it is stored, and only its similarity goes through the filters and the view's
# joins. The details are read of the nearest segments alone. The condition on days stands with both, as it spares Snowflake
# the other days' partitions; one on the embedding or its similarity would have them copied, or compared twice.
_QUERY = """
WITH question AS (
    SELECT AI_EMBED(%s, %s) AS EMBEDDING
),
compared AS (
    SELECT
        embedded.TRANSCRIPT_ID,
        VECTOR_COSINE_SIMILARITY(embedded.TRANSCRIPT_EMBEDDING, question.EMBEDDING) AS SIMILARITY
    FROM CORTEX_GONG_CALL_TRANSCRIPTS AS embedded
    CROSS JOIN question
    WHERE {days}
),
candidates AS (
    SELECT TRANSCRIPT_ID
    FROM VW_ENRICHED_GONG_CALL_TRANSCRIPTS
    WHERE {conditions}
),
nearest AS (
    SELECT TRANSCRIPT_ID, SIMILARITY
    FROM compared
    WHERE TRANSCRIPT_ID IN (SELECT TRANSCRIPT_ID FROM candidates)
    ORDER BY SIMILARITY DESC NULLS LAST, TRANSCRIPT_ID
    LIMIT %s
)
SELECT
    segments.TRANSCRIPT_ID, segments.CALL_ID, segments.CALL_TITLE, segments.CALL_DATETIME_UTC, segments.SPEAKER_NAME,
    segments.SPEAKER_TYPE, segments.START_TIME_SECONDS, segments.END_TIME_SECONDS, segments.TRANSCRIPT_TEXT AS TEXT,
    segments.SEGMENT_SENTIMENT, segments.PRIMARY_USER_NAME AS HOST_NAME, segments.HUBSPOT_DEAL_ID, segments.DEAL_NAME,
    segments.HUBSPOT_COMPANY_ID, segments.HUBSPOT_COMPANY_NAME AS COMPANY_NAME, nearest.SIMILARITY
FROM nearest
INNER JOIN VW_ENRICHED_GONG_CALL_TRANSCRIPTS AS segments ON nearest.TRANSCRIPT_ID = segments.TRANSCRIPT_ID
WHERE nearest.SIMILARITY >= %s
ORDER BY nearest.SIMILARITY DESC, nearest.TRANSCRIPT_ID
"""

# By position and not by TURN_INDEX: a turn without words has an index and no segment.
_CONTEXT = f"""
WITH spoken AS (
    SELECT
        TRANSCRIPT_ID, CALL_ID, SPEAKER_NAME, SPEAKER_TYPE, START_TIME_SECONDS, END_TIME_SECONDS, TRANSCRIPT_TEXT AS TEXT,
        ROW_NUMBER() OVER (PARTITION BY CALL_ID ORDER BY TURN_INDEX, PART, TRANSCRIPT_ID) AS PLACE
    FROM VW_ENRICHED_GONG_CALL_TRANSCRIPTS
    WHERE CALL_ID IN ({{calls}}) AND {_PUBLIC} AND TRANSCRIPT_TEXT IS NOT NULL
),
hits AS (
    SELECT TRANSCRIPT_ID, CALL_ID, PLACE
    FROM spoken
    WHERE TRANSCRIPT_ID IN ({{hits}})
)
SELECT hits.TRANSCRIPT_ID AS HIT_ID, spoken.PLACE < hits.PLACE AS IS_BEFORE, spoken.*
FROM hits
INNER JOIN spoken
    ON hits.CALL_ID = spoken.CALL_ID
    AND spoken.PLACE BETWEEN hits.PLACE - %s AND hits.PLACE + %s
    AND spoken.PLACE <> hits.PLACE
ORDER BY HIT_ID, spoken.PLACE
"""

_KNOWN = f"SELECT CALL_ID FROM VW_ENRICHED_GONG_CALLS WHERE {{condition}} AND {_PUBLIC} LIMIT 1"

# What is too short to be embedded is not waited for.
_NOT_COMPARED = """
SELECT COUNT(*) AS SEGMENT_COUNT
FROM VW_ENRICHED_GONG_CALL_TRANSCRIPTS
WHERE {conditions}
    AND TRANSCRIPT_ID NOT IN (SELECT TRANSCRIPT_ID FROM CORTEX_GONG_CALL_TRANSCRIPTS WHERE IS_TOO_SHORT)
"""


@checked
def similar_segments(
    warehouse: Warehouse,
    text: Question,
    *,
    limit: Limit = 5,
    min_similarity: MinSimilarity = None,
    from_date: FromDate = None,
    to_date: ToDate = None,
    rep: Rep = None,
    deal_id: DealId = None,
    speaker: Speaker = None,
    min_words: MinWords = 0,
    context: Context = 0,
) -> SimilarSegments:
    """The `limit` segments that are most similar to `text`, most similar first, with their cosine similarity (-1 to 1).

    Only the order is comparable between models: e5 gives 0.7 to 1.0 even to texts that have nothing in common.

    Args:
        min_similarity: leave out what is less similar.
        from_date: first call date (UTC).
        to_date: last call date (UTC), inclusive.
        rep: the host's Gong user id, name or e-mail address.
        deal_id: HubSpot's id of a deal that the call is about.
        speaker: segments that people from inside or from outside said.
        min_words: leave out shorter segments.
        context: so many turns before and after each segment come with it.

    Raises:
        NotFound: no segment has an embedding yet, or no call is of that rep or deal.
        InvalidQuestion: an argument is not as it should be, or the answer could have more than 1,000 rows.
        AgentError: the tables were made with a model that is not known here.
        WarehouseError: the warehouse cannot be reached, or the views are not there yet.
    """
    if not text.strip():
        raise InvalidQuestion("the text to search for is empty")
    if from_date and to_date and from_date > to_date:
        raise InvalidQuestion(f"from_date {from_date} is after to_date {to_date}")
    if (most := limit * (1 + 2 * context)) > MAX_ROWS:
        raise InvalidQuestion(
            f"limit {limit} with context {context} may be {most:,} turns, and an answer has at most {MAX_ROWS:,}"
        )
    filters = given_filters(from_date, to_date, rep, deal_id, speaker, min_words)
    try:
        with warehouse.connect() as connection:
            model = _embedding_model(connection)
            rows = fetch(connection, *search_statement(model, text, limit, min_similarity, filters))
            if not rows:
                _require_known(connection, "rep", rep, _OF_REP)
                _require_known(connection, "deal", deal_id, _OF_DEAL)
            note = "" if rows else _what_was_not_compared(connection, model, filters)
            around = _turns_around(connection, rows, context) if rows and context else {}
    except WarehouseQueryFailed as error:
        # A character may be a token or several, so that the limit of characters does not hold all of them back.
        if "tokens" not in str(error):
            raise
        raise InvalidQuestion("the text is too long for the embedding model: shorten it") from error
    found = SimilarSegments(SimilarSegment.of(row, **around.get(row["TRANSCRIPT_ID"], {})) for row in rows)
    found.note = note
    return found


def search_statement(
    model: str, text: str, limit: int, min_similarity: float | None, filters: Filters
) -> tuple[str, tuple[Any, ...]]:
    """The SQL of a search, and the values that are bound in it."""
    days = {condition: bound for condition, bound in filters.items() if condition in _DAYS}
    query = _QUERY.format(
        days=" AND ".join(f"embedded.{condition}" for condition in days) or "TRUE",
        conditions=" AND ".join([_COMPARABLE, _PUBLIC, *filters]),
    )
    lowest = -1.0 if min_similarity is None else min_similarity
    asked = (model, embedding_models()[model].query_prefix + text)
    return query, (*asked, *_values(days), model, *_values(filters), limit, lowest)


def not_compared_statement(model: str, filters: Filters) -> tuple[str, tuple[Any, ...]]:
    """The SQL that counts what passes the filters and is not compared, and the values that are bound in it."""
    query = _NOT_COMPARED.format(conditions=" AND ".join([_NOT_COMPARABLE, _PUBLIC, *filters]))
    return query, (model, *_values(filters))


def _values(filters: Filters) -> list[Any]:
    return [value for bound in filters.values() for value in bound]


def given_filters(
    from_date: date | None = None,
    to_date: date | None = None,
    rep: str | None = None,
    deal_id: str | None = None,
    speaker: str | None = None,
    min_words: int = 0,
) -> Filters:
    """Those that are not left out."""
    filters: Filters = {
        _FROM_DATE: (from_date,),
        _TO_DATE: (to_date,),
        _OF_REP: (rep, rep, rep),
        _OF_DEAL: (deal_id,),
        "SPEAKER_TYPE = %s": (speaker,),
        "WORD_COUNT >= %s": (min_words or None,),
    }
    return {condition: values for condition, values in filters.items() if values[0] is not None}


def _embedding_model(connection: SnowflakeConnection) -> str:
    newest = fetch(connection, _MODEL)
    if not newest:
        raise NotFound("no segment has an embedding yet: materialize the graph first (`gong-assets sync`)")
    model: str = newest[0]["EMBEDDING_MODEL"]
    if model not in embedding_models():
        raise AgentError(f"embedding model {model!r} is not one of {', '.join(embedding_models())}")
    return model


def _require_known(connection: SnowflakeConnection, what: str, who: str | None, condition: str) -> None:
    """Nothing was found: because there is no such rep or deal, or because of the other filters?"""
    if who is None:
        return
    if not fetch(connection, _KNOWN.format(condition=condition), (who,) * condition.count("%s")):
        raise NotFound(f"no call in VW_ENRICHED_GONG_CALLS is of {what} {shown(who)}")


def _what_was_not_compared(connection: SnowflakeConnection, model: str, filters: Filters) -> str:
    """Nothing was found: is it that nobody said it, or that not all is there to be compared?"""
    count = fetch(connection, *not_compared_statement(model, filters))[0]["SEGMENT_COUNT"]
    if not count:
        return ""
    return (
        f"{count:,} segments that pass the filters could not be compared: they have no embedding of {model}, or wait to be "
        "redacted (VW_CORTEX_STATUS shows the days)"
    )


def _turns_around(
    connection: SnowflakeConnection, hits: Sequence[dict[str, Any]], count: int
) -> dict[str, dict[str, list[Turn]]]:
    """The `count` turns before and after each hit, by its id."""
    calls = sorted({hit["CALL_ID"] for hit in hits})
    ids = [hit["TRANSCRIPT_ID"] for hit in hits]
    query = _CONTEXT.format(calls=_placeholders(calls), hits=_placeholders(ids))
    around: dict[str, dict[str, list[Turn]]] = {
        hit_id: {"context_before": [], "context_after": []} for hit_id in ids
    }
    for row in fetch(connection, query, (*calls, *ids, count, count)):
        side = "context_before" if row["IS_BEFORE"] else "context_after"
        around[row["HIT_ID"]][side].append(Turn.of(row))
    return around


def _placeholders(values: Sequence[Any]) -> str:
    return ", ".join(["%s"] * len(values))
