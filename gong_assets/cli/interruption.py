"""Signals that end a command: Ctrl-C, SIGTERM and SIGHUP. A command that they end prints one line."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

EXIT_CODE = 130
STOPPED = "Stopped."  # printed by a server, which a signal ends in order


class Interrupted(Exception):
    """A signal ended the command. The message says what it leaves."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise KeyboardInterrupt in the block, as Ctrl-C does.

    While Dagster executes a run, it handles SIGINT and SIGTERM itself. A signal that was ignored when the
    command started (nohup) stays ignored.
    """

    def interrupt(_number: int, _frame: object) -> None:
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            raise KeyboardInterrupt
        signal.raise_signal(signal.SIGINT)

    numbers = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    previous = {
        number: signal.signal(number, interrupt)
        for number in numbers
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def children_without_ctrl_c() -> Iterator[None]:
    """Keep Ctrl-C from the processes that the block starts. A terminal sends it to all of its processes."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)


@contextmanager
def leaving(text: str) -> Iterator[None]:
    """Say what an interruption in the block leaves.

    Raises:
        Interrupted: a signal arrived.
    """
    try:
        yield
    except (KeyboardInterrupt, Interrupted):
        raise Interrupted(f"interrupted: {text}") from None
