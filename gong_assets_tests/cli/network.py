"""Network use of commands and of the processes that they start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gong_assets_tests.cli.command_line import CommandLine

# Every Python process imports `sitecustomize` first. This one logs each name lookup and each connection.
# Unix sockets are not logged.
_SITECUSTOMIZE = """
import sys

def log(event, arguments):
    if event == "socket.getaddrinfo":
        target = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        target = arguments[1][0]
    else:
        return
    with open({log!r}, "a") as file:
        print(target, file=file)

sys.addaudithook(log)
"""


@dataclass(frozen=True)
class NetworkLog:
    """Hosts that were connected to or looked up."""

    directory: Path

    def record(self, command_line: CommandLine) -> CommandLine:
        """Return the command line with its network use recorded in this log."""
        # The servers of the local stack get no variable of a test, but they get PYTHONPATH.
        hook = _SITECUSTOMIZE.replace("{log!r}", repr(str(self._log)))
        (self.directory / "sitecustomize.py").write_text(hook)
        return command_line.with_variables(PYTHONPATH=str(self.directory))

    @property
    def hosts(self) -> set[str]:
        return set(self._log.read_text().split()) if self._log.exists() else set()

    @property
    def _log(self) -> Path:
        return self.directory / "network.log"
