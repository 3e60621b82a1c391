"""The lists beside calls and transcripts: settings, the library, reviews, and statistics of users by day.

Each is an asynchronous iterator over pages, in which a record comes once. What they have in common, asking
several questions at the same time, is here too; how one question is walked is in `paging.py`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from gong_assets.gong.errors import GongNotFoundError, GongQuotaExhausted
from gong_assets.gong.http.transport import Transport
from gong_assets.gong.pages.pagination import (
    ANSWERED_SCORECARDS,
    FOLDER_CONTENT,
    FOLDERS,
    INTERACTION_STATS,
    USER_ACTIVITY,
    Endpoint,
    Page,
    walk,
)
from gong_assets.gong.pages.splits import chains_needed
from gong_assets.gong.pages.worker_pool import Stream
from gong_assets.gong.records import Record, day_by_day, in_folder, of_day

DAY = timedelta(days=1)
# The last time zone in which a day ends is twelve hours behind UTC.
LAST_TIME_ZONE = timedelta(hours=12)
# A page has 100 users, and each of them all days of the question: 3,100 days of call ids are some megabytes.
DAYS_PER_QUESTION = 31

Pages = AsyncGenerator[Page, None]
Question = TypeVar("Question")


def listed(transport: Transport, endpoint: Endpoint, content: Mapping[str, Any]) -> Pages:
    """All of one list."""
    return once(walk(transport, endpoint, lambda: content))


async def calls_in_library(transport: Transport, workspace_id: str | None) -> Pages:
    """The calls and snippets in all public folders. A folder that has vanished since they were listed is left out."""
    workspace = {"workspaceId": workspace_id} if workspace_id else {}
    async with aclosing(listed(transport, FOLDERS, workspace)) as listing:
        folders = [folder async for page in listing for folder in page.records]
    unnamed = [in_folder(folder, NO_CALL) for folder in folders if folder.id is None]
    if unnamed:
        yield Page(unnamed)
    named = [folder for folder in folders if folder.id is not None]
    pages = concurrently(transport, named, lambda folder: _content(transport, folder))
    async with aclosing(once(pages)) as found:
        async for page in found:
            yield page


# What stands in for the calls of a folder without an id: they cannot be asked for.
NO_CALL = Record(raw=b"null", id=None, error=None)


async def _content(transport: Transport, folder: Record) -> Pages:
    content = {"folderId": folder.id}
    try:
        async with aclosing(walk(transport, FOLDER_CONTENT, lambda: content)) as pages:
            async for page in pages:
                yield _with_records(page, [in_folder(folder, call) for call in page.records])
    except GongNotFoundError as error:
        if not error.errors:  # not Gong's own word: a wrong address, or something in between
            raise


async def answered_scorecards(transport: Transport, first: date, end: date) -> Pages:
    """Reviews of the days (in UTC) from `first` to before `end`, and those without a readable time.

    Gong filters by the company's days, which begin up to 14 hours before and 12 hours after those of UTC.
    """
    if first >= end:
        return
    limits = {"reviewFromDate": f"{first - DAY}", "reviewToDate": f"{end + DAY}", "reviewMethod": "BOTH"}
    async with aclosing(listed(transport, ANSWERED_SCORECARDS, {"filter": limits})) as pages:
        async for page in pages:
            inside = [card for card in page.records if card.day is None or first <= card.day < end]
            if inside:
                yield _with_records(page, inside)


async def interaction_stats(transport: Transport, days: Sequence[date]) -> Pages:
    """One question for each day: the values are averages over all that is asked for."""
    end = end_of_finished_days(transport.clock.now())
    finished = [day for day in dict.fromkeys(days) if day < end]
    pages = concurrently(transport, finished, lambda day: _interaction_of(transport, day))
    async with aclosing(once(pages)) as found:
        async for page in found:
            yield page


async def _interaction_of(transport: Transport, day: date) -> Pages:
    content = {"filter": _between(day, day + DAY)}
    async with aclosing(walk(transport, INTERACTION_STATS, lambda: content)) as pages:
        async for page in pages:
            yield _with_records(page, [of_day(day, user) for user in page.records])


async def user_activity(transport: Transport, first: date, end: date) -> Pages:
    """A record for each user and day from `first` to before `end`, and those without a readable day."""
    end = min(end, end_of_finished_days(transport.clock.now()))
    days = [first + number * DAY for number in range((end - first).days)]
    spans = [days[start : start + DAYS_PER_QUESTION] for start in range(0, len(days), DAYS_PER_QUESTION)]
    pages = concurrently(transport, spans, lambda span: _activity_of(transport, span))
    try:
        async with aclosing(once(pages)) as found:
            async for page in found:
                yield page
    except GongQuotaExhausted as error:
        error.unread = tuple(day for span in error.unread for day in span)
        raise


async def _activity_of(transport: Transport, span: Sequence[date]) -> Pages:
    content = {"filter": _between(span[0], span[-1] + DAY)}
    async with aclosing(walk(transport, USER_ACTIVITY, lambda: content)) as pages:
        async for page in pages:
            each_day = (record for user in page.records for record in day_by_day(user))
            asked_for = [record for record in each_day if record.day is None or record.day in span]
            yield _with_records(page, asked_for)


def end_of_finished_days(now: datetime) -> date:
    """The first day that may not be over, wherever on earth the company is. Gong refuses a later `toDate`."""
    return (now.astimezone(UTC) - LAST_TIME_ZONE).date()


def _between(first: date, end: date) -> dict[str, str]:
    return {"fromDate": f"{first}", "toDate": f"{end}"}


async def once(pages: Pages) -> Pages:
    """The pages without the records that were on an earlier one, and without those that are then empty."""
    seen: set[str] = set()
    async with aclosing(pages):
        async for page in pages:
            fresh = []
            for record in page.records:
                if record.key not in seen:
                    seen.add(record.key)
                    fresh.append(record)
            if fresh:
                yield _with_records(page, fresh)


def _with_records(page: Page, records: list[Record]) -> Page:
    return Page(records, page.total_records, page.number)


async def concurrently(
    transport: Transport, questions: Sequence[Question], ask: Callable[[Question], Pages]
) -> Pages:
    """The pages of all questions in no order, with as many at a time as it takes to reach the limit.

    When the quota ends, all pages that have come are handed on first. The error's `unread` are then the
    questions that were not answered to the end, in their order.
    """
    waiting = deque(enumerate(questions))
    answered: set[int] = set()
    spent: list[GongQuotaExhausted] = []
    stream: Stream[Page] = Stream()

    async def work() -> None:
        while waiting and not spent:
            number, question = waiting.popleft()
            try:
                async with aclosing(ask(question)) as pages:
                    async for page in pages:
                        start_more()
                        await stream.put(page)
            except GongQuotaExhausted as error:
                spent.append(error)
                return
            answered.add(number)
            start_more()

    def start_more() -> None:
        wanted = chains_needed(transport.latency, transport.requests_per_second)
        for _ in range(0 if spent else min(wanted - stream.active, len(waiting))):
            stream.start(work)

    start_more()
    async with aclosing(stream.items()) as pages:
        async for page in pages:
            yield page
    if spent:
        unread = (question for number, question in enumerate(questions) if number not in answered)
        spent[0].unread = tuple(unread)
        raise spent[0]
