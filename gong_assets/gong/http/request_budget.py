"""What is remembered of the requests that a key has sent, in this process or for all processes of this machine.

Only remembering belongs here, and who shares a memory: what may be sent, and what is written down, is decided
by the pacer.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Protocol

import httpx
import msgspec
from filelock import FileLock

from gong_assets.gong.auth import BasicAuth

logger = logging.getLogger(__name__)

# A change takes less than a millisecond: whoever holds the lock for longer was stopped in the middle of one.
LOCK_SECONDS = 2.0
POLL_SECONDS = 0.001
# Of the file, in bytes: a state has about 150, and is filled up with blanks.
SIZE = 512


class State(msgspec.Struct):
    """Moments are in seconds of Unix time, by the wall clock, which is the same for all processes."""

    free_at: float = 0.0
    """Nobody sends a request before."""
    day: str = ""
    """The UTC day (ISO) of `sent_today`."""
    sent_today: int = 0
    exhausted_until: float = 0.0
    """Until when Gong has said that the quota is spent."""
    changed_at: float = 0.0


class Ledger(Protocol):
    """Holds one state. Everyone who changes it sees what everyone before has left."""

    def changing(self) -> AbstractContextManager[State]:
        """The state, to read and to change: nobody else does until the block is left, by whichever way."""


class MemoryLedger:
    """For the threads of this process."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._state = State()

    @contextmanager
    def changing(self) -> Iterator[State]:
        with self._turn:
            yield self._state


class FileLedger:
    """For all processes that name the same file, which need not exist. Removing it starts the count anew.

    A file that cannot be read or understood counts as none. Where none can be written, the state is kept in
    this process from then on, and that is said once: sending is worth more than counting.
    """

    def __init__(self, file: Path) -> None:
        self._file = file.absolute()  # dagster-dbt changes the working directory of a process while it runs
        self._lock = FileLock(f"{self._file}.lock", timeout=LOCK_SECONDS)
        # Threads wait for one another here: waiting for the lock of the file is done by trying again.
        self._turn = threading.Lock()
        self._state = State()
        self._kept_here = False

    @contextmanager
    def changing(self) -> Iterator[State]:
        with self._turn:
            locked = self._try_lock()
            try:
                if locked:
                    self._state = self._read()
                before = msgspec.json.encode(self._state)
                try:
                    yield self._state
                finally:
                    after = msgspec.json.encode(self._state)
                    if locked and after != before:
                        self._write(after)
            finally:
                if locked:
                    self._lock.release()

    def _try_lock(self) -> bool:
        if self._kept_here:
            return False
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(poll_interval=POLL_SECONDS)
        # filelock's Timeout is an OSError; the other is a file system without locks.
        except (OSError, NotImplementedError) as error:
            self._keep_here(error)
            return False
        return True

    def _read(self) -> State:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=State)
        except (OSError, ValueError, RecursionError):
            return State()

    def _write(self, content: bytes) -> None:
        try:
            file = os.open(self._file, os.O_WRONLY | os.O_CREAT, 0o666)
            try:
                # One write over the old state, which is as long: a process that is killed leaves one or the
                # other. A new file renamed to this one would be as safe, but costs milliseconds on ext4.
                os.write(file, content.ljust(SIZE))
                os.ftruncate(file, SIZE)
            finally:
                os.close(file)
        except OSError as error:
            self._keep_here(error)

    def _keep_here(self, error: Exception) -> None:
        self._kept_here = True
        logger.warning("Gong requests are counted in this process only, not in %s: %s", self._file, error)


def file_name(base_url: str, auth: httpx.Auth) -> str:
    """The name of the file for a key at a host. Nobody who reads it learns either."""
    return f"gong-requests-{_digest(base_url, identity(auth))[:32]}.json"


def identity(auth: httpx.Auth) -> str:
    """Whose requests these are, as a hash: equal for credentials that Gong counts together.

    An auth class with more than its credentials in it (a token that is refreshed, say) has an attribute
    `identity: str` that stays the same and is no secret, such as the OAuth client's id. Without one, it is the
    class with all fields of the dataclass. An access key is its own identity: its secret may be exchanged.
    """
    kind = type(auth).__name__
    public = auth.access_key if isinstance(auth, BasicAuth) else getattr(auth, "identity", None)
    if public is not None:
        return _digest(kind, str(public))
    secrets = tuple(getattr(auth, each.name) for each in fields(auth)) if is_dataclass(auth) else ()
    return _digest(kind, repr(secrets))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
