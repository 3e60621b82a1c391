"""Every place at which a text of others leaves the package, with all hostile samples."""

from __future__ import annotations

import ast
import asyncio
import csv
import io
import json
import logging
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest
from markdown_it import MarkdownIt

import gong_assets
from gong_assets import agents
from gong_assets.agents.http_access import Access, SignIn, audit_log
from gong_assets.agents.mcp_tools import NOTICE, _tool
from gong_assets.cli import answers, output
from gong_assets.cli.progress import Progress
from gong_assets.dates import DateRange
from gong_assets.defs.alerts.channels import Email
from gong_assets.defs.alerts.ledger import Entry, Problem
from gong_assets.defs.alerts.messages import Message, body, messages
from gong_assets.defs.alerts.runs import Texts
from gong_assets.defs.checks.results import Finding
from gong_assets.defs.health.figures import DayFigures, FunctionCost, HealthWindow, PipelineFigures
from gong_assets.defs.health.markdown import markdown_report
from gong_assets.defs.health.page import html_report
from gong_assets.gong.errors import GongServerError
from gong_assets.warehouse.errors import WarehouseQueryFailed
from gong_assets_tests.defs.alerts.receivers import mail_server
from gong_assets_tests.hostile import SAMPLES, VISIBLE, filled

hostile = pytest.mark.parametrize("text", SAMPLES.values(), ids=SAMPLES)


def hostile_answers(text: str) -> list[tuple[agents.Answer, Any]]:
    """Return each kind of answer with the text in all of its fields, and the function that prints it."""
    turn = filled(agents.Segment, text)
    hit = filled(agents.SimilarSegment, text, context_before=[turn], context_after=[turn])
    calls = [filled(agents.TimelineCall, text)]
    return [
        (filled(agents.SimilarSegments, text, segments=[hit], next_page=None), answers.segments),
        (filled(agents.CallAnalysis, text, risk_segments=[turn], next_page=None), answers.analysis),
        (filled(agents.AccountTimeline, text, calls=calls, next_page=None), answers.account),
        (filled(agents.Calls, text, calls=[filled(agents.Call, text)], next_page=None), answers.calls),
        (filled(agents.Transcript, text, turns=[turn], next_page=None), answers.transcript),
        (
            filled(agents.Records, text, records=[filled(agents.Record, text)], next_page=None),
            answers.records,
        ),
        (
            filled(agents.DealsAtRisk, text, deals=[filled(agents.DealAtRisk, text)], next_page=None),
            answers.deals,
        ),
        (
            filled(
                agents.CoachingOpportunities,
                text,
                calls=[filled(agents.CoachingOpportunity, text)],
                next_page=None,
            ),
            answers.coaching,
        ),
    ]


def assert_harmless(printed: str) -> None:
    lines = printed.split("\n")
    assert all(line.isprintable() for line in lines), printed
    assert not [line for line in lines if line.startswith(("error: forged", "2026-01-01", "Bcc:"))], printed
    assert VISIBLE in printed
    assert "💀" not in printed


@hostile
def test_answers_in_the_terminal(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = text.encode(errors="replace").decode()
    for answer, show in hostile_answers(text):
        show(answer)
        assert_harmless(capsys.readouterr().out)


@hostile
def test_tables_lines_and_progress_in_the_terminal(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = text.encode(errors="replace").decode()
    output.table((text, "b"), [(text, "x")])
    output.rows([text], [[text]], "table")
    output.line(text)
    output.heading(text)
    output.audit({"by_day": [{"day": text}], "ids": {"missing": [text]}, "note": text})
    assert_harmless(capsys.readouterr().out)
    with Progress() as progress:
        progress.run_started(DateRange.single(datetime(2026, 3, 1, tzinfo=UTC).date()))
        progress.message(text)
    assert_harmless(capsys.readouterr().err)


@hostile
def test_errors_in_the_terminal_and_in_logs(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = text.encode(errors="replace").decode()
    for error in (WarehouseQueryFailed(text), GongServerError(text, status=500, errors=(text,))):
        assert str(error).isprintable()
        output.error(str(error))
        output.note(str(error))
        assert_harmless(capsys.readouterr().err)


@hostile
def test_csv_and_json_of_a_query(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = text.encode(errors="replace").decode()
    output.rows([text, "N"], [[text, -5]], "csv")
    (column, _), (cell, number) = csv.reader(io.StringIO(capsys.readouterr().out))
    for each in (column, cell):
        assert not each.lstrip().startswith(("=", "+", "-", "@", "＝"))
        assert VISIBLE in each
    assert number == "-5"
    output.rows([text], [[text]], "json")
    printed = capsys.readouterr().out
    assert json.loads(printed) == [{text: text}]
    assert all(line.isprintable() for line in printed.split("\n"))


@hostile
def test_mcp_answers_are_marked_and_quote_every_text(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = text.encode(errors="replace").decode()
    for answer, show in hostile_answers(text):
        document = _tool(lambda answer=answer: answer)()
        assert document.startswith(f'{{"content_notice":"{NOTICE}"')
        assert document.isprintable()  # One line, in which no character is hidden.
        parsed = json.loads(document)
        assert parsed.pop("content_notice") == NOTICE
        assert parsed == json.loads(answer.model_dump_json(exclude_none=True))
        answers.show(answer, show, as_json=True)
        assert all(line.isprintable() for line in capsys.readouterr().out.split("\n"))


def figures(text: str) -> PipelineFigures:
    return PipelineFigures(
        days=[DayFigures(datetime(2026, 3, 1, tzinfo=UTC).date(), 1, 1, 1)],
        computed_at=datetime(2026, 3, 2),
        windows=[
            HealthWindow("Last 7 Days", text, 1, 0.1, None, None, None, 0, 0),
            HealthWindow(text, text, 1, 0.1, None, None, None, 0, 0),
        ],
        costs=[FunctionCost(text, 1, 1, 1.0)],
        unavailable=[text],
    )


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags(html: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return the elements of a page, with the names of their attributes."""
    parser = _Tags()
    parser.feed(html)
    return [(tag, tuple(attributes)) for tag, attributes in parser.found]


def markdown_tags(document: str) -> list[tuple[str, tuple[str, ...]]]:
    return tags(MarkdownIt("commonmark", {"html": True}).enable("table").render(document))


@hostile
def test_the_health_report(text: str) -> None:
    text = text.encode(errors="replace").decode()
    assert tags(html_report(figures(text))) == tags(html_report(figures(VISIBLE)))
    assert VISIBLE in html_report(figures(text))
    assert markdown_tags(markdown_report(figures(text))) == markdown_tags(markdown_report(figures(VISIBLE)))


@hostile
def test_the_metadata_of_a_check(text: str) -> None:
    key = dg.AssetCheckKey(dg.AssetKey("a"), "check")
    result = Finding(1, [text], f"SELECT '{text}'", text).result(key)
    entries = result.metadata
    assert isinstance(entries["ids"], dg.JsonMetadataValue)
    assert entries["what_to_do"] == dg.MetadataValue.text(text)
    assert markdown_tags(str(entries["query"].value)) == [("pre", ()), ("code", ("class",))]


def test_only_five_entries_of_metadata_are_markdown_and_none_is_a_link() -> None:
    """A new entry must be a function of `texts.py` too: Dagster shows other kinds as plain text."""
    found = []
    for path in Path(gong_assets.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and ast.unparse(node.func.value).endswith("MetadataValue")
                and node.func.attr in ("md", "url", "notebook")
            ):
                found.append((node.func.attr, ast.unparse(node.args[0]).partition("(")[0]))
    assert sorted(found) == [*[("md", "markdown_code")] * 4, ("md", "markdown_report")]


def alert(text: str) -> Message:
    entry = Entry(
        Problem(key="k", kind="run", name=text, reason=Texts().shown(text), advice="Look.", path="/runs/1"),
        datetime(2026, 3, 1, tzinfo=UTC),
        datetime(2026, 3, 1, tzinfo=UTC),
    )
    (message,) = messages([entry], "https://dagster.acme.example")
    return message


@hostile
def test_alerts_to_slack_teams_and_logs(text: str) -> None:
    message = alert(text)
    assert message.headline.isprintable()
    assert all(line.isprintable() for line in message.text.split("\n"))
    slack = body(message, "slack")
    texts = [slack["text"], *(block["text"]["text"] for block in slack["blocks"] if "text" in block)]
    for shown in texts:
        content = shown.removeprefix("```").removesuffix("```")
        assert "<" not in content
        assert ">" not in content
        assert "```" not in content
    assert all(block["text"]["verbatim"] for block in slack["blocks"] if "text" in block)
    teams = body(message, "teams")["attachments"][0]["content"]
    assert {each["type"] for each in teams["body"]} == {"RichTextBlock"}
    assert [each["url"] for each in teams["actions"]] == ["https://dagster.acme.example/runs/1"]
    assert all(line.isprintable() for line in body(message, "json")["text"].split("\n"))


def test_alerts_by_e_mail() -> None:
    with mail_server() as (url, received):
        channel = Email(url, "gong@acme.example", ("data@acme.example",))
        for text in SAMPLES.values():
            channel.send(alert(text.encode(errors="replace").decode()))
    assert len(received) == len(SAMPLES)
    for mail in received:
        assert (mail["To"], mail["Bcc"], mail.is_multipart()) == ("data@acme.example", None, False)
        assert VISIBLE in mail["Subject"]


@hostile
def test_the_audit_log_of_the_mcp_server(text: str, tmp_path: Path) -> None:
    text = text.encode(errors="replace").decode()

    async def answering(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def ask() -> None:
        app = Access(answering, SignIn(), audit_log(tmp_path / "audit.log"))
        parameters = {"name": text, "arguments": {text: text}}
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://localhost"
        ) as client:
            await client.post("/mcp", json={"method": text, "params": parameters})

    asyncio.run(ask())
    (line,) = (tmp_path / "audit.log").read_text().splitlines()
    assert line.isprintable()
    assert json.loads(line)["method"] == text


@hostile
def test_the_name_of_no_file_is_a_text_of_others(text: str, tmp_path: Path) -> None:
    from gong_assets.agents.tokens import TokenError, Tokens

    with pytest.raises(TokenError):
        Tokens(tmp_path / "tokens.json").add(text)
    assert not [path for path in tmp_path.iterdir() if VISIBLE in path.name]


def test_the_log_of_a_server_is_one_line_for_each_record(capsys: pytest.CaptureFixture[str]) -> None:
    from gong_assets.security.logs import OneLineFormatter

    handler = logging.StreamHandler()
    handler.setFormatter(OneLineFormatter())
    logger = logging.Logger("test")
    logger.addHandler(handler)
    for text in SAMPLES.values():
        logger.warning("Rejected a request: %s", text)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(SAMPLES)
    assert all(" WARNING Rejected a request: " in line for line in lines)
