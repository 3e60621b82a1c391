"""Catalog of the supported Cortex functions: signatures, implementations, error behavior and billing.

Signatures follow https://docs.snowflake.com/en/sql-reference/functions-cortex. The implementations are in
``gong_assets.local.cortex``.
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
# Tokens that Snowflake's hidden prompt adds to each call, from the examples in its AI_COUNT_TOKENS
# documentation.
_AI_SENTIMENT_PROMPT_TOKENS = 120
_AI_REDACT_PROMPT_TOKENS = 425

# Prefix of the names of all DuckDB functions for those of Cortex.
CORTEX_PREFIX = "_cortex_"
# Suffix of the function variants that DuckDB evaluates exactly once per row.
PER_ROW_SUFFIX = "_rows"


@dataclass(frozen=True)
class CortexFunction:
    """A Cortex function: its SQL signature, its implementation, how it fails, and how it is billed."""

    name: str
    parameters: tuple[str, ...]
    implementation: Callable[..., object]
    optional: frozenset[str] = field(default_factory=frozenset)
    # Parameters of type ARRAY or OBJECT, which are parsed for the implementation.
    structured: frozenset[str] = field(default_factory=frozenset)
    returns: str = "VARCHAR"
    returns_json: bool = False
    # The first parameter of an aggregate is the list of the values of a group.
    aggregate: bool = False
    # A failed call returns NULL, as for AI_SENTIMENT, instead of failing the statement.
    # https://docs.snowflake.com/en/release-notes/bcr-bundles/2026_02/bcr-2184
    null_on_error: bool = False
    billed: bool = True
    prompt_tokens: int = 0
    generates_text: bool = False
    # The result is {response, error}, as for AI_EXTRACT.
    error_in_result: bool = False
    # Accepts `return_error_details => TRUE`, which returns {value, error} for each row.
    has_error_details: bool = False
    # A failed call returns NULL if the session parameter AI_SQL_ERROR_HANDLING_USE_FAIL_ON_ERROR is FALSE.
    uses_fail_on_error: bool = False

    def udf_name(self, *, with_details: bool, per_row: bool) -> str:
        """Return the name of the DuckDB function for a variant of this function."""
        return f"{CORTEX_PREFIX}{self.name.lower()}{'_details' * with_details}{PER_ROW_SUFFIX * per_row}"


def _sentiment_labels(text: str, categories: list[str] | None) -> object:
    return sentiment.sentiment_labels(text, categories or ())


def _count_tokens(_model_or_function: str, text: str) -> int:
    return tokens.count_tokens(text)


def _ai_count_tokens(name: str, model_or_text: str, text_or_options: str | None) -> int:
    if name.upper() not in {*FUNCTIONS, *EMBEDDING_FUNCTIONS} or not name.startswith("ai_"):
        raise CortexError(
            f"AI_COUNT_TOKENS takes function names in lower case, such as 'ai_embed', not '{name}'."
        )
    if name in ("ai_complete", "ai_embed"):
        if text_or_options is None:
            raise CortexError(f"AI_COUNT_TOKENS requires a model for '{name}'.")
        return tokens.count_tokens(text_or_options)
    function = FUNCTIONS[name.upper()]
    return function.prompt_tokens + sum(
        tokens.count_tokens(part) for part in (model_or_text, text_or_options) if part
    )


def _label_names(categories: list[str | dict[str, str]]) -> list[str]:
    names = [category if isinstance(category, str) else category["label"] for category in categories]
    if len(names) < 2:
        raise CortexError("AI_CLASSIFY requires at least two categories.")
    return names


def _ai_classify(
    text: str, categories: list[str | dict[str, str]], config: dict[str, object] | None
) -> object:
    if config and config.get("output_mode", "single") != "single":
        raise CortexError("AI_CLASSIFY: the local stand-in supports output_mode 'single' only.")
    tokens.check_token_limit("AI_CLASSIFY", text, AI_CLASSIFY_MAX_TOKENS)
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
            f"SPLIT_TEXT_RECURSIVE_CHARACTER supports the formats 'none' and 'markdown', not '{text_format}'."
        )
    default = (
        sentences.MARKDOWN_SEPARATORS if text_format.lower() == "markdown" else sentences.DEFAULT_SEPARATORS
    )
    return sentences.split_recursively(text, int(chunk_size), int(overlap or 0), separators or default)


def _summarize_group(texts: list[str | None]) -> str:
    return summary.summarize_all(_check_group("AI_SUMMARIZE_AGG", texts))


def _aggregate_group(texts: list[str | None], instruction: str) -> str:
    return summary.summarize_all(_check_group("AI_AGG", texts), instruction)


def _check_group(function: str, texts: list[str | None]) -> list[str]:
    """Return the texts without NULLs and empty ones; raises TooLongError if one exceeds the token limit."""
    present = [text for text in texts if text]
    for text in present:
        tokens.check_token_limit(function, text, summary.AGGREGATE_MAX_TOKENS)
    return present


_CATEGORIES = frozenset({"categories"})

_CATALOG = (
    CortexFunction("SENTIMENT", ("text",), sentiment.sentiment, returns="DOUBLE"),
    CortexFunction(
        "AI_SENTIMENT", ("text", "categories"), _sentiment_labels, optional=_CATEGORIES,
        structured=_CATEGORIES, returns_json=True, null_on_error=True, has_error_details=True,
        prompt_tokens=_AI_SENTIMENT_PROMPT_TOKENS,
    ),
    CortexFunction("SUMMARIZE", ("text",), summary.summarize, generates_text=True),
    CortexFunction(
        "AI_SUMMARIZE", ("text",), summary.ai_summarize, null_on_error=True, has_error_details=True,
        generates_text=True,
    ),
    CortexFunction(
        "AI_SUMMARIZE_AGG", ("expr",), _summarize_group, structured=frozenset({"expr"}), aggregate=True,
        generates_text=True,
    ),
    CortexFunction(
        "AI_AGG", ("expr", "task_description"), _aggregate_group, structured=frozenset({"expr"}),
        aggregate=True, generates_text=True,
    ),
    CortexFunction(
        "AI_COMPLETE", ("model", "prompt"), completion.complete, null_on_error=True, has_error_details=True,
        generates_text=True,
    ),
    CortexFunction("COMPLETE", ("model", "prompt"), completion.complete, generates_text=True),
    CortexFunction(
        "TRY_COMPLETE", ("model", "prompt"), completion.complete, null_on_error=True, generates_text=True
    ),
    CortexFunction(
        "AI_EXTRACT", ("text", "responseformat"), extraction.extract,
        structured=frozenset({"responseformat"}), returns_json=True, error_in_result=True,
        generates_text=True,
    ),
    CortexFunction("EXTRACT_ANSWER", ("text", "question"), extraction.extract_answer, returns_json=True),
    CortexFunction(
        "AI_CLASSIFY", ("input", "categories", "config"), _ai_classify, optional=frozenset({"config"}),
        structured=frozenset({"categories", "config"}), returns_json=True, null_on_error=True,
        has_error_details=True,
    ),
    CortexFunction(
        "CLASSIFY_TEXT", ("input", "categories"), _classify_text, structured=_CATEGORIES, returns_json=True
    ),
    CortexFunction("AI_SIMILARITY", ("input1", "input2"), _similarity, returns="DOUBLE"),
    CortexFunction(
        "AI_REDACT", ("input", "categories"), _redact, optional=_CATEGORIES, structured=_CATEGORIES,
        has_error_details=True, uses_fail_on_error=True, prompt_tokens=_AI_REDACT_PROMPT_TOKENS,
        generates_text=True,
    ),
    CortexFunction("COUNT_TOKENS", ("model", "text"), _count_tokens, returns="BIGINT", billed=False),
    CortexFunction(
        "AI_COUNT_TOKENS", ("function_name", "model_name", "input_text"), _ai_count_tokens,
        optional=frozenset({"input_text"}), returns="BIGINT", null_on_error=True, has_error_details=True,
        billed=False,
    ),
    CortexFunction(
        "SPLIT_TEXT_RECURSIVE_CHARACTER", ("text", "format", "chunk_size", "overlap", "separators"),
        _split_text, optional=frozenset({"overlap", "separators"}), structured=frozenset({"separators"}),
        returns_json=True, billed=False,
    ),
)  # fmt: skip

FUNCTIONS = {function.name: function for function in _CATALOG}

# Functions that return a vector, with the dimension that each requires of its model (None for any).
EMBEDDING_FUNCTIONS: dict[str, int | None] = {
    "AI_EMBED": None,
    "EMBED_TEXT_768": 768,
    "EMBED_TEXT_1024": 1024,
}
EMBEDDING_DIMENSIONS = (768, 1024)


def embedding_udf_name(dimension: int, *, per_row: bool) -> str:
    """Return the name of the DuckDB function that returns vectors of ``dimension``."""
    return f"{CORTEX_PREFIX}embed_{dimension}{PER_ROW_SUFFIX * per_row}"
