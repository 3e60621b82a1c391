"""Standing check that compares the landed and staged calls of the last weeks with Gong's own list.

Gong lists 100 calls per request, so the days are limited by the number of calls. The weekly reconciliation
compares and repairs the older days.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg

from gong_assets.dates import DateRange
from gong_assets.defs.assets.ingestion import GONG_POOL
from gong_assets.defs.checks.results import HEALTH_ASSET, Finding
from gong_assets.defs.failures import fail_step
from gong_assets.defs.options import DEFAULT_OPTIONS, GraphOptions
from gong_assets.defs.resources import GongResource, SnowflakeResource
from gong_assets.error_advice import EXPECTED_ERRORS
from gong_assets.ingestion.read import read_source
from gong_assets.ingestion.reconciliation import CallListing
from gong_assets.settings import Settings
from gong_assets.warehouse import standing_queries as queries
from gong_assets.warehouse.connection import fetch
from gong_assets.warehouse.erasures import erased_calls
from gong_assets.warehouse.queries import existing_tables
from gong_assets.warehouse.tables import CALLS, ERASURES_TABLE

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

NAME = "calls_match_gong"
OP = "gong_completeness_check"
MAX_DAYS = 60
# 50 requests: half a percent of Gong's daily quota.
MAX_CALLS = 5000
# Yesterday's calls may end today, and ingestion runs every 4 hours.
YOUNGEST = timedelta(days=2)


def days_to_compare(calls_by_day: Mapping[date, int], today: date) -> DateRange | None:
    """Return the latest days with at most MAX_CALLS calls in all, or None without any landed call."""
    end = today - YOUNGEST + timedelta(days=1)
    total = 0
    start = None
    for day, calls in sorted(calls_by_day.items(), reverse=True):
        if day >= end:
            continue
        total += calls
        if start is not None and total > MAX_CALLS:
            break
        start = day
    return DateRange(start, end) if start else None


def compare(
    days: DateRange, listed: Mapping[str, date], private: Iterable[str], landed: Iterable[Mapping[str, Any]]
) -> Finding:
    """Return the calls that are in Gong and not landed, landed and not in Gong, or landed on another day.

    An invalid call that Gong does not list is left out: no list has a call without an ID or a start time.
    """
    rows = {row["ID"]: row for row in landed if row["IS_VALID"] or row["ID"] in listed}
    missing = sorted(listed.keys() - rows.keys())
    extra = sorted(rows.keys() - listed.keys() - set(private))
    moved = sorted(call_id for call_id in listed.keys() & rows if listed[call_id] != rows[call_id]["DAY"])
    by_day = {
        "gong": Counter(listed.values()),
        "landed": Counter(row["DAY"] for row in rows.values()),
        "staged": Counter(row["DAY"] for row in rows.values() if row["IS_STAGED"]),
    }
    differing = [day for day in days if len({counts[day] for counts in by_day.values()}) > 1][:MAX_DAYS]
    records = [
        dg.TableRecord({"day": str(day), **{name: counts[day] for name, counts in by_day.items()}})
        for day in differing
    ]
    ids = [
        *(f"{call_id} is in Gong and not landed" for call_id in missing),
        *(f"{call_id} is landed and not in Gong" for call_id in extra),
        *(f"{call_id} is landed on another day" for call_id in moved),
    ]
    return Finding(
        len(ids),
        ids,
        f"SELECT CALL_DATE, COUNT(*) AS CALLS FROM {CALLS.name}\n"
        f"WHERE CALL_DATE >= '{days.start}' AND CALL_DATE < '{days.end}'\n"
        "GROUP BY CALL_DATE ORDER BY CALL_DATE",
        "Materialize gong_call_reconciliation for these days. It reads those that differ again.",
        more={
            "days": str(days),
            "calls_in_gong": len(listed),
            "calls_landed": len(rows),
            **({"days_that_differ": dg.MetadataValue.table(records)} if records else {}),
        },
    )


def build_completeness_check(
    settings: Settings, options: GraphOptions = DEFAULT_OPTIONS
) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(
        name=options.op_name(OP),
        specs=[
            dg.AssetCheckSpec(
                NAME,
                asset=options.asset_key(HEALTH_ASSET),
                description="The landed calls are those that Gong lists, for the last days with "
                f"{MAX_CALLS:,} calls and at most {MAX_DAYS} days, except for the latest two.",
            )
        ],
        pool=GONG_POOL,
    )
    def calls_match_gong(gong: GongResource, gong_snowflake: SnowflakeResource) -> Any:
        try:
            with gong_snowflake.get_connection() as connection:
                finding = _evaluate(connection, gong, settings)
        except EXPECTED_ERRORS as error:
            fail_step(error)
        yield finding.result(dg.AssetCheckKey(options.asset_key(HEALTH_ASSET), NAME))

    return calls_match_gong


def _evaluate(connection: "SnowflakeConnection", gong: GongResource, settings: Settings) -> Finding:
    today = datetime.now(UTC).date()
    existing = existing_tables(connection)
    if CALLS.name not in existing:
        return Finding(0, more={"calls_landed": 0})
    since = max(today - timedelta(days=MAX_DAYS), settings.first_day(today))
    counts = {row["DAY"]: int(row["CALLS"]) for row in fetch(connection, queries.calls_by_day(), (since,))}
    days = days_to_compare(counts, today)
    if days is None:
        return Finding(0, more={"calls_landed": 0})
    listing = CallListing(days, settings.gong_include_private_calls, settings.gong_workspace_id)
    read = read_source(gong.client(), listing)
    read.spool.discard()
    if read.quota_error is not None:
        raise read.quota_error
    is_staged = "STG_GONG_CALLS" in existing
    landed = fetch(connection, queries.landed_calls(is_staged=is_staged), (days.start, days.end))
    erased = erased_calls(connection, listing.calls) if ERASURES_TABLE in existing else set()
    listed = {call_id: call.day for call_id, call in listing.calls.items() if call_id not in erased}
    return compare(days, listed, listing.private, landed)
