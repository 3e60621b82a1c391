"""Checks that ask the warehouse what the graph cannot know from its own runs.

A freshness policy looks at when an asset last ran; these look at what is in the tables. dbt tests show as checks too, and
check what a model promises about its columns.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import dagster as dg

from gong_assets.defs.checks.results import unless_missing
from gong_assets.defs.resources import SnowflakeResource
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import fetch
from gong_assets.warehouse.queries import (
    calls_without_transcript,
    newest_call_date,
    processing_errors,
)
from gong_assets.warehouse.tables import RAW_TABLES

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

# A transcript takes Gong minutes, at times hours. Counted in days: of yesterday's calls one may have ended minutes ago.
TRANSCRIPT_GRACE = timedelta(days=2)
# A long weekend without calls is normal; longer silence is more often a key that lost its permissions.
STALE_AFTER = timedelta(days=4)
SHOWN_IDS = 50


def build_checks(settings: Settings) -> list[dg.AssetChecksDefinition]:
    specs = [
        *(
            dg.AssetCheckSpec(
                "records_validate",
                asset=table.asset_name,
                description="No record of Gong's failed validation. Such a record is landed with its PROCESSING_ERROR "
                "and stays out of the staged tables.",
            )
            for table in RAW_TABLES
        ),
        dg.AssetCheckSpec(
            "calls_have_transcripts",
            asset="gong_call_transcripts_raw",
            description=f"No call between {TRANSCRIPT_GRACE.days} and {settings.gong_transcript_retry_days} days old lacks "
            "its transcript. Older ones that do are listed too: they are not asked for any more.",
        ),
        dg.AssetCheckSpec(
            "calls_are_recent",
            asset="gong_calls_raw",
            description=f"The newest call is at most {STALE_AFTER.days} days old.",
        ),
    ]

    evaluations: dict[str, Callable[..., dg.AssetCheckResult]] = {
        "records_validate": _records_validate,
        "calls_have_transcripts": partial(_calls_have_transcripts, settings=settings),
        "calls_are_recent": _calls_are_recent,
    }

    @dg.multi_asset_check(name="raw_checks", specs=specs, can_subset=True)
    def raw_checks(
        context: dg.AssetCheckExecutionContext, snowflake: SnowflakeResource
    ) -> Iterator[dg.AssetCheckResult]:
        with snowflake.get_connection() as connection:
            for key in sorted(context.selected_asset_check_keys, key=str):
                yield unless_missing(key, partial(evaluations[key.name], connection, key))

    return [raw_checks]


def _records_validate(connection: "SnowflakeConnection", key: dg.AssetCheckKey) -> dg.AssetCheckResult:
    table = next(table for table in RAW_TABLES if table.asset_name == key.asset_key.path[-1])
    rows = fetch(connection, processing_errors(table))
    return _result(key, rows, {"errors": dg.MetadataValue.json(rows[:SHOWN_IDS])})


def _calls_have_transcripts(
    connection: "SnowflakeConnection", key: dg.AssetCheckKey, settings: Settings
) -> dg.AssetCheckResult:
    today = datetime.now(UTC).date()
    since = today - timedelta(days=settings.gong_transcript_retry_days)
    rows = fetch(connection, calls_without_transcript(), (today - TRANSCRIPT_GRACE,))
    awaited = [row["CALL_ID"] for row in rows if row["CALL_DATE"] >= since]
    given_up = [row["CALL_ID"] for row in rows if row["CALL_DATE"] < since]
    result = _result(key, awaited, {"call_ids": dg.MetadataValue.json(awaited[:SHOWN_IDS])})
    if not given_up:
        return result
    older: dict[str, Any] = {
        "not_asked_for_any_more": len(given_up),
        "not_asked_for_any_more_ids": given_up[:SHOWN_IDS],
    }
    return result._replace(metadata={**result.metadata, **older})


def _calls_are_recent(connection: "SnowflakeConnection", key: dg.AssetCheckKey) -> dg.AssetCheckResult:
    newest: date | None = fetch(connection, newest_call_date())[0]["NEWEST"]
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=newest is not None and datetime.now(UTC).date() - newest <= STALE_AFTER,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"newest_call_date": str(newest)},
    )


def _result(key: dg.AssetCheckKey, found: list[Any], metadata: dict[str, Any]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=not found,
        # Data that is not there yet is no reason to hold back what is.
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"count": len(found), **(metadata if found else {})},
    )
