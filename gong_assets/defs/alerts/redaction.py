"""Removal of secrets and record values from the texts of errors.

An error of the warehouse or of a parser may quote the value that it rejects, which may be a part of a
transcript. Alerts leave the deployment, so every quoted text is masked unless it is the name of an object.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from gong_assets.security.texts import one_line

MASK = "…"
MAX_LINES = 3
MAX_CHARACTERS = 600

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
# A quote that opens a text follows no letter, so that the apostrophe in "Gong's" is not one. Without a
# closing quote the rest is masked: the text was cut.
_QUOTED = re.compile(r"""(?<!\w)(["'])(?P<text>(?:(?!\1(?!\w)).)*)(?:\1|$)""", re.DOTALL)
_OBJECT = re.compile(r"\{[^{}]*\}")
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

    def masked(match: re.Match[str]) -> str:
        quoted = match["text"]
        is_name = quoted.lower() in allowed or _NAME.match(quoted)
        return match[0] if is_name else f"{match[1]}{MASK}{match[1]}"

    text = _QUOTED.sub(masked, text)
    while (reduced := _OBJECT.sub(MASK, text)) != text:
        text = reduced
    text = _URL_PASSWORD.sub(f"{MASK}@", text)
    text = _URL_QUERY.sub(rf"\1?{MASK}", text)
    text = _CREDENTIAL.sub(
        lambda match: f"{match[1]} {MASK}" if match[1] else f"{match[2]}{match[3]}{MASK}", text
    )
    return _EMAIL.sub(MASK, text)


def first_lines(text: str) -> str:
    """Return the first lines of a text, each with its spaces collapsed, at most MAX_CHARACTERS in all."""
    lines = [shown for line in text.splitlines() if (shown := one_line(line))]
    short = "\n".join(lines[:MAX_LINES])
    return short if len(short) <= MAX_CHARACTERS else f"{short[: MAX_CHARACTERS - 1]}{MASK}"
