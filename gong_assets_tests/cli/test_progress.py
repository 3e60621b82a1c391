"""The progress line that a terminal shows during a run."""

from __future__ import annotations

from datetime import date
from io import StringIO

import pytest
from rich.console import Console

from gong_assets.cli import progress
from gong_assets.dates import DateRange


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Console:
    console = Console(file=StringIO(), force_terminal=True, width=100)
    monkeypatch.setattr(progress, "stderr", console)
    return console


def visible_line(console: Console, shown: progress.Progress) -> str:
    """Return the current progress line."""
    with console.capture() as capture:
        console.print(shown._bar.get_renderable())
    return capture.get()


def test_reading_with_a_total_shows_a_bar_and_other_work_does_not(terminal: Console) -> None:
    shown = progress.Progress()
    shown.run_started(DateRange(date(2026, 3, 1), date(2026, 3, 11)))
    assert "━" not in visible_line(terminal, shown)
    shown.records_read("calls", 1200, 5000)
    line = visible_line(terminal, shown)
    assert "2026-03-01 to 2026-03-10: 1,200 of 5,000 calls" in line
    assert "━" in line
    shown.message("dbt: table model stg_gong_calls")
    assert "━" not in visible_line(terminal, shown)


def test_the_total_is_never_shown_as_less_than_the_records_read(terminal: Console) -> None:
    shown = progress.Progress()
    shown.records_read("users", 12, 10)
    assert "12 of 12 users" in visible_line(terminal, shown)
    shown.records_read("trackers", 7, None)
    assert "7 trackers" in visible_line(terminal, shown)
