"""What commands say about common mistakes and about the machine: each message says what to do."""

from __future__ import annotations

import errno
import socket
from io import StringIO
from pathlib import Path
from sqlite3 import OperationalError

import pytest
from rich.console import Console

from gong_assets.cli import output
from gong_assets.cli.errors import storage_problem
from gong_assets_tests.cli.command_line import CommandLine


def test_an_empty_statement_is_wrong_usage(tmp_path: Path) -> None:
    outcome = CommandLine(tmp_path).gong_assets("sql", " ; ")
    assert (outcome.code, list(tmp_path.iterdir())) == (2, [])
    assert "the SQL text is empty" in outcome.stderr


@pytest.mark.slow
def test_a_port_in_use_is_reported_before_anything_is_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        outcome = CommandLine(tmp_path).gong_assets("dev", "-p", port)
    assert (outcome.code, list(tmp_path.iterdir())) == (1, [])
    reason, advice = outcome.stderr.splitlines()
    assert f"Port {port} of 127.0.0.1 is in use" in reason
    assert "--port" in advice


@pytest.mark.slow
def test_a_home_that_cannot_be_written_is_reported_with_its_variable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    home = str(tmp_path / "file" / "home")
    outcome = CommandLine(tmp_path, {"GONG_ASSETS_HOME": home}).gong_assets("sync")
    assert outcome.code == 1
    assert home in outcome.stderr
    assert "Set GONG_ASSETS_HOME" in outcome.stderr


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/home/x.db"), "disk is full: /home/x.db"),
        (OperationalError("database or disk is full"), "disk is full"),
        (OSError(errno.EROFS, "Read-only file system", "/home"), "Cannot write /home: Read-only file system"),
        (OperationalError("attempt to write a readonly database"), "Set GONG_ASSETS_HOME"),
        (OSError(errno.ECONNREFUSED, "Connection refused"), None),
    ],
)
def test_a_full_or_read_only_disk_is_recognized_as_the_cause_of_an_error(
    error: Exception, words: str | None
) -> None:
    outer = RuntimeError("the run failed")
    outer.__cause__ = error
    problem = storage_problem(outer)
    assert problem is None if words is None else words in (problem or "")


@pytest.mark.slow
def test_the_home_and_the_variables_of_a_project_are_found_from_a_subdirectory(tmp_path: Path) -> None:
    (tmp_path / ".gong_assets").mkdir()
    (tmp_path / ".env").write_text("GONG_LOOKBACK_DAYS=0")
    below = tmp_path / "reports" / "2026"
    below.mkdir(parents=True)
    outcome = CommandLine(below, {"HOME": str(tmp_path.parent)}).gong_assets("local", "down")
    assert "GONG_LOOKBACK_DAYS" in outcome.stderr
    (tmp_path / ".env").unlink()
    CommandLine(below, {"HOME": str(tmp_path.parent)}).gong_assets("local", "down").succeeded()
    assert list(below.iterdir()) == [], "a second home was created"
    # A home in the user's home directory is not used by the directories below it.
    CommandLine(below, {"HOME": str(tmp_path)}).gong_assets("local", "down").succeeded()
    assert not (below / ".gong_assets" / "stack.json").exists()


def test_the_version_and_the_completion_of_a_shell(tmp_path: Path) -> None:
    assert CommandLine(tmp_path).gong_assets("--version").succeeded().stdout.startswith("gong-assets 0.")
    complete = {"_GONG_ASSETS_COMPLETE": "complete_bash", "COMP_WORDS": "gong-assets mig", "COMP_CWORD": "1"}
    assert CommandLine(tmp_path, complete).gong_assets().stdout.split() == ["migrate"]


def test_a_table_that_is_wider_than_the_terminal_is_printed_row_by_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Console(file=StringIO(), width=80, highlight=False)
    monkeypatch.setattr(output, "stdout", terminal)
    output.rows(["CALL_ID", "SUMMARY"], [["2127843305718879379", "word " * 30]], "table")
    lines = terminal.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert lines[0].split() == ["CALL_ID", "2127843305718879379"]
    assert lines[1].split()[0] == "SUMMARY"
    assert max(map(len, lines)) <= 80


def test_the_progress_is_shown_while_a_step_redirects_the_standard_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import os\n"
        "from gong_assets.cli import progress\n"
        "with progress.Progress() as progress:\n"
        "    os.dup2(os.open('step.err', os.O_CREAT | os.O_WRONLY), 2)\n"
        "    progress.message('dbt: stg_gong_calls')\n"
    )
    outcome = CommandLine(tmp_path).run("python", str(script)).succeeded()
    assert "dbt: stg_gong_calls" in outcome.stderr
    assert (tmp_path / "step.err").read_text() == ""
