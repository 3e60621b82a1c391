"""`local status` and `sql`, against a running local stack: what they print can be read by a program."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from gong_assets_tests.cli.command_line import CommandLine

ROWS = "SELECT 1 AS NUMBER, 'a \"b\", c; 😀' AS TEXT, NULL AS NOTHING UNION ALL SELECT 2, 'second\nline', NULL ORDER BY 1"


@pytest.fixture
def project(stack_home: Path, tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path, {"GONG_ASSETS_HOME": str(stack_home)})


def test_status_as_json_is_all_that_a_client_needs(project: CommandLine) -> None:
    status = project.gong_assets("local", "status", "--json").succeeded().json
    assert status["snowflake"].keys() == {
        "host",
        "port",
        "protocol",
        "account",
        "user",
        "password",
        "database",
        "schema",
    }
    assert (status["snowflake"]["database"], status["snowflake"]["schema"]) == ("SOPHIA_AI", "GONG_DATA")
    assert status["gong"]["base_url"].startswith("http://127.0.0.1:")


def test_status_in_words_is_whole_lines(project: CommandLine) -> None:
    lines = project.gong_assets("local", "status").succeeded().stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["snowflake", "user", "gong"]
    assert not [line for line in lines if line.rstrip().endswith(",")]


def test_status_of_a_stack_that_is_not_running_is_exit_1(tmp_path: Path) -> None:
    outcome = CommandLine(tmp_path).gong_assets("local", "status", "--json")
    assert outcome.code == 1
    assert outcome.stdout == ""
    assert "gong-assets local up" in outcome.stderr


def test_rows_as_json(project: CommandLine) -> None:
    assert project.gong_assets("sql", ROWS, "--format", "json").succeeded().json == [
        {"NUMBER": 1, "TEXT": 'a "b", c; 😀', "NOTHING": None},
        {"NUMBER": 2, "TEXT": "second\nline", "NOTHING": None},
    ]


def test_rows_as_csv(project: CommandLine) -> None:
    printed = project.gong_assets("sql", ROWS, "--format", "csv").succeeded().stdout
    assert list(csv.reader(io.StringIO(printed))) == [
        ["NUMBER", "TEXT", "NOTHING"],
        ["1", 'a "b", c; 😀', ""],
        ["2", "second\nline", ""],
    ]


def test_rows_as_a_table_with_their_number_beside_it(project: CommandLine) -> None:
    outcome = project.gong_assets("sql", "SELECT 1 AS NUMBER, '[bold]x[/]' AS TEXT").succeeded()
    assert outcome.stdout.split() == ["NUMBER", "TEXT", "1", "[bold]x[/]"]
    assert outcome.stderr.strip() == "1 row"


def test_no_rows_are_valid_output_in_each_format(project: CommandLine) -> None:
    nothing = "SELECT 1 AS NUMBER WHERE 1 = 0"
    assert project.gong_assets("sql", nothing, "--format", "json").succeeded().json == []
    assert project.gong_assets("sql", nothing, "--format", "table").succeeded().stderr.strip() == "0 rows"


def test_a_refused_statement_is_exit_1_and_a_line(project: CommandLine) -> None:
    outcome = project.gong_assets("sql", "SELECT * FROM NO_SUCH_TABLE")
    assert (outcome.code, outcome.stdout) == (1, "")
    assert outcome.stderr.startswith("error: ")
    refused, advice = outcome.stderr.splitlines()
    assert "NO_SUCH_TABLE" in refused
    assert "gong-assets sync" in advice


def test_a_question_before_the_first_run_says_what_to_do(project: CommandLine) -> None:
    outcome = project.gong_assets("analyze", "1")
    assert (outcome.code, outcome.stdout) == (1, "")
    refused, advice = outcome.stderr.splitlines()
    assert "VW_ENRICHED_GONG_CALLS" in refused
    assert "gong-assets sync" in advice


def test_a_long_row_into_a_pipe_is_a_line(project: CommandLine) -> None:
    outcome = project.gong_assets("sql", "SELECT REPEAT('word ', 200) || 'end' AS TEXT").succeeded()
    _, row = outcome.stdout.splitlines()
    assert row.split() == ["word"] * 200 + ["end"]


def test_what_a_terminal_would_obey_is_only_text(project: CommandLine) -> None:
    clear = "SELECT 'a' || CHR(27) || '[2Jb' AS TEXT"
    shown = project.gong_assets("sql", clear).succeeded().stdout
    assert "a[2Jb" in shown
    assert "\x1b" not in shown
    assert project.gong_assets("sql", clear, "--format", "json").succeeded().json == [{"TEXT": "a\x1b[2Jb"}]
