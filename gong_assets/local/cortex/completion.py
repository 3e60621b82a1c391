"""Answers to prompts: the stand-in for AI_COMPLETE and SNOWFLAKE.CORTEX.COMPLETE.

There is no language model here, and the answer says so: it is the sentences of the prompt that matter most.
"""

from __future__ import annotations

from gong_assets.local.cortex.errors import UnknownModelError
from gong_assets.local.cortex.summary import summarize_all
from gong_assets.local.cortex.tokens import refuse_over

# Text models that a new account can call at the end of 2026, and older ones that existing accounts still name,
# with the tokens that each reads:
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
    """The central sentences of ``prompt`` after a line that says what they are; raises UnknownModelError and TooLongError."""
    if model.lower() not in MODELS:
        raise UnknownModelError("AI_COMPLETE", model, sorted(MODELS))
    refuse_over("AI_COMPLETE", prompt, MODELS[model.lower()])
    return f"{DISCLAIMER} {summarize_all([prompt])}"
