"""Audit of another product's calls and transcripts against Gong's own list, and healing by Gong's API.

The comparison itself is in `gong_assets/ingestion/audit.py`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from gong_assets.dates import DateRange
from gong_assets.defs.assets.adopted import SOURCE_ASSET, product
from gong_assets.defs.assets.ingestion import GONG_POOL, ReadCallsConfig, land_and_record, read
from gong_assets.defs.failures import fail_step, failure
from gong_assets.defs.freshness import reconciliation_freshness
from gong_assets.defs.options import DATA_ENGINEERING, DEFAULT_OPTIONS, GraphOptions
from gong_assets.defs.partitions import days_to_read
from gong_assets.defs.resources import GongResource, SnowflakeResource
from gong_assets.error_advice import EXPECTED_ERRORS
from gong_assets.ingestion.audit import KINDS, Audit, LandedCall, RequestsByDay, calls_to_compare, compare
from gong_assets.ingestion.read import ReadResult
from gong_assets.ingestion.reconciliation import FIELDS, BasicCall, CallListing
from gong_assets.ingestion.sources import MAX_SHOWN_IDS, CallsById, Source, Transcripts
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import Warehouse
from gong_assets.warehouse.deletions import DeletionPolicy, check_deletions
from gong_assets.warehouse.queries import dates_of_calls, landed_calls
from gong_assets.warehouse.sources.audit import (
    changed_calls,
    delete_calls,
    delivered_ids,
    landed_transcripts,
)
from gong_assets.warehouse.sources.registry import open_source
from gong_assets.warehouse.tables import API, CALLS, TRANSCRIPTS, create_raw_tables

AUDIT_ASSET = "gong_source_audit"
UNKNOWN = (
    "No Gong credentials are set, so Gong's own list of calls is unknown: neither lost calls and "
    "transcripts, nor calls that were deleted or made private, can be found. Set GONG_ACCESS_KEY and "
    "GONG_ACCESS_KEY_SECRET."
)
_HEALS = (
    "Lost and outdated ones are read by ID and landed with SOURCE `api`, and those that Gong no longer has "
    "are deleted, under the same guard as any deletion."
)


def build_source_audit(
    settings: Settings, partitions: dg.DailyPartitionsDefinition, options: GraphOptions = DEFAULT_OPTIONS
) -> dg.AssetsDefinition:
    """Return the asset whose partitions are the audited days."""
    heals = _HEALS if settings.gong_source_heal else ""

    @dg.asset(
        key=options.asset_key(AUDIT_ASSET),
        kinds={"python", "gong", "snowflake"},
        pool=GONG_POOL,
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        freshness_policy=reconciliation_freshness(settings, options),
        deps=[options.asset_key(name) for name in (SOURCE_ASSET, CALLS.asset_name, TRANSCRIPTS.asset_name)],
        description=f"Days whose calls and transcripts from {product(settings)} were compared with Gong's "
        f"list of calls (GET /v2/calls) and with its transcripts. {heals}",
        **options.asset_attributes("raw", owner=DATA_ENGINEERING, gong_endpoint="calls"),
    )
    def gong_source_audit(
        context: dg.AssetExecutionContext,
        config: ReadCallsConfig,
        gong: GongResource,
        gong_snowflake: SnowflakeResource,
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]
        days = days_to_read(context, settings)
        if not settings.can_read_gong:
            context.log.warning(UNKNOWN)
            return dg.MaterializeResult(metadata={"window": str(days), "unknown": UNKNOWN})
        fraction = config.max_deleted_fraction(settings)
        audit = _Audit(context, gong, gong_snowflake.warehouse(), settings, options, days, fraction)
        try:
            return dg.MaterializeResult(metadata=audit.run())
        except EXPECTED_ERRORS as error:
            fail_step(error)

    return gong_source_audit  # type: ignore[no-any-return]


@dataclass
class _Audit:
    """One audit of a range of days."""

    context: dg.AssetExecutionContext
    gong: GongResource
    warehouse: Warehouse
    settings: Settings
    options: GraphOptions
    days: DateRange
    max_deleted_fraction: float
    requests: RequestsByDay = field(default_factory=RequestsByDay)

    def run(self) -> dict[str, Any]:
        """Compare, heal if the settings say so, and return the metadata."""
        listing = CallListing(
            self.days, self.settings.gong_include_private_calls, self.settings.gong_workspace_id
        )
        listed = self._read(listing, "calls", lambda: (call.day for call in listing.calls.values()))
        listed.spool.discard()
        landed = self._landed(listing)
        delivered, has_whole_calls = self._source()
        audit = compare(listing.calls, landed, self.settings.gong_source, delivered[CALLS.name])
        compared = self._compare_content(audit, landed, has_whole_calls)
        # A call that the list lacks can be of another day. Only what Gong does not return by ID is gone.
        kept = {call_id: day for call_id, (day, _) in audit.found["kept_calls"].items()}
        checked = self._calls({**audit.calls_to_read, **kept}, "changed calls")
        audit.move_existing(checked[0].existing)
        transcripts = self._transcripts(audit, checked[0], listing, delivered[TRANSCRIPTS.name])
        metadata = {"content_compared": compared, **self._findings(audit)}
        heals = self.settings.gong_source_heal
        healed = self._heal(audit, landed, listing, checked, transcripts) if heals else {}
        if not heals:
            checked[1].spool.discard()
            transcripts[1].spool.discard()
        return {**metadata, "healed": heals, **healed}

    def _findings(self, audit: Audit) -> dict[str, Any]:
        rows = audit.table(self.days, self.settings.gong_source, self.requests)
        return {
            "window": f"{self.days} (UTC)",
            "calls_in_gong": audit.calls_in_gong,
            "calls_landed": audit.calls_landed,
            "calls_to_land": audit.calls_to_land,
            **audit.counts(),
            "findings": audit.count,
            "ids": audit.ids(),
            "by_day": dg.MetadataValue.table([dg.TableRecord(row) for row in rows], _SCHEMA),
            "gong_requests": self.requests.by_check.total(),
            "gong_requests_by_check": dict(self.requests.by_check),
        }

    def _read(self, source: Source, check: str, days: Callable[[], Iterable[date]]) -> ReadResult:
        """Read the source. Its requests count for the `days` of its records, or of the audit if none."""
        result = read(self.context, self.gong, source)
        self.requests.add(check, result.stats.requests, list(days()) or self.days)
        if result.quota_error is not None:
            result.spool.discard()
            raise failure(result.quota_error) from result.quota_error
        return result

    def _compare_content(self, audit: Audit, landed: dict[str, LandedCall], has_whole_calls: bool) -> int:
        """Add the calls of this week's part with other content than in Gong, and return how many it has."""
        sources = {API, self.settings.gong_source} if has_whole_calls else {API}
        here = {call_id: call for call_id, call in landed.items() if not audit.has(call_id)}
        week = datetime.now(UTC).toordinal() // 7
        part = calls_to_compare(here, sources, self.settings.gong_source_content_audits, week)
        if not part:
            return 0
        _, result = self._calls(part, "content of calls")
        try:
            with self.warehouse.connect() as connection:
                changed = changed_calls(connection, result.spool)
        finally:
            result.spool.discard()
        for call_id in sorted(changed):
            audit.add("stale_content", call_id, part[call_id], landed[call_id].source)
        return len(part)

    def _landed(self, listing: CallListing) -> dict[str, LandedCall]:
        """Return the landed calls of the days, and those of the listed calls that are on another day."""
        with self.warehouse.connect() as connection:
            create_raw_tables(connection, (CALLS, TRANSCRIPTS))
            found = landed_calls(connection, self.days, FIELDS)
            elsewhere = dates_of_calls(connection, sorted(listing.calls.keys() - found.keys()))
        unknown = (None,) * len(FIELDS)
        moved = {
            call_id: LandedCall(BasicCall(day, unknown), self.settings.gong_source)
            for call_id, day in elsewhere.items()
        }
        return moved | {
            call_id: LandedCall(BasicCall(day, fields), source, is_valid)
            for call_id, (day, fields, source, is_valid) in found.items()
        }

    def _source(self) -> tuple[dict[str, set[str]], bool]:
        """Return the IDs of the calls and transcripts that the source has, landed or not.

        The second value is True if its calls are whole records.
        """
        with self.warehouse.connect() as connection:
            source = open_source(connection, self.settings)
            ids = {table.name: delivered_ids(connection, source, table) for table in (CALLS, TRANSCRIPTS)}
            return ids, source.has_whole_calls

    def _calls(self, days: Mapping[str, date], check: str) -> tuple[CallsById, ReadResult]:
        first_day = self.settings.first_day(datetime.now(UTC).date())
        calls = CallsById(
            list(days),
            self.settings.gong_include_private_calls,
            self.settings.gong_workspace_id,
            first_day=first_day,
        )
        return calls, self._read(calls, check, days.values)

    def _transcripts(
        self, audit: Audit, calls: CallsById, listing: CallListing, delivered: set[str]
    ) -> tuple[Transcripts, ReadResult]:
        """Read the transcripts that are not landed, and those of moved calls; report the lost ones."""
        days = {call_id: call.day for call_id, call in listing.calls.items()}
        with self.warehouse.connect() as connection:
            here = landed_transcripts(connection, sorted(days)) | delivered
        wanted = {call_id: day for call_id, day in days.items() if call_id not in here} | {
            call_id: calls.call_dates[call_id]
            for call_id in audit.found["wrong_days"]
            if call_id in calls.call_dates
        }
        transcripts = Transcripts([], wanted)
        result = self._read(transcripts, "transcripts", wanted.values)
        for call_id in sorted(transcripts.found - here):
            audit.add("lost_transcripts", call_id, wanted[call_id], self.settings.gong_source)
        return transcripts, result

    def _heal(
        self,
        audit: Audit,
        landed: dict[str, LandedCall],
        listing: CallListing,
        calls: tuple[CallsById, ReadResult],
        transcripts: tuple[Transcripts, ReadResult],
    ) -> dict[str, Any]:
        gone = sorted(audit.found["kept_calls"])
        unexpected = [each for each in gone if each not in listing.private | calls[0].found]
        policy = DeletionPolicy(self.max_deleted_fraction)
        try:
            check_deletions(CALLS, [self.days], existing=len(landed), missing=len(unexpected), policy=policy)
        except EXPECTED_ERRORS:
            calls[1].spool.discard()
            transcripts[1].spool.discard()
            raise
        counts = {"calls_healed": self._land(*calls), "transcripts_healed": self._land(*transcripts)}
        return {**counts, "rows_deleted": self._delete(audit) if gone else 0}

    def _land(self, source: CallsById | Transcripts, result: ReadResult) -> int:
        """Land what was read, and return the number of new rows."""
        days = sorted(filter(None, result.spool.rows_by_day))
        if not days:
            result.spool.discard()
            return 0
        asset_key = self.options.asset_key(source.table.asset_name)
        landed = land_and_record(self.context, self.warehouse, source, result, days, asset_key)
        return int(landed.run["run/rows_inserted"])

    def _delete(self, audit: Audit) -> int:
        """Delete the calls that Gong no longer has, and record it for their days."""
        kept = audit.found["kept_calls"]
        with self.warehouse.connect() as connection:
            deleted = delete_calls(connection, sorted(kept), self.context.run.run_id)
        asset_key = self.options.asset_key(CALLS.asset_name)
        for day in sorted({day for day, _ in kept.values()}):
            of_day = sorted(call_id for call_id, (each, _) in kept.items() if each == day)
            metadata: dict[str, Any] = {
                "rows_deleted": len(of_day),
                "records_vanished_ids": of_day[:MAX_SHOWN_IDS],
                "run/rows_deleted": deleted,
            }
            self.context.log_event(
                dg.AssetObservation(asset_key, partition=day.isoformat(), metadata=metadata)
            )
        return deleted


_SCHEMA = dg.TableSchema(
    [
        dg.TableColumn("day"),
        dg.TableColumn("source"),
        dg.TableColumn("calls_landed", "int"),
        *(dg.TableColumn(kind, "int", description) for kind, description in KINDS.items()),
        dg.TableColumn("gong_requests", "float", "requests of the audit, by its share of their records"),
    ]
)
