"""SQL for the texts of each enrichment, and for what is sent of them.

A text is known by its call and the hash of its content, so it is sent once wherever in the call it is said,
and however its call moves. All queries are limited to the days of a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gong_assets.cortex.functions import Capability, Functions
from gong_assets.cortex.results import asked, possible_questions
from gong_assets.cortex.tables import ANSWERS, ATTEMPTS
from gong_assets.dates import DateRange
from gong_assets.warehouse.literals import literal

SEGMENTS = "STG_GONG_CALL_TRANSCRIPTS"
CALLS = "STG_GONG_CALLS"
DIALOGUES = "INT_GONG_DIALOGUES"
DIALOGUE_LINES = "INT_GONG_DIALOGUE_LINES"


@dataclass(frozen=True)
class Scope:
    """Days and functions of a run.

    Attributes:
        days: the days of the run; None for all days.
        redacts: whether only redacted text may be sent for summaries and insights.
    """

    functions: Functions
    days: Sequence[DateRange] | None
    redacts: bool = False

    @property
    def max_attempts(self) -> int:
        return int(self.functions.variables["cortex_max_attempts"])

    @property
    def min_words(self) -> int:
        return int(self.functions.variables["cortex_min_words"])

    def in_days(self, column: str) -> str:
        """Return the condition for rows of the days, with constants, so that Snowflake prunes by them."""
        if self.days is None:
            return "TRUE"
        ranges = [f"{column} >= '{days.start}'::DATE AND {column} < '{days.end}'::DATE" for days in self.days]
        return f"({' OR '.join(ranges)})" if ranges else "FALSE"


def segment_texts(scope: Scope) -> str:
    """Return SQL for the segments with enough words: CALL_ID, CALL_DATE, TEXT_HASH and CAN_BE_SENT."""
    return f"{_distinct_segments(scope)} AND WORD_COUNT >= {scope.min_words}"


def redaction_texts(scope: Scope) -> str:
    """Return SQL for all segments, as `segment_texts`."""
    return _distinct_segments(scope)


def _distinct_segments(scope: Scope) -> str:
    return (
        "SELECT DISTINCT CALL_ID, CALL_DATE, CONTENT_HASH AS TEXT_HASH, TRUE AS CAN_BE_SENT\n"
        f"    FROM {SEGMENTS}\n    WHERE {scope.in_days('CALL_DATE')}"
    )


def summary_texts(scope: Scope) -> str:
    """Return SQL for the dialogues, as `segment_texts`."""
    return (
        "SELECT CALL_ID, CALL_DATE, TRANSCRIPT_HASH AS TEXT_HASH, TRUE AS CAN_BE_SENT\n"
        f"    FROM {DIALOGUES}\n    WHERE {scope.in_days('CALL_DATE')}"
    )


def insight_texts(scope: Scope) -> str:
    """Return SQL for the dialogues of calls without Gong topics or next steps, as `segment_texts`.

    A dialogue can be sent if a shorter text is known that answers for it, or if there will be none.
    """
    return (
        "SELECT CALL_ID, CALL_DATE, TEXT_HASH, "
        "SHORT_TEXT IS NOT NULL OR SUMMARY_HAS_FAILED AS CAN_BE_SENT\n"
        f"    FROM (\n{_insight_sources(scope)}\n    ) AS sources"
    )


def _insight_sources(scope: Scope) -> str:
    """Return SQL for a row for each dialogue: what is asked, and the shortest text that can answer.

    That is Gong's brief, else the summary from Cortex. A brief is not redacted.
    """
    given = "NULL::VARCHAR" if scope.redacts else "calls.CALL_BRIEF"
    request = literal(scope.functions.request(["summary"]))
    topics, steps, both = (literal(asked(questions)) for questions in possible_questions())
    return f"""SELECT
        dialogues.CALL_ID,
        dialogues.CALL_DATE,
        dialogues.TRANSCRIPT_HASH AS TEXT_HASH,
        CASE
            WHEN calls.KEY_TOPICS IS NULL AND calls.NEXT_STEPS IS NULL THEN {both}
            WHEN calls.KEY_TOPICS IS NULL THEN {topics}
            ELSE {steps}
        END AS ASKED,
        COALESCE({given}, summaries.ANSWER_TEXT) AS SHORT_TEXT,
        COALESCE(failures.ATTEMPTS >= {scope.max_attempts}, FALSE) AS SUMMARY_HAS_FAILED
    FROM {DIALOGUES} AS dialogues
    INNER JOIN {CALLS} AS calls ON dialogues.CALL_ID = calls.CALL_ID AND {scope.in_days("calls.CALL_DATE")}
    LEFT JOIN (
        SELECT CALL_ID, TEXT_HASH, ANSWER_TEXT
        FROM {ANSWERS}
        WHERE ENRICHMENT = 'summaries' AND {scope.in_days("CALL_DATE")} AND ANSWER_TEXT IS NOT NULL
        QUALIFY ROW_NUMBER() OVER (PARTITION BY CALL_ID, TEXT_HASH ORDER BY ANSWERED_AT DESC) = 1
    ) AS summaries
        ON dialogues.CALL_ID = summaries.CALL_ID AND dialogues.TRANSCRIPT_HASH = summaries.TEXT_HASH
    LEFT JOIN (
        SELECT CALL_ID, TEXT_HASH, MAX(ATTEMPT) AS ATTEMPTS
        FROM {ATTEMPTS}
        WHERE ENRICHMENT = 'summaries' AND CORTEX_REQUEST = {request} AND {scope.in_days("CALL_DATE")}
        GROUP BY CALL_ID, TEXT_HASH
    ) AS failures
        ON dialogues.CALL_ID = failures.CALL_ID AND dialogues.TRANSCRIPT_HASH = failures.TEXT_HASH
    WHERE
        {scope.in_days("dialogues.CALL_DATE")}
        AND (calls.KEY_TOPICS IS NULL OR calls.NEXT_STEPS IS NULL)"""


# The queries below read the CTE `waiting`, with CALL_ID and TEXT_HASH of the texts to send, and return a row
# for each part: CALL_ID, TEXT_HASH, PART, SENT_TEXT, ASKED, and the tokens of each capability. The tokens are
# NULL if counting failed. Such a text is not sent: nobody knows how much of it fits.


def segment_parts(scope: Scope) -> str:
    """Return SQL for what is sent of segments: the longest prefix that fits both functions.

    In any script, a character has at most 4 tokens.
    """
    functions = scope.functions
    capabilities: tuple[Capability, ...] = ("sentiment", "embedding")
    fits = " AND ".join(f"{name}_TOKENS <= {functions.of(name).max_tokens}" for name in capabilities)
    unknown = " OR ".join(f"{name}_TOKENS IS NULL" for name in capabilities)
    counts = ", ".join(f"{functions.tokens(name, 'SENT_TEXT')} AS {name}_TOKENS" for name in capabilities)
    parts = _waiting_segments(scope)
    for characters in (1500, 480, 110):
        parts = (
            f"SELECT CALL_ID, TEXT_HASH, CASE WHEN {unknown} THEN NULL WHEN {fits} THEN SENT_TEXT "
            f"ELSE LEFT(SENT_TEXT, {characters}) END AS SENT_TEXT\n"
            f"    FROM (SELECT *, {counts} FROM ({parts}\n    ) AS texts) AS counted_{characters}"
        )
    return (
        "SELECT CALL_ID, TEXT_HASH, 0 AS PART, SENT_TEXT, NULL::VARCHAR AS ASKED, "
        f"{counts}\n    FROM ({parts}\n    ) AS cut"
    )


def _waiting_segments(scope: Scope) -> str:
    return f"""
        SELECT waiting.CALL_ID, waiting.TEXT_HASH, MIN(staged.TRANSCRIPT_TEXT) AS SENT_TEXT
        FROM waiting
        INNER JOIN {SEGMENTS} AS staged
            ON waiting.CALL_ID = staged.CALL_ID AND waiting.TEXT_HASH = staged.CONTENT_HASH
        WHERE {scope.in_days("staged.CALL_DATE")}
        GROUP BY waiting.CALL_ID, waiting.TEXT_HASH"""


def redaction_parts(scope: Scope) -> str:
    """Return SQL for the pieces of segments, of at most 240 characters (960 tokens) if a text is too long."""
    functions = scope.functions
    limit = functions.of("redaction").max_tokens
    counted = (
        f"SELECT *, {functions.tokens('redaction', 'SENT_TEXT')} AS TOKENS "
        f"FROM ({_waiting_segments(scope)}\n    ) AS texts"
    )
    tokens = functions.tokens("redaction", "PIECES.VALUE::VARCHAR")
    return f"""SELECT
        CALL_ID, TEXT_HASH, 0 AS PART, SENT_TEXT, NULL::VARCHAR AS ASKED, TOKENS AS REDACTION_TOKENS
    FROM ({counted}) AS whole
    WHERE TOKENS IS NULL OR TOKENS <= {limit}
    UNION ALL
    SELECT
        CALL_ID, TEXT_HASH, PIECES.INDEX AS PART, PIECES.VALUE::VARCHAR AS SENT_TEXT, NULL::VARCHAR AS ASKED,
        {tokens} AS REDACTION_TOKENS
    FROM ({counted}) AS long,
        LATERAL FLATTEN(
            INPUT => SNOWFLAKE.CORTEX.SPLIT_TEXT_RECURSIVE_CHARACTER(long.SENT_TEXT, 'none', 240)
        ) AS PIECES
    WHERE TOKENS > {limit}"""


def summary_parts(scope: Scope) -> str:
    """Return SQL for dialogues, in as few parts as the function allows."""
    lines = f"""SELECT waiting.CALL_ID, waiting.TEXT_HASH, lines.LINE_NUMBER, lines.LINE
            FROM waiting
            INNER JOIN {DIALOGUE_LINES} AS lines ON waiting.CALL_ID = lines.CALL_ID
            WHERE {scope.in_days("lines.CALL_DATE")}"""
    return _split(scope, "summary", lines, "NULL::VARCHAR")


def insight_parts(scope: Scope) -> str:
    """Return SQL for the shortest text of each dialogue that can answer, and what is asked of it."""
    sources = (
        f"SELECT sources.* FROM (\n{_insight_sources(scope)}\n    ) AS sources\n"
        "    INNER JOIN waiting\n"
        "        ON sources.CALL_ID = waiting.CALL_ID AND sources.TEXT_HASH = waiting.TEXT_HASH"
    )
    lines = f"""SELECT CALL_ID, TEXT_HASH, ASKED, 1 AS LINE_NUMBER, SHORT_TEXT AS LINE
            FROM ({sources}) AS short
            WHERE SHORT_TEXT IS NOT NULL
            UNION ALL
            SELECT long.CALL_ID, long.TEXT_HASH, long.ASKED, lines.LINE_NUMBER, lines.LINE
            FROM ({sources}) AS long
            INNER JOIN {DIALOGUE_LINES} AS lines ON long.CALL_ID = lines.CALL_ID
            WHERE long.SHORT_TEXT IS NULL AND {scope.in_days("lines.CALL_DATE")}"""
    return _split(scope, "insights", lines, "MAX(ASKED)")


def _split(scope: Scope, capability: Capability, lines: str, asked_of: str) -> str:
    """Return SQL that joins ordered lines into as few parts as the limit of a capability allows.

    A tenth of the limit is reserved for tokens that arise where two lines meet. A part ends with the line
    that fills it, for which room is reserved as well. A longer line, which is possible with EXTRACT_ANSWER,
    is truncated. Lines are counted only if the text may be too long for one part.
    """
    functions = scope.functions
    max_tokens = int(functions.of(capability).max_tokens * 0.9)
    line_room = min(max_tokens // 2, 20_000)
    part_room = max_tokens - line_room
    placed = f"LEAST(COALESCE(TOKENS, 0), {line_room})"
    cut = _cut_lines(functions.tokens(capability, "LINE || '\\n'"), lines, line_room, part_room)
    count = functions.tokens(capability, "SENT_TEXT")
    return f"""SELECT *, {count} AS {capability}_TOKENS
    FROM (
        SELECT
            CALL_ID,
            TEXT_HASH,
            PART,
            IFF(COUNT(TOKENS) = COUNT(*), LISTAGG(LINE, '\\n') WITHIN GROUP (ORDER BY LINE_NUMBER), NULL)
                AS SENT_TEXT,
            {asked_of} AS ASKED
        FROM (
            SELECT
                *,
                FLOOR((SUM({placed}) OVER (
                    PARTITION BY CALL_ID, TEXT_HASH ORDER BY LINE_NUMBER
                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                ) - {placed}) / {part_room}) AS PART
            FROM ({cut}) AS cut_lines
        ) AS placed_lines
        GROUP BY CALL_ID, TEXT_HASH, PART
    ) AS parts"""


def _cut_lines(tokens: str, lines: str, line_room: int, part_room: int) -> str:
    """Return SQL that adds TOKENS to the lines, and cuts lines that are longer than the room for one."""
    return f"""
                SELECT
                    * EXCLUDE (LINE),
                    IFF(TOKENS > {line_room}, LEFT(LINE, {line_room // 4}), LINE) AS LINE
                FROM (
                    SELECT *, IFF(CHARACTERS <= {part_room // 4}, 0, {tokens}) AS TOKENS
                    FROM (
                        SELECT *, SUM(LENGTH(LINE) + 1) OVER (PARTITION BY CALL_ID, TEXT_HASH) AS CHARACTERS
                        FROM (
            {lines}
                        ) AS lines
                    ) AS measured_lines
                ) AS counted_lines"""
