"""The raw assets: what Gong sends, landed as it is.

Each asset reads one window of Gong's API into a spool on disk, however many partitions the run has, and hands the spool
to the Snowflake IO manager. How Gong is read is in `gong_assets/gong`, how a spool lands in `gong_assets/warehouse`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from gong_assets.assets.progress import ProgressLog
from gong_assets.automation import RAW_FRESHNESS
from gong_assets.failures import EXPECTED_ERRORS, failure
from gong_assets.gong import Page, Record, RequestStats, Window, content_hash, validation_error
from gong_assets.partitions import bounds, days_of
from gong_assets.resources import GongResource, SnowflakeResource
from gong_assets.settings import Settings
from gong_assets.warehouse.landing import Days
from gong_assets.warehouse.queries import call_dates
from gong_assets.warehouse.spool import Row, Spool
from gong_assets.warehouse.tables import CALLS, TRANSCRIPTS, USERS, RawTable

# One run at a time calls Gong: its limits are the company's, and two runs would share them.
GONG_POOL = "gong_api"

# How many ids a run shows in its metadata before it says only how many more there are.
SHOWN_IDS = 50


def build_raw_assets(
    settings: Settings, partitions: dg.DailyPartitionsDefinition
) -> list[dg.AssetsDefinition]:
    common: dict[str, Any] = {
        "group_name": "raw",
        "owners": ["team:data-engineering"],
        "kinds": {"python", "gong", "snowflake"},
        "io_manager_key": "snowflake_io_manager",
        "pool": GONG_POOL,
        "freshness_policy": RAW_FRESHNESS,
    }
    daily: dict[str, Any] = {
        **common,
        "partitions_def": partitions,
        "backfill_policy": dg.BackfillPolicy.single_run(),
    }

    @dg.asset(
        description="Calls with participants, content, interaction and CRM context, one row per call: "
        "POST /v2/calls/extensive. Each run replaces its days whole.",
        tags={"layer": "raw", "gong_endpoint": "calls_extensive"},
        metadata=table_metadata(settings, CALLS),
        **daily,
    )
    def gong_calls_raw(context: dg.AssetExecutionContext, gong: GongResource) -> Spool:
        days = days_of(context.partition_time_window)
        landing = CallLanding(days, include_private=settings.gong_include_private_calls)

        async def read() -> RequestStats:
            async with gong.client() as client:
                log = ProgressLog(context, "calls")
                await spool_pages(client.calls(Window(*bounds(days))), landing.row, spool, log)
                return client.stats

        spool = Spool()
        stats = run_reading(read, spool)
        context.add_output_metadata({**request_metadata(stats), **landing.metadata()})
        add_partition_counts(context, spool)
        return spool

    @dg.asset(
        description="Transcripts of the landed calls, one row per call: POST /v2/calls/transcript by call id. "
        "A call whose transcript Gong has not finished has no row yet; the sensor for missing transcripts asks again.",
        deps=[gong_calls_raw],
        tags={"layer": "raw", "gong_endpoint": "calls_transcript"},
        metadata=table_metadata(settings, TRANSCRIPTS),
        **daily,
    )
    def gong_call_transcripts_raw(
        context: dg.AssetExecutionContext, gong: GongResource, snowflake: SnowflakeResource
    ) -> Spool:
        days = days_of(context.partition_time_window)
        try:
            with snowflake.get_connection() as connection:
                dates = call_dates(connection, days)
        except EXPECTED_ERRORS as error:
            raise failure(error) from error

        def row(record: Record) -> Row | None:
            return landed_row(record, dates[record.id]) if record.id in dates else None

        async def read() -> RequestStats:
            async with gong.client() as client:
                log = ProgressLog(context, "transcripts", total=len(dates))
                pages = client.transcripts(list(dates))
                await spool_pages(pages, row, spool, log)
                return client.stats

        spool = Spool()
        stats = run_reading(read, spool)
        context.add_output_metadata(
            {
                **request_metadata(stats),
                "calls": len(dates),
                "calls_without_transcript": len(dates) - spool.rows,
            }
        )
        add_partition_counts(context, spool)
        return spool

    @dg.asset(
        description="All users, and the avatars that stand in for them, one row per user: GET /v2/users. Gong has no "
        "modified-since filter, so the table is replaced whole.",
        tags={"layer": "raw", "gong_endpoint": "users"},
        metadata=table_metadata(settings, USERS),
        **common,
    )
    def gong_users_raw(context: dg.AssetExecutionContext, gong: GongResource) -> Spool:
        async def read() -> RequestStats:
            async with gong.client() as client:
                await spool_pages(
                    client.users(), lambda user: landed_row(user, None), spool, ProgressLog(context, "users")
                )
                return client.stats

        spool = Spool()
        stats = run_reading(read, spool)
        context.add_output_metadata(request_metadata(stats))
        return spool

    return [gong_calls_raw, gong_call_transcripts_raw, gong_users_raw]


class CallLanding:
    """Decides for each call whether, and on which day, it lands; counts what does not."""

    def __init__(self, days: Days, *, include_private: bool) -> None:
        self._days = days
        self._include_private = include_private
        self.private = 0
        self.outside: list[str] = []

    def row(self, record: Record) -> Row | None:
        if record.is_private and not self._include_private:
            self.private += 1
            return None
        call_date = self._call_date(record.started)
        if call_date is None:
            self.outside.append(record.id or "?")
            return None
        return landed_row(record, call_date)

    def _call_date(self, started: datetime | None) -> date | None:
        # A record without a time lands on the window's first day, with its PROCESSING_ERROR.
        if started is None:
            return self._days.first
        call_date = started.astimezone(UTC).date()
        return call_date if self._days.first <= call_date < self._days.end else None

    def metadata(self) -> dict[str, Any]:
        shown = self.outside[:SHOWN_IDS]
        return {
            "window": f"{self._days.first} to {self._days.end} (UTC, end exclusive)",
            "private_calls_not_landed": self.private,
            "calls_outside_window": len(self.outside),
            **({"calls_outside_window_ids": dg.MetadataValue.json(shown)} if shown else {}),
        }


def landed_row(record: Record, call_date: date | None) -> Row:
    digest = content_hash(record.raw)
    return Row(
        # A record without an id still lands, under one that its content gives.
        key=record.id or f"unidentified-{digest[:16]}",
        payload=record.raw.decode(),
        call_date=call_date,
        content_hash=digest,
        processing_error=validation_error(record),
    )


async def spool_pages(
    pages: AsyncIterator[Page], row: Callable[[Record], Row | None], spool: Spool, log: ProgressLog
) -> None:
    async for page in pages:
        for record in page.records:
            if (landed := row(record)) is not None:
                spool.append(landed)
        log.page(page)
    spool.close()


def run_reading(read: Callable[[], Any], spool: Spool) -> RequestStats:
    """Run the reading of a spool; when it fails, the spool is discarded and Dagster gets the right kind of failure."""
    try:
        stats: RequestStats = asyncio.run(read())
    except EXPECTED_ERRORS as error:
        spool.discard()
        raise failure(error) from error
    except BaseException:
        spool.discard()
        raise
    return stats


def request_metadata(stats: RequestStats) -> dict[str, Any]:
    metadata = {
        "gong_requests": stats.requests,
        "gong_retries": stats.retries,
        "gong_bytes_received": stats.bytes,
        "gong_seconds_waited_on_limit": round(stats.seconds_waited, 1),
    }
    left = stats.requests_left_today
    return metadata if left is None else {**metadata, "gong_requests_left_today": left}


def add_partition_counts(context: dg.AssetExecutionContext, spool: Spool) -> None:
    for key in context.partition_keys:
        rows = spool.rows_by_date[date.fromisoformat(key)]
        context.add_asset_metadata({"dagster/partition_row_count": rows}, partition_key=key)


def table_metadata(settings: Settings, table: RawTable) -> Mapping[str, Any]:
    """What the UI shows of the table before any run: its full name and its columns."""
    columns = [
        dg.TableColumn(
            column.name,
            column.type,
            description=column.description,
            constraints=dg.TableColumnConstraints(nullable=column.nullable, unique=column is table.key),
        )
        for column in table.columns
    ]
    return {
        "dagster/table_name": f"{settings.snowflake_database}.{settings.snowflake_schema}.{table.name}",
        "dagster/column_schema": dg.TableSchema(columns=columns),
    }
