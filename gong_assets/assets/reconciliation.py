"""Reconciliation: what changed in Gong on days that no sync reads any more.

A call that Gong deletes, makes private, renames or finishes late, weeks after it took place, is behind the lookback of
every sync, and Gong has neither a filter for changes nor a list of deletions. So the ids and the basic fields of a long
span are listed (a page of 100 calls costs one request, and Gong little), compared with what is landed, and the days that
differ are read again whole.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
import msgspec

from gong_assets.assets.progress import ProgressLog
from gong_assets.assets.raw import GONG_POOL, ReadConfig
from gong_assets.assets.reading import Calls, Pages, Transcripts, read, request_metadata, window_text
from gong_assets.failures import EXPECTED_ERRORS, failure
from gong_assets.gong import GongClient, GongQuotaExhausted, Record, Window
from gong_assets.partitions import bounds, days_of, spans
from gong_assets.resources import GongResource, SnowflakeResource, query_tag
from gong_assets.settings import Settings
from gong_assets.warehouse.io_manager import SHOWN_IDS, land
from gong_assets.warehouse.landing import Days, check_vanished
from gong_assets.warehouse.queries import basic_fields, call_dates
from gong_assets.warehouse.spool import Row
from gong_assets.warehouse.tables import CALLS, RawTable

if TYPE_CHECKING:
    from gong_assets.warehouse.connection import Warehouse

# What GET /v2/calls and `metaData` of POST /v2/calls/extensive both have, and what somebody may change.
FIELDS = (
    *(
        "title",
        "started",
        "scheduled",
        "duration",
        "primaryUserId",
        "direction",
        "scope",
        "media",
        "language",
    ),
    *("workspaceId", "purpose", "isPrivate", "sdrDisposition", "clientUniqueId", "customData"),
)

# GET /v2/calls filters web conferences by their scheduled time: those that began on another day are found around the span.
AROUND = timedelta(days=1)


@dataclass(frozen=True)
class Basics:
    """One call as it is compared: its day, and the FIELDS as text."""

    day: date
    fields: tuple[str | None, ...]


@dataclass
class Difference:
    """What differs on one day, by call id."""

    new: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)


def differences(listed: Mapping[str, Basics], landed: Mapping[str, Basics]) -> dict[date, Difference]:
    """The days on which Gong has other calls than the table, oldest first. A call that moved differs on both."""
    days: defaultdict[date, Difference] = defaultdict(Difference)
    for call_id in listed.keys() | landed.keys():
        here, there = landed.get(call_id), listed.get(call_id)
        if here is None and there is not None:
            days[there.day].new.append(call_id)
        elif there is None and here is not None:
            days[here.day].gone.append(call_id)
        elif here is not None and there is not None and here != there:
            days[here.day].changed.append(call_id)
            if here.day != there.day:
                days[there.day].changed.append(call_id)
    return dict(sorted(days.items()))


@dataclass
class Listing:
    """The basic fields of a span's calls. A source without rows: it lands nowhere."""

    span: Days
    include_private: bool
    workspace_id: str | None
    table: RawTable = CALLS
    noun: str = "calls listed"
    total: int | None = None
    days: None = None
    calls: dict[str, Basics] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)

    def pages(self, client: GongClient) -> Pages:
        first, end = bounds(self.span)
        return client.list_calls(Window(first - AROUND, end + AROUND), workspace_id=self.workspace_id)

    def row(self, record: Record) -> Row | None:
        if record.is_private and not self.include_private:
            self.private.add(record.id or "?")
        elif record.id and record.started:
            day = record.started.astimezone(UTC).date()
            if self.span.first <= day < self.span.end:
                self.calls[record.id] = Basics(day, _fields(record))
        return None

    def finished(self, stopped: GongQuotaExhausted) -> list[Days]:
        return []

    def knows_to_be_gone(self, key: str) -> bool:
        return key in self.private

    def metadata(self) -> dict[str, Any]:
        return {"window": window_text([self.span]), "calls_listed": len(self.calls)}


def _fields(record: Record) -> tuple[str | None, ...]:
    basic: dict[str, Any] = msgspec.json.decode(record.raw)
    return tuple(_text(basic.get(name)) for name in FIELDS)


def _text(value: Any) -> str | None:
    """As Snowflake casts a VARIANT to VARCHAR."""
    return value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()


def build_reconciliation(settings: Settings, partitions: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
    @dg.asset(
        group_name="raw",
        owners=["team:data-engineering"],
        kinds={"python", "gong", "snowflake"},
        tags={"layer": "raw", "gong_endpoint": "calls"},
        pool=GONG_POOL,
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        deps=["gong_calls_raw", "gong_call_transcripts_raw"],
        description="Days whose landed calls were compared with Gong's list of ids and basic fields (GET /v2/calls). A day "
        "that differs is read again whole, calls and transcripts, and is then materialized in both raw assets.",
    )
    def gong_call_reconciliation(
        context: dg.AssetExecutionContext,
        config: ReadConfig,
        gong: GongResource,
        snowflake: SnowflakeResource,
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]
        warehouse = snowflake.warehouse(query_tag=query_tag(context.run_id, "gong_call_reconciliation"))
        span = days_of(context.partition_time_window)
        share = 1.0 if config.confirm_deletions else settings.gong_max_vanished_share
        listing = Listing(span, settings.gong_include_private_calls, settings.gong_workspace_id)
        try:
            log = ProgressLog(context.log.info, listing.noun)
            listed = read(gong.client(), listing, log.page)
            if listed.stopped is not None:
                raise listed.stopped
            with warehouse.connect() as connection:
                landed = {
                    call_id: Basics(day, fields)
                    for call_id, (day, fields) in basic_fields(connection, span, FIELDS).items()
                }
            lost = [
                call_id
                for call_id in landed.keys() - listing.calls.keys()
                if not listing.knows_to_be_gone(call_id)
            ]
            check_vanished(CALLS, [span], held=len(landed), lost=len(lost), max_share=share)
            found = differences(listing.calls, landed)
            again = _read_again(context, gong, warehouse, settings, spans(found), share)
        except EXPECTED_ERRORS as error:
            raise failure(error) from error
        return dg.MaterializeResult(
            metadata={
                **request_metadata(listed.stats),
                **listing.metadata(),
                "calls_landed": len(landed),
                "days_that_differ": len(found),
                "calls_new": sum(len(day.new) for day in found.values()),
                "calls_gone": sum(len(day.gone) for day in found.values()),
                "calls_changed": sum(len(day.changed) for day in found.values()),
                "differences": dg.MetadataValue.json(_shown(found)),
                **again,
            }
        )

    return gong_call_reconciliation


def _read_again(
    context: dg.AssetExecutionContext,
    gong: GongResource,
    warehouse: "Warehouse",
    settings: Settings,
    days: list[Days],
    share: float,
) -> dict[str, Any]:
    """Read these days as their assets do, and mark them as materialized there; the requests that it took."""
    if not days:
        return {}
    calls = Calls(days, settings.gong_include_private_calls, settings.gong_workspace_id)
    requests = _land(context, gong, warehouse, calls, share)
    with warehouse.connect() as connection:
        transcripts = Transcripts(days, call_dates(connection, days))
    return {"gong_requests_to_read_again": requests + _land(context, gong, warehouse, transcripts, share)}


def _land(
    context: dg.AssetExecutionContext,
    gong: GongResource,
    warehouse: "Warehouse",
    source: Calls | Transcripts,
    share: float,
) -> int:
    log = ProgressLog(context.log.info, source.noun, total=source.total)
    reading = read(gong.client(), source, log.page, max_vanished_share=share)
    finished = [day for span in reading.spool.days or () for day in span]
    landed = land(warehouse, source.table, reading.spool, context.run_id)
    metadata = {**request_metadata(reading.stats), **source.metadata(), **landed}
    for day in finished:
        counts = {"dagster/partition_row_count": reading.spool.rows_by_day[day]}
        context.log_event(
            dg.AssetMaterialization(
                source.table.name.lower(), partition=day.isoformat(), metadata={**metadata, **counts}
            )
        )
    if reading.stopped is not None:
        raise reading.stopped
    return reading.stats.requests


def _shown(found: Mapping[date, Difference]) -> dict[str, dict[str, list[str]]]:
    shown: dict[str, dict[str, list[str]]] = {}
    left = SHOWN_IDS
    for day, difference in found.items():
        for kind, ids in vars(difference).items():
            if ids and left > 0:
                shown.setdefault(day.isoformat(), {})[kind] = sorted(ids)[:left]
                left -= len(ids)
    return shown
