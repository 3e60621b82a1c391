"""Reader for calls of one or several windows and, if wanted, for the transcripts of these calls.

Transcripts are requested as soon as a hundred wanted calls have been seen. Everything shares one pool: while
the lists of calls wait for Gong's next page, the rate limit is used for transcripts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import aclosing
from dataclasses import replace
from functools import partial

from gong_assets.gong.endpoints import TRANSCRIPTS
from gong_assets.gong.errors import GongError, GongQuotaExhausted
from gong_assets.gong.http.transport import Transport
from gong_assets.gong.pages import PAGE_SIZE
from gong_assets.gong.pages.pagination import Deduplicator, Page, Pages, read_pages
from gong_assets.gong.pages.window_reader import WindowReader
from gong_assets.gong.pages.worker_pool import Batch, WorkerPool
from gong_assets.gong.records import Record
from gong_assets.gong.window import Window


class TranscriptPage(Page):
    """A page of transcripts."""


class CallReader:
    """One read of calls, with their transcripts if `wants_transcript` says so.

    `pages` yields both; pages with transcripts are a `TranscriptPage`.
    """

    def __init__(
        self,
        transport: Transport,
        windows: Iterable[Window],
        read_window: Callable[[Window], Pages],
        wants_transcript: Callable[[Record], bool] = lambda record: False,
    ) -> None:
        self.transcripts_error: GongError | None = None
        """Why transcripts cannot be read, such as a missing scope. The calls are read all the same."""
        self._transport = transport
        self._pool = WorkerPool(transport)
        self._read_window = read_window
        self._wants_transcript = wants_transcript
        self._wanted: dict[str, Batch | None] = {}
        """The ids of the calls whose transcripts are wanted, and the batch that requests each."""
        self._not_requested: list[str] = []
        self._transcripts_seen = Deduplicator()
        seen = Deduplicator()
        self._readers = [
            WindowReader(
                transport, self._pool, window, self._read_calls, seen, self._request_last_transcripts
            )
            for window in windows
        ]

    async def pages(self) -> Pages:
        """Yield pages of calls and of transcripts, each call and each transcript once, in no order.

        Raises GongQuotaExhausted after the last page. All calls of its `completed_windows` have been yielded;
        its `remaining` are the ids of calls whose transcripts are wanted and have not been yielded.
        """
        async with aclosing(self._pool.pages()) as pages:
            async for page in pages:
                yield page if isinstance(page, TranscriptPage) else replace(page, total_records=self._total())
        error = self._pool.quota_error
        if error is not None and (self._remaining() or not self._has_all_calls()):
            windows = (window for reader in self._readers for window in reader.completed_windows())
            error.completed_windows = tuple(windows)
            error.remaining = self._remaining()
            raise error

    def _total(self) -> int | None:
        totals = [reader.total for reader in self._readers if reader.total is not None]
        return sum(totals) if totals else None

    def _has_all_calls(self) -> bool:
        return all(reader.is_complete for reader in self._readers)

    def _remaining(self) -> tuple[str, ...]:
        return tuple(
            call_id for call_id, batch in self._wanted.items() if batch is None or not batch.is_complete
        )

    async def _read_calls(self, window: Window) -> Pages:
        async with aclosing(self._read_window(window)) as pages:
            async for page in pages:
                for call in page.records:
                    if call.id and call.id not in self._wanted and self._wants_transcript(call):
                        self._wanted[call.id] = None
                        self._not_requested.append(call.id)
                self._request_transcripts(PAGE_SIZE)
                yield page

    def _request_last_transcripts(self) -> None:
        if self._has_all_calls():
            self._request_transcripts(1)

    def _request_transcripts(self, smallest_batch: int) -> None:
        while len(self._not_requested) >= smallest_batch and self.transcripts_error is None:
            ids, self._not_requested = self._not_requested[:PAGE_SIZE], self._not_requested[PAGE_SIZE:]
            self._wanted.update(dict.fromkeys(ids, self._pool.add(partial(self._read_transcripts, ids))))
        self._pool.start_waiting()

    async def _read_transcripts(self, ids: list[str]) -> Pages:
        if self.transcripts_error is not None:
            return
        content = {"filter": {"callIds": ids}}
        try:
            async with aclosing(read_pages(self._transport, TRANSCRIPTS, content)) as pages:
                async for page in pages:
                    unique = self._transcripts_seen.new_records(page)
                    yield TranscriptPage(unique.records, page.total_records, page.number, page.cursor)
        except GongQuotaExhausted:
            raise
        except GongError as error:
            self.transcripts_error = self.transcripts_error or error
