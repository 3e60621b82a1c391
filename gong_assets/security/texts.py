"""Texts of others, written so that no reader interprets them.

What is said on a call, titles, names of participants, trackers, deals and companies, and most messages of
errors are written by others. Each medium takes some texts for more than texts, and has a function here. A
terminal and a log execute control characters, a spreadsheet executes formulas, and a page of Dagster shows
Markdown. JSON quotes texts by itself, except for characters that a terminal executes or that nobody sees.
"""

from __future__ import annotations

import re

# A spreadsheet evaluates a text that begins like this, also in full-width forms:
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&])")
# Markdown makes links of addresses. A space of no width before the last character keeps it from finding one.
_ADDRESS = re.compile(r"(?i)\b(?:https?|ftp|mailto):|\bwww\.|\w@(?=\w)")


def printable(text: str) -> str:
    """Return the text without control and invisible characters; blanks but line breaks become spaces.

    Escape sequences of a terminal begin with a control character. Other characters change the direction of
    writing, or are invisible letters in which an instruction for a model can be hidden.
    """
    return "".join(c if c.isprintable() or c == "\n" else " " if c.isspace() else "" for c in text)


def one_line(text: str) -> str:
    """Return the printable text on one line, with single spaces."""
    return " ".join(printable(text).split())


def csv_cell(text: str) -> str:
    """Return the cell of a spreadsheet with this text, which is none of its formulas.

    An apostrophe in front makes a spreadsheet show a text as it is.
    """
    shown = printable(text)
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA_STARTS) else shown


def markdown(text: str) -> str:
    """Return Markdown that shows the text on one line: without markup, links, images and HTML."""
    shown = _ADDRESS.sub(lambda match: f"{match[0][:-1]}\u200b{match[0][-1]}", one_line(text))
    return _MARKDOWN.sub(r"\\\1", shown)


def markdown_code(text: str, language: str = "") -> str:
    """Return Markdown that shows the text as a block of code, whatever fences it contains."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{printable(text)}\n{fence}"


def visible_json(document: str) -> str:
    """Return the JSON with escapes for characters that cannot be printed: the same values for a parser."""
    if document.isprintable():
        return document
    return "".join(c if c.isprintable() or c == "\n" else _escape(c) for c in document)


def _escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[index : index + 2].hex()}" for index in range(0, len(units), 2))
