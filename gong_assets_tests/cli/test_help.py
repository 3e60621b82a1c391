"""Help texts and usage errors of every command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from gong_assets.cli.app import app
from gong_assets_tests.cli.command_line import CommandLine

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (
            (),
            [
                "sync",
                "local",
                "sql",
                "coach",
                "analyze",
                "search",
                "account",
                "mcp",
                "doctor",
                "demo",
                "dev",
                "SNOWFLAKE_ACCOUNT",
            ],
        ),
        (
            ("sync",),
            [
                "--mode",
                "incremental",
                "backfill",
                "--from-date",
                "--to-date",
                "inclusive",
                "--no-transcripts",
            ],
        ),
        (("local",), ["up", "down", "status", "127.0.0.1"]),
        (("local", "status"), ["--json", "exit 1"]),
        (("sql",), ["--format", "table", "json", "csv"]),
        (("coach",), ["--days", "--limit", "--json", "worst first"]),
        (("analyze",), ["CALL_ID", "--json", "time order"]),
        (
            ("search",),
            [
                "TEXT",
                "--limit",
                "--min-similarity",
                "--from-date",
                "--to-date",
                "--rep",
                "--deal",
                "--speaker",
                "--min-words",
                "--context",
                "--json",
                "meaning",
            ],
        ),
        (("find",), ["RECORD_TYPE", "NAME", "--limit", "--page", "best matches first"]),
        (("calls",), ["--from-date", "--rep", "--deal", "--company", "--page", "newest first"]),
        (("transcript",), ["CALL_ID", "--limit", "--page", "time order"]),
        (("deals",), ["--level", "--owner", "--page", "risk indicators"]),
        (("account",), ["COMPANY", "--limit", "--json", "next steps"]),
        (("mcp",), ["--http", "--host", "127.0.0.1", "--port", "8808", "this machine only", "/health"]),
        (("doctor",), ["--json", "what to do"]),
        (("demo",), ["--days"]),
        (("dev",), ["--port"]),
    ],
)
def test_help_describes_each_command_and_its_options(
    command: tuple[str, ...],
    words: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as ended:
        app([*command, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out.lower()
    for word in words:
        assert word.lower() in text


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the path and the command of each command and group."""
    yield path, command
    for name, each in getattr(command, "commands", {}).items():
        yield from commands(each, (*path, name))


@pytest.mark.parametrize(("path", "command"), commands(typer.main.get_command(app)))
def test_no_name_or_text_is_shortened_in_a_narrow_terminal(
    path: tuple[str, ...], command: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        app([*path, "--help"])
    lines = capsys.readouterr().out.splitlines()
    words = " ".join(lines).split()
    assert "…" not in "".join(lines)
    assert max(map(len, lines)) <= 80
    for parameter in command.params:
        assert {option.lstrip("-") for option in parameter.opts} <= {word.strip(" ,-") for word in words}
        # Lines are broken between words only.
        assert set((getattr(parameter, "help", None) or "").split()) <= set(words)
    assert " ".join((command.help or "").split()) in " ".join(words)


def test_commands_are_listed_by_panel(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        app(["--help"])
    headings = [line for line in capsys.readouterr().out.splitlines() if line.endswith(":")]
    assert headings == ["Options:", "Run the graph:", "Read the tables:", "Operate:", "Set up:"]


def test_help_starts_nothing_and_writes_no_file(tmp_path: Path) -> None:
    CommandLine(tmp_path).gong_assets("sync", "--help").succeeded()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("sql",),
        ("coach", "--days", "0"),
        ("coach", "--days", "99999999999"),
        ("sql", "SELECT 1", "--format", "xml"),
        ("sql", "SELECT 1", "--bogus"),
        ("local", "nonsense"),
        ("search", "x", "--limit", "0"),
        ("search", "x", "--limit", "1001"),
        ("search", "x", "--from-date", "yesterday"),
        ("search", "x", "--speaker", "anybody"),
        ("account",),
        ("find",),
        ("find", "customer"),
        ("deals", "--level", "none"),
        ("mcp", "--port", "8808"),
    ],
)
def test_wrong_usage_exits_with_2_and_prints_the_reason_and_how_to_get_help(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    outcome = CommandLine(tmp_path).gong_assets(*arguments)
    assert (outcome.code, outcome.stdout) == (2, "")
    reason, help_line = outcome.stderr.splitlines()
    assert reason.startswith("error: ")
    assert "Value error" not in reason
    assert "--help" in help_line


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("search", ""), "text: should not be blank"),
        (("search", "x" * 1501), "text: string should have at most 1500 characters"),
        (("search", "x", "--rep", ""), "rep: should not be blank"),
        (
            ("search", "x", "--from-date", "2026-11-25", "--to-date", "2026-11-01"),
            "is after to_date 2026-11-01",
        ),
        (("search", "x", "--limit", "1000", "--context", "20"), "could return 41,000 turns"),
        (("search", "x", "--min-similarity", "nan"), "min_similarity: input should be a finite number"),
        (("search", "x", "--min-similarity", "2"), "min_similarity: input should be less than or equal to 1"),
        (("analyze", ""), "call_id: should not be blank"),
        (("account", " "), "company: should not be blank"),
    ],
)
def test_an_invalid_argument_exits_with_2_and_one_line_and_starts_nothing(
    tmp_path: Path, arguments: tuple[str, ...], reason: str
) -> None:
    outcome = CommandLine(tmp_path).gong_assets(*arguments)
    assert (outcome.code, outcome.stdout) == (2, "")
    (line,) = outcome.stderr.splitlines()
    assert line.startswith("error: ")
    assert reason in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("group", [(), ("local",)])
def test_a_command_group_without_a_command_prints_its_help_and_exits_with_2(
    tmp_path: Path, group: tuple[str, ...]
) -> None:
    outcome = CommandLine(tmp_path).gong_assets(*group)
    assert (outcome.code, outcome.stderr) == (2, "")
    assert "Usage:" in outcome.stdout
