"""Extractive summaries."""

from __future__ import annotations

import pytest

from gong_assets.local.cortex.errors import TooLongError
from gong_assets.local.cortex.summary import ai_summarize, summarize, summarize_all

SMALL_TALK = [
    "Ana: Hi, can you hear me?",
    "Bob: Yes, I can hear you fine.",
    "Ana: How was the weekend with the kids?",
    "Bob: It rained the whole time so we stayed at home.",
]
KEY = [
    "Ana: The annual plan costs forty thousand dollars for two hundred seats.",
    "Bob: Forty thousand dollars is above the budget that finance approved for seats.",
    "Bob: Our security team needs single sign-on and audit logs before the rollout.",
    "Ana: Single sign-on and audit logs are part of the enterprise plan.",
    "Bob: Then send the enterprise plan with a discount and we decide on Friday.",
]


def test_a_summary_consists_of_sentences_of_the_text_in_order() -> None:
    summary = summarize("\n".join(SMALL_TALK + KEY))

    sentences = [turn.split(": ", 1)[1] for turn in SMALL_TALK + KEY]
    positions = [summary.index(sentence) for sentence in sentences if sentence in summary]
    assert positions == sorted(positions)
    assert "Ana:" not in summary
    assert "enterprise plan" in summary


def test_repeated_sentences_occur_once() -> None:
    repeated = ["The contract renews in March for the whole team."] * 50
    summary = summarize(
        " ".join([*repeated, "The legal team wants a shorter notice period than ninety days."])
    )

    assert summary.count("The contract renews") == 1
    assert "notice period" in summary


def test_a_long_call_is_summarized_in_about_120_words() -> None:
    call = [
        f"Point {n} of the agenda is about module {n % 17} and its rollout in region {n % 5}."
        for n in range(3000)
    ]

    summary = summarize_all(call)

    assert 40 < len(summary.split()) <= 120
    assert summary == summarize_all(call)


def test_sentences_with_words_of_the_instruction_are_favored() -> None:
    call = [f"We walked through dashboard number {n} and its filters for the team." for n in range(40)]
    call.append("The procurement department asks for a discount before signing.")

    assert "discount" in summarize_all(call, "What discount does procurement ask for?")


def test_short_and_empty_texts_are_returned_unchanged() -> None:
    assert summarize("") == ""
    assert summarize("Ok.") == "Ok."
    assert ai_summarize("Let us talk next week about the contract and the security review.") == (
        "Let us talk next week about the contract and the security review."
    )
    assert summarize_all([]) == ""


def test_summarize_accepts_at_most_32000_tokens_and_groups_have_no_limit() -> None:
    text = "The team talked about it again today. " * 5000

    with pytest.raises(TooLongError, match="at most 32000 tokens"):
        summarize(text)
    assert summarize_all([text]) == "The team talked about it again today."
