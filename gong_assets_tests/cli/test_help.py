"""Every command explains itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from gong_assets_tests.cli.command_line import CommandLine


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
        (("account",), ["COMPANY", "--limit", "--json", "next steps"]),
        (("mcp",), ["--http", "--host", "127.0.0.1", "--port", "8808", "this machine only"]),
        (("doctor",), ["--json", "what to do"]),
        (("demo",), ["--days"]),
        (("dev",), ["--port"]),
    ],
)
def test_help_names_what_a_command_does_and_takes(
    tmp_path: Path, command: tuple[str, ...], words: list[str]
) -> None:
    outcome = CommandLine(tmp_path, {"COLUMNS": "200"}).gong_assets(*command, "--help").succeeded()
    for word in words:
        assert word.lower() in outcome.stdout.lower()


def test_help_starts_nothing_and_leaves_nothing_behind(tmp_path: Path) -> None:
    CommandLine(tmp_path).gong_assets("sync", "--help").succeeded()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("sql",),
        ("coach", "--days", "0"),
        ("coach", "--days", "99999999999"),
        ("sql", "SELECT 1", "--format", "xml"),
        ("search", "x", "--limit", "1001"),
        ("search", "x", "--from-date", "yesterday"),
        ("search", "x", "--speaker", "anybody"),
        ("account",),
        ("mcp", "--port", "8808"),
    ],
)
def test_wrong_usage_is_exit_2_and_says_how_to_get_help(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    outcome = CommandLine(tmp_path).gong_assets(*arguments)
    assert outcome.code == 2
    assert "-h" in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert outcome.stdout == ""
