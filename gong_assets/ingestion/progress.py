"""Progress of a long read: in the run's event log, and for listeners in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gong_assets.gong import Page

# Often enough to show that a run is alive, rarely enough that an hour's run does not fill the event log.
SECONDS_BETWEEN_LINES = 10.0

# Called with (noun, records so far, expected total or None).
ProgressListener = Callable[[str, int, int | None], None]
_listeners: list[ProgressListener] = []


@contextmanager
def progress_listener(listener: ProgressListener) -> Iterator[None]:
    """Call `listener` after each page that this process reads within the block."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


class ProgressLog:
    """Logs the count so far, the rate and the remaining time every few seconds."""

    def __init__(self, log: Callable[[str], None], noun: str, *, total: int | None = None) -> None:
        self._log = log
        self._noun = noun
        self._total = total
        self._done = 0
        self._started = self._last = time.monotonic()

    def page(self, page: Page) -> None:
        self._done += len(page.records)
        total = self._total if self._total is not None else page.total_records
        for listener in _listeners:
            listener(self._noun, self._done, total)
        now = time.monotonic()
        if now - self._last < SECONDS_BETWEEN_LINES:
            return
        self._last = now
        self._log(progress_line(self._noun, self._done, total, now - self._started))


def progress_line(noun: str, done: int, total: int | None, seconds: float) -> str:
    """Return `1,200 of about 5,000 calls, 96/s, 40 s left`, without the parts that are unknown."""
    rate = done / seconds if seconds else 0.0
    known = total is not None and total >= done
    amount = f"{done:,} of about {total:,} {noun}" if known else f"{done:,} {noun}"
    left = f", {(total - done) / rate:,.0f} s left" if known and rate and total is not None else ""
    return f"{amount}, {rate:,.0f}/s{left}"
