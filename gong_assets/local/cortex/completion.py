"""Stand-in for AI_COMPLETE and SNOWFLAKE.CORTEX.COMPLETE.

No language model is involved: the answer consists of the most central sentences of the prompt, after a
disclaimer.
"""

from __future__ import annotations

from gong_assets.local.cortex.errors import UnknownModelError
from gong_assets.local.cortex.summary import summarize_all
from gong_assets.local.cortex.tokens import check_token_limit

# Context windows in tokens, of the text models available to new accounts at the end of 2026 and of older
# models that existing accounts still use:
# https://docs.snowflake.com/en/user-guide/snowflake-cortex/aisql-regional-availability
MODELS = {
    "claude-haiku-4-5": 200_000,
    "claude-sonnet-4-5": 200_000,
    "claude-sonnet-5": 1_000_000,
    "llama3.1-8b": 128_000,
    "llama3.1-70b": 128_000,
    "llama3.3-70b": 128_000,
    "mistral-7b": 32_000,
    "mistral-large2": 128_000,
    "openai-gpt-4.1": 128_000,
    "openai-gpt-5-mini": 272_000,
}

DISCLAIMER = "[extract by a local stand-in, not a language model]"


def complete(model: str, prompt: str) -> str:
    """Return a disclaimer and the central sentences of ``prompt``.

    Raises UnknownModelError and TooLongError.
    """
    if model.lower() not in MODELS:
        raise UnknownModelError("AI_COMPLETE", model, sorted(MODELS))
    check_token_limit("AI_COMPLETE", prompt, MODELS[model.lower()])
    return f"{DISCLAIMER} {summarize_all([prompt])}"
