"""Which Cortex functions there are: their parameters, what answers them, and how they are counted.

Signatures are those of https://docs.snowflake.com/en/sql-reference/functions-cortex; the answers come from
``gong_assets.local.cortex``. How a call in a query gets here is in ``cortex_calls`` and ``cortex_udfs``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gong_assets.local.cortex import (
    completion,
    embedding,
    extraction,
    redaction,
    sentences,
    sentiment,
    summary,
    tokens,
)
from gong_assets.local.cortex.errors import CortexError

# https://docs.snowflake.com/en/user-guide/snowflake-cortex/aisql-regional-availability
AI_CLASSIFY_MAX_TOKENS = 128_000
# Tokens that Snowflake's hidden prompt adds to each call, from the examples on its AI_COUNT_TOKENS page.
_AI_SENTIMENT_PROMPT_TOKENS = 120
_AI_REDACT_PROMPT_TOKENS = 425

# Ends the names of functions that DuckDB may neither evaluate twice for a row nor once for all rows.
ROWS = "_rows"


@dataclass(frozen=True)
class CortexFunction:
    """One SQL function: its parameters, what answers it, and how it is counted."""

    name: str
    parameters: tuple[str, ...]
    answer: Callable[..., object]
    optional: frozenset[str] = field(default_factory=frozenset)
    # Parameters that hold an ARRAY or OBJECT; ``answer`` gets them parsed.
    structured: frozenset[str] = field(default_factory=frozenset)
    returns: str = "VARCHAR"
    returns_json: bool = False
    # An aggregate's first parameter is the list of the group's values.
    aggregate: bool = False
    # AI_SENTIMENT and others give NULL where the call fails; the rest fail the statement.
    # https://docs.snowflake.com/en/release-notes/bcr-bundles/2026_02/bcr-2184
    null_on_error: bool = False
    billed: bool = True
    prompt_tokens: int = 0
    writes_text: bool = False
    # AI_EXTRACT answers {response, error}.
    error_in_answer: bool = False
    # Takes `return_error_details => TRUE`, and then answers {value, error} for each row instead of failing.
    error_details: bool = False

    # Fails the statement unless the session parameter AI_SQL_ERROR_HANDLING_USE_FAIL_ON_ERROR is FALSE; then NULL.
    fails_by_parameter: bool = False

    def udf(self, *, details: bool, of_rows: bool) -> str:
        """The name of the DuckDB function that answers, with {value, error} or plainly, for each row or a constant."""
        return f"_cortex_{self.name.lower()}{'_details' * details}{ROWS * of_rows}"


def _sentiment_labels(text: str, categories: list[str] | None) -> object:
    return sentiment.sentiment_labels(text, categories or ())


def _count_tokens(_model_or_function: str, text: str) -> int:
    return tokens.count_tokens(text)


def _ai_count_tokens(name: str, model_or_text: str, text_or_options: str | None) -> int:
    if name.upper() not in {*FUNCTIONS, *EMBEDDING_FUNCTIONS} or not name.startswith("ai_"):
        raise CortexError(
            f"AI_COUNT_TOKENS knows functions by their names in lower case, as 'ai_embed', not '{name}'."
        )
    if name in ("ai_complete", "ai_embed"):
        if text_or_options is None:
            raise CortexError(f"AI_COUNT_TOKENS needs a model for '{name}'.")
        return tokens.count_tokens(text_or_options)
    function = FUNCTIONS[name.upper()]
    return function.prompt_tokens + sum(
        tokens.count_tokens(part) for part in (model_or_text, text_or_options) if part
    )


def _label_names(categories: list[str | dict[str, str]]) -> list[str]:
    names = [category if isinstance(category, str) else category["label"] for category in categories]
    if len(names) < 2:
        raise CortexError("AI_CLASSIFY needs at least two categories.")
    return names


def _ai_classify(
    text: str, categories: list[str | dict[str, str]], config: dict[str, object] | None
) -> object:
    if config and config.get("output_mode", "single") != "single":
        raise CortexError("AI_CLASSIFY: the local stand-in gives one label only (output_mode 'single').")
    tokens.refuse_over("AI_CLASSIFY", text, AI_CLASSIFY_MAX_TOKENS)
    return {"labels": embedding.classify([text], _label_names(categories))}


def _classify_text(text: str, categories: list[str | dict[str, str]]) -> object:
    return {"label": embedding.classify([text], _label_names(categories))[0]}


def _similarity(left: str, right: str) -> float:
    return float(embedding.similarity([left], [right])[0])


def _redact(text: str, categories: list[str] | None) -> str:
    return redaction.redact(text, categories or ())


def _split_text(
    text: str, text_format: str, chunk_size: str, overlap: str | None, separators: list[str] | None
) -> object:
    if text_format.lower() not in ("none", "markdown"):
        raise CortexError(
            f"SPLIT_TEXT_RECURSIVE_CHARACTER knows the formats 'none' and 'markdown', not {text_format}."
        )
    default = (
        sentences.MARKDOWN_SEPARATORS if text_format.lower() == "markdown" else sentences.DEFAULT_SEPARATORS
    )
    return sentences.split_recursively(text, int(chunk_size), int(overlap or 0), separators or default)


def _summarize_group(texts: list[str | None]) -> str:
    return summary.summarize_all(_readable("AI_SUMMARIZE_AGG", texts))


def _aggregate_group(texts: list[str | None], instruction: str) -> str:
    return summary.summarize_all(_readable("AI_AGG", texts), instruction)


def _readable(function: str, texts: list[str | None]) -> list[str]:
    said = [text for text in texts if text]
    for text in said:
        tokens.refuse_over(function, text, summary.AGGREGATE_MAX_TOKENS)
    return said


_CATEGORIES = frozenset({"categories"})

_ROW_FUNCTIONS = (
    CortexFunction("SENTIMENT", ("text",), sentiment.sentiment, returns="DOUBLE"),
    CortexFunction(
        "AI_SENTIMENT", ("text", "categories"), _sentiment_labels, optional=_CATEGORIES, structured=_CATEGORIES,
        returns_json=True, null_on_error=True, error_details=True, prompt_tokens=_AI_SENTIMENT_PROMPT_TOKENS,
    ),
    CortexFunction("SUMMARIZE", ("text",), summary.summarize, writes_text=True),
    CortexFunction(
        "AI_SUMMARIZE", ("text",), summary.ai_summarize, null_on_error=True, error_details=True, writes_text=True
    ),
    CortexFunction(
        "AI_SUMMARIZE_AGG", ("expr",), _summarize_group, structured=frozenset({"expr"}), aggregate=True,
        writes_text=True,
    ),
    CortexFunction(
        "AI_AGG", ("expr", "task_description"), _aggregate_group, structured=frozenset({"expr"}), aggregate=True,
        writes_text=True,
    ),
    CortexFunction(
        "AI_COMPLETE", ("model", "prompt"), completion.complete, null_on_error=True, error_details=True,
        writes_text=True,
    ),
    CortexFunction("COMPLETE", ("model", "prompt"), completion.complete, writes_text=True),
    CortexFunction("TRY_COMPLETE", ("model", "prompt"), completion.complete, null_on_error=True, writes_text=True),
    CortexFunction(
        "AI_EXTRACT", ("text", "responseformat"), extraction.extract, structured=frozenset({"responseformat"}),
        returns_json=True, error_in_answer=True, writes_text=True,
    ),
    CortexFunction("EXTRACT_ANSWER", ("text", "question"), extraction.extract_answer, returns_json=True),
    CortexFunction(
        "AI_CLASSIFY", ("input", "categories", "config"), _ai_classify, optional=frozenset({"config"}),
        structured=frozenset({"categories", "config"}), returns_json=True,
        null_on_error=True, error_details=True,
    ),
    CortexFunction("CLASSIFY_TEXT", ("input", "categories"), _classify_text, structured=_CATEGORIES, returns_json=True),
    CortexFunction("AI_SIMILARITY", ("input1", "input2"), _similarity, returns="DOUBLE"),
    CortexFunction(
        "AI_REDACT", ("input", "categories"), _redact, optional=_CATEGORIES, structured=_CATEGORIES,
        error_details=True, fails_by_parameter=True, prompt_tokens=_AI_REDACT_PROMPT_TOKENS, writes_text=True,
    ),
    CortexFunction("COUNT_TOKENS", ("model", "text"), _count_tokens, returns="BIGINT", billed=False),
    CortexFunction(
        "AI_COUNT_TOKENS", ("function_name", "model_name", "input_text"), _ai_count_tokens,
        optional=frozenset({"input_text"}), returns="BIGINT", null_on_error=True, error_details=True, billed=False,
    ),
    CortexFunction(
        "SPLIT_TEXT_RECURSIVE_CHARACTER", ("text", "format", "chunk_size", "overlap", "separators"), _split_text,
        optional=frozenset({"overlap", "separators"}), structured=frozenset({"separators"}), returns_json=True,
        billed=False,
    ),
)  # fmt: skip

FUNCTIONS = {function.name: function for function in _ROW_FUNCTIONS}

# Functions that answer with a vector, and the dimension that each promises (AI_EMBED's is its model's).
EMBEDDING_FUNCTIONS: dict[str, int | None] = {
    "AI_EMBED": None,
    "EMBED_TEXT_768": 768,
    "EMBED_TEXT_1024": 1024,
}
EMBEDDING_DIMENSIONS = (768, 1024)


def embedding_udf(dimension: int, *, of_rows: bool) -> str:
    """The name of the DuckDB function that answers with vectors of ``dimension``."""
    return f"_cortex_embed_{dimension}{ROWS * of_rows}"
