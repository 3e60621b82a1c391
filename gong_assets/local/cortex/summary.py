"""Extractive summaries: the stand-in for SUMMARIZE, AI_SUMMARIZE, AI_SUMMARIZE_AGG and AI_AGG.

TextRank selects the most central sentences, maximal marginal relevance avoids repetition, and the result
keeps the order of the text. Unlike Cortex's summaries it contains only sentences of the text, and it is
deterministic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from gong_assets.local.cortex.sentences import SPEAKER_LABEL, sentences, terms
from gong_assets.local.cortex.tokens import check_token_limit

# https://docs.snowflake.com/en/user-guide/snowflake-cortex/aisql-regional-availability
SUMMARIZE_MAX_TOKENS = 32_000
# Of each row; a group has no limit.
AGGREGATE_MAX_TOKENS = 128_000
# The smallest of its context windows, which differ by region:
# https://docs.snowflake.com/en/sql-reference/functions/ai_summarize
AI_SUMMARIZE_MAX_TOKENS = 128_000
# AI_SUMMARIZE returns texts of up to this length unchanged:
# https://docs.snowflake.com/en/sql-reference/functions/ai_summarize
SHORT_TEXT_CHARACTERS = 110
# About the length of Cortex's summary of a call.
SUMMARY_WORDS = 120
# Shorter sentences ("Sounds good to me.") are not informative.
MIN_SENTENCE_WORDS = 6
# The similarity matrix grows quadratically, so longer texts are summarized in parts, and then the parts
# together.
MAX_SENTENCES = 600
# Weight of novelty relative to centrality.
NOVELTY_WEIGHT = 0.4
# Weight of the words of an instruction relative to centrality: the requested fact may occur only once.
INSTRUCTION_WEIGHT = 2.0
# The usual damping factor of PageRank.
DAMPING = 0.85

Floats = npt.NDArray[np.float64]


def summarize(text: str) -> str:
    """Return a summary of about 120 words; raises TooLongError over 32,000 tokens."""
    check_token_limit("SUMMARIZE", text, SUMMARIZE_MAX_TOKENS)
    return _summary(sentences(text)) or text


def ai_summarize(text: str) -> str:
    """Return a summary, or the text itself if it has at most 110 characters or is shorter than its summary.

    Raises TooLongError over 128,000 tokens.
    """
    check_token_limit("AI_SUMMARIZE", text, AI_SUMMARIZE_MAX_TOKENS)
    if len(text) <= SHORT_TEXT_CHARACTERS:
        return text
    return min(_summary(sentences(text)) or text, text, key=len)


def summarize_all(texts: Sequence[str], instruction: str = "") -> str:
    """Return one summary of many texts that favors sentences with the words of ``instruction``.

    There is no length limit, as for AI_SUMMARIZE_AGG and AI_AGG. The summary of an empty group is an empty
    string.
    """
    all_sentences = [sentence for text in texts for sentence in sentences(text)]
    return _summary(all_sentences, instruction) or " ".join(all_sentences)


def _summary(all_sentences: list[str], instruction: str = "") -> str:
    candidates = _distinct(SPEAKER_LABEL.sub("", sentence) for sentence in all_sentences)
    while len(candidates) > MAX_SENTENCES:
        parts = (candidates[i : i + MAX_SENTENCES] for i in range(0, len(candidates), MAX_SENTENCES))
        candidates = [
            sentence for part in parts for sentence in _central(part, instruction, MAX_SENTENCES // 4)
        ]
    return " ".join(_central(candidates, instruction, len(candidates), SUMMARY_WORDS))


def _distinct(candidates: Iterable[str]) -> list[str]:
    """Return informative sentences without duplicates, ignoring case."""
    kept: dict[str, str] = {}
    for sentence in candidates:
        if len(sentence.split()) >= MIN_SENTENCE_WORDS:
            kept.setdefault(sentence.casefold(), sentence)
    return list(kept.values())


def _central(candidates: list[str], instruction: str, count: int, words: int | None = None) -> list[str]:
    """Return the most central sentences in order, up to ``count`` sentences and about ``words`` words."""
    if not candidates:
        return []
    vectors, instruction_vector = _tf_idf(candidates, instruction)
    similarity = vectors @ vectors.T
    scores = text_rank(similarity)
    if instruction_vector is not None:
        scores = scores / scores.max() + INSTRUCTION_WEIGHT * (vectors @ instruction_vector)
    scores = scores / scores.max()
    chosen: list[int] = []
    length = 0
    overlap = np.zeros(len(candidates))
    available = np.ones(len(candidates), dtype=bool)
    while available.any() and len(chosen) < count:
        value = np.where(available, (1 - NOVELTY_WEIGHT) * scores - NOVELTY_WEIGHT * overlap, -np.inf)
        best = int(value.argmax())
        size = len(candidates[best].split())
        available[best] = False
        if words is not None and chosen and length + size > words:
            break
        chosen.append(best)
        length += size
        overlap = np.maximum(overlap, similarity[best])
    return [candidates[index] for index in sorted(chosen)]


def _tf_idf(candidates: list[str], instruction: str) -> tuple[Floats, Floats | None]:
    """Return the unit TF-IDF vectors of sentences, shape (sentences, terms), and of ``instruction``.

    The latter is None without a common term.
    """
    rows = [terms(sentence) for sentence in candidates]
    index = {term: column for column, term in enumerate(sorted({term for row in rows for term in row}))}
    counts = np.zeros((len(candidates), max(len(index), 1)))
    for row, found in enumerate(rows):
        for term in found:
            counts[row, index[term]] += 1
    rarity = np.log((1 + len(candidates)) / (1 + (counts > 0).sum(axis=0))) + 1
    instruction_counts = np.zeros(counts.shape[1])
    for term in terms(instruction):
        if term in index:
            instruction_counts[index[term]] += 1
    instruction_vector = _unit(instruction_counts * rarity) if instruction_counts.any() else None
    return _unit(counts * rarity), instruction_vector


def _unit(vectors: Floats) -> Floats:
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Floats = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
    return unit


def text_rank(similarity: Floats) -> Floats:
    """Return the centrality of items: the stationary distribution of a random walk by similarity."""
    links = similarity.copy()
    np.fill_diagonal(links, 0)
    totals = links.sum(axis=0)
    links = np.divide(links, totals, out=np.zeros_like(links), where=totals > 0)
    count = len(links)
    rank = np.full(count, 1 / count)
    # After 30 iterations the remaining error is below 0.85^30 = 0.8 %, too small to change the ranking
    # noticeably.
    for _ in range(30):
        rank = (1 - DAMPING) / count + DAMPING * (links @ rank)
    return rank
