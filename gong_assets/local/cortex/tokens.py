"""WordPiece tokens: what the embedding model reads, and what COUNT_TOKENS counts.

The algorithm and the vocabulary are those of bert-base-uncased, which the 768-dimensional Arctic and e5 models
share. Counts for other models are estimates; what Snowflake bills was not checked against it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from gong_assets.local.cortex.errors import TooLongError

VOCABULARY_FILE = Path(__file__).with_name("vocab.txt")

# BERT gives up on a longer word and reads it as one unknown token.
MAX_CHARACTERS_PER_WORD = 100

# Code blocks whose characters BERT reads one by one, as words of their own (CJK ideographs).
_IDEOGRAPHS = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002ceaf\U0002f800-\U0002fa1f"
_ASCII_PUNCTUATION = re.escape("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_ASCII_WORDS = re.compile(rf"[{_ASCII_PUNCTUATION}]|[^\s{_ASCII_PUNCTUATION}]+")
_IDEOGRAPH = re.compile(rf"([{_IDEOGRAPHS}])")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class WordPiece:
    """Greedy longest-match-first subword tokens over a fixed vocabulary."""

    def __init__(self, vocabulary: dict[str, int]) -> None:
        self._vocabulary = vocabulary
        self._pieces: dict[str, tuple[int, ...]] = {}
        self.unknown = vocabulary["[UNK]"]
        self.start = vocabulary["[CLS]"]
        self.end = vocabulary["[SEP]"]

    def encode(self, text: str, limit: int | None = None) -> list[int]:
        """Token ids of ``text`` between [CLS] and [SEP], cut to ``limit`` ids in all when one is given."""
        room = None if limit is None else limit - 2
        ids: list[int] = []
        for word in _words(text):
            ids.extend(self._word_pieces(word))
            if room is not None and len(ids) >= room:
                break
        return [self.start, *ids[:room], self.end]

    def count(self, text: str) -> int:
        """Number of tokens of ``text``, the two special ones included."""
        return 2 + sum(len(self._word_pieces(word)) for word in _words(text))

    def _word_pieces(self, word: str) -> tuple[int, ...]:
        pieces = self._pieces.get(word)
        if pieces is None:
            pieces = self._split(word)
            # Speech repeats its words; the cap keeps a flood of distinct ones from growing the table for ever.
            if len(self._pieces) < 100_000:
                self._pieces[word] = pieces
        return pieces

    def _split(self, word: str) -> tuple[int, ...]:
        if len(word) > MAX_CHARACTERS_PER_WORD:
            return (self.unknown,)
        pieces: list[int] = []
        start = 0
        while start < len(word):
            prefix = "##" if start else ""
            for end in range(len(word), start, -1):
                piece = self._vocabulary.get(prefix + word[start:end])
                if piece is not None:
                    pieces.append(piece)
                    start = end
                    break
            else:
                return (self.unknown,)
        return tuple(pieces)


def _words(text: str) -> Iterator[str]:
    """Lower-case words and punctuation marks of ``text``, accents removed."""
    if text.isascii():
        yield from _ASCII_WORDS.findall(_CONTROL.sub("", text).lower())
        return
    text = _IDEOGRAPH.sub(r" \1 ", "".join(c for c in text if not _is_control(c)))
    for chunk in text.split():
        letters = [c for c in unicodedata.normalize("NFD", chunk.lower()) if unicodedata.category(c) != "Mn"]
        word: list[str] = []
        for letter in letters:
            if _is_punctuation(letter):
                if word:
                    yield "".join(word)
                    word = []
                yield letter
            else:
                word.append(letter)
        if word:
            yield "".join(word)


def _is_control(character: str) -> bool:
    if character in "\t\n\r":
        return False
    return character == "\ufffd" or unicodedata.category(character) in ("Cc", "Cf", "Cn", "Co")


def _is_punctuation(character: str) -> bool:
    if character.isascii():
        return not character.isalnum()
    return unicodedata.category(character).startswith("P")


@cache
def wordpiece() -> WordPiece:
    """The tokenizer with the packaged bert-base-uncased vocabulary (read once per process)."""
    lines = VOCABULARY_FILE.read_text(encoding="utf-8").splitlines()
    return WordPiece({token: index for index, token in enumerate(lines)})


def count_tokens(text: str) -> int:
    """Number of tokens of ``text``: the stand-in for AI_COUNT_TOKENS and SNOWFLAKE.CORTEX.COUNT_TOKENS."""
    return wordpiece().count(text)


def refuse_over(function: str, text: str, limit: int) -> None:
    """Raise TooLongError naming ``function`` if ``text`` has more than ``limit`` tokens."""
    # A token has at least one character, so a short text needs no counting.
    if len(text) > limit - 2 and (tokens := count_tokens(text)) > limit:
        raise TooLongError(function, tokens, limit)
