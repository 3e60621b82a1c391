"""What a terminal shows while a run goes on."""

from __future__ import annotations

from datetime import date
from io import StringIO

import pytest
from rich.console import Console

from gong_assets.cli import output
from gong_assets.dates import DateRange


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Console:
    console = Console(file=StringIO(), force_terminal=True, width=100)
    monkeypatch.setattr(output, "stderr", console)
    return console


def shown(console: Console, progress: output.Progress) -> str:
    """The line as it is now."""
    with console.capture() as capture:
        console.print(progress._bar.get_renderable())
    return capture.get()


def test_reading_shows_a_bar_with_its_total_and_other_work_none(terminal: Console) -> None:
    progress = output.Progress()
    progress.run_started(DateRange(date(2026, 3, 1), date(2026, 3, 11)))
    assert "━" not in shown(terminal, progress)
    progress.reading("calls", 1200, 5000)
    line = shown(terminal, progress)
    assert "2026-03-01 to 2026-03-10: 1,200 of 5,000 calls" in line
    assert "━" in line
    progress.message("dbt: table model stg_gong_calls")
    assert "━" not in shown(terminal, progress)


def test_a_total_that_lags_behind_is_not_shown_as_less_than_what_came(terminal: Console) -> None:
    progress = output.Progress()
    progress.reading("users", 12, 10)
    assert "12 of 12 users" in shown(terminal, progress)
    progress.reading("trackers", 7, None)
    assert "7 trackers" in shown(terminal, progress)
