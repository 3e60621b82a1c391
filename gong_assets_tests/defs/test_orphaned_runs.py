"""Runs of killed commands are failed, and their pool slots are freed."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from gong_assets.defs.orphaned_runs import fail_orphaned_runs, process_tags


def test_a_run_of_a_killed_command_is_failed_and_its_pool_slot_is_freed() -> None:
    with dg.instance_for_test() as instance:
        instance.event_log_storage.set_concurrency_slots("gong_api", 1)
        dead = {key: value.rsplit(" ", 1)[0] + " 1.00" for key, value in process_tags().items()}
        killed = instance.create_run_for_job(_job, tags=dead, status=dg.DagsterRunStatus.STARTED)
        alive = instance.create_run_for_job(_job, tags=process_tags(), status=dg.DagsterRunStatus.STARTED)
        instance.event_log_storage.claim_concurrency_slot("gong_api", killed.run_id, "gong_calls_raw")

        fail_orphaned_runs(instance)

        assert [run.run_id for run in runs(instance, dg.DagsterRunStatus.FAILURE)] == [killed.run_id]
        assert [run.run_id for run in runs(instance, dg.DagsterRunStatus.STARTED)] == [alive.run_id]
        assert instance.event_log_storage.get_concurrency_info("gong_api").active_slot_count == 0


def runs(instance: dg.DagsterInstance, status: dg.DagsterRunStatus) -> Sequence[dg.DagsterRun]:
    return instance.get_runs(dg.RunsFilter(statuses=[status]))


@dg.job
def _job() -> None: ...
