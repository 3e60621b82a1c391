"""Network use of commands and of the processes that they start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gong_assets_tests.cli.command_line import CommandLine

# Every Python process imports `sitecustomize` first. This one logs each name lookup and each connection.
# Unix sockets are not logged.
_SITECUSTOMIZE = """
import os, sys

def log(event, arguments):
    if event == "socket.getaddrinfo":
        target = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        target = arguments[1][0]
    else:
        return
    with open(os.environ["NETWORK_LOG"], "a") as file:
        print(target, file=file)

sys.addaudithook(log)
"""


@dataclass(frozen=True)
class NetworkLog:
    """Hosts that were connected to or looked up."""

    directory: Path

    def record(self, command_line: CommandLine) -> CommandLine:
        """Return the command line with its network use recorded in this log."""
        (self.directory / "sitecustomize.py").write_text(_SITECUSTOMIZE)
        return command_line.with_variables(PYTHONPATH=str(self.directory), NETWORK_LOG=str(self._log))

    @property
    def hosts(self) -> set[str]:
        return set(self._log.read_text().split()) if self._log.exists() else set()

    @property
    def _log(self) -> Path:
        return self.directory / "network.log"
