"""Answers to prompts: the stand-in for AI_COMPLETE and SNOWFLAKE.CORTEX.COMPLETE.

There is no language model here, and the answer says so: it is the sentences of the prompt that matter most.
"""

from __future__ import annotations

from gong_assets.local.cortex.errors import UnknownModelError
from gong_assets.local.cortex.summary import summarize_all

# Text models that a new account can call at the end of 2026, and older ones that existing accounts still name:
# https://docs.snowflake.com/en/user-guide/snowflake-cortex/aisql-regional-availability
MODELS = (
    "claude-haiku-4-5",
    "claude-sonnet-4-5",
    "claude-sonnet-5",
    "llama3.1-8b",
    "llama3.1-70b",
    "llama3.3-70b",
    "mistral-7b",
    "mistral-large2",
    "openai-gpt-4.1",
    "openai-gpt-5-mini",
)

DISCLAIMER = "[extract by a local stand-in, not a language model]"


def complete(model: str, prompt: str) -> str:
    """The central sentences of ``prompt`` after a line that says what they are; raises UnknownModelError."""
    if model.lower() not in MODELS:
        raise UnknownModelError("AI_COMPLETE", model, sorted(MODELS))
    return f"{DISCLAIMER} {summarize_all([prompt])}"
