"""Each way in which a text is written out, with all hostile samples."""

from __future__ import annotations

import json
import logging
import re

import pytest
from markdown_it import MarkdownIt

from gong_assets.security.logs import OneLineFormatter
from gong_assets.security.texts import (
    csv_cell,
    markdown,
    markdown_code,
    one_line,
    printable,
    visible_json,
)
from gong_assets_tests.hostile import SAMPLES, VISIBLE

hostile = pytest.mark.parametrize("text", SAMPLES.values(), ids=SAMPLES)


@hostile
def test_a_terminal_gets_no_control_characters(text: str) -> None:
    for shown in (printable(text), one_line(text)):
        assert all(line.isprintable() for line in shown.split("\n"))
        assert VISIBLE in shown
    assert "\n" not in one_line(text)


@hostile
def test_a_spreadsheet_gets_no_formula(text: str) -> None:
    cell = csv_cell(text)
    assert VISIBLE in cell
    assert cell == printable(cell)
    assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))


def test_a_cell_without_a_formula_is_unchanged() -> None:
    for text in ("", "price", "a=b", "1-2", "5", "a@b.example", "'quoted'", "two\nlines"):
        assert csv_cell(text) == text


def rendered(text: str) -> str:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text)


@hostile
def test_markdown_shows_the_text_and_nothing_else(text: str) -> None:
    html = rendered(markdown(text))
    inner = html.removeprefix("<p>").removesuffix("</p>\n")
    assert "<" not in inner, html
    assert VISIBLE in inner
    # Without the spaces of no width, the reader sees the text itself.
    plain = inner.replace("\u200b", "").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"')
    assert plain.replace("&amp;", "&") == one_line(text)
    assert not re.search(r"https?:|www\.|\w@\w", inner)
    row = rendered(f"| a | b |\n|---|---|\n| {markdown(text)} | end |")
    assert row.count("<td>") == 2, row


@hostile
def test_a_block_of_code_ends_where_it_should(text: str) -> None:
    html = rendered(f"{markdown_code(text, 'sql')}\n\nafter")
    assert html.startswith('<pre><code class="language-sql">')
    assert html.endswith("</code></pre>\n<p>after</p>\n")
    assert html.count("<") == 6


@hostile
def test_json_keeps_the_text_and_shows_every_character(text: str) -> None:
    for indent in (None, 2):
        document = visible_json(json.dumps({"text": text}, ensure_ascii=False, indent=indent))
        assert json.loads(document) == {"text": text}
        assert all(line.isprintable() for line in document.split("\n"))


@hostile
def test_a_log_record_is_one_line(text: str) -> None:
    record = logging.LogRecord("name", logging.WARNING, "file.py", 1, "rejected %s", (text,), None)
    line = OneLineFormatter().format(record)
    assert line.isprintable()
    assert VISIBLE in line
    try:
        raise ValueError(text)
    except ValueError as error:
        record.exc_info = (ValueError, error, error.__traceback__)
    first, *others = OneLineFormatter().format(record).split("\n")
    assert first == line
    assert others
    assert all(other.isprintable() and other.startswith("    ") for other in others)
