"""Sensor that requests the transformation of changed raw tables: one run for all that is pending.

The pending changes are in the warehouse, which the sensor reads only if a run ended that may have changed
them. So nothing wakes the warehouse while nothing changes. The cursor only saves reads: without it the sensor
reads the pending changes once more.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus

from gong_assets.dates import DateRange
from gong_assets.defs.assets.erasures import ASSET as ERASURES
from gong_assets.defs.options import DEFAULT_OPTIONS, GraphOptions
from gong_assets.defs.resources import SnowflakeResource
from gong_assets.defs.runs import (
    IN_FLIGHT,
    OVERLAP,
    TERMINAL,
    assets_of_backfill,
    assets_of_run,
    landings_of_run,
)
from gong_assets.defs.transformation import (
    INCOMPLETE_TAG,
    TRANSFORMATION_JOB,
    Models,
    plan,
)
from gong_assets.defs.webhook import JOB as ANNOUNCED_CALLS_JOB
from gong_assets.ingestion.streams import RAW_TABLES
from gong_assets.settings import Settings
from gong_assets.warehouse.errors import WarehouseError, is_unknown_object
from gong_assets.warehouse.pending_changes import PendingChange, pending_changes
from gong_assets.warehouse.tables import CALLS

INTERVAL_SECONDS = 30

# A failed transformation is tried once more after this time, and then after the next landing.
RETRY_AFTER = timedelta(minutes=5)
ATTEMPT_TAG = "gong_assets/attempt"
ATTEMPTS = ["1", "2"]
# On a run that builds models without a change of their sources: the fingerprint of what asked for it. It is
# requested once, so that a model whose build is not recorded does not run for ever.
MODELS_TAG = "gong_assets/models"

# Jobs that land rows in raw tables without selecting their assets.
READING_JOBS = ("gong_reconciliation", "gong_transcripts", ANNOUNCED_CALLS_JOB)


@dataclass(frozen=True)
class Cursor:
    """What the sensor has seen.

    Attributes:
        seen: time up to which ended runs were considered.
        is_open: changes may be pending that the last run did not settle.
        models: fingerprint of the models when all of them were built.
        runs: IDs of the considered runs that ended shortly before `seen`, by the clocks of their machines.
    """

    seen: str | None = None
    is_open: bool = True
    models: str | None = None
    runs: list[str] = field(default_factory=list)

    @classmethod
    def loads(cls, text: str | None) -> "Cursor":
        return cls(**json.loads(text)) if text else cls()

    def dumps(self) -> str:
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Ended:
    """Runs that ended since the last tick.

    Attributes:
        seen: when the last of them ended; no later than now, whatever the clock of its machine.
        landed: a run read from Gong, whether rows changed or not.
        changed: rows changed that no run has transformed, or a run failed that may have changed some.
        is_open: changes may be pending that the last run did not settle.
        runs: IDs of all runs that ended shortly before `seen`.
    """

    seen: str
    landed: bool = False
    changed: bool = False
    is_open: bool = False
    runs: list[str] = field(default_factory=list)


def should_read(
    cursor: Cursor, ended: Ended, last: dg.RunRecord | None, *, unbuilt: str | None, now: datetime
) -> int | None:
    """Return the number of the attempt for which the pending changes are read, or None to wait.

    Args:
        last: the last run that the sensor requested.
        unbuilt: fingerprint of what asks for models to be built, or None.
    """
    if cursor.seen is None or ended.changed or (ended.is_open and ended.landed):
        return 1
    if unbuilt and (last is None or last.dagster_run.tags.get(MODELS_TAG) != unbuilt):
        return 1
    if last is None or not ended.is_open:
        return None
    # A canceled run is not tried again soon.
    is_failure = last.dagster_run.status is dg.DagsterRunStatus.FAILURE
    is_first = last.dagster_run.tags.get(ATTEMPT_TAG) == "1"
    return 2 if is_failure and is_first and last.update_timestamp <= now - RETRY_AFTER else None


def build_transformation_sensor(
    settings: Settings, models: Models, options: GraphOptions = DEFAULT_OPTIONS
) -> dg.SensorDefinition:
    @dg.sensor(
        name="gong_transformation_sensor",
        job_name=TRANSFORMATION_JOB,
        minimum_interval_seconds=options.sensors.transformation.interval_seconds or INTERVAL_SECONDS,
        default_status=options.sensors.transformation.default_status,
        description="Requests one run that builds the models for exactly the days whose rows changed, "
        "whatever their age. A failed run is tried once more after "
        f"{RETRY_AFTER.seconds // 60} minutes, and then after the next landing.",
    )
    def gong_transformation_sensor(
        context: dg.SensorEvaluationContext, gong_snowflake: SnowflakeResource
    ) -> dg.SensorResult | dg.SkipReason:
        return _Tick(context, gong_snowflake, settings, models, options).result()

    return gong_transformation_sensor


def _settles_all(run: dg.DagsterRun) -> bool:
    """Return whether nothing that was pending before the run can still be.

    Only a run that the sensor requested builds all that is pending. A person may select fewer days or models,
    and a re-execution may select fewer steps.
    """
    is_requested = ATTEMPT_TAG in run.tags and run.parent_run_id is None
    return run.is_success and is_requested and INCOMPLETE_TAG not in run.tags


@dataclass(frozen=True)
class _Tick:
    context: dg.SensorEvaluationContext
    snowflake: SnowflakeResource
    settings: Settings
    models: Models
    options: GraphOptions

    def result(self) -> dg.SensorResult | dg.SkipReason:
        if blocking := self._transforming_run():
            return dg.SkipReason(f"Run {blocking} transforms the models. What it leaves pending follows.")
        if backfill := self._backfill():
            return dg.SkipReason(f"Backfill {backfill} is running. What it leaves pending follows.")
        cursor = Cursor.loads(self.context.cursor)
        now = datetime.now(UTC)
        ended = self._ended(cursor, now)
        last = self._last_requested()
        unbuilt, behind = self._unbuilt(cursor), self._behind()
        built = cursor.models if unbuilt or not self._has_calls else self.models.fingerprint
        reasons = [self.models.fingerprint] if unbuilt else []
        reasons += [str(max(behind.values()))] if behind else []
        fingerprint = ":".join(reasons) or None
        attempt = should_read(cursor, ended, last, unbuilt=fingerprint, now=now)
        if attempt is None:
            return self._skip(
                Cursor(ended.seen, ended.is_open, built, ended.runs), "No raw table has changed."
            )
        partitions = DateRange.inclusive(self.settings.first_day(now.date()), now.date())
        run = plan(self.models, self._pending(), unbuilt | behind.keys(), partitions=partitions)
        if run is None:
            return self._skip(Cursor(ended.seen, False, built, ended.runs), "No change is pending.")
        tags = {**run.run_tags(), ATTEMPT_TAG: str(attempt)}
        if fingerprint is not None:
            tags[MODELS_TAG] = fingerprint
        # A run on a machine with a slow clock may end without a change of `seen`.
        key = f"{ended.seen}:{last.dagster_run.run_id if last else ''}:{attempt}"
        request = dg.RunRequest(key, asset_selection=sorted(run.assets), tags=tags)
        cursor = Cursor(ended.seen, True, built, ended.runs)
        return dg.SensorResult(run_requests=[request], cursor=cursor.dumps())

    def _skip(self, cursor: Cursor, reason: str) -> dg.SensorResult:
        return dg.SensorResult(skip_reason=reason, cursor=cursor.dumps())

    def _transforming_run(self) -> str | None:
        """Return the ID of a run in progress that builds models with partitions."""
        for run in self.context.instance.get_runs(dg.RunsFilter(statuses=IN_FLIGHT)):
            if self._assets_of(run) & self.models.partitioned or run.job_name == TRANSFORMATION_JOB:
                return run.run_id
        return None

    def _last_requested(self) -> dg.RunRecord | None:
        requested = dg.RunsFilter(job_name=TRANSFORMATION_JOB, tags={ATTEMPT_TAG: ATTEMPTS})
        return next(iter(self.context.instance.get_run_records(requested, limit=1)), None)

    def _assets_of(self, run: dg.DagsterRun) -> frozenset[dg.AssetKey]:
        return assets_of_run(self.context.repository_def, run)

    def _backfill(self) -> str | None:
        """Return the ID of a backfill in progress that lands or transforms something."""
        own = self.models.keys.union(self.options.asset_key(table.asset_name) for table in RAW_TABLES)
        requested = BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED])
        for backfill in self.context.instance.get_backfills(filters=requested):
            if assets_of_backfill(self.context.repository_def, backfill) & own:
                return backfill.backfill_id
        return None

    def _ended(self, cursor: Cursor, now: datetime) -> Ended:
        seen = datetime.fromisoformat(cursor.seen) if cursor.seen else None
        ended = dg.RunsFilter(statuses=TERMINAL, updated_after=seen and seen - OVERLAP)
        found = self.context.instance.get_run_records(ended, order_by="update_timestamp", ascending=True)
        times = {record.dagster_run.run_id: record.update_timestamp for record in found}
        seen = min(max([*times.values(), *([seen] if seen else [])], default=now), now)
        recent = [run_id for run_id, time in times.items() if time > seen - OVERLAP]
        records = [record for record in found if record.dagster_run.run_id not in cursor.runs]
        if cursor.seen is None:
            records = records[-1:]
        changed = landed = False
        is_open = cursor.is_open
        for record in records:
            run = record.dagster_run
            is_open |= INCOMPLETE_TAG in run.tags
            if run.job_name == TRANSFORMATION_JOB:
                is_open = not _settles_all(run) and (is_open or not run.is_success)
            else:
                landed_now, changed_now = self._landed(run)
                landed |= landed_now
                changed |= changed_now
        return Ended(seen.isoformat(), landed, changed, is_open, recent)

    def _landed(self, run: dg.DagsterRun) -> tuple[bool, bool]:
        """Return whether the run landed something, and whether it left changes that await transformation."""
        raw = {self.options.asset_key(table.asset_name): table.name for table in RAW_TABLES}
        built: set[dg.AssetKey] = set()
        changed: set[str] = set()
        for landing in landings_of_run(self.context.instance, run.run_id):
            key = landing.asset_key
            built.add(key)
            rows = [landing.metadata.get(name) for name in ("rows_inserted", "rows_deleted")]
            if key in raw and any(count is not None and count.value for count in rows):
                changed.add(raw[key])
        if run.status is not dg.DagsterRunStatus.SUCCESS:
            # It may have landed rows without recording them.
            reads_gong = bool(self._assets_of(run) & raw.keys()) or run.job_name in READING_JOBS
            return reads_gong, reads_gong
        if self.options.asset_key(ERASURES) in built:
            return True, True  # The rows of redacted records were deleted below the raw tables.
        return bool(built & raw.keys()), any(not self.models.tables_of(table) <= built for table in changed)

    @property
    def _has_calls(self) -> bool:
        key, instance = self.options.asset_key(CALLS.asset_name), self.context.instance
        # Calls that were read by ID are observed.
        return bool(
            instance.get_latest_materialization_event(key)
            or instance.fetch_observations(key, limit=1).records
        )

    def _unbuilt(self, cursor: Cursor) -> frozenset[dg.AssetKey]:
        """Return the models to build without a change of their sources; none before calls have landed."""
        if cursor.models == self.models.fingerprint or not self._has_calls:
            return frozenset()
        return self.models.unbuilt_in(self.context.instance)

    def _behind(self) -> Mapping[dg.AssetKey, int]:
        """Return the tables to build because a table that they read was built alone."""
        if not self._has_calls:
            return {}
        records = self.context.instance.get_asset_records(list(self.models.keys))
        last = {
            record.asset_entry.asset_key: record.asset_entry.last_materialization_record for record in records
        }
        behind = self.models.behind({key: each.storage_id for key, each in last.items() if each is not None})
        for run in self.context.instance.get_runs(dg.RunsFilter(statuses=IN_FLIGHT)) if behind else ():
            if self._assets_of(run) & behind.keys():
                return {}
        return behind

    def _pending(self) -> Sequence[PendingChange]:
        try:
            with self.snowflake.get_connection() as connection:
                return pending_changes(connection)
        except WarehouseError as error:
            if is_unknown_object(error):
                return []  # Nothing has landed yet.
            raise dg.Failure(description=str(error)) from error
