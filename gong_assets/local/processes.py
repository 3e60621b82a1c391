"""Servers of our own: starting them detached, asking whether they are well, and stopping them for certain.

Knows nothing of what the servers do. A process is ours only if it carries our mark in its environment, or if its start
time is the one on record: process ids are reused.
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
from pathlib import Path
from zlib import crc32

import psutil

HOST = "127.0.0.1"
MARK = "GONG_ASSETS_LOCAL_STACK"  # environment variable of every server: the home that it belongs to

FIRST_PORT, PORTS = 20_000, 10_000  # below the range from which systems take ports for outgoing connections
START_SECONDS = 120.0  # a cold start of the warehouse on a busy two-core machine takes up to 30
ANSWER_SECONDS = 30.0  # how long a healthy but busy server may take to answer
GRACE_SECONDS = 10.0  # from SIGTERM to SIGKILL: time for a checkpoint
POLL_SECONDS = 0.05
LOG_LINES = 8  # of a failed start, shown in the error

# What this process started: kept so that those that have ended are reaped when the next is started.
_children: list[subprocess.Popen[bytes]] = []


class ServerError(Exception):
    """A server that does not start; the text has the end of its log."""


@dataclass(frozen=True)
class Server:
    """A running server as it is remembered."""

    service: str
    pid: int
    created: float  # seconds since the epoch, as the operating system has it
    port: int

    def process(self) -> psutil.Process | None:
        """Its process; None if that is gone, or if its id now is another program's."""
        try:
            process = psutil.Process(self.pid)
            is_same = abs(process.create_time() - self.created) < 1 and _is_running(process)
        except psutil.Error:
            return None
        return process if is_same else None

    def is_healthy(self) -> bool:
        """Whether this very process answers on its port."""
        return self.process() is not None and health(self.port) == (self.service, self.pid)


def start(service: str, command: Sequence[str], *, home: Path, port: int) -> Server:
    """Starts a detached server that outlives us. It is not ready yet: see `wait_until_healthy`."""
    log = log_file(home, service)
    log.parent.mkdir(parents=True, exist_ok=True)
    # The server has to find this package even where it is not installed.
    package_root = Path(__file__).parents[2]
    path = os.pathsep.join(filter(None, [str(package_root), os.environ.get("PYTHONPATH")]))
    with log.open("wb") as output:
        child = subprocess.Popen(
            command,
            env={**os.environ, MARK: str(home), "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            close_fds=True,
            start_new_session=True,
        )
    _children[:] = [child, *(earlier for earlier in _children if earlier.poll() is None)]
    return Server(service, child.pid, psutil.Process(child.pid).create_time(), port)


def wait_until_healthy(server: Server, *, home: Path) -> None:
    """Raises ServerError if the server ends or is not ready in time."""
    deadline = time.monotonic() + START_SECONDS
    while not server.is_healthy():
        if server.process() is None:
            raise ServerError(
                f"the local {server.service} server stopped while starting: {_log_end(home, server.service)}"
            )
        if time.monotonic() > deadline:
            raise ServerError(
                f"the local {server.service} server is not ready after {START_SECONDS:.0f} s: "
                f"{_log_end(home, server.service)}"
            )
        time.sleep(POLL_SECONDS)


def stop(processes: Sequence[psutil.Process]) -> None:
    """Terminates processes together, and kills those that are still there after the grace."""
    for send in (psutil.Process.terminate, psutil.Process.kill):
        for process in filter(_is_running, processes):
            with suppress(psutil.NoSuchProcess):
                send(process)  # psutil refuses if the id was taken over by another program
        deadline = time.monotonic() + GRACE_SECONDS
        while any(map(_is_running, processes)) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)


def marked(home: Path) -> Iterator[psutil.Process]:
    """All processes that carry the mark of `home`, whether remembered or not."""
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(home) and _is_running(process):
                yield process
        except psutil.Error:
            continue  # gone meanwhile, or another user's


def health(port: int) -> tuple[str, int] | None:
    """(service, pid) of whatever answers GET /health on that port; None if nothing does, or not in our way."""
    connection = http.client.HTTPConnection(HOST, port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/health")
        answer = json.loads(connection.getresponse().read())
        return answer["service"], answer["pid"]
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return None
    finally:
        connection.close()


def usable_port(service: str, home: Path, remembered: int | None) -> int:
    """The port that the service had, else one derived from its home so that it stays the same, else any free one."""
    derived = FIRST_PORT + crc32(f"{home}/{service}".encode()) % PORTS
    for port in filter(None, (remembered, derived)):
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
        listener.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as the servers do: TIME_WAIT does not count
        try:
            listener.bind((HOST, port))
        except OSError:
            return False
    return True


def _is_running(process: psutil.Process) -> bool:
    """A zombie, waiting for a parent that may never ask, has ended."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _log_end(home: Path, service: str) -> str:
    lines = log_file(home, service).read_text("utf-8", "replace").splitlines()
    end = " | ".join(line.strip() for line in lines[-LOG_LINES:] if line.strip()) or "nothing"
    return f"{end} (from {log_file(home, service)})"
