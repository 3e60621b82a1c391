"""The Cortex functions in both families, with their limits, and the SQL that calls them.

The functions, their limits and their errors:
https://docs.snowflake.com/en/sql-reference/functions-cortex
https://docs.snowflake.com/en/user-guide/snowflake-cortex/aisql-regional-availability
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gong_assets.warehouse.literals import literal

Capability = Literal["sentiment", "embedding", "summary", "insights", "redaction"]

# AI_REDACT adds this prompt to each text, and its token counter counts it.
REDACTION_PROMPT_TOKENS = 425

QUESTIONS: Mapping[str, str] = {
    "key_topics": "What are the main topics of this sales call, in a few words each?",
    "next_steps": "What are the next steps that the speakers agreed on or promised?",
    "risks": "What objections, concerns, competitors or other risks to the deal does the customer mention?",
}


@dataclass(frozen=True)
class Function:
    """A Cortex function, as a capability uses it.

    Attributes:
        name: as in a bill.
        model: as in a bill; empty if the function has no choice of models.
        max_tokens: input limit of a call, as its token counter counts. AI_REDACT reads 4,096 tokens and
            writes 1,024. Its limit is such that the output fits.
        overhead_tokens: billed with each text but not counted with it: questions and prompts. Snowflake does
            not document them for SENTIMENT and summaries, so those of AI_SENTIMENT (about 120) are used. The
            limit of SENTIMENT leaves room for them.
        output_tokens: estimated tokens of a result; 0 if only input is billed.
        calls: calls per text.
    """

    name: str
    max_tokens: int
    model: str = ""
    overhead_tokens: int = 0
    output_tokens: int = 0
    calls: int = 1

    @property
    def request(self) -> str:
        """What a result depends on. Both families have the same embedding models."""
        return self.model or self.name.lower()


@dataclass(frozen=True)
class Functions:
    """The functions that the dbt vars select.

    Attributes:
        variables: the vars of the dbt project, with those of the user.
    """

    variables: Mapping[str, Any]

    @property
    def is_legacy(self) -> bool:
        return bool(self.variables["cortex_family"] == "legacy")

    @property
    def embedding_model(self) -> Mapping[str, Any]:
        models: Mapping[str, Mapping[str, Any]] = self.variables["embedding_models"]
        return models[self.variables["embedding_model"]]

    @property
    def dimension(self) -> int:
        return int(self.embedding_model["dimension"])

    def of(self, capability: Capability) -> Function:
        """Return the function of a capability."""
        return getattr(self, f"_{capability}")  # type: ignore[no-any-return]

    def request(self, capabilities: Sequence[Capability]) -> str:
        """Return what the results of capabilities depend on. If it changes, texts are sent again.

        The macro `cortex_request` returns the same.
        """
        parts = [self.of(capability).request for capability in capabilities]
        return ", ".join([*parts, f"version {self.variables['enrichment_version']}"])

    @property
    def _sentiment(self) -> Function:
        if self.variables["cortex_sentiment_function"] == "ai_sentiment":
            return Function("AI_SENTIMENT", 2048, output_tokens=20)
        if self.is_legacy:
            return Function("SENTIMENT", 390, overhead_tokens=120)
        return Function("SENTIMENT", 510)  # Counted as AI_SENTIMENT, with its prompt.

    @property
    def _embedding(self) -> Function:
        name = f"EMBED_TEXT_{self.dimension}" if self.is_legacy else "AI_EMBED"
        limit = int(self.embedding_model["max_tokens"])
        return Function(name, limit, model=str(self.variables["embedding_model"]))

    @property
    def _summary(self) -> Function:
        if self.is_legacy:
            return Function("SUMMARIZE", 32_000, overhead_tokens=120, output_tokens=500)
        return Function("AI_SUMMARIZE_AGG", 128_000, overhead_tokens=120, output_tokens=500)

    @property
    def _insights(self) -> Function:
        if self.is_legacy:
            return Function(
                "EXTRACT_ANSWER", 1_900, overhead_tokens=140, output_tokens=60, calls=len(QUESTIONS)
            )
        return Function("AI_EXTRACT", 128_000, overhead_tokens=120, output_tokens=300)

    @property
    def _redaction(self) -> Function:
        return Function("AI_REDACT", 1_300)

    def output_tokens(self, capability: Capability, tokens: str) -> str:
        """Return SQL for the estimated tokens of a result. A redacted text is as long as its text."""
        if capability == "redaction":
            return f"GREATEST({tokens} - {REDACTION_PROMPT_TOKENS}, 0)"
        return str(self.of(capability).output_tokens)

    def tokens(self, capability: Capability, text: str) -> str:
        """Return SQL for the token count of a text, which is not billed; NULL if counting failed.

        Each family has its own counter, but the current one counts SENTIMENT as AI_SENTIMENT, including its
        prompt: Snowflake deprecates the legacy counter before SENTIMENT.
        """
        function = self.of(capability)
        if capability == "embedding":
            model, passage = literal(function.model), self.as_passage(text)
            if function.name == "AI_EMBED":
                return f"AI_COUNT_TOKENS('ai_embed', {model}, {passage})"
            return f"SNOWFLAKE.CORTEX.COUNT_TOKENS({model}, {passage})"
        if capability == "sentiment" and not self.is_legacy:
            return f"AI_COUNT_TOKENS('ai_sentiment', {text})"
        if function.name.startswith("AI_"):
            return f"AI_COUNT_TOKENS('{function.name.lower()}', {text})"
        return f"SNOWFLAKE.CORTEX.COUNT_TOKENS('{function.name.lower()}', {text})"

    def as_passage(self, text: str) -> str:
        """Return SQL for a text with the passage prefix of the model, for which AI_EMBED has no argument."""
        prefix = self.embedding_model.get("passage_prefix")
        return f"{literal(prefix)} || {text}" if prefix else text

    def embedding(self, text: str) -> str:
        """Return SQL for the embedding of a text."""
        function = self.of("embedding")
        name = function.name if function.name == "AI_EMBED" else f"SNOWFLAKE.CORTEX.{function.name}"
        return f"{name}({literal(function.model)}, {self.as_passage(text)})"

    def sentiment(self, text: str) -> str:
        """Return SQL for a number from SENTIMENT, or an object with labels from AI_SENTIMENT."""
        if self.of("sentiment").name == "SENTIMENT":
            return f"SNOWFLAKE.CORTEX.SENTIMENT({text})"
        return f"AI_SENTIMENT({text}, TRUE)"

    def sentiment_score(self, result: str) -> str:
        """Return SQL for the score of a `sentiment` result. An unknown label is a result without a score."""
        if self.of("sentiment").name == "SENTIMENT":
            return result
        return (
            f"DECODE({result}:value:categories[0]:sentiment::VARCHAR, "
            "'positive', 1, 'negative', -1, 'neutral', 0, 'mixed', 0)"
        )

    def sentiment_error(self, result: str) -> str:
        """Return SQL for the error of a `sentiment` result. SENTIMENT mostly fails its statement instead."""
        if self.of("sentiment").name == "SENTIMENT":
            return f"IFF({result} IS NULL, 'SENTIMENT returned no score', NULL)"
        return (
            f"IFF({result}:value:categories[0]:sentiment::VARCHAR IS NULL, "
            f"COALESCE({result}:error::VARCHAR, 'AI_SENTIMENT returned no label'), NULL)"
        )
