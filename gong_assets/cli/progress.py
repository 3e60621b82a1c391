"""Progress of a run on stderr."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress

from gong_assets.cli.output import escape, stderr
from gong_assets.cli.streams import tolerant_stream

if TYPE_CHECKING:
    from gong_assets.dates import DateRange


class Progress:
    """Progress of a run on stderr: a live line, with a bar while it reads from Gong.

    Prints plain lines if stderr is not a terminal. During a step Dagster redirects the file descriptors of
    this process to the log files of the step, so the progress has a descriptor of its own.
    """

    def __init__(self) -> None:
        self._console = _on_own_descriptor(stderr)
        self._bar = RichProgress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            _BarIfTotalIsKnown(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task("starting", total=None, measured=False)
        self._title = ""
        self._last = ""

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def run_started(self, days: DateRange) -> None:
        self._title = str(days)
        self.message("run started")

    def message(self, text: str) -> None:
        self._show(text, 0, None)
        if not self._console.is_terminal and text != self._last:
            self._console.print(escape(f"{self._title}: {text}" if self._title else text), soft_wrap=True)
        self._last = text

    def records_read(self, noun: str, done: int, total: int | None) -> None:
        # Gong may send more records than the total that it reported.
        expected = max(total, done) if total else None
        self._show(f"{done:,} of {expected:,} {noun}" if expected else f"{done:,} {noun}", done, expected)

    def _show(self, text: str, done: int, total: int | None) -> None:
        text = f"{self._title}: {text}" if self._title else text
        self._bar.update(
            self._task,
            description=escape(text[:120]),
            completed=done,
            total=total,
            measured=total is not None,
        )


def _on_own_descriptor(console: Console) -> Console:
    """Return a console that writes to a duplicate of the console's file descriptor, if it has one."""
    try:
        descriptor = os.dup(console.file.fileno())
    except (OSError, ValueError, AttributeError):
        return console  # a file in memory
    file = tolerant_stream(descriptor, OSError, encoding="utf-8", errors="replace", line_buffering=True)
    return Console(file=file, highlight=False, emoji=False)


class _BarIfTotalIsKnown(ProgressColumn):
    """A bar for work with a known total; for other work the spinner is enough."""

    _bar = BarColumn()

    def render(self, task: Task) -> RenderableType:
        return self._bar.render(task) if task.fields["measured"] else ""
