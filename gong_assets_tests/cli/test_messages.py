"""What commands say about common mistakes and about the machine: each message says what to do."""

from __future__ import annotations

import errno
import re
import socket
import subprocess
import sys
from io import StringIO
from pathlib import Path
from sqlite3 import OperationalError

import pytest
from rich.console import Console

import gong_assets
from gong_assets.cli import output, report_command
from gong_assets.cli.app import app
from gong_assets.cli.dagster_home import ensure_dagster_home
from gong_assets.cli.doctor.environment import check_settings
from gong_assets.cli.errors import CommandError, exit_code, message, storage_problem
from gong_assets.settings import Settings, SettingsError
from gong_assets_tests.cli.command_line import CommandLine


def test_the_role_of_provision_sql_is_one_of_those_that_run_statements(tmp_path: Path) -> None:
    outcome = CommandLine(tmp_path).gong_assets("provision", "sql", "--role", "NOPE")
    assert (outcome.code, outcome.stdout) == (2, "")
    assert "'NOPE' is not one of USERADMIN, SYSADMIN, SECURITYADMIN, ACCOUNTADMIN" in outcome.stderr
    assert (
        "USE ROLE SYSADMIN"
        in CommandLine(tmp_path).gong_assets("provision", "sql", "--role", "sysadmin").stdout
    )


def test_an_empty_statement_is_wrong_usage(tmp_path: Path) -> None:
    outcome = CommandLine(tmp_path).gong_assets("sql", " ; ")
    assert (outcome.code, list(tmp_path.iterdir())) == (2, [])
    assert "the SQL text is empty" in outcome.stderr


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--email", "zelda", "--email is not an e-mail address"),
        ("--email", " ", "--email is empty"),
        ("--phone", "555", "--phone is not a phone number"),
        ("--crm-id", "", "--crm-id is empty"),
    ],
)
def test_an_erasure_names_the_option_that_cannot_identify_anybody(
    tmp_path: Path, option: str, value: str, words: str
) -> None:
    outcome = CommandLine(tmp_path).gong_assets("erase", "--call", "1", "--delete", option, value)
    assert (outcome.code, outcome.stdout, list(tmp_path.iterdir())) == (2, "", [])
    assert words in outcome.stderr


def test_no_message_names_a_target_of_make_which_a_wheel_lacks() -> None:
    package = Path(gong_assets.__file__).parent
    told = re.compile(r"`make (dev|demo|test|build|audit)`")
    assert [path.name for path in package.rglob("*.py") if told.search(path.read_text("utf-8"))] == []


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
def test_a_wrong_cron_expression_is_reported_before_anything_is_started(tmp_path: Path) -> None:
    wrong = CommandLine(tmp_path, {"GONG_ASSETS_INGESTION_CRON": "61 * * * *"})
    outcome = wrong.gong_assets("dev")
    assert (outcome.code, list(tmp_path.iterdir())) == (2, [])
    (line,) = outcome.stderr.splitlines()
    assert line.startswith("error: GONG_ASSETS_INGESTION_CRON: '61 * * * *' is not a cron expression")


def test_the_doctor_checks_the_cron_expressions(tmp_path: Path) -> None:
    (found,) = check_settings(Settings(gong_assets_home=tmp_path, gong_assets_hubspot_cron="hourly"))
    assert found.status == "fail"
    assert "GONG_ASSETS_HUBSPOT_CRON: 'hourly' is not a cron expression" in found.message


@pytest.mark.slow
def test_a_home_that_cannot_be_written_is_reported_with_its_variable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    home = str(tmp_path / "file" / "home")
    outcome = CommandLine(tmp_path, {"GONG_ASSETS_HOME": home}).gong_assets("sync")
    assert outcome.code == 1
    assert home in outcome.stderr
    assert "Set GONG_ASSETS_HOME" in outcome.stderr


@pytest.mark.parametrize(
    ("home", "reason"),
    [("state", "is a relative path; use {here}/state"), ("{here}/state", "is not a directory; create it")],
)
def test_a_dagster_home_that_dagster_refuses_is_wrong_usage(
    home: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    home = home.format(here=tmp_path)
    with pytest.raises(SettingsError) as raised:
        ensure_dagster_home(Settings(dagster_home=Path(home)))
    assert exit_code(raised.value) == 2
    assert message(raised.value).startswith(f"DAGSTER_HOME: {home} {reason.format(here=tmp_path)}")


@pytest.mark.parametrize(
    "command",
    [
        ("provision", "dcm", "{file}/project"),
        ("provision", "dcm", "/proc/project"),
        ("report", "-o", "/proc/x/y"),
    ],
)
def test_a_path_of_the_user_that_cannot_be_written_is_one_line(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_command, "_figures", lambda *_: None)
    monkeypatch.setattr("gong_assets.defs.health.page.html_report", lambda _: "")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(CommandError) as raised:
        app([part.format(file=tmp_path / "file") for part in command], standalone_mode=False)
    assert exit_code(raised.value) == 1
    text = message(raised.value)
    assert text.startswith(f"Cannot write {command[-1].format(file=tmp_path / 'file')}")
    assert "GONG_ASSETS_HOME" not in text
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize(
    ("file", "has_advice"),
    [("home/dagster/dagster.yaml", True), ("home", True), (".", True), ("other/report.html", False)],
)
def test_another_home_is_advised_only_for_files_of_the_home(
    file: str, has_advice: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GONG_ASSETS_HOME", str(tmp_path / "home"))
    problem = storage_problem(OSError(errno.EACCES, "Permission denied", str(tmp_path / file)))
    assert problem is not None
    assert ("Set GONG_ASSETS_HOME" in problem) is has_advice


def test_a_closed_standard_output_is_like_the_null_device(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("gong-assets")
    for stream in ("1", "2", "0 1 2"):
        closed = " ".join(f"{number}>&-" for number in stream.split())
        command = f"{program} provision sql {closed}"
        finished = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True)
        assert (finished.returncode, finished.stderr) == (0, ""), stream


def test_a_subprocess_inherits_the_null_device_for_a_closed_stream(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys; from gong_assets.cli.streams import prepare_streams; prepare_streams()\n"
        "listed = [sys.executable, '-c', 'import os; os.fstat(1)']\n"
        "sys.exit(subprocess.run(listed, stderr=subprocess.DEVNULL).returncode)"
    )
    command = f'{sys.executable} -c "{script}" >&-'
    assert subprocess.run(["sh", "-c", command], cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/home/x.db"), "disk is full: /home/x.db"),
        (OperationalError("database or disk is full"), "disk is full"),
        (OSError(errno.EROFS, "Read-only file system", "/home"), "Cannot write /home: Read-only file system"),
        (OperationalError("attempt to write a readonly database"), "Set GONG_ASSETS_HOME"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk is full: a file"),
        (OSError(errno.ECONNREFUSED, "Connection refused"), None),
        (OSError(errno.EACCES, "Permission denied (while attempting to bind)"), None),
        (OSError(errno.EPERM, "Operation not permitted"), None),
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
