"""Names of other packages that are used although they are not part of a public API.

Each has no public equivalent. This test fails with the reason when an upgrade removes one of them.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable

import dagster as dg
import pytest
from dagster._core.execution.plan.active import ActiveExecution
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext
from dagster._core.storage import tags
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._utils.schedules import cron_string_iterator
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage
from dbt.adapters.factory import get_adapter_by_type
from dbt.adapters.sql import SQLAdapter
from dbt.contracts.graph.manifest import Manifest
from dbt_common.events.functions import msg_to_dict

from gong_assets import dates
from gong_assets.defs import pool_waits
from gong_assets.defs.assets import raw


def _run_tags_are_those_of_dagster() -> bool:
    """Dagster documents the tags and has no public constants. A range of days runs as one run by these."""
    return (dates.PARTITION_TAG, dates.RANGE_START_TAG, dates.RANGE_END_TAG, *raw._HIGH_PRIORITY_TAGS) == (
        tags.PARTITION_NAME_TAG,
        tags.ASSET_PARTITION_RANGE_START_TAG,
        tags.ASSET_PARTITION_RANGE_END_TAG,
        tags.PRIORITY_TAG,
    )


def _dbt_events_become_dagster_events() -> bool:
    """dbt runs in this process, so its events do not come from `DbtCliInvocation`, which parses an output."""
    return set(inspect.signature(DbtCoreCliEventMessage).parameters) == {
        "raw_event",
        "event_history_metadata",
    }


def _dbt_events_have_dicts() -> bool:
    """dbt's JSON log is written with it. An event handler of `dbtRunner` receives protobuf messages."""
    return list(inspect.signature(msg_to_dict).parameters) == ["msg"]


def _a_parsed_dbt_project_can_be_read() -> bool:
    """`dbtRunner` takes a manifest, and only `dbt parse` in the same process returns one."""
    return callable(Manifest.from_msgpack) and callable(Manifest.build_flat_graph)


def _dbt_adapter_can_cancel() -> bool:
    """dbt's own Ctrl-C cancels the statements of a command so. `dbtRunner` has no method for it."""
    return callable(get_adapter_by_type) and hasattr(SQLAdapter, "cancel_open_connections")


def _snowflake_wrapper_has_its_resource() -> bool:
    """Dagster replaces dagster-snowflake's resource by a wrapper where it is requested by its key."""
    from dagster_snowflake import SnowflakeResource

    resource = SnowflakeResource(account="a", user="u", password="p")
    wrapper = resource.process_config_and_initialize().get_object_to_set_on_execution_context()
    return isinstance(wrapper.snowflake_connection_resource, SnowflakeResource)


def _pool_slots_of_a_run_can_be_freed() -> bool:
    """Nothing else frees the slots of a killed command: it may run without the Dagster daemon."""
    with dg.DagsterInstance.ephemeral() as instance:
        return hasattr(instance.event_log_storage, "free_concurrency_slots_for_run")


def _earlier_check_results_can_be_read() -> bool:
    """The instance's own method returns the planned evaluation of the run in progress."""
    with dg.DagsterInstance.ephemeral() as instance:
        key = dg.AssetCheckKey(dg.AssetKey("a"), "check")
        return instance.event_log_storage.get_asset_check_execution_history(key, limit=2) == []


def _cron_expressions_can_be_iterated() -> bool:
    """Freshness policies follow from the ticks of the schedules."""
    ticks = cron_string_iterator(0, "0 */4 * * *", "UTC")
    return (next(ticks).hour, next(ticks).hour) == (0, 4)


def _instances_store_values_by_key() -> bool:
    """Leases of runs are stored there. Run tags are not safe to change while the run changes others."""
    with dg.DagsterInstance.ephemeral() as instance:
        instance.daemon_cursor_storage.set_cursor_values({"a": "1"})
        instance.daemon_cursor_storage.set_cursor_values({"a": "2"})
        return dict(instance.daemon_cursor_storage.get_cursor_values({"a", "b"})) == {"a": "2"}


def _instances_have_event_listeners() -> bool:
    """The progress of a run is shown, and its interruption noticed, in the thread that executes it."""
    with dg.DagsterInstance.ephemeral() as instance:
        return hasattr(instance, "add_event_listener") and hasattr(instance, "report_run_canceling")


def _waits_for_a_pool_can_be_replaced() -> bool:
    """In `pool_waits.py`. Remove it when the original returns a positive number while a claim is pending."""
    with dg.DagsterInstance.ephemeral() as instance:
        run = instance.create_run_for_job(dg.GraphDefinition("empty").to_job())
        context = InstanceConcurrencyContext(instance, run)
        context._pending_claims.add("step")
        context._pending_timeouts["step"] = time.time() + 60
        source = inspect.getsource(ActiveExecution.sleep_interval)
        return "interval_to_next_pending_claim_check()" in source and pool_waits._original(context) <= 0


def _jobs_know_their_assets() -> bool:
    """A resumed run selects the assets of the stopped run, which may have been started by its job."""

    @dg.asset
    def one() -> None: ...

    job = dg.Definitions([one], jobs=[dg.define_asset_job("all")]).resolve_job_def("all")
    return set(job.asset_layer.executable_asset_keys) == {one.key}


def _sqlite_connections_can_be_kept() -> bool:
    """Dagster's event log opens a connection for each event. Without this name ours is as slow as that."""
    return list(inspect.signature(SqliteEventLogStorage._connect).parameters) == ["self", "shard"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "is_there",
    [
        _run_tags_are_those_of_dagster,
        _dbt_events_become_dagster_events,
        _dbt_events_have_dicts,
        _a_parsed_dbt_project_can_be_read,
        _dbt_adapter_can_cancel,
        _snowflake_wrapper_has_its_resource,
        _pool_slots_of_a_run_can_be_freed,
        _earlier_check_results_can_be_read,
        _cron_expressions_can_be_iterated,
        _instances_store_values_by_key,
        _instances_have_event_listeners,
        _waits_for_a_pool_can_be_replaced,
        _jobs_know_their_assets,
        _sqlite_connections_can_be_kept,
    ],
    ids=lambda check: check.__name__.strip("_"),
)
def test_a_name_without_a_public_equivalent_exists(is_there: Callable[[], bool]) -> None:
    assert is_there(), is_there.__doc__
