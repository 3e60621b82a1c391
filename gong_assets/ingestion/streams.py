"""Registry of all raw streams other than calls and transcripts.

A partitioned stream (reviews, statistics) replaces the days of the run. A snapshot stream has no dates, and Gong does not
say what changed in it, so the whole table is replaced.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from gong_assets.dates import DateRange, contiguous_ranges
from gong_assets.gong import GongClient, GongQuotaExhausted, Page, Record
from gong_assets.gong.pages.queries import end_of_finished_days
from gong_assets.ingestion.sources import Pages, to_row, window_text
from gong_assets.ingestion.spool import Row
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
class PartitionedStream:
    """A stream of reviews or statistics; `request` reads one range of days."""

    table: RawTable
    endpoint: str
    noun: str
    description: str
    request: Callable[[GongClient, DateRange], AsyncGenerator[Page, None]]
    complete_days_only: bool = False
    """Available only for days that have ended in every time zone."""

    def source(self, ranges: Sequence[DateRange]) -> PartitionedSource:
        if self.complete_days_only:
            end = end_of_finished_days(datetime.now(UTC))
            ranges = [DateRange(days.start, min(days.end, end)) for days in ranges if days.start < end]
        return PartitionedSource(self, ranges)


@dataclass(frozen=True)
class SnapshotStream:
    """A list without dates; `request` reads all of it, or the part of a workspace."""

    table: RawTable
    endpoint: str
    noun: str
    description: str
    request: Callable[[GongClient, str | None], AsyncGenerator[Page, None]]
    is_read_with_calls: bool = False
    """Read as often as calls; the others are reference data, read once a day."""

    def source(self, workspace_id: str | None) -> SnapshotSource:
        return SnapshotSource(self, workspace_id)


@dataclass
class PartitionedSource:
    stream: PartitionedStream
    ranges: Sequence[DateRange]
    total = None

    def __post_init__(self) -> None:
        self.table = self.stream.table
        self.noun = self.stream.noun
        self._done: list[DateRange] = []

    async def pages(self, client: GongClient) -> Pages:
        for days in self.ranges:
            async with aclosing(self.stream.request(client, days)) as pages:
                async for page in pages:
                    yield page
            self._done.append(days)

    def row(self, record: Record) -> Row | None:
        # A record without its day lands on the first day, with its PROCESSING_ERROR.
        day = record.day or self.ranges[0].start
        return to_row(record, day) if any(day in days for days in self.ranges) else None

    def completed_ranges(self, quota_error: GongQuotaExhausted) -> Sequence[DateRange]:
        remaining = {day for day in quota_error.unread if isinstance(day, date)}
        started = next((days for days in self.ranges if days not in self._done), None)
        completed = [day for day in started or () if day not in remaining] if remaining else []
        return contiguous_ranges([*(day for days in self._done for day in days), *completed])

    def is_expected_deletion(self, key: str) -> bool:
        return False

    def metadata(self) -> dict[str, Any]:
        return {"window": window_text(self.ranges)}


@dataclass
class SnapshotSource:
    stream: SnapshotStream
    workspace_id: str | None
    ranges = None
    total = None

    def __post_init__(self) -> None:
        self.table = self.stream.table
        self.noun = self.stream.noun

    def pages(self, client: GongClient) -> Pages:
        return self.stream.request(client, self.workspace_id)

    def row(self, record: Record) -> Row | None:
        return to_row(record, None)

    def completed_ranges(self, quota_error: GongQuotaExhausted) -> Sequence[DateRange]:
        return []

    def is_expected_deletion(self, key: str) -> bool:
        return False

    def metadata(self) -> dict[str, Any]:
        return {}


PARTITIONED_STREAMS = (
    PartitionedStream(
        ANSWERED_SCORECARDS,
        "stats_activity_scorecards",
        "answered scorecards",
        "Reviews of calls, by people and by Gong's AI, one row per review and on the day of the review: "
        "POST /v2/stats/activity/scorecards.",
        lambda gong, days: gong.answered_scorecards(days.start, days.end),
    ),
    PartitionedStream(
        INTERACTION_STATS,
        "stats_interaction",
        "interaction stats",
        "How each user talks, averaged over a day's calls, one row per user and day: POST /v2/stats/interaction, one "
        "request for each day. Days are the company's; one that may not be over is left to a later run.",
        lambda gong, days: gong.interaction_stats(list(days)),
        complete_days_only=True,
    ),
    PartitionedStream(
        USER_ACTIVITY,
        "stats_activity_day_by_day",
        "user activity",
        "What each user did with calls, one row per user and day: POST /v2/stats/activity/day-by-day. Days are the "
        "company's; one that may not be over is left to a later run.",
        lambda gong, days: gong.user_activity(days.start, days.end),
        complete_days_only=True,
    ),
)

SNAPSHOT_STREAMS = (
    SnapshotStream(
        USERS,
        "users",
        "users",
        "All users, and the avatars that stand in for them, one row per user: GET /v2/users. Gong has no modified-since "
        "filter, so the table is replaced whole.",
        lambda gong, workspace_id: gong.users(),
        is_read_with_calls=True,
    ),
    SnapshotStream(
        WORKSPACES,
        "workspaces",
        "workspaces",
        "The company's workspaces, one row each: GET /v2/workspaces.",
        lambda gong, workspace_id: gong.workspaces(),
    ),
    SnapshotStream(
        SCORECARDS,
        "settings_scorecards",
        "scorecards",
        "Scorecards with their questions, one row per scorecard: GET /v2/settings/scorecards.",
        lambda gong, workspace_id: gong.scorecards(),
    ),
    SnapshotStream(
        TRACKERS,
        "settings_trackers",
        "trackers",
        "Keyword trackers, one row each: GET /v2/settings/trackers. Gong does not list smart trackers.",
        lambda gong, workspace_id: gong.trackers(workspace_id),
    ),
    SnapshotStream(
        LIBRARY_CALLS,
        "library_folder_content",
        "library calls",
        "The calls and snippets in the library's public folders, one row each: GET /v2/library/folders and, for each "
        "folder, GET /v2/library/folder-content.",
        lambda gong, workspace_id: gong.calls_in_library(workspace_id),
    ),
)
