"""Comparison of names without accents, case, blanks and punctuation.

A column and the caller's text get the same key: `KEY` computes it in SQL, and `key` in Python, from one
table of characters. So "O'Hara", "O’HARA" and "Ohara" are the same name, and so are "Muñoz" and "Munoz". The
dbt models compare words with the same table: `make generate` writes it to `dbt/macros/characters.sql`.
"""

from __future__ import annotations

import unicodedata

# Scripts with accents, punctuation, and the full-width forms of Latin letters.
_BLOCKS = (
    range(0x09, 0x0E), range(0x20, 0x250), range(0x300, 0x530), range(0x1E00, 0x2000), range(0x2000, 0x2070),
    range(0x2E00, 0x2E60), range(0x3000, 0x3040), range(0xFF00, 0xFF66),
)  # fmt: skip
# Letters that are two letters elsewhere, and those with a stroke, which Unicode does not decompose. A sigma
# at the end of a word is another letter in Python's lower case than in Snowflake's.
LIGATURES = {"ß": "ss", "æ": "ae", "œ": "oe"}
_STROKES = {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "ı": "i", "ς": "σ"}


def _plain(character: str) -> str:
    decomposed = unicodedata.normalize("NFKD", character.lower())
    letters = "".join(each for each in decomposed if each.isalnum())
    return _STROKES.get(letters, letters)


def _replacements() -> dict[str, str]:
    characters = map(chr, (code for block in _BLOCKS for code in block))
    plain = {each: _plain(each) for each in characters if each == each.lower() and each not in LIGATURES}
    return {each: letter for each, letter in plain.items() if letter != each and len(letter) <= 1}


_REPLACEMENTS = _replacements()
_REPLACED = "".join(sorted(_REPLACEMENTS, key=lambda each: not _REPLACEMENTS[each]))
# TRANSLATE removes the characters that have no counterpart, which are therefore last.
_COUNTERPARTS = "".join(_REPLACEMENTS[each] for each in _REPLACED)

_TABLE = str.maketrans(_REPLACEMENTS)


def word_characters() -> tuple[str, str, str, str]:
    """Return letters, their counterparts, separators and accents, by which dbt's models tell words apart.

    There are as many counterparts as letters. Separators become blanks. Accents, which follow their letter
    in decomposed texts, and invisible characters are removed.
    """
    # Only the parts of a decomposed Japanese syllable are characters of their own: か and its mark for が.
    kana = {
        each: parts[0] for each in map(chr, range(0x3041, 0x30FF)) if len(parts := _decomposed(each)) == 2
    }
    letters = {each: letter for each, letter in _REPLACEMENTS.items() if letter} | kana
    others = [each for each in _REPLACED if not _REPLACEMENTS[each]]
    accents = [each for each in others if unicodedata.category(each) in ("Mn", "Me", "Mc", "Cf")]
    separators = [each for each in others if unicodedata.category(each)[0] in "PSZ"]
    return "".join(letters), "".join(letters.values()), "".join(separators), "".join(accents) + "\u3099\u309a"


def _decomposed(character: str) -> str:
    return unicodedata.normalize("NFD", character)


# The key of `{column}`, which takes the values `KEY_VALUES`.
KEY = "TRANSLATE(REPLACE(REPLACE(REPLACE(LOWER({column}), %s, %s), %s, %s), %s, %s), %s, %s)"
KEY_VALUES = (*(text for pair in LIGATURES.items() for text in pair), _REPLACED, _COUNTERPARTS)


def key(text: str) -> str:
    """Return the text without accents, case, blanks and punctuation."""
    # Composed, because syllables such as those of Korean have no letters of their own.
    lower = unicodedata.normalize("NFC", text).lower()
    for ligature, letters in LIGATURES.items():
        lower = lower.replace(ligature, letters)
    return lower.translate(_TABLE)
