"""All calls of a window, by several chains of pages walked at the same time.

A page takes Gong a second or more, and a cursor leads only to the next page, so one chain cannot use 3
requests a second. Here a window is read like one long list, sorted by start time, that several readers enter
at different places:

- Every chain asks for the calls from its own start to the end of the *whole* window, and stops when it
  reaches the start of the next chain. Its cursor stays good when another chain is started ahead of it:
  nothing is asked for twice but the one page on which the two meet.
- The first request learns from `totalRecords` how many calls there are. The first page of each later chain
  tells how many there are from its start on; so it is always known how many calls each chain has before it,
  however unevenly they are spread, and a chain that has finished is replaced by one that enters the largest
  gap.
- A new chain costs at most one request (`splits.requests_planned`). They are started only while N calls still
  cost at most ceil(N/100) requests and one per chain; retries, and what follows from records moving during
  the walk, come on top.

That the list is sorted ("oldest first") is observed of Gong, but not documented. So it is checked with each
page, and once it does not hold, a single chain reads the whole window, slowly but surely. It may also be in
order of another time than it is filtered by: /v2/calls filters web conferences by their scheduled time, and
which of both it is sorted by, its first page tells. A chain then reads on until it has all calls that the
filter puts before its neighbour, or for a day's calls at most.

Calls that arrive in the meantime move the pages; records are told apart by their ids, and each is handed on
once. A call that is deleted in the meantime can hide its neighbour until the window is read again.

When Gong's quota ends in the middle, the pages that are under way are still handed on, and the error says
which spans were read: each chain's from its start to the second in which the latest call on its pages began
(the next page may begin with more calls of that second), or to the window's end if it saw that. That holds
only for a list that is sorted by what it is filtered by. So nothing counts as read once the list was not
divisible, or once a page had a call without a readable time, or one outside of what was asked for. And the
first day of a chain counts only if the chain before it has come there and has found the right number of
calls: else some that began on that day may have been filtered as earlier ones.

What a stop costs, for a reader of whole days: those that were begun and not finished are read again; and each
span that is left is a walk of its own, with a request for each of its chains beside those for its calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing
from datetime import datetime, timedelta
from math import inf
from typing import Any

from gong_assets.gong.errors import GongQuotaExhausted
from gong_assets.gong.http.rate_limiter import urgency
from gong_assets.gong.http.transport import Transport
from gong_assets.gong.pages.pagination import CALLS, Endpoint, Page, walk
from gong_assets.gong.pages.splits import Gap, chains_needed, new_starts, splits_allowed
from gong_assets.gong.pages.worker_pool import Stream
from gong_assets.gong.records import Record
from gong_assets.gong.window import Window, iso

# Everything but `media`: its links need a scope of their own, are secrets for eight hours, and differ in
# every response. Gong leaves out silently what an account does not have.
CONTENT_SELECTOR: Mapping[str, Any] = {
    "context": "Extended",
    "contextTiming": ["Now", "TimeOfCall"],
    "exposedFields": {
        "parties": True,
        "content": {
            "structure": True,
            "topics": True,
            "trackers": True,
            "trackerOccurrences": True,
            "pointsOfInterest": True,
            "brief": True,
            "outline": True,
            "highlights": True,
            "callOutcome": True,
            "keyPoints": True,
        },
        "interaction": {"speakers": True, "video": True, "personInteractionStats": True, "questions": True},
        "collaboration": {"publicComments": True},
    },
}


def everything(limits: dict[str, str]) -> dict[str, Any]:
    """What POST /v2/calls/extensive takes."""
    return {"filter": limits, "contentSelector": CONTENT_SELECTOR}


# How far a call's start may be from the time that Gong filters by, if that is the scheduled one.
DRIFT = timedelta(days=1)


class _Chain:
    """One reader: where it entered, how far it is, and how many calls the server counts from its start on."""

    def __init__(self, start: datetime) -> None:
        self.entered = start
        self.start = start
        """The same, until its cursor expires and it starts again from where it is."""
        self.entering = True
        """Its next page is the first from `start`, with the count."""
        self.suffix = 0
        """Calls from `start` to the end of the window; means something once it has `arrived`."""
        self.arrived = asyncio.Event()
        self.rows = 0
        """Calls on its pages."""
        self.filter_times: list[datetime] = []
        """Theirs, where they are known."""
        self.first: datetime | None = None
        self.position: datetime | None = None
        """Where the first and the latest call on its pages are in the order of the list."""
        self.running = True
        self.joined = False
        """The chain before it has come to its start, and has not seen fewer calls by then than it should."""
        self.saw_the_end = False

    def rows_before(self, moment: datetime) -> int:
        """Calls on its pages that do not belong to a chain that starts at this moment."""
        return self.rows - sum(time >= moment for time in self.filter_times)


class CallWalk:
    """Reads one window once, by `pages()`, from any list of calls that takes `content` and sends counts."""

    def __init__(
        self,
        transport: Transport,
        window: Window,
        workspace_id: str | None,
        *,
        endpoint: Endpoint = CALLS,
        content: Callable[[dict[str, str]], dict[str, Any]] = everything,
    ) -> None:
        self._transport = transport
        self._endpoint = endpoint
        self._content_of = content
        self._window = window
        self._workspace_id = workspace_id
        self._stream: Stream[Page] = Stream()
        self._chains: list[_Chain] = []  # in order of their starts
        self._seen: set[str] = set()
        self._divisible = True
        """False once the list has turned out not to be sorted, or to come without counts."""
        self._filtered_as_assumed = True
        """False once a call was seen that a filter by its `filter_time` would not have let through, or may not."""
        self._quota: GongQuotaExhausted | None = None
        """Why no page is asked for any more."""
        self._total: int | None = None
        self._place: Callable[[Record], datetime | None] = _filter_time
        """What the list is in order of: mostly what it is filtered by, else `started`."""

    async def pages(self) -> AsyncGenerator[Page, None]:
        """Pages of calls that were on none before, in no order of time, with the total of the window.

        Raises GongQuotaExhausted, with what was `read`, after the last page that has arrived.
        """
        while not self._is_complete():
            if self._quota is not None:
                self._quota.read = self._spans_read()
                raise self._quota
            self._start_chain(self._window.start)
            async with aclosing(self._stream.items()) as pages:
                async for page in pages:
                    yield page

    def _is_complete(self) -> bool:
        """Whether the chains that have ended leave nothing to read."""
        if any(chain.saw_the_end for chain in self._chains if self._is_whole(chain)):
            return True
        if self._quota is not None:
            return self._spans_read() == (self._window,)
        return self._divisible and bool(self._chains)

    def _spans_read(self) -> tuple[Window, ...]:
        """The spans whose calls have certainly all been seen, in order and apart from one another."""
        spans: list[Window] = []
        if not self._divisible or not self._filtered_as_assumed or self._place is not _filter_time:
            return ()
        certain_from = self._window.start
        for chain in sorted(self._chains, key=lambda each: each.entered):
            if chain.entered > self._window.start and not chain.joined:
                certain_from = chain.entered + DRIFT
            start = max(chain.entered, certain_from)
            end = self._window.end if chain.saw_the_end else _second(chain.position or chain.entered)
            if spans and start <= spans[-1].end:
                start = spans[-1].start
                end = max(spans.pop().end, end)
            if start < end:
                spans.append(Window(start, end))
        return tuple(spans)

    def _start_chain(self, start: datetime) -> None:
        chain = _Chain(start)
        self._chains.append(chain)
        self._chains.sort(key=lambda each: each.start)
        self._stream.start(lambda: self._read(chain))

    async def _read(self, chain: _Chain) -> None:
        urgency.set(lambda: self._ahead(chain))
        try:
            await self._read_pages(chain)
        except GongQuotaExhausted as error:
            self._quota = self._quota or error
        chain.running = False
        chain.arrived.set()
        self._start_more()

    async def _read_pages(self, chain: _Chain) -> None:
        async with aclosing(walk(self._transport, self._endpoint, lambda: self._content(chain))) as pages:
            async for page in pages:
                fresh = self._note(chain, page)
                if fresh:
                    await self._stream.put(Page(fresh, self._total, page.number))
                self._start_more()
                if await self._may_stop(chain, page) or (self._quota and page.cursor):
                    return
        chain.saw_the_end = True

    def _content(self, chain: _Chain) -> dict[str, Any]:
        """What a chain asks for at its start, and again from where it is when its cursor has expired."""
        if self._divisible and chain.position is not None:
            # Where the list is in another order than that of the filter, calls ahead may be filtered as earlier.
            behind = timedelta() if self._place is _filter_time else DRIFT
            chain.start = max(chain.start, _second(chain.position) - behind)
        chain.entering = True
        chain.rows = 0
        chain.filter_times.clear()
        limits = {"fromDateTime": iso(chain.start), "toDateTime": iso(self._window.end)}
        workspace = {"workspaceId": self._workspace_id} if self._workspace_id else {}
        return self._content_of(limits | workspace)

    def _note(self, chain: _Chain, page: Page) -> list[Record]:
        """Take in a page; return the calls on it that no chain has seen before."""
        if chain.entering:
            chain.entering = False
            chain.suffix = page.total_records or 0
            self._divisible &= page.total_records is not None
            if self._total is None:
                self._total = page.total_records
                if not _is_sorted(None, map(_filter_time, page.records)):
                    self._place = _started
        fresh = []
        for record in page.records:
            if record.key not in self._seen:
                self._seen.add(record.key)
                fresh.append(record)
        # Late calls push others onto the next page again: only new ones tell whether the list is sorted.
        if not _is_sorted(chain.position, map(self._place, fresh)):
            self._divisible = False
        times = [time for time in map(_filter_time, page.records) if time]
        if places := [place for place in map(self._place, page.records) if place]:
            chain.first = chain.first or places[0]
            chain.position = max(places[-1], chain.position or places[-1])
        chain.rows += len(page.records)
        chain.filter_times += times
        self._filtered_as_assumed &= len(times) == len(page.records) and all(
            chain.start <= time < self._window.end for time in times
        )
        chain.arrived.set()
        return fresh

    async def _may_stop(self, chain: _Chain, page: Page) -> bool:
        """Whether somebody else reads what lies ahead of this chain."""
        while self._divisible and (following := self._following(chain)):
            if not chain.position or chain.position < following.start:
                return False
            if following.arrived.is_set():
                # Calls that both have on their pages, since the list is in another order than the filter.
                early = following.rows_before(following.start)
                expected = chain.suffix - following.suffix + early
                following.joined |= chain.rows_before(following.start) >= expected
                return following.joined or self._begins_after(page, following.start + DRIFT)
            # Going on would be to read what that chain is about to read.
            await following.arrived.wait()
        return not self._divisible and not self._is_whole(chain)

    def _begins_after(self, page: Page, moment: datetime) -> bool:
        first = self._place(page.records[0])
        return first is not None and first > moment

    def _following(self, chain: _Chain) -> _Chain | None:
        """The next chain that has any calls, or may have."""
        later = self._chains[self._chains.index(chain) + 1 :]
        return next((each for each in later if each.suffix or not each.arrived.is_set()), None)

    def _is_whole(self, chain: _Chain) -> bool:
        return chain.start == self._window.start

    def _start_more(self) -> None:
        """Start the chains that are missing to reach the limit, as far as they are worth their requests."""
        if not self._divisible or self._quota is not None:
            return
        wanted = chains_needed(self._transport.latency, self._transport.requests_per_second)
        idle = wanted - sum(chain.running for chain in self._chains)
        suffixes = [chain.suffix for chain in self._chains if chain.arrived.is_set()]
        if idle > 0 and suffixes:
            unknown = len(self._chains) - len(suffixes)
            allowed = splits_allowed(suffixes, unknown, wanted)
            for start in new_starts(list(self._gaps()), min(idle, allowed)):
                self._start_chain(start)

    def _ahead(self, chain: _Chain) -> float:
        """How many calls a chain has before it, as far as is known. Without its first page nothing is."""
        if not chain.arrived.is_set():
            return inf
        later = self._chains[self._chains.index(chain) + 1 :]
        return chain.suffix - chain.rows - next((each.suffix for each in later if each.suffix), 0)

    def _gaps(self) -> Iterator[Gap]:
        """What lies ahead of each running chain, where it is known."""
        latest = min(self._window.end, self._transport.clock.now())
        for chain, following in zip(self._chains, [*self._chains[1:], None], strict=True):
            if not chain.running or chain.first is None or chain.position is None:
                continue
            if following is None:
                yield Gap(chain.first, chain.position, latest, chain.rows, chain.suffix - chain.rows)
            elif following.arrived.is_set():
                left = chain.suffix - following.suffix - chain.rows
                yield Gap(chain.first, chain.position, following.start, chain.rows, left)


def _second(moment: datetime) -> datetime:
    """The second that a moment is in: Gong filters no finer."""
    return moment.replace(microsecond=0)


def _filter_time(record: Record) -> datetime | None:
    return record.filter_time


def _started(record: Record) -> datetime | None:
    return record.started


def _is_sorted(position: datetime | None, places: Iterable[datetime | None]) -> bool:
    for place in places:
        if place is None:
            continue
        if position is not None and place < position:
            return False
        position = place
    return True
