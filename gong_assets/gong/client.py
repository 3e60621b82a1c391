"""The client: one method per list of Gong's that is read, each an asynchronous iterator over pages.

How a request is sent, a page read and a window divided is said in the modules that this one puts together.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from types import TracebackType
from typing import Any, Self

import httpx

from gong_assets.gong.chains import CallWalk
from gong_assets.gong.clock import SYSTEM_CLOCK, Clock
from gong_assets.gong.config import GongConfig
from gong_assets.gong.paging import CALLS, PAGE_SIZE, TRANSCRIPTS, USERS, Page, walk
from gong_assets.gong.splits import chains_needed
from gong_assets.gong.stream import Stream
from gong_assets.gong.transport import RequestStats, Transport
from gong_assets.gong.window import Window, iso


@dataclass(frozen=True)
class Progress:
    """How far a walk is. `total` may be more than what comes in the end; None where Gong does not say."""

    records: int
    total: int | None
    stats: RequestStats


class GongClient:
    """Reads Gong. An asynchronous context manager; one client serves many walks, also at the same time.

    `transport` replaces the network and `clock` the time, for tests. All methods raise the errors of
    `errors.py`.
    """

    def __init__(
        self,
        config: GongConfig,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._transport = Transport(config, clock, transport)

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._transport.__aexit__(kind, error, traceback)

    @property
    def stats(self) -> RequestStats:
        """The requests of this client so far."""
        return self._transport.stats()

    async def calls(
        self,
        window: Window,
        *,
        workspace_id: str | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> AsyncGenerator[Page, None]:
        """Every call of a window once, private ones too, with all but the media links; in no order of time.

        POST /v2/calls/extensive. `progress` is called with each page, before it is handed on.
        """
        done = 0
        async with aclosing(CallWalk(self._transport, window, workspace_id).pages()) as pages:
            async for page in pages:
                done += len(page.records)
                if progress is not None:
                    progress(Progress(done, page.total_records, self.stats))
                yield page

    async def transcripts(self, call_ids: Sequence[str]) -> AsyncGenerator[Page, None]:
        """The transcripts of these calls, each once, in no order; a call that has none (yet) is left out.

        POST /v2/calls/transcript, with 100 ids to a request and no request for no ids.
        """
        ids = list(dict.fromkeys(call_ids))
        batches = deque(ids[first : first + PAGE_SIZE] for first in range(0, len(ids), PAGE_SIZE))
        stream: Stream[Page] = Stream()
        seen: set[str] = set()

        async def read_batches() -> None:
            while batches:
                async with aclosing(self._transcripts_of(batches.popleft())) as pages:
                    async for page in pages:
                        start_more()
                        await stream.put(_without(seen, page))
                start_more()

        def start_more() -> None:
            wanted = chains_needed(self._transport.latency, self._transport.requests_per_second)
            for _ in range(min(wanted - stream.active, len(batches))):
                stream.start(read_batches)

        start_more()
        async with aclosing(stream.items()) as pages:
            async for page in pages:
                if page.records:
                    yield page

    def _transcripts_of(self, ids: list[str]) -> AsyncGenerator[Page, None]:
        return walk(self._transport, TRANSCRIPTS, lambda: {"filter": {"callIds": ids}})

    async def users(self) -> AsyncGenerator[Page, None]:
        """Every user, and the avatars under which Gong's own staff appears: GET /v2/users."""
        content: dict[str, Any] = {"includeAvatars": "true"}
        seen: set[str] = set()
        async with aclosing(walk(self._transport, USERS, lambda: content)) as pages:
            async for page in pages:
                fresh = _without(seen, page)
                if fresh.records:
                    yield fresh


async def first_call_date(client: GongClient, window: Window) -> date | None:
    """The day (UTC) of a window's oldest call, None without calls. Two requests where Gong sends the oldest first.

    It does, but does not promise to: so each answer is followed by the question for calls before that day.
    """
    first: date | None = None
    while (oldest := await _oldest_of_first_page(client, window)) and oldest < window.end:
        first = oldest.date()
        midnight = datetime.combine(first, time.min, tzinfo=UTC)
        if midnight <= window.start:
            break
        window = Window(window.start, midnight)
    return first


async def _oldest_of_first_page(client: GongClient, window: Window) -> datetime | None:
    content = {"filter": {"fromDateTime": iso(window.start), "toDateTime": iso(window.end)}}
    async with aclosing(walk(client._transport, CALLS, lambda: content)) as pages:
        async for page in pages:
            if times := [record.started for record in page.records if record.started]:
                return min(times)
    return None


def _without(seen: set[str], page: Page) -> Page:
    """The page without the records that were on an earlier one, which it adds to them."""
    fresh = []
    for record in page.records:
        if record.key not in seen:
            seen.add(record.key)
            fresh.append(record)
    return Page(fresh, page.total_records, page.number)
