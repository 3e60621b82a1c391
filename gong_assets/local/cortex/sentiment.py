"""Stand-in for SNOWFLAKE.CORTEX.SENTIMENT and AI_SENTIMENT, for English text.

It averages VADER scores over sentences, with words of sales calls added to VADER's lexicon. Unlike Cortex it
misses irony, and opinions without a word of the lexicon.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from gong_assets.local.cortex.errors import CortexError
from gong_assets.local.cortex.sentences import sentences as split_sentences
from gong_assets.local.cortex.tokens import check_token_limit

if TYPE_CHECKING:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

# Context windows: https://docs.snowflake.com/en/user-guide/snowflake-cortex/aisql-regional-availability
SENTIMENT_MAX_TOKENS = 512
AI_SENTIMENT_MAX_TOKENS = 2048
# https://docs.snowflake.com/en/sql-reference/functions/ai_sentiment
MAX_CATEGORIES = 10
MAX_CATEGORY_CHARACTERS = 30

# The author of VADER treats compound scores within 0.05 of zero as neutral.
NEUTRAL_BAND = 0.05

# Words whose valence in a sales call differs from that in VADER's lexicon of tweets, on VADER's scale of -4
# to 4. Phrases count as one word; 0 is for filler words.
SALES_LEXICON = {
    "renew": 1.2, "renewal": 0.4, "expand": 1.3, "expansion": 1.2, "upgrade": 1.2, "onboarded": 1.0,
    "adopted": 1.3, "adoption": 0.8, "seamless": 2.2, "seamlessly": 2.2, "intuitive": 1.9, "streamlined": 1.6,
    "scalable": 1.4, "reliable": 1.8, "stable": 1.2, "faster": 1.3, "quicker": 1.2, "saves": 1.4,
    "saved": 1.4, "saving": 1.3, "savings": 1.5, "roi": 0.8, "impressed": 2.2, "impressive": 2.2,
    "delighted": 2.9, "thrilled": 2.9, "champion": 1.6, "approved": 1.6, "signed": 1.2, "aligned": 1.3,
    "helpful": 1.8, "responsive": 1.6, "straightforward": 1.3, "flexible": 1.1, "smooth": 1.6,
    "smoothly": 1.7, "exceeded": 1.8, "love": 2.8, "recommend": 1.7, "excited": 2.2, "perfect fit": 2.6,
    "game changer": 2.5, "on track": 1.6, "move forward": 1.5, "moving forward": 1.3, "sounds great": 2.2,
    "makes sense": 1.3, "green light": 1.8, "happy with": 2.2, "good fit": 1.9, "no brainer": 2.2,
    "go ahead": 1.3, "looking forward": 1.6, "churn": -2.0, "churned": -2.2, "cancel": -1.9,
    "cancelled": -1.9, "canceled": -1.9, "cancellation": -1.9, "expensive": -1.7, "overpriced": -2.3,
    "pricey": -1.6, "budget cuts": -1.9, "downgrade": -1.6, "escalate": -1.7, "escalated": -1.8,
    "escalation": -1.8, "outage": -2.2, "outages": -2.3, "downtime": -2.0, "bug": -1.5, "bugs": -1.6,
    "buggy": -2.1, "glitch": -1.5, "broken": -1.9, "breaks": -1.3, "crash": -1.9, "crashes": -2.0,
    "crashed": -2.0, "slow": -1.5, "sluggish": -1.7, "unreliable": -2.2, "laggy": -1.8, "delay": -1.4,
    "delays": -1.5, "delayed": -1.5, "overdue": -1.5, "missed": -1.3, "missing": -1.2, "clunky": -1.9,
    "confusing": -1.6, "complicated": -1.4, "painful": -2.0, "pain": -1.6, "frustrated": -2.3,
    "frustrating": -2.3, "frustration": -2.2, "disappointed": -2.3, "disappointing": -2.3, "unhappy": -2.3,
    "unacceptable": -2.8, "concern": -1.3, "concerned": -1.5, "concerns": -1.3, "worried": -1.8,
    "worry": -1.5, "blocker": -1.7, "blocked": -1.5, "risk": -1.2, "risky": -1.5, "struggle": -1.6,
    "struggling": -1.8, "stuck": -1.5, "stalled": -1.6, "objection": -1.2, "pushback": -1.3, "hesitant": -1.3,
    "unclear": -1.2, "ignored": -1.7, "unresponsive": -2.0, "silence": -0.9, "competitor": -0.6,
    "alternatives": -0.9, "honestly": 0.0, "frankly": 0.0, "basically": 0.0, "kind of": 0.0, "too much": -1.1,
    "not renew": -2.6, "walk away": -2.2, "switch away": -2.2, "no response": -1.9, "deal breaker": -2.5,
    "out of budget": -2.1, "not convinced": -1.8, "falls short": -1.9, "waste of": -2.2, "fed up": -2.5,
    "let down": -2.1, "not working": -1.9, "does not work": -1.9,
}  # fmt: skip

_PHRASES = re.compile(
    r"\b(" + "|".join(sorted((p for p in SALES_LEXICON if " " in p), key=len, reverse=True)) + r")\b",
    re.IGNORECASE,
)


def sentiment(text: str) -> float:
    """Return the mean sentiment of the sentences of ``text``, in [-1, 1]; 0 for a text without words.

    The mean is used because VADER's own score saturates on long texts. Raises TooLongError over 512 tokens,
    like SNOWFLAKE.CORTEX.SENTIMENT.
    """
    check_token_limit("SENTIMENT", text, SENTIMENT_MAX_TOKENS)
    return _mean([sentence_score(sentence) for sentence in split_sentences(text)])


def sentiment_labels(text: str, categories: Sequence[str] = ()) -> dict[str, list[dict[str, str]]]:
    """Return AI_SENTIMENT's object: ``{"categories": [{"name": "overall", "sentiment": label}, ...]}``.

    ``label`` is positive, negative, neutral, mixed or unknown. The label of a category is based on the
    sentences that contain its name, and is unknown if there are none. Raises TooLongError over 2,048 tokens
    and CortexError for an invalid category.
    """
    check_token_limit("AI_SENTIMENT", text, AI_SENTIMENT_MAX_TOKENS)
    if len(categories) > MAX_CATEGORIES:
        raise CortexError(f"AI_SENTIMENT accepts at most {MAX_CATEGORIES} categories, not {len(categories)}.")
    if too_long := [name for name in categories if len(name) > MAX_CATEGORY_CHARACTERS]:
        raise CortexError(
            f"AI_SENTIMENT category '{too_long[0]}' is over {MAX_CATEGORY_CHARACTERS} characters."
        )
    sentences = split_sentences(text)
    results = [{"name": "overall", "sentiment": _label(sentences)}]
    for name in categories:
        matching = [sentence for sentence in sentences if name.lower() in sentence.lower()]
        results.append({"name": name, "sentiment": _label(matching)})
    return {"categories": results}


def _label(sentences: list[str]) -> str:
    with_letters = [sentence for sentence in sentences if any(map(str.isalpha, sentence))]
    if not with_letters:
        return "unknown"
    scores = [sentence_score(sentence) for sentence in with_letters]
    positive = any(score > NEUTRAL_BAND for score in scores)
    negative = any(score < -NEUTRAL_BAND for score in scores)
    mean = _mean(scores)
    if positive and negative and abs(mean) < 0.25:
        return "mixed"
    if mean > NEUTRAL_BAND:
        return "positive"
    return "negative" if mean < -NEUTRAL_BAND else "neutral"


def sentence_score(sentence: str) -> float:
    """Return the sentiment of one sentence, in [-1, 1]."""
    as_words = _PHRASES.sub(lambda phrase: phrase.group().lower().replace(" ", "_"), sentence)
    compound: float = _analyzer().polarity_scores(as_words)["compound"]
    return compound


def _mean(scores: list[float]) -> float:
    return round(sum(scores) / len(scores), 6) if scores else 0.0


@cache
def _analyzer() -> SentimentIntensityAnalyzer:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()
    analyzer.lexicon.update({phrase.replace(" ", "_"): valence for phrase, valence in SALES_LEXICON.items()})
    return analyzer
