"""Extractive summaries: the stand-in for SUMMARIZE, AI_SUMMARIZE, AI_SUMMARIZE_AGG and AI_AGG.

TextRank finds the central sentences, maximal marginal relevance keeps them from repeating each other, and they
are given in the order in which they were said. Every sentence is one of the text: nothing is written anew, so
this is not what Cortex would answer, but it is about the right things and always the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from gong_assets.local.cortex.sentences import SPEAKER_LABEL, sentences, terms
from gong_assets.local.cortex.tokens import refuse_over

# https://docs.snowflake.com/en/user-guide/snowflake-cortex/aisql-regional-availability
SUMMARIZE_MAX_TOKENS = 32_000
# Of one row; a group has no limit.
AGGREGATE_MAX_TOKENS = 128_000
# The smallest of its windows, which differ by region: https://docs.snowflake.com/en/sql-reference/functions/ai_summarize
AI_SUMMARIZE_MAX_TOKENS = 128_000
# AI_SUMMARIZE returns a text of up to this many characters unchanged:
# https://docs.snowflake.com/en/sql-reference/functions/ai_summarize
SHORT_TEXT_CHARACTERS = 110
# About what Cortex writes for a call.
SUMMARY_WORDS = 120
# A shorter turn ("Sounds good to me.") says nothing about a call.
MIN_SENTENCE_WORDS = 6
# Similarities of n sentences are n x n numbers: longer texts are summarized in parts, then the parts together.
MAX_SENTENCES = 600
# Weight of novelty against centrality.
DIVERSITY = 0.4
# Weight of an instruction's words against centrality: what is asked for may be said once.
FOCUS = 2.0
# The usual chance of PageRank to follow a link.
DAMPING = 0.85

Floats = npt.NDArray[np.float64]


def summarize(text: str) -> str:
    """A summary of ``text`` in about 120 words; raises TooLongError over 32,000 tokens."""
    refuse_over("SUMMARIZE", text, SUMMARIZE_MAX_TOKENS)
    return _summary(sentences(text)) or text


def ai_summarize(text: str) -> str:
    """As ``summarize``, but a text of up to 110 characters, or shorter than its summary, comes back unchanged.

    Raises TooLongError over 128,000 tokens.
    """
    refuse_over("AI_SUMMARIZE", text, AI_SUMMARIZE_MAX_TOKENS)
    if len(text) <= SHORT_TEXT_CHARACTERS:
        return text
    return min(_summary(sentences(text)) or text, text, key=len)


def summarize_all(texts: Sequence[str], instruction: str = "") -> str:
    """One summary of many texts, leaning towards sentences that share words with ``instruction``.

    Has no length limit, as AI_SUMMARIZE_AGG and AI_AGG have none. An empty group gives an empty string.
    """
    said = [sentence for text in texts for sentence in sentences(text)]
    return _summary(said, instruction) or " ".join(said)


def _summary(said: list[str], focus: str = "") -> str:
    candidates = _distinct(SPEAKER_LABEL.sub("", sentence) for sentence in said)
    while len(candidates) > MAX_SENTENCES:
        parts = (candidates[i : i + MAX_SENTENCES] for i in range(0, len(candidates), MAX_SENTENCES))
        candidates = [sentence for part in parts for sentence in _central(part, focus, MAX_SENTENCES // 4)]
    return " ".join(_central(candidates, focus, len(candidates), SUMMARY_WORDS))


def _distinct(said: Iterable[str]) -> list[str]:
    kept: dict[str, str] = {}
    for sentence in said:
        if len(sentence.split()) >= MIN_SENTENCE_WORDS:
            kept.setdefault(sentence.casefold(), sentence)
    return list(kept.values())


def _central(candidates: list[str], focus: str, count: int, words: int | None = None) -> list[str]:
    """Up to ``count`` sentences (and about ``words`` words) that say most of ``candidates``, in their order."""
    if not candidates:
        return []
    vectors, focus_vector = _tf_idf(candidates, focus)
    likeness = vectors @ vectors.T
    scores = text_rank(likeness)
    if focus_vector is not None:
        scores = scores / scores.max() + FOCUS * (vectors @ focus_vector)
    scores = scores / scores.max()
    chosen: list[int] = []
    length = 0
    nearest = np.zeros(len(candidates))
    available = np.ones(len(candidates), dtype=bool)
    while available.any() and len(chosen) < count:
        value = np.where(available, (1 - DIVERSITY) * scores - DIVERSITY * nearest, -np.inf)
        best = int(value.argmax())
        size = len(candidates[best].split())
        available[best] = False
        if words is not None and chosen and length + size > words:
            break
        chosen.append(best)
        length += size
        nearest = np.maximum(nearest, likeness[best])
    return [candidates[index] for index in sorted(chosen)]


def _tf_idf(candidates: list[str], focus: str) -> tuple[Floats, Floats | None]:
    """Unit TF-IDF vectors, shape (sentences, terms), and that of ``focus`` if it shares a term with them."""
    rows = [terms(sentence) for sentence in candidates]
    index = {term: column for column, term in enumerate(sorted({term for row in rows for term in row}))}
    counts = np.zeros((len(candidates), max(len(index), 1)))
    for row, found in enumerate(rows):
        for term in found:
            counts[row, index[term]] += 1
    rarity = np.log((1 + len(candidates)) / (1 + (counts > 0).sum(axis=0))) + 1
    focus_counts = np.zeros(counts.shape[1])
    for term in terms(focus):
        if term in index:
            focus_counts[index[term]] += 1
    focus_vector = _unit(focus_counts * rarity) if focus_counts.any() else None
    return _unit(counts * rarity), focus_vector


def _unit(vectors: Floats) -> Floats:
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Floats = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
    return unit


def text_rank(likeness: Floats) -> Floats:
    """Centrality of each of n things: the stationary weights of a random walk along their likeness (n, n)."""
    links = likeness.copy()
    np.fill_diagonal(links, 0)
    totals = links.sum(axis=0)
    links = np.divide(links, totals, out=np.zeros_like(links), where=totals > 0)
    count = len(links)
    rank = np.full(count, 1 / count)
    # 30 rounds leave a difference below 0.85^30 = 0.8 %, too small to change an order that matters.
    for _ in range(30):
        rank = (1 - DAMPING) / count + DAMPING * (links @ rank)
    return rank
