"""What the audit finds and heals of Airbyte's losses, against a count from the tenant itself.

    python -m benchmarks.audit [--days 18] [--calls-per-day 20] [--time-zone Europe/Berlin] [--hour 12]
                               [--lookback 0] [--cdk DIRECTORY]

Airbyte's CDK syncs the simulated tenant once a day, incrementally and with the connector's default lookback
of 0 days, until a day after the audited ones. Meanwhile calls appear late, change, and are deleted or made
private. The records become the tables of Airbyte's destination, and the graph lands them. Then
`gong_source_audit` reports, heals, and reports again. Finally the source is changed from Airbyte to the API.
The CDK is installed in an environment of its own, unless `--cdk` names one that exists.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from gong_assets.dates import DateRange
from gong_assets.local import GongEndpoint, local_stack
from gong_assets_tests.defs.sources import airbyte_cdk
from gong_assets_tests.defs.sources.airbyte_cdk import Connection
from gong_assets_tests.defs.sources.graph import Deployment, metadata
from gong_assets_tests.warehouse.sources.airbyte_tables import write_typed
from gong_assets_tests.warehouse.sources.tenant import read_tenant

SCHEMA = "AIRBYTE"
LAST_DAY_AGO = 5
# After these syncs, a call that they read is deleted or made private.
CHANGES = {3: "delete", 6: "make-private", 9: "delete", 12: "make-private"}
# The kinds of findings, and those of the audit that each consists of.
KINDS: Mapping[str, tuple[str, ...]] = {
    "calls lost": ("lost_calls",),
    "transcripts lost": ("lost_transcripts",),
    "deleted or private calls kept": ("kept_calls",),
    "stale calls": ("stale_calls", "stale_content"),
    "calls on a wrong day": ("wrong_days",),
}

Ids = dict[str, set[str]]


@dataclass
class Tenant:
    """The simulated tenant, whose clock this script sets."""

    gong: GongEndpoint

    def set_clock(self, now: datetime) -> None:
        self._post("/simulator/clock", {"now": now.isoformat()})

    def change(self, call_id: str, change: str) -> None:
        self._post(f"/simulator/calls/{call_id}/{change}", {})

    def _post(self, path: str, body: dict[str, Any]) -> None:
        key = (self.gong.access_key, self.gong.access_key_secret)
        httpx.post(f"{self.gong.base_url}{path}", json=body, auth=key, trust_env=False).raise_for_status()


@dataclass
class Report:
    """The findings of one audit, and those counted from the tenant at the same time."""

    audited: dict[str, Any]
    truth: Ids

    def audited_count(self, kind: str) -> int:
        return sum(int(self.audited[each]) for each in KINDS[kind])

    def disagreements(self) -> list[str]:
        """Return the kinds for which the audit has other calls than the tenant."""
        ids: Mapping[str, list[str]] = self.audited["ids"]  # The first ones, if there are many.
        shown = {
            kind: {each for part in parts for each in ids.get(part, ())} for kind, parts in KINDS.items()
        }
        return [
            kind
            for kind, expected in self.truth.items()
            if self.audited_count(kind) != len(expected) or not shown[kind] <= expected
        ]


def sync_daily(
    tenant: Tenant, connection: Connection, deployment: Deployment, days: DateRange, hour: int
) -> None:
    """Sync after each day and the one that follows them, and change some calls that were read.

    The tenant's clock stops at the last sync.
    """
    changed: set[str] = set()
    start, _ = days.utc_bounds()
    for number in range(1, len(days) + 2):
        now = start + timedelta(days=number, hours=hour)
        tenant.set_clock(now)
        records = connection.sync(now)
        for stream, new in records.items():
            write_typed(deployment.warehouse, SCHEMA, stream, new, now)
        counts = ", ".join(f"{len(new)} {stream}" for stream, new in sorted(records.items()))
        print(f"{now:%Y-%m-%d %H:%M}: {counts}", file=sys.stderr, flush=True)
        if change := CHANGES.get(number):
            read = (call["metaData"]["id"] for call in records["extensiveCalls"])
            call_id = next(each for each in read if each not in changed)
            changed.add(call_id)
            tenant.change(call_id, change)


def findings(home: Path, deployment: Deployment, days: DateRange) -> Ids:
    """Return what differs between Gong and the raw tables, from the tenant's own answer for all days."""
    tenant = read_tenant(home, days)
    calls = {call["metaData"]["id"]: call for call in tenant.calls if not call["metaData"]["isPrivate"]}
    transcripts = {each["callId"] for each in tenant.transcripts} & calls.keys()
    landed = {
        row["CALL_ID"]: (str(row["CALL_DATE"]), json.loads(row["RAW_DATA"]))
        for row in deployment.rows("SELECT CALL_ID, CALL_DATE, RAW_DATA FROM GONG_CALLS_RAW")
    }
    with_transcript = {
        row["CALL_ID"] for row in deployment.rows("SELECT CALL_ID FROM GONG_CALL_TRANSCRIPTS_RAW")
    }
    both = landed.keys() & calls.keys()
    moved = {call_id for call_id in both if landed[call_id][0] != utc_day(calls[call_id])}
    stale = {call_id for call_id in both - moved if landed[call_id][1] != calls[call_id]}
    found = (
        calls.keys() - landed.keys(),
        transcripts - with_transcript,
        (landed.keys() | with_transcript) - calls.keys(),
        stale,
        moved,
    )
    return {kind: set(ids) for kind, ids in zip(KINDS, found, strict=True)}


def utc_day(call: dict[str, Any]) -> str:
    return datetime.fromisoformat(call["metaData"]["started"]).astimezone(UTC).date().isoformat()


def run(deployment: Deployment, job: str, days: DateRange, **settings: Any) -> Any:
    """Run a job, and return its result."""
    # dbt writes its progress to the output.
    with redirect_stdout(sys.stderr):
        result = deployment.run(job, days, gong_source_content_audits=1, **settings)
    if not result.success:
        raise RuntimeError(f"{job} failed")
    return result


def audit(home: Path, deployment: Deployment, days: DateRange, *, heal: bool) -> Report:
    """Count from the tenant, and then audit all calls with their content."""
    truth = findings(home, deployment, days)
    result = run(deployment, "gong_reconciliation", days, gong_source_heal=heal)
    return Report(metadata(result, "gong_source_audit"), truth)


@contextmanager
def environment(given: Path | None) -> Iterator[Path]:
    """Yield the environment of the CDK, and remove it if it is a new one."""
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory() as directory:
        yield airbyte_cdk.install(Path(directory))


def measure(home: Path, cdk: Path, options: argparse.Namespace) -> None:
    days = DateRange.lookback(datetime.now(UTC).date() - timedelta(days=LAST_DAY_AGO), options.days)
    gong = local_stack().up(home).gong
    start, _ = days.utc_bounds()
    settings = {"gong_source": "airbyte", "gong_source_schema": SCHEMA}
    deployment = Deployment(home, days.start, settings)
    connection = Connection(cdk, home, gong, start, lookback_days=options.lookback)
    sync_daily(Tenant(gong), connection, deployment, days, options.hour)

    run(deployment, "gong_sync", days, gong_source_heal=False)
    before = audit(home, deployment, days, heal=False)
    healing = audit(home, deployment, days, heal=True)
    # The next run follows the connector's tables again, which have the same losses.
    run(deployment, "gong_sync", days)
    after = audit(home, deployment, days, heal=False)

    print_table(days, before, healing, after)

    cortex_calls = deployment.cortex_calls()
    changed = run(deployment, "gong_sync", days, gong_source="api")
    rows = {name: metadata(changed, name) for name in ("gong_calls_raw", "gong_call_transcripts_raw")}
    print(
        f"\nFrom Airbyte to the API: {deployment.cortex_calls() - cortex_calls} calls of Cortex "
        f"after {cortex_calls} before, "
        + ", ".join(
            f"{each['run/rows_inserted']} rows inserted and {each['run/rows_deleted']} deleted in {name}"
            for name, each in rows.items()
        )
    )


def print_table(days: DateRange, before: Report, healing: Report, after: Report) -> None:
    audited = before.audited
    print(
        f"{days}: {audited['calls_in_gong']} calls in Gong, {audited['calls_landed']} landed\n\n"
        "| | audit | tenant | audit after healing | tenant after healing |\n|---|---|---|---|---|"
    )
    for kind in KINDS:
        figures = (before.audited_count(kind), len(before.truth[kind]))
        later = (after.audited_count(kind), len(after.truth[kind]))
        print(f"| {kind} | " + " | ".join(map(str, figures + later)) + " |")
    requests = (before.audited["gong_requests"], "", after.audited["gong_requests"], "")
    print("| requests to Gong | " + " | ".join(map(str, requests)) + " |")
    print(f"\nHealing: {', '.join(f'{name} {healing.audited[name]}' for name in HEALED)}")
    disagreements = {*before.disagreements(), *healing.disagreements(), *after.disagreements()}
    print(f"The audit disagrees with the tenant on: {', '.join(sorted(disagreements)) or 'nothing'}")


HEALED = ("calls_healed", "transcripts_healed", "rows_deleted", "gong_requests")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=int, default=18)
    parser.add_argument("--calls-per-day", type=int, default=20, help="of the tenant on a weekday")
    parser.add_argument("--time-zone", default="Europe/Berlin", help="of the tenant")
    parser.add_argument("--hour", type=int, default=12, help="of the daily sync, in UTC")
    parser.add_argument("--lookback", type=int, default=0, help="the connector's lookback_window_days")
    parser.add_argument("--cdk", type=Path, help="a virtual environment with airbyte-cdk")
    options = parser.parse_args()
    os.environ |= {
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "GONG_ASSETS_LOCAL_CALLS_PER_DAY": str(options.calls_per_day),
        "GONG_ASSETS_LOCAL_TIME_ZONE": options.time_zone,
    }
    with environment(options.cdk) as cdk, tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        try:
            measure(home, cdk, options)
        finally:
            local_stack().down(home)


if __name__ == "__main__":
    main()
