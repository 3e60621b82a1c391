"""Splitting of text into sentences, terms and chunks."""

from __future__ import annotations

import re
from collections.abc import Sequence

SPEAKER_LABEL = re.compile(r"^[^\W\d_][\w .'’()-]{0,40}:\s+")
# No blank follows a sentence of Chinese, Japanese, Burmese, Khmer or Hindi.
_SENTENCE_END = re.compile(r"(?<=[.!?…؟۔])[\"')\]]*\s+|(?<=[。！？।॥။។៕])[\"')\]”’」』）]*\s*|\n+")

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
# Words that do not indicate the subject of a sentence.
_STOP_WORDS = frozenset(
    _WORD.findall(
        "a about after all also am an and any are as at be because been but by can could did do does doing "
        "done for from get got had has have he her here him his how i i'd i'll i'm i've if in into is it "
        "it's its just know let like me mean more my no not now of off okay on one or our out over really "
        "right she so some sure than that that's the their them then there these they think this those to "
        "too uh um up us very was we we'll we're we've well were what when where which who why will with "
        "would yeah yes you you're you've your"
    )
)

# The order in which Snowflake's recursive splitter tries its separators.
DEFAULT_SEPARATORS = ("\n\n", "\n", " ", "")
MARKDOWN_SEPARATORS = ("\n# ", "\n## ", "\n### ", "\n#### ", "```", "\n---\n", *DEFAULT_SEPARATORS)


def sentences(text: str) -> list[str]:
    """Return the non-empty sentences of ``text`` in order."""
    return [sentence for part in _SENTENCE_END.split(text) if (sentence := part.strip())]


def dialogue_sentences(dialogue: str) -> list[str]:
    """Return the sentences of a dialogue of lines "Name: text", without the names."""
    return [
        sentence
        for line in dialogue.splitlines()
        for sentence in sentences(SPEAKER_LABEL.sub("", line.strip()))
    ]


def terms(text: str) -> list[str]:
    """Return the lower-case words of ``text`` without stop words, in order."""
    return [word for word in _WORD.findall(text.lower()) if word not in _STOP_WORDS]


def split_recursively(
    text: str, chunk_size: int, overlap: int = 0, separators: Sequence[str] = DEFAULT_SEPARATORS
) -> list[str]:
    """Split ``text`` into chunks of at most ``chunk_size`` characters, at the coarsest separator possible.

    Stand-in for SNOWFLAKE.CORTEX.SPLIT_TEXT_RECURSIVE_CHARACTER. Adjacent chunks share up to ``overlap``
    characters.
    """
    pieces = _pieces(text, chunk_size, list(separators))
    chunks: list[str] = []
    current = ""
    for piece in pieces:
        if current and len(current) + len(piece) > chunk_size:
            chunks.append(current)
            kept = min(overlap, chunk_size - len(piece))
            current = current[-kept:] if kept > 0 else ""
        current += piece
    chunks.append(current)
    return [chunk for part in chunks if (chunk := part.strip())]


def _pieces(text: str, size: int, separators: list[str]) -> list[str]:
    if len(text) <= size:
        return [text]
    if not separators or not separators[0]:
        return [text[start : start + size] for start in range(0, len(text), size)]
    separator, finer = separators[0], separators[1:]
    parts = text.split(separator)
    joined = [part + separator for part in parts[:-1]] + [parts[-1]]
    return [piece for part in joined if part for piece in _pieces(part, size, finer)]
