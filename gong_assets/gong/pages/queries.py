"""Lists other than calls and transcripts: settings, the library, reviews, and statistics of users by day.

Each function yields pages in which a record comes once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from gong_assets.gong.endpoints import (
    ANSWERED_SCORECARDS,
    FOLDER_CONTENT,
    FOLDERS,
    INTERACTION_STATS,
    USER_ACTIVITY,
    Endpoint,
)
from gong_assets.gong.errors import GongNotFoundError, GongQuotaExhausted
from gong_assets.gong.http.transport import Transport
from gong_assets.gong.pages.pagination import Page, Pages, deduplicated, read_pages
from gong_assets.gong.pages.worker_pool import read_all
from gong_assets.gong.records import Record, split_by_day, with_day, with_folder

DAY = timedelta(days=1)
# The last time zone in which a day ends is twelve hours behind UTC.
LAST_TIME_ZONE = timedelta(hours=12)
# A page has 100 users, each with all days of the request: 3,100 days of call ids are some megabytes.
DAYS_PER_REQUEST = 31
# Stands in for the calls of a folder without an id, whose content cannot be requested.
NO_CALL = Record(raw=b"null", id=None, error=None)


def all_records(transport: Transport, endpoint: Endpoint, content: Mapping[str, Any]) -> Pages:
    """Yield one list."""
    return deduplicated(read_pages(transport, endpoint, content))


async def calls_in_library(transport: Transport, workspace_id: str | None) -> Pages:
    """Yield the calls and snippets in all public folders.

    A folder that was deleted since it was listed is left out.
    """
    workspace = {"workspaceId": workspace_id} if workspace_id else {}
    async with aclosing(all_records(transport, FOLDERS, workspace)) as listing:
        folders = [folder async for page in listing for folder in page.records]
    without_id = [with_folder(folder, NO_CALL) for folder in folders if folder.id is None]
    if without_id:
        yield Page(without_id)
    with_id = [folder for folder in folders if folder.id is not None]
    contents = read_all(transport, with_id, lambda folder: _folder_content(transport, folder))
    async with aclosing(deduplicated(contents)) as pages:
        async for page in pages:
            yield page


async def _folder_content(transport: Transport, folder: Record) -> Pages:
    try:
        async with aclosing(read_pages(transport, FOLDER_CONTENT, {"folderId": folder.id})) as pages:
            async for page in pages:
                yield replace(page, records=[with_folder(folder, call) for call in page.records])
    except GongNotFoundError as error:
        if not error.errors:  # not from Gong itself: a wrong address, or a proxy
            raise


async def answered_scorecards(transport: Transport, start: date, end: date) -> Pages:
    """Yield reviews of the UTC days from `start` to before `end`, and reviews without a readable time.

    Gong filters by the company's days, which begin between 14 hours before and 12 hours after those of UTC.
    """
    if start >= end:
        return
    limits = {"reviewFromDate": f"{start - DAY}", "reviewToDate": f"{end + DAY}", "reviewMethod": "BOTH"}
    async with aclosing(all_records(transport, ANSWERED_SCORECARDS, {"filter": limits})) as pages:
        async for page in pages:
            inside = [card for card in page.records if card.day is None or start <= card.day < end]
            if inside:
                yield replace(page, records=inside)


async def interaction_stats(transport: Transport, days: Sequence[date]) -> Pages:
    """Yield the statistics of each day by a request of its own, since Gong averages over a request."""
    end = end_of_finished_days(transport.clock.now())
    finished = [day for day in dict.fromkeys(days) if day < end]
    stats = read_all(transport, finished, lambda day: _interaction_stats_of(transport, day))
    async with aclosing(deduplicated(stats)) as pages:
        async for page in pages:
            yield page


async def _interaction_stats_of(transport: Transport, day: date) -> Pages:
    content = {"filter": _date_filter(day, day + DAY)}
    async with aclosing(read_pages(transport, INTERACTION_STATS, content)) as pages:
        async for page in pages:
            yield replace(page, records=[with_day(day, user) for user in page.records])


async def user_activity(transport: Transport, start: date, end: date) -> Pages:
    """Yield a record for each user and day from `start` to before `end`, and those without a readable day."""
    end = min(end, end_of_finished_days(transport.clock.now()))
    days = [start + number * DAY for number in range((end - start).days)]
    ranges = [days[first : first + DAYS_PER_REQUEST] for first in range(0, len(days), DAYS_PER_REQUEST)]
    activity = read_all(transport, ranges, lambda each: _activity_of(transport, each))
    try:
        async with aclosing(deduplicated(activity)) as pages:
            async for page in pages:
                yield page
    except GongQuotaExhausted as error:
        error.remaining = tuple(day for each in error.remaining for day in each)
        raise


async def _activity_of(transport: Transport, days: Sequence[date]) -> Pages:
    content = {"filter": _date_filter(days[0], days[-1] + DAY)}
    async with aclosing(read_pages(transport, USER_ACTIVITY, content)) as pages:
        async for page in pages:
            by_day = (record for user in page.records for record in split_by_day(user))
            inside = [record for record in by_day if record.day is None or record.day in days]
            yield replace(page, records=inside)


def end_of_finished_days(now: datetime) -> date:
    """Return the first day that has not ended in every time zone. Gong rejects a later `toDate`."""
    return (now.astimezone(UTC) - LAST_TIME_ZONE).date()


def _date_filter(start: date, end: date) -> dict[str, str]:
    return {"fromDate": f"{start}", "toDate": f"{end}"}
