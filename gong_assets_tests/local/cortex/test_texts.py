"""Splitting, redaction and completion of texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gong_assets.local.cortex.completion import DISCLAIMER, complete
from gong_assets.local.cortex.errors import CortexError, TooLongError, UnknownModelError
from gong_assets.local.cortex.redaction import redact
from gong_assets.local.cortex.sentences import sentences, split_recursively
from gong_assets.local.cortex.tokens import count_tokens


def test_sentences_end_at_punctuation_and_line_breaks() -> None:
    assert sentences('He said "no." Why? It costs 3.5 dollars!\nNext line') == [
        'He said "no.',
        "Why?",
        "It costs 3.5 dollars!",
        "Next line",
    ]


def test_chunks_are_split_at_the_coarsest_separator() -> None:
    assert split_recursively("one two\n\nthree four", 12) == ["one two", "three four"]


def test_sentences_of_scripts_without_blanks_are_split() -> None:
    assert sentences("価格が高いです。検討します！次へ") == ["価格が高いです。", "検討します！", "次へ"]
    assert sentences("ဈေးကြီးတယ်။ကောင်းတယ်။") == ["ဈေးကြီးတယ်။", "ကောင်းတယ်။"]
    assert sentences("ថ្លៃពេក។ ល្អណាស់") == ["ថ្លៃពេក។", "ល្អណាស់"]


@given(st.text(alphabet="ab \n", max_size=60), st.integers(1, 20), st.integers(0, 10))
def test_chunks_fit_the_size_and_contain_all_letters(text: str, size: int, overlap: int) -> None:
    chunks = split_recursively(text, size, overlap)

    assert all(0 < len(chunk) <= size for chunk in chunks)
    letters = "".join(text.split())
    found = 0
    for letter in "".join("".join(chunk.split()) for chunk in chunks):
        if found < len(letters) and letter == letters[found]:
            found += 1
    assert found == len(letters)


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Mail jane.doe+x@mail.example.com now", "Mail [EMAIL] now"),
        ("Call +1 415-555-0133 or (030) 1234-567", "Call [PHONE_NUMBER] or [PHONE_NUMBER]"),
        ("Card 4111 1111 1111 1111, host 10.0.0.1", "Card [PAYMENT_CARD_DATA], host [IP_ADDRESS]"),
        ("Hi, this is Bob and my name is Ana María Ruiz.", "Hi, this is [NAME] and my name is [NAME]."),
        ("Ana Ruiz: hello", "[NAME]: hello"),
        ("We pay 40,000 dollars in 2026.", "We pay 40,000 dollars in 2026."),
    ],
)
def test_data_with_a_fixed_format_is_redacted(text: str, redacted: str) -> None:
    assert redact(text) == redacted


def test_only_the_given_categories_are_redacted() -> None:
    assert redact("Ana: a@b.com", ["EMAIL"]) == "Ana: [EMAIL]"
    with pytest.raises(CortexError, match="not 'HOROSCOPE'"):
        redact("x", ["HOROSCOPE"])


def test_redaction_accepts_at_most_1024_tokens_of_output() -> None:
    most = "word " * 1022  # plus the start and the end
    assert redact(most) == most
    with pytest.raises(TooLongError, match="AI_REDACT accepts at most 1024 tokens; the text has 1025"):
        redact(most + "word")


def test_redacted_text_does_not_count_as_output() -> None:
    long = "x.y.z.jane.doe@mail.example.com " * 90
    assert count_tokens(long) > 1024
    assert redact(long) == "[EMAIL] " * 90


def test_redaction_accepts_at_most_4096_tokens_of_input_and_output() -> None:
    address = "jane.doe.of.the.sales.team.in.the.north@mail.example.com "
    # Each address counts with its own tokens and the three of [EMAIL]; two more are the start and the end.
    fit = (4096 - 2) // (count_tokens(address) - 2 + 3)
    assert redact(address * fit) == "[EMAIL] " * fit
    assert count_tokens("[EMAIL] " * (fit + 1)) < 1024
    with pytest.raises(TooLongError, match="AI_REDACT accepts at most 4096 tokens"):
        redact(address * (fit + 1))


def test_a_completion_starts_with_a_disclaimer() -> None:
    assert complete("llama3.1-8b", "The buyer wants a discount of ten percent.").startswith(DISCLAIMER)
    with pytest.raises(UnknownModelError, match="Unknown model 'gpt-2'"):
        complete("gpt-2", "x")
