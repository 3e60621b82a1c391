"""A PostgreSQL server for tests, with its data in a temporary directory."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# PostgreSQL refuses to run as root.
_USER = "postgres" if hasattr(os, "getuid") and os.getuid() == 0 else None


def _binaries() -> Path:
    """Return the directory of the newest installed server; skip the test if there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    if postgres := shutil.which("postgres"):
        return Path(postgres).resolve().parent
    pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")


@contextmanager
def postgres_server() -> Iterator[int]:
    """Run a server until the block ends, and yield its port. Its user is `dagster`, without a password."""
    binaries = _binaries()
    # Not in pytest's directories, which only their owner can enter.
    directory = Path(tempfile.mkdtemp(prefix="postgres-"))
    if _USER:
        shutil.chown(directory, _USER)

    def run(command: str, *arguments: str) -> None:
        subprocess.run(
            [binaries / command, "-D", str(directory / "data"), *arguments],
            cwd=directory,
            user=_USER,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    run("initdb", "-U", "dagster", "-A", "trust", "--no-sync")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={directory} -c fsync=off"
    run("pg_ctl", "-w", "-l", str(directory / "log"), "-o", options, "start")
    try:
        yield port
    finally:
        run("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(directory)
