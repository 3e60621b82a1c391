"""The standard streams of a command, made so that a reader who leaves does not end the command's work."""

from __future__ import annotations

import io
import os
import select
import sys
from typing import Any, TextIO


def prepare_streams() -> None:
    """Open closed standard streams, and let the others go on after errors of writing.

    A result that cannot be written is an error, unless its reader has closed the pipe, such as `head`.
    Progress and messages on stderr never cause one. The exit code stays that of the work.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, _null_device(mode))
    sys.stdout = _replacement(sys.stdout, BrokenPipeError)
    sys.stderr = _replacement(sys.stderr, OSError)


def tolerant_stream(
    descriptor: int, ignored: type[OSError], *, closefd: bool = True, **options: Any
) -> TextIO:
    """Return a text stream that writes to the descriptor and does not raise the ignored errors.

    The options are those of `io.TextIOWrapper`.
    """
    return io.TextIOWrapper(io.BufferedWriter(_Descriptor(descriptor, ignored, closefd)), **options)


def _null_device(mode: str) -> TextIO:
    """Return the null device as a stream that subprocesses inherit.

    Python has None in the place of a stream that is closed (`>&-`). The next file or connection would get its
    number, and with it what a subprocess prints.
    """
    descriptor = os.open(os.devnull, os.O_RDONLY if mode == "r" else os.O_WRONLY)
    os.set_inheritable(descriptor, True)
    return os.fdopen(descriptor, mode, closefd=False)  # type: ignore[return-value]


def _replacement(stream: TextIO, ignored: type[OSError]) -> TextIO:
    return tolerant_stream(
        stream.fileno(),
        ignored,
        closefd=False,
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.isatty() or stream is sys.stderr,
    )


class _Descriptor(io.FileIO):
    """A file descriptor that becomes the null device with the first error of a write.

    So an error is raised once, or not at all if it is an ignored one, and subprocesses do not meet it again.
    """

    def __init__(self, descriptor: int, ignored: type[OSError], closefd: bool) -> None:
        super().__init__(descriptor, "w", closefd=closefd)
        self._ignored = ignored

    def write(self, data: Any, /) -> int:
        try:
            while (written := super().write(data)) is None:  # A full pipe that does not block.
                select.select([], [self], [])
        except OSError as error:
            self._become_null_device()
            if not isinstance(error, self._ignored):
                raise
            return memoryview(data).nbytes
        return written

    def _become_null_device(self) -> None:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self.fileno(), inheritable=os.get_inheritable(self.fileno()))
        os.close(null)
