"""Which Cortex functions there are: their parameters, what answers them, and how they are counted.

Signatures are those of https://docs.snowflake.com/en/sql-reference/functions-cortex; the answers come from
``gong_assets.local.cortex``. How a call in a query gets here is in ``cortex_calls`` and ``cortex_udfs``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gong_assets.local.cortex import completion, embedding, redaction, sentences, sentiment, summary, tokens
from gong_assets.local.cortex.errors import CortexError

# Tokens that Snowflake's hidden prompt adds to each call, from the examples on its AI_COUNT_TOKENS page.
_AI_SENTIMENT_PROMPT_TOKENS = 120
_AI_REDACT_PROMPT_TOKENS = 425


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

    @property
    def udf(self) -> str:
        """The name of the DuckDB function that answers."""
        return f"_cortex_{self.name.lower()}"


def _sentiment_labels(text: str, categories: list[str] | None) -> object:
    return sentiment.sentiment_labels(text, categories or ())


def _count_tokens(_model_or_function: str, text: str) -> int:
    return tokens.count_tokens(text)


def _ai_count_tokens(_function: str, model_or_text: str, text: str | None) -> int:
    return tokens.count_tokens(model_or_text if text is None else text)


def _label_names(categories: list[str | dict[str, str]]) -> list[str]:
    names = [category if isinstance(category, str) else category["label"] for category in categories]
    if len(names) < 2:
        raise CortexError("AI_CLASSIFY needs at least two categories.")
    return names


def _ai_classify(text: str, categories: list[str | dict[str, str]]) -> object:
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
    return summary.summarize_all([text for text in texts if text])


def _aggregate_group(texts: list[str | None], instruction: str) -> str:
    return summary.summarize_all([text for text in texts if text], instruction)


_CATEGORIES = frozenset({"categories"})

_ROW_FUNCTIONS = (
    CortexFunction("SENTIMENT", ("text",), sentiment.sentiment, returns="DOUBLE"),
    CortexFunction(
        "AI_SENTIMENT", ("text", "categories"), _sentiment_labels, optional=_CATEGORIES, structured=_CATEGORIES,
        returns_json=True, null_on_error=True, prompt_tokens=_AI_SENTIMENT_PROMPT_TOKENS,
    ),
    CortexFunction("SUMMARIZE", ("text",), summary.summarize, writes_text=True),
    CortexFunction("AI_SUMMARIZE", ("text",), summary.ai_summarize, writes_text=True),
    CortexFunction(
        "AI_SUMMARIZE_AGG", ("expr",), _summarize_group, structured=frozenset({"expr"}), aggregate=True,
        writes_text=True,
    ),
    CortexFunction(
        "AI_AGG", ("expr", "task_description"), _aggregate_group, structured=frozenset({"expr"}), aggregate=True,
        writes_text=True,
    ),
    CortexFunction("AI_COMPLETE", ("model", "prompt"), completion.complete, null_on_error=True, writes_text=True),
    CortexFunction("COMPLETE", ("model", "prompt"), completion.complete, writes_text=True),
    CortexFunction(
        "AI_CLASSIFY", ("input", "categories"), _ai_classify, structured=_CATEGORIES, returns_json=True,
        null_on_error=True,
    ),
    CortexFunction("CLASSIFY_TEXT", ("input", "categories"), _classify_text, structured=_CATEGORIES, returns_json=True),
    CortexFunction("AI_SIMILARITY", ("input1", "input2"), _similarity, returns="DOUBLE"),
    CortexFunction(
        "AI_REDACT", ("input", "categories"), _redact, optional=_CATEGORIES, structured=_CATEGORIES,
        prompt_tokens=_AI_REDACT_PROMPT_TOKENS, writes_text=True,
    ),
    CortexFunction("COUNT_TOKENS", ("model", "text"), _count_tokens, returns="BIGINT", billed=False),
    CortexFunction(
        "AI_COUNT_TOKENS", ("function_name", "model_name", "input_text"), _ai_count_tokens,
        optional=frozenset({"input_text"}), returns="BIGINT", null_on_error=True, billed=False,
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


def embedding_udf(dimension: int) -> str:
    """The name of the DuckDB function that answers with vectors of ``dimension``."""
    return f"_cortex_embed_{dimension}"
