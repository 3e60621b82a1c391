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
page, and once it does not hold, a single chain reads the whole window, slowly but surely. The filter may also
go by another time than `started` (/v2/calls filters web conferences by their scheduled time): where the
counts of two neighbours do not explain each other, a chain reads on for a day's calls. Calls that arrive in
the meantime move the pages; records are told apart by their ids, and each is handed on once. A call that is
deleted in the meantime can hide its neighbour until the window is read again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any

from gong_assets.gong.paging import CALLS, Page, walk
from gong_assets.gong.records import Record
from gong_assets.gong.splits import Gap, chains_needed, new_starts, splits_allowed
from gong_assets.gong.stream import Stream
from gong_assets.gong.transport import Transport
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

# How far a call's start may be from the time that Gong filters by, if that is the scheduled one.
DRIFT = timedelta(days=1)


class _Chain:
    """One reader: where it entered, how far it is, and how many calls the server counts from its start on."""

    def __init__(self, start: datetime) -> None:
        self.start = start
        self.entering = True
        """Its next page is the first from `start`, with the count."""
        self.suffix = 0
        """Calls from `start` to the end of the window; means something once it has `arrived`."""
        self.arrived = asyncio.Event()
        self.rows = 0
        self.early = 0
        """Calls on its pages: all of them, and those that started before `start` (see DRIFT)."""
        self.first: datetime | None = None
        self.position: datetime | None = None
        """When the first and the latest call on its pages started."""
        self.running = True
        self.saw_the_end = False


class CallWalk:
    """Reads one window once, by `pages()`."""

    def __init__(self, transport: Transport, window: Window, workspace_id: str | None) -> None:
        self._transport = transport
        self._window = window
        self._workspace_id = workspace_id
        self._stream: Stream[Page] = Stream()
        self._chains: list[_Chain] = []  # in order of their starts
        self._seen: set[str] = set()
        self._divisible = True
        """False once the list has turned out not to be sorted, or to come without counts."""
        self._total: int | None = None

    async def pages(self) -> AsyncGenerator[Page, None]:
        """Pages of calls that were on none before, in no order of time, with the total of the window."""
        whole = False
        while not whole:
            self._start_chain(self._window.start)
            async with aclosing(self._stream.items()) as pages:
                async for page in pages:
                    yield page
            whole = self._divisible or any(
                chain.saw_the_end for chain in self._chains if self._is_whole(chain)
            )

    def _start_chain(self, start: datetime) -> None:
        chain = _Chain(start)
        self._chains.append(chain)
        self._chains.sort(key=lambda each: each.start)
        self._stream.start(lambda: self._read(chain))

    async def _read(self, chain: _Chain) -> None:
        async with aclosing(walk(self._transport, CALLS, lambda: self._content(chain))) as pages:
            async for page in pages:
                fresh = self._note(chain, page)
                if fresh:
                    await self._stream.put(Page(fresh, self._total, page.number))
                self._start_more()
                if await self._may_stop(chain, page):
                    break
            else:
                chain.saw_the_end = True
        chain.running = False
        chain.arrived.set()
        self._start_more()

    def _content(self, chain: _Chain) -> dict[str, Any]:
        """What a chain asks for at its start, and again from where it is when its cursor has expired."""
        if self._divisible and chain.position is not None:
            chain.start = chain.position
        chain.entering = True
        chain.rows = chain.early = 0
        limits = {"fromDateTime": iso(chain.start), "toDateTime": iso(self._window.end)}
        workspace = {"workspaceId": self._workspace_id} if self._workspace_id else {}
        return {"filter": limits | workspace, "contentSelector": CONTENT_SELECTOR}

    def _note(self, chain: _Chain, page: Page) -> list[Record]:
        """Take in a page; return the calls on it that no chain has seen before."""
        if chain.entering:
            chain.entering = False
            chain.suffix = page.total_records or 0
            self._divisible &= page.total_records is not None
            if self._total is None:
                self._total = page.total_records
        fresh = []
        for record in page.records:
            if record.key not in self._seen:
                self._seen.add(record.key)
                fresh.append(record)
        # Late calls push others onto the next page again: only new ones tell whether the list is sorted.
        if not _is_sorted(chain.position, fresh):
            self._divisible = False
        times = [record.started for record in page.records if record.started]
        if times:
            chain.first = chain.first or times[0]
            chain.position = max(times[-1], chain.position or times[-1])
        chain.rows += len(page.records)
        chain.early += sum(1 for time in times if time < chain.start)
        chain.arrived.set()
        return fresh

    async def _may_stop(self, chain: _Chain, page: Page) -> bool:
        """Whether somebody else reads what lies ahead of this chain."""
        while self._divisible and (following := self._following(chain)):
            ahead = sum(1 for record in page.records if record.started and record.started >= following.start)
            if not ahead:
                return False
            if following.arrived.is_set():
                expected = chain.suffix - following.suffix + following.early
                return chain.rows - ahead >= expected or _begins_after(page, following.start + DRIFT)
            # Going on would be to read what that chain is about to read.
            await following.arrived.wait()
        return not self._divisible and not self._is_whole(chain)

    def _following(self, chain: _Chain) -> _Chain | None:
        """The next chain that has any calls, or may have."""
        later = self._chains[self._chains.index(chain) + 1 :]
        return next((each for each in later if each.suffix or not each.arrived.is_set()), None)

    def _is_whole(self, chain: _Chain) -> bool:
        return chain.start == self._window.start

    def _start_more(self) -> None:
        """Start the chains that are missing to reach the limit, as far as they are worth their requests."""
        if not self._divisible:
            return
        wanted = chains_needed(self._transport.latency, self._transport.requests_per_second)
        idle = wanted - sum(chain.running for chain in self._chains)
        suffixes = [chain.suffix for chain in self._chains if chain.arrived.is_set()]
        if idle > 0 and suffixes:
            unknown = len(self._chains) - len(suffixes)
            allowed = splits_allowed(suffixes, unknown, wanted)
            for start in new_starts(list(self._gaps()), min(idle, allowed)):
                self._start_chain(start)

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


def _begins_after(page: Page, moment: datetime) -> bool:
    first = page.records[0].started
    return first is not None and first > moment


def _is_sorted(position: datetime | None, records: list[Record]) -> bool:
    for record in records:
        if record.started is None:
            continue
        if position is not None and record.started < position:
            return False
        position = record.started
    return True
