"""Checks of the rows in the raw tables.

A freshness policy considers when an asset last ran; these checks read the tables. The tests of the dbt models
are checks too.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import dagster as dg

from gong_assets.defs.checks.results import (
    connection_of_check,
    passed_before,
    table_changed,
    unless_missing,
)
from gong_assets.defs.checks.schema_drift import SCHEMA_CHECK, SCHEMA_CHECK_DESCRIPTION, schema_result
from gong_assets.defs.options import DEFAULT_OPTIONS, GraphOptions
from gong_assets.defs.resources import SnowflakeResource
from gong_assets.ingestion.stream_types import RawStream
from gong_assets.ingestion.streams import RAW_STREAMS, RAW_TABLES
from gong_assets.security.redaction import redact
from gong_assets.settings import Settings
from gong_assets.warehouse.connection import fetch
from gong_assets.warehouse.queries import (
    calls_without_transcript,
    newest_call_date,
    processing_errors,
)
from gong_assets.warehouse.tables import CALLS, TRANSCRIPTS, RawTable

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

# Gong takes minutes, at times hours, for a transcript. Whole days, because a call dated yesterday may have
# ended minutes ago.
TRANSCRIPT_GRACE = timedelta(days=2)
# A long weekend without calls is normal. A longer gap usually means that the key lost its permissions.
STALE_AFTER = timedelta(days=4)
SHOWN_IDS = 50

# Checks whose result depends on the rows only, and not on the time.
_ROW_CHECKS = frozenset({"records_validate", SCHEMA_CHECK})


def build_checks(
    settings: Settings, options: GraphOptions = DEFAULT_OPTIONS
) -> list[dg.AssetChecksDefinition]:
    """Return one step of checks per raw table, so that a stream that fails stops only its own checks."""
    return [_checks_of(stream, settings, options) for stream in RAW_STREAMS]


def _checks_of(stream: RawStream, settings: Settings, options: GraphOptions) -> dg.AssetChecksDefinition:
    evaluations: dict[str, Callable[..., dg.AssetCheckResult]] = {
        "records_validate": _records_validate,
        SCHEMA_CHECK: partial(schema_result, stream=stream),
        "calls_have_transcripts": partial(_calls_have_transcripts, settings=settings),
        "calls_are_recent": _calls_are_recent,
    }

    asset_key = options.asset_key(stream.table.asset_name)

    @dg.multi_asset_check(
        name=options.op_name(f"{stream.table.asset_name}_checks"),
        specs=[
            dg.AssetCheckSpec(name, asset=asset_key, description=description)
            for name, description in _descriptions(stream.table, settings)
        ],
        can_subset=True,
    )
    def raw_checks(
        context: dg.AssetCheckExecutionContext, gong_snowflake: SnowflakeResource
    ) -> Iterator[dg.AssetCheckResult]:
        kept = {} if table_changed(context, asset_key) else passed_before(context, _ROW_CHECKS)
        yield from kept.values()
        left = sorted(context.selected_asset_check_keys - kept.keys(), key=str)
        if not left:
            return
        with connection_of_check(gong_snowflake) as connection:
            for key in left:
                yield unless_missing(key, partial(evaluations[key.name], connection, key))

    return raw_checks


def _descriptions(table: RawTable, settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield the name and description of each check of the table."""
    yield (
        "records_validate",
        "Every record of Gong is valid. Invalid records are landed with a PROCESSING_ERROR and excluded from "
        "the staged tables.",
    )
    if table is TRANSCRIPTS:
        yield (
            "calls_have_transcripts",
            f"Every call that is {TRANSCRIPT_GRACE.days} to {settings.gong_transcript_retry_days} days old "
            "has a transcript. Older calls without one, which only the reconciliation requests, are listed "
            "too.",
        )
    if table is CALLS:
        yield "calls_are_recent", f"The newest call is at most {STALE_AFTER.days} days old."
    yield SCHEMA_CHECK, SCHEMA_CHECK_DESCRIPTION


def _records_validate(connection: "SnowflakeConnection", key: dg.AssetCheckKey) -> dg.AssetCheckResult:
    table = next(table for table in RAW_TABLES if table.asset_name == key.asset_key.path[-1])
    rows = fetch(connection, processing_errors(table))
    # A validation error may quote the value that it rejects.
    errors = [{"ID": row["ID"], "PROCESSING_ERROR": redact(row["PROCESSING_ERROR"])} for row in rows]
    return _result(key, rows, {"errors": dg.MetadataValue.json(errors[:SHOWN_IDS])})


def _calls_have_transcripts(
    connection: "SnowflakeConnection", key: dg.AssetCheckKey, settings: Settings
) -> dg.AssetCheckResult:
    today = datetime.now(UTC).date()
    since = today - timedelta(days=settings.gong_transcript_retry_days)
    rows = fetch(connection, calls_without_transcript(), (today - TRANSCRIPT_GRACE,))
    awaited = [row["CALL_ID"] for row in rows if row["CALL_DATE"] >= since]
    expired = [row["CALL_ID"] for row in rows if row["CALL_DATE"] < since]
    result = _result(key, awaited, {"call_ids": dg.MetadataValue.json(awaited[:SHOWN_IDS])})
    if not expired:
        return result
    older: dict[str, Any] = {
        "no_longer_requested": len(expired),
        "no_longer_requested_ids": expired[:SHOWN_IDS],
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
        # Missing data must not stop the assets that depend on the rest.
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"count": len(found), **(metadata if found else {})},
    )
