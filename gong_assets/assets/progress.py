"""Progress of a long read: in the run's event log, and for whoever watches in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gong_assets.gong import Page

# Often enough to see that a run lives, seldom enough for a run of an hour not to fill the event log.
SECONDS_BETWEEN_LINES = 10.0

# (what is read, how many so far, of how many)
Watch = Callable[[str, int, int | None], None]
_watches: list[Watch] = []


@contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """Call `watch` after each page that this process reads while the block runs."""
    _watches.append(watch)
    try:
        yield
    finally:
        _watches.remove(watch)


class ProgressLog:
    """Writes a line with the count so far, the rate and the time left, every few seconds."""

    def __init__(self, log: Callable[[str], None], noun: str, *, total: int | None = None) -> None:
        self._log = log
        self._noun = noun
        self._total = total
        self._done = 0
        self._started = self._last = time.monotonic()

    def page(self, page: Page) -> None:
        self._done += len(page.records)
        total = self._total if self._total is not None else page.total_records
        for watch in _watches:
            watch(self._noun, self._done, total)
        now = time.monotonic()
        if now - self._last < SECONDS_BETWEEN_LINES:
            return
        self._last = now
        self._log(progress_line(self._noun, self._done, total, now - self._started))


def progress_line(noun: str, done: int, total: int | None, seconds: float) -> str:
    """`1,200 of about 5,000 calls, 96/s, 40 s left`; what Gong did not tell is left out."""
    rate = done / seconds if seconds else 0.0
    known = total is not None and total >= done
    amount = f"{done:,} of about {total:,} {noun}" if known else f"{done:,} {noun}"
    left = f", {(total - done) / rate:,.0f} s left" if known and rate and total is not None else ""
    return f"{amount}, {rate:,.0f}/s{left}"
