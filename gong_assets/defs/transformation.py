"""Transformation: which models a run has to build after raw tables changed, and for which days.

Landings record their changes in the warehouse (`warehouse/pending_changes.py`). The sensor in
`transformation_sensor.py` requests one run for all pending changes, whatever their age. Each run that
transforms them, also one that a person started, claims and settles them (`settled_changes`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from gong_assets.cortex.enrichments import ENRICHMENTS
from gong_assets.dates import DateRange, contiguous_ranges, format_ranges
from gong_assets.defs.partitions import DAYS_TAG
from gong_assets.warehouse.errors import is_unknown_object
from gong_assets.warehouse.pending_changes import (
    WAITING_TEXTS,
    PendingChange,
    claim_changes,
    pending_changes,
    settle_changes,
    waiting_days,
)

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

TRANSFORMATION_JOB = "gong_transformation"

# On a run after which changes are still pending: it did not transform their days, or Cortex has not answered
# all of their texts.
INCOMPLETE_TAG = "gong_assets/incomplete"


@dataclass(frozen=True)
class Model:
    """A dbt model, as far as transformations depend on it.

    Attributes:
        raw_tables: the raw tables that it depends on, directly or through other models.
        is_staging: whether dbt builds it before the texts are sent to Cortex.
        code_version: changes with the SQL of the model, its macros and vars.
        reads: the models that it reads directly.
    """

    key: dg.AssetKey
    raw_tables: frozenset[str]
    is_view: bool
    is_partitioned: bool
    code_version: str
    is_staging: bool = False
    reads: frozenset[dg.AssetKey] = frozenset()


def _read_by(asset_name: str) -> list[str]:
    """Return the ids of dbt's models and sources that an enrichment reads."""
    (enrichment,) = (each for each in ENRICHMENTS.values() if each.asset_name == asset_name)
    answers = {each.asset_name for each in ENRICHMENTS.values()}
    return [
        f"source.gong_assets.cortex.{name}" if name in answers else f"model.gong_assets.{name}"
        for name in enrichment.reads
    ]


def _models_read(manifest: Mapping[str, Any], unique_id: str) -> list[str]:
    """Return the IDs of the models that a model reads directly."""
    parents = manifest["parent_map"].get(unique_id, ())
    return [each for each in parents if manifest["nodes"].get(each, {}).get("resource_type") == "model"]


@dataclass(frozen=True)
class Models:
    """The dbt models of the graph, and the answers of Cortex that they show."""

    models: Sequence[Model]

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any], spec: Callable[[str], dg.AssetSpec]) -> Models:
        """Return the models of dbt's manifest. `spec` returns the asset of a dbt node by its ID."""
        sources: dict[str, frozenset[str]] = {}

        def raw_tables(unique_id: str) -> frozenset[str]:
            if unique_id in manifest["sources"]:
                source = manifest["sources"][unique_id]
                if source["source_name"] == "cortex":
                    return frozenset().union(*map(raw_tables, _read_by(source["name"])))
                return frozenset({source["identifier"].upper()} if source["source_name"] != "hubspot" else ())
            if unique_id not in sources:
                parents = manifest["parent_map"].get(unique_id, ())
                sources[unique_id] = frozenset().union(*map(raw_tables, parents))
            return sources[unique_id]

        def model(unique_id: str, node: Mapping[str, Any]) -> Model:
            asset = spec(unique_id)
            return Model(
                key=asset.key,
                raw_tables=raw_tables(unique_id),
                is_view=node["config"]["materialized"] == "view",
                is_partitioned=asset.partitions_def is not None,
                code_version=asset.code_version or "",
                is_staging=node["fqn"][1] == "staging",
                reads=frozenset(spec(parent).key for parent in _models_read(manifest, unique_id)),
            )

        nodes = manifest["nodes"].items()
        return cls(
            [
                *(model(unique_id, node) for unique_id, node in nodes if node["resource_type"] == "model"),
                *(
                    Model(spec(unique_id).key, raw_tables(unique_id), False, True, "")
                    for unique_id, source in manifest["sources"].items()
                    if source["source_name"] == "cortex" and manifest["child_map"][unique_id]
                ),
            ]
        )

    @property
    def keys(self) -> frozenset[dg.AssetKey]:
        return frozenset(model.key for model in self.models)

    @property
    def partitioned(self) -> frozenset[dg.AssetKey]:
        return frozenset(model.key for model in self.models if model.is_partitioned)

    def tables_of(self, raw_table: str) -> frozenset[dg.AssetKey]:
        """Return the models that a change of the raw table makes stale. A view is never stale."""
        if raw_table == WAITING_TEXTS:
            return self.partitioned
        return frozenset(
            model.key for model in self.models if raw_table in model.raw_tables and not model.is_view
        )

    def transformed_by(self, selected: Collection[dg.AssetKey]) -> list[str]:
        """Return the raw tables all of whose stale models are among the selected ones."""
        raw_tables = {WAITING_TEXTS}.union(*(model.raw_tables for model in self.models))
        return sorted(
            table for table in raw_tables if (stale := self.tables_of(table)) and stale <= set(selected)
        )

    def built_before(self, keys: Collection[dg.AssetKey]) -> frozenset[dg.AssetKey]:
        """Return the models of the steps before that with these keys."""
        return frozenset() if self.staging & set(keys) else self.staging

    def built_after(self, keys: Collection[dg.AssetKey]) -> frozenset[dg.AssetKey]:
        """Return the models of the steps after that with these keys."""
        return self.keys - set(keys) if self.staging & set(keys) else frozenset()

    @property
    def staging(self) -> frozenset[dg.AssetKey]:
        """The models that dbt builds before the texts are sent."""
        return frozenset(model.key for model in self.models if model.is_staging)

    @property
    def fingerprint(self) -> str:
        """A value that changes with the code version of any model."""
        text = "\n".join(
            sorted(f"{model.key.to_user_string()} {model.code_version}" for model in self.models)
        )
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def unbuilt(self, built: Mapping[dg.AssetKey, str | None]) -> frozenset[dg.AssetKey]:
        """Return the models that have to be built without a change of their sources.

        They were never built, or they are views, or tables without days, whose code has changed. Days that
        were built with older code stay as they are, because each costs a rebuild and perhaps Cortex tokens.

        Args:
            built: the code version with which each model was built, for those that were.
        """
        return frozenset(
            model.key
            for model in self.models
            if model.key not in built or (not model.is_partitioned and built[model.key] != model.code_version)
        )

    def unbuilt_in(self, instance: dg.DagsterInstance) -> frozenset[dg.AssetKey]:
        """Return the models that are unbuilt by the event log of the instance; see `unbuilt`."""
        versions = instance.get_latest_materialization_code_versions(list(self.keys))
        return self.unbuilt({key: version for key, version in versions.items() if version is not None})

    def without_parents(
        self, keys: Collection[dg.AssetKey], existing: Collection[dg.AssetKey]
    ) -> frozenset[dg.AssetKey]:
        """Return those of the models that cannot be built, because a model that they read does not exist.

        Args:
            keys: the models of one run.
            existing: the models whose tables and views exist.
        """
        buildable = {each.key: each.reads for each in self.models if each.key in keys}
        while missing := [key for key, reads in buildable.items() if not reads <= {*existing, *buildable}]:
            for key in missing:
                del buildable[key]
        return self.keys.intersection(keys) - buildable.keys()

    def behind(self, built: Mapping[dg.AssetKey, int]) -> Mapping[dg.AssetKey, int]:
        """Return the tables without days that are older than a HubSpot table from which they are derived.

        A change of a raw table is pending until all tables follow it. A build of a HubSpot table, which a
        person can start alone, has no such record.

        Args:
            built: the position in the event log of the last build of each model that was built.

        Returns:
            For each table the position of the newest build of a HubSpot table.
        """
        undated = {each.key: each for each in self.models if not (each.is_view or each.is_partitioned)}

        def newest(table: Model) -> int:
            parents = [undated[key] for key in table.reads & undated.keys()]
            return max(
                (newest(each) if each.raw_tables else built.get(each.key, 0) for each in parents), default=0
            )

        positions = {key: newest(table) for key, table in undated.items() if key in built}
        return {key: position for key, position in positions.items() if position > built[key]}


@dataclass(frozen=True)
class Transformation:
    """One run: the models to build, and the days of those with partitions."""

    assets: frozenset[dg.AssetKey]
    days: tuple[DateRange, ...]

    def run_tags(self) -> dict[str, str]:
        """Return the tags of a run over all partitions from the first to the last day, naming the days."""
        if not self.days:
            return {}
        hull = DateRange(self.days[0].start, self.days[-1].end)
        return {**hull.as_run_tags(), DAYS_TAG: format_ranges(self.days)}


def plan(
    models: Models,
    pending: Sequence[PendingChange],
    unbuilt: Collection[dg.AssetKey],
    *,
    partitions: DateRange,
) -> Transformation | None:
    """Return the run that builds what the pending changes and unbuilt models need, or None.

    Args:
        unbuilt: models to build too. If one of them has partitions, and no day is pending, it is built for
            the last day, which creates its table.
        partitions: the days that have a partition. Changes of other days are ignored: no run settles them,
            so tables without days would be built again and again.
    """
    pending = [change for change in pending if change.day is None or change.day in partitions]
    stale = frozenset().union(*(models.tables_of(change.table) for change in pending), unbuilt)
    days = {
        change.day
        for change in pending
        if change.day is not None and models.tables_of(change.table) & models.partitioned
    }
    if not days and models.partitioned.intersection(unbuilt):
        days = {partitions.last}
    assets = stale if days else stale - models.partitioned
    if not assets:
        return None
    return Transformation(assets, tuple(contiguous_ranges(days)))


@contextmanager
def settled_changes(
    context: dg.AssetExecutionContext,
    connection: SnowflakeConnection,
    models: Models,
    days: Sequence[DateRange],
    *,
    sends_to_cortex: bool,
) -> Iterator[None]:
    """Claim the changes that the run transforms in its first step, and settle them if the last one succeeds.

    Changes of a raw table are claimed only if the run builds all models that depend on them. A retry of the
    first step reads the raw tables again, so it also claims the changes that landed since. A re-execution
    from failure that skips the first step settles the claims of the run that executed it.

    Args:
        days: the days that the run transforms.
        sends_to_cortex: whether texts may be sent. If so, days with texts that wait stay pending.
    """
    selected = frozenset(context.job_def.asset_layer.selected_asset_keys)
    tables = models.transformed_by(selected)
    if not tables:
        yield
        return
    daily = {table for table in tables if models.tables_of(table) & models.partitioned}
    if not selected & models.built_before(context.assets_def.keys):
        claimed_by = context.run.run_id
        claim_changes(connection, claimed_by, tables=set(tables) - daily, daily_tables=daily, ranges=days)
    yield
    if selected & models.built_after(context.assets_def.keys):
        return
    waiting = _waiting_days(connection, days) if sends_to_cortex and WAITING_TEXTS in tables else []
    settle_changes(connection, _runs_of_the_steps(context), waiting)
    if waiting:
        days_waiting = format_ranges(contiguous_ranges(waiting))
        context.log.warning(f"Texts of {days_waiting} wait for Cortex. They are sent after the next landing.")
    if pending := pending_changes(connection):
        days_pending = format_ranges(contiguous_ranges({each.day for each in pending if each.day}))
        context.instance.add_run_tags(context.run.run_id, {INCOMPLETE_TAG: days_pending or "tables"})


def _runs_of_the_steps(context: dg.AssetExecutionContext) -> list[str]:
    """Return the IDs of the run and of those whose successful steps it skips, because they failed later."""
    run: dg.DagsterRun | None = context.run
    run_ids = [context.run.run_id]
    while run is not None and run.is_resume_retry and run.parent_run_id:
        run_ids.append(run.parent_run_id)
        run = context.instance.get_run_by_id(run.parent_run_id)
    return run_ids


def _waiting_days(connection: SnowflakeConnection, days: Sequence[DateRange]) -> list[date]:
    try:
        return waiting_days(connection, days)
    except Exception as error:
        if is_unknown_object(error):  # The view does not exist until it is built for the first time.
            return []
        raise
