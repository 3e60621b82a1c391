"""Commands whose output cannot be written: a pipe that its reader has closed, or a full disk."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("gong-assets")

# The display of a run, and a line of dbt while the output of Dagster is redirected.
PROGRESS = """
from contextlib import redirect_stdout

from gong_assets.cli.graph_run import _DbtOutput
from gong_assets.cli.output import note
from gong_assets.cli.progress import Progress
from gong_assets.cli.streams import prepare_streams

prepare_streams()
with Progress() as progress, redirect_stdout(_DbtOutput(progress)):
    progress.message("loading the graph")
    note("a note")
    print("1 of 2 START sql table model GONG_DATA.stg_gong_calls .")
print("done")
"""


@pytest.fixture
def unread_pipe() -> Iterator[int]:
    """The end to write of a pipe whose reader has closed its end."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.fixture
def full_disk() -> Iterator[int]:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    yield descriptor
    os.close(descriptor)


@pytest.mark.parametrize("command", [("provision", "sql"), ("--help",), ("--version",)])
def test_a_reader_that_leaves_does_not_change_the_exit_code(
    command: tuple[str, ...], unread_pipe: int, tmp_path: Path
) -> None:
    finished = subprocess.run(
        [PROGRAM, *command], cwd=tmp_path, stdout=unread_pipe, stderr=subprocess.PIPE, check=False
    )
    assert (finished.returncode, finished.stderr) == (0, b"")


@pytest.mark.parametrize("stderr", ["unread_pipe", "full_disk"])
def test_a_command_that_fails_keeps_its_exit_code_if_its_message_cannot_be_written(
    stderr: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    descriptor = request.getfixturevalue(stderr)
    finished = subprocess.run([PROGRAM, "nonsense"], cwd=tmp_path, stderr=descriptor, check=False)
    assert finished.returncode == 2


@pytest.mark.parametrize("stderr", ["unread_pipe", "full_disk"])
def test_the_display_of_a_run_never_fails_it(stderr: str, request: pytest.FixtureRequest) -> None:
    descriptor = request.getfixturevalue(stderr)
    finished = subprocess.run(
        [sys.executable, "-c", PROGRESS], stdout=subprocess.PIPE, stderr=descriptor, check=False
    )
    assert (finished.returncode, finished.stdout) == (0, b"done\n")


def test_a_result_that_a_full_disk_does_not_store_is_one_error(full_disk: int, tmp_path: Path) -> None:
    finished = subprocess.run(
        # Less than a buffer of output.
        [PROGRAM, "provision", "sql", "--role", "useradmin"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        stdout=full_disk,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    (line,) = finished.stderr.splitlines()
    assert (finished.returncode, line[:25]) == (1, "error: The disk is full: ")


def test_a_full_pipe_that_does_not_block_receives_the_whole_result(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    os.write(writing, b" " * 65_536)
    with subprocess.Popen([PROGRAM, "provision", "sql"], cwd=tmp_path, stdout=writing) as process:
        os.close(writing)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(5)
        with os.fdopen(reading) as output:
            text = output.read()
    assert process.returncode == 0
    assert text.rstrip().endswith(";")
