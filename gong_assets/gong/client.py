"""Client for Gong's API: one method per list, each an asynchronous iterator over pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import partial
from types import TracebackType
from typing import Any, Self

import httpx

from gong_assets.gong.clock import SYSTEM_CLOCK, Clock
from gong_assets.gong.config import GongConfig
from gong_assets.gong.endpoints import (
    CALLS,
    CONTENT_SELECTOR,
    LISTED_CALLS,
    TRANSCRIPTS,
    USERS,
    Endpoint,
)
from gong_assets.gong.errors import GongQuotaExhausted
from gong_assets.gong.http.transport import RequestStats, Transport
from gong_assets.gong.pages import PAGE_SIZE, queries
from gong_assets.gong.pages.call_reader import CallReader
from gong_assets.gong.pages.pagination import Pages, deduplicated, read_pages
from gong_assets.gong.pages.worker_pool import read_all
from gong_assets.gong.records import Record
from gong_assets.gong.window import Window, iso


@dataclass(frozen=True)
class Progress:
    """Progress of a read. `total` may be more than arrives in the end; None if Gong does not report it."""

    records: int
    total: int | None
    stats: RequestStats


class GongClient:
    """Client for one Gong account. An asynchronous context manager; it serves several reads at the same time.

    `transport` replaces the network and `clock` the time in tests. All methods raise the errors of
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
        *windows: Window,
        workspace_id: str | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> Pages:
        """Yield each call of the windows once, private ones too, in no order.

        POST /v2/calls/extensive, with all fields but the media links. `progress` is called with each page
        before it is yielded. Raises GongQuotaExhausted, with `completed_windows`, after the last page.
        """
        records = 0
        reader = CallReader(self._transport, windows, partial(self._calls_in, workspace_id))
        async with aclosing(reader.pages()) as pages:
            async for page in pages:
                records += len(page.records)
                if progress is not None:
                    progress(Progress(records, page.total_records, self.stats))
                yield page

    def calls_with_transcripts(
        self,
        *windows: Window,
        workspace_id: str | None = None,
        wants_transcript: Callable[[Record], bool] = lambda call: True,
    ) -> CallReader:
        """Return a reader for calls, and for the transcripts of those that `wants_transcript` accepts.

        Its `pages()` request transcripts while calls are still being read.
        """
        return CallReader(self._transport, windows, partial(self._calls_in, workspace_id), wants_transcript)

    def _calls_in(self, workspace_id: str | None, window: Window) -> Pages:
        limits = {"filter": _time_filter(window, workspace_id), "contentSelector": CONTENT_SELECTOR}
        return read_pages(self._transport, CALLS, limits)

    def list_calls(self, *windows: Window, workspace_id: str | None = None) -> Pages:
        """Yield the basic fields of each call of the windows once, private ones too; in no order.

        GET /v2/calls, a cheap list of which calls exist. It filters web conferences by their scheduled time:
        one that started before or after the window may be among them, and one that was scheduled before or
        after it is not.
        """

        def read_window(window: Window) -> Pages:
            return read_pages(self._transport, LISTED_CALLS, _time_filter(window, workspace_id))

        return CallReader(self._transport, windows, read_window).pages()

    def calls_by_id(self, call_ids: Sequence[str], *, workspace_id: str | None = None) -> Pages:
        """Yield these calls like `calls`; one that does not exist (yet) is left out.

        POST /v2/calls/extensive, 100 ids to a request; no ids make no request. Raises GongQuotaExhausted,
        with the `remaining` ids, after the last page.
        """
        workspace = {"workspaceId": workspace_id} if workspace_id else {}
        return self._by_id(CALLS, call_ids, workspace, {"contentSelector": CONTENT_SELECTOR})

    def transcripts(self, call_ids: Sequence[str]) -> Pages:
        """Yield the transcripts of these calls, each once, in no order; a call without one (yet) is left out.

        POST /v2/calls/transcript, 100 ids to a request; no ids make no request. Raises GongQuotaExhausted,
        with the `remaining` ids, after the last page.
        """
        return self._by_id(TRANSCRIPTS, call_ids, {}, {})

    async def _by_id(
        self,
        endpoint: Endpoint,
        call_ids: Sequence[str],
        filters: Mapping[str, Any],
        content: Mapping[str, Any],
    ) -> Pages:
        ids = list(dict.fromkeys(call_ids))
        batches = [ids[first : first + PAGE_SIZE] for first in range(0, len(ids), PAGE_SIZE)]

        def read_batch(batch: list[str]) -> Pages:
            return read_pages(self._transport, endpoint, {"filter": {"callIds": batch, **filters}, **content})

        try:
            async with aclosing(deduplicated(read_all(self._transport, batches, read_batch))) as pages:
                async for page in pages:
                    yield page
        except GongQuotaExhausted as error:
            error.remaining = tuple(call_id for batch in error.remaining for call_id in batch)
            raise

    def users(self) -> Pages:
        """Yield every user, and the avatars under which Gong's own staff appears: GET /v2/users."""
        return queries.all_records(self._transport, USERS, {"includeAvatars": "true"})

    def list_records(self, endpoint: Endpoint, query: Mapping[str, Any]) -> Pages:
        """Yield every record of a list endpoint once, such as GET /v2/workspaces."""
        return queries.all_records(self._transport, endpoint, query)

    def calls_in_library(self, workspace_id: str | None = None) -> Pages:
        """Yield the calls in the library's public folders, one record for each snippet and folder.

        GET /v2/library/folders, then GET /v2/library/folder-content for each folder. `raw` is an object with
        both elements, `folder` and `call`; the id is "<folder id>/<call id>", followed by
        "/<fromSec>-<toSec>" for a snippet.
        """
        return queries.calls_in_library(self._transport, workspace_id)

    def answered_scorecards(self, start: date, end: date) -> Pages:
        """Yield the reviews of calls, by people and by Gong's AI, from the UTC day `start` to before `end`.

        POST /v2/stats/activity/scorecards. `Record.day` is the UTC day of the review; reviews without a
        readable time are included.
        """
        return queries.answered_scorecards(self._transport, start, end)

    def interaction_stats(self, days: Sequence[date]) -> Pages:
        """Yield how each user spoke, on average over each of these days: one record for each user and day.

        POST /v2/stats/interaction, one request for each day. Days are in the company's time zone, which the
        client does not know: days that may not have ended are left out, for a later run. Raises
        GongQuotaExhausted, with the `remaining` days, after the last page.
        """
        return queries.interaction_stats(self._transport, days)

    def user_activity(self, start: date, end: date) -> Pages:
        """Yield what each user did with which calls, as one record for each user and day.

        POST /v2/stats/activity/day-by-day from `start` to before `end`, one request for each 31 days. `raw`
        is Gong's element of the user with only that day in it. Days and quota are treated as in
        `interaction_stats`.
        """
        return queries.user_activity(self._transport, start, end)


async def first_call_date(client: GongClient, window: Window) -> date | None:
    """Return the day (UTC) of a window's oldest call; None without calls.

    Gong lists the oldest call first but does not document it, so each answer is followed by a query for calls
    before that day, until there are none: two requests if the first answer was right.
    """
    first: date | None = None
    while (oldest := await _oldest_on_first_page(client, window)) and oldest < window.end:
        first = oldest.date()
        midnight = datetime.combine(first, time.min, tzinfo=UTC)
        if midnight <= window.start:
            break
        window = Window(window.start, midnight)
    return first


async def _oldest_on_first_page(client: GongClient, window: Window) -> datetime | None:
    content = {"filter": _time_filter(window, None)}
    async with aclosing(read_pages(client._transport, CALLS, content)) as pages:
        async for page in pages:
            if starts := [record.started for record in page.records if record.started]:
                return min(starts)
    return None


def _time_filter(window: Window, workspace_id: str | None) -> dict[str, str]:
    workspace = {"workspaceId": workspace_id} if workspace_id else {}
    return {"fromDateTime": iso(window.start), "toDateTime": iso(window.end)} | workspace
