"""Sentiment of sentences in sales calls."""

from __future__ import annotations

import pytest

from gong_assets.local.cortex.errors import CortexError, TooLongError
from gong_assets.local.cortex.sentiment import sentiment, sentiment_labels


@pytest.mark.parametrize(
    "text",
    [
        "We love the product, it saves us hours every week.",
        "This is a perfect fit for our team.",
        "The rollout was smooth and support was very responsive.",
        "Sounds great, let us move forward.",
    ],
)
def test_positive_sentences_have_a_positive_score(text: str) -> None:
    assert 0.2 < sentiment(text) <= 1


@pytest.mark.parametrize(
    "text",
    [
        "Honestly, this is a deal breaker for us.",
        "We had three outages this month and nobody answered.",
        "I am worried that we will not renew.",
        "It is too expensive and the dashboard is slow.",
    ],
)
def test_negative_sentences_have_a_negative_score(text: str) -> None:
    assert -1 <= sentiment(text) < -0.2


@pytest.mark.parametrize("text", ["", "   ", "The meeting is on Tuesday.", "😀"[:0], "12345"])
def test_neutral_texts_have_a_score_near_zero(text: str) -> None:
    assert abs(sentiment(text)) < 0.05


def test_long_texts_are_averaged_and_do_not_saturate() -> None:
    calm = "We reviewed the agenda. " * 20

    assert 0 < sentiment(calm + "I love it.") < 0.1


def test_sentiment_accepts_at_most_512_tokens() -> None:
    sentiment("word " * 510)

    with pytest.raises(TooLongError, match="at most 512 tokens; the text has 513"):
        sentiment("word " * 511)


def test_labels_are_returned_for_the_text_and_each_category() -> None:
    labels = sentiment_labels(
        "Support is great. The price is far too expensive.", ["support", "price", "legal"]
    )

    assert labels == {
        "categories": [
            {"name": "overall", "sentiment": "mixed"},
            {"name": "support", "sentiment": "positive"},
            {"name": "price", "sentiment": "negative"},
            {"name": "legal", "sentiment": "unknown"},
        ]
    }


def test_too_many_or_too_long_categories_are_rejected() -> None:
    with pytest.raises(CortexError, match="at most 10 categories, not 11"):
        sentiment_labels("x", ["c"] * 11)
    with pytest.raises(CortexError, match="over 30 characters"):
        sentiment_labels("x", ["c" * 31])
