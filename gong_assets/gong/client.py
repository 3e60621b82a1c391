"""The client: one method per list of Gong's that is read, each an asynchronous iterator over pages.

How a request is sent, a page read and a window divided is said in the modules that this one puts together.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from types import TracebackType
from typing import Any, Self

import httpx

from gong_assets.gong.clock import SYSTEM_CLOCK, Clock
from gong_assets.gong.config import GongConfig
from gong_assets.gong.errors import GongQuotaExhausted
from gong_assets.gong.http.transport import RequestStats, Transport
from gong_assets.gong.pages import queries as streams
from gong_assets.gong.pages.chains import CallWalk
from gong_assets.gong.pages.pagination import (
    CALLS,
    LISTED_CALLS,
    PAGE_SIZE,
    TRANSCRIPTS,
    USERS,
    Endpoint,
    Page,
    walk,
)
from gong_assets.gong.pages.splits import chains_needed
from gong_assets.gong.pages.worker_pool import Stream
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

    async def list_calls(self, window: Window, workspace_id: str | None = None) -> AsyncGenerator[Page, None]:
        """The basic fields of every call of a window once, private ones too; in no order of time.

        GET /v2/calls, which is cheap, and says which calls there are. It goes by the scheduled time of web
        conferences: one that began before or after the window may be among them, and one that was scheduled
        before or after it is not.
        """
        listing = CallWalk(self._transport, window, workspace_id, endpoint=LISTED_CALLS, content=dict)
        async with aclosing(listing.pages()) as pages:
            async for page in pages:
                yield page

    async def transcripts(self, call_ids: Sequence[str]) -> AsyncGenerator[Page, None]:
        """The transcripts of these calls, each once, in no order; a call that has none (yet) is left out.

        POST /v2/calls/transcript, with 100 ids to a request and no request for no ids. Raises
        GongQuotaExhausted, with the ids that are `unread`, after the last page that has arrived.
        """
        ids = list(dict.fromkeys(call_ids))
        batches = deque(ids[first : first + PAGE_SIZE] for first in range(0, len(ids), PAGE_SIZE))
        unread = dict.fromkeys(ids)
        quota: GongQuotaExhausted | None = None
        stream: Stream[Page] = Stream()
        seen: set[str] = set()

        async def read_batches() -> None:
            nonlocal quota
            while batches and quota is None:
                batch = batches.popleft()
                try:
                    async with aclosing(self._transcripts_of(batch)) as pages:
                        async for page in pages:
                            start_more()
                            await stream.put(_without(seen, page))
                except GongQuotaExhausted as error:
                    quota = quota or error
                    return
                for call_id in batch:
                    del unread[call_id]
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
        if quota is not None:
            quota.unread = tuple(unread)
            raise quota

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

    def list_records(self, endpoint: Endpoint, query: Mapping[str, Any]) -> AsyncGenerator[Page, None]:
        """Yield every record of a list endpoint once, such as GET /v2/workspaces."""
        return streams.listed(self._transport, endpoint, query)

    def calls_in_library(self, workspace_id: str | None = None) -> AsyncGenerator[Page, None]:
        """The calls in the library's public folders, one record for each snippet and folder.

        GET /v2/library/folders, and GET /v2/library/folder-content for each of them. `raw` is an object with
        both elements, `folder` and `call`; the id is "<folder id>/<call id>", and "/<fromSec>-<toSec>" after
        it for a snippet.
        """
        return streams.calls_in_library(self._transport, workspace_id)

    def answered_scorecards(self, first: date, end: date) -> AsyncGenerator[Page, None]:
        """The reviews of calls, by people and by Gong's AI, from the UTC day `first` to before `end`.

        POST /v2/stats/activity/scorecards. `Record.day` is the day of the review in UTC; a review without a
        readable time comes too.
        """
        return streams.answered_scorecards(self._transport, first, end)

    def interaction_stats(self, days: Sequence[date]) -> AsyncGenerator[Page, None]:
        """How each user spoke, on average over each of these days: one record for each user and day.

        POST /v2/stats/interaction, with a request for each day. Days are the company's, whose time zone is
        not known here; those that may not be over yet are left out, and are for a later run to read. A
        GongQuotaExhausted comes after all that was read; the days left are its `unread`.
        """
        return streams.interaction_stats(self._transport, days)

    def user_activity(self, first: date, end: date) -> AsyncGenerator[Page, None]:
        """What each user did with which calls, from `first` to before `end`: one record for each user and day.

        POST /v2/stats/activity/day-by-day, with a request for each 31 days. `raw` is Gong's element of the
        user with that one day left in it. For days and the quota, see `interaction_stats`.
        """
        return streams.user_activity(self._transport, first, end)


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
