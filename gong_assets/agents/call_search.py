"""Semantic search: the segments whose embeddings are nearest to that of a text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from gong_assets.agents.arguments import (
    MAX_ROWS,
    UNLIMITED_CHARACTERS,
    CompanyFilter,
    ContextTurns,
    Deal,
    FromDate,
    Limit,
    MaxCharacters,
    MinSimilarity,
    MinWords,
    PageToken,
    Rep,
    SearchText,
    Speaker,
    ToDate,
    validated,
)
from gong_assets.agents.call_filters import (
    CALL_CONDITIONS,
    DATES,
    Filters,
    bound_values,
    check_dates,
    date_filters,
    record_filters,
)
from gong_assets.agents.errors import AgentError, InvalidArgument, NotFound
from gong_assets.agents.freshness import data_as_of
from gong_assets.agents.paging import compact_json, decoded, encoded, fitting
from gong_assets.agents.results import SimilarSegment, SimilarSegments, Turn
from gong_assets.agents.views import SEARCHABLE_SEGMENTS, SEGMENTS
from gong_assets.warehouse.connection import Warehouse, fetch
from gong_assets.warehouse.cortex_search import newest_embedding_model
from gong_assets.warehouse.embedding_models import embedding_models
from gong_assets.warehouse.errors import WarehouseQueryFailed

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

Statement = tuple[str, tuple[Any, ...]]

# Hits that may appear before the position of a page while an agent reads the pages before it.
_PAGE_SLACK = 100

# Unprocessed segments have no embedding of their present text, and segments without a text await redaction.
_IS_SEARCHABLE = "EMBEDDING_MODEL = %s AND PROCESSED_BY_CORTEX AND TRANSCRIPT_TEXT IS NOT NULL"

# Embeddings are large, so each is compared in the table that stores it, and only similarities pass through
# the filters. A filter on calls leaves so few that only their vectors are compared. The view's details are
# read for the nearest segments only. The date condition is applied to the table too, so that Snowflake can
# prune its partitions. Any condition on the embedding or the similarity would copy the embeddings or compute
# the similarities twice. An embedding of an earlier text of its segment has another hash.
_SEARCH = f"""
WITH query AS (
    SELECT AI_EMBED(%s, %s) AS EMBEDDING
),
candidates AS (
    SELECT TRANSCRIPT_ID, CONTENT_HASH
    FROM {SEARCHABLE_SEGMENTS} AS segments
    WHERE {{conditions}}
),
compared AS (
    SELECT
        embedded.TRANSCRIPT_ID, embedded.CONTENT_HASH, embedded.EMBEDDING_MODEL, embedded.PROCESSED_BY_CORTEX,
        VECTOR_COSINE_SIMILARITY(embedded.TRANSCRIPT_EMBEDDING, query.EMBEDDING) AS SIMILARITY
    FROM CORTEX_GONG_CALL_TRANSCRIPTS AS embedded
    CROSS JOIN query{{candidates_before}}
    WHERE {{days}}
),
nearest AS (
    SELECT compared.TRANSCRIPT_ID, compared.SIMILARITY
    FROM compared{{candidates_after}}
    WHERE compared.EMBEDDING_MODEL = %s AND compared.PROCESSED_BY_CORTEX
    ORDER BY compared.SIMILARITY DESC NULLS LAST, compared.TRANSCRIPT_ID
    LIMIT %s
)
SELECT
    segments.TRANSCRIPT_ID, segments.CALL_ID, segments.CALL_TITLE, segments.CALL_DATETIME_UTC,
    segments.CALL_URL, segments.SPEAKER_NAME, segments.SPEAKER_TYPE, segments.START_TIME_SECONDS,
    segments.END_TIME_SECONDS, segments.TRANSCRIPT_TEXT AS TEXT, segments.SEGMENT_SENTIMENT,
    segments.PRIMARY_USER_NAME AS HOST_NAME, segments.HUBSPOT_DEAL_ID, segments.DEAL_NAME,
    segments.HUBSPOT_COMPANY_ID, segments.HUBSPOT_COMPANY_NAME AS COMPANY_NAME, nearest.SIMILARITY
FROM nearest
INNER JOIN {SEGMENTS} AS segments ON nearest.TRANSCRIPT_ID = segments.TRANSCRIPT_ID
WHERE nearest.SIMILARITY >= %s AND {{position}}
ORDER BY nearest.SIMILARITY DESC, nearest.TRANSCRIPT_ID
"""

_CANDIDATES = """
    INNER JOIN candidates
        ON {table}.TRANSCRIPT_ID = candidates.TRANSCRIPT_ID
        AND {table}.CONTENT_HASH = candidates.CONTENT_HASH"""
_AFTER = "(nearest.SIMILARITY < %s OR nearest.SIMILARITY = %s AND nearest.TRANSCRIPT_ID > %s)"

# Positions are counted here, because TURN_INDEX also counts turns without words, which have no segment.
_CONTEXT = f"""
WITH turns AS (
    SELECT
        TRANSCRIPT_ID, CALL_ID, CALL_URL, SPEAKER_NAME, SPEAKER_TYPE, START_TIME_SECONDS, END_TIME_SECONDS,
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

# Segments that are too short are never embedded.
_COUNT_UNSEARCHABLE = f"""
SELECT COUNT(*) AS SEGMENT_COUNT
FROM {SEGMENTS} AS segments
WHERE {{conditions}}
    AND TRANSCRIPT_ID NOT IN (SELECT TRANSCRIPT_ID FROM CORTEX_GONG_CALL_TRANSCRIPTS WHERE IS_TOO_SHORT)
"""


class SearchPosition(NamedTuple):
    """The last hit of a page, and the number of hits up to it."""

    seen: int
    similarity: float
    transcript_id: str


class Search(NamedTuple):
    """The arguments of a search, with its filters as conditions."""

    text: str
    limit: int
    min_similarity: float | None
    filters: Filters
    context: int = 0
    after: SearchPosition | None = None
    max_characters: int = UNLIMITED_CHARACTERS


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
    deal: Deal = None,
    company: CompanyFilter = None,
    speaker: Speaker = None,
    min_words: MinWords = 0,
    context: ContextTurns = 0,
    page: PageToken = None,
    max_characters: MaxCharacters = UNLIMITED_CHARACTERS,
) -> SimilarSegments:
    """Return the `limit` segments most similar in meaning to `text`, most similar first.

    `similarity` is a cosine similarity (-1 to 1). Its scale depends on the embedding model: e5 scores even
    unrelated texts at 0.7 to 1.0. `context` adds the turns before and after each hit.

    Raises:
        NotFound: no segment has an embedding yet, or there is no such rep, deal or company.
        InvalidArgument: an argument is invalid, or the result could exceed 1,000 rows.
        AgentError: several reps, deals or companies have this name, or the embedding model is unknown.
        WarehouseError: the warehouse is unreachable, or the views do not exist.
    """
    check_dates(from_date, to_date)
    _check_turns(limit, context)
    after = SearchPosition(*decoded("search", page, (int, float, str))) if page else None
    with _explain_token_limit(), warehouse.connect() as connection:
        filters = {
            **date_filters(from_date, to_date),
            **record_filters(connection, rep, deal, company),
            **segment_filters(speaker, min_words),
        }
        search = Search(text, limit, min_similarity, filters, context, after, max_characters)
        return _hits(connection, search)


def _hits(connection: SnowflakeConnection, search: Search) -> SimilarSegments:
    model = _embedding_model(connection)
    rows = fetch(connection, *search_statement(model, search))
    as_of = data_as_of(connection)
    if not rows:
        note = None if search.after else _unsearchable_note(connection, model, search.filters)
        return SimilarSegments(data_as_of=as_of, note=note, segments=[])
    hits = rows[: search.limit]
    turns = _turns_around(connection, hits, search.context) if search.context else {}
    found = (SimilarSegment.from_row(row, **turns.get(row["TRANSCRIPT_ID"], {})) for row in hits)
    kept = fitting([_trimmed(each, search.max_characters) for each in found], search.max_characters)
    next_page = _next_page(kept, search.after) if len(kept) < len(rows) else None
    return SimilarSegments(data_as_of=as_of, next_page=next_page, segments=kept)


def _trimmed(hit: SimilarSegment, max_characters: int) -> SimilarSegment:
    """Leave out the outermost turns of the context of a hit that is larger than an answer."""
    while (hit.context_before or hit.context_after) and len(compact_json(hit)) > max_characters:
        context = {
            "context_before": (hit.context_before or [])[1:],
            "context_after": (hit.context_after or [])[:-1],
        }
        hit = hit.model_copy(update=context)
    return hit


def _next_page(kept: Sequence[SimilarSegment], after: SearchPosition | None) -> str | None:
    """Return the token of the hits after these, or None after the maximum number of hits."""
    seen = len(kept) + (after.seen if after else 0)
    last = kept[-1]
    return encoded("search", (seen, last.similarity, last.transcript_id)) if seen < MAX_ROWS else None


def _check_turns(limit: int, context: int) -> None:
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


def segment_filters(speaker: str | None, min_words: int) -> Filters:
    """Return the conditions on a segment itself; a speaker whom Gong does not know is a customer."""
    is_customer = None if speaker is None else speaker == "External"
    filters: Filters = {"IS_CUSTOMER = %s": (is_customer,), "WORD_COUNT >= %s": (min_words or None,)}
    return {condition: values for condition, values in filters.items() if values[0] is not None}


def search_statement(model: str, search: Search) -> Statement:
    """Return the SQL of a search for one hit more than its limit, and the bound values."""
    filters, after = search.filters, search.after
    days = {condition: values for condition, values in filters.items() if condition in DATES}
    before = bool(CALL_CONDITIONS & filters.keys())
    sql = _SEARCH.format(
        conditions=" AND ".join(filters) or "TRUE",
        candidates_before=_CANDIDATES.format(table="embedded") if before else "",
        days=" AND ".join(f"embedded.{condition}" for condition in days) or "TRUE",
        candidates_after="" if before else _CANDIDATES.format(table="compared"),
        position=_AFTER if after else "TRUE",
    )
    query = embedding_models()[model].query_prefix + search.text
    values = [model, query, *bound_values(filters), *bound_values(days), model]
    lowest = -1.0 if search.min_similarity is None else search.min_similarity
    if after is None:
        return sql, (*values, search.limit + 1, lowest)
    # A condition on the similarity before the limit would compute all similarities twice.
    nearest = min(after.seen, MAX_ROWS) + _PAGE_SLACK + search.limit + 1
    return sql, (*values, nearest, lowest, after.similarity, after.similarity, after.transcript_id)


def unsearchable_statement(model: str, filters: Filters) -> Statement:
    """Return the SQL that counts matching segments without a comparable embedding, and its bound values."""
    conditions = " AND ".join([f"NOT COALESCE({_IS_SEARCHABLE}, FALSE)", *filters])
    return _COUNT_UNSEARCHABLE.format(conditions=conditions), (model, *bound_values(filters))


def _embedding_model(connection: SnowflakeConnection) -> str:
    model = newest_embedding_model(connection)
    if model is None:
        raise NotFound("no segment has an embedding yet: materialize the graph first (`gong-assets sync`)")
    if model not in embedding_models():
        raise AgentError(f"embedding model {model!r} is not one of {', '.join(embedding_models())}")
    return model


def _unsearchable_note(connection: SnowflakeConnection, model: str, filters: Filters) -> str | None:
    """Explain an empty result: count matching segments without a comparable embedding."""
    count = fetch(connection, *unsearchable_statement(model, filters))[0]["SEGMENT_COUNT"]
    if not count:
        return None
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
