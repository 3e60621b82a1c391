"""Removal of secrets and record values from the texts of errors.

An error of the warehouse or of a parser may quote the value that it rejects, which may be a part of a
transcript. Alerts leave the deployment, so every quoted text is masked unless it is the name of an object.
A value may contain quotes too, and errors do not escape them all: everything from the first quote that opens
a text to the last one that closes a text is masked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from gong_assets.security.texts import one_line

MASK = "…"
MAX_LINES = 3
MAX_CHARACTERS = 600

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
# What precedes values that may have no quotes, or unbalanced ones: DuckDB's input and excerpts of statements,
# Snowflake's rows, and pydantic's input, which is cut in the middle.
_UNQUOTED = re.compile(
    r"\b(Input: |Original Line: |Row Values: |format specifier |LINE (?=\d)).+"
    r"|\b(input_value=).+?(?=, input_type=|\Z)",
    re.DOTALL,
)
# An apostrophe within or after a word, as in "Gong's", opens no text, except for prefixes as in b'text'.
_APOSTROPHE = r"['’]"
_QUOTE = r"(?:[\"“-‟‘‚‛«»‹›]|\$\$)"
_OPENS = rf"(?:{_QUOTE}|(?:(?<!\w)|(?<=\b[bBfFrRuUxX])|(?<=\b[bBfFrR]{{2}})){_APOSTROPHE})"
_CLOSES = rf"(?:{_QUOTE}|{_APOSTROPHE})(?!\w)"
_QUOTES = re.compile(rf"(?P<opens>{_OPENS})(?:(?P<word>[\w.$-]+){_CLOSES})?|{_CLOSES}")
_OBJECT = re.compile(r"\{(?:.*\}|.*)", re.DOTALL)
# Names of tables, columns and environment variables: upper case, with an underscore or a dot.
_NAME = re.compile(r"[A-Z][A-Z0-9$]*(?:[._][A-Z0-9$]+)+\Z")
_CREDENTIAL = re.compile(
    r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}|\b(\w*(?:password|passphrase|token|secret|api_?key|access_?key))"
    r"(\s*[=:]\s*)[^\s,;&]+"
)
_URL_PASSWORD = re.compile(r"(?<=://)[^/@\s]+@")
_URL_QUERY = re.compile(r"(https?://[^\s?]+)\?\S+")
_EMAIL = re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.-]+")


def redact(text: str, *, names: Collection[str] = (), secrets: Collection[str] = ()) -> str:
    """Return the text without secrets, e-mail addresses and quoted values.

    Args:
        names: names that may be quoted, such as those of the graph's assets, in any case.
        secrets: values that are masked wherever they appear.
    """
    text = _ANSI.sub("", text)
    for secret in secrets:
        if len(secret) > 3:
            text = text.replace(secret, MASK)
    allowed = {name.lower() for name in names}
    text = _UNQUOTED.sub(rf"\1\2{MASK}", text)
    text = _without_quoted(text, lambda name: name.lower() in allowed or bool(_NAME.match(name)))
    text = _OBJECT.sub(MASK, text)
    text = _URL_PASSWORD.sub(f"{MASK}@", text)
    text = _URL_QUERY.sub(rf"\1?{MASK}", text)
    text = _CREDENTIAL.sub(
        lambda match: f"{match[1]} {MASK}" if match[1] else f"{match[2]}{match[3]}{MASK}", text
    )
    return _EMAIL.sub(MASK, text)


def _without_quoted(text: str, is_name: Callable[[str], bool]) -> str:
    """Return the text without what is between the first opening and the last closing quote, except names.

    If the last quote opens a text, that text was cut, and the rest is masked.
    """
    quotes = [each for each in _QUOTES.finditer(text) if not (each["word"] and is_name(each["word"]))]
    first = next((each for each in quotes if each["opens"]), None)
    if first is None:
        return text
    last = quotes[-1]
    is_closed = (last is not first or last["word"]) and not re.match(r"\w", text[last.end() :])
    end = last.end() if is_closed else len(text)
    quote = first["opens"]
    return f"{text[: first.start()]}{quote}{MASK}{quote}{text[end:]}"


def first_lines(text: str) -> str:
    """Return the first lines of a text, each with its spaces collapsed, at most MAX_CHARACTERS in all."""
    lines = [shown for line in text.splitlines() if (shown := one_line(line))]
    short = "\n".join(lines[:MAX_LINES])
    return short if len(short) <= MAX_CHARACTERS else f"{short[: MAX_CHARACTERS - 1]}{MASK}"
