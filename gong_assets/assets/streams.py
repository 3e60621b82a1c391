"""The lists of Gong's beside calls and transcripts: which there are, what each asks for, and on which days it lands.

A daily stream is one of statistics or reviews, and replaces the days of the run. A whole one has no dates at all: Gong
tells nothing about what changed in it, and it is replaced altogether.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from gong_assets.assets.reading import Pages, landed_row, window_text
from gong_assets.gong import GongClient, GongQuotaExhausted, Page, Record
from gong_assets.gong.pages.queries import end_of_finished_days
from gong_assets.partitions import spans
from gong_assets.warehouse.landing import Days
from gong_assets.warehouse.spool import Row
from gong_assets.warehouse.tables import (
    ANSWERED_SCORECARDS,
    INTERACTION_STATS,
    LIBRARY_CALLS,
    SCORECARDS,
    TRACKERS,
    USER_ACTIVITY,
    USERS,
    WORKSPACES,
    RawTable,
)


@dataclass(frozen=True)
class Daily:
    """A stream of statistics or reviews; `ask` reads one span of days."""

    table: RawTable
    endpoint: str
    noun: str
    description: str
    ask: Callable[[GongClient, Days], AsyncGenerator[Page, None]]
    of_finished_days: bool = False
    """Gong has it only of days that are over, wherever on earth the company is."""

    def source(self, days: Sequence[Days]) -> DailySource:
        if self.of_finished_days:
            end = end_of_finished_days(datetime.now(UTC))
            days = [Days(span.first, min(span.end, end)) for span in days if span.first < end]
        return DailySource(self, days)


@dataclass(frozen=True)
class Whole:
    """A list without dates; `ask` reads all of it, or that of a workspace."""

    table: RawTable
    endpoint: str
    noun: str
    description: str
    ask: Callable[[GongClient, str | None], AsyncGenerator[Page, None]]
    is_people: bool = False
    """Changes with who comes and goes, and is read as often as the calls; the rest are settings."""

    def source(self, workspace_id: str | None) -> WholeSource:
        return WholeSource(self, workspace_id)


@dataclass
class DailySource:
    stream: Daily
    days: Sequence[Days]
    total = None

    def __post_init__(self) -> None:
        self.table = self.stream.table
        self.noun = self.stream.noun
        self._done: list[Days] = []

    async def pages(self, client: GongClient) -> Pages:
        for span in self.days:
            async with aclosing(self.stream.ask(client, span)) as pages:
                async for page in pages:
                    yield page
            self._done.append(span)

    def row(self, record: Record) -> Row | None:
        day = record.day or self.days[0].first  # A record without its day lands with its PROCESSING_ERROR.
        return landed_row(record, day) if any(span.first <= day < span.end for span in self.days) else None

    def finished(self, stopped: GongQuotaExhausted) -> Sequence[Days]:
        unread = {day for day in stopped.remaining if isinstance(day, date)}
        begun = next((span for span in self.days if span not in self._done), None)
        read_of_begun = [day for day in begun or () if day not in unread] if unread else []
        return spans([*(day for span in self._done for day in span), *read_of_begun])

    def knows_to_be_gone(self, key: str) -> bool:
        return False

    def metadata(self) -> dict[str, Any]:
        return {"window": window_text(self.days)}


@dataclass
class WholeSource:
    stream: Whole
    workspace_id: str | None
    days = None
    total = None

    def __post_init__(self) -> None:
        self.table = self.stream.table
        self.noun = self.stream.noun

    def pages(self, client: GongClient) -> Pages:
        return self.stream.ask(client, self.workspace_id)

    def row(self, record: Record) -> Row | None:
        return landed_row(record, None)

    def finished(self, stopped: GongQuotaExhausted) -> Sequence[Days]:
        return []

    def knows_to_be_gone(self, key: str) -> bool:
        return False

    def metadata(self) -> dict[str, Any]:
        return {}


DAILY_STREAMS = (
    Daily(
        ANSWERED_SCORECARDS,
        "stats_activity_scorecards",
        "answered scorecards",
        "Reviews of calls, by people and by Gong's AI, one row per review and on the day of the review: "
        "POST /v2/stats/activity/scorecards.",
        lambda gong, days: gong.answered_scorecards(days.first, days.end),
    ),
    Daily(
        INTERACTION_STATS,
        "stats_interaction",
        "interaction stats",
        "How each user talks, averaged over a day's calls, one row per user and day: POST /v2/stats/interaction, one "
        "request for each day. Days are the company's; one that may not be over is left to a later run.",
        lambda gong, days: gong.interaction_stats(list(days)),
        of_finished_days=True,
    ),
    Daily(
        USER_ACTIVITY,
        "stats_activity_day_by_day",
        "user activity",
        "What each user did with calls, one row per user and day: POST /v2/stats/activity/day-by-day. Days are the "
        "company's; one that may not be over is left to a later run.",
        lambda gong, days: gong.user_activity(days.first, days.end),
        of_finished_days=True,
    ),
)

WHOLE_STREAMS = (
    Whole(
        USERS,
        "users",
        "users",
        "All users, and the avatars that stand in for them, one row per user: GET /v2/users. Gong has no modified-since "
        "filter, so the table is replaced whole.",
        lambda gong, workspace_id: gong.users(),
        is_people=True,
    ),
    Whole(
        WORKSPACES,
        "workspaces",
        "workspaces",
        "The company's workspaces, one row each: GET /v2/workspaces.",
        lambda gong, workspace_id: gong.workspaces(),
    ),
    Whole(
        SCORECARDS,
        "settings_scorecards",
        "scorecards",
        "Scorecards with their questions, one row per scorecard: GET /v2/settings/scorecards.",
        lambda gong, workspace_id: gong.scorecards(),
    ),
    Whole(
        TRACKERS,
        "settings_trackers",
        "trackers",
        "Keyword trackers, one row each: GET /v2/settings/trackers. Gong does not list smart trackers.",
        lambda gong, workspace_id: gong.trackers(workspace_id),
    ),
    Whole(
        LIBRARY_CALLS,
        "library_folder_content",
        "library calls",
        "The calls and snippets in the library's public folders, one row each: GET /v2/library/folders and, for each "
        "folder, GET /v2/library/folder-content.",
        lambda gong, workspace_id: gong.calls_in_library(workspace_id),
    ),
)
