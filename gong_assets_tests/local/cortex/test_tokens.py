"""WordPiece tokens, compared with known ids of bert-base-uncased."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gong_assets.local.cortex.tokens import count_tokens, wordpiece


def test_known_texts_have_known_ids() -> None:
    assert wordpiece().encode("Hello, world!") == [101, 7592, 1010, 2088, 999, 102]


def test_case_and_accents_are_ignored() -> None:
    assert wordpiece().encode("Café RÉSUMÉ") == wordpiece().encode("cafe resume")


def test_a_word_is_split_into_its_longest_pieces() -> None:
    assert wordpiece().encode("tokenization") == [101, 19204, 3989, 102]


def test_ideographs_are_separate_words() -> None:
    assert count_tokens("你好") == 4


def test_text_outside_the_vocabulary_is_one_unknown_token() -> None:
    assert wordpiece().encode("😀") == [101, 100, 102]
    assert wordpiece().encode("x" * 101) == [101, 100, 102]


def test_an_empty_text_has_the_two_special_tokens() -> None:
    assert count_tokens("") == 2
    assert count_tokens(" \n\t\x00 ") == 2


@given(st.text())
def test_a_limit_truncates_and_never_adds_tokens(text: str) -> None:
    whole, cut = wordpiece().encode(text), wordpiece().encode(text, 8)

    assert len(whole) == count_tokens(text)
    assert len(cut) <= 8
    assert cut[:-1] == whole[: len(cut) - 1]
    assert cut[-1] == whole[-1]
