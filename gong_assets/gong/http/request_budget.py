"""Request counts of an API key, in memory or in a file that processes share.

The rate limiter holds the policy.
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

from gong_assets.security.private_files import create_private_directory

logger = logging.getLogger(__name__)

# An update takes less than a millisecond. A process that holds the lock for longer was stopped in the middle.
LOCK_SECONDS = 2.0
POLL_SECONDS = 0.001
# Size of the file in bytes. A state takes about 150; the rest is blanks.
FILE_SIZE = 512


class BudgetState(msgspec.Struct):
    """What is counted. Moments are seconds of Unix time by the wall clock, which all processes share."""

    free_at: float = 0.0
    """No request is sent before this moment."""
    day: str = ""
    """The UTC day (ISO) that `sent_today` counts."""
    sent_today: int = 0
    exhausted_until: float = 0.0
    """The end of the quota period, where Gong has refused further requests."""
    last_quota: int = 0
    """How many requests Gong allowed on the last day on which it refused further ones."""
    changed_at: float = 0.0


class RequestBudget(Protocol):
    """Holds one state for everybody who shares it."""

    def locked(self) -> AbstractContextManager[BudgetState]:
        """Return the state to read and to change; nobody else reads or changes it within the block."""


class InMemoryBudget:
    """A budget for the threads of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state = BudgetState()

    @contextmanager
    def locked(self) -> Iterator[BudgetState]:
        with self._lock:
            yield self._state


class FileBudget:
    """A budget for all processes that name the same file. A new file starts the count again.

    A file that cannot be read or parsed counts as new. If it cannot be written, the state is kept in this
    process from then on, with one warning: a request that is not counted is better than none.
    """

    def __init__(self, file: Path) -> None:
        self._file = file.absolute()  # dagster-dbt changes the working directory of a process while it runs
        self._file_lock = FileLock(f"{self._file}.lock", timeout=LOCK_SECONDS)
        # Threads wait here for one another: waiting for a file lock means polling.
        self._thread_lock = threading.Lock()
        self._state = BudgetState()
        self._is_local = False

    @contextmanager
    def locked(self) -> Iterator[BudgetState]:
        with self._thread_lock:
            has_lock = self._try_lock()
            try:
                if has_lock:
                    self._state = self._read()
                before = msgspec.json.encode(self._state)
                try:
                    yield self._state
                finally:
                    after = msgspec.json.encode(self._state)
                    if has_lock and after != before:
                        self._write(after)
            finally:
                if has_lock:
                    self._file_lock.release()

    def _try_lock(self) -> bool:
        if self._is_local:
            return False
        try:
            create_private_directory(self._file.parent)
            self._file_lock.acquire(poll_interval=POLL_SECONDS)
        # filelock's Timeout is an OSError; NotImplementedError comes from a file system without locks.
        except (OSError, NotImplementedError) as error:
            self._keep_local(error)
            return False
        return True

    def _read(self) -> BudgetState:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=BudgetState)
        except (OSError, ValueError, RecursionError):
            return BudgetState()

    def _write(self, content: bytes) -> None:
        try:
            file = os.open(self._file, os.O_WRONLY | os.O_CREAT, 0o666)
            try:
                # One write replaces the old state, which has the same size: a killed process leaves either
                # one. Renaming a new file would be as safe, but takes milliseconds on ext4.
                os.write(file, content.ljust(FILE_SIZE))
                os.ftruncate(file, FILE_SIZE)
            finally:
                os.close(file)
        except OSError as error:
            self._keep_local(error)

    def _keep_local(self, error: Exception) -> None:
        self._is_local = True
        logger.warning("Gong requests are counted in this process only, not in %s: %s", self._file, error)


def budget_file_name(base_url: str, auth: httpx.Auth) -> str:
    """Return the file name for a key at a host. It reveals neither."""
    return f"gong-requests-{_digest(base_url, key_identity(auth))[:32]}.json"


def key_identity(auth: httpx.Auth) -> str:
    """Return a hash that is equal for credentials whose requests Gong counts together.

    An auth class has an attribute `identity: str` that stays the same and is no secret, such as an access key
    or the id of an OAuth client. Without one, all fields of the dataclass count.
    """
    kind = type(auth).__name__
    public = getattr(auth, "identity", None)
    if public is not None:
        return _digest(kind, str(public))
    secrets = tuple(getattr(auth, each.name) for each in fields(auth)) if is_dataclass(auth) else ()
    return _digest(kind, repr(secrets))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
