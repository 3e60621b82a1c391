"""Types of the entries in `streams.py`, and the sources that read them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

from gong_assets.dates import DateRange, contiguous_ranges
from gong_assets.gong import Endpoint, GongClient, GongQuotaExhausted, Record
from gong_assets.gong.pages.queries import end_of_finished_days
from gong_assets.ingestion.known_fields import Fields
from gong_assets.ingestion.sources import Pages, to_row, window_text
from gong_assets.ingestion.spool import Row
from gong_assets.warehouse.tables import RawTable


class Cadence(Enum):
    """How often a stream is read."""

    WITH_CALLS = "with calls"
    DAILY = "daily"


@dataclass(frozen=True, kw_only=True)
class RawStream:
    """A list in Gong's API, and the raw table that it fills.

    Attributes:
        noun: plural of a record, for progress and logs.
        description: of the Dagster asset.
        fields: known fields of a record, with which the schema check compares recent records.
    """

    table: RawTable
    endpoint: Endpoint
    noun: str
    description: str
    fields: Fields
    cadence: Cadence = Cadence.WITH_CALLS

    @property
    def endpoint_tag(self) -> str:
        """Value of the asset's tag `gong_endpoint`, such as `calls_extensive`."""
        return self.endpoint.path.removeprefix("/v2/").replace("/", "_").replace("-", "_")


@dataclass(frozen=True, kw_only=True)
class PartitionedStream(RawStream):
    """A stream with daily partitions. Each run replaces its days.

    Attributes:
        request: reads one range of days.
        complete_days_only: Gong has only days that have ended in every time zone.
    """

    request: Callable[[GongClient, DateRange], Pages]
    complete_days_only: bool = False

    def source(self, ranges: Sequence[DateRange]) -> PartitionedSource:
        if self.complete_days_only:
            end = end_of_finished_days(datetime.now(UTC))
            ranges = [DateRange(days.start, min(days.end, end)) for days in ranges if days.start < end]
        return PartitionedSource(self, ranges)


@dataclass(frozen=True, kw_only=True)
class SnapshotStream(RawStream):
    """A stream without dates. Gong has no filter for changes, so each run replaces the whole table.

    Attributes:
        by_workspace: the endpoint accepts the parameter `workspaceId`.
        custom_request: reads the records, of one workspace if given. The default lists the endpoint.
    """

    cadence: Cadence = Cadence.DAILY
    by_workspace: bool = False
    custom_request: Callable[[GongClient, str | None], Pages] | None = None

    def request(self, client: GongClient, workspace_id: str | None) -> Pages:
        if self.custom_request is not None:
            return self.custom_request(client, workspace_id)
        has_filter = self.by_workspace and workspace_id
        return client.list_records(self.endpoint, {"workspaceId": workspace_id} if has_filter else {})

    def source(self, workspace_id: str | None) -> SnapshotSource:
        return SnapshotSource(self, workspace_id)


@dataclass
class PartitionedSource:
    """Reads ranges of days of a partitioned stream."""

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
        remaining = {day for day in quota_error.remaining if isinstance(day, date)}
        started = next((days for days in self.ranges if days not in self._done), None)
        completed = [day for day in started or () if day not in remaining] if remaining else []
        return contiguous_ranges([*(day for days in self._done for day in days), *completed])

    def is_expected_deletion(self, key: str) -> bool:
        return False

    def metadata(self) -> dict[str, Any]:
        return {"run/window": window_text(self.ranges)}

    def metadata_of_day(self, day: date) -> dict[str, Any]:
        return {}


@dataclass
class SnapshotSource:
    """Reads all of a snapshot stream."""

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

    def metadata_of_day(self, day: date) -> dict[str, Any]:
        return {}
