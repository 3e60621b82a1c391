"""What commands, and the processes that they start, ask of the network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gong_assets_tests.cli.command_line import CommandLine

# Python runs a module of this name first in every process. It notes each connection and each name that is looked up; a
# socket of the file system is no network.
_WATCH = """
import os, sys

def note(event, arguments):
    if event == "socket.getaddrinfo":
        target = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        target = arguments[1][0]
    else:
        return
    with open(os.environ["NETWORK_LOG"], "a") as log:
        print(target, file=log)

sys.addaudithook(note)
"""


@dataclass(frozen=True)
class NetworkLog:
    """The hosts that were connected to or looked up."""

    directory: Path

    def watching(self, command_line: CommandLine) -> CommandLine:
        """The same commands, watched."""
        (self.directory / "sitecustomize.py").write_text(_WATCH)
        return command_line.with_variables(PYTHONPATH=str(self.directory), NETWORK_LOG=str(self._log))

    @property
    def hosts(self) -> set[str]:
        return set(self._log.read_text().split()) if self._log.exists() else set()

    @property
    def _log(self) -> Path:
        return self.directory / "network.log"
