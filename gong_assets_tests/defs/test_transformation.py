"""Decisions about transformations: when the pending changes are read, and which models and days run."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from gong_assets.dates import DateRange, format_ranges
from gong_assets.defs.transformation import INCOMPLETE_TAG, Model, Models, plan, settled_changes
from gong_assets.defs.transformation_sensor import Cursor, Ended, should_read
from gong_assets.warehouse.connection import Warehouse, transaction
from gong_assets.warehouse.pending_changes import (
    WAITING_TEXTS,
    PendingChange,
    pending_changes,
    record_changes,
)
from gong_assets.warehouse.tables import create_raw_tables
from gong_assets_tests.instances import local_instance

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = NOW.date()
PARTITIONS = DateRange.inclusive(date(2026, 1, 1), TODAY)


def model(
    name: str,
    *raw_tables: str,
    view: bool = False,
    daily: bool = False,
    code: str = "1",
    reads: Sequence[str] = (),
) -> Model:
    return Model(dg.AssetKey(name), frozenset(raw_tables), view, daily, code, reads=keys(*reads))


def keys(*names: str) -> frozenset[dg.AssetKey]:
    return frozenset(map(dg.AssetKey, names))


MODELS = Models(
    [
        model("stg_calls", "CALLS", daily=True),
        model("cortex_calls", "CALLS", "TRANSCRIPTS", daily=True),
        model("stg_users", "USERS"),
        model("stg_deals"),
        model("vw_calls", "CALLS", "TRANSCRIPTS", "USERS", view=True),
    ]
)


def changed(table: str, day: date | None = None) -> PendingChange:
    return PendingChange(table, day, NOW)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def test_a_run_names_exactly_the_changed_days_and_the_tables_that_depend_on_them() -> None:
    pending = [changed("CALLS", ago(60)), changed("TRANSCRIPTS", ago(2)), changed("CALLS", ago(1))]
    run = plan(MODELS, pending, keys(), partitions=PARTITIONS)
    assert run is not None
    assert run.assets == keys("stg_calls", "cortex_calls")
    assert run.run_tags() == {
        "dagster/asset_partition_range_start": ago(60).isoformat(),
        "dagster/asset_partition_range_end": ago(1).isoformat(),
        "gong_assets/days": f"{ago(60)},{ago(2)}..{ago(1)}",
    }


def test_a_changed_table_without_days_needs_no_day() -> None:
    run = plan(MODELS, [changed("USERS")], keys(), partitions=PARTITIONS)
    assert run is not None
    assert (run.assets, run.run_tags()) == (keys("stg_users"), {})


def test_nothing_pending_requests_nothing() -> None:
    assert plan(MODELS, [], keys(), partitions=PARTITIONS) is None
    before_the_first_partition = date(2025, 12, 31)
    assert plan(MODELS, [changed("CALLS", before_the_first_partition)], keys(), partitions=PARTITIONS) is None


def test_a_change_without_a_partition_builds_no_table_without_days_again_and_again() -> None:
    models = Models([model("stg_calls", "CALLS", daily=True), model("int_users", "CALLS")])
    early = changed("CALLS", date(2025, 12, 31))
    assert plan(models, [early], keys(), partitions=PARTITIONS) is None
    run = plan(models, [early, changed("CALLS", ago(1))], keys(), partitions=PARTITIONS)
    assert run is not None
    assert (run.assets, format_ranges(run.days)) == (keys("stg_calls", "int_users"), f"{ago(1)}")


def test_texts_that_wait_for_cortex_make_the_models_of_their_day_stale() -> None:
    run = plan(MODELS, [changed(WAITING_TEXTS, ago(9))], keys(), partitions=PARTITIONS)
    assert run is not None
    assert (run.assets, format_ranges(run.days)) == (MODELS.partitioned, f"{ago(9)}")


def test_models_that_were_never_built_are_built_even_if_no_call_has_landed() -> None:
    run = plan(MODELS, [], MODELS.keys, partitions=PARTITIONS)
    assert run is not None
    assert (run.assets, format_ranges(run.days)) == (MODELS.keys, f"{TODAY}")


def test_a_view_is_built_again_only_if_its_code_changed() -> None:
    built: dict[dg.AssetKey, str | None] = dict.fromkeys(MODELS.keys, "1")
    assert MODELS.unbuilt(built) == keys()
    built = dict.fromkeys(MODELS.keys, "0")
    assert MODELS.unbuilt(built) == keys("vw_calls", "stg_users", "stg_deals")
    del built[dg.AssetKey("cortex_calls")]
    assert dg.AssetKey("cortex_calls") in MODELS.unbuilt(built)


def test_a_table_follows_a_hubspot_table_that_was_built_alone() -> None:
    models = Models(
        [
            model("stg_deals"),
            model("stg_merges"),
            model("stg_users", "USERS"),
            model("links", "CALLS", reads=["stg_merges", "stg_calls"]),
            model("call_deals", "CALLS", reads=["links", "stg_deals"]),
            model("users", "CALLS", "USERS", reads=["stg_users"]),
            model("stg_calls", "CALLS", daily=True, reads=["stg_deals"]),
            model("vw_deals", view=True, reads=["stg_deals"]),
        ]
    )
    names = ["stg_deals", "stg_merges", "stg_users", "links", "call_deals", "users", "stg_calls", "vw_deals"]
    built = {dg.AssetKey(name): position for position, name in enumerate(names)}
    assert models.behind(built) == {}
    assert models.behind({**built, dg.AssetKey("stg_deals"): 9}) == {dg.AssetKey("call_deals"): 9}
    assert models.behind({**built, dg.AssetKey("stg_merges"): 9}) == dict.fromkeys(
        keys("links", "call_deals"), 9
    )
    # Changes of raw tables are pending, and a table that was never built is built anyway.
    assert models.behind({**built, dg.AssetKey("stg_users"): 9, dg.AssetKey("links"): 10}) == {}
    assert models.behind({dg.AssetKey("stg_deals"): 9}) == {}


def test_a_step_settles_only_the_tables_whose_models_it_builds_completely() -> None:
    assert MODELS.transformed_by(keys("stg_calls", "cortex_calls")) == ["CALLS", "CORTEX", "TRANSCRIPTS"]
    assert MODELS.transformed_by(keys("stg_calls")) == []
    assert MODELS.transformed_by(keys("stg_users", "vw_calls")) == ["USERS"]


def last_run(
    status: dg.DagsterRunStatus, minutes_ago: int, attempt: int = 1, models: str = "m1"
) -> dg.RunRecord:
    tags = {"gong_assets/attempt": str(attempt), "gong_assets/models": models}
    ended = NOW - timedelta(minutes=minutes_ago)
    run = dg.DagsterRun("gong_transformation", run_id="r", status=status, tags=tags)
    return dg.RunRecord(1, run, create_timestamp=ended, update_timestamp=ended)


SUCCESS, FAILURE, CANCELED = (
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
)


@pytest.mark.parametrize(
    ("reason", "ended", "last", "unbuilt", "attempt"),
    [
        ("nothing changed", Ended("t", landed=True), last_run(SUCCESS, 60), None, None),
        ("rows changed", Ended("t", landed=True, changed=True), last_run(SUCCESS, 60), None, 1),
        ("texts wait, nothing landed", Ended("t", is_open=True), last_run(SUCCESS, 60), None, None),
        ("texts wait", Ended("t", landed=True, is_open=True), last_run(SUCCESS, 60), None, 1),
        ("failed just now", Ended("t", is_open=True), last_run(FAILURE, 1), None, None),
        ("failed some minutes ago", Ended("t", is_open=True), last_run(FAILURE, 6), None, 2),
        ("failed twice", Ended("t", is_open=True), last_run(FAILURE, 60, attempt=2), None, None),
        (
            "failed twice, and a landing",
            Ended("t", landed=True, is_open=True),
            last_run(FAILURE, 60, 2),
            None,
            1,
        ),
        ("canceled", Ended("t", is_open=True), last_run(CANCELED, 60), None, None),
        ("failed, but settled since", Ended("t"), last_run(FAILURE, 60), None, None),
        ("new code", Ended("t"), last_run(SUCCESS, 60), "m2", 1),
        ("new code that was built just now", Ended("t"), last_run(SUCCESS, 60, models="m2"), "m2", None),
        ("new code that failed twice", Ended("t", is_open=True), last_run(FAILURE, 60, 2, "m2"), "m2", None),
        ("newer code after a failure", Ended("t", is_open=True), last_run(FAILURE, 60, 2, "m2"), "m3", 1),
        ("no run yet", Ended("t"), None, None, None),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_when_the_pending_changes_are_read(
    reason: str, ended: Ended, last: dg.RunRecord | None, unbuilt: str | None, attempt: int | None
) -> None:
    assert should_read(Cursor("t"), ended, last, unbuilt=unbuilt, now=NOW) == attempt


def test_a_sensor_that_lost_its_cursor_reads_once() -> None:
    assert should_read(Cursor.loads(None), Ended("t"), None, unbuilt=None, now=NOW) == 1
    cursor = Cursor("t", is_open=False, models="m1")
    assert Cursor.loads(cursor.dumps()) == cursor


def test_models_without_parents_cannot_be_built() -> None:
    models = Models(
        [
            model("stg_calls", daily=True),
            model("stg_deals"),
            model("call_deals", reads=["stg_calls", "stg_deals"]),
            model("deal_risk", reads=["call_deals"]),
        ]
    )
    refreshed = keys("stg_deals", "call_deals", "deal_risk")
    assert models.without_parents(refreshed, ()) == keys("call_deals", "deal_risk")
    assert models.without_parents(refreshed, keys("stg_calls")) == keys()
    assert models.without_parents({*refreshed, *keys("stg_calls")}, ()) == keys()
    assert models.without_parents(keys("deal_risk"), keys("stg_calls", "stg_deals")) == keys("deal_risk")
    # It reads the table of an earlier run.
    assert models.without_parents(refreshed, keys("call_deals")) == keys("call_deals")
    assert models.without_parents(keys("other"), ()) == keys()


def record(warehouse: Warehouse, day: date) -> None:
    with warehouse.connect() as connection, transaction(connection), connection.cursor() as cursor:
        record_changes(cursor, "CALLS", "SELECT %s::DATE AS DAY", [day], "landing")


def pending_days(warehouse: Warehouse) -> list[date | None]:
    with warehouse.connect() as connection:
        return [change.day for change in pending_changes(connection)]


def test_a_retry_settles_what_landed_before_it_and_nothing_that_landed_since(warehouse: Warehouse) -> None:
    """A retry stages the calls again."""

    @dg.asset(partitions_def=dg.DailyPartitionsDefinition("2026-01-01"))
    def stg_calls(context: dg.AssetExecutionContext) -> None:
        with (
            warehouse.connect() as connection,
            settled_changes(context, connection, models, [PARTITIONS], sends_to_cortex=False),
        ):
            record(warehouse, ago(1) if context.retry_number == 0 else ago(3))
            if context.retry_number == 0:
                raise dg.RetryRequested(max_retries=1)

    models = Models([model("stg_calls", "CALLS", daily=True)])
    with warehouse.connect() as connection:
        create_raw_tables(connection, ())
    record(warehouse, ago(2))
    assert dg.materialize([stg_calls], partition_key=str(ago(0))).success
    with warehouse.connect() as connection:
        assert [(change.table, change.day) for change in pending_changes(connection)] == [("CALLS", ago(3))]


def test_a_run_that_leaves_days_pending_says_so(warehouse: Warehouse) -> None:
    """For example the old day of a call that moved to a day of the run."""

    @dg.asset
    def stg_calls(context: dg.AssetExecutionContext) -> None:
        with (
            warehouse.connect() as connection,
            settled_changes(context, connection, models, [DateRange.single(ago(0))], sends_to_cortex=False),
        ):
            pass

    models = Models([model("stg_calls", "CALLS", daily=True)])
    with warehouse.connect() as connection:
        create_raw_tables(connection, ())
    for day in (ago(4), ago(0)):
        record(warehouse, day)
    with dg.DagsterInstance.ephemeral() as instance:
        run_id = dg.materialize([stg_calls], instance=instance).run_id
        assert pending_days(warehouse) == [ago(4)]
        run = instance.get_run_by_id(run_id)
        assert run is not None
        assert run.tags[INCOMPLETE_TAG] == f"{ago(4)}"


class TwoSteps:
    """A transformation whose second step fails until it is repaired."""

    warehouse: Warehouse
    is_broken = True


def transformation_of_two_steps() -> dg.JobDefinition:
    models = Models(
        [
            replace(model("stg_calls", "CALLS", daily=True), is_staging=True),
            model("cortex_calls", "CALLS", daily=True),
        ]
    )

    @dg.asset
    def stg_calls(context: dg.AssetExecutionContext) -> None:
        with settled(context):
            pass

    @dg.asset(deps=[stg_calls])
    def cortex_calls(context: dg.AssetExecutionContext) -> None:
        with settled(context):
            if TwoSteps.is_broken:
                raise dg.Failure("Cortex is away", allow_retries=False)

    @contextmanager
    def settled(context: dg.AssetExecutionContext) -> Iterator[None]:
        with (
            TwoSteps.warehouse.connect() as connection,
            settled_changes(context, connection, models, [PARTITIONS], sends_to_cortex=False),
        ):
            yield

    job = dg.define_asset_job("gong_transformation", executor_def=dg.in_process_executor)
    return dg.Definitions([stg_calls, cortex_calls], jobs=[job]).resolve_job_def("gong_transformation")


def test_a_re_execution_from_failure_settles_what_the_failed_run_has_staged(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    job, TwoSteps.warehouse, TwoSteps.is_broken = (
        dg.reconstructable(transformation_of_two_steps),
        warehouse,
        True,
    )
    with warehouse.connect() as connection:
        create_raw_tables(connection, ())
    record(warehouse, ago(2))
    with local_instance(tmp_path) as instance:

        def execute(parent: str | None = None) -> dg.JobExecutionResult:
            options = dg.ReexecutionOptions.from_failure(parent, instance) if parent else None
            # Dagster's UI and daemon set it. It is not set here, in the test's own process.
            tags = {"dagster/is_resume_retry": "true"} if parent else {}
            return dg.execute_job(job, instance, tags=tags, reexecution_options=options, raise_on_error=False)

        first = execute()
        assert not first.success
        record(warehouse, ago(1))  # lands after the calls were staged
        second = execute(first.run_id)
        assert not second.success
        assert pending_days(warehouse) == [ago(2), ago(1)]
        TwoSteps.is_broken = False
        third = execute(second.run_id)
        assert third.success
        assert [event.step_key for event in third.get_step_success_events()] == ["cortex_calls"]
    assert pending_days(warehouse) == [ago(1)]
