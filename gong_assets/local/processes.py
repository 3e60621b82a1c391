"""Start, find, health-check and stop detached server processes.

A process counts as one of the stack's only if its environment names the home of the stack, or if it is the
recorded start of its process id, because process ids are reused.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zlib import crc32

import psutil

HOST = "127.0.0.1"
HOME_VARIABLE = "GONG_ASSETS_LOCAL_STACK"  # in the environment of every server: the home of its stack

FIRST_PORT, PORTS = 20_000, 10_000  # below the ephemeral ports of common systems
START_SECONDS = 120.0  # a cold start of the warehouse on a busy two-core machine takes up to 30
ANSWER_SECONDS = 30.0  # a healthy server may take this long to respond under load
GRACE_SECONDS = 10.0  # between SIGTERM and SIGKILL, for a checkpoint
POLL_SECONDS = 0.05
LOG_LINES = 8  # shown in the error after a failed start

# The variables that a server gets from the environment of its starter. All others, such as the credentials of
# Gong and Snowflake, stay out of its environment, which other programs of the user can read.
ENVIRONMENT = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP"),
        *("LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "VIRTUAL_ENV"),
    }
)
ENVIRONMENT_PREFIXES = ("LC_", "PYTHON", "OMP_", "FAKETIME", "GONG_ASSETS_LOCAL_")

# Children of this process, so that ended ones are reaped when the next one is started.
_children: list[subprocess.Popen[bytes]] = []


class ServerError(Exception):
    """A server failed to start. The message includes the end of its log."""


@dataclass(frozen=True)
class Server:
    """The recorded values of a running server."""

    service: str
    pid: int
    start: str  # see `start_of`
    port: int

    def process(self) -> psutil.Process | None:
        """Return its process, or None if it ended, even if its process id is in use again."""
        try:
            process = psutil.Process(self.pid)
            is_same = start_of(self.pid) == self.start and _is_running(process)
        except psutil.Error:
            return None
        return process if is_same else None

    def is_healthy(self) -> bool:
        """Return whether this process responds on its port."""
        return self.process() is not None and health(self.port) == (self.service, self.pid)


def start_of(pid: int) -> str:
    """Return a text that differs for each start of a process with this id; raises psutil.NoSuchProcess.

    On Linux it is the number of clock ticks from the boot to the start. The start time by the clock would
    change whenever the clock is set (NTP, a resumed virtual machine), as Linux computes it from the clock.
    """
    if not psutil.LINUX:
        return repr(psutil.Process(pid).create_time())
    try:
        # The second field is the program's name in parentheses; start ticks are field 22.
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except (FileNotFoundError, ProcessLookupError):
        raise psutil.NoSuchProcess(pid) from None
    return f"{_boot_id()}/{stat.rpartition(')')[2].split()[19]}"


@cache
def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def start(service: str, command: Sequence[str], *, home: Path, port: int, secret: str) -> Server:
    """Start a detached server that outlives this process; use ``wait_until_healthy`` to wait for it.

    The server reads ``secret`` from its standard input, because its command line is public.
    """
    log = log_file(home, service)
    log.parent.mkdir(mode=0o700, exist_ok=True)
    # So that the server finds this package even if it is not installed.
    package_root = Path(__file__).parents[2]
    path = os.pathsep.join(filter(None, [str(package_root), os.environ.get("PYTHONPATH")]))
    with open(log, "wb", opener=lambda file, flags: os.open(file, flags, 0o600)) as output:
        child = subprocess.Popen(
            command,
            env={**_environment(), HOME_VARIABLE: str(home), "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            close_fds=True,
            start_new_session=True,
        )
    _children[:] = [child, *(other for other in _children if other.poll() is None)]
    with suppress(BrokenPipeError):  # it ended at once; `wait_until_healthy` reports that
        child.stdin.write(f"{secret}\n".encode())  # type: ignore[union-attr]  # it is a pipe
        child.stdin.close()  # type: ignore[union-attr]
    return Server(service, child.pid, start_of(child.pid), port)


def _environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name in ENVIRONMENT or name.startswith(ENVIRONMENT_PREFIXES)
    }


def wait_until_healthy(server: Server, *, home: Path) -> None:
    """Wait until the server is healthy; raises ServerError if it ends or is not ready in time."""
    deadline = time.monotonic() + START_SECONDS
    while not server.is_healthy():
        if server.process() is None:
            raise ServerError(
                f"The local {server.service} server stopped while starting: {_log_end(home, server.service)}"
            )
        if time.monotonic() > deadline:
            raise ServerError(
                f"The local {server.service} server is not ready after {START_SECONDS:.0f} s: "
                f"{_log_end(home, server.service)}"
            )
        time.sleep(POLL_SECONDS)


def stop(processes: Sequence[psutil.Process]) -> None:
    """Terminate processes, and kill those that are still running after GRACE_SECONDS."""
    for send in (psutil.Process.terminate, psutil.Process.kill):
        for process in filter(_is_running, processes):
            with suppress(psutil.NoSuchProcess):
                send(process)  # psutil raises if the process id was reused
        deadline = time.monotonic() + GRACE_SECONDS
        while any(map(_is_running, processes)) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)


def find_by_home(home: Path) -> Iterator[psutil.Process]:
    """Yield all running processes whose environment names ``home``, whether recorded or not."""
    for process in psutil.process_iter():
        try:
            if process.environ().get(HOME_VARIABLE) == str(home) and _is_running(process):
                yield process
        except psutil.Error:
            continue  # ended meanwhile, or owned by another user


def health(port: int) -> tuple[str, int] | None:
    """Return (service, pid) from GET /health on that port, or None without a valid response."""
    connection = http.client.HTTPConnection(HOST, port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/health")
        answer = json.loads(connection.getresponse().read())
        return answer["service"], answer["pid"]
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return None
    finally:
        connection.close()


def choose_port(service: str, home: Path, previous: int | None) -> int:
    """Return the previous port if free, else a port derived from the home so that it is stable, else any."""
    derived = FIRST_PORT + crc32(f"{home}/{service}".encode()) % PORTS
    for port in filter(None, (previous, derived)):
        if _is_free(port):
            return port
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port = listener.getsockname()[1]
    return int(port)


def log_file(home: Path, service: str) -> Path:
    return home / "logs" / f"{service}.log"


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        # As the servers do, so that connections in TIME_WAIT do not count.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            return False
    return True


def _is_running(process: psutil.Process) -> bool:
    """Return whether a process is running; a zombie counts as ended."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _log_end(home: Path, service: str) -> str:
    lines = log_file(home, service).read_text("utf-8", "replace").splitlines()
    end = " | ".join(line.strip() for line in lines[-LOG_LINES:] if line.strip()) or "no output"
    return f"{end} (from {log_file(home, service)})"
