"""The enrichments: which texts each sends, to which functions, and where its answers are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gong_assets.cortex import results, texts
from gong_assets.cortex.functions import Capability, Function, Functions
from gong_assets.cortex.texts import Scope


@dataclass(frozen=True)
class Enrichment:
    """One kind of text that is sent to Cortex.

    Attributes:
        name: value of the column ENRICHMENT.
        model: the dbt model that shows the answers.
        reads: the dbt models and other enrichments that its texts come from. At least one has partitions: a
            backfill requests the days of its parents.
        capabilities: what is sent with each text.
        batch_size: var with the number of texts in a batch of the first attempt.
        texts: SQL for the texts of a run, see `texts.py`.
        parts: SQL for what is sent of the texts that wait.
        results: SQL for the results of a batch, see `results.py`.
        result_columns: columns of a result in the answers.
        result_model: SQL for the model of a result.
    """

    name: str
    description: str
    model: str
    reads: tuple[str, ...]
    capabilities: tuple[Capability, ...]
    batch_size: str
    texts: Callable[[Scope], str]
    parts: Callable[[Scope], str]
    results: Callable[[Functions], str]
    result_columns: Callable[[Functions], tuple[str, ...]]
    result_model: Callable[[Functions], str]

    @property
    def asset_name(self) -> str:
        return f"gong_cortex_{self.name}"

    @property
    def queue(self) -> str:
        """The table of the texts that a run sends."""
        return f"GONG_CORTEX_QUEUE_{self.name.upper()}"

    def request(self, functions: Functions) -> str:
        return functions.request(self.capabilities)

    def probe(self, functions: Functions) -> str:
        """Return a query that sends a fixed sentence, as a batch would."""
        asked = results.asked(results.possible_questions()[-1])
        text = "Good morning, and thank you."
        return (
            f"WITH batch AS (SELECT 'probe' AS CALL_ID, 'probe' AS TEXT_HASH, 0 AS PART, "
            f"'{text}' AS SENT_TEXT, '{asked}' AS ASKED){self.results(functions)}"
        )


def _function_of(capability: Capability) -> Callable[[Functions], str]:
    return lambda functions: f"'{functions.of(capability).name.lower()}'"


REDACTIONS = Enrichment(
    "redactions",
    "Segments without personal data, for summaries, insights, views and search.",
    model="cortex_gong_redacted_transcripts",
    reads=("stg_gong_call_transcripts",),
    capabilities=("redaction",),
    batch_size="cortex_segments_per_batch",
    texts=texts.redaction_texts,
    parts=texts.redaction_parts,
    results=results.redaction_results,
    result_columns=lambda functions: ("ANSWER_TEXT",),
    result_model=_function_of("redaction"),
)
SEGMENTS = Enrichment(
    "segments",
    "Sentiment and embedding of segments.",
    model="cortex_gong_call_transcripts",
    reads=("stg_gong_call_transcripts",),
    capabilities=("sentiment", "embedding"),
    batch_size="cortex_segments_per_batch",
    texts=texts.segment_texts,
    parts=texts.segment_parts,
    results=results.segment_results,
    result_columns=lambda functions: ("SENTIMENT", results.embedding_column(functions)),
    result_model=lambda functions: (
        f"IFF(answered.{results.embedding_column(functions)} IS NULL, NULL, "
        f"'{functions.of('embedding').model}')"
    ),
)
SUMMARIES = Enrichment(
    "summaries",
    "Summaries of dialogues.",
    model="cortex_gong_calls",
    reads=("stg_gong_call_transcripts", "int_gong_dialogues", "int_gong_dialogue_lines"),
    capabilities=("summary",),
    batch_size="cortex_calls_per_batch",
    texts=texts.summary_texts,
    parts=texts.summary_parts,
    results=results.summary_results,
    result_columns=lambda functions: ("ANSWER_TEXT",),
    result_model=_function_of("summary"),
)
INSIGHTS = Enrichment(
    "insights",
    "Topics, next steps and risks of calls for which Gong gives no topics or no next steps.",
    model="cortex_gong_call_insights",
    reads=("stg_gong_calls", "int_gong_dialogues", "int_gong_dialogue_lines", "gong_cortex_summaries"),
    capabilities=("insights",),
    batch_size="cortex_calls_per_batch",
    texts=texts.insight_texts,
    parts=texts.insight_parts,
    results=results.insight_results,
    result_columns=lambda functions: ("ANSWER_LISTS",),
    result_model=_function_of("insights"),
)

# In the order in which they share the budget of a run.
ENRICHMENTS: Mapping[str, Enrichment] = {
    each.name: each for each in (REDACTIONS, SEGMENTS, SUMMARIES, INSIGHTS)
}


def enabled(*, redacts: bool) -> list[Enrichment]:
    """Return the enrichments of a graph. Texts are redacted only if transcripts are."""
    return [each for each in ENRICHMENTS.values() if redacts or each is not REDACTIONS]


def functions_in_use(functions: Functions, *, redacts: bool) -> list[Function]:
    """Return the functions that the enrichments call."""
    return [functions.of(capability) for each in enabled(redacts=redacts) for capability in each.capabilities]
