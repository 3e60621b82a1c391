"""The log of a server on its standard error."""

from __future__ import annotations

import logging
import sys

from gong_assets.security.texts import one_line, printable


class OneLineFormatter(logging.Formatter):
    """Writes each message on one line, so that no text in it looks like a record of its own.

    The lines of a traceback follow, without control characters, and indented.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = one_line(record.getMessage())
        text = f"{self.formatTime(record)} {record.levelname} {line}"
        if record.exc_info:
            traceback = self.formatException(record.exc_info)
            text += "".join(f"\n    {printable(part)}" for part in traceback.splitlines())
        return text


def log_to_stderr() -> None:
    """Log warnings and errors of this process to the standard error, each message on one line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLineFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
