"""`local status` and `sql` on a running local stack. Programs can read their output."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from gong_assets_tests.cli.command_line import CommandLine

ROWS = (
    "SELECT 1 AS NUMBER, 'a \"b\", c; 😀' AS TEXT, NULL AS NOTHING "
    "UNION ALL SELECT 2, 'second\nline', NULL ORDER BY 1"
)


@pytest.fixture
def project(stack_home: Path, tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path, {"GONG_ASSETS_HOME": str(stack_home)})


def test_status_as_json_has_everything_that_a_client_needs(project: CommandLine) -> None:
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


@pytest.mark.slow
def test_the_database_and_the_schema_of_the_settings_are_used(project: CommandLine) -> None:
    elsewhere = project.with_variables(SNOWFLAKE_DATABASE="SALES", SNOWFLAKE_SCHEMA="CALLS")
    status = elsewhere.gong_assets("local", "status", "--json").succeeded().json
    assert (status["snowflake"]["database"], status["snowflake"]["schema"]) == ("SALES", "CALLS")
    query = "SELECT CURRENT_DATABASE() AS D, CURRENT_SCHEMA() AS S"
    assert elsewhere.gong_assets("sql", query, "--format", "json").succeeded().json == [
        {"D": "SALES", "S": "CALLS"}
    ]


def test_status_as_text_has_complete_lines(project: CommandLine) -> None:
    lines = project.gong_assets("local", "status").succeeded().stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["snowflake", "user", "gong"]
    assert not [line for line in lines if line.rstrip().endswith(",")]


def test_status_exits_with_1_if_the_stack_is_not_running(tmp_path: Path) -> None:
    outcome = CommandLine(tmp_path).gong_assets("local", "status", "--json")
    assert outcome.code == 1
    assert outcome.stdout == ""
    assert "gong-assets local up" in outcome.stderr


@pytest.mark.slow
def test_sql_prints_json(project: CommandLine) -> None:
    assert project.gong_assets("sql", ROWS, "--format", "json").succeeded().json == [
        {"NUMBER": 1, "TEXT": 'a "b", c; 😀', "NOTHING": None},
        {"NUMBER": 2, "TEXT": "second\nline", "NOTHING": None},
    ]


@pytest.mark.slow
def test_sql_prints_csv(project: CommandLine) -> None:
    printed = project.gong_assets("sql", ROWS, "--format", "csv").succeeded().stdout
    assert list(csv.reader(io.StringIO(printed))) == [
        ["NUMBER", "TEXT", "NOTHING"],
        ["1", 'a "b", c; 😀', ""],
        ["2", "second\nline", ""],
    ]


@pytest.mark.slow
def test_csv_has_no_formulas_and_no_control_characters(project: CommandLine) -> None:
    query = "SELECT '=1+1' AS A, ' @SUM(A1)' AS B, -5 AS C, 'a' || CHR(27) || '[31mred' AS D, '-' AS E"
    printed = project.gong_assets("sql", query, "--format", "csv").succeeded().stdout
    assert list(csv.reader(io.StringIO(printed)))[1] == ["'=1+1", "' @SUM(A1)", "-5", "a[31mred", "'-"]


@pytest.mark.slow
def test_sql_prints_a_table_and_the_row_count_to_stderr(project: CommandLine) -> None:
    outcome = project.gong_assets("sql", "SELECT 1 AS NUMBER, '[bold]x[/]' AS TEXT").succeeded()
    assert outcome.stdout.split() == ["NUMBER", "TEXT", "1", "[bold]x[/]"]
    assert outcome.stderr.strip() == "1 row"


@pytest.mark.slow
def test_an_empty_result_is_valid_output_in_each_format(project: CommandLine) -> None:
    empty = "SELECT 1 AS NUMBER WHERE 1 = 0"
    assert project.gong_assets("sql", empty, "--format", "json").succeeded().json == []
    assert project.gong_assets("sql", empty, "--format", "table").succeeded().stderr.strip() == "0 rows"


@pytest.mark.slow
def test_a_failed_statement_exits_with_1_and_an_error_with_advice(project: CommandLine) -> None:
    outcome = project.gong_assets("sql", "SELECT * FROM NO_SUCH_TABLE")
    assert (outcome.code, outcome.stdout) == (1, "")
    assert outcome.stderr.startswith("error: ")
    reason, advice = outcome.stderr.splitlines()
    assert "NO_SUCH_TABLE" in reason
    assert "gong-assets sync" in advice


@pytest.mark.slow
def test_a_query_before_the_first_run_says_what_to_do(stack_home: Path, tmp_path: Path) -> None:
    # Other tests build views in the default schema of this stack.
    empty = {"GONG_ASSETS_HOME": str(stack_home), "SNOWFLAKE_SCHEMA": "NO_RUN_YET"}
    outcome = CommandLine(tmp_path, empty).gong_assets("analyze", "1")
    assert (outcome.code, outcome.stdout) == (1, "")
    reason, advice = outcome.stderr.splitlines()
    assert "VW_ENRICHED_GONG_CALLS" in reason
    assert "gong-assets sync" in advice


@pytest.mark.slow
def test_a_long_row_is_one_line_in_a_pipe(project: CommandLine) -> None:
    outcome = project.gong_assets("sql", "SELECT REPEAT('word ', 200) || 'end' AS TEXT").succeeded()
    _, row = outcome.stdout.splitlines()
    assert row.split() == ["word"] * 200 + ["end"]


@pytest.mark.slow
def test_terminal_control_sequences_are_not_printed(project: CommandLine) -> None:
    clear = "SELECT 'a' || CHR(27) || '[2Jb' AS TEXT"
    shown = project.gong_assets("sql", clear).succeeded().stdout
    assert "a[2Jb" in shown
    assert "\x1b" not in shown
    assert project.gong_assets("sql", clear, "--format", "json").succeeded().json == [{"TEXT": "a\x1b[2Jb"}]
