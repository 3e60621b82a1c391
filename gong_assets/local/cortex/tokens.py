"""WordPiece tokenizer, for the embedding model and for COUNT_TOKENS.

Algorithm and vocabulary are those of bert-base-uncased, which the 768-dimensional Arctic and e5 models use.
Counts for other models are estimates, and none was compared with Snowflake's billing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from gong_assets.local.cortex.errors import TooLongError

VOCABULARY_FILE = Path(__file__).with_name("vocab.txt")

# BERT maps a longer word to one unknown token.
MAX_CHARACTERS_PER_WORD = 100

# Unicode blocks of CJK ideographs, each of which BERT treats as a word.
_IDEOGRAPHS = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002ceaf\U0002f800-\U0002fa1f"
_ASCII_PUNCTUATION = re.escape("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_ASCII_WORDS = re.compile(rf"[{_ASCII_PUNCTUATION}]|[^\s{_ASCII_PUNCTUATION}]+")
_IDEOGRAPH = re.compile(rf"([{_IDEOGRAPHS}])")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class WordPiece:
    """Tokenizer that splits words greedily into the longest pieces of a fixed vocabulary."""

    def __init__(self, vocabulary: dict[str, int]) -> None:
        self._vocabulary = vocabulary
        self._pieces: dict[str, tuple[int, ...]] = {}
        self.unknown = vocabulary["[UNK]"]
        self.start = vocabulary["[CLS]"]
        self.end = vocabulary["[SEP]"]

    def encode(self, text: str, limit: int | None = None) -> list[int]:
        """Return token ids between [CLS] and [SEP], truncated to ``limit`` ids in total."""
        room = None if limit is None else limit - 2
        ids: list[int] = []
        for word in _words(text):
            ids.extend(self._word_pieces(word))
            if room is not None and len(ids) >= room:
                break
        return [self.start, *ids[:room], self.end]

    def count(self, text: str) -> int:
        """Return the number of tokens of ``text``, including the two special ones."""
        return 2 + sum(len(self._word_pieces(word)) for word in _words(text))

    def _word_pieces(self, word: str) -> tuple[int, ...]:
        pieces = self._pieces.get(word)
        if pieces is None:
            pieces = self._split(word)
            # A cache, because speech repeats its words; the limit bounds its size.
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
    """Yield the lower-case words and punctuation marks of ``text`` without accents."""
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
    """Return the tokenizer, whose packaged vocabulary is read once per process."""
    lines = VOCABULARY_FILE.read_text(encoding="utf-8").splitlines()
    return WordPiece({token: index for index, token in enumerate(lines)})


def count_tokens(text: str) -> int:
    """Return the number of tokens: the stand-in for AI_COUNT_TOKENS and SNOWFLAKE.CORTEX.COUNT_TOKENS."""
    return wordpiece().count(text)


def check_token_limit(function: str, text: str, limit: int) -> None:
    """Raise TooLongError for ``function`` if ``text`` has more than ``limit`` tokens."""
    # A token has at least one character, so short texts need not be counted.
    if len(text) > limit - 2 and (tokens := count_tokens(text)) > limit:
        raise TooLongError(function, tokens, limit)
