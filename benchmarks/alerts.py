"""Which failures of a deployment become alerts: one message for each, and one when it is over.

    python -m benchmarks.alerts

The real graph runs against a Gong of this script and the local Snowflake server. Something breaks, and stays
broken while the schedules and sensors tick twice; then it is repaired, and they tick again. The alert sensor
is evaluated after each of them, and a webhook of this script counts the messages. Failed backfills, ticks and
overdue assets are recorded as Dagster's daemon records them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.definitions.freshness import FreshnessState, FreshnessStateChange
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._utils.error import SerializableErrorInfo
from pydantic import SecretStr

from gong_assets.cli.dagster_home import event_log_options
from gong_assets.local import local_stack
from gong_assets.warehouse.connection import Warehouse, local_arguments
from gong_assets_tests.defs.alerts.receivers import Inbox, webhook
from gong_assets_tests.defs.ingestion_runs import call, transcript
from gong_assets_tests.end_to_end.deployment import Deployment
from gong_assets_tests.end_to_end.gong_server import Gong
from gong_assets_tests.gong_schemas import SCOPES

NOW = datetime.now(UTC)
BROKEN_TICKS = 2


@dataclass(frozen=True)
class Failure:
    """What breaks and is repaired, and the messages about it that are expected to open and to close."""

    name: str
    breaks: Callable[[Deployment], object]
    repairs: Callable[[Deployment], object]
    ticks: Callable[[Deployment, int], object]
    expected: tuple[int, int] = (1, 1)


def ingest(deployment: Deployment, tick: int) -> None:
    """Add a call, and let the schedule read the last days."""
    number = len(deployment.gong.calls)
    new = call(number, NOW - timedelta(hours=30, minutes=number))
    deployment.gong.calls.append(new)
    deployment.gong.transcripts.append(transcript(str(new.id)))
    deployment.schedule("gong_ingestion_schedule", NOW + timedelta(hours=4 * tick))
    deployment.settle()


def check(deployment: Deployment, tick: int) -> None:
    deployment.schedule("gong_standing_checks_schedule", NOW + timedelta(days=tick))


def nothing(deployment: Deployment, *_: int) -> None:
    """Only time passes."""


def withdrawn(endpoint: str) -> Callable[[Deployment], None]:
    return lambda deployment: deployment.gong.missing_scopes.add(SCOPES[endpoint])


def granted(deployment: Deployment) -> None:
    deployment.gong.missing_scopes.clear()


def set_key(key: str) -> Callable[[Deployment], None]:
    return lambda deployment: setattr(deployment.gong, "access_key", key)


def use_up_quota(deployment: Deployment) -> None:
    deployment.gong.faults = deque(["quota"] * 1000)


def set_broken(*paths: str) -> Callable[[Deployment], None]:
    return lambda deployment: setattr(deployment.gong, "broken_paths", set(paths))


def execute(sql: str) -> Callable[[Deployment], object]:
    return lambda deployment: deployment.warehouse.query(sql)


def create_run(deployment: Deployment) -> dg.DagsterRun:
    job = deployment.definitions.resolve_job_def("gong_reference_data")
    return deployment.instance.create_run_for_job(job)


def kill_run(deployment: Deployment) -> None:
    deployment.instance.report_run_failed(create_run(deployment), "Its process does not answer.")


def cancel_run(deployment: Deployment) -> None:
    deployment.instance.report_run_canceled(create_run(deployment))


def run_reference_data(deployment: Deployment) -> None:
    deployment.schedule("gong_reference_data_schedule", NOW)


def fail_backfill(deployment: Deployment) -> None:
    now = time.time()
    deployment.instance.add_backfill(
        PartitionBackfill(
            backfill_id="failing",
            status=BulkActionStatus.FAILED,
            from_failure=False,
            tags={},
            backfill_timestamp=now - 60,
            backfill_end_timestamp=now,
            asset_selection=[dg.AssetKey("gong_calls_raw")],
            error=SerializableErrorInfo("Its partitions changed.", [], "ValueError"),
            title=None,
            description=None,
        )
    )


def set_freshness(state: FreshnessState) -> Callable[[Deployment], None]:
    def report(deployment: Deployment) -> None:
        event = FreshnessStateChange(
            key=dg.AssetKey("gong_trackers_raw"),
            new_state=state,
            previous_state=FreshnessState.UNKNOWN,
            state_change_timestamp=time.time(),
        )
        deployment.instance._report_runless_asset_event(event)

    return report


FAILURES = (
    Failure("the scope of calls is withdrawn", withdrawn("POST /v2/calls/extensive"), granted, ingest),
    Failure("the scope of users is withdrawn", withdrawn("GET /v2/users"), granted, ingest),
    Failure("the key is revoked", set_key("ANOTHER"), set_key("TESTKEY"), ingest),
    Failure("an endpoint answers 404", set_broken("/v2/stats/activity/day-by-day"), set_broken(), ingest),
    Failure(
        "a raw table lacks a column",
        execute("ALTER TABLE GONG_CALLS_RAW RENAME COLUMN CONTENT_HASH TO KEPT"),
        execute("ALTER TABLE GONG_CALLS_RAW RENAME COLUMN KEPT TO CONTENT_HASH"),
        ingest,
    ),
    Failure(
        "answers of Cortex lack a column",
        execute("ALTER TABLE GONG_CORTEX_ANSWERS RENAME COLUMN ANSWER_TEXT TO KEPT"),
        execute("ALTER TABLE GONG_CORTEX_ANSWERS RENAME COLUMN KEPT TO ANSWER_TEXT"),
        ingest,
    ),
    Failure(
        "rows are left over in a layer",
        execute(
            "INSERT INTO CORTEX_GONG_CALLS (CALL_ID, CALL_DATE) "
            "SELECT 'left over', MIN(CALL_DATE) FROM STG_GONG_CALLS"
        ),
        execute("DELETE FROM CORTEX_GONG_CALLS WHERE CALL_ID = 'left over'"),
        check,
    ),
    Failure("the process of a run dies", kill_run, run_reference_data, nothing),
    Failure("a run is canceled", cancel_run, run_reference_data, nothing),
    Failure(
        "an asset is overdue", set_freshness(FreshnessState.FAIL), set_freshness(FreshnessState.PASS), nothing
    ),
    Failure("a backfill fails", fail_backfill, nothing, nothing, (1, 0)),
    # It is over when the quota is renewed, ten hours later.
    Failure("the daily quota is used up", use_up_quota, nothing, ingest, (1, 0)),
)


@contextmanager
def deployed() -> Iterator[tuple[Deployment, Inbox]]:
    gong = Gong()
    # The lease of the last run may be written once more.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory, webhook() as inbox:
        home = Path(directory)
        warehouse = Warehouse({**local_arguments(home), "schema": "GONG_DATA"})
        try:
            local = dg.DagsterInstance.local_temp(directory, overrides=event_log_options(home))
            with local as instance, gong.served():
                url = SecretStr(inbox.url)
                yield Deployment.of(gong, warehouse, home, instance, gong_assets_alert_webhook_url=url), inbox
        finally:
            local_stack().down(home)


def observe(deployment: Deployment, inbox: Inbox, failure: Failure) -> Counter[str]:
    """Return what happened: failed runs and messages."""
    runs, messages = len(deployment.runs), len(inbox.posted)
    # dbt writes its progress to the output.
    with redirect_stdout(sys.stderr):
        failure.breaks(deployment)
        for tick in range(BROKEN_TICKS):
            failure.ticks(deployment, tick)
            deployment.sensor("gong_alerts")
        failed = sum(not run.success for run in deployment.runs[runs:])
        failure.repairs(deployment)
        failure.ticks(deployment, BROKEN_TICKS)
        deployment.sensor("gong_alerts")
    for title in inbox.titles[messages:]:
        print("   ", title, file=sys.stderr)
    states = Counter(document["state"] for document in inbox.posted[messages:])
    return Counter(failed=failed, **states)


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter).parse_args()
    print(f"{'failure':34} {'failed runs':>12} {'opened':>7} {'closed':>7}  as expected")
    with deployed() as (deployment, inbox):
        with redirect_stdout(sys.stderr):
            run_reference_data(deployment)
            ingest(deployment, 0)
            check(deployment, 0)
            deployment.sensor("gong_alerts")
        print(f"{'none':34} {0:12} {len(inbox.posted):7}")
        for failure in FAILURES:
            seen = observe(deployment, inbox, failure)
            messages = (seen["open"], seen["closed"])
            is_expected = "yes" if messages == failure.expected else f"no: {failure.expected}"
            print(
                f"{failure.name:34} {seen['failed']:12} {messages[0]:7} {messages[1]:7}  {is_expected}",
                flush=True,
            )


if __name__ == "__main__":
    main()
